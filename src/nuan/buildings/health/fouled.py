"""Fouling or a lying sensor on the primary return: told apart by how the error goes with the load.

Where the valve still holds the secondary supply, a fouled exchanger shows in one channel only, the primary return: the water leaves warmer. So
would it with a sensor that shows too much. But the sensor's error is the same at every hour, and the exchanger's grows steeply with the flow:

    T₂ − T₄ = (T₁ − T₄)·(1 − ε(UA/C₁)),   1 − ε ≈ e^(−UA/C₁)   (counter-flow, C₁ ≪ C₂; VDI Heat Atlas C1)

so that it is nothing at night's small flow and large in the morning peak. Every day's hours are fitted both ways, one number each, and the
sums of squares compared, over the hours in which nothing starts or stops.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.days import steady
from nuan.buildings.health.hours import DAY_H, StationHours
from nuan.buildings.health.standing import passed

FloatArray = NDArray[np.float64]
STEEPNESS: Final = (0.8, 1.4, 2.2)
"""d ln(T₂ − T₄)/d ln C₁ = UA/C₁: the transfer units that are left, from badly to slightly fouled."""


def approach(station: StationHours, part: slice) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """(ln flow, T₂ − T₄, T₁ − T₄) of the hours."""
    values = station.values
    flow = passed(station, part)
    if flow is None or not {"primary_supply", "primary_return", "secondary_return"} <= set(values):
        return None
    good = np.isfinite(flow) & (flow > 0)
    back = values["secondary_return"][part]
    return (
        np.where(good, np.log(np.where(good, flow, 1.0)), np.nan),
        values["primary_return"][part] - back,
        values["primary_supply"][part] - back,
    )


def learn_approach(station: StationHours, part: slice, on: NDArray[np.bool_]) -> list[float]:
    """T₂ − T₄ as a parabola of ln flow, robustly; empty where it cannot be known."""
    seen = approach(station, part)
    if seen is None:
        return []
    level, gap, drive = seen
    use = steady(on) & np.isfinite(level) & np.isfinite(gap) & (drive > 5.0)
    if use.sum() < 200:
        return []
    low, high = np.quantile(level[use], [0.02, 0.98])
    use &= (level >= low) & (level <= high)
    design = np.vander(level[use], 3)
    weights = np.ones(len(design))
    found: FloatArray = np.zeros(3)
    for _ in range(10):
        root = np.sqrt(weights)[:, None]
        found = np.asarray(np.linalg.lstsq(design * root, gap[use] * root[:, 0], rcond=None)[0], np.float64)
        error = np.abs(gap[use] - design @ found)
        weights = np.minimum(1.0, 1.345 * 1.4826 * max(float(np.median(error)), 1e-6) / np.maximum(error, 1e-9))
    return [*found.tolist(), float(low), float(high)]


def load_evidence(station: StationHours, learned: list[float], days: range, on: NDArray[np.bool_]) -> float:
    """Log-likelihood of "grows with the flow" over "is the same at every hour"; 0 where nothing tells.

    `on`: hours of heat, from the first of `days` on.
    """
    constant, fouled, hours = 0.0, np.zeros(len(STEEPNESS)), 0
    if not learned:
        return 0.0
    a, b, c, low, high = learned
    quiet = steady(on)
    for number, day in enumerate(days):
        part = slice(day * DAY_H, (day + 1) * DAY_H)
        seen = approach(station, part)
        if seen is None:
            return 0.0
        level, gap, drive = seen
        use = quiet[number * DAY_H : (number + 1) * DAY_H] & np.isfinite(level) & np.isfinite(gap) & (drive > 5.0)
        use &= (level > low - 0.3) & (level < high + 0.3)
        if use.sum() < 6 or float(np.ptp(level[use])) < 0.1:
            continue
        held = np.clip(level[use], low, high)
        extra = gap[use] - (a * held**2 + b * held + c)
        constant += float(((extra - extra.mean()) ** 2).sum())
        for number_of, steepness in enumerate(STEEPNESS):
            growth = np.exp(steepness * (level[use] - np.median(level[use])))
            amount = max(float((growth * extra).sum() / (growth**2).sum()), 0.0)
            fouled[number_of] += float(((extra - amount * growth) ** 2).sum())
        hours += int(use.sum())
    return hours * float(np.log(constant / fouled.min())) / 2 if hours and fouled.min() > 0 else 0.0
