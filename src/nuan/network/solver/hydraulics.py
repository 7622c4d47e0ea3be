"""Pressures and flows: the global gradient method.

Newton's method on flows and pressures together, reduced to one symmetric system for the pressures (Todini & Pilati 1987; EPANET 2.2
manual, ch. 12): with Δp = R(ṁ) and g = 1/R'(ṁ),

    ṁ' = ṁ + g · (p_a − p_b + h − R(ṁ)),        Σ_in ṁ' − Σ_out ṁ' = tap   at every node that is not fixed.

R grows with ṁ everywhere, so the matrix is positive definite whatever the loops. Substations and sources that hold a flow stand on the
right-hand side; a substation whose valve is fully open is an edge with R = ṁ|ṁ|/needs² (in bar).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.network.fluid import at
from nuan.network.solver.arrays import SUBSTATION, Edges, Nodes, Pattern, Stations
from nuan.network.solver.friction import NIKURADSE, loss
from nuan.network.solver.ldl import factorise, solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]
PA = 1e5
PER_PA = 1.0 / PA
"""bar."""
G = 9.81
"""m/s² as the peers have it; at 40° N it is 9.802."""
FLATTEST = 1e-9
"""bar per kg/s: no edge is smoother than this; below 1e-6 bar at city flows."""
SLOW = 1.0
"""U π d L / (ṁ c) from which on a pipe's ends do not tell how heavy its water is; from twice that on the exponential does."""
LIMITED = 1
LEAST_TRUST = 0.02
NEAR = 1e-3
"""Relative: a flow so near another one has its loss by the power that holds there."""
SAME = 1e-6
"""Relative: water so alike is the same."""
SWING = 1e-6
"""kg/s: smaller changes are not looked at."""


@njit(cache=True, nogil=True, error_model="numpy")
def reach(nodes: Nodes, edges: Edges, station_mode: NDArray[np.int8], first_station: int) -> Bools:
    """Nodes that hang on a fixed pressure by open edges."""
    n = len(nodes.fixed)
    seen = np.zeros(n, np.bool_)
    stack = np.empty(n, np.int32)
    size = 0
    for i in range(n):
        if nodes.fixed[i]:
            seen[i] = True
            stack[size] = i
            size += 1
    while size > 0:
        size -= 1
        i = stack[size]
        for q in range(nodes.first[i], nodes.first[i + 1]):
            e = nodes.edge[q]
            passes = edges.resists[e] or (edges.kind[e] == SUBSTATION and station_mode[e - first_station] == LIMITED)
            if passes and edges.is_open[e]:
                j = edges.b[e] if edges.a[e] == i else edges.a[e]
                if not seen[j]:
                    seen[j] = True
                    stack[size] = j
                    size += 1
    return seen


@njit(cache=True, nogil=True, error_model="numpy")
def properties(
    edges: Edges, station_mode: NDArray[np.int8], first_station: int, table: Floats, t: Floats, t_out: Floats, flow: Floats, trust: Floats, rho: Floats, mu: Floats
) -> float:  # fmt: skip
    """Move density (mean of both ends; of water that cools out on its way the mean of the profile) and viscosity (at the mean temperature)
    of each edge towards what the temperatures say, all the way where `trust` is 1. Returns how far (kg/m³) the furthest density still is."""
    behind = 0.0
    for e in range(len(rho)):
        limited = edges.kind[e] == SUBSTATION and station_mode[e - first_station] == LIMITED
        if rho[e] > 0.0 and not (edges.resists[e] or limited):
            continue  # the water of an edge without loss is not asked for
        t_in = t[edges.a[e]] if flow[e] >= 0.0 else t[edges.b[e]]
        density = 0.5 * (at(table, 0, t_in) + at(table, 0, t_out[e]))
        carries = abs(flow[e]) * 4190.0 + 1e-12
        if edges.ua[e] > SLOW * carries:  # most of the pipe is as warm as the ground, whichever way its water creeps
            cooling = edges.ua[e] / carries
            mean = edges.ground_c[e] + (t_in - edges.ground_c[e]) / cooling * (1.0 - np.exp(-cooling))
            share = min(cooling / SLOW - 1.0, 1.0)
            density += share * (at(table, 0, mean) - density)
        gap = density - rho[e]
        rho[e] += trust[e] * gap
        behind = max(behind, abs(gap) * (1.0 - trust[e]))
        mu[e] += trust[e] * (at(table, 1, 0.5 * (t_in + t_out[e])) - mu[e])
    return behind


@njit(cache=True, nogil=True, error_model="numpy")
def _losses(
    edges: Edges, model: int, flow: Floats, rho: Floats, mu: Floats, memory: Floats, lost: Floats, slope: Floats
) -> None:
    """`loss` of every pipe, as a power of the flow through where it was last reckoned while the flow is near that one: logarithms and
    powers are most of a step, and most flows stand after the second. `memory[e]`: flow, ρ, μ, loss, slope. A pass of its own, in which
    no pipe waits for the one before.

    With n = ṁ₀ R'/R, which is 1 to 2 and changes slowly, R(ṁ₀(1+x)) = R₀ (1+x)ⁿ; the series to x² errs by some 1e-9 of R."""
    length, diameter, area, rough, zeta = edges.length, edges.diameter, edges.area, edges.rough, edges.zeta
    for e in range(len(flow)):
        away = flow[e] - memory[e, 0]
        near = abs(away) <= NEAR * abs(memory[e, 0])
        if near and abs(rho[e] - memory[e, 1]) <= SAME * rho[e] and abs(mu[e] - memory[e, 2]) <= SAME * mu[e]:
            lost[e], slope[e] = memory[e, 3], memory[e, 4]
            if away != 0.0 and lost[e] != 0.0:  # a pump or a valve that loses nothing has no power
                bend = slope[e] * (slope[e] / lost[e] - 1.0 / memory[e, 0])
                lost[e] += (slope[e] + 0.5 * bend * away) * away
                slope[e] += bend * away
        elif edges.is_open[e] and edges.resists[e]:
            lost[e], slope[e] = loss(model, flow[e], length[e], diameter[e], area[e], rough[e], zeta[e], rho[e], mu[e])
            memory[e, 0], memory[e, 1], memory[e, 2], memory[e, 3], memory[e, 4] = (
                flow[e],
                rho[e],
                mu[e],
                lost[e],
                slope[e],
            )


