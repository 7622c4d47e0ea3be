"""A plant with a known balance of water, made without any solver: what the tests of leaks play on."""

import numpy as np
from bench.network_cases import nuan_network, street_case
from numpy.typing import NDArray

from nuan.network.graph import Network
from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
STEP_S = 600
POINTS = (
    Point("makeup", "make_up_flow", "t/h", "source", "plant"),
    Point("ts", "temperature", "C", "source", "plant", "supply"),
    Point("tr", "temperature", "C", "source", "plant", "return"),
    Point("q", "flow", "kg/s", "source", "plant", "supply"),
    Point("pr", "pressure", "bar", "source", "plant", "return"),
    Point("fill", "state", "", "source", "plant", "make_up"),
)


def network() -> Network:
    return nuan_network(street_case(60, 2, seed=4))


def rows(
    days: float, leak_t_h: float = 0.0, from_day: float = 1e9, *, seed: int = 0, step_s: int = STEP_S
) -> tuple[Floats, Floats]:
    """(time_s, values): a usual loss of 1.5 t/h, a supply that swings by 8 K a day."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(days * 86400 / step_s)) * float(step_s)
    hours = time_s / 3600.0
    supply = 85.0 + 8.0 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 0.05, len(hours))
    make_up = 1.5 + leak_t_h * (hours >= from_day * 24) + rng.normal(0, 0.15, len(hours))
    steady = np.full(len(hours), 1.0)
    values = np.stack(
        [make_up, supply, 48.0 * steady, 40.0 * steady, 3.0 + rng.normal(0, 0.003, len(hours)), 0.0 * steady], 1
    )
    return time_s, values
