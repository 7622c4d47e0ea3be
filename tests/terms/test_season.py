"""When heat is owed: from the first moment of the first day to the last of the last, wherever a law puts them."""

import itertools
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.terms.intervals import total
from nuan.terms.places import CHINA, day_number, to_epoch
from nuan.terms.season import Season, SeasonError, SeasonRule, WeatherOrder

REGION = SeasonRule(10, 15, 4, 15)
NOON = SeasonRule(11, 14, 3, 15, "12:00", "12:00")


@pytest.mark.parametrize(
    ("rule", "year", "days", "months"),
    [
        pytest.param(REGION, 2025, 183, 6, id="region, common year"),
        pytest.param(REGION, 2027, 184, 6, id="region, with 29 February"),
        pytest.param(NOON, 2025, 121, 4, id="noon to noon counts spans of 24 h"),
        pytest.param(NOON, 2027, 122, 4, id="noon to noon, with 29 February"),
        pytest.param(SeasonRule(11, 16, 4, 5), 2025, 141, 5, id="four months and three weeks are nearest to five"),
        pytest.param(SeasonRule(11, 1, 3, 31), 2025, 151, 5, id="five calendar months"),
        pytest.param(SeasonRule(11, 15, 3, 15), 2025, 121, 4, id="four months and a day"),
        pytest.param(SeasonRule(11, 15, 2, 29), 2025, 106, 3, id="29 February of a common year is its last day"),
        pytest.param(SeasonRule(11, 15, 3, 15, "00:00", "00:00"), 2025, 120, 4, id="ends as its last day begins"),
        pytest.param(SeasonRule(11, 15, 3, 15, "12:00", "24:00"), 2025, 121, 4, id="a first half day counts whole"),
        pytest.param(SeasonRule(11, 1, 2, 14), 2025, 106, 3, id="fourteen days more are not yet half a month"),
        pytest.param(SeasonRule(11, 1, 2, 15), 2025, 107, 4, id="fifteen days more round up"),
        pytest.param(SeasonRule(1, 10, 3, 10), 2026, 60, 2, id="a season within one year"),
    ],
)
def test_days_and_months(rule: SeasonRule, year: int, days: int, months: int) -> None:
    season = rule.season(year)
    assert (season.days, season.months) == (days, months)


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHINA)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("rule", "at", "owed"),
    [
        pytest.param(REGION, moment(2025, 10, 14, 23, 59, 59), False, id="23:59:59 on the eve"),
        pytest.param(REGION, moment(2025, 10, 15), True, id="00:00:00 of the first day"),
        pytest.param(REGION, moment(2026, 4, 15, 23, 59, 59), True, id="23:59:59 of the last day"),
        pytest.param(REGION, moment(2026, 4, 16), False, id="24:00:00 of the last day"),
        pytest.param(NOON, moment(2025, 11, 14, 11, 59, 59), False, id="before noon of the first day"),
        pytest.param(NOON, moment(2025, 11, 14, 12), True, id="noon of the first day"),
        pytest.param(NOON, moment(2026, 3, 15, 11, 59, 59), True, id="before noon of the last day"),
        pytest.param(NOON, moment(2026, 3, 15, 12), False, id="noon of the last day"),
    ],
)
def test_the_moments_at_both_ends(rule: SeasonRule, at: datetime, owed: bool) -> None:
    season = rule.season(2025)
    assert (at in season) is owed
    assert (to_epoch(at) in season.interval) is owed


@pytest.mark.parametrize(
    ("rule", "day", "hours"),
    [
        pytest.param(REGION, date(2025, 10, 14), 0, id="the eve"),
        pytest.param(REGION, date(2025, 10, 15), 24, id="first day in full"),
        pytest.param(REGION, date(2026, 4, 15), 24, id="last day in full"),
        pytest.param(REGION, date(2026, 4, 16), 0, id="the day after"),
        pytest.param(NOON, date(2025, 11, 14), 12, id="first half day"),
        pytest.param(NOON, date(2025, 12, 1), 24, id="between"),
        pytest.param(NOON, date(2026, 3, 15), 12, id="last half day"),
    ],
)
def test_hours_due(rule: SeasonRule, day: date, hours: int) -> None:
    assert rule.season(2025).hours_due(day_number(day)) == hours


