"""Flags of a stream: the file's flags wherever the past decides, whatever the batches; repetitions change nothing."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_quality_flags import CASES

from nuan.telemetry.quality import StreamFlags, flag_series
from nuan.telemetry.readings import Flag

HOUR = 3600
START = 1_767_225_600
QUANTITIES = ("room_temp", "outdoor_temp", "supply_temp", "heat_power", "pressure")


def stream(*quantities: str) -> StreamFlags:
    flags = StreamFlags()
    for series, quantity in enumerate(quantities):
        flags.declare(series, quantity, HOUR)
    return flags


def one(flags: StreamFlags, moment: int, value: int, series: int = 0, arrival_s: int | None = None) -> int:
    arrays = np.array([series], np.uint32), np.array([moment], np.int64), np.array([value], np.int32)
    return int(flags.flag(*arrays, moment if arrival_s is None else arrival_s)[0])


@pytest.mark.parametrize(("key", "step_s", "values", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_real_faults_one_by_one(key: str, step_s: int, values: list[int], expected: list[int]) -> None:
    flags = StreamFlags()
    flags.declare(0, key, step_s)
    assert [one(flags, START + step_s * at, value) for at, value in enumerate(values)] == [
        int(each) for each in expected
    ]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_equals_the_flags_of_the_file_for_readings_in_order(data: st.DataObject) -> None:
    """Any mixture of quiet, jumping, resting and missing values, cut into any batches. STUCK: a run's beginning is the file's alone."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    key = data.draw(st.sampled_from(QUANTITIES))
    count = data.draw(st.integers(1, 150))
    times = START + HOUR * np.cumsum(rng.choice([1, 1, 1, 1, 2, 9], count))
    level = {"room_temp": 2100, "outdoor_temp": -500, "supply_temp": 4500, "heat_power": 2000, "pressure": 300}[key]
    wander = np.cumsum(rng.choice([0, 0, 0, 0, 30, -30], (2, count)), axis=1)
    values = (level + wander).astype(np.int32)
    values[rng.random((2, count)) < 0.05] = 0
    values[rng.random((2, count)) < 0.05] += 2500
    values[:, :2] = [level, level + 1][:count]  # a fine step, so that nobody takes it for a coarse sensor
    values[:, count // 3 : count // 3 + data.draw(st.integers(0, 60))] = level
    series = np.repeat([[0], [1]], count, axis=1).astype(np.uint32)
    order = np.argsort(np.tile(times, 2), kind="stable")
    s, t, v = series.ravel()[order], np.tile(times, 2)[order], values.ravel()[order]
    wanted = flag_series(s, t, v, key, HOUR, arrival_s=int(t[-1]))
    flags, found = stream(key, key), []
    cuts = sorted({0, len(s), *data.draw(st.lists(st.integers(0, len(s)), max_size=6))})
    for low, high in pairwise(cuts):
        found.append(flags.flag(s[low:high], t[low:high], v[low:high], int(t[-1])))
    both = np.concatenate(found)
    other = ~np.uint8(Flag.STUCK)
    assert (both & other).tolist() == (wanted & other).tolist()
    assert not (both & ~wanted & np.uint8(Flag.STUCK)).any()


def test_stuck_begins_when_it_has_rested_long_enough() -> None:
    flags = stream("room_temp")
    found = [one(flags, START + HOUR * at, 2150 if at else 2160) for at in range(60)]
    assert found == [0] * 37 + [int(Flag.STUCK)] * 23, "36 hours after the first hour at rest"
    assert one(flags, START + HOUR * 60, 2160) == 0


def test_a_gap_ends_the_run_also_when_the_step_was_learned() -> None:
    flags = StreamFlags()
    flags.declare([0], "room_temp")
    found = [one(flags, START + 900 * at + (40 * HOUR if at > 100 else 0), 2151 - (at == 0)) for at in range(230)]
    assert not any(found), "25 hours before the gap and 32 behind it"
    found = [one(flags, START + 900 * at + 40 * HOUR, 2151) for at in range(230, 260)]
    assert found.index(int(Flag.STUCK)) == 101 + 36 * 4 - 230


def test_a_buffer_sent_twice_changes_nothing() -> None:
    flags = stream("room_temp")
    readings = [(START, 2100), (START + 900, 4400), (START + 1800, 2110)]
    first = [one(flags, *reading) for reading in readings]
    assert first == [0, int(Flag.JUMP), 0]
    assert one(flags, *readings[2]) == 0, "the last again is no second reading"
    again = [one(flags, *reading, arrival_s=START + 9000) for reading in readings]
    assert [bool(late & ~early) for early, late in zip(first, again, strict=True)] == [False] * 3
    assert one(flags, START + 1800, 2300) == int(Flag.DUPLICATE), "another value for the same time"
    assert one(flags, START + 2700, 2120) == 0


def test_a_clock_in_the_future_does_not_make_the_others_late() -> None:
    flags = stream("room_temp")
    assert one(flags, START + 400 * HOUR, 2100, arrival_s=START) == int(Flag.FUTURE)
    assert one(flags, START, 2100) == 0
    assert one(flags, START + 900, 4400) == int(Flag.JUMP)


def test_a_series_that_nobody_declared_has_no_flags() -> None:
    flags = stream("room_temp")
    assert one(flags, START, 0, series=5000) == 0
    flags.declare(5000, "room_temp")
    assert one(flags, START, 0, series=5000) == int(Flag.MISSING | Flag.OUT_OF_RANGE)


def test_millions_a_second() -> None:
    rng = np.random.default_rng(1)
    flags = StreamFlags()
    flags.declare(np.arange(100_000, dtype=np.uint32), "room_temp", HOUR)
    series = rng.integers(0, 100_000, 1_000_000).astype(np.uint32)
    times = START + np.arange(1_000_000, dtype=np.int64)
    values = rng.integers(1900, 2300, 1_000_000).astype(np.int32)
    flags.flag(series[:10], times[:10], values[:10], START + 10_000_000)
    begun = time.process_time()
    flags.flag(series, times, values, START + 10_000_000)
    assert time.process_time() - begun < 0.5, "two million readings a second and core at the very least"
