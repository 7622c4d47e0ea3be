"""Solve a network: what flows where, how warm, at what pressure, and who does not get what is asked for."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.graph.tables import Network
from nuan.network.solver.arrays import Arrays, friction_model
from nuan.network.solver.iteration import COLDEST_LIFT_K, outflow, run

Floats = NDArray[np.float64]
MOST_STEPS = 300


class NotSettledError(ArithmeticError):
    """The iteration did not come to rest; never passed off as a result."""

    def __init__(self, steps: int, flow: float, temp: float) -> None:
        super().__init__(
            f"no steady state after {steps} steps: flows still move by {flow:.3g} kg/s, temperatures by {temp:.3g} K; "
            "look at graph.checks.findings, at circles of pumps, and at substations whose water arrives colder than it is to leave"
        )


@dataclass(frozen=True)
class State:
    """A solution. Arrays follow the network's tables: `pressure_bar[N]`, `temp_c[N]`; per edge `flow_kg_per_s[E]`, `outlet_c[E]`."""

    arrays: Arrays
    pressure_bar: Floats
    temp_c: Floats
    flow_kg_per_s: Floats
    outlet_c: Floats
    limited: NDArray[np.int8]
    """1 where a substation's valve is fully open and still passes too little."""
    answer_k: Floats
    """[N] how a node's temperature answers if all flows grow, dT/d ln ṁ: where the next state begins."""
    ambient_temp_c: float
    steps: int

    def nodes(self) -> pl.DataFrame:
        """`node pressure_bar temp_c`; null where no open pipe leads to a fixed pressure."""
        known = np.isfinite(self.pressure_bar)
        return pl.DataFrame(
            {
                "node": self.arrays.node_names,
                "pressure_bar": np.where(known, self.pressure_bar, np.nan),
                "temp_c": np.where(known, self.temp_c, np.nan),
            }
        ).with_columns(pl.col("pressure_bar", "temp_c").fill_nan(None))

    def edges(self, table: str) -> pl.DataFrame:
        """A row an edge of a table: its name, `flow_kg_per_s` (positive from the first to the second node), `dp_bar`, `temp_from_c`,
        `temp_to_c` (at the named ends, as the water there), `heat_loss_kw`."""
        here = self.arrays.edge_slice(table)
        edges, flow = self.arrays.edges, self.flow_kg_per_s[here]
        a, b = edges.a[here], edges.b[here]
        forward = flow >= 0.0
        inlet = np.where(forward, self.temp_c[a], self.temp_c[b])
        outlet = self.outlet_c[here]
        cp = 0.5 * (self._cp(inlet) + self._cp(outlet))
        return pl.DataFrame(
            {
                self.arrays.network.table(table).columns[0]: self.arrays.edge_names(table),
                "flow_kg_per_s": flow,
                "dp_bar": self.pressure_bar[a] - self.pressure_bar[b],
                "temp_from_c": np.where(forward, inlet, outlet),
                "temp_to_c": np.where(forward, outlet, inlet),
                "heat_loss_kw": np.abs(flow) * cp * (inlet - outlet) / 1000.0,
            }
        ).with_columns(pl.col(pl.Float64).fill_nan(None))

    def substations(self) -> pl.DataFrame:
        """A row a substation: flow, temperatures, pressures, `heat_kw` given, `short_kw` and `why` where it is less than asked.

        `why`: `no_water` (cut off), `pressure` (valve open and still too little, or less than `min_dp_bar`), `cold` (water arrives too
        cold), `most` (its own flow limit); empty where the demand is met.
        """
        table = self.edges("substations").rename(
            {"temp_from_c": "temp_in_c", "temp_to_c": "temp_out_c", "heat_loss_kw": "heat_kw"}
        )
        asked = self.arrays.network.substations
        stations = self.arrays.stations
        wanted = stations.heat_w / 1000.0
        given = table["heat_kw"].fill_null(0.0).to_numpy()
        short = np.where(np.isfinite(wanted), np.maximum(wanted - given, 0.0), 0.0)
        short = np.where(short > np.maximum(1e-4 * np.nan_to_num(wanted), 1e-6), short, 0.0)
        dp = table["dp_bar"].fill_null(0.0).to_numpy()
        flow = table["flow_kg_per_s"].to_numpy()
        cut = ~np.isfinite(table["dp_bar"].fill_null(np.nan).to_numpy()) | ~asked["open"].to_numpy()
        cold = table["temp_in_c"].fill_null(-1e9).to_numpy() < stations.return_c + COLDEST_LIFT_K
        weak = (self.limited == 1) | ((dp < stations.min_dp - 1e-9) & (flow > 0.0))
        full = np.isfinite(stations.most) & (flow >= stations.most * (1 - 1e-9))
        why = np.select(
            [cut & (np.nan_to_num(wanted) > 0), weak, (short > 0) & cold, (short > 0) & full, short > 0],
            ["no_water", "pressure", "cold", "most", "cold"],
            "",
        )
        return table.with_columns(short_kw=pl.Series(short), why=pl.Series(why), met=pl.Series(why == ""))

    def sources(self) -> pl.DataFrame:
        """A row a source: `flow_kg_per_s` sent, `lift_bar`, `heat_kw`, `make_up_kg_per_s` (sent minus come back)."""
        table = self.edges("sources")
        here = self.arrays.edge_slice("sources")
        edges, nodes = self.arrays.edges, self.arrays.nodes
        back = np.array([
            -outflow(nodes.first, nodes.edge, edges.a, edges.is_open, nodes.tap[edges.a[e]], self.flow_kg_per_s, edges.a[e], e)
            for e in range(here.start, here.stop)
        ])  # fmt: skip
        holds = self.arrays.sources.hold == 0
        make_up = np.where(holds, self.flow_kg_per_s[here] - back, 0.0) if len(holds) else np.zeros(0)
        return table.select(
            "source", "flow_kg_per_s", lift_bar=-pl.col("dp_bar"), heat_kw=-pl.col("heat_loss_kw"),
            temp_return_c="temp_from_c", temp_supply_c="temp_to_c",
        ).with_columns(make_up_kg_per_s=pl.Series(make_up))  # fmt: skip

    def _cp(self, temp_c: Floats) -> Floats:
        table = self.arrays.fluid.table
        return np.asarray(np.interp(temp_c + 273.15 - 253.0, np.arange(table.shape[1]), table[2]), np.float64)


