"""The sample city's readings into the store, bucket by bucket: what a killed load had published stays, the rest follows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from nuan.buildings.sample_city import City, RoomHours, stations
from nuan.telemetry.quality import flag_series
from nuan.telemetry.readings import GAP, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.terms.places import HOUR_S
from nuan.terms.quantities import quantity

Progress = Callable[[str, int, int], None]
POSITION = "living"
READINGS_AT_ONCE = 2_000_000
HOMES_AT_ONCE = 16_000
"""Homes in one published step: fewer steps sync the disk less often, more would need more memory (25 KB a home)."""


def load_readings(root: Path, city: City, as_of_s: int, progress: Progress) -> int:
    """Rooms, stations and the stray clocks up to `as_of_s`; the number of readings now in the store. Again changes nothing."""
    hours = min(city.hours, max(0, (as_of_s - city.season.interval.start) // HOUR_S))
    with Store(root, write=True) as store:
        there = _published(store, "room_temp")
        missing = [bucket for bucket in city.buckets if bucket not in there]
        at_once = max(1, HOMES_AT_ONCE * len(city.buckets) // city.homes)
        for first in range(0, len(missing), at_once):
            group = missing[first : first + at_once]
            parts = []
            for done, bucket in enumerate(group, len(city.buckets) - len(missing) + first):
                progress("rooms", done, len(city.buckets))
                parts.append(city.room_hours(bucket))
            _load_rooms(store, parts, hours, as_of_s)
        progress("rooms", len(city.buckets), len(city.buckets))
        _load_stations(store, city, hours, as_of_s, progress)
        _load_strays(store, city.strays(), as_of_s)
        return store.stats().readings


def _published(store: Store, key: str) -> set[int]:
    """Buckets that hold readings, not only names: a load that was killed may have registered series and stored nothing."""
    return {segment.bucket for segment in store.manifest.segments if segment.quantity == key}


def _load_rooms(store: Store, parts: list[RoomHours], hours: int, as_of_s: int) -> None:
    keys = [SeriesKey(code, "room_temp", POSITION) for part in parts for code in part.codes]
    if not keys or hours == 0:
        return
    value = np.concatenate([part.value[:, :hours] for part in parts])
    start_s = parts[0].start_s
    store.load_dense("room_temp", keys, start_s, HOUR_S, value, _flags(value, "room_temp", start_s, GAP, as_of_s))


def _load_stations(store: Store, city: City, hours: int, as_of_s: int, progress: Progress) -> None:
    wanted = [point for point in stations.POINTS if not _published(store, point)]
    if not wanted or hours == 0:
        return
    points = city.station_hours()
    start = city.season.interval.start
    for done, point in enumerate(wanted):
        progress("stations", done, len(wanted))
        value = np.ascontiguousarray(points[point][:, :hours])
        keys = [SeriesKey(code, point) for code in city.plan.station_codes]
        flags = _flags(value, point, start, stations.GAP, as_of_s)
        store.load_dense(point, keys, start, HOUR_S, value, flags, sentinel=stations.GAP)
    progress("stations", len(wanted), len(wanted))


def _load_strays(store: Store, strays: RoomHours, as_of_s: int) -> None:
    """Readings from clocks in the future come in through the journal, like everything that devices send."""
    if not strays.codes:
        return
    ids = store.register([SeriesKey(code, "room_temp", POSITION) for code in strays.codes])
    length = strays.value.shape[1]
    series = np.repeat(ids, length)
    times = np.tile(strays.start_s + HOUR_S * np.arange(length, dtype=np.int64), len(ids))
    values = strays.value.ravel().astype(np.int32)
    flags = flag_series(series, times, values, "room_temp", HOUR_S, as_of_s)
    first = store.read(int(ids[0]), int(times[0]), int(times[0]) + 1)
    if len(first) == 0:
        store.append(ReadingBatch.of(series, times, values, flags))
        store.compact()


def _flags(
    value: NDArray[np.int16] | NDArray[np.int32], key: str, start_s: int, gap: int, as_of_s: int
) -> NDArray[np.uint8]:
    """The flags of a grid, by the same rules as for readings from a file.

    Rows in which no rule can bite are passed over (most are); the others go through the rules a slice at a time to bound memory.
    """
    flags = np.zeros(value.shape, dtype=np.uint8)
    times = start_s + HOUR_S * np.arange(value.shape[1], dtype=np.int64)
    rows_at_once = max(1, READINGS_AT_ONCE // value.shape[1])
    rows = np.arange(len(value)) if times[-1] > as_of_s else np.flatnonzero(suspicious(value, key, gap))
    for first in range(0, len(rows), rows_at_once):
        chosen = rows[first : first + rows_at_once]
        part = value[chosen]
        row, hour = np.nonzero(part != gap)
        seen = part[row, hour].astype(np.int32)
        flags[chosen[row], hour] = flag_series(row.astype(np.uint32), times[hour], seen, key, HOUR_S, as_of_s)
    return flags


def suspicious(value: NDArray[np.int16] | NDArray[np.int32], key: str, gap: int) -> NDArray[np.bool_]:
    """Rows of an hourly grid in which a reading might get a flag: out of range, zero, a step beyond one hour's allowance, a long rest."""
    what = quantity(key)
    jump = -1 if what.jump_per_hour is None else int(what.jump_per_hour / what.resolution)
    low, high = int(what.low / what.resolution), int(what.high / what.resolution)
    return np.asarray(
        _suspicious(value, gap, low, high, what.zero_is_missing, jump, what.stuck_hours or value.shape[1] + 1)
    )


@njit(cache=True, parallel=True)
def _suspicious(
    value: Any, gap: int, low: int, high: int, zero_is_missing: bool, jump: int, stuck_hours: int
) -> NDArray[np.bool_]:
    found = np.zeros(value.shape[0], dtype=np.bool_)
    for row in prange(value.shape[0]):
        have = False
        before, since = 0, 0
        for hour in range(value.shape[1]):
            seen = int(value[row, hour])
            if seen == gap:
                continue
            if (
                seen < low
                or seen > high
                or (zero_is_missing and seen == 0)
                or (have and jump >= 0 and abs(seen - before) > jump)
            ):
                found[row] = True
            if not have or seen != before:
                since = hour
            elif hour - since >= stuck_hours:
                found[row] = True
            have, before = True, seen
            if found[row]:
                break
    return found
