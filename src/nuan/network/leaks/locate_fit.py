"""What the twin gets wrong at each sensor without a leak, learnt: a gauge's offset, wrong roughness, a clock that is off, the day's rhythm.

A residual r = measured − predicted is fitted with

    r = a + b · loss + c · dp/dt + (two harmonics of the day)

where `loss` is what the twin loses on the way to the sensor at that moment: wrong roughness errs with flow², so a constant offset learnt at
one load is wrong at another. A clock that is off by δ errs by δ · dp/dt. Fitted by ridge with priors (Hoerl & Kennard 1970) and Huber's
weights, so that an hour of nonsense does not move it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HUBER = 2.0
DAY_S = 86_400.0
PRIOR_OFFSET, PRIOR_SLOPE, PRIOR_LAG_H, PRIOR_RHYTHM = 0.3, 0.4, 0.3, 0.02
"""bar (of a flow: its level), 1, h, bar (of a flow: its level): how far off drawings and gauges usually are."""
FEATURES = 7
LEAST_SIGMA_BAR = 0.002
HALF_LIFE_S = 10 * DAY_S


@dataclass(frozen=True)
class Rows:
    """T rows of S sensors: `measured`, `predicted`, `loss` `[T, S]`; `time_s[T]` rising."""

    time_s: NDArray[np.int64]
    measured: Floats
    predicted: Floats
    loss: Floats

    def features(self, before: "Rows | None" = None) -> Floats:
        """`[T, S, FEATURES]`. The change of the first row is taken from the last one of `before` when that is near."""
        t, s = self.predicted.shape
        found = np.zeros((t, s, FEATURES))
        if not t:
            return found
        found[..., 0] = 1.0
        found[..., 1] = self.loss
        angle = self.time_s * (2 * np.pi / DAY_S)
        for k, wave in enumerate((np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle))):
            found[..., 2 + k] = wave[:, None]
        times, predicted = self.time_s.astype(float), self.predicted
        if before is not None and len(before.time_s) and 0 < times[0] - before.time_s[-1] <= 6 * 3600:
            times, predicted = (
                np.concatenate([[before.time_s[-1]], times]),
                np.vstack([before.predicted[-1:], predicted]),
            )
        gap_h = np.diff(times) / 3600.0
        change = np.diff(predicted, axis=0) / np.maximum(gap_h, 1e-3)[:, None]
        change[(gap_h > 6.0) | (gap_h <= 0.0)] = 0.0
        change = np.vstack([np.zeros((t - len(change), s)), change])
        found[..., 6] = np.nan_to_num(change)
        return found


@dataclass(frozen=True)
class Fit:
    """`coefficients[S, F]`, their covariance `[S, F, F]` (for noise of 1), `sigma[S]` of an hour's residual, and the residuals `[T, S]`."""

    coefficients: Floats
    spread: Floats
    sigma: Floats
    residual: Floats
    rows: Rows
    count: NDArray[np.int64]

    def expected(self, features: Floats) -> Floats:
        """`[T, S]` what the twin errs by without a leak."""
        return np.asarray(np.einsum("tsf,sf->ts", features, self.coefficients), np.float64)

    def doubt(self, features: Floats) -> Floats:
        """`[S]` variance that not knowing the coefficients leaves in the mean over these rows."""
        mean = features.mean(axis=0)
        return np.asarray(np.einsum("sf,sfg,sg->s", mean, self.spread, mean), np.float64)


def fit(rows: Rows, is_flow: NDArray[np.bool_]) -> Fit:
    """Fit each sensor by itself. Without rows the priors stand: no offset, and much doubt."""
    t, s = rows.predicted.shape
    features = rows.features()
    residual = rows.measured - rows.predicted
    level = np.ones(s)
    if t:
        size = np.nanmedian(np.abs(np.where(np.isfinite(rows.predicted), rows.predicted, 0.0)), axis=0)
        level = np.where(is_flow, np.maximum(size, 1e-3), 1.0)
    prior = np.empty((s, FEATURES))
    prior[:, 0] = PRIOR_OFFSET * level
    prior[:, 1] = np.where(is_flow, 0.1, PRIOR_SLOPE)
    prior[:, 2:6] = (PRIOR_RHYTHM * level)[:, None]
    prior[:, 6] = PRIOR_LAG_H
    seen = np.isfinite(residual) & np.isfinite(features).all(axis=2)
    features = np.where(seen[..., None], features, 0.0)
    y = np.where(seen, residual, 0.0)
    age = np.exp2((rows.time_s - rows.time_s[-1]) / HALF_LIFE_S) if t else np.zeros(0)
    least = LEAST_SIGMA_BAR * level
    sigma = np.maximum(0.05 * level, least)
    coefficients = np.zeros((s, FEATURES))
    weights = seen * age[:, None]
    spread = np.einsum("sf,fg->sfg", prior**2, np.eye(FEATURES))
    for _ in range(8 if t else 0):
        precision = np.einsum("tsf,ts,tsg->sfg", features, weights / sigma**2, features, optimize=True)
        index = np.arange(FEATURES)
        precision[:, index, index] += 1.0 / prior**2
        right = np.einsum("tsf,ts->sf", features, weights * y / sigma**2, optimize=True)
        spread = np.linalg.inv(precision)
        coefficients = np.einsum("sfg,sg->sf", spread, right)
        left = np.where(seen, y - np.einsum("tsf,sf->ts", features, coefficients), np.nan)
        with np.errstate(all="ignore"):
            size = np.abs(left)
            enough = seen.sum(axis=0) >= 5
            typical = np.ones(s)
            if enough.any():
                typical[enough] = 1.4826 * np.nanmedian(size[:, enough], axis=0)
            sigma = np.where(enough, np.maximum(typical, least), sigma)
            pull = np.where(size > HUBER * sigma, HUBER * sigma / size, 1.0)
        weights = np.where(seen, np.nan_to_num(pull), 0.0) * age[:, None]
    left = np.where(seen, y - np.einsum("tsf,sf->ts", features, coefficients), np.nan)
    return Fit(coefficients, spread, sigma, left, rows, seen.sum(axis=0))


def robust_mean(values: Floats) -> Floats:
    """`[S]` of `[T, S]`: Huber's mean over time, NaN where nothing was seen."""
    seen = np.isfinite(values)
    found = np.full(values.shape[1], np.nan)
    some = seen.any(axis=0)
    if not some.any():
        return found
    v = values[:, some]
    middle = np.nanmedian(v, axis=0)
    width = 1.4826 * np.nanmedian(np.abs(v - middle), axis=0) + 1e-9
    for _ in range(5):
        gap = np.abs(v - middle)
        w = np.where(np.isfinite(v), np.minimum(1.0, HUBER * width / np.maximum(gap, 1e-12)), 0.0)
        middle = np.sum(w * np.nan_to_num(v), axis=0) / np.maximum(w.sum(axis=0), 1e-12)
    found[some] = middle
    return found


def block_means(fit: Fit, length_s: float) -> Floats:
    """`[B, S]` means of residuals over stretches as long as the one to be judged: how far such a mean strays without a leak."""
    times = fit.rows.time_s
    if not len(times):
        return np.zeros((0, fit.residual.shape[1]))
    block = ((times[-1] - times) / max(length_s, 3600.0)).astype(np.int64)
    means = []
    for k in np.unique(block):
        mine = fit.residual[block == k]
        if len(mine) * 2 >= np.sum(block == block[len(block) // 2]):
            means.append(robust_mean(mine))
    return np.array(means).reshape(-1, fit.residual.shape[1])
