"""The steady state: flows, pressures and temperatures agree. One Newton step of the hydraulics and one sweep of the heat, in turn.

A substation that is to give Q and return water of T_r needs ṁ = Q / (c (T_in − T_r)), while T_in itself falls when ṁ falls. The step is
Newton's in ln ṁ with the sweep's own dT_in/d ln ṁ, which is exact when all flows change alike, the mode in which plain iteration fails.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.network.fluid import at
from nuan.network.solver.arrays import Edges, Nodes, Pattern, Sources, Stations
from nuan.network.solver.heat import STILL, capacities, outlet_rules, sweep
from nuan.network.solver.hydraulics import LIMITED, newton_step, properties, reach

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]
Modes = NDArray[np.int8]
COLDEST_LIFT_K = 2.0
"""Water must arrive at least so much warmer than it is to leave; below that no flow is enough, and the substation is short."""
BEHIND = 1e-3
"""kg/m³: 10 m of height then err by 1e-6 bar."""
QUICK = 0.05
"""Where each of the last two steps was so much smaller than the one before, the next is told from them; what it would still move must
be a third of the tolerance."""
LIFTED = 1e-6
"""bar: a lift that moves less stands; all pressures of the supply move by so much."""
SETTLED_BEFORE_LIMITS = 1e-3
"""kg/s: valves are judged open or throttling when flows move less than this."""


@njit(cache=True, nogil=True, error_model="numpy")
def station_flows(
    edges: Edges, stations: Stations, table: Floats, active: Bools, mode: Modes, t: Floats, c: Floats, answer: Floats,
    first_time: bool, flow: Floats,
) -> float:  # fmt: skip
    """Set the flow of each substation that is not limited by its valve; returns the largest change in kg/s. `c` by node: J/(kg·K)."""
    worst = 0.0
    for s in range(len(stations.heat_w)):
        e = stations.first + s
        if not edges.is_open[e] or not active[edges.a[e]] or not active[edges.b[e]]:
            flow[e] = 0.0
            continue
        if mode[s] == LIMITED:
            continue
        old = flow[e]
        new = stations.flow[s]
        if not np.isfinite(new):
            new = _wanted(
                table, stations.heat_w[s], stations.return_c[s], stations.delta_k[s], t[edges.a[e]], c[edges.a[e]], answer[edges.a[e]], old, first_time,
            )  # fmt: skip
        new = max(new, stations.bypass[s])
        if np.isfinite(stations.most[s]):
            new = min(new, stations.most[s])
        flow[e] = new
        worst = max(worst, abs(new - old))
    return worst


@njit(cache=True, nogil=True, error_model="numpy")
def _wanted(
    table: Floats,
    heat: float,
    return_c: float,
    delta_k: float,
    t_in: float,
    c_in: float,
    answer: float,
    old: float,
    first_time: bool,
) -> float:
    if not heat > 0.0:
        return 0.0
    if np.isfinite(delta_k):
        drop = delta_k
        return heat / (0.5 * (c_in + at(table, 2, t_in - drop)) * drop)
    drop = max(t_in - return_c, COLDEST_LIFT_K)
    target = heat / (0.5 * (c_in + at(table, 2, t_in - drop)) * drop)
    if first_time or old <= STILL:
        return target
    step = np.log(target / old) / (1.0 + max(answer, 0.0) / drop)
    return float(old * np.exp(min(max(step, -1.0), 1.0)))


@njit(cache=True, nogil=True, error_model="numpy")
def outflow(
    first: Ints, touching: Ints, a: Ints, is_open: Bools, tap: float, flow: Floats, i: int, without: int
) -> float:
    """kg/s that leaves node i by its edges (`without` one) minus what comes in."""
    net = tap
    for q in range(first[i], first[i + 1]):
        e = touching[q]
        if e != without and is_open[e]:
            net += flow[e] if a[e] == i else -flow[e]
    return net


@njit(cache=True, nogil=True, error_model="numpy")
def _hold(
    nodes: Nodes, edges: Edges, stations: Stations, sources: Sources, mode: Modes, flow: Floats, held: Floats
) -> None:
    """What leaves each node by taps, by substations that hold a flow and by sources that pump one."""
    held[:] = nodes.tap
    for s in range(len(stations.heat_w)):
        e = stations.first + s
        if mode[s] != LIMITED:
            held[edges.a[e]] += flow[e]
            held[edges.b[e]] -= flow[e]
    for k in range(len(sources.hold)):
        e = sources.first + k
        if sources.hold[k] == 2 and edges.is_open[e]:
            flow[e] = sources.flow[k]
            held[edges.a[e]] += flow[e]
            held[edges.b[e]] -= flow[e]


@njit(cache=True, nogil=True, error_model="numpy")
def _feed(nodes: Nodes, edges: Edges, sources: Sources, flow: Floats, inflow: Floats) -> None:
    """Flow of the sources that hold a pressure, and what the other fixed nodes give."""
    for k in range(len(sources.hold)):
        e = sources.first + k
        if sources.hold[k] == 0 and edges.is_open[e]:
            i = edges.b[e]
            flow[e] = outflow(nodes.first, nodes.edge, edges.a, edges.is_open, nodes.tap[i], flow, i, e)
    for i in range(len(nodes.fixed)):
        inflow[i] = 0.0
        if nodes.fixed[i]:
            net = outflow(nodes.first, nodes.edge, edges.a, edges.is_open, nodes.tap[i], flow, i, -1)
            inflow[i] = max(net, 0.0)
        elif nodes.tap[i] < 0.0:
            inflow[i] = -nodes.tap[i]
    for k in range(len(sources.hold)):
        e = sources.first + k
        if sources.hold[k] == 0 and edges.is_open[e]:
            inflow[edges.a[e]] = 0.0
            inflow[edges.b[e]] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _lift(nodes: Nodes, edges: Edges, stations: Stations, sources: Sources, active: Bools, p: Floats) -> float:
    """Move the lift of sources that keep a difference at the worst substation; returns the largest move in bar."""
    moved = 0.0
    for k in range(len(sources.hold)):
        if sources.hold[k] != 0 or not np.isfinite(sources.worst[k]):
            continue
        least = np.inf
        for s in range(len(stations.heat_w)):
            e = stations.first + s
            a, b = edges.a[e], edges.b[e]
            if edges.is_open[e] and active[a] and active[b]:
                least = min(least, p[a] - p[b])
        if np.isfinite(least):
            step = sources.worst[k] - least
            nodes.fixed_p[edges.b[sources.first + k]] += step
            moved = max(moved, abs(step))
    return moved


@njit(cache=True, nogil=True, error_model="numpy")
def _limits(
    edges: Edges,
    stations: Stations,
    active: Bools,
    mode: Modes,
    p: Floats,
    flow: Floats,
    t: Floats,
    t_out: Floats,
    table: Floats,
) -> int:
    """Open fully the valves that must pass more than the pressure gives, throttle again those that pass too much. How many changed."""
    changed = 0
    for s in range(len(stations.heat_w)):
        e = stations.first + s
        needs = stations.needs[s]
        a, b = edges.a[e], edges.b[e]
        if not np.isfinite(needs) or not edges.is_open[e] or not (active[a] and active[b]):
            continue
        if mode[s] == LIMITED:
            want = stations.flow[s]
            if not np.isfinite(want):
                want = _wanted(
                    table,
                    stations.heat_w[s],
                    stations.return_c[s],
                    stations.delta_k[s],
                    t[a],
                    at(table, 2, t[a]),
                    0.0,
                    0.0,
                    True,
                )
            want = max(want, stations.bypass[s])
            if np.isfinite(stations.most[s]):
                want = min(want, stations.most[s])
            if flow[e] > want * (1.0 + 1e-6):
                mode[s] = 0
                flow[e] = want
                changed += 1
        elif flow[e] > 0.0 and p[a] - p[b] < (flow[e] / needs) ** 2 * (1.0 - 1e-6):
            mode[s] = LIMITED
            flow[e] = max(min(flow[e], needs * np.sqrt(max(p[a] - p[b], 1e-4))), 1e-4)
            changed += 1
    return changed


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    nodes: Nodes, edges: Edges, stations: Stations, sources: Sources, pattern: Pattern, table: Floats, model: int,
    ambient_c: float, with_heat: bool, warm: bool, tol_flow: float, tol_temp: float, most_steps: int,
    mode: Modes, p: Floats, flow: Floats, t: Floats, t_out: Floats, answer: Floats,
) -> tuple[Bools, int, bool, float, float]:  # fmt: skip
    """Iterate in place. Returns (nodes that hang on a pressure, steps, settled, last change of a flow kg/s, last change of a temperature K)."""
    n, edge_count = len(p), len(flow)
    memory = np.zeros((edge_count if model != 0 else 0, 5))
    held, inflow = np.zeros(n), np.zeros(n)
    rho, mu, trust, last = np.zeros(edge_count), np.zeros(edge_count), np.ones(edge_count), np.zeros(edge_count)
    li = np.empty(pattern.lp[n], np.int32)
    lx, d = np.empty(pattern.lp[n]), np.empty(n)
    rule, value = np.zeros(edge_count, np.int8), np.zeros(edge_count)
    outlet_rules(edges, stations, sources, rule, value)
    active = reach(nodes, edges, mode, stations.first)
    order, forward = np.full(n, -1, np.int32), np.zeros(edge_count, np.int8)
    first, edge, above = np.zeros(n + 1, np.int32), np.zeros(edge_count, np.int32), np.zeros(edge_count, np.int32)
    c, c_out = capacities(table, t), capacities(table, t_out)
    dm, dt, switches, before, rate = np.inf, 0.0, 0, np.inf, 1.0
    for step in range(most_steps):
        first_time = step == 0 and not warm
        dm = station_flows(edges, stations, table, active, mode, t, c, answer, first_time, flow)
        _hold(nodes, edges, stations, sources, mode, flow, held)
        behind = 0.0
        if with_heat or step == 0:
            behind = properties(edges, mode, stations.first, table, t, t_out, flow, trust, rho, mu)
        moved = newton_step(
            nodes, edges, stations, pattern, model, active, mode, held, rho, mu,
            first_time, p, flow, li, lx, d, last, trust, memory,
        )  # fmt: skip
        if not np.isfinite(moved):
            return active, step + 1, False, moved, dt
        dm = max(dm, moved)
        slower, rate = rate, dm / before
        left = dm * max(rate, slower) if max(rate, slower) < QUICK else np.inf
        before = dm
        _feed(nodes, edges, sources, flow, inflow)
        if with_heat:
            dt = sweep(
                nodes, edges, rule, value, table, active, ambient_c, inflow, flow, t, t_out, answer, c, c_out,
                order, forward, first, edge, above,
            )  # fmt: skip
        lifted = _lift(nodes, edges, stations, sources, active, p)
        near = dm < SETTLED_BEFORE_LIMITS and switches < 60
        if near and _limits(edges, stations, active, mode, p, flow, t, t_out, table) > 0:
            switches += 1
            active = reach(nodes, edges, mode, stations.first)
            continue
        if (
            (dm <= tol_flow or left <= tol_flow / 3.0)
            and dt <= tol_temp
            and behind <= BEHIND
            and lifted <= LIFTED
            and step > 0
        ):
            return active, step + 1, True, dm, dt
    return active, most_steps, False, dm, dt
