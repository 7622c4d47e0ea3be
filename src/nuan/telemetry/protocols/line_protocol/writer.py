"""Lines as bytes: what `parser.parse` reads back as the same lines."""

import re
from collections.abc import Iterable

from nuan.telemetry.protocols.line_protocol.grammar import unit_ns
from nuan.telemetry.protocols.line_protocol.parser import Line, Unsigned, Value


class UnwritableError(ValueError):
    """A line that the grammar has no words for."""


def write(lines: Iterable[Line], precision: str = "ns") -> bytes:
    """One line each, tags sorted by key, as the reference advises. Times are cut to the precision.

    >>> write([Line("heat", {"device": "88 01"}, (("supply_temp", 55.5), ("flow", 12)), 1_700_000_000_000_000_000)], "s")
    b'heat,device=88\\\\ 01 supply_temp=55.5,flow=12i 1700000000\\n'
    """
    return b"".join(_line(line, unit_ns(precision) or 1) for line in lines)


def _line(line: Line, unit: int) -> bytes:
    if not line.fields:
        raise UnwritableError(f"a line of “{line.measurement}” has no field")
    head = _name(line.measurement, ", ", first=True)
    for key, value in sorted(line.tags.items()):
        head += f",{_name(key)}={_name(value)}"
    fields = ",".join(f"{_name(key)}={_value(value)}" for key, value in line.fields)
    stamp = "" if line.time_ns is None else f" {line.time_ns // unit}"
    return f"{head} {fields}{stamp}\n".encode()


def _name(text: str, escaped: str = ",= ", first: bool = False) -> str:
    """A measurement, key or tag value. A backslash at its end would escape what follows, and a control character ends it."""
    if not text or text.endswith("\\") or re.search(r"[\x00-\x1f\x7f]", text) or (first and text.startswith("#")):
        raise UnwritableError(f"{text!r} cannot be written as a name")
    return re.sub(f"([{escaped}])", r"\\\1", text)


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, int):
        low, high, mark = (0, 2**64, "u") if isinstance(value, Unsigned) else (-(2**63), 2**63, "i")
        if not low <= value < high:
            raise UnwritableError(f"{value} does not fit 64 bits")
        return f"{value}{mark}"
    if value - value != 0:
        raise UnwritableError(f"{value} is no number")
    return repr(value)
