"""Intervals against sets of points: the slow way that cannot be wrong."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.terms.intervals import Interval, clip, intersect, subtract, total, union

spans = st.tuples(st.integers(-40, 40), st.integers(1, 15)).map(lambda pair: Interval(pair[0], pair[0] + pair[1]))
many = st.lists(spans, max_size=12)


def points(intervals: list[Interval]) -> set[int]:
    return {moment for each in intervals for moment in range(each.start, each.end)}


def in_order(intervals: list[Interval]) -> bool:
    """Sorted, and none touches the next: the one way to write a set of points."""
    return all(a.end < b.start for a, b in itertools.pairwise(intervals))


@given(many)
def test_union(some: list[Interval]) -> None:
    assert points(union(some)) == points(some)
    assert in_order(union(some))
    assert total(some) == len(points(some))


@given(many, many)
def test_intersect(some: list[Interval], others: list[Interval]) -> None:
    assert points(intersect(some, others)) == points(some) & points(others)
    assert in_order(intersect(some, others))


@given(many, many)
def test_subtract(some: list[Interval], others: list[Interval]) -> None:
    assert points(subtract(some, others)) == points(some) - points(others)
    assert in_order(subtract(some, others))


@given(many, spans)
def test_clip(some: list[Interval], bounds: Interval) -> None:
    assert points(clip(some, bounds)) == points(some) & points([bounds])


@pytest.mark.parametrize(("start", "end"), [pytest.param(3, 3, id="empty"), pytest.param(4, 3, id="backwards")])
def test_an_interval_ends_after_it_starts(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Interval(start, end)


def test_the_end_is_outside() -> None:
    day = Interval(0, 86_400)
    assert 0 in day
    assert 86_399 in day
    assert 86_400 not in day
    assert day.length == 86_400
