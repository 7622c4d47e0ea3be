"""The network as arrays: what the kernels read. Made once from the tables; loads and positions of valves are changed in copies.

Edges stand in the order pipes, valves, pumps, sources, substations; an edge runs from `a` to `b` and its flow is positive that way
(sources: return → supply, substations: supply → return).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from nuan.network.fluid import WATER, Fluid
from nuan.network.graph.tables import ENDS, KEYS, Network
from nuan.network.solver.friction import MODELS, constant_parts
from nuan.network.solver.ldl import Symbolic

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

PIPE, VALVE, PUMP, SOURCE, SUBSTATION = 0, 1, 2, 3, 4
EDGE_TABLES = ("pipes", "valves", "pumps", "sources", "substations")
STEEL_J_PER_M3K = 8000.0 * 500.0
AIR_PA = 101_325.0


class Edges(NamedTuple):
    """E edges. `ua` W/K to the ground over the whole length; `lift` bar gained from a to b; `is_open` false: not there.

    `laminar` and `squared` are what never changes of a Nikuradse pipe's loss (`friction.nikuradse_parts`).
    """

    kind: NDArray[np.int8]
    a: Ints
    b: Ints
    is_open: Bools
    length: Floats
    diameter: Floats
    area: Floats
    rough: Floats
    zeta: Floats
    ua: Floats
    ground_c: Floats
    lift: Floats
    slope: Floats
    curve: Floats
    laminar: Floats
    squared: Floats
    resists: Bools


class Nodes(NamedTuple):
    """N nodes. `fixed` nodes keep `fixed_p` (bar, gauge) and give water of `fixed_t`; `tap` kg/s leaves the network there."""

    elevation: Floats
    air_bar: Floats
    fixed: Bools
    fixed_p: Floats
    fixed_t: Floats
    tap: Floats
    first: Ints
    edge: Ints


class Stations(NamedTuple):
    """Substations, in order. NaN: not given. `needs` flow at 1 bar of the open valve in kg/s (NaN: any flow passes)."""

    first: int
    heat_w: Floats
    return_c: Floats
    delta_k: Floats
    flow: Floats
    needs: Floats
    min_dp: Floats
    bypass: Floats
    most: Floats


class Sources(NamedTuple):
    """Heat sources, in order. `hold` 0 pressure, 1 lift, 2 flow; `worst` bar kept at the worst substation (NaN: lift stands)."""

    first: int
    supply_c: Floats
    hold: NDArray[np.int8]
    return_p: Floats
    lift: Floats
    flow: Floats
    worst: Floats


class Pattern(NamedTuple):
    place: Ints
    ap: Ints
    ai: Ints
    spot: Ints
    parent: Ints
    lp: Ints


class UnknownNodeError(KeyError):
    def __init__(self, table: str, thing: str, node: str) -> None:
        super().__init__(f"{table}: “{thing}” ends at “{node}”, which is no node; run graph.checks.findings first")


@dataclass(frozen=True)
class Arrays:
    """A network ready to be solved, and the names to speak about it."""

    network: Network
    nodes: Nodes
    edges: Edges
    stations: Stations
    sources: Sources
    pattern: Pattern
    fluid: Fluid
    node_names: list[str]
    offsets: dict[str, int]
    """Where each table's edges begin."""

    @classmethod
    def of(cls, network: Network, *, ambient_temp_c: float = 10.0, fluid: Fluid = WATER) -> "Arrays":
        """Raises UnknownNodeError for an edge that ends nowhere; `graph.checks.findings` tells all such at once."""
        names = network.nodes["node"].to_list()
        index = {name: i for i, name in enumerate(names)}
        edges, offsets = _edges(network, index, ambient_temp_c)
        nodes = _nodes(network, index, edges)
        coupled = edges.resists | (edges.kind == SUBSTATION)
        stations, sources = _stations(network, offsets["substations"], fluid), _sources(network, offsets["sources"])
        if not np.any(np.isfinite(stations.needs)):
            coupled = edges.resists
        loose = np.where(coupled, edges.b, edges.a).astype(np.int32)
        symbolic = Symbolic.of(len(names), edges.a, loose)
        pattern = Pattern(symbolic.place, symbolic.ap, symbolic.ai, symbolic.spot, symbolic.parent, symbolic.lp)
        return cls(network, nodes, edges, stations, sources, pattern, fluid, names, offsets)

    def edge_slice(self, table: str) -> slice:
        first = self.offsets[table]
        return slice(first, first + self.network.table(table).height)

    def edge_names(self, table: str) -> list[str]:
        return [str(name) for name in self.network.table(table)[KEYS[table]]]


def _column(frame: pl.DataFrame, name: str) -> Floats:
    """Nulls as NaN."""
    return np.asarray(frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy(), np.float64).copy()


def _ends(table: str, frame: pl.DataFrame, index: dict[str, int]) -> tuple[list[int], list[int]]:
    both: list[list[int]] = []
    for end in ENDS[table]:
        try:
            both.append([index[name] for name in frame[end].to_list()])
        except KeyError:
            thing, node = next(
                row for row in frame.select(KEYS[table], end).iter_rows() if row[1] not in index
            )  # fmt: skip
            raise UnknownNodeError(table, thing, node) from None
    return both[0], both[1]


