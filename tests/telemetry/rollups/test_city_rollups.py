"""From the store to homes and stations: rooms of one home, buckets, a late reading, station hours, and the size of it all."""

from pathlib import Path

import numpy as np
import pytest

from nuan.telemetry.readings import GAP, ReadingBatch
from nuan.telemetry.rollups.buckets import city_season, homes_season
from nuan.telemetry.rollups.season import BREACHED, MET, Demand, Span
from nuan.telemetry.rollups.station_hour import station_hours
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

HOUR, DAY = 3600, 86_400
START = 1_767_196_800
SPAN = Span.of(START, START + 40 * DAY)
DEMAND = Demand(threshold_c100=1800, above_c100=2600, min_covered_pct=75, window_days=30)
HOMES = [f"B0001-1-{door:04d}" for door in range(50)]


@pytest.fixture
def store(tmp_path: Path):
    """Fifty homes, the first with two rooms; all warm."""
    keys = [SeriesKey(home, "room_temp", "living") for home in HOMES] + [SeriesKey(HOMES[0], "room_temp", "bedroom")]
    with Store(tmp_path / "readings", write=True, buckets=8) as store:
        store.load_dense("room_temp", keys, START, HOUR, np.full((51, SPAN.hours), 2000, np.int16))
        yield store


def by_home(parts) -> dict[str, list[int]]:
    return {home: part.season.verdicts[row].tolist() for part in parts for row, home in enumerate(part.homes)}


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_home_once_whatever_the_threads(store: Store, threads: int) -> None:
    parts = list(city_season(store, SPAN, DEMAND, threads=threads))
    assert sorted(home for part in parts for home in part.homes) == HOMES
    assert [part.bucket for part in parts] == sorted(part.bucket for part in parts)
    assert set(map(tuple, by_home(parts).values())) == {(MET,) * 40}


def test_a_cold_bedroom_makes_a_cold_home(store: Store) -> None:
    bedroom = store.series_id(SeriesKey(HOMES[0], "room_temp", "bedroom"))
    store.append(ReadingBatch.of(bedroom, np.array([START + 3 * DAY]), np.array([1799], np.int32)))
    found = by_home(city_season(store, SPAN, DEMAND))
    assert [day for day, verdict in enumerate(found[HOMES[0]]) if verdict == BREACHED] == [3]


def test_after_a_late_reading_only_its_home_is_judged_again(store: Store) -> None:
    seen = store.offset
    series = store.series_id(SeriesKey(HOMES[7], "room_temp", "living"))
    store.append(ReadingBatch.of(series, np.array([START + 5 * DAY]), np.array([1500], np.int32)))
    store.compact()
    touched = {store.series.key(row).place for row in store.touched_since(seen)["series"]}
    again = by_home(homes_season(store, touched, SPAN, DEMAND))
    assert list(again) == [HOMES[7]]
    assert again[HOMES[7]] == by_home(city_season(store, SPAN, DEMAND))[HOMES[7]]


def test_homes_nobody_knows_give_nothing(store: Store) -> None:
    assert list(homes_season(store, ["nowhere"], SPAN, DEMAND)) == []


def test_station_hours(store: Store) -> None:
    points = {
        ("supply_temp", "supply"): [4500, 4520, None],
        ("return_temp", "return"): [3800, None, None],
        ("flow", "secondary"): [123_456, 123_460, None],
    }
    for (quantity, position), values in points.items():
        series = store.series_id(SeriesKey("H01-S03", quantity, position))
        for hour, value in enumerate(values):
            if value is not None:
                store.append(ReadingBatch.of(series, np.array([START + HOUR * hour]), np.array([value], np.int32)))
    frame = station_hours(store, START, 3)
    assert frame.columns == [
        "substation",
        "hour_s",
        "outdoor_c100",
        "supply_c100",
        "return_c100",
        "flow_m3h_1000",
        "heat_kw_10",
    ]
    assert frame.rows() == [
        ("H01-S03", START, None, 4500, 3800, 123_456, None),
        ("H01-S03", START + HOUR, None, 4520, None, 123_460, None),
    ]


@pytest.mark.parametrize("noise_c100", [1, 5, 10], ids=lambda noise: f"noise {noise / 100} °C")
@pytest.mark.parametrize("way", ["loaded as grids", "appended day by day"])
def test_at_most_one_byte_a_reading(tmp_path: Path, noise_c100: int, way: str) -> None:
    """All files counted, 1 % of the hours silent; 90 days of 1 000 homes."""
    rng = np.random.default_rng(5)
    homes, hours = 1000, 90 * 24
    swing = 70 * np.sin(np.arange(hours) / 24 * 2 * np.pi)
    drift = np.cumsum(rng.normal(0, 3, (homes, hours)), axis=1)
    values = (2050 + rng.normal(0, 120, (homes, 1)) + swing + drift + rng.normal(0, noise_c100, (homes, hours))).astype(
        np.int16
    )
    values[rng.random(values.shape) < 0.01] = GAP
    keys = [SeriesKey(f"B{home:05d}-1-0101", "room_temp") for home in range(homes)]
    with Store(tmp_path / "readings", write=True, buckets=2) as store:
        if way == "loaded as grids":
            store.load_dense("room_temp", keys, START, HOUR, values)
        else:
            ids = store.register(keys)
            for day in range(90):
                rows, columns = np.nonzero(values[:, day * 24 : day * 24 + 24] != GAP)
                columns += day * 24
                store.append(ReadingBatch.of(ids[rows], START + HOUR * columns, values[rows, columns].astype(np.int32)))
                if day % 7 == 6:
                    store.compact()
            for _ in range(2):  # what the fold before retired is removed by the next
                store.append(
                    ReadingBatch.of(int(ids[0]), np.array([START]), values[0, :1].astype(np.int32), revision=1)
                )
                store.compact()
        stats = store.stats()
    assert stats.readings == (values != GAP).sum()
    assert stats.bytes_per_reading <= 1.0
