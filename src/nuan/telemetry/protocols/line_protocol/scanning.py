"""Where an element of a line ends: the small steps of the fast parser. Places are offsets in data that has `grammar.PAD` behind it."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.protocols.line_protocol.words import byte, hash_span, spans_equal

IN_MEASUREMENT, _IN_KEY, IN_TOKEN, _ESCAPED, IN_COMMENT = 1, 2, 4, 8, 16


def _classes() -> NDArray[np.uint8]:
    """For each byte, in which elements it may stand, and which elements it is escaped in."""
    table = np.full(256, IN_MEASUREMENT | _IN_KEY | IN_TOKEN | IN_COMMENT, np.uint8)
    for code in (*range(32), 127):
        table[code] = IN_TOKEN
    table[ord("\t")] |= IN_COMMENT
    for code in b",= \\":
        table[code] &= ~np.uint8(_IN_KEY)
    for code in b", \\":
        table[code] &= ~np.uint8(IN_MEASUREMENT)
    for code in b", \r\n":
        table[code] &= ~np.uint8(IN_TOKEN)
    for code in b", =":
        table[code] |= _ESCAPED
    return table


CLASS = _classes()
LF, CR, SPACE, COMMA, EQUALS, HASH, QUOTE, BACKSLASH, MINUS, DOT, ZERO = b'\n\r ,=#"\\-.0'
_FEW_TAGS = 24
TAG_SLOTS = 32_768


@nb.njit(cache=True, nogil=True)
def spaces(data, at):  # type: ignore[no-untyped-def]
    while byte(data, at) == SPACE:
        at += 1
    return at


@nb.njit(cache=True, nogil=True)
def line_end(data, at, size):  # type: ignore[no-untyped-def]
    """The place behind LF, CR LF, a CR at the end of the data, or the end of the data; 0 if none of them is here."""
    if at >= size or byte(data, at) == LF:
        return min(at + 1, size)
    if byte(data, at) == CR:
        if at + 1 >= size:
            return size
        if byte(data, at + 1) == LF:
            return at + 2
    return 0


@nb.njit(cache=True, nogil=True)
def break_after(data, at, size):  # type: ignore[no-untyped-def]
    while at < size and byte(data, at) != LF:
        at += 1
    return min(at + 1, size)


@nb.njit(cache=True, nogil=True)
def text_end_of(data, start, behind):  # type: ignore[no-untyped-def]
    while behind > start and (byte(data, behind - 1) == LF or byte(data, behind - 1) == CR):
        behind -= 1
    return behind


@nb.njit(cache=True, nogil=True)
def key_end_at(data, at):  # type: ignore[no-untyped-def]
    """Behind a tag key, tag value or field key."""
    while True:
        while byte(CLASS, byte(data, at)) & _IN_KEY:
            at += 1
        if byte(data, at) != BACKSLASH:
            return at
        at += 2 if byte(CLASS, byte(data, at + 1)) & _ESCAPED else 1


@nb.njit(cache=True, nogil=True)
def closing_quote(data, at, size):  # type: ignore[no-untyped-def]
    """−1 if there is none."""
    while at < size:
        if byte(data, at) == QUOTE:
            return at
        at += 2 if byte(data, at) == BACKSLASH and _is_escape(byte(data, at + 1)) else 1
    return -1


@nb.njit(cache=True, nogil=True)
def _is_escape(byte):  # type: ignore[no-untyped-def]
    return byte in (QUOTE, BACKSLASH, ord("n"), ord("r"), ord("t"))


@nb.njit(cache=True, nogil=True)
def was_seen(data, key, end, seen, tags, stamp):  # type: ignore[no-untyped-def]
    """Whether one of the line's `tags` keys so far is data[key:end]; then it is one of them. Few are compared one by one, many by a
    hash table whose slots (rows 2 and 3 of `seen`: tag, line) need no clearing between lines."""
    seen[0, tags], seen[1, tags] = key, end
    if tags < _FEW_TAGS:
        for i in range(tags):
            if seen[1, i] - seen[0, i] == end - key and spans_equal(data, seen[0, i], data, key, end - key):
                return True
        return False
    for tag in range(0 if tags == _FEW_TAGS else tags, tags + 1):
        start, size = seen[0, tag], seen[1, tag] - seen[0, tag]
        slot = np.int64(hash_span(data, start, start + size) & np.uint64(TAG_SLOTS - 1))
        while seen[3, slot] == stamp:
            other = seen[2, slot]
            if seen[1, other] - seen[0, other] == size and spans_equal(data, seen[0, other], data, start, size):
                return True
            slot = (slot + 1) & (TAG_SLOTS - 1)
        seen[2, slot], seen[3, slot] = tag, stamp
    return False


@nb.njit(cache=True, nogil=True)
def first_wrong_byte(data, at, end):  # type: ignore[no-untyped-def]
    """Where UTF-8 is left (no surrogates, no longer form than needed, up to U+10FFFF), or −1."""
    while at < end:
        lead = byte(data, at)
        if lead < 0x80:
            at += 1
            continue
        if lead < 0xC2 or lead > 0xF4:
            return at
        more = 1 if lead < 0xE0 else (2 if lead < 0xF0 else 3)
        low = 0xA0 if lead == 0xE0 else (0x90 if lead == 0xF0 else 0x80)
        high = 0x9F if lead == 0xED else (0x8F if lead == 0xF4 else 0xBF)
        for i in range(1, more + 1):
            if at + i >= end or not low <= data[at + i] <= high:
                return at
            low, high = 0x80, 0xBF
        at += more + 1
    return -1
