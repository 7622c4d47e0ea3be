"""Live values become alarms: once, after their delay, folded where a place has failed; and a second tick changes nothing."""

from datetime import timedelta

import pytest
from living_city import Living

from nuan.operations.alarm_tick import alarm_tick
from nuan.records.monitoring.models import Alarm, AlarmChange, AlarmPending, TrendSample
from small_city import build_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def living() -> Living:
    build_city()
    city = Living.warm()
    city.minute()
    return city


def events(alarm: Alarm) -> list[str]:
    return [change.event for change in alarm.changes.order_by("id")]


def test_a_healthy_city_is_quiet(living: Living) -> None:
    assert living.minute(5).open == 0
    assert Alarm.objects.count() == AlarmPending.objects.count() == 0


def test_an_alarm_waits_for_its_delay_and_stays_until_it_is_seen(living: Living) -> None:
    living.values["H01-S01", "flow"] = 0.0
    living.minute(5)
    assert living.open() == []
    living.minute()
    assert living.open() == [("station_flow_none", "H01-S01", "active")]
    alarm = Alarm.objects.get()
    assert (alarm.value, alarm.limit_on, alarm.company_code, alarm.banner_code) == (0, 500, "C01", "150602")
    assert alarm.raised_at - alarm.since == timedelta(minutes=5)
    living.values["H01-S01", "flow"] = 40.0
    living.minute(5)
    assert living.open() == [("station_flow_none", "H01-S01", "active")]
    living.minute()
    assert living.open() == [("station_flow_none", "H01-S01", "cleared")]
    living.values["H01-S01", "flow"] = 0.0
    living.minute(6)
    assert living.open() == [("station_flow_none", "H01-S01", "active")]
    assert events(Alarm.objects.get()) == ["raise", "clear", "raise"]


def test_a_short_dip_is_no_alarm(living: Living) -> None:
    living.values["H01-S01", "flow"] = 0.0
    living.minute(4)
    living.values["H01-S01", "flow"] = 40.0
    living.minute()
    living.values["H01-S01", "flow"] = 0.0
    living.minute(4)
    assert living.open() == []


def test_a_stations_outage_is_one_alarm(living: Living) -> None:
    """Homes get cold and meters stand still; the dispatcher sees the station. What is still cold long after it is back comes out."""
    living.values["H01-S01", "flow"] = 0.0
    living.minute(6)
    for home in ("B001-1-0101", "B001-1-0201", "B001-1-0301"):
        living.values[home, "room_temp"] = 12.0
    living.minute(61)
    living.values["H01-S01", "supply_temp"] = 20.0
    living.minute(11)
    assert living.open() == [("station_flow_none", "H01-S01", "active")]
    root = Alarm.objects.get(parent=None)
    assert sorted(root.children.values_list("code", flat=True)) == ["home_cold"] * 3 + [
        "station_supply_low",
        "station_supply_rate",
    ]
    living.values["H01-S01", "flow"], living.values["H01-S01", "supply_temp"] = 40.0, 45.0
    living.values["B001-1-0101", "room_temp"] = 19.0
    living.minute(11)
    assert living.open() == [("station_flow_none", "H01-S01", "cleared")]
    living.values["B001-1-0201", "room_temp"] = 19.0
    living.jump(23.5)
    assert living.open() == [("station_flow_none", "H01-S01", "cleared")]
    living.jump(1)
    assert living.open()[0] == ("home_cold", "B001-1-0301", "active")
    assert [(a.closed_at is not None, events(a)) for a in Alarm.objects.filter(code="home_cold").order_by("place")] == [
        (True, ["raise", "fold", "clear_folded"]), (True, ["raise", "fold", "clear_folded"]), (False, ["raise", "fold", "unfold"]),
    ]  # fmt: skip


