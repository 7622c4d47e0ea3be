"""Flooded or soaked ducts: from sensors in chambers, and from branches that lose more heat than they used to.

A chamber speaks by a float or leak wire (`wet`), by `water_level`, `humidity` or `temperature`. A soaked duct without a sensor shows in the
water behind it: what arrives at a station has cooled by

    T_plant − T_station = (T_plant − T_ground) (1 − exp(−U A / (ṁ c_p)))

so that with each station's flow and the water's age the loss number U A = −ln(1 − drop) ṁ c_p can be followed. A duct under water conducts
several times better (Bøhm and Kristjansson, Int. J. Energy Res. 29 (2005) 1301: wet insulation 2 to 5 times). Here each station's loss number
is compared with its own past and with its neighbours of the same day: weather, clock and plant thermometer are common to all.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nuan.network.graph.tables import Network
from nuan.network.leaks.alarm import DUCT_HEAT_LOSS, DUCT_WET, Alarm
from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
HOUR_S, DAY_S = 3600.0, 86_400.0
RAISED_M, WARM_K, DAMP_PERCENT, DAMP_RISE_PERCENT = 0.10, 8.0, 95.0, 15.0
HOLD_S = {"wet": 600.0, "water_level": 1800.0, "temperature": 2 * HOUR_S, "humidity": 6 * HOUR_S}
"""How long a chamber's sensor must say so."""
QUIET_H = 24.0
PAST_DAYS, LEAST_DAYS = 21, 5
LOSS_GROWN, LOSS_SIGMAS, LOSS_DAYS = 1.4, 6.0, 2
GROUND_C, CP = 6.0, 4190.0


@dataclass
class ChamberSensor:
    """One sensor in a chamber or duct: what is usual for it, since when it is not."""

    column: int
    quantity: str
    asset: str
    usual: float = math.nan
    odd_since_s: float = math.nan
    calm_since_s: float = -math.inf
    told: bool = False

    def push(self, time_s: float, value: float, hours: float) -> float:
        """Confidence of an alarm now, or 0."""
        if math.isnan(value):
            return 0.0
        if math.isnan(self.usual):
            self.usual = min(value, 0.0) if self.quantity == "wet" else value
        odd = self._odd(value)
        if not odd:
            self.odd_since_s = math.nan
            self.usual += min(hours / 72.0, 1.0) * (value - self.usual) if self.quantity != "wet" else 0.0
            if self.told and time_s - self.calm_since_s > QUIET_H * HOUR_S:
                self.told = False
            return 0.0
        self.calm_since_s = time_s
        if math.isnan(self.odd_since_s):
            self.odd_since_s = time_s
        long_enough = time_s - self.odd_since_s >= HOLD_S[self.quantity]
        if self.told or not long_enough:
            return 0.0
        self.told = True
        return {"wet": 0.95, "water_level": 0.9, "temperature": 0.75, "humidity": 0.7}[self.quantity]

    def _odd(self, value: float) -> bool:
        if self.quantity == "wet":
            return value > 0.5
        if self.quantity == "humidity":
            return value >= DAMP_PERCENT and value - self.usual >= DAMP_RISE_PERCENT
        return value - self.usual > (RAISED_M if self.quantity == "water_level" else WARM_K)


@dataclass
class Branch:
    """A station's loss number, day by day."""

    station: str
    temp: int
    flow: int
    usual_kg_per_s: float
    days: deque[float] = field(default_factory=lambda: deque(maxlen=PAST_DAYS))
    sum_loss: float = 0.0
    count: int = 0
    odd_days: int = 0
    told: bool = False


