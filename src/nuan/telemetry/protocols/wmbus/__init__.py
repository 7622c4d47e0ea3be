"""In: one wireless M-Bus telegram (EN 13757-4, format A or B, with or without its CRCs). Out: values of named points, notes, problems.

Encrypted telegrams are a problem that says so: Nuan holds no keys.
"""

from nuan.telemetry.protocols.wmbus.reading import parse

__all__ = ["parse"]
