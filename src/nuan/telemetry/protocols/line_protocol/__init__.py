"""In: the body of a write request in InfluxDB's line protocol. Out: values of named points, and each line that is none.

`parse` is for people and for judging; intake reads by `columns.columns` and `keys.KeyTable`, with the same verdict on each line.
"""

from nuan.telemetry.protocols.line_protocol.parser import Line, LineProblem, ParsedLines, Unsigned, parse
from nuan.telemetry.protocols.line_protocol.writer import write

__all__ = ["Line", "LineProblem", "ParsedLines", "Unsigned", "parse", "write"]
