"""The parts of station health by themselves: the threshold's rate, the exchanger, the ways of running, the words of points."""

import numpy as np
import pytest

from nuan.buildings.cause import ColdFacts, Interruption, Neighbours, causes
from nuan.buildings.health.cusum import Cusum, run_length, threshold
from nuan.buildings.health.hours import counter_power, station_hours
from nuan.buildings.health.physics import signatures, usual_station
from nuan.buildings.health.points import UnknownUnit, guess, meaning
from nuan.buildings.health.ways import ways_of

USUAL = {
    "primary_supply": 80.0, "primary_return": 42.0, "secondary_supply": 47.0, "secondary_return": 41.0, "heat": 300.0,
}  # fmt: skip


@pytest.mark.parametrize(("mean", "k"), [(200.0, 0.5), (400.0, 1.0)])
def test_the_threshold_alarms_as_rarely_as_is_stated(mean: float, k: float) -> None:
    """Simulated on white noise; the formula is known to within a fifth."""
    h = threshold(mean, k)
    dice = np.random.default_rng(1)
    n = 400
    watched = Cusum.of(n, k, h, most=99.0)
    lived, total = np.zeros(n), []
    for step in range(6000):
        lived += 1
        alarmed = watched.step(dice.standard_normal(n), step)
        total += lived[alarmed].tolist()
        lived[alarmed] = 0
        watched.up[alarmed] = watched.down[alarmed] = 0.0
    assert np.mean(total) == pytest.approx(mean, rel=0.2)
    assert run_length(h, k) == pytest.approx(mean, rel=1e-6)


def test_one_wild_value_is_no_alarm_and_a_gap_changes_nothing() -> None:
    watched = Cusum.of(1, 1.0, 4.0)
    assert not watched.step(np.array([500.0]), 0).any()
    before = watched.up.copy()
    watched.step(np.array([np.nan]), 1)
    assert (watched.up == before).all()


def test_the_exchanger_balances() -> None:
    station = usual_station(USUAL)
    assert station is not None
    for each in (station, station.controlled(45.0, 12.0)):
        state = each.solve()
        primary = each.primary_capacity * (state["primary_supply"] - state["primary_return"])
        secondary = each.secondary_capacity * (state["secondary_supply"] - state["secondary_return"])
        assert primary == pytest.approx(state["heat"])
        assert secondary == pytest.approx(state["heat"])
    assert station.solve()["secondary_supply"] == pytest.approx(47.0, abs=1.5)


def test_process_faults_move_what_physics_says() -> None:
    moves = {each.name: each.moves for each in signatures(USUAL)}
    fouled, slow = moves["fouling free 0.5"], moves["flow_loss primary 0.5"]
    assert fouled["primary_return"] > 0 > fouled["heat"]
    assert slow["primary_return"] < 0
    assert slow["secondary_supply"] < 0 > slow["heat"]
    assert signatures({"primary_supply": 80.0}) == []


def test_two_pumps_are_two_ways_of_running() -> None:
    dice = np.random.default_rng(2)
    gap = 5.0 + dice.standard_normal(80) * 0.1
    heat = np.where(np.arange(80) < 45, 24.0, 35.0) * gap
    x = {"heat": heat, "secondary_supply": 40 + gap, "secondary_return": np.full(80, 40.0)}
    assert [int(way.sum()) for way in ways_of(x)] == [45, 35]
    assert [int(way.sum()) for way in ways_of({"heat": heat})] == [80]


def test_a_counter_through_gaps_and_an_exchange() -> None:
    power = counter_power(np.array([10.0, 10.2, np.nan, 10.6, 0.0, 2.0, 2.1]))
    assert power[1] == pytest.approx(200.0)
    assert power[3] == pytest.approx(200.0)
    assert np.isnan(power[[0, 2, 4, 5]]).all()
    assert power[6] == pytest.approx(100.0)


def test_a_silent_station_is_missing_and_one_dead_sensor_is_dead() -> None:
    raw = {"primary_supply": np.array([0.0, 0.0, 80.0]), "secondary_supply": np.array([0.0, 45.0, 45.0])}
    station = station_hours("S1", raw)
    assert station.dead["primary_supply"].tolist() == [False, True, False]
    assert np.isnan(station.values["primary_supply"][:2]).all()


