"""A fen is never lost, made or rounded twice; int64 arrays give what Python's unbounded integers give."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.terms.money import (
    MoneyOverflowError,
    MoneyTextError,
    MoneyTypeError,
    Rounding,
    format_yuan,
    mul_div,
    parse_yuan,
    split,
)

DECIMAL = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.DOWN: ROUND_DOWN,
    Rounding.UP: ROUND_UP,
}
fen = st.integers(-(10**11), 10**11)
shares = st.integers(0, 10**6)
divisors = st.integers(1, 10**6)


def oracle(amount: int, numerator: int, denominator: int, rounding: Rounding) -> int:
    """Round the exact fraction by the decimal library: a rational is cut to whole part and a digit that cannot mislead."""
    exact = Fraction(amount * numerator, denominator)
    whole = int(exact)
    rest = exact - whole
    sign = -1 if exact < 0 else 1
    tail = Decimal("0") if rest == 0 else Decimal("0.5") if abs(rest) == Fraction(1, 2) else None
    if tail is None:
        tail = Decimal("0.25") if abs(rest) < Fraction(1, 2) else Decimal("0.75")
    return int((Decimal(whole) + sign * tail).quantize(Decimal(1), rounding=DECIMAL[rounding]))


@pytest.mark.parametrize(
    ("amount", "numerator", "denominator", "rounding", "expected"),
    [
        pytest.param(240_000, 30, 183, Rounding.HALF_UP, 39_344, id="thirty days of 183"),
        pytest.param(240_000, 30, 184, Rounding.HALF_UP, 39_130, id="thirty days of a leap season's 184"),
        pytest.param(1, 1, 2, Rounding.HALF_UP, 1, id="half a fen goes up"),
        pytest.param(1, 1, 2, Rounding.HALF_EVEN, 0, id="half a fen goes to even zero"),
        pytest.param(3, 1, 2, Rounding.HALF_EVEN, 2, id="one and a half goes to even two"),
        pytest.param(5, 1, 2, Rounding.HALF_EVEN, 2, id="two and a half goes to even two"),
        pytest.param(1, 1, 3, Rounding.UP, 1, id="a third rounds up when the law says so"),
        pytest.param(2, 1, 3, Rounding.DOWN, 0, id="two thirds round down when the law says so"),
        pytest.param(-1, 1, 2, Rounding.HALF_UP, -1, id="a credit mirrors a charge"),
        pytest.param(10**30, 7, 3, Rounding.DOWN, 7 * 10**30 // 3, id="Python integers have no ceiling"),
    ],
)
def test_mul_div(amount: int, numerator: int, denominator: int, rounding: Rounding, expected: int) -> None:
    assert mul_div(amount, numerator, denominator, rounding) == expected


@given(fen, shares, divisors, st.sampled_from(Rounding))
def test_one_share_equals_the_decimal_oracle(amount: int, numerator: int, denominator: int, rounding: Rounding) -> None:
    assert mul_div(amount, numerator, denominator, rounding) == oracle(amount, numerator, denominator, rounding)


@given(st.lists(st.tuples(fen, shares, divisors), max_size=60), st.sampled_from(Rounding))
def test_arrays_equal_integers(rows: list[tuple[int, int, int]], rounding: Rounding) -> None:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    got = mul_div(columns[:, 0], columns[:, 1], columns[:, 2], rounding)
    assert got.dtype == np.int64
    assert got.tolist() == [mul_div(*row, rounding) for row in rows]


def test_columns_and_single_numbers_mix() -> None:
    seasons = np.array([183, 184], dtype=np.int64)
    assert mul_div(240_000, 30, seasons).tolist() == [39_344, 39_130]  # type: ignore[call-overload]
    assert mul_div(np.array([[1], [3]]), 1, np.array([2, 4]), Rounding.HALF_EVEN).tolist() == [[0, 0], [2, 1]]
    assert int(mul_div(np.int64(240_000), 30, 183)) == 39_344  # type: ignore[call-overload]
    assert mul_div(np.zeros(0, dtype=np.int64), 30, 183).tolist() == []


def test_multiplied_before_divided() -> None:
    """240000 ÷ 183 rounded first and then times 30 would give 39330."""
    assert mul_div(240_000, 30, 183) == 39_344 != mul_div(240_000, 1, 183) * 30


@pytest.mark.parametrize(
    ("amount", "numerator", "fits"),
    [
        pytest.param(2**61 - 1, 2, True, id="just below the ceiling, which leaves room for rounding"),
        pytest.param(2**61, 2, False, id="on the ceiling"),
        pytest.param(-(2**61) + 1, 2, True, id="just above the floor"),
        pytest.param(-(2**61), 2, False, id="on the floor"),
        pytest.param(-(2**63), 1, False, id="the number that has no opposite"),
        pytest.param(10**18, 100, False, id="fen times percent of something absurd"),
    ],
)
def test_headroom_is_asserted_before_the_product(amount: int, numerator: int, fits: bool) -> None:
    amounts = np.array([1, amount], dtype=np.int64)
    if fits:
        assert mul_div(amounts, numerator, 1)[1] == amount * numerator
        return
    with pytest.raises(MoneyOverflowError, match="does not fit into 64 bits"):
        mul_div(amounts, numerator, 1)


@pytest.mark.parametrize(
    "amount",
    [
        pytest.param(np.array([12.5]), id="yuan in floats"),
        pytest.param(np.array([2**63], dtype=np.uint64), id="unsigned beyond int64"),
        pytest.param(np.array(["12"]), id="texts"),
        pytest.param(0.1, id="one float"),
    ],
)
def test_what_is_not_whole_fen_is_refused(amount: object) -> None:
    with pytest.raises(MoneyTypeError, match="whole numbers"):
        mul_div(amount, 1, 2)  # type: ignore[call-overload]


@pytest.mark.parametrize("denominator", [pytest.param(0, id="zero"), pytest.param(-3, id="negative")])
def test_no_share_of_nothing(denominator: int) -> None:
    with pytest.raises(ZeroDivisionError):
        mul_div(1, 1, denominator)
    with pytest.raises(ZeroDivisionError):
        mul_div(np.array([1], dtype=np.int64), 1, denominator)


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any))
def test_a_split_sums_to_the_whole_and_is_off_by_less_than_a_fen(total: int, weights: list[int]) -> None:
    parts = split(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(
        abs(Fraction(part) - Fraction(total * weight, whole)) < 1 for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        pytest.param(100, [1, 1, 1], [34, 33, 33], id="a tie goes to the earlier part"),
        pytest.param(100, [1, 2, 0], [33, 67, 0], id="no weight, no fen"),
        pytest.param(-100, [1, 1, 1], [-34, -33, -33], id="taking back mirrors giving"),
        pytest.param(1, [1, 1, 1], [1, 0, 0], id="one fen among three"),
    ],
)
def test_split(total: int, weights: list[int], parts: list[int]) -> None:
    assert split(total, weights) == parts


@pytest.mark.parametrize("weights", [pytest.param([0, 0], id="all zero"), pytest.param([1, -1], id="negative")])
def test_weights_that_say_nothing(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weight"):
        split(100, weights)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        pytest.param("2400", 240_000, id="whole yuan"),
        pytest.param("¥2,400.50", 240_050, id="with sign and comma"),
        pytest.param(" 0.5 元", 50, id="one decimal and 元"),
        pytest.param("-3.20", -320, id="negative"),
        pytest.param("￥1,234,567.89", 123_456_789, id="full-width sign, millions"),
    ],
)
def test_parse_yuan(text: str, amount: int) -> None:
    assert parse_yuan(text) == amount


@pytest.mark.parametrize("text", ["", "abc", "1.234", "1,23", "12.", "1e3", "NaN", "12万", "1 2"])
def test_parse_yuan_refuses(text: str) -> None:
    with pytest.raises(MoneyTextError, match="is not an amount in yuan"):
        parse_yuan(text)


@given(st.integers(-(10**15), 10**15))
def test_what_is_written_reads_back(amount: int) -> None:
    assert parse_yuan(format_yuan(amount)) == amount
