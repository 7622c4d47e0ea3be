"""Letting go by policy: hours stay what they were, gaps stay gaps, evidence stays, and killed at any step nothing is lost."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from test_store_steps import Stopped, stop_before

from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.telemetry.store.policy import PolicyError, default_policy, load_policy
from nuan.telemetry.store.retention import plan, retain

DAY, HOUR = 86_400, 3600
START = 1_767_196_800
"""2026-01-01 00:00 in China."""
FLOW = [SeriesKey("H01-S03", "flow", position) for position in ("primary", "secondary")]
ROOM = SeriesKey("B0001-1-0101", "room_temp")
POLICY = load_policy("flow: {raw_days: 30, steps: {1m: 60, 15m: 365, 1h: forever}}")
LATER = START + 70 * DAY


def fill(store: Store, days: int = 62, step_s: int = 600) -> None:
    rng = np.random.default_rng(4)
    times = START + np.arange(0, days * DAY, step_s, dtype=np.int64)
    for key in (*FLOW, ROOM):
        here = times[rng.random(len(times)) > 0.05]
        values = rng.integers(1500, 2500, len(here)).astype(np.int32)
        flags = np.where(rng.random(len(here)) < 0.05, np.uint8(Flag.OUT_OF_RANGE), np.uint8(0)).astype(np.uint8)
        store.append(ReadingBatch.of(store.series_id(key), here, values, flags))
    store.compact()


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "readings", write=True, buckets=1) as store:
        fill(store)
        yield store


def tiles(store: Store) -> list[list[list[int]]]:
    return [
        store.dense_hours(key, 0, START - 3 * HOUR, 70 * 24, reduce=reduce).hours.tolist()
        for key in ("flow", "room_temp")
        for reduce in ("min", "mean")
    ]


def test_hours_are_what_they_were(store: Store) -> None:
    before = tiles(store)
    report = retain(store, POLICY, LATER)
    assert report.readings > 0
    assert tiles(store) == before == tiles(Store(store.root))
    assert len(store.read(0, START, START + 31 * DAY)) == 0, "January's readings are gone"
    assert len(store.read(0, START + 31 * DAY, LATER)) > 3000, (
        "February's are not: its last day is younger than 30 days"
    )
    assert len(store.read(2, START, LATER)) > 8000, "rooms are not in this policy"
    assert store.verify() == []
    retain(store, POLICY, START + 200 * DAY)
    assert tiles(store) == before, "minutes are gone too, quarters and hours stay"
    assert {file.step_s for file in store.manifest.steps} == {900, 3600}
    assert retain(store, POLICY, START + 200 * DAY).summary == []


def test_each_step_has_low_mean_high_last_and_count(store: Store) -> None:
    before = store.read(0, START + 5 * HOUR, START + 6 * HOUR)
    whole = store.read_steps(0, START, START + 31 * DAY, HOUR)
    retain(store, POLICY, LATER)
    after = store.read_steps(0, START, START + 31 * DAY, HOUR)
    for name in ("series", "time_s", "count", "untrusted", "mean"):
        assert getattr(after, name).tolist() == getattr(whole, name).tolist(), name
    held = whole.count > 0
    for name in ("low", "high", "last"):
        assert getattr(after, name)[held].tolist() == getattr(whole, name)[held].tolist(), name
    good = before.value[before.trusted]
    row = int(np.flatnonzero(after.time_s == START + 5 * HOUR)[0])
    assert (after.low[row], after.high[row], after.last[row], after.count[row]) == (
        good.min(),
        good.max(),
        good[-1],
        len(good),
    )
    sql = f"select count(*), sum(count) from {store.steps_source('flow', 3600)} where series = 0"
    assert duckdb.sql(sql).fetchall() == [(len(after), int(after.count.sum()))]


def test_a_gap_is_not_filled_and_a_silent_sensor_is_no_gap(tmp_path: Path) -> None:
    with Store(tmp_path / "readings", write=True, buckets=1) as store:
        series = store.series_id(FLOW[0])
        moments = np.array([0, 1, 5]) * HOUR + START
        flags = np.array([0, Flag.MISSING, 0], np.uint8)
        store.append(ReadingBatch(np.full(3, series, np.uint32), moments, np.array([5, 0, 7], np.int32), flags))
        retain(store, POLICY, LATER)
        found = store.read_steps(series, START, START + DAY, HOUR)
        assert ((found.time_s - START) // HOUR).tolist() == [0, 1, 5]
        assert (found.count.tolist(), found.untrusted.tolist()) == ([1, 0, 1], [0, 1, 0])
        lows = duckdb.sql(f"select low from {store.steps_source('flow', 3600)} order by time_s").fetchall()
        assert lows == [(5,), (None,), (7,)]


def test_late_readings_fill_open_steps_and_count_once(store: Store) -> None:
    retain(store, POLICY, LATER)
    before = store.read_steps(0, START, START + DAY, HOUR)
    closed = int(before.time_s[3])
    late = np.array([START - HOUR, closed + 60])
    for _ in range(2):
        store.append(ReadingBatch.of(0, late, np.array([1234, 99], np.int32)))
        shown = store.dense_hours("flow", 0, START - HOUR, 2, series=np.array([0], np.uint32)).hours.tolist()
        store.compact()
        report = retain(store, POLICY, LATER)
        assert store.dense_hours("flow", 0, START - HOUR, 2, series=np.array([0], np.uint32)).hours.tolist() == shown
        assert report.readings > 0
    after = store.read_steps(0, START, START + DAY, HOUR)
    assert after.count.sum() in (before.count.sum(), before.count.sum() + 1), "at most the minute that was open"
    assert store.read_steps(0, START - DAY, START, HOUR).low.tolist() == [1234]


def test_live_readings_do_not_hide_what_was_let_go(store: Store) -> None:
    before = tiles(store)[0]
    retain(store, POLICY, LATER)
    store.append(ReadingBatch.of(0, np.array([LATER]), np.array([1], np.int32)))
    assert tiles(store)[0] == before


def test_a_plan_says_what_would_go(store: Store) -> None:
    rows = plan(store.manifest, POLICY, LATER).summary()
    assert [(row["quantity"], row["month"], row["kind"]) for row in rows] == [("flow", "2026-01", "raw")]
    assert plan(store.manifest, POLICY, START + 60 * DAY).summary() == [], "January is over, but not for 30 days"
    assert plan(store.manifest, default_policy(), LATER).summary() == rows


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("room_temp: {raw_days: 400}", "ground"),
        ("flow: {raw_days: 30}", "1h"),
        ("flow: {raw_days: 30, steps: {1h: 90}}", "1h: forever"),
        ("flow: {raw_days: 30, steps: {7m: 90, 1h: forever}}", "7m"),
        ("flow: {raw_days: soon, steps: {1h: forever}}", "soon"),
        ("warmth: {raw_days: forever}", "warmth"),
        ("flow: 30", "raw_days"),
        ("- flow", "table"),
        ("flow: [", "YAML"),
    ],
)
def test_a_policy_that_is_none_is_refused(text: str, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        load_policy(text)


def test_the_default_keeps_all_evidence() -> None:
    policy = default_policy()
    assert {"room_temp", "heat_energy", "outdoor_temp"}.isdisjoint(policy)
    assert (
        load_policy("room_temp: {raw_days: 2000, ground: 诉讼时效已过，法务 2031-05-01}")["room_temp"].raw_days == 2000
    )


def test_stopped_before_each_step(tmp_path: Path) -> None:
    hours: list[list[list[int]]] = []
    step, steps = 0, 1
    while step < steps:
        step += 1
        root = tmp_path / str(step)
        with Store(root, write=True, buckets=1) as store:
            fill(store, days=40, step_s=3 * HOUR)
            hours = hours or tiles(store)[:2]
            with pytest.MonkeyPatch.context() as patch:
                count = stop_before(step, patch)
                try:
                    retain(store, POLICY, LATER)
                except Stopped:
                    steps = step + 1
                else:
                    steps = step
                    assert count() < step
        with Store(root, write=True, buckets=1) as store:
            assert tiles(store)[:2] == hours, f"stopped before step {step}"
            retain(store, POLICY, LATER)
            assert tiles(store)[:2] == hours
            assert store.verify() == []
    assert step > 15, "the steps were not seen"
