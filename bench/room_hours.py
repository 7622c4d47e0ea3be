"""Room temperatures for benchmarks: hourly, 0.01 °C, with the noise of real sensors, silent hours and stuck sensors. Reproducible."""

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import GAP, Flag
from nuan.telemetry.series import SeriesKey, bucket_of

DAYS = 183
STUCK = int(Flag.STUCK)
START_S = 1_760_457_600
"""2025-10-15 00:00 in China, the first day of a northern season."""


@nb.njit(cache=True, nogil=True)
def _fill(values, flags, first_home, noise_c100):  # type: ignore[no-untyped-def]
    """Each home: its own level, a daily swing, a slow drift, white noise of `noise_c100` (standard deviation), 0.5 % silent hours in
    stretches, and in one home of fifty a sensor that sticks for two days. xorshift numbers, seeded by home."""
    homes, hours = values.shape
    for home in range(homes):
        state = np.uint64(first_home + home + 1) * np.uint64(0x9E3779B97F4A7C15)
        drift, silent, noise = 0.0, 0, 0.0
        level, phase, swing = 0.0, 0.0, 0.0
        for hour in range(-3, hours):
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
            # sum of four 16-bit pieces: mean 2, variance 1/3, near enough to a normal number
            total = np.float64(state & np.uint64(0xFFFF)) + np.float64((state >> np.uint64(16)) & np.uint64(0xFFFF))
            total += np.float64((state >> np.uint64(32)) & np.uint64(0xFFFF)) + np.float64(state >> np.uint64(48))
            normal = (total / 65536.0 - 2.0) * 1.7320508
            if hour == -3:
                level = 2070.0 + 120.0 * normal
            elif hour == -2:
                phase = normal
            elif hour == -1:
                swing = 60.0 + 20.0 * normal
            else:
                drift = 0.995 * drift + 3.0 * noise
                noise = normal
                value = level + drift + noise_c100 * normal + swing * math.cos((hour % 24) * 0.2617994 + phase)
                if silent == 0 and (state >> np.uint64(20)) % np.uint64(800) == np.uint64(0):
                    silent = 4
                if silent > 0:
                    silent -= 1
                    values[home, hour] = GAP
                else:
                    values[home, hour] = round(value)
        if (first_home + home) % 50 == 7:
            at = 240 + (first_home + home) % 3000
            for hour in range(at, at + 48):
                if values[home, hour] != GAP:
                    values[home, hour] = values[home, at - 1] if values[home, at - 1] != GAP else 2000
                    flags[home, hour] = np.uint8(STUCK)


def room_hours(
    first_home: int, homes: int, days: int = DAYS, noise_c100: float = 5.0
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """int16[homes, days × 24] with GAP, and flags; the homes are numbers `first_home`, `first_home` + 1, …"""
    values = np.empty((homes, days * 24), np.int16)
    flags = np.zeros((homes, days * 24), np.uint8)
    _fill(values, flags, first_home, noise_c100)
    return values, flags


def home_keys(homes: int, buckets: int) -> dict[int, list[SeriesKey]]:
    """Series of homes by bucket, codes as in a registry: building, entrance, door."""
    by_bucket: dict[int, list[SeriesKey]] = {bucket: [] for bucket in range(buckets)}
    for home in range(homes):
        place = f"B{home // 60:05d}-{home // 20 % 3 + 1}-{home % 20 // 2 + 1:02d}{home % 2 + 1:02d}"
        by_bucket[bucket_of(place, buckets)].append(SeriesKey(place, "room_temp"))
    return by_bucket
