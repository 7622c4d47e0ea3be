"""Water: density, viscosity and heat capacity over temperature, as tables that a kernel reads in a step.

A `Fluid` is given on whole kelvins and read linearly between them; other programs' tables (linear between whole kelvins too) become
the same numbers exactly, so that results can be compared without an argument about water.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIRST_K = 253
LAST_K = 473
ZERO_C = 273.15


@dataclass(frozen=True, slots=True)
class Fluid:
    """`table[3, 221]`: density kg/m³, dynamic viscosity Pa·s, heat capacity J/(kg·K) at 253, 254 … 473 K."""

    name: str
    table: Floats

    @classmethod
    def of(cls, name: str, density: Floats, viscosity: Floats, heat_capacity: Floats) -> "Fluid":
        table = np.ascontiguousarray(np.vstack([density, viscosity, heat_capacity]), dtype=np.float64)
        if table.shape != (3, LAST_K - FIRST_K + 1) or not np.all(table > 0):
            raise ValueError(f"a fluid is three positive properties at {FIRST_K} to {LAST_K} K, not {table.shape}")
        return cls(name, table)

    def density(self, temp_c: float) -> float:
        """kg/m³."""
        return float(at(self.table, 0, temp_c))

    def viscosity(self, temp_c: float) -> float:
        """Pa·s."""
        return float(at(self.table, 1, temp_c))

    def heat_capacity(self, temp_c: float) -> float:
        """J/(kg·K)."""
        return float(at(self.table, 2, temp_c))


@njit(cache=True, nogil=True, error_model="numpy")
def at(table: Floats, which: int, temp_c: float) -> float:
    """A property at a temperature; beyond the table its last value."""
    x = temp_c + ZERO_C - FIRST_K
    if x <= 0.0:
        return float(table[which, 0])
    i = int(x)
    if i >= table.shape[1] - 1:
        return float(table[which, table.shape[1] - 1])
    return float(table[which, i] + (x - i) * (table[which, i + 1] - table[which, i]))


def _water() -> Fluid:
    """Liquid water at network pressures.

    Density: Kell, J. Chem. Eng. Data 20 (1975) 97, eq. 16, at 1 atm (within 0.1 % at 16 bar). Viscosity: Vogel's equation as fitted
    in Reid, Prausnitz, Poling (1987): 2.414e-5 · 10^(247.8/(T−140)) Pa·s, within 2.5 % from 0 to 370 °C. Heat capacity: polynomial
    through the IAPWS-IF97 saturated liquid values at 0, 20, 50, 80, 120, 160, 200 °C (within 0.1 %).
    """
    kelvin = np.arange(FIRST_K, LAST_K + 1, dtype=np.float64)
    t = np.maximum(kelvin - ZERO_C, 0.0)
    kell = (
        999.83952 + t * (16.945176 + t * (-7.9870401e-3 + t * (-46.170461e-6 + t * (105.56302e-9 - t * 280.54253e-12))))
    ) / (1.0 + 16.879850e-3 * t)
    viscosity = 2.414e-5 * 10.0 ** (247.8 / (t + ZERO_C - 140.0))
    known_c = np.array([0.0, 20.0, 50.0, 80.0, 120.0, 160.0, 200.0])
    known_j = np.array([4220.0, 4184.0, 4180.0, 4196.0, 4246.0, 4338.0, 4496.0])
    capacity = np.polynomial.Polynomial.fit(known_c, known_j, 5)(t)
    return Fluid.of("water", kell, viscosity, np.asarray(capacity))


WATER = _water()
