"""What the other stations say: their primary supply while they draw water themselves, and their outdoor sensors.

A station that is off shows the temperature of a pipe that stands still; it says nothing about the network's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.days import FEWEST_STEADY_H, Limits, Mask, heating, steady
from nuan.buildings.health.hours import DAY_H, CityHours

FloatArray = NDArray[np.float64]
Corrections = Mapping[tuple[int, str], float]
"""(station number, channel) → what its sensor is known to show too much; NaN: it says nothing."""
NONE: Final[Corrections] = MappingProxyType({})
SHARED: Final = ("primary_supply", "outdoor")
FEW: Final = 12
"""Up to so many stations each is compared with the others' median; beyond, with the median of all, which it hardly moves."""


@dataclass
class Peers:
    """`limits` by station number (None: nothing known about it yet; its primary supply then counts at every hour)."""

    city: CityHours
    limits: Sequence[Limits | None]
    _day: int = -1
    _table: dict[str, FloatArray] = field(default_factory=dict)
    _middle: dict[str, FloatArray] = field(default_factory=dict)

    def say(self, index: int, key: str, day: int, hours: Mask, known: Corrections = NONE) -> float:
        """Median over the other stations in these hours of the day; NaN when none says anything."""
        if day != self._day:
            self._load(day, known)
        if len(self.city.stations) > FEW:
            seen = self._middle[key][hours]
            seen = seen[np.isfinite(seen)]
            return float(np.median(seen)) if len(seen) >= FEWEST_STEADY_H else float("nan")
        found = []
        for i, row in enumerate(self._table[key]):
            seen = row[hours]
            seen = seen[np.isfinite(seen)]
            if i != index and len(seen) >= FEWEST_STEADY_H:
                found.append(float(np.median(seen)))
        return float(np.median(found)) if found else float("nan")

    def speaking(self, index: int, key: str, day: int, hours: Mask, known: Corrections = NONE) -> Mask:
        """Those of the hours in which another station says something: what is compared with it has to be of the same hours."""
        if day != self._day:
            self._load(day, known)
        if len(self.city.stations) > FEW:
            return hours & np.isfinite(self._middle[key])
        others = np.delete(self._table[key], index, axis=0)
        return hours & np.isfinite(others).any(axis=0)

    def _load(self, day: int, known: Corrections) -> None:
        part = slice(day * DAY_H, (day + 1) * DAY_H)
        self._day = day
        for key in SHARED:
            table = np.full((len(self.city.stations), DAY_H), np.nan)
            for i, station in enumerate(self.city.stations):
                if key not in station.values:
                    continue
                table[i] = station.values[key][part] - known.get((i, key), 0.0)
                limits = self.limits[i]
                if key == "primary_supply" and limits is not None:
                    table[i][~steady(heating(station.values, limits, part))] = np.nan
            self._table[key] = table
            said = np.isfinite(table).any(axis=0)
            middle = np.full(DAY_H, np.nan)
            if said.any():
                middle[said] = np.nanmedian(table[:, said], axis=0)
            self._middle[key] = middle

    def outdoor(self, index: int, day: int, hours: Mask, known: Corrections) -> float:
        """The weather's, else the other stations', else the station's own sensor."""
        part = slice(day * DAY_H, (day + 1) * DAY_H)
        own = self.city.stations[index].values.get("outdoor")
        for column in (self.city.weather, None, own):
            if column is None:
                value = self.say(index, "outdoor", day, hours, known)
            else:
                seen = column[part][hours]
                seen = seen[np.isfinite(seen)]
                value = float(np.median(seen)) if len(seen) >= FEWEST_STEADY_H else float("nan")
            if np.isfinite(value):
                return value
        return float("nan")