def _edges(network: Network, index: dict[str, int], ambient_temp_c: float) -> tuple[Edges, dict[str, int]]:
    a: list[int] = []
    b: list[int] = []
    offsets: dict[str, int] = {}
    heights = [network.table(table).height for table in EDGE_TABLES]
    for table in EDGE_TABLES:
        offsets[table] = len(a)
        first, second = _ends(table, network.table(table), index)
        a += first
        b += second
    total = sum(heights)
    kind = np.repeat(np.arange(len(EDGE_TABLES), dtype=np.int8), heights)
    column = {
        name: np.zeros(total)
        for name in ("length", "diameter", "rough", "zeta", "ua", "ground", "lift", "slope", "curve")
    }
    column["diameter"] += 1.0
    column["ground"] += ambient_temp_c
    pipes, valves, pumps, sources = (network.table(name) for name in EDGE_TABLES[:4])
    here = slice(0, pipes.height)
    column["length"][here], column["diameter"][here] = _column(pipes, "length_m"), _column(pipes, "inner_diameter_m")
    column["rough"][here], column["zeta"][here] = _column(pipes, "roughness_mm") / 1000.0, _column(pipes, "zeta")
    outer = _column(pipes, "outer_diameter_m")
    outer = np.where(np.isfinite(outer), outer, column["diameter"][here])
    column["ua"][here] = _column(pipes, "u_w_per_m2k") * np.pi * outer * column["length"][here]
    ground = _column(pipes, "ground_temp_c")
    column["ground"][here] = np.where(np.isfinite(ground), ground, ambient_temp_c)
    here = slice(offsets["valves"], offsets["valves"] + valves.height)
    column["diameter"][here], column["zeta"][here] = _column(valves, "inner_diameter_m"), _column(valves, "zeta")
    here = slice(offsets["pumps"], offsets["pumps"] + pumps.height)
    column["lift"][here] = _column(pumps, "lift_bar")
    column["slope"][here], column["curve"][here] = (
        _column(pumps, "slope_bar_per_kgs"),
        _column(pumps, "curve_bar_per_kgs2"),
    )
    here = slice(offsets["sources"], offsets["sources"] + sources.height)
    lifts = (sources["control"] == "lift").to_numpy()
    column["lift"][here] = np.where(lifts, _column(sources, "lift_bar"), 0.0)
    resists = np.isin(kind, (PIPE, VALVE, PUMP))
    resists[here] = lifts
    is_open = np.concatenate([network.table(table)["open"].to_numpy() for table in EDGE_TABLES]).astype(np.bool_)
    area = np.pi / 4.0 * column["diameter"] ** 2
    return Edges(
        kind, np.array(a, np.int32), np.array(b, np.int32), is_open, column["length"], column["diameter"], area,
        column["rough"], column["zeta"], column["ua"], column["ground"], column["lift"], column["slope"], column["curve"],
        *constant_parts(column["length"], column["diameter"], area, column["rough"], column["zeta"]), resists,
    ), offsets  # fmt: skip


def _nodes(network: Network, index: dict[str, int], edges: Edges) -> Nodes:
    n = len(index)
    elevation = _column(network.nodes, "elevation_m")
    air = AIR_PA / 1e5 * np.power(1.0 - elevation * 0.0065 / 288.15, 5.255)
    fixed, fixed_p, fixed_t = np.zeros(n, np.bool_), np.zeros(n), np.full(n, 20.0)
    for node, pressure, temp in network.heads.select("node", "pressure_bar", "temp_c").iter_rows():
        at = index[node]
        fixed[at], fixed_p[at], fixed_t[at] = True, pressure, temp
    columns = ("return_node", "supply_node", "return_pressure_bar", "lift_bar", "supply_temp_c", "control", "open")
    for back, out, pressure, lift, temp, control, is_open in network.sources.select(columns).iter_rows():
        if control == "pressure" and is_open:
            for node, bar in ((back, pressure), (out, pressure + lift)):
                fixed[index[node]], fixed_p[index[node]], fixed_t[index[node]] = True, bar, temp
    tap = np.zeros(n)
    for node, flow in network.taps.select("node", "flow_kg_per_s").iter_rows():
        tap[index[node]] += flow
    first, edge = _adjacency(n, edges.a, edges.b)
    return Nodes(elevation, air, fixed, fixed_p, fixed_t, tap, first, edge)


@njit(cache=True)
def _adjacency(n: int, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Edges of each node: those of node i are edge[first[i]:first[i+1]]."""
    first = np.zeros(n + 1, np.int32)
    for e in range(len(a)):
        first[a[e] + 1] += 1
        first[b[e] + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    fill = first[:-1].copy()
    edge = np.empty(2 * len(a), np.int32)
    for e in range(len(a)):
        edge[fill[a[e]]] = e
        fill[a[e]] += 1
        edge[fill[b[e]]] = e
        fill[b[e]] += 1
    return first, edge


def _stations(network: Network, first: int, fluid: Fluid) -> Stations:
    frame = network.substations
    needs = _column(frame, "kv_m3_per_h") * fluid.density(60.0) / 3600.0
    bypass = np.nan_to_num(_column(frame, "bypass_kg_per_s"))
    return Stations(
        first, _column(frame, "heat_kw") * 1000.0, _column(frame, "return_temp_c"), _column(frame, "delta_t_k"),
        _column(frame, "flow_kg_per_s"), needs, np.nan_to_num(_column(frame, "min_dp_bar")), bypass,
        _column(frame, "max_flow_kg_per_s"),
    )  # fmt: skip


def _sources(network: Network, first: int) -> Sources:
    frame = network.sources
    controls = {"pressure": 0, "lift": 1, "flow": 2}
    hold = np.array([controls[word] for word in frame["control"]], np.int8)
    return Sources(
        first, _column(frame, "supply_temp_c"), hold, _column(frame, "return_pressure_bar"), _column(frame, "lift_bar"),
        _column(frame, "flow_kg_per_s"), _column(frame, "worst_dp_bar"),
    )  # fmt: skip


def friction_model(name: str) -> int:
    if name not in MODELS:
        raise ValueError(f"no friction model “{name}”; known: {', '.join(MODELS)}")
    return MODELS[name]
