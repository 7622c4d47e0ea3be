"""In: bytes of a wired M-Bus (EN 13757-2 frames, EN 13757-3 data), one or several frames. Out: values of named points, notes, problems.

`parse` for messages; `records` shows every record of a frame as it stands there, `long_frame` writes one.
"""

from nuan.telemetry.protocols.mbus.application import Record, records
from nuan.telemetry.protocols.mbus.link import long_frame
from nuan.telemetry.protocols.mbus.reading import parse

__all__ = ["Record", "long_frame", "parse", "records"]