def solve(
    network: Network | Arrays,
    *,
    ambient_temp_c: float = 10.0,
    friction: str = "nikuradse",
    start: State | None = None,
    with_heat: bool = True,
    temp_c: float = 70.0,
    tol_flow_kg_per_s: float = 1e-5,
    tol_temp_k: float = 1e-4,
) -> State:
    """The steady state. Raises NotSettledError rather than return what is not one.

    `start`: a state of the same network to go on from. `with_heat=False` leaves all water at `temp_c` (hydraulics alone).
    """
    arrays = network if isinstance(network, Arrays) else Arrays.of(network, ambient_temp_c=ambient_temp_c)
    p, flow, t, t_out, mode, answer = _begin(arrays, start, temp_c, with_heat)
    nodes = arrays.nodes._replace(fixed_p=arrays.nodes.fixed_p.copy())
    active, steps, settled, dm, dt = run(
        nodes, arrays.edges, arrays.stations, arrays.sources, arrays.pattern, arrays.fluid.table,
        friction_model(friction), float(ambient_temp_c), with_heat, start is not None, tol_flow_kg_per_s, tol_temp_k,
        MOST_STEPS, mode, p, flow, t, t_out, answer,
    )  # fmt: skip
    if not settled:
        raise NotSettledError(steps, dm, dt)
    p[~active] = np.nan
    return State(arrays, p, t, flow, t_out, mode, answer, ambient_temp_c, steps)


def _begin(
    arrays: Arrays, start: State | None, temp_c: float, with_heat: bool
) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int8], Floats]:
    if start is not None:
        p = np.nan_to_num(start.pressure_bar)
        flow, t, t_out = start.flow_kg_per_s.copy(), start.temp_c.copy(), start.outlet_c.copy()
        return p, flow, t, t_out, start.limited.copy(), start.answer_k.copy()
    edges, stations, sources = arrays.edges, arrays.stations, arrays.sources
    n, edge_count = len(arrays.node_names), len(edges.kind)
    flow = np.where(edges.is_open, edges.area * 500.0, 0.0)
    warm = float(np.max(sources.supply_c)) if len(sources.supply_c) and with_heat else temp_c
    t, t_out = np.full(n, warm), np.full(edge_count, warm)
    back = float(np.nanmean(stations.return_c)) if np.any(np.isfinite(stations.return_c)) and with_heat else warm
    here = arrays.edge_slice("substations")
    t_out[here] = back
    flow[here], flow[arrays.edge_slice("sources")] = 0.0, 0.0
    return np.zeros(n), flow, t, t_out, np.zeros(len(stations.heat_w), np.int8), np.zeros(n)
