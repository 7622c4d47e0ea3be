"""A station's day as a vector, with what explains it."""

import numpy as np

from nuan.buildings.health.channels import VECTOR
from nuan.buildings.health.days import FEWEST_STEADY_H, DayVector, Limits, heating, median_of, steady
from nuan.buildings.health.hours import DAY_H
from nuan.buildings.health.peers import NONE, Corrections, Peers


def day_vector(peers: Peers, index: int, day: int, limits: Limits, known: Corrections = NONE) -> DayVector:
    """Of the city's day number `day` (0 = first); looks at that day only. `known` is taken off what the other stations say."""
    part = slice(day * DAY_H, (day + 1) * DAY_H)
    station = peers.city.stations[index]
    on = heating(station.values, limits, part)
    quiet = steady(on)
    x = np.full(len(VECTOR), np.nan)
    hours = int(quiet.sum()) if int(quiet.sum()) >= FEWEST_STEADY_H else 0
    if not hours:
        return DayVector(day, 0, int(on.sum()), x, {})
    for i, key in enumerate(VECTOR):
        if key in station.values:
            x[i] = median_of(station.values[key][part][quiet])
    together = peers.speaking(index, "primary_supply", day, quiet, known)
    if "primary_supply" in station.values and together.sum() >= FEWEST_STEADY_H:
        x[VECTOR.index("primary_supply")] = median_of(station.values["primary_supply"][part][together])
    given = {
        "peer": peers.say(index, "primary_supply", day, quiet, known),
        "outdoor": peers.outdoor(index, day, quiet, known),
    }
    if "setpoint" in station.values:
        given["setpoint"] = median_of(station.values["setpoint"][part][quiet])
    return DayVector(day, hours, int(on.sum()), x, {key: value for key, value in given.items() if np.isfinite(value)})
