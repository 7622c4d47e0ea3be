"""EN 13757-3 application blocks: head and records → points. Wired frames and radio telegrams carry the same."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from math import isfinite

from nuan.telemetry.protocols.mbus.dates import epoch
from nuan.telemetry.protocols.mbus.header import STATUS_OF
from nuan.telemetry.protocols.mbus.layout import BCD, INTEGER, LETTERS, RAW, REAL, UNSIGNED, Layout, Slot, walk
from nuan.telemetry.protocols.mbus.link import Frame, frames
from nuan.telemetry.protocols.mbus.meanings import Meaning
from nuan.telemetry.protocols.parsed import DeviceNote, Number, Parsed, PointValue, Problem
from nuan.terms.places import CHINA

KEPT_LAYOUTS = 4096
_layouts: dict[tuple[bytes, int], list[Layout]] = {}
"""(maker, version, medium; length of the block) → layouts seen. Only speed depends on it: every use is checked by mask and pattern."""


def layout_of(kind: bytes, block: bytes) -> Layout:
    """The layout of a block, walked anew only when none of the known ones fits."""
    key = (kind, len(block))
    number = int.from_bytes(block, "little")
    known = _layouts.get(key)
    if known is not None:
        for layout in known:
            if number & layout.mask == layout.pattern:
                return layout
    layout = walk(block)
    if known is None or len(known) >= 8:
        if len(_layouts) >= KEPT_LAYOUTS:
            _layouts.clear()
        _layouts[key] = [layout]
    else:
        known.append(layout)
    return layout


def read_block(device: str, kind: bytes, block: bytes, status: int, zone: tzinfo, raw: bytes, parsed: Parsed) -> None:
    """Adds the points of a variable data block to `parsed`. `kind` names the make of meter, `raw` goes with a problem."""
    layout = layout_of(kind, block)
    clocks: dict[int, int | None] = {}
    for storage, start, stop in layout.clocks:
        clocks[storage] = epoch(block[start:stop], zone)
    said = STATUS_OF[status]
    points = parsed.points
    present_s = clocks.get(0)
    digits = block[::-1].hex()
    new = tuple.__new__
    for encoding, start, stop, name, unit, factor, exponent, storage, meaning, sign in layout.plan:
        value: Number | None
        if encoding == BCD:
            text = digits[start:stop]
            count = int(text) if text.isdecimal() else negative_bcd(text)
        elif encoding == INTEGER:
            count = int.from_bytes(block[start:stop], "little", signed=True)
            if count == -1 << (8 * (stop - start) - 1):
                count = None
        elif encoding == REAL:
            count = None
        else:
            count = int.from_bytes(block[start:stop], "little")
        if count is not None:
            value = count * factor if factor else Decimal(count).scaleb(exponent)
        else:
            value = real(block[start:stop], exponent) if encoding == REAL else None
        words = said
        if meaning is not None:
            value = _corrected(value, meaning, sign)
            words = said + meaning.status
        time_s = clocks.get(storage) if storage else present_s
        points.append(new(PointValue, (device, name, time_s, value, unit, words)))
    if layout.texts:
        facts = {slot.name: text_of(block, slot)[:200] for slot in layout.texts}
        parsed.notes.append(DeviceNote(device, "attributes", facts))
    for fault in layout.faults:
        parsed.problems.append(Problem("record", fault.detail, fault.at, raw))


def _corrected(value: Number | None, meaning: Meaning, sign: int) -> Number | None:
    """What the rare records need: a record error, an additive correction, a negative number of variable length."""
    if meaning.missing or value is None:
        return None
    value = value * sign
    if meaning.plus is not None:
        return Decimal(str(value)) + Decimal(1).scaleb(meaning.plus)
    return value


def negative_bcd(text: str) -> int | None:
    """A leading F is the minus sign; any other hexadecimal digit says that there is no valid value (EN 13757-3, type A)."""
    return -int(text[1:]) if text[0] == "f" and text[1:].isdecimal() else None


def real(data: bytes, exponent: int) -> Number | None:
    """The shortest decimal that is the same 32-bit number: a meter that shows 20.1 said 20.1."""
    (value,) = struct.unpack("<f", data)
    if not isfinite(value):
        return None
    return Decimal(f"{value:.7g}").scaleb(exponent) if exponent else Decimal(f"{value:.7g}")


def text_of(block: bytes, slot: Slot) -> str:
    """Letters come last one first; numbers of identification are digits."""
    data = block[slot.start : slot.stop]
    if slot.encoding == LETTERS:
        letters = data[::-1].decode("latin-1").rstrip("\x00 ")
        return "".join(letter if letter.isprintable() else "?" for letter in letters)
    if slot.encoding in (INTEGER, UNSIGNED):
        return str(int.from_bytes(data, "little"))
    return data[::-1].hex().upper()


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in the frame; `data` in the order of the wire."""

    name: str
    value: Number | str | None
    unit: str | None
    storage: int
    data: bytes


def records(frame: bytes, zone: tzinfo = CHINA) -> Iterator[Record]:
    """Every record of the first long frame in the bytes, dates (as epoch seconds) and texts too: to look into a frame, not to be fast."""
    for each in frames(frame):
        if isinstance(each, Frame) and each.ci in (0x72, 0x76, 0x78, 0x7A):
            skip = {0x72: 12, 0x76: 12, 0x7A: 4, 0x78: 0}[each.ci]
            yield from block_records(each.body[skip:], zone)
            return


def block_records(block: bytes, zone: tzinfo = CHINA) -> Iterator[Record]:
    for slot in walk(block).slots:
        data = block[slot.start : slot.stop]
        if slot.meaning.kind == "date" and slot.encoding in (INTEGER, RAW):
            yield Record(slot.name, epoch(data, zone), None, slot.storage, data)
        elif slot.meaning.kind == "text" or slot.encoding in (LETTERS, RAW):
            yield Record(slot.name, text_of(block, slot), None, slot.storage, data)
        else:
            parsed = Parsed()
            read_block("", b"", block, 0, zone, b"", parsed)
            value = next(point.value for point in parsed.points if point.name == slot.name)
            yield Record(slot.name, value, slot.unit, slot.storage, data)
