"""A dated number laid over the days of a period. A change in mid-season splits the period there; no number is sampled at its start."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.rules.comparison import Comparison
from nuan.rules.pack import Pack
from nuan.rules.parameter import DatedValue
from nuan.rules.trace import Trace
from nuan.terms.places import day_date, day_number

Matrix = NDArray[np.int64]
Mask = NDArray[np.bool_]
ABSENT = -(2**62)
"""Stands in an int64 column where nothing is known; never reckoned with."""


UNITS_ZH = {"day": "天", "home": "户", "report": "份", "month": "个月", "yuan/GJ": "元/GJ"}


class InexactNumberError(ValueError):
    def __init__(self, key: str, value: Any, scale: int) -> None:
        super().__init__(f"{key}: {value} times {scale} is no whole number; give it with fewer decimals")


def scaled(key: str, value: Any, scale: int) -> int:
    """
    >>> scaled("temperature.bedroom_min", "17.5", 100)
    1750
    """
    exact = Fraction(str(value)) * scale
    if exact.denominator != 1:
        raise InexactNumberError(key, value, scale)
    return int(exact)


@dataclass(frozen=True)
class Part:
    """Columns `[start, stop)` of the period in which one answer holds."""

    start: int
    stop: int
    answer: DatedValue
    number: int | None


@dataclass(frozen=True)
class Threshold:
    """`numbers` int64[days], ABSENT where 未载明; `parts` are the stretches with one answer each, in order."""

    key: str
    zh: str
    en: str
    unit: str
    first_day: int
    parts: tuple[Part, ...]
    numbers: Matrix

    @classmethod
    def over(cls, pack: Pack, key: str, days: range, known_on: date | None = None, scale: int = 1) -> "Threshold":
        """The pack's answer for each local day of `days`, times `scale` (100 for 0.01 °C), as known on `known_on`."""
        parameter = pack.parameter(key)
        parts = []
        numbers = np.full(len(days), ABSENT, dtype=np.int64)
        # a book of a season that has not begun has no days, but still knows the number
        last = max(days.stop - 1, days.start)
        for first, until, answer in parameter.periods(day_date(days.start), day_date(last), known_on):
            start, stop = day_number(first) - days.start, day_number(until) + 1 - days.start
            number = None if answer.value is None else scaled(key, answer.value, scale)
            parts.append(Part(start, stop, answer, number))
            if number is not None:
                numbers[start:stop] = number
        return cls(key, parameter.zh, parameter.en, parameter.unit or "", days.start, tuple(parts), numbers)

    @property
    def known(self) -> Mask:
        """bool[days]"""
        return np.asarray(self.numbers != ABSENT)

    def holds(self, values: Matrix) -> Mask:
        """Whether `values[…, day]` satisfy the comparison word of that day; False where no number is known or the value is ABSENT."""
        found = np.zeros(values.shape, dtype=np.bool_)
        for part in self.parts:
            if part.number is not None:
                column = values[..., part.start : part.stop]
                found[..., part.start : part.stop] = (column != ABSENT) & self.compare(part).holds(column, part.number)
        return found

    def share_holds(self, part_of: Matrix, whole: Matrix) -> Mask:
        """Whether `part_of / whole` satisfies a percentage, by cross-multiplication, so that no quotient is rounded."""
        known = (part_of != ABSENT) & (whole != ABSENT)
        left, right = np.where(known, part_of, 0) * 100, np.where(known, whole, 0)
        found = np.zeros(left.shape, dtype=np.bool_)
        for part in self.parts:
            if part.number is not None:
                columns = (..., slice(part.start, part.stop))
                difference = left[columns] - right[columns] * part.number
                found[columns] = known[columns] & self.compare(part).holds(difference, 0)
        return found

    def compare(self, part: Part) -> Comparison:
        return Comparison(part.answer.compare)

    def at_column(self, column: int) -> Part:
        """The answer that holds in one column of the period; negative counts from its end."""
        place = column if column >= 0 else len(self.numbers) + column
        return next(part for part in self.parts if part.start <= place < part.stop)

    @property
    def last(self) -> int | None:
        """The number in force at the end of the period; what a summary of the whole period stands against."""
        return self.parts[-1].number if self.parts else None

    def words(self, language: str = "zh") -> str:
        """`≥ 18 °C`, each stretch with its dates where it changes; 未载明 where nothing is known."""
        to, unknown = (" 至 ", "未载明") if language == "zh" else (" to ", "not stated (未载明)")
        said = []
        for part in self.parts:
            answer = part.answer
            sign = "" if answer.compare == "=" else f"{Comparison(answer.compare).sign} "
            unit = UNITS_ZH.get(self.unit, self.unit) if language == "zh" else self.unit
            number = unknown if answer.value is None else f"{sign}{answer.value} {unit}".rstrip()
            span = f"{day_date(self.first_day + part.start)}{to}{day_date(self.first_day + part.stop - 1)}："
            said.append(f"{span if len(self.parts) > 1 else ''}{number}")
        return "；".join(said)

    def source(self) -> str:
        return "；".join(dict.fromkeys(part.answer.source for part in self.parts))

    def tell(self, trace: Trace) -> None:
        """One step: the number, its dates and where it comes from."""
        trace.step(self.zh, self.en, self.words(), self.source(), self.words("en"))
