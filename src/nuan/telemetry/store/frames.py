"""Journal frames: one acknowledged event as bytes that prove themselves.

    magic 4 · kind 1 · codec 1 · check of the head 2 · sequence 8 · length of payload 4 · length unpacked 4 · CRC-32 of the rest 4 · payload

| kind | payload |
|---|---|
| READINGS | columns one after the other, as the first versions wrote them |
| SERIES | lines of `id<TAB>place|quantity|position` |
| ARRIVED | moment of arrival 8 · columns: what a lane took in at once |
| DEAD | JSON: what could not be read or placed |
| ABSORBED | length 4 · JSON of lane positions · columns with a delay each: what the store took over from its lanes |

The check of the head tells a frame that was cut short from one that was changed: behind the first nothing can follow. Kinds of the first
versions have none (0).
"""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.columns import pack_columns, unpack_columns

MAGIC = b"NUJ1"
READINGS, SERIES, ARRIVED, DEAD, ABSORBED = 1, 2, 3, 4, 5
ZSTD, PLAIN = 0, 1
_HEAD = struct.Struct("<4sBBHQIII")
HEAD_BYTES = _HEAD.size
_MOMENT = struct.Struct("<q")
_LENGTH = struct.Struct("<I")
_COLUMNS: tuple[Any, ...] = (np.uint32, np.int64, np.int32, np.uint8, np.uint16, np.uint8)
_ROW = sum(np.dtype(kind).itemsize for kind in _COLUMNS)
MAX_ROWS = 1 << 24
"""Readings in one frame at most: what a reader must hold in memory to check it (about 340 MB)."""
Bytes = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    sequence: int
    payload: bytes
    end: int
    """Offset behind the frame in its file."""

    def readings(self) -> ReadingBatch:
        if self.kind == ARRIVED:
            (arrival_s,) = _MOMENT.unpack_from(self.payload)
            return unpack_columns(self.payload, _MOMENT.size, delays=False).arrived(arrival_s)
        if self.kind == ABSORBED:
            return unpack_columns(self.payload, self._behind_positions(), delays=True)
        rows = len(self.payload) // _ROW
        ends = np.cumsum([rows * np.dtype(kind).itemsize for kind in _COLUMNS]).tolist()
        series, time_s, value, flags, revision, rank = (
            np.frombuffer(self.payload, kind, rows, end - rows * np.dtype(kind).itemsize)
            for kind, end in zip(_COLUMNS, ends, strict=True)
        )
        return ReadingBatch(series, time_s, value, flags, revision, rank)

    def series(self) -> tuple[int, list[str]]:
        """The first id and the names, which count on from it."""
        lines = self.payload.decode().split("\n")
        return int(lines[0].split("\t", 1)[0]), [line.split("\t", 1)[1] for line in lines]

    def positions(self) -> dict[str, int]:
        """By the lane's identity the last sequence number that the store has taken over with this frame."""
        if self.kind != ABSORBED:
            return {}
        found: dict[str, int] = json.loads(self.payload[_LENGTH.size : self._behind_positions()])
        return found

    def document(self) -> list[list[Any]]:
        found: list[list[Any]] = json.loads(self.payload)
        return found

    def _behind_positions(self) -> int:
        return int(_LENGTH.size + _LENGTH.unpack_from(self.payload)[0])


def _pack(kind: int, sequence: int, pieces: list[Bytes], codec: int = ZSTD) -> list[Bytes]:
    size = sum(len(piece) for piece in pieces)
    if codec == ZSTD:
        pieces = [pa.Codec("zstd", compression_level=1).compress(b"".join(pieces), asbytes=True)]
    packed = sum(len(piece) for piece in pieces)
    check = _head_check(kind, codec, sequence, packed, size)
    checksum = zlib.crc32(_HEAD.pack(MAGIC, kind, codec, check, sequence, packed, size, 0))
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return [_HEAD.pack(MAGIC, kind, codec, check, sequence, packed, size, checksum), *pieces]


def _head_check(kind: int, codec: int, sequence: int, packed: int, size: int) -> int:
    if kind in (READINGS, SERIES):
        return 0
    return zlib.crc32(_HEAD.pack(MAGIC, kind, codec, 0, sequence, packed, size, 0)) & 0xFFFF


