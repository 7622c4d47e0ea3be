"""Weather compensation: which supply temperature a substation runs at a given outdoor temperature (质调节).

At the design outdoor temperature the secondary network runs 75/50 °C with rooms at 20 °C. Below full load the emission of radiators
∝ (mean water − room)^1.3 and a constant flow give supply and return. Source: the quality-regulation equations of the heating textbook
(供热工程, 热水供热系统供热调节); emission exponent after EN 442.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
EMISSION_EXPONENT = 1.3


@dataclass(frozen=True)
class SupplyCurve:
    """`free_gain_k`: how many kelvin above outdoors people, cooking and sun keep a room without any heating."""

    design_outdoor_c: float = -16.8
    supply_c: float = 75.0
    return_c: float = 50.0
    room_c: float = 20.0
    free_gain_k: float = 3.0
    lowest_supply_c: float = 25.0

    @property
    def design_excess_k(self) -> float:
        """Mean water above room at the design point."""
        return (self.supply_c + self.return_c) / 2 - self.room_c

    def load(self, outdoor_c: FloatArray) -> FloatArray:
        """Share of the design heat that the weather asks for; above 1 on days colder than the design day.

        >>> SupplyCurve().load(np.array([-16.8, 17.0])).round(3).tolist()
        [1.0, 0.0]
        """
        full = self.room_c - self.design_outdoor_c - self.free_gain_k
        return np.maximum((self.room_c - np.asarray(outdoor_c) - self.free_gain_k) / full, 0.0)

    def mean_water_c(self, outdoor_c: FloatArray) -> FloatArray:
        excess = self.design_excess_k * self.load(outdoor_c) ** (1 / EMISSION_EXPONENT)
        return np.asarray(self.room_c + excess, dtype=np.float64)

    def supply(self, outdoor_c: FloatArray) -> FloatArray:
        """
        >>> SupplyCurve().supply(np.array([-16.8, 0.0])).round(1).tolist()
        [75.0, 51.3]
        """
        spread = (self.supply_c - self.return_c) * self.load(outdoor_c)
        return np.maximum(self.mean_water_c(outdoor_c) + spread / 2, self.lowest_supply_c)

    def back(self, outdoor_c: FloatArray) -> FloatArray:
        """Return temperature that belongs to `supply`."""
        spread = (self.supply_c - self.return_c) * self.load(outdoor_c)
        return np.asarray(self.mean_water_c(outdoor_c) - spread / 2, dtype=np.float64)


def smoothed(outdoor_c: FloatArray, hours: float) -> FloatArray:
    """What a controller sees: the outdoor temperature through a first-order filter of `hours`."""
    weight = 1.0 - np.exp(-1.0 / hours)
    seen = np.empty_like(outdoor_c)
    level = float(outdoor_c[:24].mean())
    for i, value in enumerate(outdoor_c):
        level += weight * (float(value) - level)
        seen[i] = level
    return seen
