"""CJ/T 188 answers → points. A heat meter's answer to 901FH holds 2EH bytes:

    1F 90 serial · settlement heat 4+unit · present heat 4+unit · power 4+unit · flow 4+unit · volume 4+unit ·
    supply 3 · return 3 · hours 3 · clock 7 · status 2

all BCD, low byte first; heat, power and volume with two decimals, flow with four, temperatures with two.
"""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from nuan.telemetry.protocols.cjt188.link import HEAD, Frame, frames
from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.hexadecimal import frame_bytes
from nuan.telemetry.protocols.mbus.fixed import unit_of
from nuan.telemetry.protocols.parsed import DeviceNote, Number, Parsed, PointValue, Problem
from nuan.terms.places import CHINA

READ_ANSWER, READ_ERROR, ADDRESS_ANSWER, FROM_METER, ERROR = 0x81, 0xC1, 0x83, 0x80, 0x40
PRESENT = (b"\x1f\x90", b"\x90\x1f")
"""Data identifier 901FH, low byte first as the standard wants, and turned round as some meters send it."""
HEAT_LENGTH, WATER_LENGTH, HISTORY_LENGTH = 0x2E, 0x16, 0x08
KINDS = {
    0x10: "cold water",
    0x11: "hot water",
    0x12: "drinking water",
    0x13: "reclaimed water",
    0x20: "heat",
    0x21: "cooling",
    0x30: "gas",
}
# (name, first byte, decimals, kind the unit must have)
_HEAT = ((".s1", 3, 2), ("", 8, 2), ("power", 13, 2), ("flow", 18, 4), ("volume", 23, 2))
_TEMPERATURES = (("supply_temp", 28), ("return_temp", 31))


def parse(payload: bytes, zone: tzinfo = CHINA) -> Parsed:
    """All frames of a message: raw bytes, or hexadecimal digits. The device is the address of fourteen digits.

    `zone`: where the meters' clocks stand. An invalid clock is no time: the arrival then stands in.
    """
    parsed = Parsed()
    for each in frames(frame_bytes(payload)):
        if isinstance(each, Problem):
            parsed.problems.append(each)
        elif each.control == READ_ANSWER:
            _answer(each, zone, parsed)
        elif each.control & FROM_METER and each.control & ERROR:
            parsed.problems.append(
                Problem("device_error", f"{each.address}: {each.data.hex(' ')}", each.start, each.raw)
            )
        elif each.control == ADDRESS_ANSWER:
            facts = {"medium": KINDS.get(each.kind, f"{each.kind:02X}")}
            parsed.notes.append(DeviceNote(each.address, "identity", facts))
        elif each.control & FROM_METER and each.control not in (0x84, 0x95, 0x96):
            parsed.problems.append(Problem("control", f"{each.control:02X}", each.start, each.raw))
    return parsed


def _answer(frame: Frame, zone: tzinfo, parsed: Parsed) -> None:
    data = frame.data
    identifier = data[:2]
    if identifier in PRESENT and 0x20 <= frame.kind <= 0x29:
        if len(data) < HEAT_LENGTH:
            parsed.problems.append(
                Problem("length", said("length_not", f"{len(data):02X}", "2E"), frame.start, frame.raw)
            )
        else:
            _heat(frame, zone, parsed)
    elif identifier in PRESENT:
        if len(data) < WATER_LENGTH:
            parsed.problems.append(
                Problem("length", said("length_not", f"{len(data):02X}", "16"), frame.start, frame.raw)
            )
        else:
            _water(frame, zone, parsed)
    elif len(data) >= HISTORY_LENGTH and (month := _month(identifier)) is not None:
        _amount(frame, f".s{month}", 3, 2, None, (), parsed)
    else:
        parsed.problems.append(
            Problem("unknown_frame", said("identifier", identifier.hex(" ")), frame.start, frame.raw)
        )


def _month(identifier: bytes) -> int | None:
    """1…12: D120H…D12BH, the settlement of so many months ago."""
    low, high = sorted(identifier) if len(identifier) == 2 else (0, 0)
    return low - 0x1F if high == 0xD1 and 0x20 <= low <= 0x2B else None


def _heat(frame: Frame, zone: tzinfo, parsed: Parsed) -> None:
    data = frame.data
    time_s = clock(data[37:44], zone)
    status = status_words(data[44], data[45])
    digits = data[HEAT_LENGTH - 1 :: -1].hex()
    device, points, new = frame.address, parsed.points, tuple.__new__
    for step in _heat_plan(frame.kind, data[7], data[12], data[17], data[22], data[27]):
        first, last, may_be_negative, point, unit, factor, exponent, is_temperature, settled = step
        if not factor:
            detail = said("unit_of", f"{data[exponent]:02X}", point)
            parsed.problems.append(Problem("unit", detail, frame.start + HEAD + exponent, frame.raw))
            continue
        text = digits[first:last]
        count: int | None
        if text.isdecimal() and (not may_be_negative or text[0] < "8"):
            count = int(text)
        else:
            count = negative(text) if may_be_negative else None
        value: Number | None = None
        if count is not None:
            value = count * factor if exponent >= 0 else Decimal(count).scaleb(exponent)
        words = (*status, "sensor_fault") if value is None and is_temperature else status
        points.append(new(PointValue, (device, point, None if settled else time_s, value, unit, words)))


