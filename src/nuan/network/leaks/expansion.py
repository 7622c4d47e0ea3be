"""How much water the pipes hold, from the temperatures that are known: what swells in a warming network and hides a leak.

Water that leaves the plant lies spread over the supply pipes by its age. With shares of flow that hardly change, the content follows from
what left the plant, counted along the volume that has passed, not along time:

    M_supply(c) = ∫ w(a) ρ(T(c − a)) da,     c = ∫ Q dt,  a = volume sent since,  ∫ w da = V_supply

`w(a)` is the share of the flow that is still under way at age a (1 at the plant, 0 past the last station); it comes from one steady state of
the network. The return likewise, with ages from the stations. Steel walls slow a front by their heat capacity (`WALL`).
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nuan.network.fluid import FIRST_K, WATER, ZERO_C
from nuan.network.graph.tables import Network
from nuan.network.steady import NotSettledError, State, solve

Floats = NDArray[np.float64]
KNOTS = 48
WALL = 1.08
"""A steel pipe's wall holds 6 to 10 % of the heat of the water in it; a front travels so much slower."""
FALLBACK_TURNS_H = 3.0
"""Hours in which an unknown flow passes the contents of one side once."""
LEAST_FLOW_SHARE = 1e-5


@dataclass(frozen=True)
class Spread:
    """How one side lies by age: knots a[K] in m³ passed at the plant, and m³ of pipe between them, volume[K-1]."""

    age_m3: Floats
    volume_m3: Floats

    @property
    def total_m3(self) -> float:
        return float(self.volume_m3.sum())

    @property
    def mean_age_m3(self) -> float:
        return float(np.sum(self.volume_m3 * 0.5 * (self.age_m3[1:] + self.age_m3[:-1])) / max(self.total_m3, 1e-9))


@dataclass(frozen=True)
class Spreads:
    supply: Spread
    back: Spread
    flow_m3_per_s: float
    """At which an unmeasured flow is taken."""
    solved: bool
    """False: no steady state could be had; the ages are a triangle."""


def spreads(network: Network) -> Spreads:
    """Where the water of this network lies by age. Never fails: what cannot be solved is taken as evenly branched."""
    area = np.pi / 4.0 * network.pipes["inner_diameter_m"].to_numpy() ** 2
    content = float(np.sum(np.nan_to_num(area * network.pipes["length_m"].to_numpy()))) if network.pipes.height else 0.0
    try:
        found = _from_state(solve(network))
        if found is not None:
            return found
    except (NotSettledError, ArithmeticError, ValueError, IndexError, KeyError):
        pass
    half = max(content / 2.0, 1e-6)
    knots = np.linspace(0.0, 2.0 * half, KNOTS)
    triangle = 1.0 - 0.5 * (knots[1:] + knots[:-1]) / (2.0 * half)
    side = Spread(knots * WALL, triangle * np.diff(knots))
    return Spreads(side, side, half / (FALLBACK_TURNS_H * 3600.0), False)


def _from_state(state: State) -> Spreads | None:
    """Follow the flow: age 0 where sources send, 0 again where stations give back; mixed by flow at each node."""
    arrays, edges = state.arrays, state.arrays.edges
    flow, plant = np.abs(state.flow_kg_per_s), arrays.edge_slice("sources")
    sent = float(flow[plant].sum())
    taken = float(flow[arrays.edge_slice("substations")].sum())
    if not (np.isfinite(sent) and sent > 0.0 and taken > 0.01 * sent) or not arrays.network.pipes.height:
        return None
    forward = state.flow_kg_per_s >= 0.0
    start, end = np.where(forward, edges.a, edges.b), np.where(forward, edges.b, edges.a)
    stations = arrays.edge_slice("substations")
    count, pipes = len(arrays.node_names), arrays.network.pipes.height
    moves = flow > LEAST_FLOW_SHARE * sent
    resets = np.zeros(len(flow), bool)
    resets[stations], resets[plant] = True, True
    # per node: flow in, Σ flow · age, Σ flow that is of the return
    weight, aged, cool = np.zeros(count), np.zeros(count), np.zeros(count)
    waiting = np.bincount(end[moves & ~resets], minlength=count)
    leaving: list[list[int]] = [[] for _ in range(count)]
    for e in np.flatnonzero(moves & ~resets):
        leaving[start[e]].append(int(e))
    for e in np.flatnonzero(moves & resets):
        weight[end[e]] += flow[e]
        cool[end[e]] += flow[e] if stations.start <= e < stations.stop else 0.0
    volume = edges.area * edges.length
    rows: list[tuple[float, float, float, float]] = []
    ready = [node for node in range(count) if waiting[node] == 0]
    while ready:
        i = int(ready.pop())
        for edge in leaving[i]:
            share = flow[edge] / sent
            age, back = (aged[i] / weight[i], cool[i] / weight[i]) if weight[i] > 0.0 else (0.0, 0.0)
            span = volume[edge] / share if edge < pipes else 0.0
            if edge < pipes:
                rows.append((age, span, volume[edge], back))
            j = int(end[edge])
            weight[j] += flow[edge]
            aged[j] += flow[edge] * (age + span)
            cool[j] += flow[edge] * back
            waiting[j] -= 1
            if waiting[j] == 0:
                ready.append(j)
    if not rows:
        return None
    age, span, volumes, back_share = np.array(rows).T
    # water that all but stands is as warm as the network has long been: it swells with nobody, and is left out
    supply = _spread(age, span, volumes * (1.0 - back_share))
    back = _spread(age, span, volumes * back_share)
    return Spreads(supply, back, sent / 970.0, True)