@njit(cache=True, nogil=True, error_model="numpy")
def newton_step(
    nodes: Nodes, edges: Edges, stations: Stations, pattern: Pattern, model: int, active: Bools, station_mode: NDArray[np.int8],
    held: Floats, rho: Floats, mu: Floats, start: bool, p: Floats, flow: Floats, li: Ints, lx: Floats, d: Floats, last: Floats, trust: Floats, memory: Floats,
) -> float:  # fmt: skip
    """One step in place: p (bar) and flow (kg/s). `held[i]` kg/s leaves the network at node i by taps, substations and sources.
    `start`: flows are only a guess of size, the first system is linear. Returns the largest change of a flow.

    Water that all but stands in a loop is driven by its own weight, and weighs by how it stands: such an edge swings from step to step.
    `last` keeps each edge's change; where it swings without shrinking, `trust` in its new temperature is halved.
    """
    laminar, squared, curve = edges.laminar, edges.squared, edges.curve
    elevation, air = nodes.elevation, nodes.air_bar
    n, edge_count = len(p), len(flow)
    diagonal = np.zeros(n)
    ax = np.zeros(len(pattern.ai))
    rhs = np.zeros(n)
    gain = np.zeros(edge_count)
    force = np.zeros(edge_count)
    by_power = model == NIKURADSE or start  # at the start flows are a guess, and so may the friction be
    known, rising = np.empty(0 if by_power else edge_count), np.empty(0 if by_power else edge_count)
    if not by_power:
        _losses(edges, model, flow, rho, mu, memory, known, rising)
    for i in range(n):
        k = pattern.place[i]
        if nodes.fixed[i] or not active[i]:
            diagonal[k] = 1.0
            rhs[k] = nodes.fixed_p[i]
        else:
            rhs[k] -= held[i]
    for e in range(edge_count):
        limited = edges.kind[e] == SUBSTATION and station_mode[e - stations.first] == LIMITED
        if not edges.is_open[e] or not (edges.resists[e] or limited):
            continue
        a, b = edges.a[e], edges.b[e]
        if not (active[a] and active[b]) or a == b:
            flow[e] = 0.0
            continue
        needs = stations.needs[e - stations.first] if limited else 1.0
        if limited:
            scale = 1.0 / (needs * needs)
            lost, slope = scale * abs(flow[e]) * flow[e], 2.0 * scale * abs(flow[e])
        else:
            if by_power:
                per_rho, size = 1.0 / rho[e], abs(flow[e])
                lost = (laminar[e] * mu[e] + squared[e] * size) * flow[e] * per_rho
                slope = (laminar[e] * mu[e] + 2.0 * squared[e] * size) * per_rho
            else:
                lost, slope = known[e], rising[e]
            lost = lost * PER_PA + (edges.slope[e] + curve[e] * abs(flow[e])) * flow[e]
            slope = slope * PER_PA + edges.slope[e] + 2.0 * curve[e] * abs(flow[e])
        slope = max(slope, FLATTEST)
        if start:
            slope = max(lost / flow[e] if flow[e] != 0.0 else slope, FLATTEST)
            lost = slope * flow[e]
        g = 1.0 / slope
        gain[e] = g
        # bar won by going down, the weight of the air included: pressures are gauge
        down = rho[e] * G * (elevation[a] - elevation[b]) * PER_PA + air[a] - air[b]
        force[e] = edges.lift[e] + down - lost
        push = flow[e] + g * force[e]
        ka, kb = pattern.place[a], pattern.place[b]
        if not (nodes.fixed[a] or nodes.fixed[b]):
            diagonal[ka] += g
            diagonal[kb] += g
            rhs[ka] -= push
            rhs[kb] += push
            ax[pattern.spot[e]] -= g
        elif not nodes.fixed[a]:
            diagonal[ka] += g
            rhs[ka] += g * nodes.fixed_p[b] - push
        elif not nodes.fixed[b]:
            diagonal[kb] += g
            rhs[kb] += g * nodes.fixed_p[a] + push
    if factorise(pattern.ap, pattern.ai, ax, diagonal, pattern.parent, pattern.lp, li, lx, d) >= 0:
        return np.inf
    solve(pattern.lp, li, lx, d, rhs)
    for i in range(n):
        p[i] = rhs[pattern.place[i]]
    worst = 0.0
    for e in range(edge_count):
        if gain[e] > 0.0:
            change = gain[e] * (p[edges.a[e]] - p[edges.b[e]] + force[e])
            flow[e] += change
            if change * last[e] < 0.0 and abs(change) > max(0.5 * abs(last[e]), SWING):
                trust[e] = max(0.5 * trust[e], LEAST_TRUST)
            else:
                trust[e] = min(1.3 * trust[e], 1.0)
            last[e] = 0.0 if start else change  # what a guess was wrong by is no swing
            worst = max(worst, abs(change))
    return worst
