"""The records of a variable data block. A meter sends the same records each time, so the walk over DIF and VIF is done once and kept.

A layout knows which bytes of a block are heads (DIF, VIF, lengths): as one mask and one pattern over the block read as a single number.
A block of the same length whose heads agree has the same layout, and only its values are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from nuan.telemetry.protocols import details
from nuan.telemetry.protocols.mbus.meanings import Meaning, meaning

INTEGER, BCD, REAL, UNSIGNED, LETTERS, RAW = range(6)
_LENGTHS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_FUNCTIONS = ("", ".max", ".min", ".error")
LONGEST_CHAIN = 10


class Slot(NamedTuple):
    """Where a value lies in the block, and what it means. `sign`: −1 for the negative LVAR numbers."""

    encoding: int
    start: int
    stop: int
    name: str
    unit: str | None
    exponent: int
    storage: int
    plain: bool
    meaning: Meaning
    sign: int = 1


class Step(NamedTuple):
    """How a number is read. `start`, `stop`: bytes of the block, or for BCD digits of the reversed block.

    `factor` 0: the power of ten is negative. `meaning` and `sign` only where the plain number is not all.
    """

    encoding: int
    start: int
    stop: int
    name: str
    unit: str | None
    factor: int
    exponent: int
    storage: int
    meaning: Meaning | None
    sign: int


class Fault(NamedTuple):
    """Where the walk had to stop or to skip."""

    at: int
    detail: str


@dataclass(frozen=True, slots=True)
class Layout:
    """`clocks`: (storage number, first byte, end) of its date. `more`: more records follow in another frame."""

    mask: int
    pattern: int
    slots: tuple[Slot, ...]
    plan: tuple[Step, ...]
    texts: tuple[Slot, ...]
    clocks: tuple[tuple[int, int, int], ...]
    faults: tuple[Fault, ...]
    specific_from: int | None
    more: bool


def walk(block: bytes) -> Layout:
    """The layout of a block. Whatever the bytes, it ends: each step takes at least one."""
    return _Walk(block).run()


class _Walk:
    def __init__(self, block: bytes) -> None:
        self.block = block
        self.at = 0
        self.heads = bytearray(len(block))
        self.slots: list[Slot] = []
        self.faults: list[Fault] = []

    def run(self) -> Layout:
        specific, more = None, False
        while self.at < len(self.block):
            dif = self.block[self.at]
            if dif in (0x0F, 0x1F):
                self.head(self.at, self.at + 1)
                specific, more = self.at + 1, dif == 0x1F
                break
            if dif in (0x2F, 0x7F):
                self.head(self.at, self.at + 1)
                self.at += 1
            elif not self.record():
                break
        mask = int.from_bytes(self.heads, "little")
        return Layout(
            mask,
            int.from_bytes(self.block, "little") & mask,
            tuple(self.slots),
            tuple(
                _step(slot, len(self.block))
                for slot in self.slots
                if slot.meaning.kind in ("number", "bits") and slot.encoding < LETTERS
            ),
            tuple(slot for slot in self.slots if slot.meaning.kind == "text" or slot.encoding == LETTERS),
            _clocks(self.slots),
            tuple(self.faults),
            specific,
            more,
        )

    def head(self, start: int, stop: int) -> None:
        self.heads[start:stop] = b"\xff" * (stop - start)

    def fault(self, detail: str) -> bool:
        """Tell it and stop: where this record ends is not known. All that follows decides the layout, because nothing was read of it."""
        self.faults.append(Fault(self.at, detail))
        self.head(0, len(self.block))
        return False

    def record(self) -> bool:
        start = self.at
        dif = self.block[start]
        difes = self.chain(start + 1, dif)
        if difes is None:
            return self.fault(details.said("dife"))
        if dif & 0x0F == 0x0F:
            return self.fault(details.said("special", f"{dif:02X}"))
        position = start + 1 + len(difes)
        if position >= len(self.block):
            return self.fault(details.said("no_vif"))
        plain_text, vib, position = self.value_information(position)
        if vib is None:
            return self.fault(details.said("vife"))
        said = meaning(vib, plain_text)
        encoding, sign, value_at, length, why = self.data(dif & 0x0F, position)
        if why is not None:
            return self.fault(why)
        self.head(start, value_at)
        self.at = value_at + length
        if length:
            self.slots.append(self.slot(dif, difes, said, encoding, sign, value_at, length))
        return True

    def chain(self, start: int, before: int) -> bytes | None:
        """The extension bytes behind a byte whose top bit says that there are some."""
        stop = start
        while before & 0x80:
            if stop >= len(self.block) or stop - start >= LONGEST_CHAIN:
                return None
            before = self.block[stop]
            stop += 1
        return self.block[start:stop]

    def value_information(self, position: int) -> tuple[str | None, bytes | None, int]:
        """(letters of a plain-text VIF, VIF and VIFEs, where they end)."""
        vif = self.block[position]
        position += 1
        letters = None
        if vif & 0x7F == 0x7C:
            if position >= len(self.block) or position + 1 + self.block[position] > len(self.block):
                return None, None, position
            length = self.block[position]
            letters = self.block[position + 1 : position + 1 + length][::-1].decode("latin-1")
            letters = "".join(letter if letter.isprintable() else "?" for letter in letters)
            position += 1 + length
        vifes = self.chain(position, vif)
        if vifes is None:
            return None, None, position
        return letters, bytes((vif,)) + vifes, position + len(vifes)

    def data(self, field: int, position: int) -> tuple[int, int, int, int, str | None]:
        """(encoding, sign, where the data begin, their length, why they cannot be read)."""
        encoding, sign, length = (INTEGER, 1, _LENGTHS.get(field, 0))
        if field == 5:
            encoding = REAL
        elif field >= 9:
            encoding = BCD
        if field == 0x0D:
            if position >= len(self.block):
                return encoding, sign, position, 0, details.said("no_length")
            kind = _variable(self.block[position])
            if kind is None:
                return encoding, sign, position, 0, details.said("length_byte", f"{self.block[position]:02X}")
            encoding, sign, length = kind
            position += 1
        if position + length > len(self.block):
            return encoding, sign, position, 0, details.said("missing", position + length - len(self.block))
        return encoding, sign, position, length, None

    def slot(self, dif: int, difes: bytes, said: Meaning, encoding: int, sign: int, start: int, length: int) -> Slot:
        storage, tariff, subunit = _numbers(dif, difes)
        function = dif >> 4 & 3
        name = said.name + _FUNCTIONS[function]
        name += (
            (f".t{tariff}" if tariff else "")
            + (f".u{subunit}" if subunit else "")
            + (f".s{storage}" if storage else "")
        )
        if function == 3:
            said = replace(said, status=(*said.status, "error_state"))
        if said.kind == "bits" and encoding == INTEGER:
            encoding = UNSIGNED
        plain = not (function or tariff or subunit)
        return Slot(encoding, start, start + length, name, said.unit, said.exponent, storage, plain, said, sign)


def _step(slot: Slot, size: int) -> Step:
    start, stop = slot.start, slot.stop
    if slot.encoding == BCD:
        start, stop = 2 * (size - slot.stop), 2 * (size - slot.start)
    rare = slot.sign < 0 or slot.meaning.status or slot.meaning.missing or slot.meaning.plus is not None
    factor = 10**slot.exponent if slot.exponent >= 0 else 0
    return Step(
        slot.encoding, start, stop, slot.name, slot.unit, factor, slot.exponent, slot.storage, slot.meaning if rare else None, slot.sign
    )  # fmt: skip


def _variable(length: int) -> tuple[int, int, int] | None:
    """(encoding, sign, bytes) of a variable length byte LVAR."""
    if length < 0xC0:
        return LETTERS, 1, length
    if length <= 0xC9:
        return BCD, 1, length - 0xC0
    if 0xD0 <= length <= 0xD9:
        return BCD, -1, length - 0xD0
    if 0xE0 <= length <= 0xEF:
        return UNSIGNED, 1, length - 0xE0
    if 0xF0 <= length <= 0xF4:
        return RAW, 1, 4 * (length - 0xEC)
    return (RAW, 1, {0xF5: 48, 0xF6: 64}[length]) if length in (0xF5, 0xF6) else None


def _numbers(dif: int, difes: bytes) -> tuple[int, int, int]:
    """(storage, tariff, subunit), put together from DIF and DIFEs, low bits first."""
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    for n, dife in enumerate(difes):
        storage |= (dife & 0x0F) << (1 + 4 * n)
        tariff |= (dife >> 4 & 3) << (2 * n)
        subunit |= (dife >> 6 & 1) << n
    return storage, tariff, subunit


def _clocks(slots: Sequence[Slot]) -> tuple[tuple[int, int, int], ...]:
    """The date that belongs to each storage. A date without a clock time is no time of the present values."""
    found: dict[int, tuple[int, int, int]] = {}
    for slot in slots:
        is_date = slot.meaning.kind == "date" and slot.plain and slot.meaning.name == "time"
        if is_date and (slot.storage or slot.stop - slot.start in (4, 6)):
            found.setdefault(slot.storage, (slot.storage, slot.start, slot.stop))
    return tuple(found.values())
