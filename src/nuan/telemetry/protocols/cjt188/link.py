"""The frame of CJ/T 188: found in a stream of bytes behind FE preambles and junk, its checksum and end byte held.

FE FE … 68 T A0…A6 C L data… checksum 16      A0 is the low byte of the address; the checksum counts from 68
"""

from collections.abc import Iterator
from typing import NamedTuple

from nuan.telemetry.protocols.framing import checked, cut, frames_in
from nuan.telemetry.protocols.parsed import Problem

PREAMBLE = frozenset(b"\x00\xfe\xff")
STARTS = frozenset(b"\x68")
HEAD = 11
LONGEST_DATA = 0x80
"""A read answer holds less (CJ/T 188: L ≤ 64H for reading); more is junk that looks like a frame."""


class Frame(NamedTuple):
    """`address`: fourteen digits as on the plate, high byte first."""

    kind: int
    address: str
    control: int
    data: bytes
    raw: bytes
    start: int


def frames(stream: bytes) -> Iterator[Frame | Problem]:
    """What stands in the bytes, in order. A broken frame is told once; the search goes on at the next whole one."""
    yield from frames_in(stream, STARTS, PREAMBLE, lambda at, _: _frame_at(stream, at))


def _frame_at(stream: bytes, at: int) -> Frame | Problem | None:
    if stream[at] != 0x68:
        return None
    if len(stream) - at < HEAD + 2:
        return cut(stream, at)
    length = stream[at + 10]
    if length > LONGEST_DATA:
        return Problem("length", f"{length:02X}", at, stream[at:])
    stop = at + HEAD + length + 2
    if len(stream) < stop:
        return cut(stream, at, stop - at)
    if (wrong := checked(stream, at, at, stop)) is not None:
        return wrong
    address = stream[at + 2 : at + 9][::-1].hex().upper()
    return Frame(stream[at + 1], address, stream[at + 9], stream[at + HEAD : stop - 2], stream[at:stop], at)


def frame(kind: int, address: str, control: int, data: bytes) -> bytes:
    """For simulators and tests.

    >>> frame(0x20, "00000012345678", 0x01, bytes.fromhex("1f9001")).hex(" ")
    '68 20 78 56 34 12 00 00 00 01 03 1f 90 01 50 16'
    """
    inner = bytes((0x68, kind)) + bytes.fromhex(address)[::-1] + bytes((control, len(data))) + data
    return inner + bytes((sum(inner) & 0xFF, 0x16))
