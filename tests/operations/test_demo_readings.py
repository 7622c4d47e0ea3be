"""The short cut of the sample city's load gives the very flags that the rules give to every row."""

import numpy as np
import pytest

from nuan.buildings.sample_city import make_city
from nuan.buildings.sample_city import stations as meters
from nuan.operations.demo_readings import _flags, suspicious
from nuan.telemetry.quality import flag_series
from nuan.telemetry.readings import GAP
from nuan.terms.places import HOUR_S


def _by_the_rules(value: np.ndarray, key: str, start_s: int, gap: int, as_of_s: int) -> np.ndarray:
    flags = np.zeros(value.shape, dtype=np.uint8)
    row, hour = np.nonzero(value != gap)
    times = start_s + HOUR_S * hour
    flags[row, hour] = flag_series(
        row.astype(np.uint32), times, value[row, hour].astype(np.int32), key, HOUR_S, as_of_s
    )
    return flags


@pytest.mark.parametrize("hours_known", [4392, 2000], ids=["all known", "half in the future"])
def test_rooms_get_the_flags_of_the_rules(hours_known: int) -> None:
    city = make_city(20_000)
    rooms = city.room_hours(3)
    as_of = rooms.start_s + hours_known * HOUR_S
    flags = _flags(rooms.value, "room_temp", rooms.start_s, GAP, as_of)
    assert np.array_equal(flags, _by_the_rules(rooms.value, "room_temp", rooms.start_s, GAP, as_of))
    assert flags.any()
    assert suspicious(rooms.value, "room_temp", GAP).mean() < 0.2


@pytest.mark.parametrize("point", meters.POINTS)
def test_meters_get_the_flags_of_the_rules(point: str) -> None:
    city = make_city(300)
    value = city.station_hours()[point]
    start, end = city.season.interval.start, city.season.interval.end
    assert np.array_equal(
        _flags(value, point, start, meters.GAP, end), _by_the_rules(value, point, start, meters.GAP, end)
    )


def test_each_fault_is_suspicious() -> None:
    fine = 2000 + 10 * (np.arange(200) % 5).astype(np.int16)
    rows = np.tile(fine, (6, 1))
    rows[1, 50] = 8500
    rows[2, 50] = 0
    rows[3, 50:] += 900
    rows[4, 50:100] = 2000
    rows[5, 50:52] = GAP
    assert suspicious(rows, "room_temp", GAP).tolist() == [False, True, True, True, True, False]
