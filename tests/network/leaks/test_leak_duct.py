"""Flooded and soaked ducts: chambers that speak, and branches that lose more heat than they did."""

import math

import numpy as np
import pytest
from tests.network.leaks.leak_stage import network

from nuan.network.leaks.duct import DuctWatch
from nuan.network.leaks.points import Point
from nuan.network.leaks.stream import Watch

CHAMBER = {
    "wet": ("1", 0.0, 1.0, 1.0), "water_level": ("m", 0.05, 0.4, 1.0), "temperature": ("C", 22.0, 38.0, 3.0), "humidity": ("%", 70.0, 99.0, 7.0),
}  # fmt: skip


@pytest.mark.parametrize("quantity", CHAMBER)
def test_a_chamber_speaks_once_and_soon(quantity: str) -> None:
    unit, dry, wet, within_h = CHAMBER[quantity]
    pipe = network().pipes["pipe"][3]
    watch = Watch(network(), (Point("k", quantity, unit, "duct", pipe),), locate=False)
    found = []
    for k in range(6 * 24 * 4):
        value = wet if k >= 6 * 24 * 2 else dry + 0.01 * math.sin(k)
        found += watch.push(k * 600.0, np.array([value]))
    assert [(alarm.kind, alarm.pipes[0][0]) for alarm in found] == [("duct_wet", pipe)]
    assert found[0].time_s <= 2 * 86400 + within_h * 3600


@pytest.mark.parametrize("quantity", CHAMBER)
def test_a_dry_chamber_is_silent(quantity: str) -> None:
    unit, dry, _, _ = CHAMBER[quantity]
    watch = Watch(network(), (Point("k", quantity, unit, "duct", "K1"),), locate=False)
    rng = np.random.default_rng(1)
    swing = {"wet": 0.0, "water_level": 0.02, "temperature": 2.0, "humidity": 5.0}[quantity]
    assert [
        alarm for k in range(3000) for alarm in watch.push(k * 600.0, np.array([dry + swing * rng.normal() / 2]))
    ] == []


def _branches(days: int, soaked: set[str], from_day: int, factor: float) -> list:
    """Every third station is measured; behind a soaked pipe the loss grows by `factor`."""
    drawn = network()
    stations = drawn.substations["substation"].to_list()[::3]
    points = [Point("plant", "temperature", "C", "source", "plant", "supply")]
    for name in stations:
        points += [
            Point(f"{name}t", "temperature", "C", "substation", name, "supply"),
            Point(f"{name}q", "flow", "kg/s", "substation", name, "supply"),
        ]
    watch, rng, found = Watch(drawn, tuple(points), locate=False), np.random.default_rng(2), []
    paths = watch.ducts.paths
    loss = {name: 40.0 * len(paths[name]) for name in stations}
    for k in range(days * 24):
        plant, row = 85.0 + rng.normal(0, 0.1), []
        for name in stations:
            flow = 1.0 + 0.3 * math.sin(k / 24 * 2 * math.pi)
            grown = factor if k >= from_day * 24 and soaked & set(paths[name]) else 1.0
            fall = (plant - 6.0) * (1 - math.exp(-loss[name] * grown / (flow * 4190.0)))
            row += [plant - fall + rng.normal(0, 0.05), flow * (1 + rng.normal(0, 0.01))]
        found += watch.push(k * 3600.0, np.array([plant, *row]))
    return found


def test_a_soaked_branch_is_found_by_its_stations() -> None:
    paths = Watch(network(), _points(), locate=False).ducts.paths
    counts = {}
    for path in paths.values():
        for pipe in path:
            counts[pipe] = counts.get(pipe, 0) + 1
    pipe = next(pipe for pipe, count in sorted(counts.items()) if 2 <= count <= 5)
    found = _branches(24, {pipe}, 14, 3.0)
    assert [alarm.kind for alarm in found] == ["duct_heat_loss"]
    assert 15 * 86400 <= found[0].time_s <= 18 * 86400
    assert pipe in [name for name, _ in found[0].pipes[:6]]


def test_no_branch_is_soaked_when_all_stay_as_they_were() -> None:
    assert _branches(40, set(), 0, 1.0) == []


def _points() -> tuple[Point, ...]:
    stations = network().substations["substation"].to_list()[::3]
    return tuple(
        Point(f"{name}{letter}", quantity, unit, "substation", name, "supply")
        for name in stations
        for letter, quantity, unit in (("t", "temperature", "C"), ("q", "flow", "kg/s"))
    )


def test_stations_without_flow_are_not_judged() -> None:
    points = tuple(point for point in _points() if point.quantity == "temperature")
    assert DuctWatch(network(), points).branches == []
