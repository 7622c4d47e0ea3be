"""The fast parser: a request body to columns in one pass of machine code. It reads and refuses what `parser.parse` does."""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.protocols.line_protocol.grammar import AUTO, AUTO_BELOW, LONGEST_HEAD, PAD, Fault, Kind, unit_ns
from nuan.telemetry.protocols.line_protocol.numbers import FLOAT, INTEGER, read_signed, read_value
from nuan.telemetry.protocols.line_protocol.parser import LineProblem
from nuan.telemetry.protocols.line_protocol.scanning import (
    BACKSLASH,
    CLASS,
    COMMA,
    CR,
    DOT,
    EQUALS,
    HASH,
    IN_COMMENT,
    IN_MEASUREMENT,
    IN_TOKEN,
    LF,
    MINUS,
    QUOTE,
    SPACE,
    TAG_SLOTS,
    ZERO,
    break_after,
    closing_quote,
    first_wrong_byte,
    key_end_at,
    line_end,
    spaces,
    text_end_of,
    was_seen,
)
from nuan.telemetry.protocols.line_protocol.words import byte

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]

_STRING = int(Kind.STRING)
_F = {fault.name: int(fault) for fault in Fault}
_COMMENT_FAULT, _NO_MEASUREMENT, _HEAD_LONG, _UTF8 = _F["COMMENT"], _F["MEASUREMENT"], _F["HEAD_LONG"], _F["NOT_UTF8"]
_TAG_KEY, _TAG_EQUALS, _TAG_VALUE, _TAG_TWICE = _F["TAG_KEY"], _F["TAG_EQUALS"], _F["TAG_VALUE"], _F["TAG_TWICE"]
_FIELD_KEY, _FIELD_EQUALS, _NO_QUOTE, _AFTER = _F["FIELD_KEY"], _F["FIELD_EQUALS"], _F["QUOTE"], _F["AFTER_STRING"]
_TIME, _TIME_RANGE = _F["TIME"], _F["TIME_RANGE"]
_I = ord("i")


@dataclass(frozen=True, slots=True)
class Columns:
    """The good lines and fields of a body, and the problems of the others.

    By line: `number`, `start` and `end` (without the line break), `head` (start of measurement), `head_end`, `time_ns` and
    `timed` (0: the line gives no time), `first_field` (one longer than the lines). By field: `line`, `key`, `key_end`,
    `text`, `text_end` (the value's bytes, a string's without its quotes), `kind`, and the number as `mantissa` × 10^`power`.
    Places are offsets in `data`, which carries `PAD` behind its `size` bytes.
    """

    data: UInt8
    size: int
    number: Int32
    start: Int32
    end: Int32
    head: Int32
    head_end: Int32
    time_ns: Int64
    timed: UInt8
    first_field: Int32
    line: Int32
    key: Int32
    key_end: Int32
    text: Int32
    text_end: Int32
    kind: UInt8
    mantissa: Int64
    power: Int32
    problems: Int64
    """By problem: line number, column, fault, start, end."""

    def __len__(self) -> int:
        return len(self.number)

    def span(self, start: int, end: int) -> bytes:
        return self.data[start:end].tobytes()

    def line_problems(self) -> list[LineProblem]:
        return [
            LineProblem(number, column, Fault(fault), self.span(start, end).rstrip(b"\r\n"))
            for number, column, fault, start, end in self.problems.tolist()
        ]


