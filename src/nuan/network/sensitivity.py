"""How pressures answer to water that leaves somewhere: the network's matrix, factorised once at a state, and a back-solve a sensor.

At a solution A = B G Bᵀ (G = 1/R') is symmetric, so the pressures' answer at one sensor to a leak at *every* node is one row of A⁻¹, one
back-solve with the sensor as right-hand side (the adjoint), not one solve a node:  ∂p_s/∂q_n = −(A⁻¹)_{s n}.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.network.solver.arrays import Edges, Floats, Ints, Nodes, Pattern, friction_model
from nuan.network.solver.friction import loss, roughness_slope
from nuan.network.solver.hydraulics import FLATTEST, PA, reach
from nuan.network.solver.ldl import factorise
from nuan.network.solver.ldl import solve as back_solve
from nuan.network.steady import State


class UnknownPointError(KeyError):
    def __init__(self, point: str) -> None:
        super().__init__(f"“{point}” is no node of the network")


@dataclass(frozen=True)
class Linear:
    """The network near a state. Nodes without water or with a held pressure answer with nothing."""

    state: State
    gain: Floats
    roughness: Floats
    """∂Δp/∂ln k of each edge, bar."""
    li: Ints
    lx: Floats
    d: Floats
    silent: NDArray[np.bool_]

    @classmethod
    def of(cls, state: State, friction: str = "nikuradse", step_kg_per_s: Floats | None = None) -> "Linear":
        """`step_kg_per_s[E]`: how much |flow| will grow (or, negative, shrink). The slopes are then those of the secant over that step: exact
        in a tree for a leak of that size, where the tangent of a quadratic loss misses the whole of a leak larger than the flow."""
        arrays = state.arrays
        active = reach(arrays.nodes, arrays.edges, state.limited, arrays.stations.first)
        model = friction_model(friction)
        step = np.zeros(len(state.flow_kg_per_s)) if step_kg_per_s is None else step_kg_per_s
        gain, roughness = _gains(
            arrays.edges, arrays.fluid.table, active, model, state.flow_kg_per_s, step, state.temp_c, state.outlet_c
        )
        size = int(arrays.pattern.lp[-1])
        li, lx, d = np.empty(size, np.int32), np.empty(size), np.empty(len(arrays.node_names))
        if not _factor(arrays.nodes, arrays.edges, arrays.pattern, active, gain, li, lx, d):
            raise ArithmeticError("the network's matrix is not positive definite at this state")
        return cls(state, gain, roughness, li, lx, d, arrays.nodes.fixed | ~active)

    def indices(self, nodes: Sequence[str]) -> Ints:
        index = {name: i for i, name in enumerate(self.state.arrays.node_names)}
        for name in nodes:
            if name not in index:
                raise UnknownPointError(name)
        return np.array([index[name] for name in nodes], np.int32)

    def to_taps(self, sensors: Sequence[str]) -> Floats:
        """`[S, N]` bar per kg/s: what each sensor's pressure does when water leaves at each node (never positive)."""
        return -_rows(self.state.arrays.pattern, self.li, self.lx, self.d, self.indices(sensors), self.silent)

    def rows(self, nodes: Ints) -> Floats:
        """`[S, N]` kg/s → bar: each sensor's row of A⁻¹, by node index."""
        return _rows(self.state.arrays.pattern, self.li, self.lx, self.d, nodes, self.silent)

    def to_roughness(self, sensors: Sequence[str]) -> Floats:
        """`[S, E]` bar per ln k: what each sensor's pressure does when an edge's roughness grows by its e-th part."""
        rows = _rows(self.state.arrays.pattern, self.li, self.lx, self.d, self.indices(sensors), self.silent)
        edges = self.state.arrays.edges
        return np.asarray((rows[:, edges.b] - rows[:, edges.a]) * -(self.gain * self.roughness)[None, :], np.float64)

    def flow_to_taps(self, edges: Ints) -> Floats:
        """`[F, N]`: what each named edge's flow does when a kg/s leaves at each node."""
        ends = self.state.arrays.edges
        pattern = self.state.arrays.pattern
        first = _rows(pattern, self.li, self.lx, self.d, ends.a[edges], self.silent)
        second = _rows(pattern, self.li, self.lx, self.d, ends.b[edges], self.silent)
        return np.asarray(-(first - second) * self.gain[edges][:, None], np.float64)


