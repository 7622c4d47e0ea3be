"""A valve that must be closed though the drawing has it open: each open way of a loop tried, by how much better the sensors then agree.

Closing edge e with flow m and gain g changes the pressures by A⁻¹b · m / (1 − g bᵀA⁻¹b), b its ends (Sherman & Morrison 1950): one
back-solve an end screens all edges; the best are then solved exactly. Bayes over “nothing is closed” and one closed way each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.estimation.driven import connected_flow, driven
from nuan.network.estimation.measured import Measured, measured, to_taps
from nuan.network.estimation.state import Inner, at_the_level, cost, fitted, held_as_measured
from nuan.network.estimation.unknowns import Doubts, Unknowns
from nuan.network.graph.tables import Network
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays
from nuan.network.steady import NotSettledError, State

Floats = NDArray[np.float64]
AT_A_TIME = 256
BRIDGE = 1e-4
"""1 − g bᵀA⁻¹b below this: nothing leads round the edge, closing it would leave nodes dry."""
PRIOR_NOTHING = 0.7
EXACT_HOURS = 2
SURE_HOURS = 3.0
"""Hours count as so many at most: what the model gets wrong, it gets wrong in all of them."""


@dataclass(frozen=True)
class _Hour:
    unknowns: Unknowns
    sensors: Measured
    state: State
    linear: Linear
    v: Floats
    inner: Inner
    misfit: float


def closed_ways(
    network: Network | Arrays, hours: Sequence[pl.DataFrame | Mapping[str, Any]], *, ambient_temp_c: float = 10.0,
    doubts: Doubts = Doubts(), try_exactly: int = 8,  # noqa: B008
) -> pl.DataFrame:  # fmt: skip
    """`kind name probability misfit_open misfit_closed`, the likeliest first, with a row of empty name for “nothing is closed”.

    `hours`: measurement tables (`estimation.measured`), leak-free. Misfit: sum of squares of what the sensors and priors disagree by,
    per hour. Only pipes and valves that water can get round are tried; without sensors everything is as likely as before.
    """
    arrays = driven(network if isinstance(network, Arrays) else Arrays.of(network, ambient_temp_c=ambient_temp_c))
    known = [hour for table in hours if (hour := _hour(arrays, table, ambient_temp_c, doubts)) is not None]
    ways = np.flatnonzero((arrays.edges.kind <= 1) & arrays.edges.is_open)
    if not known or not len(ways):
        return _table(arrays, [], [], 0.0)
    gain = np.sum([_screened(hour, ways) for hour in known], axis=0)
    possible = ways[np.isfinite(gain)]
    order = possible[np.argsort(-gain[np.isfinite(gain)], kind="stable")][:try_exactly]
    open_misfit = float(np.mean([hour.misfit for hour in known[:EXACT_HOURS]]))
    found = [(int(e), _exact(arrays, int(e), known, ambient_temp_c)) for e in order]
    # where even the best leaves more than sensors and priors allow, the model errs otherwise too, and nothing is as sure as it seems
    least: float = min([open_misfit, *(misfit for _, misfit in found)])
    weight = min(len(known), SURE_HOURS) / max(1.0, least / float(np.mean([len(hour.sensors.kind) for hour in known])))
    logs = np.array(
        [
            np.log(PRIOR_NOTHING),
            *(np.log((1 - PRIOR_NOTHING) / max(len(possible), 1)) + 0.5 * weight * (open_misfit - m) for _, m in found),
        ]
    )
    p = np.exp(logs - logs.max())
    p /= p.sum()
    return _table(arrays, found, p.tolist(), open_misfit)


def _hour(
    arrays: Arrays, table: pl.DataFrame | Mapping[str, Any], ambient_temp_c: float, doubts: Doubts
) -> _Hour | None:
    sensors, _ = measured(arrays, table)
    if not len(sensors.kind):
        return None
    held = held_as_measured(arrays, sensors)
    unknowns = Unknowns.of(held, at_the_level(held, connected_flow(held), sensors), doubts)
    try:
        state, linear, v, inner = fitted(unknowns, sensors, ambient_temp_c)
    except NotSettledError:
        return None
    return _Hour(unknowns, sensors, state, linear, v, inner, cost(state, sensors, v))


def _screened(hour: _Hour, ways: NDArray[np.int64]) -> Floats:
    """`[ways]` how much the misfit would fall; −inf for bridges, nearly nothing for standing water."""
    linear, edges = hour.linear, hour.linear.state.arrays.edges
    taps = to_taps(linear, hour.sensors)
    _, inverse, new = hour.inner
    flow = linear.state.flow_kg_per_s[ways]
    a, b = edges.a[ways], edges.b[ways]
    found = np.full(len(ways), -np.inf)
    for start in range(0, len(ways), AT_A_TIME):
        part = slice(start, start + AT_A_TIME)
        first, second = linear.rows(a[part].astype(np.int32)), linear.rows(b[part].astype(np.int32))
        k = np.arange(len(first))
        around = first[k, a[part]] - first[k, b[part]] - second[k, a[part]] + second[k, b[part]]
        left = 1.0 - linear.gain[ways[part]] * around
        loops = left > BRIDGE
        push = np.where(loops, flow[part] / np.where(loops, left, 1.0), 0.0)
        change = (taps[:, b[part]] - taps[:, a[part]]) * push[None, :]
        weighed = inverse @ change
        fall = 2.0 * (new @ weighed) - np.einsum("me,me->e", change, weighed)
        found[part] = np.where(loops & (linear.gain[ways[part]] > 0.0), fall, -np.inf)
    return found


def _exact(arrays: Arrays, edge: int, hours: list[_Hour], ambient_temp_c: float) -> float:
    """Misfit per hour with the edge closed; of what does not settle, infinite."""
    is_open = arrays.edges.is_open.copy()
    is_open[edge] = False
    total = 0.0
    for hour in hours[:EXACT_HOURS]:
        closed = replace(hour.unknowns.arrays, edges=hour.unknowns.arrays.edges._replace(is_open=is_open))
        try:
            state, _, v, _ = fitted(
                replace(hour.unknowns, arrays=closed), hour.sensors, ambient_temp_c, v=hour.v, rounds=4
            )
        except NotSettledError:
            return float("inf")
        if not np.isfinite(state.pressure_bar).all() and np.isfinite(hour.state.pressure_bar).all():
            return float("inf")
        total += cost(state, hour.sensors, v)
    return total / min(len(hours), EXACT_HOURS)


def _table(arrays: Arrays, found: list[tuple[int, float]], p: list[float], open_misfit: float) -> pl.DataFrame:
    rows: list[tuple[str, str, float, float, float]] = [("", "", p[0] if p else 1.0, open_misfit, open_misfit)]
    pipes = arrays.edge_slice("pipes")
    for (edge, misfit), probability in zip(found, p[1:], strict=True):
        table = "pipes" if edge < pipes.stop else "valves"
        name = arrays.edge_names(table)[edge - arrays.offsets[table]]
        rows.append((table[:-1], name, probability, open_misfit, misfit))
    frame = pl.DataFrame(
        rows, orient="row",
        schema={"kind": pl.String, "name": pl.String, "probability": pl.Float64, "misfit_open": pl.Float64, "misfit_closed": pl.Float64},
    )  # fmt: skip
    return frame.sort("probability", descending=True, maintain_order=True)
