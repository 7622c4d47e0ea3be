"""Two-sided CUSUM whose threshold follows from a stated rate of false alarms.

    S⁺ₜ = max(0, S⁺ₜ₋₁ + zₜ − k),   S⁻ₜ = max(0, S⁻ₜ₋₁ − zₜ − k),   alarm when either exceeds h            (Page 1954)

For independent standard normal z one side's mean time between false alarms is (Siegmund 1985, eq. 2.57; Montgomery, *Statistical Quality
Control*, eq. 9.6)

    ARL₀ ≈ (exp(2kb) − 2kb − 1) / (2k²),   b = h + 1.166.

What a residual does in truth is not white: it wanders over days. That is in the scale that z is divided by (`models`), not in here.
"""

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_CORRECTION = 1.166


def run_length(h: float, k: float) -> float:
    """Mean steps between false alarms of a two-sided CUSUM: half of one side's.

    >>> 440 < run_length(5.0, 0.5) < 490   # 465 in the tables
    True
    """
    b = h + _CORRECTION
    return (exp(2 * k * b) - 2 * k * b - 1) / (2 * k * k) / 2


def threshold(mean_steps: float, k: float) -> float:
    """The h at which a two-sided CUSUM of allowance k alarms once in `mean_steps` steps of nothing.

    >>> round(threshold(465.0, 0.5), 1)
    5.0
    """
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if run_length(middle, k) < mean_steps else (low, middle)
    return (low + high) / 2


@dataclass
class Cusum:
    """Both sides of many residuals at once. A residual that is not known today (NaN) leaves its sums as they are."""

    up: FloatArray
    down: FloatArray
    since_up: NDArray[np.int64]
    since_down: NDArray[np.int64]
    k: float
    h: float
    most: float = 4.0

    @classmethod
    def of(cls, n: int, k: float, h: float, most: float = 4.0) -> "Cusum":
        return cls(np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64), k, h, most)

    def step(self, z: FloatArray, at: int) -> NDArray[np.bool_]:
        """Which residuals alarm. One step counts at most `most`: a single wild value is no alarm. `since_*`: the first step of the rise."""
        known = np.isfinite(z)
        held = np.where(known, np.clip(z, -self.most, self.most), 0.0)
        for sums, since, sign in ((self.up, self.since_up, 1.0), (self.down, self.since_down, -1.0)):
            fresh = known & (sums == 0.0)
            since[fresh] = at
            sums[known] = np.maximum(0.0, sums + sign * held - self.k)[known]
        alarmed: NDArray[np.bool_] = (self.up > self.h) | (self.down > self.h)
        return alarmed

    def since(self, i: int) -> int:
        """First step of the rise that stands now."""
        return int(self.since_up[i] if self.up[i] >= self.down[i] else self.since_down[i])

    def reset(self) -> None:
        self.up[:] = 0.0
        self.down[:] = 0.0
