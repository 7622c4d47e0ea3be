"""Half-open intervals of whole numbers (epoch seconds or day numbers) and their set operations."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """`[start, end)`; empty intervals are not allowed."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"an interval must end after it starts: [{self.start}, {self.end})")

    @property
    def length(self) -> int:
        return self.end - self.start

    def __contains__(self, moment: int) -> bool:
        return self.start <= moment < self.end


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same points as sorted, disjoint intervals that do not touch.

    >>> union([Interval(3, 5), Interval(0, 3)])
    [Interval(start=0, end=5)]
    """
    merged: list[Interval] = []
    for each in sorted(intervals):
        if merged and each.start <= merged[-1].end:
            if each.end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, each.end)
        else:
            merged.append(each)
    return merged


def intersect(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    a, b = union(left), union(right)
    found: list[Interval] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i].start, b[j].start), min(a[i].end, b[j].end)
        if start < end:
            found.append(Interval(start, end))
        if a[i].end <= b[j].end:
            i += 1
        else:
            j += 1
    return found


def subtract(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    holes = union(right)
    rest: list[Interval] = []
    for each in union(left):
        start = each.start
        for hole in holes:
            if hole.end <= start:
                continue
            if hole.start >= each.end:
                break
            if hole.start > start:
                rest.append(Interval(start, hole.start))
            start = hole.end
        if start < each.end:
            rest.append(Interval(start, each.end))
    return rest


def clip(intervals: Iterable[Interval], bounds: Interval) -> list[Interval]:
    return intersect(intervals, [bounds])


def total(intervals: Iterable[Interval]) -> int:
    """The number of whole units covered, each counted once."""
    return sum(each.length for each in union(intervals))
