"""What is not known, with how little: stations' flows, plants' pressures and temperatures, pipes' roughness; how the sensors answer to each.

The vector x: `J` stations' flows (kg/s), then of each source the supply pressure, the return pressure (bar, where it holds them) and the
supply temperature (K), then of each pipe ln(roughness / drawn roughness). Its prior covariance is `diag(σ²)` and a common error of all loads and of all roughnesses.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nuan.network.estimation.measured import (
    DIFFERENCE,
    FLOW,
    SOURCE_FLOW,
    STATION_FLOW,
    TEMPERATURE,
    Measured,
    source_ways,
    to_taps,
)
from nuan.network.estimation.sides import SUPPLY, sides_of
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays, Edges
from nuan.network.solver.friction import constant_parts
from nuan.network.steady import NotSettledError, State, solve

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Doubts:
    """How well the inputs are known before anything is measured. Shares are of the flow itself.

    A source's pressures and temperature that nobody measures are taken from the network's file.
    """

    roughness_ln: float = 0.6
    common_roughness_ln: float = 0.5
    load_share: float = 0.3
    common_load_share: float = 0.2
    pressure_bar: float = 0.2
    temp_k: float = 2.0


@dataclass(frozen=True)
class Unknowns:
    """`x[X]` believed; `sizes[X]` σ of each by itself, `common[X, 2]` of loads and of roughness that err together:
    covariance = diag(sizes²) + common commonᵀ."""

    arrays: Arrays
    x: Floats
    sizes: Floats
    common: Floats

    @classmethod
    def of(cls, arrays: Arrays, flow: Floats, doubts: Doubts) -> "Unknowns":
        """`arrays` driven by flows (`driven.driven`), `flow[J]` believed."""
        sources, edges, nodes = arrays.sources, arrays.edges, arrays.nodes
        here, pipes = arrays.edge_slice("sources"), arrays.edge_slice("pipes")
        p = pipes.stop - pipes.start
        supply, back = nodes.fixed_p[edges.b[here]], nodes.fixed_p[edges.a[here]]
        x = np.concatenate([flow, supply, back, sources.supply_c, np.zeros(p)])
        holds = (sources.hold == 0) & edges.is_open[here]
        sizes = np.concatenate([
            doubts.load_share * flow, np.tile(np.where(holds, doubts.pressure_bar, 0.0), 2),
            np.where(edges.is_open[here], doubts.temp_k, 0.0), np.full(p, doubts.roughness_ln),
        ])  # fmt: skip
        common = np.zeros((len(x), 2))
        common[: len(flow), 0] = doubts.common_load_share * flow
        common[len(x) - p :, 1] = doubts.common_roughness_ln
        return cls(arrays, x, sizes, common)

    def halved(self, answers: Floats) -> Floats:
        """`[M, X + 2]` answers · root, where root · rootᵀ is the prior covariance."""
        return np.column_stack([answers * self.sizes, answers @ self.common])

    def at(self, v: Floats) -> Floats:
        """`[X]` x₀ + root · v; no station's flow is less than nothing."""
        x = self.x + self.sizes * v[: len(self.x)] + self.common @ v[len(self.x) :]
        j = len(self.arrays.stations.flow)
        x[:j] = np.maximum(x[:j], 0.0)
        return np.asarray(x, np.float64)

    def state(self, x: Floats, start: State | None, ambient_temp_c: float) -> State:
        """The state these unknowns ask for. Raises NotSettledError."""
        arrays = self.arrays
        j, k = len(arrays.stations.flow), len(arrays.sources.hold)
        fixed_p = arrays.nodes.fixed_p.copy()
        here = arrays.edge_slice("sources")
        for i in np.flatnonzero((arrays.sources.hold == 0) & arrays.edges.is_open[here]):
            e = here.start + int(i)
            fixed_p[arrays.edges.b[e]], fixed_p[arrays.edges.a[e]] = x[j + i], x[j + k + i]
        arrays = replace(
            arrays,
            nodes=arrays.nodes._replace(fixed_p=fixed_p),
            sources=arrays.sources._replace(supply_c=x[j + 2 * k : j + 3 * k].copy()),
            edges=rougher(arrays, x[j + 3 * k :]),
            stations=arrays.stations._replace(flow=np.maximum(x[:j], 0.0)),
        )
        warm = None if start is None else replace(start, arrays=arrays)
        try:
            return solve(arrays, ambient_temp_c=ambient_temp_c, start=warm, tol_flow_kg_per_s=1e-5, tol_temp_k=1e-3)
        except NotSettledError:  # standing water swings: a hundredth of a kelvin does not matter here
            return solve(arrays, ambient_temp_c=ambient_temp_c, tol_flow_kg_per_s=1e-2, tol_temp_k=0.5)

    def answers(self, linear: Linear, sensors: Measured) -> Floats:
        """`[M, X]` ∂sensor/∂x at the state."""
        state = linear.state
        arrays = state.arrays
        taps = to_taps(linear, sensors)
        stations = arrays.edge_slice("substations")
        a, b = arrays.edges.a[stations], arrays.edges.b[stations]
        j, k = len(a), len(arrays.sources.hold)
        found = np.zeros((len(sensors.kind), len(self.x)))
        found[:, :j] = taps[:, a] - taps[:, b]
        own = np.flatnonzero(
            (sensors.plus >= stations.start) & (sensors.plus < stations.stop) & (sensors.kind == STATION_FLOW)
        )
        found[own, :j] = 0.0
        found[own, sensors.plus[own] - stations.start] = 1.0
        here = arrays.edge_slice("sources")
        for i in range(k):
            e = here.start + i
            for column, node in ((j + i, int(arrays.edges.b[e])), (j + k + i, int(arrays.edges.a[e]))):
                if arrays.nodes.fixed[node]:
                    found[:, column] = to_held(linear, sensors, taps, node)
        found[:, j + 2 * k : j + 3 * k] += self._to_temperatures(state, sensors)
        pipes = arrays.edge_slice("pipes")
        less = linear.gain[pipes] * linear.roughness[pipes]
        found[:, j + 3 * k :] = (taps[:, arrays.edges.b[pipes]] - taps[:, arrays.edges.a[pipes]]) * less
        of_pipe = np.flatnonzero((sensors.kind == FLOW) & (sensors.plus < pipes.stop))
        found[of_pipe, j + 3 * k + sensors.plus[of_pipe]] -= less[sensors.plus[of_pipe]]
        return found

    def _to_temperatures(self, state: State, sensors: Measured) -> Floats:
        """A node stands to the source's temperature as its own excess over the ground does; of several sources each by its share of heat."""
        arrays = state.arrays
        here = arrays.edge_slice("sources")
        flow, ground = np.abs(state.flow_kg_per_s[here]), state.ambient_temp_c
        share = flow / max(flow.sum(), 1e-12)
        warm = max(float(share @ arrays.sources.supply_c) - ground, 1.0) if len(share) else 1.0
        found = np.zeros((len(sensors.kind), len(share)))
        supply = sides_of(arrays) == SUPPLY
        for i in np.flatnonzero(sensors.kind == TEMPERATURE):
            if supply[sensors.plus[i]]:
                found[i] = share * np.clip((state.temp_c[sensors.plus[i]] - ground) / warm, 0.0, 1.0)
        return found


