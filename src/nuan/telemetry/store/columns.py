"""Columns of readings as few bytes: each is its lowest number and the steps above it, in as many bytes as the widest step needs.

A batch of one minute from ten thousand devices takes 5 to 8 bytes a reading instead of 20, in a tenth of a millisecond and without a
compressor; a column of one number only (flags, ranks, most often the time) takes nothing.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import ReadingBatch

_COLUMN = struct.Struct("<qB")
_ROWS = struct.Struct("<I")
KINDS: tuple[Any, ...] = (np.uint32, np.int64, np.int32, np.uint8, np.uint16, np.uint8, np.int32)
"""series, time_s, value, flags, revision, rank, and the delay where it is a reading's own."""


def narrow(column: NDArray[Any]) -> tuple[int, int, NDArray[Any] | None]:
    """(lowest, bytes a step, steps above it); of one number only there are no steps.

    >>> narrow(np.array([2100, 2110, 2090], np.int32))
    (2090, 1, array([10, 20,  0], dtype=uint8))
    """
    low, high = int(column.min()), int(column.max())
    span = high - low
    if span == 0:
        return low, 0, None
    width = 1 if span < 1 << 8 else 2 if span < 1 << 16 else 4 if span < 1 << 32 else 8
    return low, width, (column.astype(np.int64, copy=False) - low).astype(f"<u{width}")


def pack_columns(batch: ReadingBatch, delays: bool) -> list[bytes | memoryview]:
    """Pieces to be written one behind the other."""
    columns: list[NDArray[Any]] = [batch.series, batch.time_s, batch.value, batch.flags, batch.revisions, batch.ranks]
    columns += [batch.delays] if delays else []
    head = [_ROWS.pack(len(batch))]
    pieces: list[bytes | memoryview] = []
    for column in columns if len(batch) else ():
        low, width, steps = narrow(column)
        head.append(_COLUMN.pack(low, width))
        if steps is not None:
            pieces.append(steps.data.cast("B"))
    return [b"".join(head), *pieces]


def unpack_columns(payload: bytes, at: int, delays: bool) -> ReadingBatch:
    """The batch that was packed to stand at this offset of the payload."""
    (rows,) = _ROWS.unpack_from(payload, at)
    if not rows:
        return ReadingBatch.empty()
    kinds = KINDS if delays else KINDS[:-1]
    heads = at + _ROWS.size
    at = heads + _COLUMN.size * len(kinds)
    columns: list[NDArray[Any]] = []
    for number, kind in enumerate(kinds):
        low, width = _COLUMN.unpack_from(payload, heads + _COLUMN.size * number)
        if width == 0:
            columns.append(np.full(rows, low, kind))
            continue
        steps = np.frombuffer(payload, f"<u{width}", rows, at).astype(np.int64)
        columns.append((steps + low).astype(kind))
        at += rows * width
    return ReadingBatch(*columns)