class DuctWatch:
    """`push` rows in order. Alarms name the pipes at the chamber, or those that lead to the stations which lose more."""

    def __init__(self, network: Network, points: Sequence[Point]) -> None:
        self.sensors = [
            ChamberSensor(i, point.quantity, point.asset) for i, point in enumerate(points)
            if point.quantity in HOLD_S and (point.asset_kind in ("duct", "pipe", "node") or point.quantity in ("wet", "water_level", "humidity"))
            and not (point.quantity == "temperature" and point.asset_kind != "duct") and point.asset_kind != "weather"
        ]  # fmt: skip
        self.at_asset = _pipes_at(network)
        self.branches = _branches(network, points)
        self.columns = np.array([branch.temp for branch in self.branches], np.int64)
        self.flows = np.array([branch.flow for branch in self.branches], np.int64)
        self.usual = np.array([branch.usual_kg_per_s for branch in self.branches], np.float64)
        self.sums = np.zeros((2, len(self.branches)))
        self.paths = _paths(network, [branch.station for branch in self.branches]) if self.branches else {}
        self.day = math.nan
        self.last_s = math.nan
        self.plant = deque[float](maxlen=400)
        self.plant_c = math.nan

    def push(self, time_s: float, row: Floats, supply_c: float) -> list[Alarm]:
        hours = 0.0 if math.isnan(self.last_s) else min((time_s - self.last_s) / HOUR_S, 24.0)
        found = []
        for sensor in self.sensors:
            sure = sensor.push(time_s, float(row[sensor.column]), hours)
            if sure:
                pipes = self.at_asset.get(sensor.asset, ())
                share = 1.0 / max(len(pipes), 1)
                found.append(
                    Alarm(
                        time_s,
                        DUCT_WET,
                        0,
                        tuple((pipe, share) for pipe in pipes),
                        confidence=sure,
                        since_s=sensor.odd_since_s,
                        found_by=sensor.quantity,
                    )
                )
        if self.branches:
            found += self._losses(time_s, row, supply_c, hours)
        self.last_s = time_s
        return found

    def _losses(self, time_s: float, row: Floats, supply_c: float, hours: float) -> list[Alarm]:
        """Gather while the plant's temperature is level: then the water's age does not matter."""
        if not math.isnan(supply_c):
            pace = min(hours / 3.0, 1.0)
            level = not math.isnan(self.plant_c) and abs(supply_c - self.plant_c) < 1.0
            self.plant_c = supply_c if math.isnan(self.plant_c) else self.plant_c + pace * (supply_c - self.plant_c)
            if level and supply_c > GROUND_C + 25.0:
                self._gather(row, self.plant_c)
        day = time_s // DAY_S
        if math.isnan(self.day):
            self.day = day
        if day == self.day:
            return []
        self.day = day
        return self._close_day(time_s)

    def _gather(self, row: Floats, plant_c: float) -> None:
        arriving = row[self.columns]
        flow = np.where(self.flows >= 0, row[np.maximum(self.flows, 0)], self.usual)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.clip((plant_c - arriving) / (plant_c - GROUND_C), -0.2, 0.6)
            loss = -np.log1p(-share) * np.abs(flow) * CP
        good = np.isfinite(loss) & (np.abs(flow) > 0.05 * self.usual)
        self.sums[0, good] += loss[good]
        self.sums[1, good] += 1.0

    def _close_day(self, time_s: float) -> list[Alarm]:
        """Compare the day's loss numbers, each over its own past, less what all have in common."""
        enough = self.sums[1] >= 3
        means = np.where(enough, self.sums[0] / np.maximum(self.sums[1], 1.0), np.nan)
        self.sums[:] = 0.0
        ratios = np.full(len(means), np.nan)
        for i, branch in enumerate(self.branches):
            if enough[i] and len(branch.days) >= LEAST_DAYS:
                middle = float(np.median(branch.days))
                ratios[i] = means[i] / middle if middle > 0.0 else np.nan
        common = float(np.nanmedian(ratios)) if np.isfinite(ratios).any() else 1.0
        odd = []
        for i, branch in enumerate(self.branches):
            if not enough[i]:
                continue
            if np.isfinite(ratios[i]) and self._grown(branch, ratios[i] / max(common, 0.2)):
                odd.append((i, float(ratios[i] / max(common, 0.2))))
            else:
                branch.days.append(float(means[i]))
        return self._tell(time_s, odd)

    def _grown(self, branch: Branch, ratio: float) -> bool:
        past = np.array(branch.days)
        middle = float(np.median(past))
        spread = 1.4826 * float(np.median(np.abs(past - middle))) / max(middle, 1e-9)
        grown = ratio > LOSS_GROWN and ratio - 1.0 > LOSS_SIGMAS * max(spread, 0.03)
        branch.odd_days = branch.odd_days + 1 if grown else 0
        if not grown:
            branch.told = False
        return grown

    def _tell(self, time_s: float, odd: list[tuple[int, float]]) -> list[Alarm]:
        ready = [(i, ratio) for i, ratio in odd if self.branches[i].odd_days >= LOSS_DAYS]
        if not any(not self.branches[i].told for i, _ in ready):
            return []
        for i, _ in ready:
            self.branches[i].told = True
        pipes = self._suspects({self.branches[i].station for i, _ in ready})
        sure = min(0.6 + 0.1 * len(ready), 0.9)
        since = time_s - LOSS_DAYS * DAY_S
        return [
            Alarm(time_s, DUCT_HEAT_LOSS, 0, pipes, side="supply", confidence=sure, since_s=since, found_by="heat_loss")
        ]

    def _suspects(self, stations: set[str]) -> tuple[tuple[str, float], ...]:
        """Pipes on the way to the stations that lose more and not to the others: by share of those explained and of those that contradict."""
        scores: dict[str, float] = {}
        behind: dict[str, set[str]] = {}
        for station, path in self.paths.items():
            for pipe in path:
                behind.setdefault(pipe, set()).add(station)
        for pipe, some in behind.items():
            hit = len(some & stations)
            if hit:
                scores[pipe] = (hit / len(stations)) * (hit / len(some))
        total = sum(score**2 for score in scores.values())
        ranked = sorted(((pipe, score**2 / total) for pipe, score in scores.items()), key=lambda one: -one[1])
        return tuple(ranked[:20])


