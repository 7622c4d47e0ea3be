"""Cumulative sums with a stated false-alarm rate.

One-sided CUSUM (Page 1954): S ← max(0, S + e − k), alarm where S > h. Its mean time between false alarms (average run length) on independent
N(0, 1) values is, by Siegmund, Sequential Analysis (1985), eq. 2.57, with the correction b = h + 1.166:

    ARL₀ = (exp(2 k b) − 2 k b − 1) / (2 k²)

`threshold` turns this round. Real residuals are neither independent nor normal: σ is therefore that of long sums (`makeup.Spreader`), single
blocks are capped, and docs/leaks.md gives the rate that was counted on seasons beside the one that is asked for.
"""

import math
from dataclasses import dataclass

SIEGMUND = 1.166


def run_length(k: float, h: float) -> float:
    """Mean number of values between false alarms; k and h in standard deviations.

    >>> round(run_length(0.5, 4.0))
    338
    """
    b = h + SIEGMUND
    if k < 1e-9:
        return b * b
    x = 2.0 * k * b
    return math.inf if x > 700.0 else (math.exp(x) - x - 1.0) / (2.0 * k * k)


def threshold(k: float, length: float) -> float:
    """h in standard deviations, so that false alarms come once in `length` values.

    >>> round(threshold(0.5, 338), 2)
    4.0
    """
    low, high = 0.0, 1000.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if run_length(k, middle) < length else (low, middle)
    return high


@dataclass
class Cusum:
    """Sums what lies above `reference`, in t; knows since when. `cap`: most that one hour may add, so that no single event fills it."""

    reference_t_h: float
    least_t: float
    cap_t_h: float
    run_length_h: float
    sum_t: float = 0.0
    since_s: float = 0.0
    limit_t: float = math.inf

    def push(
        self, time_s: float, excess_t_h: float, hours: float, sigma: float, unsure_t_h: float, jitter_t: float = 0.0
    ) -> bool:
        """Whether it stands above its limit now. `sigma`: t/h of one-hour means as long sums have it; `unsure_t_h`: of the usual loss;
        `jitter_t`: what a pump's cycle alone may pile up."""
        reference = self.reference_t_h + unsure_t_h
        sigma = max(sigma, 1e-3)
        self.limit_t = max(threshold(reference / sigma, self.run_length_h) * sigma, self.least_t, jitter_t)
        if self.sum_t <= 0.0:
            self.since_s = time_s - hours * 3600.0
        self.sum_t = max(0.0, self.sum_t + min(excess_t_h - reference, self.cap_t_h) * hours)
        return self.sum_t > self.limit_t

    def clear(self) -> None:
        self.sum_t = 0.0