@pytest.mark.parametrize(
    ("quantity", "unit", "side", "channel", "factor"),
    [
        ("temperature", "°C", "primary_supply", "primary_supply", 1.0),
        ("temp", "C", "secondary return", "secondary_return", 1.0),
        ("温度", "℃", "二次供水", "secondary_supply", 1.0),
        ("temperature", "K", "return", "primary_return", 1.0),
        ("power", "MW", "", "heat", 1000.0),
        ("heat", "kW", "secondary", "heat", 1.0),
        ("flow", "kg/s", "primary", "primary_flow", 3.6),
        ("volume_flow", "m³/h", "secondary", "secondary_flow", 1.0),
        ("pressure", "kPa", "secondary_return", "secondary_return_bar", 0.01),
        ("energy", "GJ", "", "energy", 0.277778),
        ("outdoor_temperature", "°C", "", "outdoor", 1.0),
        ("temperature", "°C", "outdoor", "outdoor", 1.0),
        ("setpoint", "°C", "secondary_supply", "setpoint", 1.0),
        ("valve_position", "%", "primary", "valve", 1.0),
    ],
)
def test_words_of_points(quantity: str, unit: str, side: str, channel: str, factor: float) -> None:
    found = meaning(quantity, unit, side)
    assert found is not None
    assert (found.channel, found.factor) == (channel, factor)


def test_words_that_say_nothing_here_and_units_that_nobody_knows() -> None:
    assert meaning("water_level", "m", "tank") is None
    with pytest.raises(UnknownUnit, match="known are"):
        meaning("flow", "furlong", "primary")


@pytest.mark.parametrize(
    ("column", "station", "channel"),
    [("t_ret_prim", "", "primary_return"), ("L12.pe", "L12", "heat"), ("e", "", "energy"), ("t_amb", "", "outdoor"),
     ("S01_secondary_supply_temp", "S01", "secondary_supply"), ("东站 一次供水温度", "东站", "primary_supply")],
)  # fmt: skip
def test_names_of_columns(column: str, station: str, channel: str) -> None:
    found = guess(column)
    assert found is not None
    assert (found[0], found[1].channel) == (station, channel)


WARM = Neighbours(riser=[21.0] * 4, building=[21.0] * 12, station=[21.5] * 40)
COLD_HOUSE = Neighbours(riser=[16.5] * 4, building=[16.5] * 12, station=[21.5] * 40)
COLD_RISER = Neighbours(riser=[16.0] * 4, building=[16.0] * 4 + [21.0] * 20, station=[21.5] * 40)
COLD_ALL = Neighbours(riser=[16.5] * 4, building=[16.5] * 12, station=[16.8] * 40)


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        (ColdFacts(16.5, 18.0, neighbours=WARM), "home"),
        (ColdFacts(16.5, 18.0, neighbours=WARM, valve_percent=0.0), "valve"),
        (ColdFacts(16.5, 18.0, neighbours=WARM, unchanged_h=60), "sensor"),
        (ColdFacts(None, 18.0, neighbours=WARM), "sensor"),
        (ColdFacts(16.5, 18.0, neighbours=WARM, stop_heat=True), "stopped"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_HOUSE, supply_c=55, expected_supply_c=55), "unbalance"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_RISER, supply_c=55, expected_supply_c=55), "riser"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_ALL, supply_c=47, expected_supply_c=55, stations_short=0.0, source_stations=6), "station"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_ALL, supply_c=47, expected_supply_c=55, stations_short=1.0, source_stations=6), "source"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_ALL, interruptions=[Interruption("source", 8, None)]), "interrupted"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_ALL, interruptions=[Interruption("substation", 40, 10)]), "recovering"),
        (ColdFacts(16.5, 18.0, neighbours=COLD_ALL, flow_share=0.5), "station_flow"),
        (ColdFacts(16.5, 18.0), "unknown"),
    ],
)  # fmt: skip
def test_whoever_is_cold_together_has_the_cause_in_common(facts: ColdFacts, first: str) -> None:
    found = causes(facts)
    assert found[0].key == first
    assert all(each.evidence and each.zh and each.remedy_zh for each in found)
    assert all(line[0] and line[1] for each in found for line in each.evidence)


def test_a_warm_home_has_no_cause() -> None:
    assert causes(ColdFacts(19.0, 18.0, neighbours=COLD_ALL)) == []
