"""Temperatures of steady flow: water is followed downstream, each pipe cools it by an exact exponential, nodes mix.

    T_out = T_ground + (T_in − T_ground) · exp(−U π d L / (ṁ c))

Beside the temperature each node carries how it would answer if all flows grew together, dT/d ln ṁ: the same sweep, differentiated. With
it a substation finds its flow in a few steps even where little flow means much cooling (low load), which plain iteration does not.
"""

from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.network.fluid import at
from nuan.network.solver.arrays import SUBSTATION, Edges, Nodes, Sources, Stations

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]
STILL = 5e-6
"""kg/s: less is standing water, as warm as the ground. Above the rounding of a dead end's flow, which turns round from step to step."""


PASSES, GIVEN, DROPS, COOLS = 0, 1, 2, 3
"""How an edge's outlet follows from its inlet: by loss to the ground; given; lower by some kelvins; lower by some heat."""


@njit(cache=True, nogil=True, error_model="numpy")
def outlet_rules(edges: Edges, stations: Stations, sources: Sources, rule: NDArray[np.int8], value: Floats) -> None:
    """The rule of each edge, and its number: W/K, °C, K or W."""
    for e in range(len(rule)):
        rule[e], value[e] = PASSES, edges.ua[e]
    for k in range(len(sources.supply_c)):
        rule[sources.first + k], value[sources.first + k] = GIVEN, sources.supply_c[k]
    for s in range(len(stations.heat_w)):
        e = stations.first + s
        if np.isfinite(stations.delta_k[s]):
            rule[e], value[e] = DROPS, stations.delta_k[s]
        elif np.isfinite(stations.return_c[s]) and stations.heat_w[s] != 0.0:
            rule[e], value[e] = GIVEN, stations.return_c[s]
        elif np.isfinite(stations.heat_w[s]):
            rule[e], value[e] = COOLS, stations.heat_w[s]


@njit(cache=True, nogil=True, error_model="numpy")
def outlet(
    rule: int, value: float, ground_c: float, size: float, t_in: float, s_in: float, c: float
) -> tuple[float, float]:
    """(temperature, dT/d ln ṁ) of the water that leaves an edge with flow `size` > 0 and mean heat capacity `c`."""
    if rule == GIVEN:
        return value, 0.0
    if rule == DROPS:
        return t_in - value, s_in
    if value == 0.0:
        return t_in, s_in
    x = value / (size * c)
    if rule == COOLS:
        return t_in - x, s_in + x
    # most pipes lose little: the series is exact to 1e-9 there and spares half of the sweep
    kept = 1.0 - x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0))) if x < 0.02 else exp(-x)
    return ground_c + (t_in - ground_c) * kept, kept * (s_in + (t_in - ground_c) * x)


@njit(cache=True, nogil=True, error_model="numpy")
def _directions(edges: Edges, flow: Floats, forward: NDArray[np.int8]) -> bool:
    """Note which way each edge runs (0: stands or is closed); True where something turned round since the last time."""
    turned = False
    for e in range(len(flow)):
        way = 0
        if edges.is_open[e] and abs(flow[e]) > STILL:
            way = 1 if flow[e] > 0.0 else -1
        if way != forward[e]:
            forward[e] = way
            turned = True
    return turned


@njit(cache=True, nogil=True, error_model="numpy")
def _incoming(
    nodes: Nodes, edges: Edges, forward: NDArray[np.int8], order: Ints, first: Ints, edge: Ints, up: Ints
) -> None:
    """For the k-th node of the order the edges that bring it water and where they come from: `edge`, `up`[first[k]:first[k+1]]."""
    used = 0
    for k in range(len(order)):
        i = order[k]
        first[k] = used
        for q in range(nodes.first[i], nodes.first[i + 1]):
            e = nodes.edge[q]
            if forward[e] != 0 and (forward[e] > 0) == (edges.b[e] == i):
                edge[used] = e
                up[used] = edges.a[e] if forward[e] > 0 else edges.b[e]
                used += 1
    first[len(order)] = used


