"""Hourly values of all stations on one axis of hours, and which of them are no readings at all.

Input comes in any step; the caller bins it to hours (median of the hour). Hours are counted from the epoch of whatever clock the data has:
days begin at its midnight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.channels import CHANNELS

FloatArray = NDArray[np.float64]
DAY_H: Final = 24


@dataclass(frozen=True)
class StationHours:
    """`values[channel]` over the city's hours; NaN where nothing that can be read stands. `dead[channel]`: an impossible value came."""

    station: str
    values: Mapping[str, FloatArray]
    dead: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class CityHours:
    """`start_h`: first hour, on a midnight; every array has `hours` (a multiple of 24) entries. `weather`: outdoor °C from elsewhere."""

    start_h: int
    hours: int
    stations: tuple[StationHours, ...]
    weather: FloatArray | None = None

    @property
    def days(self) -> int:
        return self.hours // DAY_H


def station_hours(station: str, raw: Mapping[str, FloatArray]) -> StationHours:
    """Takes impossible values out. Where all channels of an hour are dead the station was silent: nothing is `dead` then, only missing."""
    values, dead = {}, {}
    for key, column in raw.items():
        channel = CHANNELS[key]
        with np.errstate(invalid="ignore"):
            bad = np.isfinite(column) & ((column < channel.low) | (column > channel.high))
            if channel.zero_is_dead:
                bad |= column == 0.0
        values[key] = np.where(bad, np.nan, column).astype(np.float64)
        dead[key] = bad
    sensors = [key for key in dead if CHANNELS[key].sensor]
    if sensors:
        alive = np.any([np.isfinite(values[key]) & (values[key] != 0.0) for key in sensors], axis=0)
        dead = {key: each & alive for key, each in dead.items()}
    return StationHours(station, values, dead)


def counter_power(counter_mwh: FloatArray) -> FloatArray:
    """Mean kW of each hour from a counter in MWh, over the last hour or the gap since the last reading (at most three hours).

    A counter that runs backwards, stands at zero or leaps (exchange, reset) says nothing.
    """
    power = np.full(len(counter_mwh), np.nan)
    good = np.flatnonzero(np.isfinite(counter_mwh) & (counter_mwh > 0))
    if len(good) < 2:
        return power
    steps = np.diff(good)
    rise = np.diff(counter_mwh[good]) * 1000 / steps
    fair = (steps <= 3) & (rise >= 0) & (rise < 60_000)
    power[good[1:][fair]] = rise[fair]
    return power