def _spread(age: Floats, span: Floats, volume: Floats) -> Spread:
    """Pipes' volumes laid over knots that are dense where much water lies."""
    ends = age + span
    if volume.sum() <= 0.0:
        return Spread(np.linspace(0.0, 1.0, KNOTS), np.zeros(KNOTS - 1))
    middle = age + 0.5 * span
    order = np.argsort(middle)
    reach = float(np.interp(0.995, np.cumsum(volume[order]) / volume.sum(), ends[order]))
    knots = reach * np.linspace(0.0, 1.0, KNOTS) ** 1.5
    knots[-1] = max(knots[-1], 1e-6)
    full = np.maximum(span, 1e-9)
    inside = np.clip((knots[None, :] - age[:, None]) / full[:, None], 0.0, 1.0) * volume[:, None]
    between = np.diff(inside.sum(0))
    between[-1] += volume.sum() - between.sum()
    return Spread(knots * WALL, between)


_DENSITY: list[float] = WATER.table[0].tolist()


def density(temp_c: float) -> float:
    """t/m³, between the whole kelvins of the table.

    >>> round(density(60.0), 3)
    0.983
    """
    x = min(max(temp_c + ZERO_C - FIRST_K, 0.0), len(_DENSITY) - 1.001)
    i = int(x)
    return (_DENSITY[i] + (x - i) * (_DENSITY[i + 1] - _DENSITY[i])) / 1000.0


@dataclass
class Side:
    """What entered one side, along the volume passed: knots (volume m³, ∫ρ d volume in t), the old ones dropped."""

    spread: Spread
    passed: Floats = field(default_factory=lambda: np.zeros(256))
    tonnes: Floats = field(default_factory=lambda: np.zeros(256))
    count: int = 1
    rho: float = float("nan")
    first_rho: float = float("nan")

    def push(self, volume_m3: float, temp_c: float) -> None:
        """`volume_m3` passed since the last push, at its end with this temperature."""
        rho = density(temp_c)
        if math.isnan(self.rho):
            self.rho = self.first_rho = rho
        step, n = max(volume_m3, 1e-9), self.count
        if n == len(self.passed):
            n = self._shorten()
        self.tonnes[n] = self.tonnes[n - 1] + 0.5 * (self.rho + rho) * step
        self.passed[n] = self.passed[n - 1] + step
        self.rho, self.count = rho, n + 1

    def _shorten(self) -> int:
        """Forget what has left the pipes; make room where nothing has."""
        n = self.count
        keep = max(int(np.searchsorted(self.passed[:n], self.passed[n - 1] - self.spread.age_m3[-1])) - 1, 0)
        if keep < n // 2:
            self.passed, self.tonnes = (np.concatenate([row, np.zeros(n)]) for row in (self.passed, self.tonnes))
        if keep:
            base_passed, base_tonnes = self.passed[keep], self.tonnes[keep]
            self.passed[: n - keep] = self.passed[keep:n] - base_passed
            self.tonnes[: n - keep] = self.tonnes[keep:n] - base_tonnes
        self.count = n - keep
        return self.count

    @property
    def filled(self) -> float:
        """Share of the contents whose temperature has been seen."""
        age = self.passed[self.count - 1] - self.passed[0]
        known = np.interp(age, self.spread.age_m3, np.concatenate([[0.0], np.cumsum(self.spread.volume_m3)]))
        return float(known / max(self.spread.total_m3, 1e-9))

    def content_t(self) -> float:
        """Tonnes in this side now."""
        if math.isnan(self.rho) or self.spread.total_m3 <= 0.0:
            return 0.0
        passed, tonnes = self.passed[: self.count], self.tonnes[: self.count]
        at = passed[-1] - self.spread.age_m3
        run = np.interp(at, passed, tonnes)
        if at[-1] < passed[0]:
            run = np.where(at < passed[0], tonnes[0] + (at - passed[0]) * self.first_rho, run)
        return float(np.dot(self.spread.volume_m3 / np.diff(self.spread.age_m3), run[:-1] - run[1:]))
