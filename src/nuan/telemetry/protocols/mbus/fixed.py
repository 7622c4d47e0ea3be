"""The fixed data structure of old meters (CI 73h): two counters with a unit byte each."""

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.mbus.header import STATUS_OF
from nuan.telemetry.protocols.parsed import Number, Parsed, PointValue, Problem

# (first code, last code, name, unit, factor of the first code); a code more is ten times as much
_UNITS = (
    (0x02, 0x0A, "energy", "Wh", 1), (0x0B, 0x13, "energy", "kJ", 1), (0x14, 0x1C, "power", "W", 1), (0x1D, 0x25, "power", "kJ/h", 1),
    (0x29, 0x2E, "volume", "L", 1), (0x32, 0x37, "flow", "L/h", 1),
)  # fmt: skip
_SMALL = {0x26: ("volume", "mL", 1), 0x27: ("volume", "mL", 10), 0x28: ("volume", "mL", 100), 0x2F: ("flow", "mL/h", 1), 0x30: ("flow", "mL/h", 10), 0x31: ("flow", "mL/h", 100)}  # fmt: skip
SAME_BUT_HISTORIC = 0x3E
FALLBACK_MEDIUM = 0x0F


def unit_of(code: int) -> tuple[str, str, int] | None:
    """(name, unit, factor) of a unit code. CJ/T 188 uses the same codes.

    >>> unit_of(0x05), unit_of(0x2C)
    (('energy', 'Wh', 1000), ('volume', 'L', 1000))
    """
    for first, last, name, unit, factor in _UNITS:
        if first <= code <= last:
            return name, unit, factor * 10 ** (code - first)
    return _SMALL.get(code)


def read_fixed(body: bytes, raw: bytes) -> Parsed:
    """Identification, access number, status, two medium and unit bytes, two counters of four bytes."""
    if len(body) != 16:
        return Parsed.refused("length", said("bytes_not", len(body), 16), raw)
    device = body[3::-1].hex().upper()
    if not device.isdecimal():
        return Parsed.refused("address", device, raw)
    status = body[5]
    words = STATUS_OF[status & 0xFC]
    parsed = Parsed()
    before = None
    for n, (unit_at, start) in enumerate(((6, 8), (7, 12))):
        code = body[unit_at] & 0x3F
        data = body[start : start + 4]
        historic = code == SAME_BUT_HISTORIC or bool(status & 2)
        known = before if code == SAME_BUT_HISTORIC else unit_of(code)
        before = known
        if known is None:
            if code not in (0x3F, 0x00, 0x01):
                parsed.problems.append(Problem("unit", f"{code:02X}", unit_at, raw))
            continue
        name, unit, factor = known
        value: Number | None = None
        if status & 1:
            value = int.from_bytes(data, "little", signed=True) * factor
        elif data[::-1].hex().isdecimal():
            value = int(data[::-1].hex()) * factor
        name += ".s1" if historic else ""
        if any(point.name == name for point in parsed.points):
            name += f".u{n}"
        parsed.points.append(PointValue(device, name, None, value, unit, words))
    return parsed
