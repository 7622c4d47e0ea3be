"""A pipe is broken: which valves to close, in which order, who goes cold, who can be fed another way. And the same for every pipe at once.

The network falls into segments, parts that no valve divides. To isolate a pipe is to close the open valves around its segment (and
around that of its twin, when asked). Everything is linear in pipes and valves; the caller's network is not touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nuan.network.solver.arrays import Arrays
from nuan.network.steady import NotSettledError, State, solve

Ints = NDArray[np.int64]
COARSE = 100.0
"""A sweep solves to 1e-3 kg/s and 0.01 K: who is short does not hang on less."""


class NoSuchPipeError(KeyError):
    def __init__(self, pipe: str) -> None:
        super().__init__(f"no pipe “{pipe}” in the network")


@dataclass(frozen=True)
class Segments:
    """`of_node[N]`: the segment of each node; valves by index with the two segments that they divide."""

    of_node: Ints
    valve_a: Ints
    valve_b: Ints

    @classmethod
    def of(cls, arrays: Arrays) -> "Segments":
        edges, here = arrays.edges, arrays.edge_slice("valves")
        joined = (edges.kind == 0) & edges.is_open | (edges.kind == 2)
        n = len(arrays.node_names)
        a, b = edges.a[joined], edges.b[joined]
        _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
        return cls(part.astype(np.int64), part[edges.a[here]].astype(np.int64), part[edges.b[here]].astype(np.int64))


@dataclass(frozen=True)
class Isolation:
    """What to do about a pipe. `valves`: to close, in order; `lost`: substations without water; `state`: what is left, or None when it
    could not be solved (`why`)."""

    pipe: str
    valves: list[str]
    minutes: float
    lost: pl.DataFrame
    weak: pl.DataFrame
    state: State | None
    why: str = ""


def isolate(state: State, pipe: str, *, both_sides: bool = False, segments: Segments | None = None) -> Isolation:
    """Close what must be closed around `pipe`, given the flows of `state`. `weak`: substations that keep water and get too little."""
    arrays = state.arrays
    names = arrays.edge_names("pipes")
    if pipe not in names:
        raise NoSuchPipeError(pipe)
    parts = segments or Segments.of(arrays)
    broken = [names.index(pipe)]
    twin = arrays.network.pipes["twin"][broken[0]]
    if both_sides and twin in names:
        broken.append(names.index(twin))
    wet = {int(parts.of_node[arrays.edges.a[e]]) for e in broken} | {
        int(parts.of_node[arrays.edges.b[e]]) for e in broken
    }
    valves = _around(state, parts, wet)
    closed = _without(arrays, wet, parts, valves)
    after, why = _try(closed, state)
    lost = _cut(arrays, closed)
    frame = arrays.network.valves
    order = [frame["valve"][v] for v in valves]
    minutes = float(sum(frame["minutes_to_close"][v] for v in valves))
    stations = arrays.network.substations.select("substation", "place", "heat_kw", "protected")
    weak = pl.DataFrame() if after is None else after.substations().filter(
        ~pl.col("met") & ~pl.col("substation").is_in(stations.filter(pl.Series(lost))["substation"].implode())
    )  # fmt: skip
    return Isolation(pipe, order, minutes, stations.filter(pl.Series(lost)), weak, after, why)


def _around(state: State, parts: Segments, wet: set[int]) -> list[int]:
    """Open valves with exactly one end in the wet segments: those that feed it most first."""
    arrays = state.arrays
    here = arrays.edge_slice("valves")
    members = np.array(sorted(wet))
    inside_a, inside_b = np.isin(parts.valve_a, members), np.isin(parts.valve_b, members)
    flow = np.where(inside_b, 1.0, -1.0) * state.flow_kg_per_s[here]
    chosen = np.flatnonzero((inside_a != inside_b) & arrays.edges.is_open[here])
    return [int(v) for v in chosen[np.argsort(-flow[chosen], kind="stable")]]


def _without(arrays: Arrays, wet: set[int], parts: Segments, valves: list[int]) -> Arrays:
    """The network with the valves closed and the wet segments empty."""
    is_open = arrays.edges.is_open.copy()
    is_open[arrays.offsets["valves"] + np.array(valves, np.int64)] = False
    dry = np.isin(parts.of_node, np.array(sorted(wet)))
    is_open &= ~(dry[arrays.edges.a] | dry[arrays.edges.b])
    nodes = arrays.nodes._replace(fixed=arrays.nodes.fixed & ~dry, tap=np.where(dry, 0.0, arrays.nodes.tap))
    return replace(arrays, edges=arrays.edges._replace(is_open=is_open), nodes=nodes)


def _try(arrays: Arrays, start: State, coarseness: float = 1.0) -> tuple[State | None, str]:
    try:
        return solve(
            arrays, ambient_temp_c=start.ambient_temp_c, start=replace(start, arrays=arrays), tol_flow_kg_per_s=1e-5 * coarseness,
            tol_temp_k=1e-4 * coarseness,
        ), ""  # fmt: skip
    except NotSettledError as error:
        return None, str(error)


def _cut(arrays: Arrays, closed: Arrays) -> NDArray[np.bool_]:
    """Substations that had water and have none: an end that no open way joins to a held pressure."""
    before, after = _fed(arrays), _fed(closed)
    here = arrays.edge_slice("substations")
    a, b = arrays.edges.a[here], arrays.edges.b[here]
    return (before[a] & before[b]) & ~(after[a] & after[b])


def _fed(arrays: Arrays) -> NDArray[np.bool_]:
    edges, n = arrays.edges, len(arrays.node_names)
    ways = edges.resists & edges.is_open
    _, part = connected_components(
        coo_array((np.ones(int(ways.sum())), (edges.a[ways], edges.b[ways])), shape=(n, n)), directed=False
    )
    return np.isin(part, np.unique(part[arrays.nodes.fixed]))


@dataclass(frozen=True)
class Loss:
    """One thing out of service: substations cut off, those still fed that get too little, and heat missing in all."""

    kind: str
    name: str
    cut: int
    weak: int
    missing_kw: float
    solved: bool


def sweep(state: State) -> pl.DataFrame:
    """N-1: each pipe and each source out of service in turn. A row each: `kind name cut weak missing_kw solved`, worst first."""
    rows = [*_each(state, "pipes"), *_each(state, "sources")]
    frame = pl.DataFrame(
        [row.__dict__ for row in rows], schema=["kind", "name", "cut", "weak", "missing_kw", "solved"], orient="row"
    )
    return frame.sort("missing_kw", descending=True, maintain_order=True)


def _each(state: State, table: str) -> Iterator[Loss]:
    arrays = state.arrays
    heat = np.nan_to_num(arrays.stations.heat_w) / 1000.0
    for k, name in enumerate(arrays.edge_names(table)):
        e = arrays.offsets[table] + k
        if not arrays.edges.is_open[e]:
            continue
        is_open = arrays.edges.is_open.copy()
        is_open[e] = False
        nodes = arrays.nodes
        if table == "sources":
            fixed = nodes.fixed.copy()
            fixed[[arrays.edges.a[e], arrays.edges.b[e]]] = False
            nodes = nodes._replace(fixed=fixed)
        closed = replace(arrays, edges=arrays.edges._replace(is_open=is_open), nodes=nodes)
        after, _ = _try(closed, state, COARSE)
        cut = _cut(arrays, closed)
        if after is None:
            yield Loss(table, name, int(cut.sum()), 0, float(heat[cut].sum()), False)
            continue
        short = _short_kw(after)
        yield Loss(
            table,
            name,
            int(cut.sum()),
            int(((short > 0) & ~cut).sum()),
            float(heat[cut].sum() + short[~cut].sum()),
            True,
        )


def _short_kw(state: State) -> NDArray[np.float64]:
    """Heat missing at each substation, without building tables: the sweep asks thousands of times."""
    arrays, stations = state.arrays, state.arrays.stations
    here = arrays.edge_slice("substations")
    a, b = arrays.edges.a[here], arrays.edges.b[here]
    flow, inlet, outlet = state.flow_kg_per_s[here], state.temp_c[a], state.outlet_c[here]
    table = arrays.fluid.table
    grid = np.arange(table.shape[1])
    cp = 0.5 * (np.interp(inlet + 20.15, grid, table[2]) + np.interp(outlet + 20.15, grid, table[2]))
    wanted = np.nan_to_num(stations.heat_w) / 1000.0
    given = flow * cp * np.maximum(inlet - outlet, 0.0) / 1000.0
    dp = state.pressure_bar[a] - state.pressure_bar[b]
    given = np.where(
        dp >= stations.min_dp - 1e-9, given, given * np.sqrt(np.clip(dp / np.maximum(stations.min_dp, 1e-9), 0.0, 1.0))
    )
    missing = np.maximum(wanted - np.nan_to_num(given), 0.0)
    return np.where(missing > np.maximum(1e-3 * wanted, 1e-6), missing, 0.0)
