"""From a row of all points to what the balance of water needs: make-up, temperatures of both sides, flow, pressure held, level.

Several sources are added up. Stations' return temperatures are averaged; when the set that speaks changes, the mean does not jump.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nuan.network.graph.tables import Network
from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BOUNDS = {
    "temperature": (-60.0, 250.0), "pressure": (-1.5, 60.0), "flow": (-50_000.0, 50_000.0), "make_up_flow": (-500.0, 3000.0),
    "level": (-100.0, 1000.0), "volume": (-10.0, 1e5),
}  # fmt: skip
"""What no instrument of a heating network means; such readings count as missing."""
WATER_C = (0.5, 200.0)
STALE_S = 6 * 3600.0
SETTLE_S = 86_400.0
FILL_WORDS = ("fill", "refill", "充水", "补水", "注水", "maintenance", "planned", "检修")


@dataclass(frozen=True, slots=True)
class Gathered:
    """NaN where unknown. `flow_m3_per_s` of the plants together."""

    make_up_t_h: float
    supply_c: float
    return_c: float
    flow_m3_per_s: float
    back_bar: float
    level: float
    excused: bool


@dataclass
class Kept:
    """Last good value of each column of a group, for a while."""

    columns: Ints
    weights: Floats
    value: Floats = field(default_factory=lambda: np.zeros(0))
    time_s: Floats = field(default_factory=lambda: np.zeros(0))
    offset: float = 0.0
    last_mean: float = math.nan
    last_time_s: float = math.nan
    speaking: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        self.value = np.full(len(self.columns), np.nan)
        self.time_s = np.full(len(self.columns), -np.inf)

    def take(self, time_s: float, row: Floats) -> NDArray[np.bool_]:
        """Which columns have a value that is not stale."""
        now = row[self.columns]
        good = ~np.isnan(now)
        self.value[good] = now[good]
        self.time_s[good] = time_s
        fresh: NDArray[np.bool_] = self.time_s >= time_s - STALE_S
        return fresh

    def total(self, time_s: float, row: Floats) -> float:
        """Sum of all; NaN while one is silent."""
        if not len(self.columns):
            return math.nan
        fresh = self.take(time_s, row)
        return float(self.value.sum()) if fresh.all() else math.nan

    def mean(self, time_s: float, row: Floats) -> float:
        """Weighted mean without jumps when a sensor falls silent or comes back."""
        if not len(self.columns):
            return math.nan
        fresh = self.take(time_s, row)
        weight = self.weights * fresh
        total = float(weight.sum())
        if total <= 0.0:
            return math.nan
        mean = float((weight * np.nan_to_num(self.value)).sum()) / total
        if self.speaking is not None and not math.isnan(self.last_mean):
            self.offset *= math.exp(-max(time_s - self.last_time_s, 0.0) / SETTLE_S)
            if not np.array_equal(fresh, self.speaking):
                self.offset += self.last_mean - (mean + self.offset)
        self.speaking, self.last_mean, self.last_time_s = fresh, mean + self.offset, time_s
        return mean + self.offset


@dataclass
class Counter:
    """A counter's steps, as a mean flow since its last reading. A counter that goes back has been exchanged: nothing is known of that step."""

    column: int
    last: float = math.nan
    last_s: float = math.nan

    def flow(self, time_s: float, row: Floats) -> float:
        now, found = float(row[self.column]), math.nan
        if math.isnan(now):
            return found
        hours = (time_s - self.last_s) / 3600.0
        if not math.isnan(self.last) and 0.0 <= now - self.last <= 3000.0 * max(hours, 0.01) and 0.0 < hours <= 24.0:
            found = (now - self.last) / hours
        self.last, self.last_s = now, time_s
        return found


