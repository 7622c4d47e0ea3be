"""In: bytes with CJ/T 188 frames of heat, cooling, water or gas meters. Out: values of named points, notes, problems.

`parse` for messages; `read_data`, `read_address` and `heat_reply`, `water_reply` build frames for simulators.
"""

from nuan.telemetry.protocols.cjt188.reading import parse
from nuan.telemetry.protocols.cjt188.writing import heat_reply, read_address, read_data, water_reply

__all__ = ["heat_reply", "parse", "read_address", "read_data", "water_reply"]
