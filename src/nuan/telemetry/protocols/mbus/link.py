"""EN 13757-2 link layer: E5, short, control and long frames in a stream of bytes, found again after junk.

short  10 C A checksum 16
long   68 L L 68 C A CI data… checksum 16        L counts from C to the last data byte; with L = 3 it is a control frame
"""

from collections.abc import Iterator
from typing import NamedTuple

from nuan.telemetry.protocols.framing import checked, cut, frames_in
from nuan.telemetry.protocols.parsed import Problem

PREAMBLE = frozenset(b"\x00\x55\xaa\xfe\xff")
"""Idle and wake-up bytes, echoes of them: no junk worth telling."""
STARTS = frozenset(b"\x68\x10")
FROM_MASTER = 0x40
"""Bit of C: the frame goes to a meter, and carries no reading."""


class Frame(NamedTuple):
    """`body`: the bytes after CI. `raw`: the whole frame. A short frame or E5 has neither CI nor body."""

    control: int
    address: int
    ci: int | None
    body: bytes
    raw: bytes
    start: int


def frames(data: bytes) -> Iterator[Frame | Problem]:
    """What stands in the bytes, in order. A broken frame is told once; the search goes on at the next whole one."""
    end = len(data)
    if end > 5 and data[0] == 0x68 and end == data[1] + 6 and isinstance(only := _long_at(data, 0), Frame):
        yield only  # nearly every message is one frame and nothing else
        return
    yield from frames_in(
        data, STARTS, PREAMBLE, lambda at, among_junk: _frame_at(data, at, acknowledgement=not among_junk)
    )


def _frame_at(data: bytes, at: int, *, acknowledgement: bool) -> Frame | Problem | None:
    """The frame that begins here; why it is none; None when nothing begins here."""
    first = data[at]
    if first == 0x68:
        return _long_at(data, at)
    if (
        first == 0x10
        and len(data) - at >= 5
        and data[at + 4] == 0x16
        and (data[at + 1] + data[at + 2]) & 0xFF == data[at + 3]
    ):
        return Frame(data[at + 1], data[at + 2], None, b"", data[at : at + 5], at)
    if first == 0xE5 and acknowledgement:
        return Frame(0, 0, None, b"", data[at : at + 1], at)
    return None


def _long_at(data: bytes, at: int) -> Frame | Problem | None:
    if len(data) - at < 4:
        return cut(data, at)
    length = data[at + 1]
    if data[at + 2] != length or data[at + 3] != 0x68 or length < 3:
        return Problem("length", f"{data[at + 1]:02X} {data[at + 2]:02X}", at, data[at:])
    stop = at + 6 + length
    if len(data) < stop:
        return cut(data, at, 6 + length)
    if (wrong := checked(data, at, at + 4, stop)) is not None:
        return wrong
    return Frame(data[at + 4], data[at + 5], data[at + 6], data[at + 7 : stop - 2], data[at:stop], at)


def long_frame(control: int, address: int, ci: int, body: bytes) -> bytes:
    """For simulators and tests.

    >>> long_frame(0x08, 1, 0x72, b"").hex(" ")
    '68 03 03 68 08 01 72 7b 16'
    """
    inner = bytes((control, address, ci)) + body
    return bytes((0x68, len(inner), len(inner), 0x68)) + inner + bytes((sum(inner) & 0xFF, 0x16))