class Gatherer:
    """Knows which columns are what. `sees_make_up` says whether anything can be watched at all."""

    def __init__(self, network: Network, points: Sequence[Point]) -> None:
        self.points = tuple(points)
        self.low = np.array([BOUNDS.get(point.quantity, (-np.inf, np.inf))[0] for point in points])
        self.high = np.array([BOUNDS.get(point.quantity, (-np.inf, np.inf))[1] for point in points])
        for i, point in enumerate(points):
            if point.quantity == "temperature" and point.asset_kind in ("source", "substation", "node", "pipe"):
                self.low[i], self.high[i] = WATER_C
        heat = dict(network.substations.select("substation", "heat_kw").iter_rows())
        usual = float(np.mean([value for value in heat.values() if value])) if any(heat.values()) else 1.0
        self.weight = {name: (value or usual) for name, value in heat.items()}
        sides = dict(network.nodes.select("node", "side").iter_rows())
        side_of = [point.side or str(sides.get(point.asset, "")) for point in points]

        def pick(quantity: str, kinds: tuple[str, ...], side: str | None = None) -> list[int]:
            return [
                i for i, point in enumerate(points)
                if point.quantity == quantity and point.asset_kind in kinds and (side is None or side_of[i] == side)
            ]  # fmt: skip

        flows = pick("make_up_flow", ("source", "tank", "pump", "node", "pipe", "valve", "substation", ""))
        metered = {points[i].asset for i in flows}
        totals = [
            i
            for i in pick("make_up_total", ("source", "tank", "pump", "node", "pipe", "valve", "substation", ""))
            if points[i].asset not in metered
        ]
        self.flows = self._kept(_one_each(points, flows))
        self.counters = [Counter(i) for i in _one_each(points, totals)]
        self.supply = self._kept(
            pick("temperature", ("source",), "supply") or pick("temperature", ("node", "pipe", "substation"), "supply")
        )
        self.stations_back = self._kept(pick("temperature", ("substation",), "return"))
        self.plant_back = self._kept(pick("temperature", ("source", "node", "pipe"), "return"))
        plants = (
            pick("flow", ("source",), "supply") or pick("flow", ("source",), "return") or pick("flow", ("source",), "")
        )
        self.plant_flow = self._kept(_one_each(points, plants))
        self.station_flow = self._kept(pick("flow", ("substation",)))
        held = (
            pick("pressure", ("tank",))
            or pick("pressure", ("source",), "return")
            or _near_plant(network, points, pick("pressure", ("node", "substation"), "return"))
        )
        self.held = self._kept(held[:1])
        self.level = self._kept((pick("volume", ("tank", "source", "")) or pick("level", ("tank", "source", "")))[:1])
        self.excuses = [
            i for i, point in enumerate(points)
            if point.quantity == "state" and (point.side == "make_up" or any(word in f"{point.column} {point.asset}".lower() for word in FILL_WORDS))
        ]  # fmt: skip
        self.share = sum(self.weight.get(points[i].asset, usual) for i in self.station_flow.columns) / max(
            sum(self.weight.values()), 1e-9
        )
        self.sees_make_up = bool(len(self.flows.columns) or self.counters)

    def _kept(self, columns: list[int]) -> Kept:
        weights = [self.weight.get(self.points[i].asset, 1.0) for i in columns]
        return Kept(np.array(columns, np.int64), np.array(weights, np.float64))

    def clean(self, values: Floats) -> Floats:
        """The row with what cannot be as NaN."""
        with np.errstate(invalid="ignore"):
            return np.where((values >= self.low) & (values <= self.high), values, np.nan)

    def gather(self, time_s: float, row: Floats) -> Gathered:
        """`row` as `clean` gives it."""
        make_up = self._make_up(time_s, row)
        flow_kg = self.plant_flow.total(time_s, row)
        if math.isnan(flow_kg) and self.share > 0.02:
            flow_kg = self.station_flow.total(time_s, row) / self.share
        back = self.stations_back.mean(time_s, row)
        if math.isnan(back):
            back = self.plant_back.mean(time_s, row)
        return Gathered(
            make_up, self.supply.mean(time_s, row), back, abs(flow_kg) / 970.0,
            float(row[self.held.columns[0]]) if len(self.held.columns) else math.nan,
            float(row[self.level.columns[0]]) if len(self.level.columns) else math.nan,
            any(row[i] > 0.5 for i in self.excuses),
        )  # fmt: skip

    def _make_up(self, time_s: float, row: Floats) -> float:
        parts = [float(row[i]) for i in self.flows.columns] + [counter.flow(time_s, row) for counter in self.counters]
        return sum(parts) if parts else math.nan


def _one_each(points: Sequence[Point], columns: list[int]) -> list[int]:
    """The first column of each asset: a second meter on the same pipe does not count twice."""
    seen: dict[str, int] = {}
    for i in columns:
        seen.setdefault(points[i].asset, i)
    return list(seen.values())


def _near_plant(network: Network, points: Sequence[Point], columns: list[int]) -> list[int]:
    """Those at the sources' return nodes first."""
    plants = set(network.sources["return_node"].to_list())
    return [i for i in columns if points[i].asset in plants]
