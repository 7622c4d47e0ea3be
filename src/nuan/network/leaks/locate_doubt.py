"""How the residuals stray together without a leak: a covariance from physics, scaled to and mixed with what was seen.

Loads that are other than believed move whole branches, wrong roughness too; these shapes come from the network (`J diag(σ²) Jᵀ`), their
sizes from the residuals seen (non-negative least squares on the covariance), and both are mixed as an inverse-Wishart prior of `WORTH`
observations is with the sample (Gelman et al., Bayesian Data Analysis, 3rd ed., § 3.6; the shrinkage idea of Ledoit & Wolf 2004).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float64]
WORTH = 20.0


def mixed(means: Floats, shapes: Sequence[Floats], least_variance: Floats) -> Floats:
    """`[S, S]` from block means `[B, S]` (NaN: not seen), shapes `[S, S]` of any size, and the least variance of each sensor."""
    b, s = means.shape
    seen = np.isfinite(means)
    m = np.where(seen, np.clip(means, -8 * _scale(means, least_variance), 8 * _scale(means, least_variance)), 0.0)
    pairs = np.maximum(seen.T.astype(float) @ seen.astype(float), 1.0)
    sample = m.T @ m / pairs
    scale = (
        np.sqrt(np.maximum(np.diag(sample), least_variance)) if b >= 3 else np.sqrt(np.maximum(least_variance, 1e-12))
    )
    prior = _scaled(
        sample / np.outer(scale, scale), [shape / np.outer(scale, scale) for shape in shapes], b
    ) * np.outer(scale, scale)
    left = np.maximum(np.diag(sample) - np.diag(prior), 0.0) if b else np.zeros(s)
    prior = prior + np.diag(np.maximum(0.7 * left + 0.3 * np.median(left), least_variance))
    return np.asarray((WORTH * prior + b * sample) / (WORTH + b) + np.diag(0.2 * least_variance), np.float64)


def _scale(means: Floats, least_variance: Floats) -> Floats:
    """Usual size of each sensor's means: beyond some of these a mean is no news of how sensors stray, but an accident."""
    found = np.sqrt(least_variance)
    some = np.isfinite(means).any(axis=0)
    if some.any():
        found[some] = np.maximum(1.4826 * np.nanmedian(np.abs(means[:, some]), axis=0), found[some])
    return np.asarray(found, np.float64)


def _scaled(sample: Floats, shapes: Sequence[Floats], blocks: int) -> Floats:
    """Sum of the shapes, each times what fits the sample best and not less than nothing."""
    s = len(sample)
    usable = [shape for shape in shapes if np.isfinite(shape).all() and np.abs(shape).max(initial=0.0) > 0.0]
    if not usable or not s:
        return np.zeros((s, s))
    if blocks < 3:
        return np.asarray(sum(shape for shape in usable), np.float64)
    pick = np.arange(s) if s <= 300 else np.linspace(0, s - 1, 300).astype(int)
    at = np.ix_(pick, pick)
    columns = [shape[at].ravel() for shape in usable] + [np.eye(len(pick)).ravel()]
    sizes = [max(float(np.linalg.norm(column)), 1e-300) for column in columns]
    found, _ = nnls(
        np.stack([column / size for column, size in zip(columns, sizes, strict=True)], axis=1), sample[at].ravel()
    )
    return np.asarray(sum(shape * f / size for shape, f, size in zip(usable, found, sizes, strict=False)), np.float64)
