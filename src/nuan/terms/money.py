"""Money is whole fen. One multiplication, one division, one named rounding; nothing is rounded twice.

Works alike on Python integers (unbounded) and int64 arrays (headroom asserted before the product is formed).
"""

import re
from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from typing import overload

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
INT64_MAX = 2**63 - 1


class Rounding(Enum):
    """How a fraction of a fen is settled. Amounts of money here are never negative before rounding unless stated."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"
    UP = "up"


class MoneyOverflowError(ArithmeticError):
    """An int64 product would not fit."""

    def __init__(self, largest_amount: int, largest_numerator: int) -> None:
        super().__init__(
            f"amount up to {largest_amount} fen times {largest_numerator} does not fit into 64 bits; "
            "split the batch or check the units (fen, not yuan; days, not seconds)"
        )


class MoneyTypeError(TypeError):
    """Money that is not counted in whole fen."""

    def __init__(self, found: object) -> None:
        super().__init__(f"money and its shares are whole numbers, not {found}; parse yuan with parse_yuan first")


class MoneyTextError(ValueError):
    """A text that is not an amount of money in yuan."""

    def __init__(self, text: str) -> None:
        super().__init__(f"“{text}” is not an amount in yuan with at most two decimals, e.g. 2400 or 2,400.50")


def _round_int(numerator: int, denominator: int, rounding: Rounding) -> int:
    quotient, rest = divmod(abs(numerator), denominator)
    if rounding is Rounding.UP:
        up = rest > 0
    elif rounding is Rounding.DOWN:
        up = False
    elif rounding is Rounding.HALF_UP:
        up = 2 * rest >= denominator
    else:
        up = 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    magnitude = quotient + up
    return magnitude if numerator >= 0 else -magnitude


@overload
def mul_div(amount: int, numerator: int, denominator: int, rounding: Rounding = ...) -> int: ...
@overload
def mul_div(amount: Int64, numerator: Int64 | int, denominator: Int64 | int, rounding: Rounding = ...) -> Int64: ...
def mul_div(
    amount: int | Int64,
    numerator: int | Int64,
    denominator: int | Int64,
    rounding: Rounding = Rounding.HALF_UP,
) -> int | Int64:
    """`amount × numerator ÷ denominator`, multiplied first, rounded once. Denominators are positive.

    >>> mul_div(240_000, 30, 183)
    39344
    """
    for given in (amount, numerator, denominator):
        if not isinstance(given, int) and not np.can_cast(np.asarray(given).dtype, np.int64):
            raise MoneyTypeError(np.asarray(given).dtype)
    if isinstance(amount, int) and isinstance(numerator, int) and isinstance(denominator, int):
        if denominator <= 0:
            raise ZeroDivisionError("the denominator of a share of money must be positive")
        return _round_int(amount * numerator, denominator, rounding)
    amounts = np.asarray(amount, dtype=np.int64)
    numerators = np.asarray(numerator, dtype=np.int64)
    denominators = np.asarray(denominator, dtype=np.int64)
    if denominators.size and int(denominators.min()) <= 0:
        raise ZeroDivisionError("the denominator of a share of money must be positive")
    product = np.empty(np.broadcast_shapes(amounts.shape, numerators.shape, denominators.shape), dtype=np.int64)
    if product.size == 0:
        return product
    low_amount, high_amount = int(amounts.min()), int(amounts.max())
    low_numerator, high_numerator = int(numerators.min()), int(numerators.max())
    largest_amount, largest_numerator = max(-low_amount, high_amount), max(-low_numerator, high_numerator)
    # twice the product and one denominator more: the room that rounding to the nearest needs
    if 2 * largest_amount * largest_numerator + int(denominators.max()) > INT64_MAX:
        raise MoneyOverflowError(largest_amount, largest_numerator)
    np.multiply(amounts, numerators, out=product)
    if low_amount >= 0 and low_numerator >= 0:
        return _round_array(product, denominators, rounding)
    magnitude = _round_array(np.abs(product), denominators, rounding)
    return np.asarray(np.where(product < 0, -magnitude, magnitude), dtype=np.int64)


def _round_array(product: Int64, denominators: Int64, rounding: Rounding) -> Int64:
    """Products that are not negative, worked on in place, in one division: a constant divides many times faster than a column."""
    if rounding is Rounding.DOWN:
        product //= denominators
        return product
    if rounding is Rounding.UP:
        product += denominators - 1
        product //= denominators
        return product
    product *= 2
    exact_twice = product.copy() if rounding is Rounding.HALF_EVEN else None
    product += denominators
    product //= 2 * denominators
    if exact_twice is not None:
        product -= (2 * product * denominators - exact_twice == denominators) & (product & 1 == 1)
    return product


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` fen by weight so that the parts sum to it exactly (largest remainder; ties go to the earlier part).

    >>> split(100, [1, 1, 1])
    [34, 33, 33]
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is negative")
    whole = sum(weights)
    if whole == 0:
        raise ValueError("all weights are zero: nothing says how to split")
    sign = -1 if total < 0 else 1
    exact = [Fraction(abs(total) * weight, whole) for weight in weights]
    parts = [int(share) for share in exact]
    missing = abs(total) - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:missing]:
        parts[i] += 1
    return [sign * part for part in parts]


_YUAN = re.compile(r"^([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?$")


def parse_yuan(text: str) -> int:
    """Fen from a text in yuan; `¥`, `元` and thousands separators are allowed, a third decimal is not.

    >>> parse_yuan("¥2,400.5")
    240050
    """
    bare = text.strip().removeprefix("¥").removeprefix("￥").removesuffix("元").strip()
    match = _YUAN.match(bare)
    if match is None:
        raise MoneyTextError(text)
    sign, whole, cents = match.groups()
    fen = int(whole.replace(",", "")) * 100 + int((cents or "").ljust(2, "0"))
    return -fen if sign == "-" else fen


def format_yuan(fen: int) -> str:
    """
    >>> format_yuan(240050)
    '2,400.50'
    """
    sign = "-" if fen < 0 else ""
    yuan, cents = divmod(abs(int(fen)), 100)
    return f"{sign}{yuan:,}.{cents:02d}"