rules = st.builds(
    SeasonRule,
    st.integers(9, 12),
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(1, 29),
    st.sampled_from(["00:00", "06:30", "12:00"]),
    st.sampled_from(["24:00", "12:00", "18:30"]),
)


@given(rules, st.integers(1990, 2080))
def test_the_days_cover_the_season_exactly(rule: SeasonRule, year: int) -> None:
    season = rule.season(year)
    intervals = season.day_intervals()
    assert len(intervals) == len(season.day_numbers)
    assert intervals[0].start == season.interval.start
    assert intervals[-1].end == season.interval.end
    assert total(intervals) == season.interval.length
    assert all(a.end == b.start for a, b in itertools.pairwise(intervals))


@given(st.integers(1990, 2080))
def test_a_season_of_whole_days_is_as_long_as_its_day_count(year: int) -> None:
    for rule in (REGION, NOON):
        season = rule.season(year)
        assert season.end - season.start == timedelta(days=season.days)
        assert season.days in {183, 184, 121, 122}


EARLY = WeatherOrder(date(2025, 10, 8), "提前供热通知", new_first_day=date(2025, 10, 10))
LATE = WeatherOrder(date(2026, 4, 10), "延期停热通知", new_last_day=date(2026, 4, 20))
LATER = WeatherOrder(date(2026, 4, 18), "再延期通知", new_last_day=date(2026, 4, 25))


@pytest.mark.parametrize(
    ("orders", "known_on", "ends"),
    [
        pytest.param([], None, ((10, 15), (4, 15)), id="no order"),
        pytest.param([EARLY, LATE], None, ((10, 10), (4, 20)), id="both ends moved"),
        pytest.param([EARLY, LATE], date(2026, 1, 1), ((10, 10), (4, 15)), id="as known in January"),
        pytest.param([LATER, LATE], None, ((10, 15), (4, 25)), id="the later order wins, whatever the sequence"),
        pytest.param([LATER, LATE], date(2026, 4, 17), ((10, 15), (4, 20)), id="before the later order"),
    ],
)
def test_weather_orders(
    orders: list[WeatherOrder], known_on: date | None, ends: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    season = REGION.season(2025, orders, known_on)
    assert ((season.first_day.month, season.first_day.day), (season.last_day.month, season.last_day.day)) == ends
    assert season.end == moment(2026, *ends[1]) + timedelta(days=1)


def test_an_order_moves_only_its_own_season() -> None:
    assert REGION.season(2024, [EARLY, LATE]) == REGION.season(2024)
    assert REGION.season(2026, [EARLY, LATE]) == REGION.season(2026)


@pytest.mark.parametrize(
    ("at", "key"),
    [
        pytest.param(moment(2026, 1, 5), "2025-2026", id="in mid winter"),
        pytest.param(moment(2026, 4, 15, 23, 59, 59), "2025-2026", id="last second"),
        pytest.param(moment(2026, 4, 16), "2026-2027", id="a second later the next is meant"),
        pytest.param(moment(2026, 7, 1), "2026-2027", id="in summer"),
        pytest.param(moment(2026, 12, 31, 23), "2026-2027", id="new year's eve"),
    ],
)
def test_season_of_a_moment(at: datetime, key: str) -> None:
    assert REGION.season_of(at).key == key


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param((13, 1, 4, 15), id="no thirteenth month"),
        pytest.param((10, 15, 4, 31), id="no 31 April"),
        pytest.param((10, 15, 4, 15, "24:01", "24:00"), id="a minute past midnight"),
        pytest.param((10, 15, 4, 15, "noon", "24:00"), id="a word for a clock"),
        pytest.param((10, 15, 4, 15, "12:60", "24:00"), id="sixty minutes"),
    ],
)
def test_dates_that_make_no_season(fields: tuple[int, ...]) -> None:
    with pytest.raises(SeasonError):
        SeasonRule(*fields)


def test_a_season_ends_after_it_starts() -> None:
    with pytest.raises(SeasonError, match="before it starts"):
        Season(date(2026, 1, 2), date(2026, 1, 1), moment(2026, 1, 2), moment(2026, 1, 1))
