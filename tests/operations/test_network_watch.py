"""What the network warns of becomes alarms, stays one while it lasts, clears when it is gone, and the engine of the points leaves it alone."""

from datetime import timedelta

import numpy as np
import pytest

import small_network
from nuan.network.leaks.alarm import LEAK, LEAK_END, LEAK_UPDATE
from nuan.network.leaks.alarm import Alarm as Told
from nuan.operations.alarm_acts import acknowledge_alarms, shelve_alarms
from nuan.operations.alarm_tick import alarm_tick
from nuan.operations.network_alarms import LEAK_CODES, LIMIT_CODES, NETWORK_ALARMS
from nuan.operations.network_leak_watch import Kept, leak_tick, leaks_going, step, values_of
from nuan.operations.network_readings import Measured
from nuan.operations.network_run import newest_run, state_of
from nuan.operations.network_twin import twin_of
from nuan.operations.network_watch import UnknownNetworkAlarmError, Warned, limit_warnings, watch_network
from nuan.operations.valve_positions import set_valve
from nuan.records.monitoring.models import Alarm, AlarmChange
from nuan.telemetry.alarms.definitions import Kind
from nuan.terms.quantities import QUANTITIES
from small_city import AS_OF

pytestmark = pytest.mark.usefixtures("city")
LEAK_HERE = Warned("network_leak", "pipe", "P12-G", value=3.2, note="约 3.2 t/h")


