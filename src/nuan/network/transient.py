"""Time passes: what is sent now arrives later, and the walls of the pipes remember.

Pressures and flows follow at once (water hardly gives), temperatures travel as plugs (`solver.plug`). A `Moving` is a moment; `step` makes
the next one and leaves the caller's alone, so a twin can go on from its last state and a what-if can branch off from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from nuan.network.fluid import at
from nuan.network.solver.arrays import PIPE, STEEL_J_PER_M3K, Edges, Floats, Ints, Nodes
from nuan.network.solver.heat import GIVEN, STILL, downstream, outlet, outlet_rules
from nuan.network.solver.plug import push
from nuan.network.steady import State, solve

CELL_M = 10.0
STEEL_W_PER_MK = 50.0


@dataclass(frozen=True)
class Walls:
    """Per pipe: heat capacity J/(m·K), thickness m, conductivity W/(m·K) of the wall, and where its cells begin."""

    first: Ints
    capacity: Floats
    thickness: Floats
    conductivity: Floats


@dataclass(frozen=True)
class Moving:
    """A moment. `water` has a cell more than `wall` in each pipe; `filled[p]` is how far the row is pushed beyond the wall (0 to 1)."""

    state: State
    walls: Walls
    water: Floats
    wall: Floats
    filled: Floats
    time_s: float = 0.0
    lost_w: float = 0.0
    """Heat that the water gave off on its way in the last step, to walls and ground, as power."""

    @property
    def sent_w(self) -> float:
        """Heat that the sources put in now."""
        here = self.state.arrays.edge_slice("sources")
        edges, flow = self.state.arrays.edges, self.state.flow_kg_per_s[here]
        table = self.state.arrays.fluid.table
        back, out = self.state.temp_c[edges.a[here]], self.state.outlet_c[here]
        cp = np.interp(0.5 * (back + out) + 273.15 - 253.0, np.arange(table.shape[1]), table[2])
        return float(np.sum(flow * cp * (out - back)))


def begin(state: State, *, cell_m: float = CELL_M, wall_w_per_mk: float = STEEL_W_PER_MK) -> Moving:
    """A moment in which the steady state has always stood."""
    pipes = state.arrays.network.pipes
    edges = state.arrays.edges
    count = np.maximum(np.ceil(edges.length[: pipes.height] / cell_m), 2).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    inner = pipes["inner_diameter_m"].to_numpy()
    outer = pipes["outer_diameter_m"].fill_null(np.nan).to_numpy()
    outer = np.where(np.isfinite(outer), outer, inner)
    steel = np.pi / 4.0 * (outer**2 - inner**2) * STEEL_J_PER_M3K
    given = pipes["wall_j_per_mk"].fill_null(np.nan).to_numpy()
    walls = Walls(
        first, np.where(np.isfinite(given), given, steel), (outer - inner) / 2.0, np.full(pipes.height, wall_w_per_mk)
    )  # fmt: skip
    water, wall = np.empty(first[-1] + pipes.height), np.empty(first[-1])
    forward = state.flow_kg_per_s[: pipes.height] >= 0.0
    inlet = np.where(forward, state.temp_c[edges.a[: pipes.height]], state.temp_c[edges.b[: pipes.height]])
    outlet_c = state.outlet_c[: pipes.height]
    for p in range(pipes.height):
        ends = (inlet[p], outlet_c[p]) if forward[p] else (outlet_c[p], inlet[p])
        water[first[p] + p : first[p + 1] + p + 1] = np.linspace(*ends, count[p] + 1)
        wall[first[p] : first[p + 1]] = np.linspace(*ends, count[p])
    return Moving(state, walls, water, wall, np.zeros(pipes.height))


def step(
    moving: Moving, dt_s: float, *, heat_kw: Floats | None = None, supply_temp_c: Floats | None = None, friction: str = "nikuradse"
) -> Moving:  # fmt: skip
    """The moment dt_s later. `heat_kw[S]`, `supply_temp_c[K]`: what substations ask for and sources send from now on (None: as before)."""
    arrays = moving.state.arrays
    if heat_kw is not None:
        arrays = replace(arrays, stations=arrays.stations._replace(heat_w=np.asarray(heat_kw, np.float64) * 1000.0))
    if supply_temp_c is not None:
        arrays = replace(arrays, sources=arrays.sources._replace(supply_c=np.asarray(supply_temp_c, np.float64)))
    before = replace(moving.state, arrays=arrays)
    state = solve(arrays, ambient_temp_c=before.ambient_temp_c, friction=friction, start=before, with_heat=False)
    temp, outlet_c = state.temp_c.copy(), moving.state.outlet_c.copy()
    water, wall, filled = moving.water.copy(), moving.wall.copy(), moving.filled.copy()
    edge_count = len(state.flow_kg_per_s)
    rule, value = np.zeros(edge_count, np.int8), np.zeros(edge_count)
    outlet_rules(arrays.edges, arrays.stations, arrays.sources, rule, value)
    walls = moving.walls
    lost = _advance(
        arrays.nodes, arrays.edges, rule, value, arrays.fluid.table, state.flow_kg_per_s, temp, outlet_c, walls.first, water, wall,
        filled, walls.capacity, walls.thickness, walls.conductivity, float(dt_s),
    )  # fmt: skip
    after = replace(state, temp_c=temp, outlet_c=outlet_c)
    return replace(moving, state=after, water=water, wall=wall, filled=filled, time_s=moving.time_s + dt_s, lost_w=lost)


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(
    nodes: Nodes, edges: Edges, rule: NDArray[np.int8], value: Floats, table: Floats, flow: Floats, t: Floats, t_out: Floats, first: Ints,
    water: Floats, wall: Floats, filled: Floats, capacity: Floats, thickness: Floats, conductivity: Floats, dt: float,
) -> float:  # fmt: skip
    """Nodes downstream in order: mix what arrives, then push it into what leaves. Standing pipes soak. Returns W given off."""
    n = len(t)
    forward = np.zeros(len(flow), np.int8)
    for e in range(len(flow)):
        if edges.is_open[e] and abs(flow[e]) > STILL:
            forward[e] = 1 if flow[e] > 0.0 else -1
    order = np.empty(n, np.int32)
    downstream(nodes, edges, rule, forward, order)
    lost = 0.0
    for k in range(n):
        i = order[k]
        heat, weight = 0.0, 0.0
        for q in range(nodes.first[i], nodes.first[i + 1]):
            e = nodes.edge[q]
            if forward[e] != 0 and (forward[e] > 0) == (edges.b[e] == i):
                heat += abs(flow[e]) * t_out[e]
                weight += abs(flow[e])
        if nodes.fixed[i] and weight == 0.0:
            t[i] = nodes.fixed_t[i]
        elif weight > 0.0:
            t[i] = heat / weight
        for q in range(nodes.first[i], nodes.first[i + 1]):
            e = nodes.edge[q]
            if forward[e] == 0 or (forward[e] > 0) != (edges.a[e] == i):
                continue
            if edges.kind[e] == PIPE:
                t_out[e], filled[e] = push(
                    table, water[first[e] + e : first[e + 1] + e + 1], wall[first[e] : first[e + 1]], filled[e], flow[e], t[i], dt,
                    edges.length[e], edges.diameter[e], edges.area[e], capacity[e], thickness[e], conductivity[e], edges.ua[e],
                    edges.ground_c[e],
                )  # fmt: skip
            elif rule[e] != GIVEN:
                c = 0.5 * (at(table, 2, t[i]) + at(table, 2, t_out[e]))
                t_out[e] = outlet(rule[e], value[e], edges.ground_c[e], abs(flow[e]), t[i], 0.0, c)[0]
            else:
                t_out[e] = value[e]
    for e in range(len(first) - 1):
        if forward[e] == 0:
            filled[e] = push(
                table, water[first[e] + e : first[e + 1] + e + 1], wall[first[e] : first[e + 1]], filled[e], 0.0, 0.0, dt, edges.length[e],
                edges.diameter[e], edges.area[e], capacity[e], thickness[e], conductivity[e], edges.ua[e], edges.ground_c[e],
            )[1]  # fmt: skip
        size = first[e + 1] - first[e]
        loss = 0.0
        for i in range(first[e], first[e + 1]):
            mean = wall[i] if capacity[e] > 0.0 else 0.5 * (water[i + e] + water[i + e + 1])
            loss += edges.ua[e] / size * (mean - edges.ground_c[e])
        lost += loss
    return lost


def run(
    moving: Moving, dt_s: float, heat_kw: NDArray[np.float64], supply_temp_c: NDArray[np.float64] | None = None
) -> Iterator[Moving]:
    """Moments after each of T steps; `heat_kw[T, S]`, `supply_temp_c[T, K]`."""
    for k in range(len(heat_kw)):
        moving = step(
            moving, dt_s, heat_kw=heat_kw[k], supply_temp_c=None if supply_temp_c is None else supply_temp_c[k]
        )
        yield moving


def steady_series(
    start: State, heat_kw: NDArray[np.float64], supply_temp_c: NDArray[np.float64] | None = None, ambient_temp_c: NDArray[np.float64] | None = None
) -> Iterator[State]:  # fmt: skip
    """Steady states one after the other, each begun from the last: hours and days, where travel time does not matter."""
    state = start
    for k in range(len(heat_kw)):
        arrays = replace(state.arrays, stations=state.arrays.stations._replace(heat_w=heat_kw[k] * 1000.0))
        if supply_temp_c is not None:
            arrays = replace(arrays, sources=arrays.sources._replace(supply_c=supply_temp_c[k]))
        ambient = state.ambient_temp_c if ambient_temp_c is None else float(ambient_temp_c[k])
        state = solve(arrays, ambient_temp_c=ambient, start=replace(state, arrays=arrays))
        yield state


def table_of(moments: list[Moving], what: str = "temp_c") -> pl.DataFrame:
    """`time_s` and a column a node: temperatures (`temp_c`) or pressures (`pressure_bar`) of moments."""
    names = moments[0].state.arrays.node_names
    values = np.array([getattr(moment.state, what) for moment in moments])
    return pl.DataFrame(
        {"time_s": [moment.time_s for moment in moments], **{name: values[:, i] for i, name in enumerate(names)}}
    )
