"""A number of the law with its dates: valid from and to by law, known from a day on. The answer on a day depends on both.

A change in mid-season splits the period (`PackParameter.periods`); a number is never sampled at the start of a season.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

LATEST = date.max


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One answer to a parameter: valid by law in `[valid_from, valid_to)`, known from `recorded_on` on."""

    value: Any
    compare: str
    unit: str | None
    valid_from: date
    valid_to: date | None
    recorded_on: date
    layer: str
    instrument: str | None
    article: str | None
    quote: str | None
    confidence: str
    note: str

    @property
    def is_known(self) -> bool:
        return self.value is not None

    @property
    def source(self) -> str:
        """`临沂市供热条例（2017年）第三十二条`; 出处未载明 where nothing is known."""
        return f"{self.instrument or ''}{self.article or ''}" or "出处未载明"

    @property
    def span(self) -> str:
        """Layer, dates and the day it was recorded: how an error names it."""
        recorded = "" if self.recorded_on == date.min else f" recorded {self.recorded_on}"
        return f"{self.layer} {self.valid_from}…{self.valid_to or ''}{recorded}"

    def contradicts(self, other: "DatedValue") -> bool:
        """Two answers of one layer to one day, neither recorded later than the other: nobody could say which holds."""
        same_voice = self.layer == other.layer and self.recorded_on == other.recorded_on
        starts_before = self.valid_to is None or other.valid_from < self.valid_to
        ends_after = other.valid_to is None or self.valid_from < other.valid_to
        return same_voice and starts_before and ends_after

    def holds(self, at: date, known_on: date) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to) and self.recorded_on <= known_on


class ContradictoryAnswersError(ValueError):
    """Two answers to one question on one day."""

    def __init__(self, key: str, one: DatedValue, other: DatedValue) -> None:
        self.key, self.answers = key, (one, other)
        super().__init__(f"{key}: {one.span} ({one.value}) and {other.span} ({other.value}) both hold on some days")


@dataclass(frozen=True, slots=True)
class PackParameter:
    """A parameter with all its dated answers, uppermost layer first; the uppermost that answers at a date is heard."""

    key: str
    zh: str
    en: str
    unit: str | None
    answers: tuple[DatedValue, ...]

    def at(self, day: date, known_on: date | None = None) -> DatedValue:
        """The answer in force on `day` by what was known on `known_on`; a 未载明 answer where there is none."""
        known = known_on or LATEST
        holding = [answer for answer in self.answers if answer.holds(day, known)]
        if holding:
            speaking = [answer for answer in holding if answer.layer == holding[0].layer]
            return max(speaking, key=lambda answer: (answer.recorded_on, answer.valid_from))
        return DatedValue(None, "=", self.unit, date.min, None, date.min, "", None, None, None, "unknown", "未载明")

    def __post_init__(self) -> None:
        for one, other in combinations(self.answers, 2):
            if one.contradicts(other):
                raise ContradictoryAnswersError(self.key, one, other)

    def periods(self, first: date, last: date, known_on: date | None = None) -> list[tuple[date, date, DatedValue]]:
        """The stretches of `first … last` (both included) with the one answer that holds in each."""
        after = last + timedelta(days=1)
        edges = [first, *(day for day in self.changes() if first < day < after), after]
        return [(start, stop - timedelta(days=1), self.at(start, known_on)) for start, stop in pairwise(edges)]

    def changes(self) -> list[date]:
        """Law dates on which the answer changes; a period across one of them has to be split there."""
        days = {answer.valid_from for answer in self.answers}
        days |= {answer.valid_to for answer in self.answers if answer.valid_to is not None}
        return sorted(days)
