"""The whole state from a few sensors: weighted least squares, and sensors that cannot be right set apart.

    x̂ = argmin Σ ((z − h(x)) / σ)² + (x − x₀)ᵀ P⁻¹ (x − x₀)

Gauss–Newton in the space of the measurements (fewer than unknowns): x ← x₀ + P Jᵀ (J P Jᵀ + R)⁻¹ (z − h(x) + J (x − x₀)), each h a full
solve, each J a back-solve a sensor. Largest normalised residual: Abur & Expósito, Power System State Estimation (2004), ch. 2 and 5; water
networks: Bargiela & Hainsworth, J. Water Resour. Plann. Manage. 115 (1989) 237.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.estimation.driven import connected_flow, driven
from nuan.network.estimation.measured import (
    PRESSURE,
    SOURCE_FLOW,
    STATION_FLOW,
    TEMPERATURE,
    Measured,
    measured,
    predicted,
)
from nuan.network.estimation.unknowns import Doubts, Unknowns
from nuan.network.graph.tables import Network
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays
from nuan.network.steady import NotSettledError, State
from nuan.terms.findings import Finding

Floats = NDArray[np.float64]
MOST_ROUNDS = 12
AT_REST = 1e-2
"""The estimate stands when the sum of squares falls by less."""
NOT_BELIEVED = 4.0
"""Normalised residual beyond which a sensor is set apart; by chance one in 16 000."""
UNSEEN = 0.9
"""A station whose flow is known no better than this share of what was believed beforehand is not observable."""


@dataclass(frozen=True)
class Estimate:
    """`state`: pressures, flows, temperatures everywhere. `residuals`: a row a measurement, in their order, `residual_sigmas` (measured −
    estimated over σ), `normalised` (over its own expected spread; of a sensor set apart: against the others alone) and `believed`.
    `stations`: flow, its standard deviation, and `observable`. `misfit`: mean of squared normalised residuals, 1 where all is as said."""

    state: State
    residuals: pl.DataFrame
    stations: pl.DataFrame
    misfit: float
    findings: list[Finding]
    linear: Linear
    sensors: Measured
    unknowns: Unknowns


def estimate(
    network: Network | Arrays, measurements: pl.DataFrame | Mapping[str, Any], *, ambient_temp_c: float = 10.0, doubts: Doubts = Doubts(),  # noqa: B008
    believed_flow_kg_per_s: Floats | None = None, set_apart: bool = True,
) -> Estimate:  # fmt: skip
    """Estimate. `measurements`: see `estimation.measured`; missing is absent, never zero. `believed_flow_kg_per_s[J]` (default: connected
    load) with `doubts` is what is known of loads that nobody measures. Raises NotSettledError where the network itself has no state."""
    arrays = network if isinstance(network, Arrays) else Arrays.of(network, ambient_temp_c=ambient_temp_c)
    arrays = driven(arrays)
    sensors, findings = measured(arrays, measurements)
    arrays = held_as_measured(arrays, sensors)
    flow = connected_flow(arrays) if believed_flow_kg_per_s is None else believed_flow_kg_per_s
    unknowns = Unknowns.of(arrays, at_the_level(arrays, flow, sensors), doubts)
    whole, apart = sensors, np.zeros(len(sensors.kind), np.bool_)
    state, linear, v, inner = fitted(unknowns, sensors, ambient_temp_c)
    while set_apart and len(sensors.kind):
        normal = _normalised(*inner)
        worst = int(np.argmax(np.abs(normal)))
        if abs(normal[worst]) < NOT_BELIEVED or apart.sum() >= max(1, len(apart) // 3):
            break
        apart[np.flatnonzero(~apart)[worst]] = True
        sensors = whole.without(apart)
        state, linear, v, inner = fitted(unknowns, sensors, ambient_temp_c, state, v)
    again = [
        i for i in np.flatnonzero(apart) if abs(_against(unknowns, linear, inner, whole, int(i))) < NOT_BELIEVED / 2
    ]
    if again:  # blamed for another one that has gone since
        apart[again] = False
        sensors = whole.without(apart)
        state, linear, v, inner = fitted(unknowns, sensors, ambient_temp_c, state, v)
    normal = np.full(len(whole.kind), np.nan)
    normal[~apart] = _normalised(*inner)
    for i in np.flatnonzero(apart):
        normal[i] = _against(unknowns, linear, inner, whole, int(i))
    return Estimate(
        state, _residuals(whole, state, normal, apart), _stations(unknowns, unknowns.at(v), inner), float(np.mean(normal[~apart] ** 2)) if (~apart).any() else 0.0,
        findings, linear, sensors, unknowns,
    )  # fmt: skip


Inner = tuple[Floats, Floats, Floats]
"""J · root `[M, X + 2]`, the inverse of J P Jᵀ + R `[M, M]`, and the innovation z − h(x) + J (x − x₀) `[M]`."""


def fitted(
    unknowns: Unknowns, sensors: Measured, ambient_temp_c: float, state: State | None = None, v: Floats | None = None, rounds: int = MOST_ROUNDS,
) -> tuple[State, Linear, Floats, Inner]:  # fmt: skip
    """(state, its linearisation, v with x = x₀ + root · v, inner). Gauss–Newton; a step that makes things worse is halved."""
    v = np.zeros(len(unknowns.x) + unknowns.common.shape[1]) if v is None else v
    state = unknowns.state(unknowns.at(v), state, ambient_temp_c)
    now = cost(state, sensors, v)
    for _ in range(rounds):
        linear, inner = _inner(unknowns, state, sensors, v)
        half, inverse, new = inner
        step = half.T @ (inverse @ new) - v
        size = 1.0
        while True:
            try:
                trial = unknowns.state(unknowns.at(v + size * step), state, ambient_temp_c)
                trial_cost = cost(trial, sensors, v + size * step)
            except NotSettledError:
                trial_cost = np.inf
            if trial_cost <= now or size < 0.1:
                break
            size *= 0.5
        if not trial_cost < now:
            break
        v, state, before, now = v + size * step, trial, now, trial_cost
        if before - now < AT_REST:
            break
    linear, inner = _inner(unknowns, state, sensors, v)
    return state, linear, v, inner


def _inner(unknowns: Unknowns, state: State, sensors: Measured, v: Floats) -> tuple[Linear, Inner]:
    linear = Linear.of(state)
    half = unknowns.halved(unknowns.answers(linear, sensors))
    inverse = np.asarray(np.linalg.inv(half @ half.T + np.diag(sensors.sigma**2)), np.float64)
    value = predicted(state, sensors)
    return linear, (half, inverse, np.where(np.isfinite(value), sensors.value - value, 0.0) + half @ v)


def cost(state: State, sensors: Measured, v: Floats) -> float:
    """What is minimised: squares of misfits in sigmas, and of departures from what was believed."""
    left = (sensors.value - predicted(state, sensors)) / sensors.sigma
    return float(np.nansum(left**2) + v @ v)


def held_as_measured(arrays: Arrays, sensors: Measured) -> Arrays:
    """Plants' pressures and temperatures begin from what is measured there; the file may be of another season."""
    fixed_p, supply_c = arrays.nodes.fixed_p.copy(), arrays.sources.supply_c.copy()
    here = arrays.edge_slice("sources")
    for kind, plus, value in zip(sensors.kind, sensors.plus, sensors.value, strict=True):
        if kind == PRESSURE and arrays.nodes.fixed[plus]:
            fixed_p[plus] = value
        elif kind == TEMPERATURE:
            supply_c[arrays.edges.b[here] == plus] = value
    return replace(
        arrays, nodes=arrays.nodes._replace(fixed_p=fixed_p), sources=arrays.sources._replace(supply_c=supply_c)
    )


