"""The heating season (供暖季): from the first moment owed to the last.

A season has an inclusive day count (15 Oct … 15 Apr: 183, or 184 with a 29 February) by which fees are divided, and a half-open
interval of moments `[start, end)` by which rooms are judged. A law that turns at noon has half days at both ends; its day count is the
number of 24-hour spans (14 Nov 12:00 … 15 Mar 12:00 of a common year: 121).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from nuan.terms.calendar import add_months
from nuan.terms.intervals import Interval
from nuan.terms.places import CHINA, DAY_S, HOUR_S, day_start, local_day, to_epoch


class SeasonError(ValueError):
    """Dates that make no season."""


_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})$")
# An order is about the season whose own date lies nearest to the day it names.
_HALF_YEAR = timedelta(days=182)


def _clock(text: str) -> timedelta:
    match = _CLOCK.match(text)
    span = timedelta(hours=int(match[1]), minutes=int(match[2])) if match and int(match[2]) < 60 else None
    if span is None or span > timedelta(days=1):
        raise SeasonError(f"“{text}” is not a time of day between 00:00 and 24:00")
    return span


def _calendar_day(year: int, month: int, day: int) -> date:
    """A law that names 29 February means the last day of that month in a common year."""
    if (month, day) == (2, 29):
        return date(year, 3, 1) - timedelta(days=1)
    return date(year, month, day)


@dataclass(frozen=True, slots=True)
class WeatherOrder:
    """A dated order that moves an end of a season because of the weather (提前供热, 延期停热). The later order wins."""

    issued_on: date
    source: str
    new_first_day: date | None = None
    new_last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Season:
    """One season as it is owed."""

    first_day: date
    last_day: date
    start: datetime
    end: datetime
    turns_at_noon: bool = False

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise SeasonError(f"the season would end ({self.end}) before it starts ({self.start})")

    @property
    def key(self) -> str:
        """`"2025-2026"`: the years of its first and last day."""
        return f"{self.first_day.year}-{self.last_day.year}"

    @property
    def days(self) -> int:
        """The number by which a season fee is divided: the 24-hour spans that the season begins."""
        return -(-self.interval.length // DAY_S)

    @property
    def interval(self) -> Interval:
        return Interval(to_epoch(self.start), to_epoch(self.end))

    @property
    def day_numbers(self) -> range:
        """All local days that the season touches, half days included."""
        bounds = self.interval
        return range(local_day(bounds.start), local_day(bounds.end - 1) + 1)

    @property
    def months(self) -> int:
        """Months of the season to the nearest, where "one month" of a season fee is meant: 15 Oct … 15 Apr are six."""
        after = self.last_day + timedelta(days=0 if self.turns_at_noon else 1)
        whole = (after.year - self.first_day.year) * 12 + after.month - self.first_day.month
        if add_months(self.first_day, whole) > after:
            whole -= 1
        return whole + ((after - add_months(self.first_day, whole)).days >= 15)

    def day_intervals(self) -> list[Interval]:
        """Each local day that the season touches, in epoch seconds, cut at the season's ends: a noon season has half days."""
        bounds = self.interval
        return [
            Interval(max(day_start(day), bounds.start), min(day_start(day + 1), bounds.end)) for day in self.day_numbers
        ]

    def hours_due(self, day: int) -> int:
        """How many hours of a local day the season covers."""
        bounds = self.interval
        return max(0, (min(day_start(day + 1), bounds.end) - max(day_start(day), bounds.start)) // HOUR_S)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def day_named(self, month_day: str) -> date:
        """The day that a rule of this season means by a month and day: the one within it, else the one nearer to one of its ends.

        >>> SeasonRule(10, 15, 4, 15).season(2025).day_named("03-31"), SeasonRule(10, 15, 4, 15).season(2025).day_named("09-15")
        (datetime.date(2026, 3, 31), datetime.date(2025, 9, 15))
        """
        month, day = (int(part) for part in month_day.split("-"))
        found = [_calendar_day(year, month, day) for year in range(self.first_day.year - 1, self.last_day.year + 2)]
        return min(found, key=lambda each: max((self.first_day - each).days, (each - self.last_day).days, 0))


@dataclass(frozen=True, slots=True)
class SeasonRule:
    """When a place heats, every year: month, day and clock time of both ends. `end_time` "24:00" is the end of that day."""

    start_month: int
    start_day: int
    end_month: int
    end_day: int
    start_time: str = "00:00"
    end_time: str = "24:00"

    def __post_init__(self) -> None:
        _clock(self.start_time), _clock(self.end_time)
        try:
            date(2028, self.start_month, self.start_day), date(2028, self.end_month, self.end_day)
        except ValueError:
            raise SeasonError(
                f"a season from {self.start_month}-{self.start_day} to {self.end_month}-{self.end_day}: no such day"
            ) from None

    def season_of(self, moment: datetime, orders: Sequence[WeatherOrder] = (), known_on: date | None = None) -> Season:
        """The season that holds a moment, or the next one to come; in summer that is the coming winter's."""
        for year in (moment.year - 1, moment.year):
            season = self.season(year, orders, known_on)
            if moment < season.end:
                return season
        return self.season(moment.year + 1, orders, known_on)

    def season(self, year: int, orders: Sequence[WeatherOrder] = (), known_on: date | None = None) -> Season:
        """The season that begins in `year`, with the weather orders issued by `known_on` (all when not given).

        >>> SeasonRule(10, 15, 4, 15).season(2025).days, SeasonRule(10, 15, 4, 15).season(2027).days
        (183, 184)
        """
        first = ruled_first = _calendar_day(year, self.start_month, self.start_day)
        crosses = (self.end_month, self.end_day) <= (self.start_month, self.start_day)
        last = ruled_last = _calendar_day(year + crosses, self.end_month, self.end_day)
        for order in sorted(orders, key=lambda each: each.issued_on):
            if known_on is not None and order.issued_on > known_on:
                continue
            if order.new_first_day is not None and abs(order.new_first_day - ruled_first) <= _HALF_YEAR:
                first = order.new_first_day
            if order.new_last_day is not None and abs(order.new_last_day - ruled_last) <= _HALF_YEAR:
                last = order.new_last_day
        return Season(
            first_day=first,
            last_day=last,
            start=datetime.combine(first, time(0), CHINA) + _clock(self.start_time),
            end=datetime.combine(last, time(0), CHINA) + _clock(self.end_time),
            turns_at_noon=self.start_time == self.end_time and self.start_time not in {"00:00", "24:00"},
        )
