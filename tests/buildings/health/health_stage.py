"""A town of substations made for the tests, with a physics of its own: outdoor temperature, a set point, two circuits, a night without heat."""

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.hours import CityHours, station_hours

Raw = dict[str, NDArray[np.float64]]
START_H = 24 * 19_700
DAYS = 110


def raw_town(stations: int = 3, days: int = DAYS, seed: int = 1) -> dict[str, Raw]:
    dice = np.random.default_rng(seed)
    hours = days * 24
    clock = np.arange(hours) % 24
    slow = np.convolve(dice.standard_normal(hours + 200), np.ones(72) / 72**0.5, "same")[:hours]
    outdoor = 1.0 + 4.0 * slow - 3.0 * np.cos(2 * np.pi * (clock - 3) / 24)
    source = 82.0 - 1.1 * outdoor + 0.8 * np.convolve(dice.standard_normal(hours), np.ones(12) / 12**0.5, "same")
    on = (clock >= 5) & (clock < 23)
    found = {}
    for number in range(stations):
        noise = {key: 0.15 * dice.standard_normal(hours) for key in "abcd"}
        setpoint = np.round(46.0 - 0.7 * outdoor, 1)
        supply = np.where(on, setpoint + noise["a"], 24.0 + noise["a"])
        capacity, emission = 50.0 + 10 * number, 11.0 + number
        heat = np.where(on, emission * (supply - 20.0) / (1 + emission / (2 * capacity)), 0.0)
        back = supply - heat / capacity
        warm = np.where(on, source, 55.0)
        found[f"S{number + 1}"] = {
            "primary_supply": np.round(warm + noise["b"], 1),
            "primary_return": np.round(np.where(on, back + 0.2 + 0.004 * heat + noise["c"], 38.0 + noise["c"]), 1),
            "secondary_supply": np.round(supply, 1),
            "secondary_return": np.round(back + noise["d"], 1),
            "heat": np.round(heat * (1 + 0.01 * dice.standard_normal(hours)), 1),
            "outdoor": np.round(outdoor + 0.2 * dice.standard_normal(hours), 1),
            "setpoint": setpoint,
        }
    return found


def town(raw: dict[str, Raw], days: int | None = None) -> CityHours:
    """The first days of it, or all."""
    count = len(next(iter(raw["S1"].values()))) if days is None else days * 24
    stations = tuple(
        station_hours(name, {key: each[:count] for key, each in raw[name].items()}) for name in sorted(raw)
    )
    return CityHours(START_H, count, stations)
