"""The compiled roll-ups against a slow reader that walks hour by hour and can be checked by eye."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nuan.telemetry.readings import GAP
from nuan.telemetry.rollups.rooms import coldest_room
from nuan.telemetry.rollups.season import BREACHED, MET, NOT_DUE, UNDECIDABLE, Demand, Span, season_rollup
from nuan.terms.places import day_start

DEMAND = Demand(threshold_c100=1800, above_c100=2600, min_covered_pct=75, window_days=3)
WARM, COLD, HOT = 2000, 1700, 2700


def season(days: list[list[int]], first_due: int = 0, end_due: int | None = None, demand: Demand = DEMAND):
    hours = np.array(days, np.int16).reshape(1, -1)
    span = Span(0, len(days), first_due, len(days) * 24 if end_due is None else end_due)
    return season_rollup(hours, span, demand)


def a_day(*changes: tuple[int, int], base: int = WARM) -> list[int]:
    hours = [base] * 24
    for hour, value in changes:
        hours[hour] = value
    return hours


@pytest.mark.parametrize(
    ("hours", "verdict"),
    [
        pytest.param(a_day(), MET, id="warm all day"),
        pytest.param(a_day((5, 1800)), MET, id="exactly 18.00 holds"),
        pytest.param(a_day((5, 1799)), BREACHED, id="17.99 for an hour"),
        pytest.param(a_day(*[(h, GAP) for h in range(6)]), MET, id="18 of 24 hours are three quarters"),
        pytest.param(a_day(*[(h, GAP) for h in range(7)]), UNDECIDABLE, id="17 of 24 hours"),
        pytest.param(a_day((3, COLD), base=GAP), BREACHED, id="one cold hour is known, the rest is not"),
        pytest.param(a_day(base=GAP), UNDECIDABLE, id="silence is not warmth"),
    ],
)
def test_verdict_of_a_day(hours: list[int], verdict: int) -> None:
    assert season([hours])[1].verdicts.tolist() == [[verdict]]


def test_nothing_covered_is_undecidable_even_if_no_coverage_is_demanded() -> None:
    demand = Demand(1800, 2600, 0, 30)
    assert season([a_day(base=GAP)], demand=demand)[1].verdicts.tolist() == [[UNDECIDABLE]]


def test_a_run_goes_on_across_midnight_and_ends_at_a_gap() -> None:
    days, whole = season([a_day((22, COLD), (23, COLD)), a_day((0, COLD), (1, GAP), (2, COLD))])
    assert days.longest.tolist() == [[2, 1]]
    assert whole.longest_below_h.tolist() == [3]
    assert whole.hours_below.tolist() == [4]


def test_a_season_that_turns_at_noon_owes_half_a_day() -> None:
    days, whole = season([a_day((3, COLD)), a_day(), a_day((20, COLD))], first_due=12, end_due=60)
    assert days.covered.tolist() == [[12, 24, 12]]
    assert whole.verdicts.tolist() == [[MET, MET, MET]], "cold before it starts and after it ends is not owed"
    assert season([a_day(), a_day()], first_due=24)[1].verdicts.tolist() == [[NOT_DUE, MET]]


def test_first_and_last_day_are_reported_apart() -> None:
    whole = season([a_day((0, COLD)), a_day(), a_day(base=GAP)])[1]
    assert (whole.first_day[0], whole.last_day[0]) == (BREACHED, UNDECIDABLE)
    assert whole.days_undecidable.tolist() == [1]


@pytest.mark.parametrize(
    ("cold_days", "worst"),
    [
        pytest.param([0, 1, 2], 3, id="three in a row"),
        pytest.param([0, 3], 1, id="the fourth day is outside a window of three"),
        pytest.param([0, 2], 2, id="the third day is inside"),
        pytest.param([], 0, id="none"),
    ],
)
def test_worst_window(cold_days: list[int], worst: int) -> None:
    whole = season([a_day((1, COLD)) if day in cold_days else a_day() for day in range(6)])[1]
    assert whole.worst_window.tolist() == [worst]
    assert whole.days_breached.tolist() == [len(cold_days)]


def test_minimum_mean_and_above() -> None:
    days, whole = season([a_day((0, HOT), (1, HOT), (2, GAP))])
    total = 21 * WARM + 2 * HOT
    assert days.minimum.tolist() == [[WARM]]
    assert days.mean.tolist() == [[(2 * total + 23) // 46]]
    assert days.above.tolist() == [[2]]
    assert (whole.minimum.tolist(), whole.hours_covered.tolist()) == ([WARM], [23])


def test_span_of_a_season() -> None:
    assert Span.of(day_start(100), day_start(103)) == Span(100, 3, 0, 72)
    assert Span.of(day_start(100) + 12 * 3600, day_start(102) + 12 * 3600) == Span(100, 3, 12, 60)


class TestSeveralRooms:
    def combined(self, *rooms: int) -> int:
        table = np.array([[value] for value in rooms], np.int16)
        return int(coldest_room(table, np.zeros(len(rooms), np.int64), 1, 1800)[0, 0])

    @pytest.mark.parametrize(
        ("rooms", "value"),
        [
            pytest.param((2100, 1900), 1900, id="the coldest counts"),
            pytest.param((2100, GAP), GAP, id="a silent room may be cold: not covered"),
            pytest.param((1700, GAP), 1700, id="a cold room is a cold home whatever the other shows"),
            pytest.param((1800, GAP), GAP, id="exactly 18.00 is not cold, the other may be"),
            pytest.param((GAP, GAP), GAP, id="all silent"),
        ],
    )
    def test_an_hour(self, rooms: tuple[int, ...], value: int) -> None:
        assert self.combined(*rooms) == value

    def test_rooms_in_any_order(self) -> None:
        rooms = np.array([[10], [20], [5], [40]], np.int16)
        assert coldest_room(rooms, np.array([1, 0, 1, 0]), 2, 0).tolist() == [[20], [5]]


def slow(hours: NDArray[np.int16], span: Span, demand: Demand) -> dict[str, list[int]]:
    """One home, by loops over lists."""
    due = [h for h in range(span.hours) if span.first_due <= h < span.end_due]
    values = {h: int(hours[h]) for h in due if hours[h] != GAP}
    below = {h for h, value in values.items() if value < demand.threshold_c100}
    verdicts, out = [], {"below": [], "longest": [], "above": [], "covered": [], "minimum": [], "mean": []}
    run = longest = 0
    for h in range(span.hours):
        run = run + 1 if h in below else 0
        longest = max(longest, run)
    for day in range(span.days):
        mine = [h for h in due if h // 24 == day]
        have = [values[h] for h in mine if h in values]
        cold = [h in below for h in range(day * 24, day * 24 + 24)]
        best = max((len(part) for part in "".join("x" if c else " " for c in cold).split()), default=0)
        if not mine:
            verdicts.append(NOT_DUE)
        elif any(cold):
            verdicts.append(BREACHED)
        elif not have or len(have) * 100 < demand.min_covered_pct * len(mine):
            verdicts.append(UNDECIDABLE)
        else:
            verdicts.append(MET)
        out["below"].append(sum(cold))
        out["longest"].append(best)
        out["above"].append(sum(value > demand.above_c100 for value in have))
        out["covered"].append(len(have))
        out["minimum"].append(min(have, default=GAP))
        out["mean"].append((2 * sum(have) + len(have)) // (2 * len(have)) if have else GAP)
    breached = [verdict == BREACHED for verdict in verdicts]
    windows = [sum(breached[at : at + demand.window_days]) for at in range(span.days)]
    whole = {"verdicts": verdicts, "longest_below_h": longest, "hours_below": len(below), "worst_window": max(windows)}
    return out | whole


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(st.sampled_from([GAP, 1700, 1799, 1800, 1801, 2600, 2601, -50]), min_size=96, max_size=96),
    first=st.integers(0, 40),
    owed=st.integers(1, 56),
    percent=st.sampled_from([0, 50, 75, 100]),
    window=st.integers(1, 4),
)
def test_equals_the_slow_reader(cells: list[int], first: int, owed: int, percent: int, window: int) -> None:
    span, demand = Span(0, 4, first, first + owed), Demand(1800, 2600, percent, window)
    hours = np.array([cells], np.int16)
    days, whole = season_rollup(hours, span, demand)
    wanted = slow(hours[0], span, demand)
    for name in ("below", "longest", "above", "covered", "minimum", "mean"):
        assert getattr(days, name)[0].tolist() == wanted[name], name
    for name in ("verdicts", "longest_below_h", "hours_below", "worst_window"):
        assert getattr(whole, name)[0].tolist() == wanted[name], name


def test_a_threshold_that_changes_within_the_season_is_each_days_own() -> None:
    """18 °C until the second day, 20 °C from the third: the same 19 °C is warm before and cold after; the run begins with the change."""
    hours = np.full((1, 96), 1900, np.int16)
    demand = Demand(np.array([1800, 1800, 2000, 2000], np.int16), np.array([1850, 2600, 2600, 2600], np.int16), 75, 3)
    days, season = season_rollup(hours, Span(0, 4, 0, 96), demand)
    assert days.below[0].tolist() == [0, 0, 24, 24]
    assert days.above[0].tolist() == [24, 0, 0, 0]
    assert season.verdicts[0].tolist() == [1, 1, 2, 2]
    assert season.longest_below_h[0] == 48
