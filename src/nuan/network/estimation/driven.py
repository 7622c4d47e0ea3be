"""The network driven by flows: stations pass what they are given, whatever the pressure; plants hold what is measured."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nuan.network.solver.arrays import Arrays

Floats = NDArray[np.float64]
USUAL_SUPPLY_C, USUAL_RETURN_C = 90.0, 50.0
"""°C: only what the water weighs follows from them, 2 % between the two."""
KJ_PER_KGK = 4.19


def driven(arrays: Arrays) -> Arrays:
    """The same network with stations at their connected flow (`connected_flow`), no valve limits, no taps, lifts as they stand."""
    stations, sources = arrays.stations, arrays.sources
    flow = connected_flow(arrays)
    back = stations.return_c.copy()
    back[~np.isfinite(back) & ~np.isfinite(stations.delta_k)] = USUAL_RETURN_C
    nothing = np.full(len(flow), np.nan)
    return replace(
        arrays,
        stations=stations._replace(
            heat_w=np.ones(len(flow)), return_c=back, delta_k=np.where(np.isfinite(stations.return_c), np.nan, stations.delta_k),
            flow=flow, needs=nothing, most=nothing.copy(), bypass=np.zeros(len(flow)), min_dp=np.zeros(len(flow)),
        ),
        sources=sources._replace(
            worst=np.full(len(sources.hold), np.nan), supply_c=np.nan_to_num(sources.supply_c, nan=USUAL_SUPPLY_C)
        ),
        nodes=arrays.nodes._replace(tap=np.zeros(len(arrays.nodes.tap))),
    )  # fmt: skip


def connected_flow(arrays: Arrays) -> Floats:
    """`[J]` kg/s of each station at connected load: its own flow, else heat over its cooling, else as much as the median of the others."""
    frame = arrays.network.substations
    if not frame.height:
        return np.zeros(0)
    own, heat, back, delta = (
        frame[name].cast(float).fill_null(float("nan")).to_numpy()
        for name in ("flow_kg_per_s", "heat_kw", "return_temp_c", "delta_t_k")
    )
    warm = float(np.nanmean(arrays.sources.supply_c)) if np.isfinite(arrays.sources.supply_c).any() else USUAL_SUPPLY_C
    drop = np.where(np.isfinite(delta), delta, warm - np.nan_to_num(back, nan=USUAL_RETURN_C))
    flow = np.where(np.isfinite(own), own, heat / (KJ_PER_KGK * np.maximum(drop, 5.0)))
    known = np.isfinite(flow) & (flow >= 0.0)
    usual = float(np.median(flow[known])) if known.any() else 1.0
    flow = np.where(known, flow, usual)
    return np.asarray(np.where(frame["open"].to_numpy(), flow, 0.0), np.float64)
