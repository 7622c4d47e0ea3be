"""Roughness by groups of pipes, and who takes how much, from many hours of a few sensors.

    θ = (ln k of each group, ln demand factor of each station, offset of each gauge),  θ ~ N(0, prior)

Gauss–Newton on the sum over hours of rᵀ W r + the prior; each hour is a full solve, its rows the adjoint's. W holds what a sensor does not
know and what loads do beside the pattern. Groups, not pipes: a few sensors cannot tell two neighbours apart (Kang & Lansey, J. Water
Resour. Plann. Manage. 137 (2011) 131), and a prior keeps what nobody sees as it was drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.estimation.driven import connected_flow, driven
from nuan.network.estimation.measured import DIFFERENCE, FLOW, PRESSURE, STATION_FLOW, Measured, measured, predicted
from nuan.network.estimation.state import at_the_level, held_as_measured
from nuan.network.estimation.unknowns import Doubts, Unknowns
from nuan.network.graph.tables import Network
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays
from nuan.network.steady import NotSettledError, State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDS = 8
STILL = 0.01


@dataclass(frozen=True)
class Prior:
    """σ before anything is measured: of ln k of a group and of single pipes about it, of ln demand, of gauges (bar), of loads in an hour."""

    roughness_ln: float = 1.0
    single_pipe_ln: float = 0.3
    demand_ln: float = 0.3
    gauge_bar: float = 0.05
    hourly_load_share: float = 0.08


@dataclass(frozen=True)
class Calibration:
    """`network` with the new roughness. `groups`: group, pipes, roughness_mm before (median) and after, `sigma_ln`, and `informed` by the
    sensors. `demands`: substation, factor on its connected flow, sigma. `gauges`: asset_kind, asset, side, offset_bar. Misfits: rms over σ."""

    network: Network
    groups: pl.DataFrame
    demands: pl.DataFrame
    gauges: pl.DataFrame
    misfit_before: float
    misfit_after: float


@dataclass(frozen=True)
class _Hour:
    arrays: Arrays
    sensors: Measured
    gauge: Ints
    metered: Floats


def groups_of(network: Network) -> list[str]:
    """A label a pipe: its nominal width (to 50 mm) and the decade of laying; unknown years are one group."""
    rows = network.pipes.select("inner_diameter_m", "built_year").iter_rows()
    return [
        f"{max(round(width * 20) * 50, 25)} mm" + ("" if year is None else f" {year // 10 * 10}s")
        for width, year in rows
    ]


def calibrate(
    network: Network, hours: Sequence[pl.DataFrame | Mapping[str, Any]], *, groups: Sequence[str] | None = None, prior: Prior = Prior(),
    ambient_temp_c: float = 10.0,
) -> Calibration:  # fmt: skip
    """Calibrate. `hours`: measurement tables (`estimation.measured`), leak-free, of different loads: only then roughness and gauges part.

    Pressures, differences and flows in pipes are fitted; flows at stations and plants are taken as they are read. Without any the
    network comes back as it was. Hours that do not settle are left out.
    """
    arrays = driven(Arrays.of(network, ambient_temp_c=ambient_temp_c))
    labels = list(groups) if groups is not None else groups_of(network)
    names = sorted(set(labels))
    group = np.array([names.index(label) for label in labels], np.int64)
    gauges: dict[tuple[str, str, str, str], int] = {}
    known = [hour for table in hours if (hour := _hour(arrays, table, gauges)) is not None]
    g, j, s = len(names), len(connected_flow(arrays)), len(gauges)
    sizes = np.concatenate([np.full(g, prior.roughness_ln), np.full(j, prior.demand_ln), np.full(s, prior.gauge_bar)])
    theta, precision = np.zeros(g + j + s), np.diag(1.0 / sizes**2)
    states: list[State | None] = [None] * len(known)
    misfits: list[float] = []
    for _ in range(ROUNDS if known else 0):
        normal, right, total, count = np.diag(1.0 / sizes**2), -theta / sizes**2, 0.0, 0
        for i, hour in enumerate(known):
            found = _rows(hour, theta, group, g, prior, ambient_temp_c, states[i])
            if found is None:
                continue
            states[i], a, r, w, sigmas = found
            normal += a.T @ w @ a
            right += a.T @ (w @ r)
            total, count = total + sigmas, count + len(r)
        misfits.append(float(np.sqrt(total / max(count, 1))))
        step = np.linalg.solve(normal, right)
        theta = theta + np.clip(step, -1.0, 1.0)
        precision = normal
        if np.abs(step[: g + j]).max(initial=0.0) < STILL:
            break
    sigma = np.sqrt(np.diag(np.linalg.inv(precision))) if len(theta) else np.zeros(0)
    return _result(network, arrays, names, group, gauges, theta, sigma, prior, misfits)


def _hour(
    arrays: Arrays, table: pl.DataFrame | Mapping[str, Any], gauges: dict[tuple[str, str, str, str], int]
) -> _Hour | None:
    every, _ = measured(arrays, table)
    here = arrays.edge_slice("substations")
    metered = np.full(here.stop - here.start, np.nan)
    mine = (every.kind == STATION_FLOW) & (every.plus >= here.start)
    metered[every.plus[mine] - here.start] = every.value[mine]
    held = held_as_measured(arrays, every)
    fixed = (every.kind == PRESSURE) & arrays.nodes.fixed[np.where(every.kind == PRESSURE, every.plus, 0)]
    chosen = np.isin(every.kind, (PRESSURE, DIFFERENCE, FLOW)) & ~fixed
    if not chosen.any():
        return None
    sensors = every.without(~chosen)
    keys = [
        tuple(row) for row in sensors.frame[sensors.row].select("quantity", "asset_kind", "asset", "side").iter_rows()
    ]
    gauge = [
        gauges.setdefault((str(q), str(k), str(a), str(side)), len(gauges)) if kind != FLOW else -1
        for (q, k, a, side), kind in zip(keys, sensors.kind, strict=True)
    ]
    flow = at_the_level(held, connected_flow(held), every)
    return _Hour(held, sensors, np.array(gauge, np.int64), np.where(np.isfinite(metered), metered, -flow))


def _rows(
    hour: _Hour, theta: Floats, group: Ints, g: int, prior: Prior, ambient_temp_c: float, start: State | None
) -> tuple[State, Floats, Floats, Floats, float] | None:
    """(state, rows [M, θ], residuals, weights [M, M], sum of squared residuals over σ) of an hour; `metered` is negative where believed."""
    j = len(hour.metered)
    believed = np.maximum(-hour.metered, 0.0)
    shared = believed * np.exp(theta[g : g + j])
    # who takes more leaves less for the others: what the plant sends stays
    shared *= believed.sum() / max(shared.sum(), 1e-9)
    flow = np.where(hour.metered >= 0.0, hour.metered, shared)
    unknowns = Unknowns.of(hour.arrays, flow, Doubts())
    x = unknowns.x.copy()
    x[len(x) - len(group) :] = theta[:g][group]
    try:
        state = unknowns.state(x, start, ambient_temp_c)
    except NotSettledError:
        return None
    sensors = hour.sensors
    full = unknowns.answers(Linear.of(state), sensors)
    pipes = full[:, full.shape[1] - len(group) :]
    rows = np.zeros((len(sensors.kind), len(theta)))
    np.add.at(rows.T, group, pipes.T)
    part = full[:, :j] * np.where(hour.metered >= 0.0, 0.0, flow)
    rows[:, g : g + j] = part - np.outer(
        part.sum(axis=1), np.where(hour.metered >= 0.0, 0.0, flow) / max(shared.sum(), 1e-9)
    )
    gauged = np.flatnonzero(hour.gauge >= 0)
    rows[gauged, g + j + hour.gauge[gauged]] = 1.0
    offsets = np.where(hour.gauge >= 0, theta[g + j + np.maximum(hour.gauge, 0)] if len(theta) > g + j else 0.0, 0.0)
    residual = sensors.value - predicted(state, sensors) - offsets
    residual = np.where(np.isfinite(residual), residual, 0.0)
    loads = full[:, :j] * (np.where(hour.metered >= 0.0, 0.02, prior.hourly_load_share) * flow)
    single = pipes * prior.single_pipe_ln
    weight = np.linalg.inv(np.diag(sensors.sigma**2) + loads @ loads.T + single @ single.T)
    return state, rows, residual, np.asarray(weight, np.float64), float(np.sum((residual / sensors.sigma) ** 2))


def _result(
    network: Network, arrays: Arrays, names: list[str], group: Ints, gauges: dict[tuple[str, str, str, str], int], theta: Floats,
    sigma: Floats, prior: Prior, misfits: list[float],
) -> Calibration:  # fmt: skip
    g, j = len(names), len(connected_flow(arrays))
    before = network.pipes["roughness_mm"].to_numpy()
    factor = np.exp(theta[:g])
    after = before * factor[group] if len(group) else before
    drawn = [float(np.median(before[group == i])) for i in range(g)]
    groups = pl.DataFrame(
        {
            "group": names, "pipes": [int((group == i).sum()) for i in range(g)], "roughness_mm_before": drawn,
            "roughness_mm": [drawn[i] * float(factor[i]) for i in range(g)], "sigma_ln": sigma[:g],
            "informed": sigma[:g] < 0.8 * prior.roughness_ln,
        }
    )  # fmt: skip
    demands = pl.DataFrame(
        {
            "substation": arrays.edge_names("substations"),
            "factor": np.exp(theta[g : g + j]),
            "sigma_ln": sigma[g : g + j],
        }
    )
    offsets = pl.DataFrame(
        [(*key[1:], float(theta[g + j + i])) for key, i in gauges.items()], orient="row",
        schema={"asset_kind": pl.String, "asset": pl.String, "side": pl.String, "offset_bar": pl.Float64},
    )  # fmt: skip
    return Calibration(
        network.with_table("pipes", network.pipes.with_columns(roughness_mm=pl.Series(after, dtype=pl.Float64))), groups, demands, offsets,
        misfits[0] if misfits else 0.0, misfits[-1] if misfits else 0.0,
    )  # fmt: skip
