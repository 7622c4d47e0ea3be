"""Working days with 调休, and periods as the Civil Code counts them."""

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.terms.calendar import (
    CHINA_CALENDAR,
    CalendarYearError,
    PeriodError,
    add_months,
    end_of_day,
    end_of_hours,
    last_day_of_period,
    last_working_day_of_period,
)
from nuan.terms.holidays import HOLIDAYS
from nuan.terms.places import CHINA

days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize("year", sorted(HOLIDAYS))
def test_our_table_agrees_with_the_public_one(year: int) -> None:
    day = date(year, 1, 1)
    while day.year == year:
        assert CHINA_CALENDAR.is_working_day(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


@pytest.mark.parametrize("year", sorted(HOLIDAYS))
def test_a_make_up_day_is_a_weekend_and_no_holiday(year: int) -> None:
    assert HOLIDAYS[year].notice
    for day in HOLIDAYS[year].make_up:
        assert day.weekday() >= 5
        assert CHINA_CALENDAR.holiday_name(day) is None


@pytest.mark.parametrize(
    ("day", "worked", "holiday"),
    [
        pytest.param(date(2026, 2, 13), True, None, id="the Friday before"),
        pytest.param(date(2026, 2, 14), True, None, id="a Saturday made up"),
        pytest.param(date(2026, 2, 16), False, "春节", id="a Monday of Spring Festival"),
        pytest.param(date(2026, 2, 24), True, None, id="back to work"),
        pytest.param(date(2026, 3, 1), False, None, id="a plain Sunday"),
        pytest.param(date(2025, 10, 8), False, "国庆节、中秋节", id="the eighth day of a joint holiday"),
    ],
)
def test_days(day: date, worked: bool, holiday: str | None) -> None:
    assert CHINA_CALENDAR.is_working_day(day) is worked
    assert CHINA_CALENDAR.holiday_name(day) == holiday


@pytest.mark.parametrize("year", [pytest.param(2023, id="before"), pytest.param(2027, id="not announced yet")])
def test_a_year_that_was_not_loaded_is_refused(year: int) -> None:
    with pytest.raises(CalendarYearError, match=f"knows 2024 to 2026, not {year}.*工作日历尚无 {year} 年"):
        CHINA_CALENDAR.is_working_day(date(year, 5, 5))
    with pytest.raises(CalendarYearError):
        CHINA_CALENDAR.holiday_name(date(year, 5, 5))


def test_a_deadline_that_falls_into_such_a_year_is_refused_too() -> None:
    with pytest.raises(CalendarYearError, match="2027"):
        CHINA_CALENDAR.add_working_days(date(2026, 12, 31), 1)


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        pytest.param(date(2026, 2, 13), 1, date(2026, 2, 14), id="the made-up Saturday counts"),
        pytest.param(date(2026, 2, 13), 2, date(2026, 2, 24), id="Spring Festival does not"),
        pytest.param(date(2026, 2, 17), 1, date(2026, 2, 24), id="begun on a holiday"),
        pytest.param(date(2026, 3, 6), 0, date(2026, 3, 6), id="none"),
        pytest.param(date(2026, 2, 24), -1, date(2026, 2, 14), id="backwards"),
    ],
)
def test_add_working_days(start: date, count: int, expected: date) -> None:
    assert CHINA_CALENDAR.add_working_days(start, count) == expected


@given(days, st.integers(1, 40))
def test_between_start_and_the_nth_working_day_lie_n_of_them(start: date, count: int) -> None:
    if start > date(2026, 10, 1):
        start = start.replace(year=2025)
    end = CHINA_CALENDAR.add_working_days(start, count)
    assert CHINA_CALENDAR.is_working_day(end)
    assert CHINA_CALENDAR.working_days(start + timedelta(days=1), end) == count


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        pytest.param(date(2026, 1, 5), {"days": 30}, date(2026, 2, 4), id="30 days: the first is not counted"),
        pytest.param(date(2026, 1, 16), {"days": 30}, date(2026, 2, 24), id="ends on the eve's eve of new year, runs on"),
        pytest.param(date(2026, 1, 8), {"days": 30}, date(2026, 2, 9), id="ends on a Saturday, runs to Monday"),
        pytest.param(date(2026, 2, 7), {"days": 7}, date(2026, 2, 14), id="ends on a Saturday that is worked"),
        pytest.param(date(2025, 3, 31), {"months": 1}, date(2025, 4, 30), id="no 31 April: the month's end"),
        pytest.param(date(2026, 1, 31), {"months": 1}, date(2026, 2, 28), id="no 31 February: the month's end, a worked Saturday"),
        pytest.param(date(2024, 2, 29), {"years": 1}, date(2025, 2, 28), id="no 29 February the year after"),
        pytest.param(date(2025, 4, 15), {"months": 6}, date(2025, 10, 15), id="half a year, to the corresponding day"),
        pytest.param(date(2025, 1, 6), {"years": 1, "months": 1, "days": 1}, date(2026, 2, 9), id="a year, a month and a day"),
        pytest.param(date(2025, 12, 31), {"days": 1}, date(2026, 1, 4), id="over new year's holiday to a worked Sunday"),
    ],
)  # fmt: skip
def test_periods(start: date, length: dict[str, int], expected: date) -> None:
    assert last_day_of_period(start, **length) == expected


def test_a_period_of_working_days() -> None:
    assert last_working_day_of_period(date(2026, 2, 12), 3) == date(2026, 2, 24)


@given(st.dates(date(2000, 1, 1), date(2090, 12, 31)), st.integers(-600, 600))
def test_months_keep_the_day_or_take_the_last(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    "length",
    [pytest.param({}, id="nothing"), pytest.param({"days": -1, "years": 2}, id="less than nothing")],
)
def test_a_period_has_a_length(length: dict[str, int]) -> None:
    with pytest.raises(PeriodError):
        last_day_of_period(date(2026, 1, 5), **length)
    with pytest.raises(PeriodError):
        last_working_day_of_period(date(2026, 1, 5), 0)


def test_hours_run_over_holidays_and_a_day_ends_at_24() -> None:
    start = datetime(2026, 2, 16, 23, 30, tzinfo=CHINA)
    assert end_of_hours(start, 24) == datetime(2026, 2, 17, 23, 30, tzinfo=CHINA)
    assert end_of_day(date(2026, 2, 28)) == datetime(2026, 3, 1, tzinfo=CHINA)
    with pytest.raises(PeriodError, match="no time zone"):
        end_of_hours(start.replace(tzinfo=None), 24)
    with pytest.raises(PeriodError):
        end_of_hours(start, 0)