@njit(cache=True, nogil=True, error_model="numpy")
def _gains(
    edges: Edges,
    table: Floats,
    active: NDArray[np.bool_],
    model: int,
    flow: Floats,
    step: Floats,
    t: Floats,
    t_out: Floats,
) -> tuple[Floats, Floats]:
    gain, rough = np.zeros(len(flow)), np.zeros(len(flow))
    for e in range(len(flow)):
        if not edges.is_open[e] or not edges.resists[e] or not (active[edges.a[e]] and active[edges.b[e]]):
            continue
        warm = 0.5 * ((t[edges.a[e]] if flow[e] >= 0.0 else t[edges.b[e]]) + t_out[e])
        i = min(max(int(warm + 20.15), 0), table.shape[1] - 1)
        rho, mu = table[0, i], table[1, i]
        _, slope = loss(
            model, flow[e], edges.length[e], edges.diameter[e], edges.area[e], edges.rough[e], edges.zeta[e], rho, mu
        )
        if abs(step[e]) > 1e-9:
            size = abs(flow[e])
            one = loss(
                model, size, edges.length[e], edges.diameter[e], edges.area[e], edges.rough[e], edges.zeta[e], rho, mu
            )[0]
            two = loss(
                model, size + step[e], edges.length[e], edges.diameter[e], edges.area[e], edges.rough[e], edges.zeta[e], rho, mu
            )[0]  # fmt: skip
            slope = (two - one) / step[e]
        gain[e] = 1.0 / max(slope / PA + edges.slope[e] + 2.0 * edges.curve[e] * abs(flow[e]), FLATTEST)
        rough[e] = (
            roughness_slope(model, flow[e], edges.length[e], edges.diameter[e], edges.area[e], edges.rough[e], rho, mu)
            / PA
        )
    return gain, rough


@njit(cache=True, nogil=True, error_model="numpy")
def _factor(
    nodes: Nodes,
    edges: Edges,
    pattern: Pattern,
    active: NDArray[np.bool_],
    gain: Floats,
    li: Ints,
    lx: Floats,
    d: Floats,
) -> bool:
    diagonal, ax = np.zeros(len(d)), np.zeros(len(pattern.ai))
    for i in range(len(d)):
        if nodes.fixed[i] or not active[i]:
            diagonal[pattern.place[i]] = 1.0
    for e in range(len(gain)):
        if gain[e] > 0.0:
            a, b = edges.a[e], edges.b[e]
            if not nodes.fixed[a]:
                diagonal[pattern.place[a]] += gain[e]
            if not nodes.fixed[b]:
                diagonal[pattern.place[b]] += gain[e]
            if not nodes.fixed[a] and not nodes.fixed[b]:
                ax[pattern.spot[e]] -= gain[e]
    return factorise(pattern.ap, pattern.ai, ax, diagonal, pattern.parent, pattern.lp, li, lx, d) < 0


@njit(cache=True, nogil=True, error_model="numpy")
def _rows(pattern: Pattern, li: Ints, lx: Floats, d: Floats, sensors: Ints, silent: NDArray[np.bool_]) -> Floats:
    n = len(d)
    found = np.zeros((len(sensors), n))
    x = np.empty(n)
    for k in range(len(sensors)):
        if silent[sensors[k]]:
            continue
        x[:] = 0.0
        x[pattern.place[sensors[k]]] = 1.0
        back_solve(pattern.lp, li, lx, d, x)
        for i in range(n):
            if not silent[i]:
                found[k, i] = x[pattern.place[i]]
    return found
