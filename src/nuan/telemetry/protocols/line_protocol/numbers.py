"""Numbers of the line protocol in the fast path: exact decimal mantissa and exponent, no float on the way.

A token is what stands between '=' and the next ',', ' ', CR, LF or the end. The result is (kind or 0, mantissa, exponent, fault).
"""

import numba as nb
import numpy as np

from nuan.telemetry.protocols.line_protocol.grammar import Fault, Kind
from nuan.telemetry.protocols.line_protocol.words import load8, tail_mask

FLOAT, INTEGER, UNSIGNED, BOOLEAN, LONG = (
    int(k) for k in (Kind.FLOAT, Kind.INTEGER, Kind.UNSIGNED, Kind.BOOLEAN, Kind.LONG)
)
_VALUE, _NUMBER, _RANGE = int(Fault.VALUE), int(Fault.NUMBER), int(Fault.RANGE)
_MINUS, _DOT, _ZERO = ord("-"), ord("."), ord("0")
MAX_EXPONENT = 18
"""A FLOAT's power of ten lies in ±18 and its mantissa below 10^18; what does not is LONG."""
_INFINITE = np.array([int(digit) for digit in str(2**1024 - 2**970)], np.int64)
"""The digits of the smallest decimal that no float64 holds: halfway between the largest and infinity."""


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


_TRUE = np.array([_word(text) for text in (b"t", b"T", b"true", b"True", b"TRUE")])
_FALSE = np.array([_word(text) for text in (b"f", b"F", b"false", b"False", b"FALSE")])


@nb.njit(cache=True, nogil=True)
def read_value(data, start, end):  # type: ignore[no-untyped-def]
    """Any bare token."""
    size = end - start
    if size <= 0:
        return 0, 0, 0, _VALUE
    first = np.int64(data[start])
    if first != _MINUS and first != _DOT and not 0 <= first - _ZERO <= 9:
        if size <= 5:
            word = load8(data, start) & tail_mask(size)
            for known in _TRUE:
                if word == known:
                    return BOOLEAN, 1, 0, 0
            for known in _FALSE:
                if word == known:
                    return BOOLEAN, 0, 0, 0
        return 0, 0, 0, _VALUE
    last = data[end - 1]
    if last == ord("i"):
        return _integer(data, start, end - 1)
    if last == ord("u"):
        return _unsigned(data, start, end - 1)
    return _float(data, start, end)


@nb.njit(cache=True, nogil=True)
def read_digits(data, start, end):  # type: ignore[no-untyped-def]
    """(uint64, fault) of a run of digits of any length; too large for uint64 is RANGE."""
    if start >= end:
        return np.uint64(0), _NUMBER
    total = np.uint64(0)
    fault = 0
    for at in range(start, end):
        digit = np.uint64(data[at]) - np.uint64(_ZERO)
        if digit > np.uint64(9):
            return np.uint64(0), _NUMBER
        if total > np.uint64(1844674407370955161) or (total == np.uint64(1844674407370955161) and digit > np.uint64(5)):
            fault = _RANGE
        else:
            total = total * np.uint64(10) + digit
    return total, fault


@nb.njit(cache=True, nogil=True)
def read_signed(data, start, end):  # type: ignore[no-untyped-def]
    """(int64, fault): an optional minus and digits."""
    negative = start < end and data[start] == _MINUS
    total, fault = read_digits(data, start + (1 if negative else 0), end)
    if fault:
        return np.int64(0), fault
    if total > np.uint64(2**63) - np.uint64(0 if negative else 1):
        return np.int64(0), _RANGE
    return (-np.int64(total) if negative else np.int64(total)), 0


@nb.njit(cache=True, nogil=True)
def _integer(data, start, end):  # type: ignore[no-untyped-def]
    whole, fault = read_signed(data, start, end)
    return (0 if fault else INTEGER), whole, 0, fault


@nb.njit(cache=True, nogil=True)
def _unsigned(data, start, end):  # type: ignore[no-untyped-def]
    total, fault = read_digits(data, start, end)
    if fault:
        return 0, 0, 0, fault
    if total >= np.uint64(2**63):
        return LONG, 0, 0, 0
    return UNSIGNED, np.int64(total), 0, 0


@nb.njit(cache=True, nogil=True)
def _float(data, start, end):  # type: ignore[no-untyped-def]
    at = start + (1 if data[start] == _MINUS else 0)
    digits = significant = fraction = 0
    first = at
    mantissa = np.int64(0)
    dotted = False
    while at < end:
        byte = np.int64(data[at])
        if 0 <= byte - _ZERO <= 9:
            digits += 1
            fraction += 1 if dotted else 0
            if significant > 0 or byte != _ZERO:
                if significant == 0:
                    first = at
                significant += 1
                if significant <= 18:
                    mantissa = mantissa * 10 + (byte - _ZERO)
        elif byte == _DOT and not dotted:
            dotted = True
        else:
            break
        at += 1
    if digits == 0:
        return 0, 0, 0, _NUMBER
    power = np.int64(0)
    if at < end:
        power, whole = _exponent(data, at, end)
        if not whole:
            return 0, 0, 0, _NUMBER
    power -= fraction
    if significant == 0:
        return FLOAT, 0, 0, 0
    leading = significant - 1 + power
    if leading > 308 or (leading == 308 and _is_infinite(data, first, significant)):
        return 0, 0, 0, _RANGE
    if significant > 18 or power > MAX_EXPONENT or power < -MAX_EXPONENT:
        return LONG, 0, 0, 0
    return FLOAT, (-mantissa if data[start] == _MINUS else mantissa), power, 0


@nb.njit(cache=True, nogil=True)
def _exponent(data, at, end):  # type: ignore[no-untyped-def]
    """(power of ten, well formed); a power beyond any use stops at a billion."""
    if data[at] != ord("e") and data[at] != ord("E"):
        return np.int64(0), False
    at += 1
    negative = at < end and data[at] == _MINUS
    if at < end and (data[at] == _MINUS or data[at] == ord("+")):
        at += 1
    if at >= end:
        return np.int64(0), False
    power = np.int64(0)
    while at < end:
        digit = np.int64(data[at]) - _ZERO
        if not 0 <= digit <= 9:
            return np.int64(0), False
        power = min(power * 10 + digit, np.int64(10**12))
        at += 1
    return (-power if negative else power), True


@nb.njit(cache=True, nogil=True)
def _is_infinite(data, first, significant):  # type: ignore[no-untyped-def]
    """Whether these digits, with the first of them worth 10^308, are beyond float64."""
    at = first
    for place in range(min(significant, len(_INFINITE))):
        if data[at] == _DOT:
            at += 1
        digit = np.int64(data[at]) - _ZERO
        if digit != _INFINITE[place]:
            return digit > _INFINITE[place]
        at += 1
    return significant >= len(_INFINITE)
