"""Heads, margins and water to drain, against numbers that can be reckoned by hand."""

import numpy as np
import pytest

import small_ring
from nuan.buildings.cooling import Cooling, typical_tau_h
from nuan.buildings.thermal import HomePhysics, simulate
from nuan.network.drainage import segment_pipes, water_m3
from nuan.network.profile import M_PER_BAR, NoWayError, profile, saturation_bar
from nuan.network.steady import State, solve


@pytest.fixture(scope="module")
def state() -> State:
    return solve(small_ring.ring(), ambient_temp_c=5.0)


def test_heads_fall_along_the_supply_and_rise_along_the_return_way_out(state: State) -> None:
    found = profile(state, "H01", "X1")
    assert found.supply.pipes == ["P01-G"]
    assert found.supply.metres[-1] == pytest.approx(1000.0)
    assert (np.diff(found.supply.head_m) <= 1e-6).all()
    assert (np.diff(found.back.head_m) >= -1e-6).all()
    row = state.substations().row(0, named=True)
    stations = state.nodes()
    ends = dict(stations.select("node", "pressure_bar").iter_rows())
    assert found.dp_bar == pytest.approx(row["dp_bar"], abs=0.02), "both ends lie at one height"
    assert found.static_m == pytest.approx(1300.0 + M_PER_BAR * ends["n0-H"])
    assert found.supply.pressure_bar[-1] == pytest.approx(ends["n1-G"])


def test_the_boiling_line_lies_above_the_ground_by_the_steam_pressure(state: State) -> None:
    found = profile(state, "H01", "X1")
    hot = float(found.supply.temp_c[0])
    assert found.supply.boiling_m[0] - found.supply.elevation_m[0] == pytest.approx(
        M_PER_BAR * (saturation_bar(hot) - 1.01325)
    )
    assert found.back.boiling_m == pytest.approx(found.back.elevation_m), "55 °C water boils at no gauge pressure"


@pytest.mark.parametrize(("celsius", "bar"), [(20, 0.0234), (60, 0.1995), (100, 1.0142), (120, 1.987), (150, 4.761)])
def test_saturation_pressure_of_the_steam_tables(celsius: float, bar: float) -> None:
    assert saturation_bar(celsius) == pytest.approx(bar, rel=0.01)


def test_without_an_open_way_there_is_no_profile() -> None:
    closed = small_ring.ring().with_open("valves", ["V01a-G", "V30b-G"], False)
    with pytest.raises(NoWayError):
        profile(solve(closed, ambient_temp_c=5.0), "H01", "X2")


def test_unknown_names_are_key_errors(state: State) -> None:
    with pytest.raises(KeyError):
        profile(state, "H01", "X9")


def test_water_of_a_segment_is_its_clear_volume(state: State) -> None:
    inside = segment_pipes(state, ["P12-G"])
    assert inside == ["P12-G"]
    assert water_m3(state, inside) == pytest.approx(1000 * np.pi / 4 * 0.15**2)


def test_without_valves_the_segment_is_the_whole_side() -> None:
    from bench.network_cases import nuan_network, street_case

    network = nuan_network(street_case(12, 2, seed=4))
    inside = segment_pipes(solve(network, ambient_temp_c=8.0), ["S3"])
    assert {name[0] for name in inside} == {"S"}
    assert len(inside) == network.pipes.height // 2


def test_a_dead_end_behind_an_open_valve_does_not_keep_the_solver_from_settling() -> None:
    """Rounding turns the flow of a dead end round from step to step; its water then was hot and cold by turns."""
    network = small_ring.ring()
    rows = network.pipes.to_dicts()
    spur = {**rows[0], "pipe": "spur", "from_node": "n1-G", "to_node": "end", "twin": ""}
    nodes = [
        *network.nodes.to_dicts(),
        {**network.nodes.to_dicts()[0], "node": "mid"},
        {**network.nodes.to_dicts()[0], "node": "end"},
    ]
    import polars as pl

    valves = [
        *network.valves.to_dicts(),
        {
            **network.valves.to_dicts()[0],
            "valve": "stub",
            "from_node": "n1-G",
            "to_node": "mid",
            "inner_diameter_m": 0.9,
        },
    ]
    grown = network.with_table("nodes", pl.DataFrame(nodes)).with_table("valves", pl.DataFrame(valves))
    grown = grown.with_table("pipes", pl.DataFrame([*rows, {**spur, "from_node": "mid"}]))
    for factor in (1.0, 0.5, 0.2):
        lower = grown.with_table("substations", grown.substations.with_columns(pl.col("heat_kw") * factor))
        assert solve(lower, ambient_temp_c=-5.0).substations()["met"].all()


@pytest.mark.parametrize("outdoor", [-20.0, -5.0, 4.0])
def test_cooling_without_heat_is_what_the_hourly_model_says(outdoor: float) -> None:
    hours, tau = 48, 100.0
    homes = HomePhysics(np.array([tau]), np.array([3.0]), np.zeros(1), np.ones(1), np.zeros(1))
    still = np.zeros(hours)
    cold = np.full((1, hours), -100.0, np.float32)
    hourly = simulate(
        homes, np.array([20.0]), np.full(hours, outdoor), still + 3.0, still, cold, np.zeros(1, np.int64)
    )[0]
    rooms = Cooling(20.0, outdoor, 0.0, tau)
    assert [rooms.after(h + 1.0) for h in range(hours)] == pytest.approx(hourly.tolist(), abs=0.15)
    limit = 18.0
    reached = rooms.hours_until(limit)
    assert reached is not None
    assert rooms.after(reached) == pytest.approx(limit)


def test_half_the_heat_cools_slower_and_not_below_its_end() -> None:
    half, none = Cooling(20.0, -10.0, 0.5, 100.0), Cooling(20.0, -10.0, 0.0, 100.0)
    assert (half.hours_until(18.0) or 0) > (none.hours_until(18.0) or 0)
    assert half.end_c == pytest.approx(6.5)
    assert Cooling(20.0, -10.0, 1.0, 100.0).hours_until(18.0) is None
    assert Cooling(17.0, -10.0, 1.0, 100.0).hours_until(18.0) == 0.0


def test_newer_houses_hold_longer() -> None:
    assert typical_tau_h(1980) == typical_tau_h(None) < typical_tau_h(2005) < typical_tau_h(2022) == typical_tau_h(2050)