class _Step(NamedTuple):
    """A value of a heat meter's answer: its digits in the reversed block, and what they mean. Factor 0: the unit at byte `exponent` is wrong."""

    first: int
    last: int
    may_be_negative: bool
    point: str
    unit: str | None
    factor: int
    exponent: int
    is_temperature: bool = False
    settled: bool = False


@lru_cache(maxsize=1024)
def _heat_plan(kind: int, *units: int) -> tuple[_Step, ...]:
    """By the five unit bytes: the steps that read an answer. A meter's unit bytes never change, so this is done once a kind."""
    steps = []
    for (name, start, decimals), code in zip(_HEAT, units, strict=True):
        named = _named(kind, name, code, decimals)
        where = (2 * (HEAT_LENGTH - start - 4), 2 * (HEAT_LENGTH - start), name in ("power", "flow"))
        if named is None:
            steps.append(_Step(*where, name or "·", None, 0, start + 4))
        else:
            point, unit, factor, exponent = named
            steps.append(_Step(*where, point, unit, factor or 1, exponent, settled=name == ".s1"))
    for name, start in _TEMPERATURES:
        steps.append(_Step(2 * (HEAT_LENGTH - start - 3), 2 * (HEAT_LENGTH - start), True, name, "°C", 1, -2, True))
    steps.append(_Step(2 * (HEAT_LENGTH - 37), 2 * (HEAT_LENGTH - 34), False, "on_time", "h", 1, 0))
    return tuple(steps)


def _water(frame: Frame, zone: tzinfo, parsed: Parsed) -> None:
    data = frame.data
    time_s = clock(data[13:20], zone)
    status = status_words(data[20], data[21])
    _amount(frame, "", 3, 2, time_s, status, parsed)
    _amount(frame, ".s1", 8, 2, time_s, status, parsed)


@lru_cache(maxsize=512)
def _named(kind: int, name: str, unit_code: int, decimals: int) -> tuple[str, str, int, int] | None:
    """(point, unit, factor, power of ten) of an amount with this unit byte; None when the unit does not belong there."""
    known = ("energy", "J", 1) if unit_code == 0x01 else unit_of(unit_code)
    if known is None:
        return None
    said, unit, factor = known
    history = name.startswith(".") or not name
    wanted = ("energy" if 0x20 <= kind <= 0x29 else "volume") if history else name
    if said != wanted:
        return None
    zeros = len(str(factor)) - 1
    base = f"cooling_{said}" if kind == 0x21 and said in ("energy", "power") else said
    exponent = zeros - decimals
    return base + (name if history else ""), unit, 10**exponent if exponent >= 0 else 0, exponent


def _amount(
    frame: Frame, name: str, start: int, decimals: int, time_s: int | None, status: tuple[str, ...], parsed: Parsed
) -> None:
    """A value of four BCD bytes and its unit byte. Settlement values carry no time: the frame does not say when it was."""
    data = frame.data
    named = _named(frame.kind, name, data[start + 4], decimals)
    if named is None:
        detail = said("unit_of", f"{data[start + 4]:02X}", name or "·")
        parsed.problems.append(Problem("unit", detail, frame.start + HEAD + start + 4, frame.raw))
        return
    point, unit, factor, exponent = named
    digits = data[start + 3 : start - 1 : -1].hex()
    value: Number | None = None
    if digits.isdecimal():
        value = int(digits) * factor if factor else Decimal(int(digits)).scaleb(exponent)
    parsed.points.append(
        PointValue(frame.address, point, None if name.startswith(".") else time_s, value, unit, status)
    )


def negative(digits: str) -> int | None:
    """A leading F, or the top bit of the leading digit, is a minus sign (no such value is that large). Else there is no value.

    >>> negative("800250"), negative("f00250"), negative("ffffff")
    (-250, -250, None)
    """
    if digits.isdecimal() and digits[0] >= "8":
        return -int(f"{int(digits[0]) - 8}{digits[1:]}")
    return -int(digits[1:]) if digits[0] == "f" and digits[1:].isdecimal() else None


@lru_cache(maxsize=4096)
def clock(data: bytes, zone: tzinfo) -> int | None:
    """ss mm hh DD MM YY CC in BCD → UTC epoch seconds; None when it is no time."""
    digits = data[::-1].hex()
    if not digits.isdecimal():
        return None
    month, day, hour, minute, second = (int(digits[n : n + 2]) for n in range(4, 14, 2))
    try:
        local = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(local.replace(tzinfo=zone).timestamp()) if local.year >= 2000 else None


@lru_cache(maxsize=4096)
def status_words(first: int, second: int) -> tuple[str, ...]:
    """First byte: bits 0–1 the valve (00 open, 01 closed, 11 faulty), bit 2 the battery, 5–7 the maker's own. Second: the maker's own.

    >>> status_words(0x05, 0)
    ('valve_closed', 'low_battery')
    """
    words = {1: ["valve_closed"], 2: ["abnormal"], 3: ["valve_fault"]}.get(first & 3, [])
    words += ["low_battery"] if first & 4 else []
    words += [f"specific_{n}" for n, bit in enumerate((0x20, 0x40, 0x80), 1) if first & bit]
    return (*words, *(("abnormal",) if second and "abnormal" not in words else ()))
