"""A sensor that stands still while the station around it moves, and one that shows what no sensor can show."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.channels import CHANNELS, TEMPERATURES
from nuan.buildings.health.hours import StationHours

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEAST_H: Final = 8.0
"""运行参数: a run of fewer equal hours is never called stuck."""
MOST_H: Final = 36.0
DEAD_H: Final = 24.0
"""运行参数: so long an impossible value has to stand, while the rest of the station speaks."""
MOVED_K: Final = 2.0
ALIVE: Final = 5
"""运行参数: another temperature has to have moved so far meanwhile, or shown so many values; else the whole station is frozen, which is its line."""


def learn_runs(station: StationHours, part: slice, on: Mask) -> dict[str, float]:
    """Hours after which a run of one value is longer than a healthy channel has: twice the 99.9th percentile while heating."""
    found = {}
    for key, column in station.values.items():
        if not CHANNELS[key].sensor:
            continue
        lengths = run_lengths(column[part], on)
        healthy = float(np.quantile(lengths, 0.999)) if len(lengths) >= 50 else MOST_H / 2
        found[key] = min(max(2.0 * healthy, LEAST_H), MOST_H)
    return found


def run_lengths(column: FloatArray, counted: Mask) -> FloatArray:
    """Length of the run of equal values that each counted hour stands in, so far."""
    run = np.zeros(len(column))
    for i in range(1, len(column)):
        run[i] = run[i - 1] + 1 if column[i] == column[i - 1] else 0
    return run[counted & np.isfinite(column)]


@dataclass
class StuckWatch:
    """Walks a station's hours; `stuck` holds the channels that stand now and the hour since when."""

    after_h: dict[str, float]
    value: dict[str, float] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    dead_h: dict[str, int] = field(default_factory=dict)
    idle_h: dict[str, int] = field(default_factory=dict)
    """Hours with heat in which a meter showed none."""
    stuck: dict[str, int] = field(default_factory=dict)

    def hour(self, station: StationHours, at: int, on: bool, season: bool) -> list[tuple[str, int, float]]:
        """Channels that are found stuck in this hour: (channel, since, value it stands at). `season`: there was heat today."""
        found = []
        for key in self.after_h:
            column = station.values.get(key)
            if column is None:
                continue
            if station.dead[key][at]:
                self.dead_h[key] = self.dead_h.get(key, 0) + 1
                if self.dead_h[key] >= DEAD_H and key not in self.stuck and season:
                    self.stuck[key] = at - self.dead_h[key] + 1
                    found.append((key, self.stuck[key], float("nan")))
                continue
            now = float(column[at])
            if now != now:
                continue
            self.dead_h[key] = 0
            if not CHANNELS[key].zero_is_dead and key != "outdoor":
                if now != 0.0:
                    self.idle_h[key] = 0
                elif on:
                    self.idle_h[key] = self.idle_h.get(key, 0) + 1
                if self.idle_h.get(key, 0) >= LEAST_H and key not in self.stuck and on:
                    self.stuck[key] = at - int(LEAST_H)
                    found.append((key, self.stuck[key], 0.0))
                    continue
            resting = now == 0.0 and not on and not CHANNELS[key].zero_is_dead and key != "outdoor"
            if now != self.value.get(key) or resting:  # no heat and no flow while nothing is asked for is no fault
                self.value[key], self.since[key] = now, at
                if not self.idle_h.get(key):
                    self.stuck.pop(key, None)
                continue
            run = at - self.since[key]
            if key not in self.stuck and run >= self.after_h[key] and season and self._others_moved(station, key, at):
                self.stuck[key] = self.since[key]
                found.append((key, self.since[key], now))
        return found

    def _others_moved(self, station: StationHours, key: str, at: int) -> bool:
        part = slice(self.since[key], at + 1)
        for other in TEMPERATURES:
            column = station.values.get(other)
            if other == key or column is None:
                continue
            seen = column[part][np.isfinite(column[part])]
            if len(seen) < 0.7 * (at + 1 - self.since[key]):
                continue
            if float(np.ptp(seen)) > MOVED_K or len(np.unique(seen)) >= ALIVE:
                return True
        return False