def pack_readings(sequence: int, batch: ReadingBatch) -> bytes:
    """As the first versions wrote them; readings that know their delay go into `pack_absorbed`."""
    columns = (batch.series, batch.time_s, batch.value, batch.flags, batch.revisions, batch.ranks)
    return b"".join(_pack(READINGS, sequence, [np.ascontiguousarray(column).tobytes() for column in columns]))


def pack_series(sequence: int, first_id: int, keys: Iterable[SeriesKey | str]) -> bytes:
    text = "\n".join(f"{number}\t{key}" for number, key in enumerate(keys, first_id))
    return b"".join(_pack(SERIES, sequence, [text.encode()]))


def pack_arrived(sequence: int, batch: ReadingBatch, arrival_s: int) -> list[Bytes]:
    """In pieces, and not compressed: narrow columns are small enough, and a sender waits for this."""
    return _pack(ARRIVED, sequence, [_MOMENT.pack(arrival_s), *pack_columns(batch, delays=False)], PLAIN)


def pack_dead(sequence: int, letters: list[list[Any]]) -> list[Bytes]:
    return _pack(DEAD, sequence, [json.dumps(letters, separators=(",", ":")).encode()])


def pack_absorbed(sequence: int, batch: ReadingBatch, positions: Mapping[str, int]) -> bytes:
    text = json.dumps(dict(positions), separators=(",", ":"), sort_keys=True).encode()
    return b"".join(_pack(ABSORBED, sequence, [_LENGTH.pack(len(text)), text, *pack_columns(batch, delays=True)]))


def frame_at(data: bytes, at: int) -> Frame | None:
    """The frame that starts at this offset, or None if what stands there is no whole and true frame."""
    if at + _HEAD.size > len(data) or data[at : at + 4] != MAGIC:
        return None
    _, kind, codec, check, sequence, packed_size, size, checksum = _HEAD.unpack_from(data, at)
    end = at + _HEAD.size + packed_size
    if end > len(data) or size > MAX_ROWS * 32 or check != _head_check(kind, codec, sequence, packed_size, size):
        return None
    packed = memoryview(data)[at + _HEAD.size : end]
    head = _HEAD.pack(MAGIC, kind, codec, check, sequence, packed_size, size, 0)
    if zlib.crc32(packed, zlib.crc32(head)) != checksum:
        return None
    if codec == PLAIN or not size:
        return Frame(kind, sequence, bytes(packed), end)
    payload = pa.Codec("zstd").decompress(pa.py_buffer(packed), decompressed_size=size, asbytes=True)
    return Frame(kind, sequence, payload, end)


def next_head(head: bytes, at: int) -> int | None:
    """Where the next frame starts behind the one whose head stands at offset `at`; None if this is no true head."""
    if len(head) < _HEAD.size or head[:4] != MAGIC:
        return None
    _, kind, codec, check, sequence, packed_size, size, _ = _HEAD.unpack(head)
    return at + _HEAD.size + packed_size if check == _head_check(kind, codec, sequence, packed_size, size) else None


def frames(data: bytes) -> Iterator[Frame]:
    """Whole frames from the start, up to the first that is not one."""
    at = 0
    while (frame := frame_at(data, at)) is not None:
        yield frame
        at = frame.end


def kinds(data: bytes) -> Iterator[tuple[int, int]]:
    """(kind, sequence) of the frames from the start, by their heads alone."""
    at = 0
    while at + _HEAD.size <= len(data) and data[at : at + 4] == MAGIC:
        _, kind, _, _, sequence, packed_size, _, _ = _HEAD.unpack_from(data, at)
        yield kind, sequence
        at += _HEAD.size + packed_size


def whole_frame_after(data: bytes, at: int) -> int | None:
    """Where the next true frame starts behind a broken one: then the break is damage, not a torn tail.

    A head that is true and promises more bytes than there are is a torn tail: whatever looks like a frame behind it is its payload.
    """
    if at + _HEAD.size <= len(data) and data[at : at + 4] == MAGIC:
        _, kind, codec, check, sequence, packed_size, size, _ = _HEAD.unpack_from(data, at)
        proved = check and check == _head_check(kind, codec, sequence, packed_size, size)
        if proved and at + _HEAD.size + packed_size > len(data):
            return None
    found = data.find(MAGIC, at + 1)
    while found >= 0:
        if frame_at(data, found) is not None:
            return found
        found = data.find(MAGIC, found + 1)
    return None