def test_what_is_still_bad_comes_out_at_once_where_nothing_is_to_recover(living: Living) -> None:
    living.values["H01-S01", "flow"] = 0.0
    living.minute(6)
    living.values["H01-S01", "pressure"] = 0.5
    living.minute(2)
    assert living.open() == [("station_flow_none", "H01-S01", "active")]
    living.values["H01-S01", "flow"] = 40.0
    living.minute(6)
    assert living.open() == [
        ("station_flow_none", "H01-S01", "cleared"), ("station_pressure_low", "H01-S01", "active")
    ]  # fmt: skip


def test_a_sources_outage_folds_its_stations(living: Living) -> None:
    living.values["H01", "primary_supply_temp"] = 80.0
    living.minute()
    living.values["H01", "primary_supply_temp"] = 30.0
    for station in ("H01-S01", "H01-S02"):
        living.values[station, "supply_temp"] = 20.0
    living.minute(12)
    assert living.open() == [("primary_supply_low", "H01", "active")]
    assert Alarm.objects.get(parent=None).children.count() == 2


def test_children_wait_while_the_outage_above_is_pending(living: Living) -> None:
    """Pressure falls within a minute, the stop of the pumps is known after five: the pressure is no alarm of its own in between."""
    living.values["H01-S01", "flow"] = 0.0
    living.minute()
    living.values["H01-S01", "pressure"] = 0.5
    living.minute(4)
    assert Alarm.objects.count() == 0
    living.minute()
    assert living.open() == [("station_flow_none", "H01-S01", "active")]
    assert Alarm.objects.get(code="station_pressure_low").parent == Alarm.objects.get(parent=None)


def test_what_waits_comes_alone_when_there_is_no_outage(living: Living) -> None:
    living.values["H01-S01", "flow"] = 0.0
    living.minute()
    living.values["H01-S01", "pressure"] = 0.5
    living.minute(3)
    living.values["H01-S01", "flow"] = 40.0
    living.minute()
    assert living.open() == [("station_pressure_low", "H01-S01", "active")]


def test_a_silent_station_is_one_alarm(living: Living) -> None:
    living.silent = {"H01-S01"}
    living.jump(1.1)
    assert living.open() == [("station_silent", "H01-S01", "active")]
    living.jump(1)
    assert Alarm.objects.filter(code="station_point_stale", parent__code="station_silent").count() == 3
    living.silent = set()
    living.minute(3)
    assert living.open() == [("station_silent", "H01-S01", "cleared")]


def test_unknown_is_neither_good_nor_bad(living: Living) -> None:
    living.values["H01-S01", "pressure"] = 0.5
    living.minute(2)
    living.silent = {"H01-S01"}
    living.jump(1.5)
    assert ("station_pressure_low", "H01-S01", "active") not in living.open()  # folded under the silence
    assert Alarm.objects.get(code="station_pressure_low").active


def test_a_tick_again_changes_nothing(living: Living) -> None:
    living.values["H01-S01", "flow"] = 0.0
    living.minute(7)
    before = list(Alarm.objects.values()), AlarmChange.objects.count()
    alarm_tick(living.now)
    alarm_tick(living.now)
    assert (list(Alarm.objects.values()), AlarmChange.objects.count()) == before


def test_one_odd_value_is_no_change_and_a_fall_that_lasts_is(living: Living) -> None:
    """The rate is that of half an hour of samples, five minutes apart; killed and begun anew, the records know them."""
    living.values["H01-S01", "supply_temp"] = 45.0
    living.minute(31)
    living.values["H01-S01", "supply_temp"] = 70.0
    living.minute()
    living.values["H01-S01", "supply_temp"] = 45.0
    living.minute(10)
    assert not Alarm.objects.filter(code="station_supply_rate").exists()
    assert TrendSample.objects.filter(point__place="H01-S01").count() <= 7
    for _ in range(25):
        living.values["H01-S01", "supply_temp"] -= 0.6
        living.minute()
    alarm = Alarm.objects.get(code="station_supply_rate")
    assert alarm.value is not None
    assert 2500 < alarm.value <= 3600, "36 °C an hour, towards which the median goes"
