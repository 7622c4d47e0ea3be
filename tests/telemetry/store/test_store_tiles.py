"""Dense hours: whatever lies in the store, and however, a tile shows the coldest (or mean) trusted reading of each hour, else a gap."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.readings import GAP, UNTRUSTED, Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.telemetry.store.segments import SegmentFile

HOUR = 3600
START = 1_767_196_800
"""2026-01-01 00:00 in China."""
KEYS = [SeriesKey("B0001-1-0101", "room_temp", room) for room in ("living", "bedroom", "kitchen")]
BUCKET = 0
STEPS = (HOUR, 900, 1200, 3601)


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "readings", write=True, buckets=1) as store:
        store.register(KEYS)
        yield store


def put(store: Store, series: int, minutes: list[int], values: list[int], flags: int = 0) -> None:
    time_s = START + 60 * np.array(minutes)
    store.append(ReadingBatch.of(series, time_s, np.array(values, np.int32), flags))


@pytest.mark.parametrize("folded", [False, True], ids=["in the journal", "in segments"])
class TestAnHour:
    def tile(self, store: Store, folded: bool, reduce: str = "min") -> list[list[int]]:
        if folded:
            store.compact()
        return store.dense_hours("room_temp", BUCKET, START, 3, reduce=reduce).hours.tolist()  # type: ignore[arg-type]

    def test_quarters_show_the_coldest(self, store: Store, folded: bool) -> None:
        put(store, 0, [0, 15, 30, 45, 60], [2000, 1790, 1900, 2000, 2100])
        assert self.tile(store, folded)[0] == [1790, 2100, GAP]

    def test_quarters_show_the_mean_where_asked(self, store: Store, folded: bool) -> None:
        put(store, 0, [0, 15, 60, 75], [2000, 2001, -10, -11])
        assert self.tile(store, folded, "mean")[0] == [2001, -11, GAP], "half goes away from zero"

    def test_an_untrusted_quarter_does_not_count(self, store: Store, folded: bool) -> None:
        put(store, 0, [0, 30], [2000, 2010])
        put(store, 0, [15, 60], [100, 100], flags=int(Flag.JUMP))
        assert self.tile(store, folded)[0] == [2000, GAP, GAP]

    def test_reported_as_missing_is_a_gap(self, store: Store, folded: bool) -> None:
        put(store, 1, [0, 120], [1900, 1900])
        put(store, 1, [60], [0], flags=int(Flag.MISSING))
        assert self.tile(store, folded)[1] == [1900, GAP, 1900]

    def test_the_last_second_belongs_to_the_hour(self, store: Store, folded: bool) -> None:
        store.append(ReadingBatch.of(2, np.array([START + HOUR - 1, START + HOUR]), np.array([1700, 1800], np.int32)))
        assert self.tile(store, folded)[2] == [1700, 1800, GAP]

    def test_an_absurd_value_is_no_room(self, store: Store, folded: bool) -> None:
        put(store, 0, [0, 60], [40_000, 2000])
        assert self.tile(store, folded)[0] == [GAP, 2000, GAP]

    def test_a_series_without_readings_has_a_row_of_gaps(self, store: Store, folded: bool) -> None:
        assert self.tile(store, folded) == [[GAP] * 3] * 3


def test_a_correction_in_the_journal_shows_at_once(store: Store) -> None:
    store.load_dense("room_temp", KEYS, START, HOUR, np.full((3, 100), 2000, np.int16))
    put(store, 1, [120], [1500])
    tile = store.dense_hours("room_temp", BUCKET, START, 4)
    assert tile.hours.tolist() == [[2000] * 4, [2000, 2000, 1500, 2000], [2000] * 4]
    some = store.dense_hours("room_temp", BUCKET, START, 4, series=np.array([1], np.uint32))
    assert (some.series.tolist(), some.hours.tolist()) == ([1], [[2000, 2000, 1500, 2000]])


def test_flow_needs_a_wide_tile(store: Store) -> None:
    station = SeriesKey("H01-S03", "flow", "primary")
    store.append(ReadingBatch.of(store.series_id(station), np.array([START]), np.array([123_456], np.int32)))
    tile = store.dense_hours("flow", BUCKET, START, 2, reduce="mean")
    assert (tile.hours.dtype, tile.hours.tolist()) == (np.int32, [[123_456, tile.gap]])


def test_an_hourly_season_is_stored_as_whole_grids(store: Store) -> None:
    """The fast way is taken: every row group is a grid, flags need not be read."""
    values = np.full((3, 24 * 60), 2000, np.int16)
    values[1, 5:9] = GAP
    flags = np.zeros(values.shape, np.uint8)
    flags[2, 30:60] = Flag.STUCK
    store.load_dense("room_temp", KEYS, START, HOUR, values, flags)
    groups = [group for s in store.manifest.segments for group in SegmentFile(store.root / s.path).groups]
    assert all(group.step_s == HOUR and group.untrusted is not None for group in groups)
    wanted = np.where((flags & UNTRUSTED) == 0, values, GAP)
    assert (store.dense_hours("room_temp", BUCKET, START, 24 * 60).hours == wanted).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_equals_a_dictionary_of_hours(data: st.DataObject) -> None:
    """Any mixture of steps, gaps, flags, folds and months, read at any offset."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    reduce = data.draw(st.sampled_from(["min", "mean"]))
    first, hours = data.draw(st.integers(-30, 800)), data.draw(st.integers(1, 900))
    start_s = START + first * HOUR
    cells: dict[tuple[int, int], list[int]] = {}
    with TemporaryDirectory() as folder, Store(folder, write=True, buckets=1) as store:
        store.register(KEYS)
        for series in range(3):
            step = data.draw(st.sampled_from(STEPS))
            count = data.draw(st.integers(0, 1500))
            time_s = START + data.draw(st.integers(0, 7200)) + step * np.arange(count)
            time_s = time_s[rng.random(count) > data.draw(st.sampled_from([0.0, 0.02, 0.7]))]
            value = rng.integers(-500, 3000, len(time_s)).astype(np.int32)
            flags = np.where(rng.random(len(time_s)) < 0.05, np.uint8(Flag.OUT_OF_RANGE), np.uint8(Flag.LATE)).astype(
                np.uint8
            )
            half = data.draw(st.integers(0, len(time_s)))
            for part in (slice(0, half), slice(half, None)):
                store.append(ReadingBatch.of(series, time_s[part], value[part], flags[part]))
                if data.draw(st.booleans()):
                    store.compact()
            for moment, one, flag in zip(time_s.tolist(), value.tolist(), flags.tolist(), strict=True):
                if not flag & UNTRUSTED:
                    cells.setdefault((series, (moment - start_s) // HOUR), []).append(one)
        tile = store.dense_hours("room_temp", BUCKET, start_s, hours, reduce=reduce)
    wanted = np.full((3, hours), GAP)
    for (series, hour), values in cells.items():
        if 0 <= hour < hours:
            total, count = sum(values), len(values)
            mean = (2 * abs(total) + count) // (2 * count) * (1 if total >= 0 else -1)
            wanted[series, hour] = min(values) if reduce == "min" else mean
    np.testing.assert_array_equal(tile.hours, wanted)
