"""Frames of subject × day as matrices, runs of days, and which days may be judged."""

from itertools import groupby

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.facts.book import FactBook
from nuan.rules.day_grid import DayGrid, any_day, ended_days, first_true, runs
from nuan.rules.threshold import ABSENT
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)
NOON = SeasonRule(11, 14, 3, 15, "12:00", "12:00").season(2025)
DAY, HOUR = 86_400, 3_600


def test_a_missing_row_and_a_null_are_both_absent() -> None:
    frame = pl.DataFrame({"home": ["b", "a", "a"], "day": [11, 10, 11], "min_c100": [1800, None, 1750]})
    laid = DayGrid.of(frame, "home", ["a", "b"], range(10, 13)).lay("min_c100")
    assert laid.tolist() == [[ABSENT, 1750, ABSENT], [ABSENT, 1800, ABSENT]]


def test_strangers_and_other_days_stay_outside() -> None:
    frame = pl.DataFrame({"home": ["z", "a", "a"], "day": [10, 9, 13], "min_c100": [1, 2, 3]})
    assert (DayGrid.of(frame, "home", ["a"], range(10, 13)).lay("min_c100") == ABSENT).all()


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_runs_are_what_counting_by_hand_gives(days: list[bool]) -> None:
    by_hand = [n + 1 if held else 0 for held, group in groupby(days) for n, _ in enumerate(group)]
    mask = np.array([days], dtype=np.bool_)
    assert runs(mask).tolist() == [by_hand]
    assert first_true(mask).tolist() == [days.index(True) if any(days) else ABSENT]
    assert any_day(mask).tolist() == [any(days)]


@pytest.mark.parametrize(
    ("season", "as_of", "days"),
    [
        pytest.param(SEASON, SEASON.interval.start, 0, id="the first moment: nothing has ended"),
        pytest.param(SEASON, SEASON.interval.start + DAY - 1, 0, id="23:59:59 of the first day"),
        pytest.param(SEASON, SEASON.interval.start + DAY, 1, id="24:00 of the first day"),
        pytest.param(SEASON, SEASON.interval.end - 1, 182, id="one second before the end"),
        pytest.param(SEASON, SEASON.interval.end, 183, id="the end"),
        pytest.param(SEASON, SEASON.interval.end + 90 * DAY, 183, id="summer"),
        pytest.param(SEASON, SEASON.interval.start - 90 * DAY, 0, id="before the season"),
        pytest.param(NOON, NOON.interval.end, 122, id="a season that ends at noon ends its last half day then"),
    ],
)
def test_only_days_that_have_ended_are_judged(season: object, as_of: int, days: int) -> None:
    assert len(ended_days(FactBook(season, as_of))) == days  # type: ignore[arg-type]
