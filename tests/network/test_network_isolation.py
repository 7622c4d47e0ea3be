"""Closing valves: the least that isolates, in order, and nobody lost who could be fed."""

import polars as pl
import pytest
from bench.network_cases import nuan_network, street_case

from nuan.network.graph import Network
from nuan.network.isolation import NoSuchPipeError, Segments, isolate, sweep
from nuan.network.steady import State, solve


def ring(*closed: str) -> Network:
    """A ring s0–s1–s2–s3 with a valve at each end of each pipe (v01a …), a substation at s1, s2, s3; the return is one node each."""
    pipes, valves, nodes = [], [], [f"s{i}" for i in range(4)]
    for i, j in ((0, 1), (1, 2), (2, 3), (3, 0)):
        a, b = f"p{i}{j}a", f"p{i}{j}b"
        nodes += [a, b]
        pipes.append((f"p{i}{j}", a, b))
        valves += [(f"v{i}{j}a", f"s{i}", a), (f"v{i}{j}b", b, f"s{j}")]
    back = [(f"b{i}", f"r{i}", "r0") for i in (1, 2, 3)]
    network = Network.of(
        nodes={"node": [*nodes, "r0", "r1", "r2", "r3"]},
        pipes={
            "pipe": [name for name, _, _ in pipes + back],
            "from_node": [a for _, a, _ in pipes + back],
            "to_node": [b for _, _, b in pipes + back],
            "length_m": [200.0] * 7,
            "inner_diameter_m": [0.1] * 7,
        },
        valves={
            "valve": [name for name, _, _ in valves],
            "from_node": [a for _, a, _ in valves],
            "to_node": [b for _, _, b in valves],
            "inner_diameter_m": [0.1] * 8,
        },
        sources={"source": ["A"], "return_node": ["r0"], "supply_node": ["s0"], "supply_temp_c": [90.0]},
        substations={
            "substation": ["X1", "X2", "X3"],
            "supply_node": ["s1", "s2", "s3"],
            "return_node": ["r1", "r2", "r3"],
            "heat_kw": [300.0, 300.0, 300.0],
            "return_temp_c": [50.0] * 3,
            "protected": [False, True, False],
        },
    )
    return network.with_open("valves", list(closed), False)


def test_a_ring_feeds_everybody_the_other_way() -> None:
    state = solve(ring())
    plan = isolate(state, "p12")
    assert sorted(plan.valves) == ["v12a", "v12b"]
    assert plan.valves[0] == "v12a", "the one that feeds the break comes first"
    assert plan.lost.height == 0
    assert plan.state is not None
    assert plan.state.substations()["met"].all()
    assert plan.minutes == 20.0


def test_with_a_valve_closed_elsewhere_the_far_end_is_lost() -> None:
    plan = isolate(solve(ring("v23b")), "p01")
    assert plan.lost["substation"].to_list() == ["X1", "X2"]
    assert plan.lost["protected"].to_list() == [False, True]


def test_only_open_valves_are_to_be_closed() -> None:
    assert isolate(solve(ring("v12b")), "p12").valves == ["v12a"]


def test_nothing_of_the_callers_is_changed() -> None:
    network = ring()
    state = solve(network)
    before = (network.valves.clone(), state.flow_kg_per_s.copy(), state.arrays.edges.is_open.copy())
    isolate(state, "p12", both_sides=True)
    assert network.valves.equals(before[0])
    assert (state.flow_kg_per_s == before[1]).all()
    assert (state.arrays.edges.is_open == before[2]).all()


def test_an_unknown_pipe_is_named() -> None:
    with pytest.raises(NoSuchPipeError, match="p99"):
        isolate(solve(ring()), "p99")


def test_segments_are_what_no_valve_divides() -> None:
    state = solve(ring())
    assert len(set(Segments.of(state.arrays).of_node.tolist())) == 4 + 4 + 1


def test_every_pipe_and_source_in_turn() -> None:
    state: State = solve(nuan_network(street_case(60, 6, seed=2)), ambient_temp_c=8.0)
    losses = sweep(state)
    assert losses.height == state.arrays.network.pipes.height + 1
    plant = losses.filter(kind="sources").row(0, named=True)
    assert plant["cut"] == 60
    service = losses.filter(pl.col("cut") == 1)
    assert service.height >= 60, "each service pipe cuts its own substation"
    assert losses["missing_kw"].is_sorted(descending=True)
    assert losses["solved"].all()
