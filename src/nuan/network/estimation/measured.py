"""What sensors say, as a table, and where each stands in the network.

Columns of the table: `quantity` (pressure, pressure_difference, flow, temperature), `asset_kind` (node, pipe, valve, pump, substation,
source), `asset`, `side` (supply, return or empty), `value` in bar, kg/s, °C, and `sigma` in the same unit. A null or NaN value is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays
from nuan.network.steady import State
from nuan.terms.findings import Finding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PRESSURE, DIFFERENCE, FLOW, STATION_FLOW, SOURCE_FLOW, TEMPERATURE = range(6)
USUAL_SIGMA: Mapping[str, float] = {"pressure": 0.02, "pressure_difference": 0.02, "temperature": 0.5}
"""Where no sigma is given; of a flow 2 % and not less than 0.02 kg/s."""
SCHEMA = {
    "quantity": pl.String, "asset_kind": pl.String, "asset": pl.String, "side": pl.String, "value": pl.Float64, "sigma": pl.Float64
}  # fmt: skip
_TABLES = {"pipe": "pipes", "valve": "valves", "pump": "pumps", "substation": "substations", "source": "sources"}


@dataclass(frozen=True)
class Measured:
    """M sensors that are in the network and say something. `plus`: node, or edge of a flow; `minus`: second node of a difference;
    `row`: line of the table as it was given."""

    frame: pl.DataFrame
    row: Ints
    kind: NDArray[np.int8]
    plus: Ints
    minus: Ints
    value: Floats
    sigma: Floats

    def without(self, drop: NDArray[np.bool_]) -> "Measured":
        keep = ~drop
        return Measured(
            self.frame,
            self.row[keep],
            self.kind[keep],
            self.plus[keep],
            self.minus[keep],
            self.value[keep],
            self.sigma[keep],
        )


def measured(arrays: Arrays, table: pl.DataFrame | Mapping[str, Any]) -> tuple[Measured, list[Finding]]:
    """Place the sensors. Findings: assets that are not in the network, quantities nobody knows, sigmas that are none."""
    frame = pl.DataFrame(table)
    for name, dtype in SCHEMA.items():
        column = pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype)
        frame = frame.with_columns(column.alias(name))
    frame = frame.select(list(SCHEMA)).with_columns(pl.col("side").fill_null(""))
    index = {kind: {name: i for i, name in enumerate(arrays.edge_names(table))} for kind, table in _TABLES.items()}
    index["node"] = {name: i for i, name in enumerate(arrays.node_names)}
    found: list[tuple[int, int, int, int, float, float]] = []
    findings: list[Finding] = []
    for row, (quantity, kind, asset, side, value, sigma) in enumerate(frame.iter_rows()):
        at = _where(arrays, index, quantity, kind, asset, side)
        if at is None:
            findings.append(_unknown(row, f"{quantity} {kind} {asset}"))
            continue
        if value is None or not np.isfinite(value):
            continue
        if sigma is None or not np.isfinite(sigma) or sigma <= 0.0:
            sigma = USUAL_SIGMA.get(quantity, max(0.02 * abs(value), 0.02))
        found.append((row, *at, float(value), float(sigma)))
    rows = np.array(found, np.float64).reshape(-1, 6)
    whole = rows[:, :4].astype(np.int64)
    return Measured(
        frame, whole[:, 0], whole[:, 1].astype(np.int8), whole[:, 2], whole[:, 3], rows[:, 4], rows[:, 5]
    ), findings


def _where(
    arrays: Arrays, index: Mapping[str, Mapping[str, int]], quantity: str, kind: str, asset: str, side: str
) -> tuple[int, int, int] | None:
    """(kind, plus, minus)."""
    if kind not in index or asset not in index[kind]:
        return None
    i, edges = index[kind][asset], arrays.edges
    if kind == "node":
        code = {"pressure": PRESSURE, "temperature": TEMPERATURE}.get(quantity)
        return None if code is None else (code, i, -1)
    e = arrays.offsets[_TABLES[kind]] + i
    if quantity == "flow":
        return {"substation": STATION_FLOW, "source": SOURCE_FLOW}.get(kind, FLOW), e, 1 if side == "return" else -1
    if kind not in ("substation", "source"):
        return None
    supply, back = (int(edges.a[e]), int(edges.b[e])) if kind == "substation" else (int(edges.b[e]), int(edges.a[e]))
    if quantity == "pressure_difference":
        return DIFFERENCE, supply, back
    code = {"pressure": PRESSURE, "temperature": TEMPERATURE}.get(quantity)
    return None if code is None else (code, back if side == "return" else supply, -1)


def _unknown(row: int, value: str) -> Finding:
    return Finding(
        "measurements", "no_such_sensor", "管网里没有这样的测点，不用", "the network has no such sensor; it is not used",
        "改正 quantity、asset_kind、asset", row=row + 1, field="asset", value=value, severity="warning",
    )  # fmt: skip


def predicted(state: State, sensors: Measured) -> Floats:
    """`[M]` what the sensors would say in this state."""
    p, t, flow = state.pressure_bar, state.temp_c, state.flow_kg_per_s
    found = np.where(sensors.kind == TEMPERATURE, t[_node(sensors, TEMPERATURE)], 0.0)
    found = np.where(sensors.kind == PRESSURE, p[_node(sensors, PRESSURE)], found)
    difference = p[_node(sensors, DIFFERENCE)] - p[np.where(sensors.kind == DIFFERENCE, sensors.minus, 0)]
    found = np.where(sensors.kind == DIFFERENCE, difference, found)
    is_flow = np.isin(sensors.kind, (FLOW, STATION_FLOW))
    found = np.where(is_flow, flow[np.where(is_flow, sensors.plus, 0)], found)
    for i in np.flatnonzero(sensors.kind == SOURCE_FLOW):
        ways, signs = source_ways(state.arrays, int(sensors.plus[i]), sensors.minus[i] == 1)
        found[i] = float(np.dot(flow[ways], signs))
    return np.asarray(found, np.float64)


def _node(sensors: Measured, kind: int) -> Ints:
    return np.where(sensors.kind == kind, sensors.plus, 0)


def source_ways(arrays: Arrays, edge: int, back: bool) -> tuple[Ints, Floats]:
    """Edges at a source's supply (or return) node and their signs: their sum is what it sends (or gets back)."""
    edges = arrays.edges
    at = edges.a[edge] if back else edges.b[edge]
    near = np.flatnonzero(((edges.a == at) | (edges.b == at)) & (edges.kind <= 2))
    outward = np.where(edges.a[near] == at, 1.0, -1.0)
    return near, -outward if back else outward


