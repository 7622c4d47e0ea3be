"""Room temperature of many homes, hour by hour: one heat capacity and one loss per home (1R1C), all in kelvin and hours.

    dT/dt = [ (T_out − T)·(1 + w) + g + a·sun + k·max(T_water − T, 0)^1.3 − o·max(T − T_open, 0)·(T − T_out) ] / τ

Everything is divided by the home's loss U: τ = C/U (h), g internal gains (K), a solar aperture (K per W/m²), k emission (K^−0.3),
w extra infiltration by wind, o windows opened when it gets too warm. Neighbours are taken to be as warm as the home itself. The step is
one hour, τ is tens of hours; the emission is read from a table (linear between steps of 0.1 K, error < 0.002 K).
Model: ISO 52016-1 simplified to one node; emission exponent after EN 442.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from nuan.buildings.control import EMISSION_EXPONENT, SupplyCurve

FloatArray = NDArray[np.float64]
_TABLE_STEP_K = 0.1
_TABLE = (np.arange(0, 1301) * _TABLE_STEP_K) ** EMISSION_EXPONENT


@dataclass(frozen=True)
class HomePhysics:
    """One value a home; `emission_k` usually comes from `sized_emission`. Windows open above `opens_at_c`."""

    tau_h: FloatArray
    gain_k: FloatArray
    solar_k_per_w_m2: FloatArray
    emission_k: FloatArray
    windiness: FloatArray
    window_k: float = 0.01
    opens_at_c: float = 23.0

    def __len__(self) -> int:
        return len(self.tau_h)


def sized_emission(target_c: FloatArray, gain_k: FloatArray, curve: SupplyCurve) -> FloatArray:
    """The emission with which a home settles at `target_c` on the design day under the design curve."""
    lost = target_c - curve.design_outdoor_c - gain_k
    water = (curve.supply_c + curve.return_c) / 2
    return np.asarray(lost / (water - target_c) ** EMISSION_EXPONENT, dtype=np.float64)


def simulate(
    homes: HomePhysics,
    start_c: FloatArray,
    outdoor_c: FloatArray,
    wind_m_per_s: FloatArray,
    sun_w_per_m2: FloatArray,
    water_c: NDArray[np.float32],
    water_of_home: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Temperatures °C, shape (homes, hours), at the end of each hour.

    `water_c[row, hour]` is the mean water temperature of a supply group (a value below the room emits nothing: the pump stands or the
    water is cold); `water_of_home` names each home's row.
    """
    out = np.empty((len(homes), len(outdoor_c)), dtype=np.float32)
    _run(
        out,
        start_c,
        homes.tau_h,
        homes.gain_k,
        homes.solar_k_per_w_m2,
        homes.emission_k,
        homes.windiness,
        homes.window_k,
        homes.opens_at_c,
        outdoor_c,
        wind_m_per_s,
        sun_w_per_m2,
        water_c,
        water_of_home,
        _TABLE,
    )
    return out


@njit(cache=True, parallel=True)
def _run(
    out: Any, start: Any, tau: Any, gain: Any, solar: Any, emission: Any, windy: Any, window: Any, opens: Any,
    outdoor: Any, wind: Any, sun: Any, water: Any, row: Any, table: Any,
) -> None:  # fmt: skip
    for home in prange(out.shape[0]):
        temp = start[home]
        group = row[home]
        per_hour = 1.0 / tau[home]
        for hour in range(out.shape[1]):
            cold = outdoor[hour]
            flow = (cold - temp) * (1.0 + windy[home] * (wind[hour] - 3.0)) + gain[home] + solar[home] * sun[hour]
            excess = water[group, hour] - temp
            if excess > 0.0:
                at = min(excess * 10.0, 1299.0)
                step = int(at)
                flow += emission[home] * (table[step] + (at - step) * (table[step + 1] - table[step]))
            if temp > opens and temp > cold:
                flow -= window * (temp - opens) * (temp - cold)
            temp += flow * per_hour
            out[home, hour] = temp
