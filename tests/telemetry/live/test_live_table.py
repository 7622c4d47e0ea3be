"""The newest reading of each point is a function of the set of readings, whatever their order; and it is kept fast."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.live import EXPECTED_EVERY_S, NEVER, LiveTable, stale_after_s
from nuan.telemetry.readings import UNTRUSTED, Flag
from nuan.terms.quantities import QUANTITIES

Reading = tuple[int, int, int, int, int]  # series, time, value, flags, arrival
READINGS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(1000, 1006),
        st.integers(-5, 5),
        st.sampled_from([0, 1, 2, 8, 16, 32, 64, 128]),
        st.integers(1000, 1006),
    ),
    max_size=40,
)


def fed(readings: list[Reading], pieces: int = 1) -> LiveTable:
    table = LiveTable(1)
    for part in np.array_split(np.array(readings, np.int64).reshape(-1, 5), pieces):
        s, t, v, f, a = part.T
        table.update(s.astype(np.uint32), t, v.astype(np.int32), f.astype(np.uint8), a)
    return table


def shown(table: LiveTable) -> dict[int, tuple[int, ...]]:
    got = table.changed_since(0)
    columns = (
        got.any_time_s, got.any_arrival_s, got.any_value, got.any_flags, got.time_s, got.arrival_s, got.value, got.flags,
        got.before_time_s, got.before_value,
    )  # fmt: skip
    return {int(s): tuple(int(c[i]) for c in columns) for i, s in enumerate(got.series)}


def expected(readings: list[Reading]) -> dict[int, tuple[int, ...]]:
    """The same, said slowly: sort, take the last."""
    found = {}
    for series in {reading[0] for reading in readings}:
        own = [reading for reading in readings if reading[0] == series]
        _, t, v, f, a = max(own, key=lambda r: (r[4] if r[3] & Flag.FUTURE else r[1], r[4], r[2] * 256 + r[3]))
        good = sorted((r for r in own if not r[3] & UNTRUSTED), key=lambda r: (r[1], r[4], r[2] * 256 + r[3]))
        newest = good[-1] if good else (series, NEVER, 0, 0, NEVER)
        before = [r for r in good if r[1] < newest[1]]
        last = before[-1] if before else (series, NEVER, 0, 0, NEVER)
        found[series] = (t, a, v, f, newest[1], newest[4], newest[2], newest[3], last[1], last[2])
    return found


@settings(deadline=None)
@given(READINGS, st.integers(1, 5))
def test_the_table_is_what_sorting_says(readings: list[Reading], pieces: int) -> None:
    assert shown(fed(readings, pieces)) == expected(readings)


@settings(deadline=None)
@given(READINGS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(readings: list[Reading], chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(readings)
    chance.shuffle(shuffled)
    assert shown(fed(shuffled, 3)) == shown(fed(readings))


def test_an_older_reading_never_replaces_a_newer_one() -> None:
    table = fed([(0, 200, 2100, 0, 210), (0, 100, 1500, 0, 300)])
    assert table.changed_since(0).value.tolist() == [2100]


def test_a_clock_in_the_future_does_not_hide_the_point_for_ever() -> None:
    table = fed([(0, 9_999_999, 1, int(Flag.FUTURE), 100), (0, 160, 2000, 0, 161)])
    newest = table.changed_since(0)
    assert (int(newest.any_time_s[0]), int(newest.any_value[0])) == (160, 2000)


def test_only_what_changed_is_told() -> None:
    table = fed([(0, 100, 1, 0, 100), (5, 100, 1, 0, 100)])
    tick = table.changed_since(0).tick
    table.update(
        np.array([5, 0], np.uint32), np.array([160, 40]), np.array([2, 2], np.int32), np.zeros(2, np.uint8), 161
    )
    assert table.changed_since(tick).series.tolist() == [0, 5]  # 0: the trusted reading before the newest is known now
    tick = table.changed_since(tick).tick
    table.update(
        np.array([5, 0], np.uint32), np.array([160, 40]), np.array([2, 2], np.int32), np.zeros(2, np.uint8), 161
    )
    assert table.changed_since(tick).series.tolist() == []


def test_every_quantity_has_an_expected_interval() -> None:
    assert set(EXPECTED_EVERY_S) == set(QUANTITIES)
    assert all(stale_after_s(key) > 0 for key in QUANTITIES)


@pytest.mark.parametrize("series", [1_000, 300_000])
def test_five_million_readings_a_second(series: int) -> None:
    """A floor for a machine under load; the number itself is in bench/alarms.py."""
    count = 1_000_000
    chance = np.random.default_rng(1)
    s = chance.integers(0, series, count).astype(np.uint32)
    t = chance.integers(0, 86_400, count)
    v = chance.integers(0, 3000, count).astype(np.int32)
    f = np.zeros(count, np.uint8)
    table = LiveTable(series)
    table.update(s, t, v, f, 0)
    spent = []
    for again in range(3):
        started = time.perf_counter()
        table.update(s, t + again, v, f, again)
        spent.append(time.perf_counter() - started)
    assert count / min(spent) > 1_000_000