def _pipes_at(network: Network) -> dict[str, tuple[str, ...]]:
    """For a node the pipes that end there, for a pipe itself and its twin."""
    found: dict[str, list[str]] = {}
    for pipe, first, second, twin in network.pipes.select("pipe", "from_node", "to_node", "twin").iter_rows():
        found.setdefault(pipe, []).extend([pipe, twin] if twin else [pipe])
        for node in (first, second):
            found.setdefault(node, []).append(pipe)
    for node, place in network.nodes.select("node", "place").iter_rows():
        if place and node in found:
            found.setdefault(place, []).extend(found[node])
    return {name: tuple(dict.fromkeys(pipes)) for name, pipes in found.items()}


def _branches(network: Network, points: Sequence[Point]) -> list[Branch]:
    flows = {
        point.asset: i
        for i, point in enumerate(points)
        if point.quantity == "flow" and point.asset_kind == "substation" and point.side in ("", "supply", "return")
    }
    heat = dict(network.substations.select("substation", "heat_kw").iter_rows())
    return [
        Branch(point.asset, i, flows.get(point.asset, -1), max(float(heat.get(point.asset) or 100.0), 1.0) / (CP / 1000.0 * 40.0))
        for i, point in enumerate(points)
        if point.quantity == "temperature" and point.asset_kind == "substation" and point.side == "supply" and point.asset in flows
    ]  # fmt: skip


def _paths(network: Network, stations: Sequence[str]) -> dict[str, list[str]]:
    """Pipes on the shortest way from the sources to each station, on the supply."""
    near: dict[str, list[tuple[str, str]]] = {}
    for table in ("pipes", "valves", "pumps"):
        for name, first, second in (
            network.table(table)
            .filter("open")
            .select(network.table(table).columns[0], "from_node", "to_node")
            .iter_rows()
        ):
            near.setdefault(first, []).append((second, name if table == "pipes" else ""))
            near.setdefault(second, []).append((first, name if table == "pipes" else ""))
    starts = network.sources["supply_node"].to_list()
    up: dict[str, tuple[str, str]] = dict.fromkeys(starts, ("", ""))
    queue = deque(starts)
    while queue:
        node = queue.popleft()
        for other, pipe in near.get(node, []):
            if other not in up:
                up[other] = (node, pipe)
                queue.append(other)
    node_of = dict(network.substations.select("substation", "supply_node").iter_rows())
    found = {}
    for station in stations:
        path, node = [], node_of.get(station, "")
        while node in up and up[node][0]:
            node, pipe = up[node]
            if pipe:
                path.append(pipe)
        found[station] = path
    return found