def at_the_level(arrays: Arrays, flow: Floats, sensors: Measured) -> Floats:
    """Believed flows, scaled to what metered stations or else plants say of the whole: Gauss–Newton then starts near."""
    here, sources = arrays.edge_slice("substations"), arrays.edge_slice("sources")
    level = 1.0
    sent = [
        sensors.value[i]
        for i in range(len(sensors.kind))
        if sources.start <= sensors.plus[i] < sources.stop and sensors.kind[i] == SOURCE_FLOW and sensors.minus[i] != 1
    ]
    mine = (sensors.kind == STATION_FLOW) & (sensors.plus >= here.start) & (sensors.plus < here.stop)
    if len(sent) == sources.stop - sources.start and len(sent) and flow.sum() > 0.0:
        level = float(np.sum(sent)) / float(flow.sum())
    elif mine.any():
        level = float(sensors.value[mine].sum()) / max(float(flow[sensors.plus[mine] - here.start].sum()), 1e-9)
    return np.asarray(flow * float(np.clip(level, 0.02, 5.0)), np.float64)


def _normalised(half: Floats, inverse: Floats, new: Floats) -> Floats:
    """Each innovation against what the others predict of it, over its spread: (S⁻¹ν)ᵢ / √(S⁻¹)ᵢᵢ."""
    return np.asarray((inverse @ new) / np.sqrt(np.maximum(np.diag(inverse), 1e-300)), np.float64)


def _against(unknowns: Unknowns, linear: Linear, inner: Inner, whole: Measured, i: int) -> float:
    """A sensor that is set apart, against the estimate without it."""
    only = np.ones(len(whole.kind), np.bool_)
    only[i] = False
    one = whole.without(only)
    row = unknowns.halved(unknowns.answers(linear, one))[0]
    half, inverse, _ = inner
    cross = half @ row
    variance = row @ row - cross @ inverse @ cross + one.sigma[0] ** 2
    return float((one.value[0] - predicted(linear.state, one)[0]) / np.sqrt(max(variance, 1e-300)))


def _residuals(sensors: Measured, state: State, normal: Floats, apart: NDArray[np.bool_]) -> pl.DataFrame:
    value = predicted(state, sensors)
    mine = pl.DataFrame(
        {
            "line": sensors.row, "estimated": value, "residual_sigmas": (sensors.value - value) / sensors.sigma,
            "normalised": normal, "believed": ~apart,
        }
    )  # fmt: skip
    return (
        sensors.frame.with_row_index("line").with_columns(pl.col("line").cast(pl.Int64))
        .join(mine, on="line", how="left", maintain_order="left").drop("line")
    )  # fmt: skip


def _stations(unknowns: Unknowns, x: Floats, inner: Inner) -> pl.DataFrame:
    half, inverse, _ = inner
    j = len(unknowns.arrays.stations.flow)
    sizes, common = unknowns.sizes[:j], unknowns.common[:j]
    before = sizes**2 + (common**2).sum(axis=1)
    cross = (half[:, :j] * sizes + half[:, len(x) :] @ common.T).T
    after = np.maximum(before - np.einsum("xm,mk,xk->x", cross, inverse, cross, optimize=True), 0.0)
    return pl.DataFrame(
        {
            "substation": unknowns.arrays.edge_names("substations"), "flow_kg_per_s": x[:j], "sigma_kg_per_s": np.sqrt(after),
            "observable": after < (UNSEEN**2) * np.maximum(before, 1e-300),
        }
    )  # fmt: skip
