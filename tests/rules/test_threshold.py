"""A dated number laid over days, with the comparison word of each day."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.rules.pack import contract_layer, load_pack
from nuan.rules.threshold import ABSENT, InexactNumberError, Threshold, scaled
from nuan.terms.places import day_number

FIRST = day_number(date(2025, 10, 15))
DAYS = range(FIRST, FIRST + 10)
KEY = "temperature.bedroom_min"


def threshold(said: Any, scale: int = 100) -> Threshold:
    return Threshold.over(load_pack("directive", above=[contract_layer({KEY: said})]), KEY, DAYS, scale=scale)


@pytest.mark.parametrize(
    ("word", "at_the_line"),
    [(">=", True), (">", False), ("<=", True), ("<", False)],
    ids=["以上", "超过", "以下", "低于"],
)
def test_the_comparison_word_decides_at_the_line(word: str, at_the_line: bool) -> None:
    found = threshold({"value": 18, "compare": word})
    assert found.holds(np.full((1, 10), 1800)).all() == at_the_line


def test_each_day_has_its_own_number_and_word() -> None:
    change = date(2025, 10, 20)
    found = threshold([{"value": 18, "compare": ">=", "to": change}, {"value": 18, "compare": ">", "from": change}])
    assert found.holds(np.full(10, 1800)).tolist() == [True] * 5 + [False] * 5
    assert "2025-10-20" in found.words()


def test_unknown_is_neither_held_nor_a_number() -> None:
    found = threshold({"value": None})
    assert not found.known.any()
    assert not found.holds(np.full(10, 5000)).any()
    assert found.words() == "未载明"
    assert found.last is None


def test_an_absent_value_never_holds_whatever_the_word() -> None:
    assert not threshold({"value": 18, "compare": "<"}).holds(np.full(10, ABSENT)).any()


def test_half_a_hundredth_is_refused() -> None:
    with pytest.raises(InexactNumberError):
        scaled(KEY, "18.005", 100)


@given(st.integers(0, 24), st.integers(1, 24), st.integers(0, 100))
def test_a_share_is_compared_without_rounding(part: int, whole: int, percent: int) -> None:
    found = threshold({"value": percent, "compare": ">="}, scale=1)
    held = found.share_holds(np.full(10, part), np.full(10, whole))
    assert held.all() == (part * 100 >= percent * whole)
    assert held.all() or not held.any()


def test_a_share_of_the_unknown_never_holds() -> None:
    found = threshold({"value": 0, "compare": ">="}, scale=1)
    assert not found.share_holds(np.full(10, ABSENT), np.full(10, 24)).any()
    assert not found.share_holds(np.full(10, 24), np.full(10, ABSENT)).any()