def columns(data: bytes, precision: str = "ns") -> Columns:
    """All good lines of a body of less than 2 GiB, and a problem for each of the others. Never raises, whatever the bytes are."""
    padded = np.frombuffer(data + PAD, np.uint8)
    unit = unit_ns(precision) or 1
    span = (-(2**63 // unit), (2**63 - 1) // unit)
    lines, fields = int(np.count_nonzero(padded == LF)) + 1, int(np.count_nonzero(padded == EQUALS))
    by_line = np.empty((6, lines + 1), np.int32)
    by_field = np.empty((6, fields + 1), np.int32)
    time_ns, timed = np.empty(lines, np.int64), np.empty(lines, np.uint8)
    mantissa, kind = np.empty(fields + 1, np.int64), np.empty(fields + 1, np.uint8)
    problems = np.empty((lines, 5), np.int64)
    n_lines, n_fields, n_bad = _scan(
        padded, len(data), data.isascii(), unit, *span, by_line, time_ns, timed, by_field, mantissa, kind, problems
    )
    if precision == AUTO:
        size = np.abs(time_ns[:n_lines])
        time_ns[:n_lines] *= np.select([size < below for below, _ in AUTO_BELOW], [unit for _, unit in AUTO_BELOW], 1)
    number, start, end, head, head_end = by_line[:5, :n_lines]
    line, key, key_end, text, text_end, power = by_field[:, :n_fields]
    return Columns(
        padded, len(data), number, start, end, head, head_end, time_ns[:n_lines], timed[:n_lines], by_line[5, : n_lines + 1],
        line, key, key_end, text, text_end, kind[:n_fields], mantissa[:n_fields], power, problems[:n_bad],
    )  # fmt: skip


@nb.njit(cache=True, nogil=True)
def _scan(data, size, ascii_only, unit, low, high, by_line, time_ns, timed, by_field, mantissa, kind, problems):  # type: ignore[no-untyped-def]
    """Fills the columns; returns how many lines, fields and problems. The rows of by_line and by_field are those of `Columns`."""
    lines, fields, bad = 0, 0, 0
    number, start = 1, 0
    by_line[5, 0] = 0
    seen = np.empty((4, TAG_SLOTS), np.int32)
    seen[3] = -1
    while start < size:
        head = spaces(data, start)
        at, behind, trouble, count, head_end, stamp, has_time = head, 0, 0, fields, 0, 0, 0
        kept = False
        if byte(data, head) == HASH:
            while byte(CLASS, byte(data, at)) & IN_COMMENT:
                at += 1
            behind = line_end(data, at, size)
            trouble = 0 if behind else _trouble(_COMMENT_FAULT, at)
        else:
            behind = line_end(data, head, size)
            kept = behind == 0
        if kept:
            at, trouble, broken = _head(data, head, seen, lines + bad)
            head_end = at
            if not broken:
                at, trouble, broken, count = _fields(
                    data, spaces(data, at), size, trouble, by_field, mantissa, kind, fields
                )
            if not broken:
                at, behind, trouble, stamp, has_time = _stamp(data, at, size, trouble, low, high)
            if behind and not ascii_only and trouble == 0:
                wrong = first_wrong_byte(data, start, behind)
                trouble = _trouble(_UTF8, wrong) if wrong >= 0 else 0
        if behind == 0:
            behind = break_after(data, at, size)
        if trouble:
            _tell(data, start, behind, number, trouble, problems[bad])
            bad += 1
        elif kept:
            by_line[0, lines], by_line[1, lines], by_line[2, lines] = number, start, text_end_of(data, start, behind)
            by_line[3, lines], by_line[4, lines] = head, head_end
            time_ns[lines], timed[lines] = stamp * unit, has_time
            by_field[0, fields:count] = lines
            fields = count
            lines += 1
            by_line[5, lines] = fields
        for i in range(start, behind):
            number += byte(data, i) == LF
        start = behind
    return lines, fields, bad


@nb.njit(cache=True, nogil=True)
def _head(data, at, seen, stamp):  # type: ignore[no-untyped-def]
    """Measurement and tags: (place behind them, trouble, whether the structure ends here)."""
    start = at
    while True:
        while byte(CLASS, byte(data, at)) & IN_MEASUREMENT:
            at += 1
        if byte(data, at) != BACKSLASH:
            break
        at += 2 if byte(data, at + 1) == COMMA or byte(data, at + 1) == SPACE else 1
    if at == start:
        return at, _trouble(_NO_MEASUREMENT, at), True
    tags, twice = 0, -1
    while byte(data, at) == COMMA:
        key = at + 1
        at = key_end_at(data, key)
        if at == key:
            return at, _trouble(_TAG_KEY, at), True
        if byte(data, at) != EQUALS:
            return at, _trouble(_TAG_EQUALS, at), True
        if twice < 0 and tags < TAG_SLOTS // 2:
            if was_seen(data, key, at, seen, tags, stamp):
                twice = key
            tags += 1
        value = at + 1
        at = key_end_at(data, value)
        if at == value:
            return at, _trouble(_TAG_VALUE, at), True
    if byte(data, at) != SPACE:
        return at, _trouble(_TAG_KEY, at), True
    if at - start > LONGEST_HEAD:
        return at, _trouble(_HEAD_LONG, start), False
    return at, (_trouble(_TAG_TWICE, twice) if twice >= 0 else 0), False


@nb.njit(cache=True, nogil=True)
def _fields(data, at, size, trouble, by_field, mantissa, kind, count):  # type: ignore[no-untyped-def]
    """(place behind the last value, trouble, whether the structure ends here, number of fields)."""
    while True:
        key = at
        at = key_end_at(data, at)
        if at == key:
            return at, trouble or _trouble(_FIELD_KEY, at), True, count
        if byte(data, at) != EQUALS:
            return at, trouble or _trouble(_FIELD_EQUALS, at), True, count
        by_field[1, count], by_field[2, count] = key, at
        at += 1
        start = at
        if byte(data, at) == QUOTE:
            at = closing_quote(data, start + 1, size)
            if at < 0:
                return start, trouble or _trouble(_NO_QUOTE, start), True, count
            by_field[3, count], by_field[4, count], by_field[5, count] = start + 1, at, 0
            kind[count], mantissa[count] = _STRING, 0
            at += 1
            if at < size and byte(CLASS, byte(data, at)) & IN_TOKEN:
                return at, trouble or _trouble(_AFTER, at), True, count
        else:
            at, what, number, power, fault = _value(data, start, size)
            if fault:
                trouble = trouble or _trouble(fault, start)
            by_field[3, count], by_field[4, count], by_field[5, count] = start, at, power
            kind[count], mantissa[count] = what, number
        count += 1
        if byte(data, at) != COMMA:
            return at, trouble, False, count
        at += 1


@nb.njit(cache=True, nogil=True)
def _value(data, start, size):  # type: ignore[no-untyped-def]
    """A bare token: (place behind it, kind, mantissa, power, fault). Plain numbers of up to 18 digits are read on the spot."""
    at = start + (1 if byte(data, start) == MINUS else 0)
    first = at
    number = np.int64(0)
    digit = np.uint8(byte(data, at) - ZERO)
    while digit <= 9:
        number = number * 10 + np.int64(digit)
        at += 1
        digit = np.uint8(byte(data, at) - ZERO)
    digits, power = at - first, 0
    if byte(data, at) == DOT:
        at += 1
        digit = np.uint8(byte(data, at) - ZERO)
        while digit <= 9:
            number = number * 10 + np.int64(digit)
            at += 1
            power -= 1
            digit = np.uint8(byte(data, at) - ZERO)
        digits -= power
        what = FLOAT
    elif byte(data, at) == _I:
        at += 1
        what = INTEGER
    else:
        what = FLOAT
    if 0 < digits <= 18 and (at >= size or not byte(CLASS, byte(data, at)) & IN_TOKEN):
        return at, what, (-number if byte(data, start) == MINUS else number), power, 0
    while at < size and byte(CLASS, byte(data, at)) & IN_TOKEN:
        at += 1
    what, number, power, fault = read_value(data, start, at)
    return at, what, number, power, fault


@nb.njit(cache=True, nogil=True)
def _stamp(data, at, size, trouble, low, high):  # type: ignore[no-untyped-def]
    """The end of the line, and a timestamp before it: (place, place behind the line or 0, trouble, timestamp, whether there is one)."""
    at = spaces(data, at)
    behind = line_end(data, at, size)
    if behind:
        return at, behind, trouble, np.int64(0), 0
    start = at
    at += 1 if byte(data, at) == MINUS else 0
    first = at
    while np.uint8(byte(data, at) - ZERO) <= 9:
        at += 1
    if at == first or (at < size and byte(data, at) != SPACE and byte(data, at) != CR and byte(data, at) != LF):
        return start, 0, trouble or _trouble(_TIME, start), np.int64(0), 0
    stamp, fault = read_signed(data, start, at)
    at = spaces(data, at)
    behind = line_end(data, at, size)
    if behind == 0:
        return at, 0, trouble or _trouble(_TIME, at), np.int64(0), 0
    if fault or stamp < low or stamp > high:
        return at, behind, trouble or _trouble(_TIME_RANGE, start), np.int64(0), 0
    return at, behind, trouble, stamp, 1


@nb.njit(cache=True, nogil=True)
def _trouble(fault, place):  # type: ignore[no-untyped-def]
    """Fault and place in one number; 0 is none."""
    return np.int64(fault) << 40 | np.int64(place)


@nb.njit(cache=True, nogil=True)
def _tell(data, start, behind, number, trouble, row):  # type: ignore[no-untyped-def]
    place = trouble & ((1 << 40) - 1)
    line_start = start
    for i in range(start, place):
        if byte(data, i) == LF:
            line_start, number = i + 1, number + 1
    row[0], row[1], row[2], row[3], row[4] = number, place - line_start + 1, trouble >> 40, start, behind
