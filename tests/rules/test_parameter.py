"""Numbers with dates: by law and by what was known."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.rules.parameter import ContradictoryAnswersError, DatedValue, PackParameter

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def answer(
    value: Any,
    start: date = date(2022, 10, 15),
    end: date | None = None,
    recorded: date = date.min,
    layer: str = "city",
) -> DatedValue:
    return DatedValue(value, ">=", "°C", start, end, recorded, layer, None, "2.5.2", None, "seen", "")


def parameter(*answers: DatedValue) -> PackParameter:
    return PackParameter("temperature.bedroom_min", "最低温度", "minimum", "°C", answers)


def test_a_later_record_corrects_the_past_but_not_what_was_known_then() -> None:
    number = parameter(answer(18), answer(20, recorded=FEB))
    assert number.at(JAN, known_on=JAN).value == 18
    assert number.at(JAN, known_on=FEB).value == 20
    assert number.at(JAN).value == 20


def test_the_upper_layer_speaks_and_its_silence_is_unknown() -> None:
    assert parameter(answer(None, layer="banner"), answer(18)).at(JAN).value is None
    assert parameter(answer(20, start=FEB, layer="banner"), answer(18)).at(JAN).value == 18


def test_nobody_answers_before_the_law() -> None:
    found = parameter(answer(18)).at(date(2020, 1, 1))
    assert (found.value, found.note) == (None, "未载明")


def test_a_change_in_mid_season_splits_the_period() -> None:
    number = parameter(answer(18, end=FEB), answer(20, start=FEB))
    assert [(first, last, found.value) for first, last, found in number.periods(JAN, MAR)] == [
        (JAN, date(2026, 1, 31), 18),
        (FEB, MAR, 20),
    ]


@pytest.mark.parametrize("first", [FEB, date(2026, 2, 2)])
def test_a_change_on_the_first_day_splits_nothing(first: date) -> None:
    number = parameter(answer(18, end=FEB), answer(20, start=FEB))
    assert [found.value for _, _, found in number.periods(first, MAR)] == [20]


def test_two_answers_to_one_day_are_refused_by_name() -> None:
    with pytest.raises(ContradictoryAnswersError, match=r"bedroom_min.*2026-01-01.*2026-02-01") as error:
        parameter(answer(18, start=JAN), answer(20, start=FEB))
    assert error.value.key == "temperature.bedroom_min"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(answer(20, start=FEB), id="it begins the day the first ends"),
        pytest.param(answer(20, recorded=FEB), id="it was recorded later"),
        pytest.param(answer(20, layer="banner"), id="another layer says it"),
    ],
)
def test_what_is_no_contradiction(other: DatedValue) -> None:
    assert parameter(answer(18, end=FEB), other).at(MAR).value == 20


@given(
    st.lists(st.dates(date(2025, 10, 1), date(2026, 5, 1)), min_size=1, max_size=5, unique=True),
    st.dates(date(2025, 10, 15), date(2025, 12, 31)),
    st.dates(date(2026, 1, 1), date(2026, 4, 15)),
)
def test_periods_cover_every_day_once_with_that_days_answer(starts: list[date], first: date, last: date) -> None:
    edges = sorted(starts)
    ends = [*edges[1:], None]
    number = parameter(*(answer(i, start=a, end=b) for i, (a, b) in enumerate(zip(edges, ends, strict=True))))
    periods = number.periods(first, last)
    assert periods[0][0] == first
    assert periods[-1][1] == last
    for (_, until, _), (start, _, _) in pairwise(periods):
        assert (start - until).days == 1
    for start, until, found in periods:
        assert number.at(start) == found == number.at(until)
