"""From text keys to small numbers: one open-addressing table over the bytes of measurement and tags, and of field keys behind them.

A dict of a million strings costs more than all the parsing. Here a line costs two places in memory: its slot (hash, where its record
lies) and its record, which holds the bytes of measurement and tags as sent, and after them each field key with its target. The fields
of a line come in the same order as last time, so the next one is tried first. Bytes are compared, not only hashes.
"""

from collections.abc import Mapping

import numba as nb
import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.protocols.line_protocol.columns import Columns
from nuan.telemetry.protocols.line_protocol.grammar import PAD
from nuan.telemetry.protocols.line_protocol.words import hash_span, load8, prefetch, tail_mask

MISS = -1
"""No target known yet for this key."""
_LEN = np.uint64(0xFFFFFFFF)
_AHEAD = 12
"""Lines between asking memory and using the answer: enough for 100 ns at 25 ns a step."""


class KeyTable:
    """Keys of one sender → targets (int32, not negative but for what the caller means by it; never `MISS`).

    >>> from nuan.telemetry.protocols.line_protocol.columns import columns
    >>> table = KeyTable()
    >>> lines = columns(b"heat,device=88001234 supply_temp=55.3,flow=1.2")
    >>> table.resolve(lines).tolist()
    [-1, -1]
    >>> table.put(b"heat,device=88001234", {b"supply_temp": 7, b"flow": 8})
    >>> table.resolve(lines).tolist()
    [7, 8]
    """

    def __init__(self, heads: int = 1024) -> None:
        self._heads = 0
        slots = 1 << max(4, (2 * heads - 1).bit_length())
        self._slots: NDArray[np.uint64] = np.zeros((slots, 2), np.uint64)
        self._words: NDArray[np.uint64] = np.zeros(max(64, heads * 16), np.uint64)
        self._filled = 1

    def __len__(self) -> int:
        """Distinct measurement-and-tags."""
        return self._heads

    def resolve(self, lines: Columns) -> NDArray[np.int32]:
        """For each field its target, or MISS."""
        targets = np.empty(len(lines.kind), np.int32)
        _resolve(
            lines.data, lines.head, lines.head_end, lines.first_field, lines.key, lines.key_end,
            self._slots, self._words, targets,
        )  # fmt: skip
        return targets

    def put(self, head: bytes, fields: Mapping[bytes, int]) -> None:
        """Give targets to field keys of these measurement and tags (bytes as sent). Others that are known already stay."""
        data = np.frombuffer(head + PAD, np.uint8)
        mark = np.uint64(hash_span(data, 0, len(head)))
        slot, found = _find(data, 0, len(head), mark, self._slots, self._words)
        known = dict(self._fields(found)) if found else {}
        if not found and 2 * (self._heads + 1) > len(self._slots):
            self._slots = _doubled(self._slots)
            slot, _ = _find(data, 0, len(head), mark, self._slots, self._words)
        record = _record(head, {**known, **fields})
        if self._filled + len(record) + 1 > len(self._words):
            # one word more than is filled, so that a load at the last one stays inside
            self._words = np.concatenate([self._words, np.zeros(max(len(self._words), len(record) + 1), np.uint64)])
        self._words[self._filled : self._filled + len(record)] = record
        self._slots[slot] = mark, self._filled
        self._heads += 0 if found else 1
        self._filled += len(record)

    def _fields(self, at: int) -> list[tuple[bytes, int]]:
        first = int(self._words[at])
        size, count = first & 0xFFFFFFFF, first >> 32
        at += 1 + (size + 7) // 8
        fields = []
        for _ in range(count):
            word = int(self._words[at])
            size, target = word & 0xFFFFFFFF, word >> 32
            end = at + 1 + (size + 7) // 8
            fields.append((self._words[at + 1 : end].tobytes()[:size], target - ((target >> 31) << 32)))
            at = end
        return fields


