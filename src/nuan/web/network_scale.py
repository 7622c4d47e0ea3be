"""Values in five classes: round limits, one colour each, and the words of the legend. What is not known is a class of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import floor, isfinite, log10

CLASSES = 5


@dataclass(frozen=True)
class Scale:
    """`cuts` divide the classes, lowest first."""

    cuts: tuple[float, ...]
    unit: str
    digits: int

    @classmethod
    def over(cls, values: Iterable[float], unit: str) -> "Scale":
        """
        >>> Scale.over([2.0, 7.0], "bar").cuts
        (3.0, 4.0, 5.0, 6.0)
        """
        known = [value for value in values if isfinite(value)]
        if not known or max(known) - min(known) < 1e-9:
            return cls((), unit, 1)
        low, high = min(known), max(known)
        step = _nice((high - low) / CLASSES)
        first = floor(low / step + 1e-9) * step
        cuts = tuple(round(first + step * (k + 1), 10) for k in range(CLASSES - 1))
        return cls(cuts, unit, max(0, -floor(log10(step))))

    def of(self, value: float | None) -> int | None:
        """The class, 0 lowest; None: not known.

        >>> Scale((3.0, 4.0), "bar", 0).of(3.5), Scale((3.0, 4.0), "bar", 0).of(None)
        (1, None)
        """
        if value is None or not isfinite(value):
            return None
        return sum(value >= cut for cut in self.cuts)

    @property
    def legend(self) -> list[tuple[int, str]]:
        """Class and words."""
        if not self.cuts:
            return []
        shown = [f"{cut:.{self.digits}f}" for cut in self.cuts]
        middle = [f"{a}–{b}" for a, b in pairwise(shown)]
        words = [f"< {shown[0]}", *middle, f"≥ {shown[-1]}"]
        return [(k, f"{text} {self.unit}") for k, text in enumerate(words)]


def _nice(step: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return float(next(power * part for part in (1.0, 2.0, 2.5, 5.0, 10.0) if power * part >= step * 0.999))