def to_taps(linear: Linear, sensors: Measured) -> Floats:
    """`[M, N]`: each sensor's answer (bar, kg/s) to a kg/s taken out at each node; a back-solve a pressure, two a flow. Temperatures: 0."""
    arrays = linear.state.arrays
    edges = arrays.edges
    ways: list[tuple[Ints, Floats]] = []
    need: list[int] = []
    for kind, plus, minus in zip(sensors.kind, sensors.plus, sensors.minus, strict=True):
        way: tuple[Ints, Floats] = (np.zeros(0, np.int64), np.zeros(0))
        if kind in (PRESSURE, DIFFERENCE):
            need += [int(plus)] + ([int(minus)] if kind == DIFFERENCE else [])
        elif kind == FLOW:
            way = np.array([plus]), np.ones(1)
        elif kind == SOURCE_FLOW:
            way = source_ways(arrays, int(plus), minus == 1)
        need += edges.a[way[0]].tolist() + edges.b[way[0]].tolist()
        ways.append(way)
    nodes = np.unique(np.array(need, np.int32))
    inverse = linear.rows(nodes.astype(np.int32))
    row = {int(n): i for i, n in enumerate(nodes)}
    found = np.zeros((len(sensors.kind), len(arrays.node_names)))
    for i, (kind, plus, minus) in enumerate(zip(sensors.kind, sensors.plus, sensors.minus, strict=True)):
        if kind in (PRESSURE, DIFFERENCE):
            found[i] -= inverse[row[int(plus)]]
        if kind == DIFFERENCE:
            found[i] += inverse[row[int(minus)]]
        for e, sign in zip(*ways[i], strict=True):
            found[i] -= sign * linear.gain[e] * (inverse[row[int(edges.a[e])]] - inverse[row[int(edges.b[e])]])
        if kind == SOURCE_FLOW:
            at = edges.a[plus] if minus == 1 else edges.b[plus]
            if arrays.nodes.fixed[at]:
                found[i, at] = -1.0 if minus == 1 else 1.0
    return found