def _record(head: bytes, fields: Mapping[bytes, int]) -> NDArray[np.uint64]:
    parts = [np.array([len(head) | len(fields) << 32], np.uint64), _packed(head)]
    for key, target in fields.items():
        parts += [np.array([len(key) | (target & 0xFFFFFFFF) << 32], np.uint64), _packed(key)]
    return np.concatenate(parts)


def _packed(text: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(text + bytes(-len(text) % 8), np.uint64)


@nb.njit(cache=True, nogil=True)
def _same(data, start, end, words, at):  # type: ignore[no-untyped-def]
    """Whether data[start:end] is what is packed from words[at] on."""
    while start + 8 <= end:
        if load8(data, start) != words[at]:
            return False
        start += 8
        at += 1
    return start >= end or (load8(data, start) & tail_mask(end - start)) == words[at]


@nb.njit(cache=True, nogil=True)
def _find(data, start, end, mark, slots, words):  # type: ignore[no-untyped-def]
    """(slot, record) of data[start:end] with this hash; record 0 where it is not in the table, and then the slot is free."""
    mask = np.uint64(len(slots) - 1)
    slot = mark & mask
    while slots[slot, 1] != np.uint64(0):
        if slots[slot, 0] == mark:
            at = np.int64(slots[slot, 1])
            if (words[at] & _LEN) == np.uint64(end - start) and _same(data, start, end, words, at + 1):
                return np.int64(slot), at
        slot = (slot + np.uint64(1)) & mask
    return np.int64(slot), np.int64(0)


@nb.njit(cache=True, nogil=True)
def _resolve(data, head, head_end, first_field, key, key_end, slots, words, targets):  # type: ignore[no-untyped-def]
    """In three steps a line, each some lines behind the one before, so that memory has time to answer: hash and ask for the slot;
    read the slot and ask for the record; compare."""
    lines = len(head)
    mask = np.uint64(len(slots) - 1)
    flat = slots.reshape(-1)
    marks = np.empty(lines, np.uint64)
    for step in range(lines + 2 * _AHEAD):
        if step < lines:
            marks[step] = hash_span(data, head[step], head_end[step])
            prefetch(flat, np.int64(2 * (marks[step] & mask)))
        if _AHEAD <= step < lines + _AHEAD:
            record = np.int64(slots[marks[step - _AHEAD] & mask, 1])
            prefetch(words, record)
            prefetch(words, min(record + 8, len(words) - 1))
        line = step - 2 * _AHEAD
        if line >= 0:
            _, record = _find(data, head[line], head_end[line], marks[line], slots, words)
            if record == 0:
                targets[first_field[line] : first_field[line + 1]] = MISS
            else:
                behind = record + 1 + (np.int64(head_end[line]) - head[line] + 7) // 8
                _resolve_fields(
                    data, first_field[line], first_field[line + 1], key, key_end, words, record, behind, targets
                )


@nb.njit(cache=True, nogil=True)
def _resolve_fields(data, field, end, key, key_end, words, record, first, targets):  # type: ignore[no-untyped-def]
    """The fields of a line against those of its record, which is tried in a circle from where the last one was found."""
    count = np.int64(words[record] >> np.uint64(32))
    at, left = first, count
    while field < end:
        target = np.int64(MISS)
        for _ in range(count):
            if left == 0:
                at, left = first, count
            size = np.int64(words[at] & _LEN)
            hit = size == key_end[field] - key[field] and _same(data, key[field], key_end[field], words, at + 1)
            if hit:
                target = np.int64(words[at]) >> 32
            at += 1 + (size + 7) // 8
            left -= 1
            if hit:
                break
        targets[field] = target
        field += 1


@nb.njit(cache=True, nogil=True)
def _doubled(slots):  # type: ignore[no-untyped-def]
    larger = np.zeros((2 * len(slots), 2), np.uint64)
    mask = np.uint64(len(larger) - 1)
    for row in range(len(slots)):
        if slots[row, 1] != np.uint64(0):
            slot = slots[row, 0] & mask
            while larger[slot, 1] != np.uint64(0):
                slot = (slot + np.uint64(1)) & mask
            larger[slot] = slots[row]
    return larger
