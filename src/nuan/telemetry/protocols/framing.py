"""Frames in a stream of bytes, found again after junk: what wired M-Bus and CJ/T 188 have in common."""

from collections.abc import Callable, Iterator, Set
from typing import Protocol, TypeVar

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.parsed import Problem


class Framed(Protocol):
    """`raw`: the whole frame."""

    @property
    def raw(self) -> bytes: ...


F = TypeVar("F", bound=Framed)
FrameAt = Callable[[int, bool], F | Problem | None]
"""(offset, among junk) → the frame that begins there, why it is none, or None when nothing begins there."""


def frames_in(stream: bytes, starts: Set[int], preamble: Set[int], frame_at: FrameAt[F]) -> Iterator[F | Problem]:
    """What stands in the bytes, in order. A broken frame is told once; the search goes on at the next whole one.

    `starts`: bytes with which a frame can begin; `preamble`: bytes between frames that are no junk worth telling.
    """
    at, junk_from, found = 0, -1, False
    end = len(stream)
    while at < end:
        each = frame_at(at, junk_from >= 0)
        if each is not None and not isinstance(each, Problem):
            if junk_from >= 0:
                yield Problem("junk", said("bytes", at - junk_from), junk_from, stream[junk_from:at])
                junk_from = -1
            yield each
            found = True
            at += len(each.raw)
        elif each is not None and junk_from < 0:
            yield each
            found = True
            at = _next_frame(stream, at + 1, starts, frame_at)
        else:
            if junk_from < 0 and stream[at] not in preamble:
                junk_from = at
            at += 1
    if junk_from >= 0:
        yield Problem("junk" if found else "no_frame", said("bytes", end - junk_from), junk_from, stream[junk_from:])
    elif not found:
        yield Problem("no_frame" if stream else "empty", said("bytes", end), None, stream)


def _next_frame(stream: bytes, start: int, starts: Set[int], frame_at: FrameAt[F]) -> int:
    """Where the next whole frame begins, else the end."""
    for at in range(start, len(stream)):
        if stream[at] in starts:
            each = frame_at(at, True)
            if each is not None and not isinstance(each, Problem):
                return at
    return len(stream)


def checked(stream: bytes, at: int, counted_from: int, stop: int) -> Problem | None:
    """What is wrong with the end of a frame that reaches from `at` to `stop`: a checksum over what begins at `counted_from`, then 16H."""
    total = sum(stream[counted_from : stop - 2]) & 0xFF
    if total != stream[stop - 2]:
        return Problem("checksum", said("counted", f"{stream[stop - 2]:02X}", f"{total:02X}"), at, stream[at:stop])
    if stream[stop - 1] != 0x16:
        return Problem("end_byte", f"{stream[stop - 1]:02X}", at, stream[at:stop])
    return None


def cut(stream: bytes, at: int, wanted: int | None = None) -> Problem:
    """The stream ends before the frame that begins at `at`."""
    held = len(stream) - at
    return Problem("cut", said("bytes", held) if wanted is None else said("bytes_of", held, wanted), at, stream[at:])
