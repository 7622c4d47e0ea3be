"""Water on its way through pipes: plugs that are pushed, and a wall that holds them back.

A pipe is a row of equal cells of water that moves as a whole over a row of equal cells of wall. `filled` says how far the row is pushed
beyond the wall, so nothing is smeared by moving: a cell leaves as it came in but for what it gave to the wall,

    C_w dT_w/dt = −g (T_w − T_m),   C_m dT_m/dt = g (T_w − T_m) − u (T_m − T_ground),

solved exactly cell by cell for the time in which the row moves one cell at most. The film is Gnielinski's (1976; VDI Heat Atlas G1) with
the wall's own resistance e/(3k) for a layer heated from one side; mixing along the pipe is Taylor's K = 10.1 r u* (Proc. R. Soc. A 223
(1954) 446).
"""

from math import ceil, exp, log, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.network.fluid import at

Floats = NDArray[np.float64]
CONDUCTIVITY_WATER = 0.64
"""W/(m·K), water at 50 to 90 °C."""


@njit(cache=True, nogil=True, error_model="numpy")
def film_w_per_mk(
    table: Floats, flow: float, d: float, area: float, temp_c: float, wall_m: float, wall_k: float
) -> tuple[float, float]:
    """(W/K per metre between water and wall, m²/s of mixing along the pipe) at a flow."""
    mu, rho, c = at(table, 1, temp_c), at(table, 0, temp_c), at(table, 2, temp_c)
    speed = abs(flow) / (rho * area)
    re = speed * d * rho / mu
    pr = mu * c / CONDUCTIVITY_WATER
    if re < 2300.0:
        nusselt, mixing = 3.66, 0.0
    else:
        friction = (0.79 * log(re) - 1.64) ** -2
        nusselt = (friction / 8) * (re - 1000.0) * pr / (1.0 + 12.7 * sqrt(friction / 8) * (pr ** (2.0 / 3.0) - 1.0))
        mixing = 10.1 * 0.5 * d * speed * sqrt(friction / 8)
    h = nusselt * CONDUCTIVITY_WATER / d
    return 3.141592653589793 * d / (1.0 / h + wall_m / (3.0 * wall_k)), mixing


@njit(cache=True, nogil=True, error_model="numpy")
def _soak(
    water: Floats,
    wall: Floats,
    filled: float,
    c_water: float,
    c_wall: float,
    g: float,
    u: float,
    ground: float,
    dt: float,
) -> None:
    """Exchange of each water cell with the one or two wall cells that it lies over, then of the wall with the ground. J/K, W/K a cell."""
    n = len(wall)
    if c_wall > 0.0:
        rate = exp(-g * dt * (1.0 / c_water + 1.0 / c_wall))
        for i in range(n):
            part = 1.0 - filled
            # wall i is covered over `filled` of its length by water i (which began before it) and over the rest by water i + 1
            total = 0.0
            for k in range(2):
                share = filled if k == 0 else part
                if share <= 0.0:
                    continue
                cell = i if k == 0 else i + 1
                even = (c_water * water[cell] + c_wall * wall[i]) / (c_water + c_wall)
                gap = (water[cell] - wall[i]) * rate
                warmed = even + gap * c_wall / (c_water + c_wall)
                # only `share` of this water cell lies here
                water[cell] += share * (warmed - water[cell])
                total += share * (even - gap * c_water / (c_water + c_wall))
            wall[i] = total
        if u > 0.0:
            kept = exp(-u * dt / c_wall)
            for i in range(n):
                wall[i] = ground + (wall[i] - ground) * kept
    elif u > 0.0:
        kept = exp(-u * dt / c_water)
        for i in range(n + 1):
            water[i] = ground + (water[i] - ground) * kept


@njit(cache=True, nogil=True, error_model="numpy")
def _mix(water: Floats, ratio: float) -> None:
    """Diffuse along the row; `ratio` = K dt / dx²."""
    steps = ceil(ratio / 0.4)
    if steps == 0:
        return
    part = ratio / steps
    for _ in range(steps):
        before = water[0]
        for i in range(1, len(water) - 1):
            here = water[i]
            water[i] = here + part * (before - 2.0 * here + water[i + 1])
            before = here


@njit(cache=True, nogil=True, error_model="numpy")
def push(
    table: Floats, water: Floats, wall: Floats, filled: float, flow: float, t_in: float, dt: float, length: float, d: float, area: float,
    wall_j_per_mk: float, wall_m: float, wall_k: float, ua: float, ground: float,
) -> tuple[float, float]:  # fmt: skip
    """Move the pipe's water for dt seconds in place. Returns (mean temperature of what left, filled).

    `water[n + 1]`, `wall[n]` from a to b; the first water cell is `filled` into the pipe, the last one has that much left. With
    flow < 0 water comes in at b and leaves at a.
    """
    n = len(wall)
    cell = length / n
    mean = 0.5 * (water[0] + water[n])
    mass = at(table, 0, mean) * area * cell
    c_water = mass * at(table, 2, mean)
    g, mixing = film_w_per_mk(table, flow, d, area, mean, wall_m, wall_k)
    moves = abs(flow) * dt / mass
    left, out = moves, 0.0
    while True:
        move = min(left, (1.0 - filled) if flow >= 0.0 else filled)
        if move <= 0.0 and left > 0.0:
            if flow >= 0.0:  # the row has gone one whole cell: name the cells anew
                for i in range(n, 0, -1):
                    water[i] = water[i - 1]
                filled = 0.0
                water[0] = t_in
            else:
                for i in range(n):
                    water[i] = water[i + 1]
                filled = 1.0
                water[n] = t_in
            continue
        time = dt * move / moves if moves > 0.0 else dt
        if move > 0.0:
            if flow >= 0.0:
                water[0] = (water[0] * filled + t_in * move) / (filled + move)
                filled += move
                out += move * water[n]
            else:
                rest = 1.0 - filled
                water[n] = (water[n] * rest + t_in * move) / (rest + move)
                filled -= move
                out += move * water[0]
        _soak(water, wall, filled, c_water, wall_j_per_mk * cell, g * cell, ua / n, ground, time)
        if mixing > 0.0 and move > 0.0:
            _mix(water, mixing * time / (cell * cell))
        left -= move
        if left <= 1e-12:
            break
    return (out / moves if moves > 0.0 else (water[n] if flow >= 0.0 else water[0])), filled
