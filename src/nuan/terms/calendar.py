"""The working calendar, and periods of days, working days, months and years as Civil Code articles 201 to 203 count them.

A year whose holidays have not been announced is refused: a deadline that falls there is not known yet.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from nuan.terms.holidays import HOLIDAYS, HolidayYear
from nuan.terms.places import CHINA

ONE_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarYearError(LookupError):
    """The holidays of a year have not been loaded."""

    def __init__(self, year: int, known: list[int]) -> None:
        self.year = year
        years = f"{known[0]} to {known[-1]}" if known else "no year at all"
        super().__init__(
            f"the working calendar knows {years}, not {year}: add that year's notice of holidays to terms/holidays.py "
            f"（工作日历尚无 {year} 年：请按国务院办公厅当年放假通知补录）"
        )


class PeriodError(ValueError):
    """A period that has no length."""


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked. Weekends rest except make-up days; holidays rest whatever the weekday."""

    years: Mapping[int, HolidayYear]
    _rest: frozenset[date] = field(init=False, repr=False)
    _made_up: frozenset[date] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rest = {
            first + n * ONE_DAY
            for each in self.years.values()
            for _, first, last in each.holidays
            for n in range((last - first).days + 1)
        }
        object.__setattr__(self, "_rest", frozenset(rest))
        object.__setattr__(self, "_made_up", frozenset(d for each in self.years.values() for d in each.make_up))

    def is_working_day(self, day: date) -> bool:
        """
        >>> CHINA_CALENDAR.is_working_day(date(2026, 2, 14)), CHINA_CALENDAR.is_working_day(date(2026, 2, 16))
        (True, False)
        """
        if day.year not in self.years:
            raise CalendarYearError(day.year, sorted(self.years))
        return day in self._made_up or (day not in self._rest and day.weekday() < _SATURDAY)

    def holiday_name(self, day: date) -> str | None:
        """The announced holiday that a day belongs to; None on an ordinary day or weekend."""
        if day.year not in self.years:
            raise CalendarYearError(day.year, sorted(self.years))
        for name, first, last in self.years[day.year].holidays:
            if first <= day <= last:
                return name
        return None

    def working_day_from(self, day: date) -> date:
        """The day itself where it is worked, else the first working day after it."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def add_working_days(self, start: date, count: int) -> date:
        """The `count`-th working day after `start`; `start` itself is never counted. Negative counts go back.

        >>> CHINA_CALENDAR.add_working_days(date(2026, 2, 13), 2)
        datetime.date(2026, 2, 24)
        """
        step = ONE_DAY if count >= 0 else -ONE_DAY
        day = start
        for _ in range(abs(count)):
            day += step
            while not self.is_working_day(day):
                day += step
        return day

    def working_days(self, first: date, last: date) -> int:
        """How many working days lie from `first` to `last`, both included; 0 when `last` is earlier."""
        return sum(self.is_working_day(first + n * ONE_DAY) for n in range((last - first).days + 1))


CHINA_CALENDAR = WorkingCalendar(HOLIDAYS)


def add_months(day: date, months: int) -> date:
    """The corresponding day of a later (or earlier) month, or that month's last day where there is none.

    >>> add_months(date(2026, 1, 31), 1), add_months(date(2028, 2, 29), 12)
    (datetime.date(2026, 2, 28), datetime.date(2029, 2, 28))
    """
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))


def last_day_of_period(
    start: date, *, days: int = 0, months: int = 0, years: int = 0, calendar: WorkingCalendar = CHINA_CALENDAR
) -> date:
    """The last day of a period that begins on `start`: that day is not counted, and an end on a rest day runs on.

    Civil Code art. 201 (the first day does not count), 202 (months and years end on the corresponding day, or at the month's
    end), 203 (an end on a statutory holiday moves to the next working day).

    >>> last_day_of_period(date(2026, 1, 16), days=30), last_day_of_period(date(2025, 12, 31), months=2)
    (datetime.date(2026, 2, 24), datetime.date(2026, 2, 28))
    """
    if min(days, months, years) < 0 or days + months + years == 0:
        raise PeriodError(f"a period of {years} years, {months} months and {days} days has no end")
    end = add_months(start, months + 12 * years) + days * ONE_DAY
    return calendar.working_day_from(end)


def last_working_day_of_period(start: date, count: int, calendar: WorkingCalendar = CHINA_CALENDAR) -> date:
    """The last day of a period of `count` working days (工作日); the day it begins on is not counted."""
    if count <= 0:
        raise PeriodError(f"a period of {count} working days has no end")
    return calendar.add_working_days(start, count)


def end_of_day(day: date) -> datetime:
    """24:00 of a local day, at which a period ends (art. 203)."""
    return datetime.combine(day, time(0), CHINA) + ONE_DAY


def end_of_hours(start: datetime, hours: int) -> datetime:
    """A period in hours runs from its very moment, over holidays as over any day (art. 201)."""
    if hours <= 0:
        raise PeriodError(f"a period of {hours} hours has no end")
    if start.tzinfo is None:
        raise PeriodError(f"{start} has no time zone")
    return start + timedelta(hours=hours)