@pytest.fixture(autouse=True)
def home(settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path


def leaks(found: list[Warned], minutes: int = 0):  # type: ignore[no-untyped-def]
    return watch_network("C01", found, AS_OF + timedelta(minutes=minutes), codes=LEAK_CODES)


def test_every_kind_can_be_shown_and_told() -> None:
    for about in NETWORK_ALARMS.values():
        assert about.code.startswith("network_")
        assert Kind(about.kind)
        assert not about.quantity or about.quantity in QUANTITIES
        assert about.zh
        assert about.en
    assert set(NETWORK_ALARMS) == LEAK_CODES | LIMIT_CODES
    assert not LEAK_CODES & LIMIT_CODES


def test_a_leak_is_raised_once_and_cleared_when_it_is_gone() -> None:
    assert leaks([LEAK_HERE]).raised == 1
    assert leaks([LEAK_HERE], 10).raised == 0
    alarm = Alarm.objects.get(code="network_leak")
    assert (alarm.place, alarm.level, alarm.value, alarm.company_code, alarm.banner_code) == (
        "P12-G",
        "pipe",
        3200,
        "C01",
        "150602",
    )
    assert leaks([], 20).cleared == 1
    alarm.refresh_from_db()
    assert not alarm.active
    assert alarm.closed_at is None, "nobody has acknowledged it yet"
    acknowledge_alarms([alarm.pk], actor="陈调度", now=AS_OF + timedelta(minutes=30), comment="已补焊")
    alarm.refresh_from_db()
    assert alarm.closed_at is not None
    assert [change.event for change in AlarmChange.objects.order_by("id")] == ["raise", "clear", "acknowledge"]


def test_it_comes_back_as_the_same_alarm_while_nobody_has_closed_it() -> None:
    leaks([LEAK_HERE])
    leaks([], 10)
    leaks([LEAK_HERE], 20)
    assert Alarm.objects.filter(code="network_leak").count() == 1


def test_the_engine_of_the_points_leaves_it_alone() -> None:
    leaks([LEAK_HERE])
    alarm_tick(AS_OF + timedelta(minutes=1))
    assert Alarm.objects.get(code="network_leak").active


def test_a_caller_clears_only_what_it_speaks_for() -> None:
    leaks([LEAK_HERE])
    watch_network("C01", [], AS_OF + timedelta(minutes=1), codes=LIMIT_CODES)
    watch_network("C02", [], AS_OF + timedelta(minutes=1), codes=LEAK_CODES)
    assert Alarm.objects.get(code="network_leak").active


@pytest.mark.parametrize("code", ["network_leak", "station_flow_none", "network_nothing"])
def test_a_code_that_the_caller_does_not_speak_for_is_refused(code: str) -> None:
    with pytest.raises(UnknownNetworkAlarmError):
        watch_network("C01", [Warned(code, "pipe", "P12-G")], AS_OF, codes=LIMIT_CODES)
    assert not Alarm.objects.exists()


def test_unseen_it_goes_one_role_further() -> None:
    leaks([LEAK_HERE])
    leaks([LEAK_HERE], 29)
    assert Alarm.objects.get().escalation_step == 0
    leaks([LEAK_HERE], 31)
    leaks([LEAK_HERE], 90)
    alarm = Alarm.objects.get()
    assert (alarm.escalation_step, alarm.escalated_to) == (1, "city")


def test_a_shelf_ends() -> None:
    leaks([LEAK_HERE])
    alarm = Alarm.objects.get()
    shelve_alarms([alarm.pk], until=AS_OF + timedelta(hours=1), why="在挖", actor="陈调度", now=AS_OF)
    leaks([LEAK_HERE], 30)
    assert Alarm.objects.get().shelved_until is not None
    leaks([LEAK_HERE], 61)
    assert Alarm.objects.get().shelved_until is None


def test_a_sound_network_warns_of_nothing_and_a_starved_one_of_its_stations() -> None:
    small_network.build_network()
    state = state_of(newest_run("C01"))
    twin = twin_of("C01", AS_OF)
    assert limit_warnings(twin, state) == []
    from nuan.operations.network_rehearsal import Scenario, changed
    from nuan.operations.network_run import settled

    hungry = settled(changed(state.arrays.network, Scenario(), 3.0), -5.0)
    codes = {each.code for each in limit_warnings(twin, hungry)}
    assert "network_low_dp" in codes
    named = next(each for each in limit_warnings(twin, hungry) if each.place == "H01-S01")
    assert (named.level, named.station) == ("substation", "H01-S01")


def test_low_pressure_in_hot_water_is_told_as_near_boiling() -> None:
    small_network.build_network()
    from dataclasses import replace

    state = state_of(newest_run("C01"))
    low = replace(state, pressure_bar=state.pressure_bar - 5.1)
    assert {"network_boiling", "network_air"} <= {each.code for each in limit_warnings(twin_of("C01", AS_OF), low)}
    high = replace(state, pressure_bar=state.pressure_bar + 13.0)
    assert "network_overpressure" in {each.code for each in limit_warnings(twin_of("C01", AS_OF), high)}


class Script:
    """A detector that says what it is told to say."""

    def __init__(self, *rows: list[Told]) -> None:
        self.rows = list(rows)

    def push(self, time_s: float, values: np.ndarray) -> list[Told]:
        return self.rows.pop(0)


def test_an_event_of_the_detector_stays_one_alarm_until_its_end() -> None:
    begins = Told(0.0, LEAK, 1, (("P12-G", 0.6), ("P01-G", 0.3)), 4.0, "supply", 0.9, 0.8)
    moves = Told(60.0, LEAK_UPDATE, 1, (("P01-G", 0.7), ("P12-G", 0.2)), 12.0, "supply", 0.9, 0.95)
    kept = Kept("", Script([begins], [], [moves], [Told(90.0, LEAK_END, 1)]), [])  # type: ignore[arg-type]
    row = np.zeros(0)
    first, still, grown, over = (step(kept, at, row) for at in (0, 30, 60, 90))
    assert [(each.code, each.place, each.value) for each in first] == [("network_leak", "P12-G", 4.0)]
    assert still == first
    assert [(each.code, each.place, each.value) for each in grown] == [("network_burst", "P12-G", 12.0)]
    assert "P01-G 70%" in grown[0].note
    assert over == []


def test_a_leak_that_nobody_can_place_is_told_all_the_same() -> None:
    kept = Kept("", Script([Told(0.0, LEAK, 1, size_t_h=4.0)]), [])  # type: ignore[arg-type]
    assert [(each.level, each.place) for each in step(kept, 0, np.zeros(0))] == [("network", "network")]


def test_without_a_make_up_meter_nothing_is_said() -> None:
    small_network.build_network()
    assert leak_tick("C01", AS_OF) is None
    assert leak_tick("C02", AS_OF) is None
    assert leaks_going("C01") == []


def test_the_detector_remembers_from_tick_to_tick_and_its_values_are_in_its_units() -> None:
    from test_network_twin import gauge

    from nuan.operations.network_leak_watch import points_of

    small_network.build_network()
    for minutes in (0, 10):
        at = AS_OF + timedelta(minutes=minutes)
        gauge("H01", "make_up_flow", "make_up", 1.5, at)
        gauge("H01", "primary_supply_temp", "primary", 105.0, at)
        gauge("H01-S01", "pressure", "supply", 4.2, at)
        report = leak_tick("C01", at)
        assert report is not None
        assert report.raised == 0
    series, points = points_of(twin_of("C01", AS_OF))
    assert {(point.quantity, point.asset_kind, point.asset, point.side) for point in points} == {
        ("make_up_flow", "source", "H01", "make_up"), ("temperature", "source", "H01", "supply"), ("pressure", "substation", "X1", "supply"),
    }  # fmt: skip
    seen = Measured({("H01", "make_up_flow", "make_up"): (1.5, 0)}, None)
    row = dict(zip([point.quantity for point in points], values_of(series, points, seen), strict=True))
    assert row["make_up_flow"] == pytest.approx(1.5 * 0.998)
    assert np.isnan(row["pressure"])


def test_turning_a_valve_does_not_disturb_the_detector() -> None:
    from test_network_twin import gauge

    small_network.build_network()
    gauge("H01", "make_up_flow", "make_up", 1.5, AS_OF)
    leak_tick("C01", AS_OF)
    set_valve("C01", "V01a-G", is_open=False, since=AS_OF, reason="检修", actor="陈调度", now=AS_OF)
    assert leak_tick("C01", AS_OF + timedelta(minutes=10)) is not None
