"""The network without a leak, driven by what the plants and the stations measure; and how each sensor would answer to a leak anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nuan.network.estimation.driven import KJ_PER_KGK, connected_flow, driven
from nuan.network.estimation.sides import NEITHER, RETURN, SUPPLY, sides_of
from nuan.network.graph.tables import Network
from nuan.network.leaks.locate_sensors import (
    DIFFERENCE,
    FLOW,
    PRESSURE,
    place,
)
from nuan.network.leaks.points import Point
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays
from nuan.network.steady import NotSettledError, State, solve

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MOST_OF_THE_LOAD = 0.5
"""Share of the connected load above which the measured stations speak for the others, and the plant's flow is a measurement."""


@dataclass(frozen=True)
class Moment:
    """One row: the leak-free state that its inputs ask for, and what the sensors then should read `[S]`."""

    state: State
    predicted: Floats
    reference: Floats
    """Pressure of the plant on the sensor's side (0 for flows): reference − predicted is what is lost on the way."""
    flow_sent: float


@dataclass(frozen=True)
class Responses:
    """Per kg/s of leak: `leak[S, C]` at each candidate; `load[S, J]` per kg/s of each station."""

    leak: Floats
    load: Floats


class Twin:
    """See the module. `values[P]` are rows in the order of `points`, canonical units, NaN where nothing was measured."""

    def __init__(self, network: Network, points: Sequence[Point], ambient_temp_c: float = 5.0) -> None:
        self.network = network
        self.ambient_temp_c = ambient_temp_c
        self.arrays = driven(Arrays.of(network, ambient_temp_c=ambient_temp_c))
        self.sensors, self.inputs = place(self.arrays, points)
        self.side = sides_of(self.arrays)
        edges, here = self.arrays.edges, self.arrays.edge_slice("substations")
        self.inlet, self.outlet = edges.a[here], edges.b[here]
        self.typical = connected_flow(self.arrays)
        self.calibrated = False
        metered = (self.inputs.station_flow >= 0) | (self.inputs.station_heat >= 0)
        share = self.typical[metered].sum() / max(self.typical.sum(), 1e-9)
        self.plant_leads = bool(
            share < MOST_OF_THE_LOAD and (np.any(self.inputs.sent >= 0) or np.any(self.inputs.came_back >= 0))
        )
        self.leads_by_sent = bool(np.any(self.inputs.sent >= 0))
        self.metered: Bools = metered
        if self.plant_leads:
            self.sensors = [sensor for sensor in self.sensors if sensor.source < 0]
        self.columns = np.array([sensor.column for sensor in self.sensors], np.int64)
        self.last: State | None = None
        pipes = self.arrays.edge_slice("pipes")
        self.candidates = np.flatnonzero((self.side[edges.a[pipes]] != NEITHER) & edges.is_open[pipes])
        self.candidate_side = self.side[edges.a[self.candidates]]

    def metered_flow(self, values: Floats) -> Floats:
        """kg/s of each station; NaN where it is not metered. A heat meter with both temperatures is as good as a flow meter."""
        flow = _take(values, self.inputs.station_flow)
        drop = _take(values, self.inputs.station_in_c) - _take(values, self.inputs.station_out_c)
        with np.errstate(invalid="ignore", divide="ignore"):
            by_heat = _take(values, self.inputs.station_heat) / (KJ_PER_KGK * np.where(drop > 5.0, drop, np.nan))
        flow = np.where(np.isfinite(flow), flow, by_heat)
        return np.where(flow >= 0.0, flow, np.nan)

    def calibrate_loads(self, rows: Floats) -> None:
        """Typical flow of each station from leak-free rows `[T, P]`: metered ones by their mean, the rest share what the plant sends beside."""
        flows = np.array([self.metered_flow(row) for row in rows])
        if not len(flows):
            return
        known = np.isfinite(flows)
        seen = known.sum(axis=0) >= max(3, len(flows) // 20)
        mean = np.where(seen, np.where(known, flows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
        totals = np.array([self._plant_total(row) for row in rows])
        totals = totals[np.isfinite(totals)]
        connected, rest = connected_flow(self.arrays), ~seen
        weight, metered = float(connected[rest].sum()), float(mean[seen].sum())
        if rest.any() and weight > 0.0:
            left = float(totals.mean()) - metered if len(totals) else 0.0
            if left <= 0.02 * metered:
                left = metered * weight / max(float(connected[seen].sum()), 1e-9) if seen.any() else weight
            mean[rest] = connected[rest] * left / weight
        self.typical = np.where(np.isfinite(mean), mean, connected)

    def loads(self, values: Floats) -> Floats:
        """kg/s of every station in this row."""
        flow = self.metered_flow(values)
        known = np.isfinite(flow)
        level = flow[known].sum() / max(self.typical[known].sum(), 1e-9) if known.any() else 1.0
        if self.plant_leads:
            total = self._plant_total(values)
            if np.isfinite(total):
                level = (total - flow[known].sum()) / max(self.typical[~known].sum(), 1e-9)
        elif not known.any() and self._has_plant():
            total = self._plant_total(values)
            level = total / max(self.typical.sum(), 1e-9) if np.isfinite(total) else 1.0
        return np.where(known, flow, self.typical * float(np.clip(level, 0.0, 20.0)))

    def _has_plant(self) -> bool:
        return bool(np.any(self.inputs.sent >= 0) or np.any(self.inputs.came_back >= 0))

    def _plant_total(self, values: Floats) -> float:
        """kg/s of all plants together; NaN if one of the metered ones is missing."""
        columns = self.inputs.sent if self.leads_by_sent else self.inputs.came_back
        chosen = columns[columns >= 0]
        return float(np.sum(values[chosen])) if len(chosen) else float("nan")

    def moment(self, values: Floats) -> Moment | None:
        """The state of a row; None where a pressure that holds the network is missing or the network does not settle."""
        arrays = self._with_inputs(values)
        if arrays is None:
            return None
        try:
            state = solve(
                arrays, ambient_temp_c=self.ambient_temp_c, start=None if self.last is None else replace(self.last, arrays=arrays),
                tol_flow_kg_per_s=1e-4, tol_temp_k=1e-2,
            )  # fmt: skip
        except (NotSettledError, ArithmeticError, ValueError):
            self.last = None
            return None
        self.last = state
        predicted, reference = self._readings(state)
        return Moment(state, predicted, reference, float(arrays.stations.flow.sum()))

    def _with_inputs(self, values: Floats) -> Arrays | None:
        arrays, inputs = self.arrays, self.inputs
        nodes, edges, sources = arrays.nodes, arrays.edges, arrays.sources
        fixed_p, supply_c = nodes.fixed_p.copy(), sources.supply_c.copy()
        warm = _take(values, inputs.supply_c)
        supply_c = np.where(np.isfinite(warm), warm, supply_c)
        supply_bar, return_bar, lift = (
            _take(values, inputs.supply_bar),
            _take(values, inputs.return_bar),
            _take(values, inputs.lift_bar),
        )
        flow = sources.flow.copy()
        sent = _take(values, inputs.sent)
        for k in range(len(sources.hold)):
            e = sources.first + k
            if sources.hold[k] == 2:
                flow[k] = sent[k] if np.isfinite(sent[k]) else flow[k]
                if not np.isfinite(flow[k]):
                    return None
                continue
            if sources.hold[k] != 0 or not edges.is_open[e]:
                continue
            for at, bar, column in (
                (edges.a[e], return_bar[k], inputs.return_bar[k]),
                (edges.b[e], supply_bar[k], inputs.supply_bar[k]),
            ):
                if np.isfinite(bar):
                    fixed_p[at] = bar
                elif column >= 0:
                    return None
            if inputs.supply_bar[k] < 0 and np.isfinite(lift[k]):
                fixed_p[edges.b[e]] = fixed_p[edges.a[e]] + lift[k]
        return replace(
            arrays, nodes=nodes._replace(fixed_p=fixed_p), sources=sources._replace(supply_c=supply_c, flow=flow),
            stations=arrays.stations._replace(flow=self.loads(values)),
        )  # fmt: skip

    def _readings(self, state: State) -> tuple[Floats, Floats]:
        predicted, reference = np.full(len(self.sensors), np.nan), np.zeros(len(self.sensors))
        p, flow = state.pressure_bar, state.flow_kg_per_s
        fixed = state.arrays.nodes.fixed
        held = [
            float(np.mean(p[fixed & (self.side == side)])) if np.any(fixed & (self.side == side)) else 0.0
            for side in (SUPPLY, RETURN)
        ]
        for i, sensor in enumerate(self.sensors):
            if sensor.kind == PRESSURE:
                predicted[i] = p[sensor.plus]
                reference[i] = held[sensor.side] if sensor.side != NEITHER else 0.0
            elif sensor.kind == DIFFERENCE:
                predicted[i] = p[sensor.plus] - p[sensor.minus]
                reference[i] = held[0] - held[1]
            elif sensor.kind == FLOW:
                predicted[i] = float(np.dot(flow[list(sensor.edges)], sensor.signs)) if sensor.edges else np.nan
        return predicted, reference

    def responses(self, moment: Moment, leak_kg_per_s: float) -> Responses:
        """By secants over a leak of this size: two factorisations and a back-solve a sensor (an end of an edge for a flow)."""
        edges = self.arrays.edges
        step = np.zeros(len(edges.kind))
        on = self.side[edges.a]
        step[on == SUPPLY], step[on == RETURN] = leak_kg_per_s, -leak_kg_per_s
        leaks = self._rows(Linear.of(moment.state, step_kg_per_s=step))
        loads = self._rows(Linear.of(moment.state))
        load = loads[:, self.inlet] - loads[:, self.outlet]
        a, b = edges.a[self.candidates], edges.b[self.candidates]
        leak = 0.5 * (leaks[:, a] + leaks[:, b])
        if self.plant_leads:
            # the twin shares out what the plant sends or gets back, leak included (or left out)
            known = self.metered
            spread = np.where(known, 0.0, self.typical)
            shift = load @ (spread / max(spread.sum(), 1e-9))
            wrong = SUPPLY if self.leads_by_sent else RETURN
            sign = -1.0 if self.leads_by_sent else 1.0
            leak = leak + np.where(self.candidate_side == wrong, sign, 0.0)[None, :] * shift[:, None]
        return Responses(leak, load)

    def _rows(self, linear: Linear) -> Floats:
        """`[S, N]`: each sensor's answer to a kg/s taken out at each node."""
        edges, count = self.arrays.edges, len(self.sensors)
        need: list[int] = []
        for sensor in self.sensors:
            need += [at for at in (sensor.plus, sensor.minus) if at >= 0]
            for e in sensor.edges:
                need += [int(edges.a[e]), int(edges.b[e])]
        nodes = np.unique(np.array(need, np.int32)) if need else np.zeros(0, np.int32)
        inverse = linear.rows(nodes.astype(np.int32))
        at_row = {int(n): i for i, n in enumerate(nodes)}
        found = np.zeros((count, len(self.arrays.node_names)))
        fixed = self.arrays.nodes.fixed
        for i, sensor in enumerate(self.sensors):
            if sensor.plus >= 0:
                found[i] -= inverse[at_row[sensor.plus]]
            if sensor.minus >= 0:
                found[i] += inverse[at_row[sensor.minus]]
            for e, sign in zip(sensor.edges, sensor.signs, strict=True):
                first, second = inverse[at_row[int(edges.a[e])]], inverse[at_row[int(edges.b[e])]]
                found[i] -= sign * linear.gain[e] * (first - second)
            if sensor.kind == FLOW and sensor.source >= 0:
                at = (
                    edges.a[self.arrays.offsets["sources"] + sensor.source]
                    if sensor.side == RETURN
                    else edges.b[self.arrays.offsets["sources"] + sensor.source]
                )
                if fixed[at]:
                    found[i, at] = -1.0 if sensor.side == RETURN else 1.0
        return found


def _take(values: Floats, columns: NDArray[np.int64]) -> Floats:
    found = np.full(len(columns), np.nan)
    here = columns >= 0
    found[here] = values[columns[here]]
    return found