def rougher(arrays: Arrays, ln_factor: Floats) -> Edges:
    """Edges whose pipes are exp(ln_factor) times as rough."""
    edges, pipes = arrays.edges, arrays.edge_slice("pipes")
    if not np.any(ln_factor):
        return edges
    rough = edges.rough.copy()
    rough[pipes] *= np.exp(np.clip(ln_factor, -4.0, 4.0))
    laminar, squared = constant_parts(edges.length, edges.diameter, edges.area, rough, edges.zeta)
    return edges._replace(rough=rough, laminar=laminar, squared=squared)


def to_held(linear: Linear, sensors: Measured, taps: Floats, node: int) -> Floats:
    """`[M]` ∂sensor/∂(held pressure of a node): what a bar more there pushes into its neighbours."""
    arrays = linear.state.arrays
    edges, held = arrays.edges, arrays.nodes.fixed
    near = np.flatnonzero(((edges.a == node) | (edges.b == node)) & (linear.gain > 0.0))
    other = np.where(edges.a[near] == node, edges.b[near], edges.a[near])
    push = linear.gain[near]
    found = np.asarray(-(taps[:, other] * np.where(held[other], 0.0, push)[None, :]).sum(axis=1), np.float64)
    found += np.where((sensors.kind <= DIFFERENCE) & (sensors.plus == node), 1.0, 0.0) - np.where(
        (sensors.kind == DIFFERENCE) & (sensors.minus == node), 1.0, 0.0
    )
    outward = np.where(edges.a[near] == node, 1.0, -1.0) * linear.gain[near]
    direct = np.zeros(len(edges.kind))
    direct[near] = outward
    is_flow = sensors.kind == FLOW
    found[is_flow] += direct[sensors.plus[is_flow]]
    for i in np.flatnonzero(sensors.kind == SOURCE_FLOW):
        ways, signs = source_ways(arrays, int(sensors.plus[i]), sensors.minus[i] == 1)
        found[i] += float(direct[ways] @ signs)
    return found
