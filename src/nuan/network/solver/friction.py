"""Pressure loss of a pipe and how it grows with flow: laminar, rough, and the formulas between.

    Δp = (λ L/d + ζ) · ṁ|ṁ| / (2 ρ A²)                                          Darcy–Weisbach

`nikuradse`: λ = 64/Re + (2 lg(3.71 d/k))⁻², smooth everywhere. `colebrook`: 1/√λ = −2 lg(k/(3.71 d) + 2.51/(Re √λ)); `swamee_jain`:
λ = 0.25 / lg²(k/(3.7 d) + 5.74/Re^0.9), Trans. ASCE 102 (1976) 657; both with 64/Re below Re 2 000 and a cubic from there to 4 000 that
meets value and slope at both ends (the idea of Dunlop 1991, as in the EPANET 2.2 manual, app. D), so that a Newton step never sees an edge.
"""

from math import exp, log, log10

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NIKURADSE, COLEBROOK, SWAMEE_JAIN = 0, 1, 2
MODELS = {"nikuradse": NIKURADSE, "colebrook": COLEBROOK, "swamee_jain": SWAMEE_JAIN}
LAMINAR, TURBULENT = 2000.0, 4000.0
_LN10 = log(10.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _turbulent(model: int, re: float, k_over_d: float) -> tuple[float, float]:
    """λ and Re dλ/dRe. Divisions are dear here: this is called for every pipe in every step."""
    if model == SWAMEE_JAIN:
        term = 5.74 * exp(-0.9 * log(re))
        inside = k_over_d * (1.0 / 3.7) + term
        ln = log(inside)
        once = 1.0 / (ln * inside)
        value = 0.25 * _LN10 * _LN10 * (once * inside) ** 2
        return value, 1.8 * value * once * term
    lg = log10(k_over_d / 3.7 + 5.74 * re**-0.9)
    x = -2.0 * lg
    slope = 1.0
    inside = 1.0
    for _ in range(6):
        inside = k_over_d / 3.71 + 2.51 * x / re
        slope = 1.0 + 2.0 * 2.51 / (re * inside * _LN10)
        step = (x + 2.0 * log10(inside)) / slope
        x -= step
        if abs(step) < 1e-13 * x:
            break
    inside = k_over_d / 3.71 + 2.51 * x / re
    slope = 1.0 + 2.0 * 2.51 / (re * inside * _LN10)
    dx = 2.0 * 2.51 * x / (re * inside * _LN10) / slope
    return 1.0 / (x * x), -2.0 / (x * x * x) * dx


@njit(cache=True, nogil=True, error_model="numpy")
def factor(model: int, re: float, k_over_d: float) -> tuple[float, float]:
    """λ and Re dλ/dRe of `colebrook` or `swamee_jain` at Re > 0."""
    if re >= TURBULENT:
        return _turbulent(model, re, k_over_d)
    if re <= LAMINAR:
        return 64.0 / re, -64.0 / re
    low, low_slope = 64.0 / LAMINAR, -64.0 / LAMINAR
    high, high_slope = _turbulent(model, TURBULENT, k_over_d)
    low_slope, high_slope = low_slope / LAMINAR, high_slope / TURBULENT
    width = TURBULENT - LAMINAR
    s = (re - LAMINAR) / width
    value = (
        (1 + 2 * s) * (1 - s) ** 2 * low
        + s * (1 - s) ** 2 * width * low_slope
        + s * s * (3 - 2 * s) * high
        + s * s * (s - 1) * width * high_slope
    )
    slope = (
        6 * s * (s - 1) * low / width
        + (1 - s) * (1 - 3 * s) * low_slope
        + 6 * s * (1 - s) * high / width
        + s * (3 * s - 2) * high_slope
    )
    return value, slope * re


@njit(cache=True, nogil=True, error_model="numpy")
def nikuradse_parts(length: float, d: float, area: float, rough: float, zeta: float) -> tuple[float, float]:
    """(A, B) of Δp = (A μ ṁ + B ṁ|ṁ|) / ρ in Pa: what of a pipe's loss never changes."""
    lg = log10(rough / (3.71 * d)) if rough > 0.0 else -8.0
    scale = 0.5 / (area * area)
    return scale * 64.0 * area / d * length / d, scale * (0.25 / (lg * lg) * length / d + zeta)


@njit(cache=True, nogil=True, error_model="numpy")
def constant_parts(length: Floats, d: Floats, area: Floats, rough: Floats, zeta: Floats) -> tuple[Floats, Floats]:
    """`nikuradse_parts` of many pipes."""
    laminar, squared = np.empty(len(length)), np.empty(len(length))
    for e in range(len(length)):
        laminar[e], squared[e] = nikuradse_parts(length[e], d[e], area[e], rough[e], zeta[e])
    return laminar, squared


@njit(cache=True, nogil=True, error_model="numpy")
def loss(
    model: int, flow: float, length: float, d: float, area: float, rough: float, zeta: float, rho: float, mu: float
) -> tuple[float, float]:
    """(Δp, dΔp/dṁ) in Pa and Pa·s/kg for ṁ in kg/s, lengths in m, ρ in kg/m³, μ in Pa·s."""
    if model == NIKURADSE:
        laminar_part, rough_part = nikuradse_parts(length, d, area, rough, zeta)
        size = abs(flow)
        return (laminar_part * mu + rough_part * size) * flow / rho, (laminar_part * mu + 2.0 * rough_part * size) / rho
    scale = 0.5 / (rho * area * area)
    size = abs(flow)
    re = size * d / (mu * area)
    if re < 1e-3:
        laminar_part = 64.0 * mu * area / d * length / d
        return scale * (laminar_part + zeta * size) * flow, scale * (laminar_part + 2.0 * zeta * size)
    per_d = 1.0 / d
    friction, slope = factor(model, re, rough * per_d)
    part = friction * length * per_d + zeta
    return scale * part * size * flow, scale * (2.0 * part + slope * length * per_d) * size


@njit(cache=True, nogil=True, error_model="numpy")
def roughness_slope(
    model: int, flow: float, length: float, d: float, area: float, rough: float, rho: float, mu: float
) -> float:
    """∂Δp/∂ln(roughness) in Pa, by a central difference of the factor: for calibration and sensitivities."""
    if flow == 0.0 or rough <= 0.0:
        return 0.0
    step = 1e-4
    more = loss(model, flow, length, d, area, rough * (1.0 + step), 0.0, rho, mu)[0]
    less = loss(model, flow, length, d, area, rough * (1.0 - step), 0.0, rho, mu)[0]
    return (more - less) / (2.0 * step)


def colebrook_factor(re: float, k_over_d: float) -> float:
    """λ after Colebrook and White, for people and tests.

    >>> round(colebrook_factor(1e5, 1e-3), 5)
    0.02217
    """
    return float(factor(COLEBROOK, re, k_over_d)[0])
