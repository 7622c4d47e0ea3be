"""One back-solve a sensor says what a leak anywhere would do: the same as opening the leak and solving anew."""

import numpy as np
import polars as pl
import pytest
from bench.network_cases import nuan_network, street_case

from nuan.network.sensitivity import Linear, UnknownPointError
from nuan.network.steady import State, solve


def solved(seed: int, loops: int = 6) -> State:
    return solve(
        nuan_network(street_case(40, loops, seed=seed)),
        ambient_temp_c=8.0,
        tol_flow_kg_per_s=1e-8,
        with_heat=False,
        temp_c=70.0,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_adjoint_is_the_small_leak(seed: int) -> None:
    state = solved(seed)
    network = state.arrays.network
    rng = np.random.default_rng(seed)
    names = [name for name in state.arrays.node_names if name[1:].isdigit()]
    sensors, leaks = list(rng.choice(names, 6, replace=False)), list(rng.choice(names, 5, replace=False))
    linear = Linear.of(state)
    answer = linear.to_taps(sensors)
    columns = linear.indices(leaks)
    for leak, column in zip(leaks, columns, strict=True):
        leaking = network.with_table("taps", pl.DataFrame({"tap": ["x"], "node": [leak], "flow_kg_per_s": [1e-2]}))
        after = solve(leaking, ambient_temp_c=8.0, tol_flow_kg_per_s=1e-9, with_heat=False, temp_c=70.0)
        rows = linear.indices(sensors)
        change = (after.pressure_bar - state.pressure_bar)[rows] / 1e-2
        assert answer[:, column] == pytest.approx(change, rel=2e-2, abs=1e-6)
    assert (answer <= 1e-12).all(), "water that leaves never raises a pressure"


def test_roughness_lowers_what_lies_behind_it() -> None:
    state = solved(4, loops=0)
    far = state.substations().sort("dp_bar")["substation"][0]
    node = state.arrays.network.substations.filter(substation=far)["supply_node"][0]
    answer = Linear.of(state).to_roughness([node])[0]
    rougher = state.arrays.network.pipes.with_columns(roughness_mm=pl.col("roughness_mm") * 1.02)
    after = solve(
        state.arrays.network.with_table("pipes", rougher),
        ambient_temp_c=8.0,
        tol_flow_kg_per_s=1e-8,
        with_heat=False,
        temp_c=70.0,
    )
    i = state.arrays.node_names.index(node)
    assert answer.sum() * np.log(1.02) == pytest.approx(after.pressure_bar[i] - state.pressure_bar[i], rel=0.05)


def test_the_flow_from_the_plant_carries_the_whole_leak() -> None:
    state = solved(5, loops=0)
    first = np.array([state.arrays.edge_names("pipes").index("S0")], np.int32)
    answer = Linear.of(state).flow_to_taps(first)[0]
    supply = [i for i, name in enumerate(state.arrays.node_names) if name[0] == "s" and not state.arrays.nodes.fixed[i]]
    assert np.abs(answer[supply]) == pytest.approx(np.ones(len(supply)), abs=1e-6)


def test_an_unknown_sensor_is_named() -> None:
    with pytest.raises(UnknownPointError, match="nowhere"):
        Linear.of(solved(1)).to_taps(["nowhere"])
