"""The steady state by what must hold whatever the network: mass and heat balance, loads near nothing, limits that are told."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from bench.network_cases import GROUND_C, Case, nuan_network, street_case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuan.network.graph import Network
from nuan.network.solver.arrays import Arrays
from nuan.network.solver.friction import COLEBROOK, NIKURADSE, SWAMEE_JAIN, factor, loss
from nuan.network.steady import NotSettledError, State, solve

BASE = street_case(1000, 0, seed=1)
HARD: dict[str, Case] = {
    "base": BASE,
    "load 30 %": BASE.loaded(0.3),
    "load 10 %": BASE.loaded(0.1),
    "load 5 %": BASE.loaded(0.05),
    "20 % at zero": BASE.with_zeros(0.2),
    "54 loops": street_case(1000, 54, seed=1),
    "217 loops": street_case(1000, 217, seed=1),
    "244 loops": street_case(1000, 244, seed=1),
    "217 loops at 20 %": street_case(1000, 217, seed=1).loaded(0.2),
}


def imbalance(state: State) -> float:
    """The largest kg/s that appears or vanishes at a node, sources and substations included."""
    edges = state.arrays.edges
    net = np.zeros(len(state.arrays.node_names))
    np.add.at(net, edges.b, state.flow_kg_per_s)
    np.add.at(net, edges.a, -state.flow_kg_per_s)
    return float(np.abs(net).max())


@pytest.mark.parametrize("name", HARD)
def test_converges_with_default_settings_and_balances(name: str) -> None:
    case = HARD[name]
    state = solve(nuan_network(case), ambient_temp_c=GROUND_C)
    assert imbalance(state) < 1e-4
    stations = state.substations()
    wanted = case.heat_w / 1000
    assert np.abs(stations["heat_kw"].to_numpy() - wanted).max() < 1e-2 + 1e-4 * wanted.max()
    sent = state.sources()["heat_kw"].sum()
    lost = state.edges("pipes")["heat_loss_kw"].sum()
    assert sent == pytest.approx(wanted.sum() + lost, rel=2e-3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(consumers=st.integers(1, 40), loops=st.integers(0, 8), seed=st.integers(0, 10_000), load=st.floats(0.02, 2.0))
def test_any_street_grid_settles_and_balances(consumers: int, loops: int, seed: int, load: float) -> None:
    state = solve(nuan_network(street_case(consumers, loops, seed=seed).loaded(load)), ambient_temp_c=GROUND_C)
    assert imbalance(state) < 1e-4
    pipes = state.edges("pipes")
    downhill = pipes.filter(pl.col("flow_kg_per_s").abs() > 1e-3)
    assert (downhill["heat_loss_kw"] >= -1e-6).all()


def pair(**station: object) -> Network:
    """A source, 500 m of pipe there and back, one substation."""
    return Network.of(
        nodes={"node": ["s0", "s1", "r0", "r1"]},
        pipes={
            "pipe": ["S", "R"],
            "from_node": ["s0", "r1"],
            "to_node": ["s1", "r0"],
            "length_m": [500.0, 500.0],
            "inner_diameter_m": [0.1, 0.1],
            "u_w_per_m2k": [1.5, 1.5],
        },
        sources={
            "source": ["A"],
            "return_node": ["r0"],
            "supply_node": ["s0"],
            "supply_temp_c": [90.0],
            "lift_bar": [2.0],
        },
        substations={
            "substation": ["X"],
            "supply_node": ["s1"],
            "return_node": ["r1"],
            **{name: [value] for name, value in station.items()},
        },
    )


def test_a_pipe_cools_exactly_as_the_formula_says() -> None:
    state = solve(pair(heat_kw=600.0, return_temp_c=50.0), ambient_temp_c=5.0)
    pipe = state.edges("pipes").row(0, named=True)
    cp = (state.arrays.fluid.heat_capacity(90.0) + state.arrays.fluid.heat_capacity(pipe["temp_to_c"])) / 2
    expected = 5 + 85 * np.exp(-1.5 * np.pi * 0.1 * 500 / (pipe["flow_kg_per_s"] * cp))
    assert pipe["temp_to_c"] == pytest.approx(expected, abs=1e-6)


def test_what_a_small_valve_cannot_pass_is_said() -> None:
    state = solve(pair(heat_kw=2000.0, return_temp_c=50.0, kv_m3_per_h=3.0))
    station = state.substations().row(0, named=True)
    assert (station["met"], station["why"]) == (False, "pressure")
    assert station["short_kw"] == pytest.approx(2000.0 - station["heat_kw"], rel=1e-6)
    assert station["dp_bar"] == pytest.approx(
        (station["flow_kg_per_s"] / state.arrays.stations.needs[0]) ** 2, rel=1e-3
    )


def test_a_large_valve_throttles_and_nothing_is_missing() -> None:
    station = solve(pair(heat_kw=600.0, return_temp_c=50.0, kv_m3_per_h=60.0)).substations().row(0, named=True)
    assert (station["met"], station["why"], station["short_kw"]) == (True, "", 0.0)


def test_water_that_arrives_too_cold_is_said() -> None:
    station = solve(pair(heat_kw=3.0, return_temp_c=88.0, max_flow_kg_per_s=0.05)).substations().row(0, named=True)
    assert not station["met"]
    assert station["why"] in {"cold", "most"}


def test_a_closed_pipe_leaves_no_water_and_no_numbers() -> None:
    state = solve(pair(heat_kw=600.0, return_temp_c=50.0).with_open("pipes", ["S"], False))
    station = state.substations().row(0, named=True)
    assert (station["why"], station["flow_kg_per_s"], station["dp_bar"]) == ("no_water", 0.0, None)
    assert state.nodes().filter(node="s1")["pressure_bar"].to_list() == [None]


def test_the_worst_point_is_kept() -> None:
    case = street_case(60, 3, seed=4)
    network = nuan_network(case)
    held = network.with_table("sources", network.sources.with_columns(worst_dp_bar=pl.lit(0.8)))
    state = solve(held, ambient_temp_c=GROUND_C)
    assert state.substations()["dp_bar"].min() == pytest.approx(0.8, abs=1e-6)


def test_a_second_source_that_pumps_a_flow_takes_its_share() -> None:
    network = pair(heat_kw=1000.0, return_temp_c=50.0)
    second = pl.concat(
        [
            network.sources,
            network.sources.with_columns(
                source=pl.lit("B"),
                return_node=pl.lit("r1"),
                supply_node=pl.lit("s1"),
                control=pl.lit("flow"),
                flow_kg_per_s=pl.lit(2.0),
            ),
        ]
    )
    state = solve(network.with_table("sources", second))
    sources = state.sources()
    assert sources["flow_kg_per_s"].to_list()[1] == 2.0
    assert sources["flow_kg_per_s"].sum() == pytest.approx(state.substations()["flow_kg_per_s"].sum(), abs=1e-4)


def test_a_leak_is_made_up_at_the_source() -> None:
    network = pair(heat_kw=600.0, return_temp_c=50.0).with_table(
        "taps", pl.DataFrame({"tap": ["leak"], "node": ["s1"], "flow_kg_per_s": [0.5]})
    )
    assert solve(network).sources()["make_up_kg_per_s"].to_list() == [pytest.approx(0.5, abs=1e-5)]


def test_going_on_from_a_state_is_the_same_answer() -> None:
    case = street_case(200, 20, seed=3)
    first = solve(nuan_network(case), ambient_temp_c=GROUND_C)
    again = solve(first.arrays, ambient_temp_c=GROUND_C, start=first)
    assert again.steps <= 3
    assert np.abs(again.flow_kg_per_s - first.flow_kg_per_s).max() < 1e-4


def test_what_does_not_settle_is_never_returned() -> None:
    """Not a number in, an error out."""
    arrays = Arrays.of(pair(heat_kw=600.0, return_temp_c=50.0))
    broken = replace(arrays, edges=arrays.edges._replace(laminar=arrays.edges.laminar * np.nan))
    with pytest.raises(NotSettledError, match="no steady state"):
        solve(broken)


@pytest.mark.parametrize("model", [COLEBROOK, SWAMEE_JAIN])
def test_friction_has_no_edge_between_laminar_and_turbulent(model: int) -> None:
    for re in (1999.9, 2000.1, 3999.9, 4000.1, 1e5):
        value, slope = factor(model, re, 1e-3)
        ahead = factor(model, re * (1 + 1e-6), 1e-3)[0]
        assert slope == pytest.approx((ahead - value) / 1e-6, rel=2e-2)


def test_colebrook_solves_its_own_equation() -> None:
    for re, rough in ((5e3, 1e-2), (1e5, 1e-3), (1e7, 1e-5)):
        value = factor(COLEBROOK, re, rough)[0]
        assert value**-0.5 == pytest.approx(-2 * np.log10(rough / 3.71 + 2.51 / (re * value**0.5)), rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(flow=st.floats(-800, 800), model=st.sampled_from([NIKURADSE, COLEBROOK, SWAMEE_JAIN]), d=st.floats(0.02, 1.2))
def test_the_slope_of_the_loss_is_its_derivative(flow: float, model: int, d: float) -> None:
    here = (100.0, d, np.pi / 4 * d * d, 1e-4, 0.5, 975.0, 4e-4)
    step = max(abs(flow), 1.0) * 1e-6
    slope = (loss(model, flow + step, *here)[0] - loss(model, flow - step, *here)[0]) / (2 * step)
    assert loss(model, flow, *here)[1] == pytest.approx(slope, rel=2e-3, abs=1e-6)
