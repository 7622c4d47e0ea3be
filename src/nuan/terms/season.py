"""The heating season (供暖季): from the first moment owed to the last.

A season has an inclusive day count (15 Oct … 15 Apr: 183, or 184 with a 29 February) by which fees are divided, and a half-open
interval of moments `[start, end)` by which rooms are judged. A law that turns at noon has half days at both ends; its day count is the
number of 24-hour spans (14 Nov 12:00 … 15 Mar 12:00 of a common year: 121).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from nuan.terms.intervals import Interval
from nuan.terms.places import CHINA, DAY_S, day_number, to_epoch


class SeasonError(ValueError):
    """Dates that make no season."""


def _clock(text: str) -> timedelta:
    hours, _, minutes = text.partition(":")
    span = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if not timedelta(0) <= span <= timedelta(days=1):
        raise SeasonError(f"“{text}” is not a time of day between 00:00 and 24:00")
    return span


@dataclass(frozen=True, slots=True)
class WeatherOrder:
    """A dated order that moves an end of a season because of the weather (提前供热, 延期停热)."""

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
        """The number by which a season fee is divided."""
        inclusive = (self.last_day - self.first_day).days + 1
        return inclusive - 1 if self.turns_at_noon else inclusive

    @property
    def interval(self) -> Interval:
        return Interval(to_epoch(self.start), to_epoch(self.end))

    @property
    def day_numbers(self) -> range:
        """All local days that the season touches, half days included."""
        return range(day_number(self.first_day), day_number(self.last_day) + 1)

    @property
    def months(self) -> int:
        """Whole months of the season, by which "one month" of a season fee may be meant: 15 Oct … 15 Apr are six."""
        first, last = self.first_day, self.last_day
        span = (last.year - first.year) * 12 + last.month - first.month
        return span + (1 if last.day - first.day >= 15 else 0) if last.day >= first.day else span

    def hours_due(self, day: int) -> int:
        """How many hours of a local day the season covers."""
        start = max(day * DAY_S - 8 * 3600, to_epoch(self.start))
        end = min((day + 1) * DAY_S - 8 * 3600, to_epoch(self.end))
        return max(0, (end - start) // 3600)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class SeasonRule:
    """When a place heats, every year: month, day and clock time of both ends. `end_time` "24:00" is the end of that day."""

    start_month: int
    start_day: int
    end_month: int
    end_day: int
    start_time: str = "00:00"
    end_time: str = "24:00"

    def season(self, year: int, orders: Sequence[WeatherOrder] = (), known_on: date | None = None) -> Season:
        """The season that begins in `year`, with the weather orders issued by `known_on` (all when not given).

        >>> SeasonRule(10, 15, 4, 15).season(2025).days, SeasonRule(10, 15, 4, 15).season(2027).days
        (183, 184)
        """
        first = date(year, self.start_month, self.start_day)
        crosses = (self.end_month, self.end_day) <= (self.start_month, self.start_day)
        last = date(year + crosses, self.end_month, self.end_day)
        for order in sorted(orders, key=lambda each: each.issued_on):
            if known_on is not None and order.issued_on > known_on:
                continue
            first = order.new_first_day or first
            last = order.new_last_day or last
        return Season(
            first_day=first,
            last_day=last,
            start=datetime.combine(first, time(0), CHINA) + _clock(self.start_time),
            end=datetime.combine(last, time(0), CHINA) + _clock(self.end_time),
            turns_at_noon=self.start_time == self.end_time and self.start_time not in {"00:00", "24:00"},
        )
