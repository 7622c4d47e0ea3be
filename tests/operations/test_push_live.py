"""Live values in the records: the newest stands whoever pushes in whatever order, and each point knows where it hangs."""

import numpy as np
import pytest

from nuan.operations.live import push_live
from nuan.records.monitoring.models import LivePoint, LiveValue
from nuan.telemetry.live import LiveTable
from nuan.telemetry.readings import Flag
from nuan.telemetry.series import SeriesKey, SeriesTable
from small_city import build_city

pytestmark = pytest.mark.django_db
ROOM = SeriesKey("B001-1-0101", "room_temp", "living")
SUPPLY = SeriesKey("H01-S01", "supply_temp")


def pushed(*readings: tuple[SeriesKey, int, int, int, int]) -> int:
    """Readings as (series, time, value, flags, arrival), from a worker of its own."""
    names, table = SeriesTable(), LiveTable()
    names.add(key for key, *_ in readings)
    ids = np.array([names.get(key) for key, *_ in readings], np.uint32)
    t, v, f, a = np.array([each[1:] for each in readings], np.int64).T
    table.update(ids, t, v.astype(np.int32), f.astype(np.uint8), a)
    return push_live(table.changed_since(0), names)


def live(key: SeriesKey) -> LiveValue:
    return LiveValue.objects.get(point__place=key.place, point__quantity=key.quantity)


def test_a_point_knows_where_it_hangs() -> None:
    build_city()
    pushed(
        (ROOM, 100, 2050, 0, 101), (SUPPLY, 100, 4500, 0, 101), (SeriesKey("H02", "primary_supply_temp"), 100, 9000, 0, 101),
        (SeriesKey("X9", "room_temp"), 100, 1900, 0, 101),
    )  # fmt: skip
    columns = ("place", "level", "company_code", "banner_code", "source_code", "station_code", "building_code")
    assert sorted(LivePoint.objects.values_list(*columns)) == [
        ("B001-1-0101", "home", "C01", "150602", "H01", "H01-S01", "B001"),
        ("H01-S01", "substation", "C01", "150602", "H01", "H01-S01", ""),
        ("H02", "source", "C02", "150603", "H02", "", ""),
        ("X9", "", "", "", "", "", ""),
    ]


def test_the_newest_stands_whoever_pushes_first() -> None:
    assert pushed((ROOM, 200, 2050, 0, 201)) == 1
    assert pushed((ROOM, 100, 1500, 0, 300)) == 0
    assert (live(ROOM).value, live(ROOM).any_value, live(ROOM).time_s) == (2050, 2050, 200)
    assert pushed((ROOM, 200, 2050, 0, 201)) == 0
    assert pushed((ROOM, 260, 0, int(Flag.MISSING), 261)) == 1
    now = live(ROOM)
    assert (now.value, now.time_s, now.any_time_s, now.any_flags) == (2050, 200, 260, 1)


def test_a_point_without_a_trusted_reading_has_no_value() -> None:
    pushed((ROOM, 260, 0, int(Flag.MISSING), 261))
    assert (live(ROOM).value, live(ROOM).time_s, live(ROOM).before_value) == (None, None, None)


def test_a_clock_in_the_future_does_not_hide_what_comes_after() -> None:
    pushed((ROOM, 9_999_999_999, 2000, int(Flag.FUTURE), 100))
    pushed((ROOM, 160, 2100, 0, 161))
    assert live(ROOM).any_time_s == 160


def test_the_reading_before_comes_along() -> None:
    pushed((SUPPLY, 100, 4500, 0, 101), (SUPPLY, 160, 4000, 0, 161))
    assert (live(SUPPLY).before_time_s, live(SUPPLY).before_value, live(SUPPLY).value) == (100, 4500, 4000)
