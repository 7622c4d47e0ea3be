"""Journal frames: one acknowledged event as bytes that prove themselves.

    magic 4 · kind 1 · reserved 3 · sequence 8 · length of payload 4 · length unpacked 4 · CRC-32 of the rest 4 · payload (zstd)

A readings payload is its columns one after the other; a series payload is lines of `id<TAB>place|quantity|position`.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey

MAGIC = b"NUJ1"
READINGS, SERIES = 1, 2
_HEAD = struct.Struct("<4sB3xQIII")
_COLUMNS: tuple[Any, ...] = (np.uint32, np.int64, np.int32, np.uint8, np.uint16, np.uint8)
_ROW = sum(np.dtype(kind).itemsize for kind in _COLUMNS)
MAX_ROWS = 1 << 24
"""Readings in one frame at most: what a reader must hold in memory to check it (about 340 MB)."""


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    sequence: int
    payload: bytes
    end: int
    """Offset behind the frame in its file."""

    def readings(self) -> ReadingBatch:
        rows = len(self.payload) // _ROW
        ends = np.cumsum([rows * np.dtype(kind).itemsize for kind in _COLUMNS]).tolist()
        series, time_s, value, flags, revision, rank = (
            np.frombuffer(self.payload, kind, rows, end - rows * np.dtype(kind).itemsize)
            for kind, end in zip(_COLUMNS, ends, strict=True)
        )
        return ReadingBatch(series, time_s, value, flags, revision, rank)

    def series(self) -> list[tuple[int, SeriesKey]]:
        lines = (line.split("\t", 1) for line in self.payload.decode().split("\n"))
        return [(int(number), SeriesKey.parse(text)) for number, text in lines]


def _pack(kind: int, sequence: int, payload: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd", compression_level=1).compress(payload, asbytes=True)
    head = _HEAD.pack(MAGIC, kind, sequence, len(packed), len(payload), 0)
    return _HEAD.pack(MAGIC, kind, sequence, len(packed), len(payload), zlib.crc32(packed, zlib.crc32(head))) + packed


def pack_readings(sequence: int, batch: ReadingBatch) -> bytes:
    columns = (batch.series, batch.time_s, batch.value, batch.flags, batch.revisions, batch.ranks)
    return _pack(READINGS, sequence, b"".join(np.ascontiguousarray(column).tobytes() for column in columns))


def pack_series(sequence: int, entries: list[tuple[int, SeriesKey]]) -> bytes:
    return _pack(SERIES, sequence, "\n".join(f"{number}\t{key}" for number, key in entries).encode())


def frame_at(data: bytes, at: int) -> Frame | None:
    """The frame that starts at this offset, or None if what stands there is no whole and true frame."""
    if at + _HEAD.size > len(data) or data[at : at + 4] != MAGIC:
        return None
    _, kind, sequence, packed_size, size, checksum = _HEAD.unpack_from(data, at)
    end = at + _HEAD.size + packed_size
    if end > len(data) or size > MAX_ROWS * _ROW:
        return None
    packed = data[at + _HEAD.size : end]
    head = _HEAD.pack(MAGIC, kind, sequence, packed_size, size, 0)
    if zlib.crc32(packed, zlib.crc32(head)) != checksum:
        return None
    payload = pa.Codec("zstd").decompress(packed, decompressed_size=size, asbytes=True) if size else b""
    return Frame(kind, sequence, payload, end)


def frames(data: bytes) -> Iterator[Frame]:
    """Whole frames from the start, up to the first that is not one."""
    at = 0
    while (frame := frame_at(data, at)) is not None:
        yield frame
        at = frame.end


def whole_frame_after(data: bytes, at: int) -> int | None:
    """Where the next true frame starts behind a broken one: then the break is damage, not a torn tail."""
    found = data.find(MAGIC, at + 1)
    while found >= 0:
        if frame_at(data, found) is not None:
            return found
        found = data.find(MAGIC, found + 1)
    return None
