"""What holds and what does not: each kind at its edges; what nobody knows is neither."""

import numpy as np
import pytest
from alarm_town import START, Town

from nuan.telemetry.alarms.conditions import BAND, OFF, ON, UNKNOWN, evaluate, longest_ages
from nuan.telemetry.readings import Flag


def condition(town: Town, code: str, place: str) -> int:
    watches = town.watches
    found, _ = evaluate(watches, town.live(), longest_ages(town.points), town.now)
    return next(int(found[row]) for row in range(len(watches)) if town.name(row) == (code, place))


@pytest.mark.parametrize(
    ("code", "quantity", "value", "expected"),
    [
        pytest.param("station_supply_low", "supply_temp", 2799, ON, id="low: below"),
        pytest.param("station_supply_low", "supply_temp", 2800, BAND, id="low: exactly the limit does not raise"),
        pytest.param("station_supply_low", "supply_temp", 3099, BAND, id="low: in the band"),
        pytest.param("station_supply_low", "supply_temp", 3100, OFF, id="low: clears at its limit"),
        pytest.param("station_pressure_high", "pressure", 8001, ON, id="high: above"),
        pytest.param("station_pressure_high", "pressure", 8000, BAND, id="high: exactly the limit does not raise"),
        pytest.param("station_pressure_high", "pressure", 7500, OFF, id="high: clears at its limit"),
        pytest.param("station_supply_deviation", "supply_temp", 5001, ON, id="deviation: above the set point"),
        pytest.param("station_supply_deviation", "supply_temp", 3999, ON, id="deviation: below the set point"),
        pytest.param("station_supply_deviation", "supply_temp", 4800, OFF, id="deviation: near enough"),
    ],
)
def test_values_against_limits(code: str, quantity: str, value: int, expected: int) -> None:
    town = Town()
    town.values["S1", quantity] = value
    town.at()
    assert condition(town, code, "S1") == expected


def test_a_stale_value_says_nothing_about_now() -> None:
    town = Town()
    town.values["S1", "supply_temp"] = 2000
    town.at()
    town.now += 3600
    assert condition(town, "station_supply_low", "S1") == ON
    town.now += 1
    assert condition(town, "station_supply_low", "S1") == UNKNOWN


def test_a_deviation_needs_both_values() -> None:
    town = Town()
    town.silent = {("S1", "setpoint_temp")}
    town.at()
    assert condition(town, "station_supply_deviation", "S1") == UNKNOWN


@pytest.mark.parametrize(
    ("code", "place", "limit"),
    [
        ("station_point_stale", "S1", 7200),
        ("home_stale", "B1-1", 86_400),
        ("station_silent", "S1", 3600),
        ("gateway_silent", "G1", 3600),
    ],
)
def test_silence_is_counted_from_the_newest_reading(code: str, place: str, limit: int) -> None:
    town = Town()
    town.at()
    town.now += limit
    assert condition(town, code, place) == OFF
    town.now += 1
    assert condition(town, code, place) == ON


def test_one_point_that_speaks_keeps_its_station_from_being_silent() -> None:
    town = Town()
    town.at()
    town.silent = {(p, q) for p, q in town.values if q != "flow"}
    town.at(7000)
    assert condition(town, "station_silent", "S1") == OFF


def test_a_point_that_never_spoke_is_not_stale() -> None:
    town = Town()
    assert condition(town, "station_point_stale", "S1") == UNKNOWN


@pytest.mark.parametrize(
    ("every_s", "values", "expected"),
    [
        pytest.param(600, [4500, 4917, 5334, 5751, 6168], ON, id="25.02 °C an hour"),
        pytest.param(720, [4500, 5000, 5500, 6000, 6500], BAND, id="25 °C an hour exactly"),
        pytest.param(600, [6000, 5500, 5000, 4500, 4000], ON, id="falling counts as well"),
        pytest.param(600, [4500, 4500, 4500, 4500, 9000], OFF, id="one odd value at the end"),
        pytest.param(600, [4500, 4500, 9000, 4500, 4500], OFF, id="one odd value in the middle"),
        pytest.param(600, [9000, 4500, 4500, 4500, 4500], OFF, id="one odd value at the beginning"),
        pytest.param(300, [4500, 4500, 4500, 200, 9000, 4500, 4500], OFF, id="two odd values of seven"),
        pytest.param(600, [4500, 4950, 5400, 300, 6300, 6750], ON, id="27 °C an hour with an odd value in it"),
        pytest.param(600, [4500, 9000, 4500, 9000], UNKNOWN, id="four say nothing yet"),
        pytest.param(3600, [4500, 5500, 6500, 7500, 8500], OFF, id="10 °C an hour"),
    ],
)
def test_rates(every_s: int, values: list[int], expected: int) -> None:
    town = Town()
    for value in values:
        town.values["S1", "supply_temp"] = value
        town.at(every_s)
    assert condition(town, "station_supply_rate", "S1") == expected


def test_stuck_is_what_the_flag_says() -> None:
    town = Town()
    town.flags["S1", "flow"] = int(Flag.STUCK)
    town.at()
    rows = [row for row in range(len(town.watches)) if town.name(row) == ("station_point_stuck", "S1")]
    found, _ = evaluate(town.watches, town.live(), longest_ages(town.points), town.now)
    assert sorted(found[rows].tolist()) == sorted([ON, OFF, OFF, OFF])


def test_a_clock_in_the_future_counts_for_its_arrival() -> None:
    town = Town()
    town.at()
    values = town.live()
    values.any_flags[:] = int(Flag.FUTURE)
    values.any_time_s[:] = START * 10
    assert (values.seen_s() == values.any_arrival_s).all()
    assert np.unique(values.seen_s()).tolist() == [town.now]
