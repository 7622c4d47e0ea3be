"""Room sensors and their faults, at known rates: noise, 0.1 °C steps, short gaps, long gaps, stuck values, wild values, dead ones.

| fault | how often |
|---|---|
| short gap, 1–6 h | starts in 0.12 % of hours |
| long gap, 2–5 days | 2 % of homes, once |
| stuck, 48–120 h | 1 % of homes, once |
| wild value (−39.9, 0, 85 °C) | 1 % of homes, in 0.2 % of their hours |
| dies and stays dead | 0.5 % of homes |
| clock in the future | 0.1 % of homes, one batch of 24 readings (see `city.strays`) |
"""

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from nuan.buildings.sample_city.dice import mix, stream, uniform, unit
from nuan.buildings.sample_city.plan import IntArray

GAP = -32768
SHORT_GAP, LONG_GAP, STUCK, WILD_HOME, WILD_HOUR, DEAD, FUTURE = 0.0012, 0.02, 0.01, 0.01, 0.002, 0.005, 0.001
NOISE_C = 0.07


def read_rooms(rooms_c: NDArray[np.float32], homes: IntArray, seed: int) -> NDArray[np.int16]:
    """What the sensors of `homes` report, in 0.01 °C, `GAP` where nothing came; shape as `rooms_c` (homes, hours)."""
    hours = rooms_c.shape[1]
    out = np.empty(rooms_c.shape, dtype=np.int16)
    long_from, long_to = _once(seed, "long gap", homes, hours, LONG_GAP, 48, 120)
    stuck_from, stuck_to = _once(seed, "stuck", homes, hours, STUCK, 48, 120)
    dead_from, _ = _once(seed, "dead", homes, hours, DEAD, hours, hours + 1)
    wild = uniform(seed, "wild home", homes) < WILD_HOME
    base = np.uint64(stream(seed, "sensor"))
    _read(out, rooms_c, homes, base, long_from, long_to, stuck_from, stuck_to, dead_from, wild)
    return out


def faulty_clocks(homes: IntArray, seed: int) -> IntArray:
    """Homes whose sensor once lives in the future."""
    return homes[uniform(seed, "future", homes) < FUTURE]


def dying(homes: IntArray, seed: int) -> NDArray[np.bool_]:
    """Homes whose sensor dies some time in the season."""
    return np.asarray(uniform(seed, "dead", homes) < DEAD)


def _once(
    seed: int, name: str, homes: IntArray, hours: int, rate: float, shortest: int, longest: int
) -> tuple[IntArray, IntArray]:
    """Start and end hour of a fault that strikes a home at most once; start = `hours` where it does not."""
    struck = uniform(seed, name, homes) < rate
    start = np.floor(uniform(seed, f"{name} start", homes) * hours).astype(np.int64)
    length = shortest + np.floor(uniform(seed, f"{name} length", homes) * (longest - shortest)).astype(np.int64)
    start = np.where(struck, start, hours)
    return start, np.minimum(start + length, hours)


@njit(cache=True, parallel=True)
def _read(
    out: Any, rooms: Any, homes: Any, base: Any, long_from: Any, long_to: Any, stuck_from: Any, stuck_to: Any,
    dead_from: Any, wild: Any,
) -> None:  # fmt: skip
    hours = rooms.shape[1]
    for i in prange(rooms.shape[0]):
        own = mix(base ^ np.uint64(homes[i]))
        short_until = 0
        held = np.int16(0)
        for hour in range(hours):
            dice = mix(own ^ np.uint64(hour))
            noise = unit(dice) + unit(mix(dice)) - 1.0
            tenths = np.floor((rooms[i, hour] + 2.4 * NOISE_C * noise) * 10.0 + 0.5)
            value = np.int16(tenths * 10)
            fate = unit(mix(dice ^ np.uint64(0x5DEECE66D)))
            if fate < SHORT_GAP:
                short_until = hour + 1 + int(fate / SHORT_GAP * 6)
            if stuck_from[i] <= hour < stuck_to[i]:
                if hour == stuck_from[i]:
                    held = value
                value = held
            if wild[i] and fate > 1.0 - WILD_HOUR:
                part = int((1.0 - fate) / WILD_HOUR * 3)
                value = np.int16(-3990) if part == 0 else np.int16(0) if part == 1 else np.int16(8500)
            if hour < short_until or long_from[i] <= hour < long_to[i] or hour >= dead_from[i]:
                value = np.int16(GAP)
            out[i, hour] = value