@njit(cache=True, nogil=True, error_model="numpy")
def downstream(nodes: Nodes, edges: Edges, rule: NDArray[np.int8], forward: NDArray[np.int8], order: Ints) -> None:
    """Nodes so that water comes to each only from earlier ones (Kahn); circles are cut where the numbering meets them first."""
    n = len(order)
    waits = np.zeros(n, np.int32)
    for e in range(len(forward)):
        if forward[e] != 0 and rule[e] != GIVEN:
            waits[edges.b[e] if forward[e] > 0 else edges.a[e]] += 1
    done = waits == 0
    head, tail, spare = 0, 0, 0
    for i in range(n):
        if done[i]:
            order[tail] = i
            tail += 1
    while head < n:
        if head == tail:
            while done[spare]:
                spare += 1
            done[spare] = True
            order[tail] = spare
            tail += 1
        i = order[head]
        head += 1
        for q in range(nodes.first[i], nodes.first[i + 1]):
            e = nodes.edge[q]
            if rule[e] == GIVEN or forward[e] == 0 or (forward[e] > 0) != (edges.a[e] == i):
                continue
            j = edges.b[e] if forward[e] > 0 else edges.a[e]
            waits[j] -= 1
            if waits[j] == 0 and not done[j]:
                done[j] = True
                order[tail] = j
                tail += 1


@njit(cache=True, nogil=True, error_model="numpy")
def capacities(table: Floats, t: Floats) -> Floats:
    """J/(kg·K) at each temperature."""
    found = np.empty(len(t))
    for i in range(len(t)):
        found[i] = at(table, 2, t[i])
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    nodes: Nodes, edges: Edges, rule: NDArray[np.int8], value: Floats, table: Floats, active: Bools, ambient_c: float,
    inflow: Floats, flow: Floats, t: Floats, t_out: Floats, answer: Floats, c: Floats, c_out: Floats,
    order: Ints, forward: NDArray[np.int8], first: Ints, edge: Ints, above: Ints,
) -> float:  # fmt: skip
    """Update t, t_out (°C) and answer (K per e-fold of flow) in place; returns the largest change of a node's temperature.

    `inflow` kg/s comes into a node from outside at the node's `fixed_t`. Where water runs in a circle that no source or substation
    breaks, the last temperatures stand in and the caller's iterations settle it. `c` and `c_out` are the heat capacities of the water
    at nodes and outlets as the last sweep left them (`capacities`); they and `order` to `above` are kept from sweep to sweep.
    """
    if _directions(edges, flow, forward) or order[0] < 0:
        downstream(nodes, edges, rule, forward, order)
        _incoming(nodes, edges, forward, order, first, edge, above)
    ground, fixed_t = edges.ground_c, nodes.fixed_t
    worst = 0.0
    for k in range(len(order)):
        i = order[k]
        heat, weight, slope = 0.0, 0.0, 0.0
        own = c[i]
        for q in range(first[k], first[k + 1]):
            e, up = edge[q], above[q]
            size = abs(flow[e])
            warm, s = outlet(rule[e], value[e], ground[e], size, t[up], answer[up], 0.5 * (c[up] + c_out[e]))
            t_out[e] = warm
            c_out[e] = at(table, 2, warm)
            share = 0.5 * (c_out[e] + own) * size
            heat += share * warm
            slope += share * s
            weight += share
        if inflow[i] > STILL:
            share = 0.5 * (at(table, 2, fixed_t[i]) + own) * inflow[i]
            heat += share * fixed_t[i]
            weight += share
        new = heat / weight if weight > 0.0 else ambient_c
        answer[i] = slope / weight if weight > 0.0 else 0.0
        if active[i]:
            worst = max(worst, abs(new - t[i]))
        t[i] = new
        c[i] = at(table, 2, new)
    for e in range(len(flow)):
        if forward[e] == 0:
            t_out[e] = ambient_c
            c_out[e] = at(table, 2, ambient_c)
        elif rule[e] == GIVEN and edges.kind[e] == SUBSTATION:
            t_out[e] = min(value[e], t[edges.a[e] if forward[e] > 0 else edges.b[e]])
    return worst
