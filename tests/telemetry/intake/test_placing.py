"""Values land on the series of their owner, in exact steps; what has no place, no unit or no time is said."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.telemetry.intake.directory import Directory, Gateway, Placed, ProfilePoint
from nuan.telemetry.intake.placing import AHEAD_S, BEHIND_S, Placer, Refused
from nuan.telemetry.protocols.parsed import PointValue
from nuan.telemetry.readings import Flag
from nuan.terms.quantities import convert, to_fixed

NOW = 1_790_000_000
POINTS = {
    "t": ProfilePoint("room_temp"),
    "raw": ProfilePoint("room_temp", "raw", Fraction(1, 10), Fraction(-40)),
    "heat": ProfilePoint("heat_energy", "meter"),
    "p": ProfilePoint("pressure", "supply"),
}
DIRECTORY = Directory(
    1,
    {"G1": Gateway("G1", "C01", "mqtt"), "G2": Gateway("G2", "C02", "mqtt")},
    {},
    {"G1": {"7": Placed("B1-1-0101", POINTS)}},
)


def add(mine: Placer, gateway: str, points: list[PointValue]) -> list[Refused]:
    refused = mine.add(gateway, points, NOW)
    first = len(mine.wanting())
    mine.given(np.arange(first, dtype=np.uint32))
    return refused


def placed(name: str, value: Any, unit: str | None = None) -> int:
    mine = Placer(DIRECTORY)
    assert add(mine, "G1", [PointValue("7", name, NOW, value, unit)]) == []
    return int(mine.take().value[0])


@pytest.mark.parametrize(
    ("name", "value", "unit", "steps"),
    [
        ("t", 20.5, None, 2050),
        ("t", 17.995, None, 1800),
        ("t", 17.994999, None, 1799),
        ("t", Decimal("17.995"), None, 1800),
        ("t", -0.005, None, -1),
        ("t", Fraction(1, 3), None, 33),
        ("raw", 605, None, 2050),
        ("heat", 1, "GJ", 278),
        ("heat", 2_147_483_646, "kWh", 2_147_483_646),
        ("p", 400, "kPa", 4000),
        ("p", Decimal("0.4"), "MPa", 4000),
        ("t", 68, "°F", 2000),
    ],
)
def test_values_in_whole_steps(name: str, value: Any, unit: str | None, steps: int) -> None:
    assert placed(name, value, unit) == steps


@given(
    value=st.decimals(-20_000, 20_000, places=5, allow_nan=False), unit=st.sampled_from(["kPa", "bar", "MPa", "Pa", None])
)  # fmt: skip
def test_floats_and_decimals_land_where_exact_reckoning_lands(value: Decimal, unit: str | None) -> None:
    exact = to_fixed("pressure", convert(Fraction(str(float(value))), unit or "bar", "pressure"))
    assert placed("p", float(value), unit) == exact
    assert placed("p", value, unit) == to_fixed("pressure", convert(Fraction(value), unit or "bar", "pressure"))


@pytest.mark.parametrize(
    ("gateway", "point", "code"),
    [
        ("G1", PointValue("8", "t", NOW, 20), "unknown_device"),
        ("G2", PointValue("7", "t", NOW, 20), "unknown_device"),
        ("G9", PointValue("7", "t", NOW, 20), "unknown_gateway"),
        ("G1", PointValue("7", "x", NOW, 20), "unknown_point"),
        ("G1", PointValue("7", "t", NOW, 20, "bar"), "wrong_unit"),
        ("G1", PointValue("7", "t", NOW, 20, "furlong"), "wrong_unit"),
        ("G1", PointValue("7", "t", NOW, 1e30), "value_range"),
        ("G1", PointValue("7", "t", NOW, float("nan")), "value_range"),
        ("G1", PointValue("7", "t", NOW, 10**400), "value_range"),
        ("G1", PointValue("7", "t", NOW + AHEAD_S + 1, 20), "clock_ahead"),
        ("G1", PointValue("7", "t", NOW - BEHIND_S - 1, 20), "clock_behind"),
        ("G1", PointValue("7", "t", 0, 20), "clock_behind"),
    ],
)
def test_what_has_no_place_is_said_and_the_rest_counts(gateway: str, point: PointValue, code: str) -> None:
    mine = Placer(DIRECTORY)
    good = PointValue("7", "t", None, 21.5)
    assert [refused.code for refused in add(mine, gateway, [point, point])] == [code]
    assert len(mine) == 0
    add(mine, "G1", [point, good] if gateway == "G1" else [good])
    batch = mine.take()
    assert batch.time_s.tolist() == [NOW]
    assert batch.value.tolist() == [2150]


def test_the_edges_of_the_clock_still_count() -> None:
    mine = Placer(DIRECTORY)
    edges = [PointValue("7", "t", NOW + AHEAD_S, 20), PointValue("7", "t", NOW - BEHIND_S, 20)]
    assert add(mine, "G1", edges) == []


def test_missing_is_flagged_and_not_zero_and_a_sick_sensor_is_not_believed() -> None:
    mine = Placer(DIRECTORY)
    points = [PointValue("7", "raw", NOW, None), PointValue("7", "t", NOW, 20, None, ("sensor_fault", "low_battery"))]
    add(mine, "G1", points)
    batch = mine.take()
    assert batch.value.tolist() == [0, 2000]
    assert batch.flags.tolist() == [Flag.MISSING, Flag.OUT_OF_RANGE]


def test_a_new_edition_is_asked_again() -> None:
    mine = Placer(Directory())
    point = [PointValue("7", "t", NOW, 20)]
    assert mine.add("G1", point, NOW) == [Refused("unknown_gateway", "G1")]
    mine.use(DIRECTORY)
    assert mine.add("G1", point, NOW) == []
    assert list(map(str, mine.wanting())) == ["B1-1-0101|room_temp|room"]
    assert mine.owners() == ["G1"]


def test_editions_that_say_the_same_cost_nothing() -> None:
    mine = Placer(DIRECTORY)
    first = mine.line_of("G1", "7", "t")
    for version in range(2, 50):
        mine.use(Directory(version, DIRECTORY.gateways, {}, DIRECTORY.devices))
        assert mine.line_of("G1", "7", "t") == first
    assert len(mine.wanting()) == 1
