"""The frame of CJ/T 188: found in a stream of bytes behind FE preambles and junk, its checksum and end byte held.

FE FE … 68 T A0…A6 C L data… checksum 16      A0 is the low byte of the address; the checksum counts from 68
"""

from collections.abc import Iterator
from typing import NamedTuple

from nuan.telemetry.protocols.parsed import Problem

PREAMBLE = frozenset(b"\x00\xfe\xff")
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
    at, junk_from, found = 0, -1, False
    end = len(stream)
    while at < end:
        each = _frame_at(stream, at) if stream[at] == 0x68 else None
        if isinstance(each, Frame):
            if junk_from >= 0:
                yield Problem("junk", f"{at - junk_from} bytes", junk_from, stream[junk_from:at])
                junk_from = -1
            yield each
            found = True
            at += len(each.raw)
        elif each is not None and junk_from < 0:
            yield each
            found = True
            at = _next_frame(stream, at + 1)
        else:
            if junk_from < 0 and stream[at] not in PREAMBLE:
                junk_from = at
            at += 1
    if junk_from >= 0:
        yield Problem("junk" if found else "no_frame", f"{end - junk_from} bytes", junk_from, stream[junk_from:])
    elif not found:
        yield Problem("no_frame" if stream else "empty", f"{end} bytes", None, stream)


def _next_frame(stream: bytes, start: int) -> int:
    at = stream.find(0x68, start)
    while at >= 0 and not isinstance(_frame_at(stream, at), Frame):
        at = stream.find(0x68, at + 1)
    return at if at >= 0 else len(stream)


def _frame_at(stream: bytes, at: int) -> Frame | Problem:
    if len(stream) - at < HEAD + 2:
        return Problem("cut", f"{len(stream) - at} bytes", at, stream[at:])
    length = stream[at + 10]
    if length > LONGEST_DATA:
        return Problem("length", f"{length:02X}", at, stream[at:])
    stop = at + HEAD + length + 2
    if len(stream) < stop:
        return Problem("cut", f"{len(stream) - at} of {stop - at} bytes", at, stream[at:])
    total = sum(stream[at : stop - 2]) & 0xFF
    if total != stream[stop - 2]:
        return Problem("checksum", f"{stream[stop - 2]:02X}, counted {total:02X}", at, stream[at:stop])
    if stream[stop - 1] != 0x16:
        return Problem("end_byte", f"{stream[stop - 1]:02X}", at, stream[at:stop])
    address = stream[at + 2 : at + 9][::-1].hex().upper()
    return Frame(stream[at + 1], address, stream[at + 9], stream[at + HEAD : stop - 2], stream[at:stop], at)


def frame(kind: int, address: str, control: int, data: bytes) -> bytes:
    """For simulators and tests.

    >>> frame(0x20, "00000012345678", 0x01, bytes.fromhex("1f9001")).hex(" ")
    '68 20 78 56 34 12 00 00 00 01 03 1f 90 01 50 16'
    """
    inner = bytes((0x68, kind)) + bytes.fromhex(address)[::-1] + bytes((control, len(data))) + data
    return inner + bytes((sum(inner) & 0xFF, 0x16))
