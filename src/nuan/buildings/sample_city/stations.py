"""What the heat meters of the substations report every hour: outdoor, supply and return temperature, flow, heat."""

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.control import EMISSION_EXPONENT
from nuan.buildings.expected import design_kw
from nuan.buildings.sample_city.dice import bell, stream, uniform
from nuan.buildings.sample_city.physics import Supply
from nuan.buildings.weather.year import WeatherSpan

Int32Array = NDArray[np.int32]

KWH_PER_M3_K = 1.163
GAP = -(2**31)
GAP_RATE = 0.002
COOLING_H = 8.0
CELLAR_C = 17.0
POINTS = ("outdoor_temp", "supply_temp", "return_temp", "flow", "heat_power")
_STEPS = {"outdoor_temp": 100, "supply_temp": 100, "return_temp": 100, "flow": 1000, "heat_power": 10}


def station_points(
    supply: Supply, weather: WeatherSpan, area_m2: NDArray[np.float64], seed: int, from_hour: int
) -> dict[str, Int32Array]:
    """Fixed-point readings by quantity, each stations × hours from `from_hour` on; `GAP` where the meter sent nothing.

    Flow is constant (quality regulation) at what the design load of the station's area needs; supply and return lie around the mean
    water temperature. Standing pumps show 0 flow and water that cools towards the room.
    """
    stations = len(area_m2)
    share = supply.station_share(stations).astype(np.float64)
    curve = supply.curve
    on = share > 0
    load = curve.load(supply.seen_c)[None, :] * share**EMISSION_EXPONENT
    mean = curve.room_c + share * (curve.mean_water_c(supply.seen_c) - curve.room_c)[None, :]
    own = 0.35 * bell(seed, "station offset", np.arange(stations))[:, None]
    random = np.random.Generator(np.random.PCG64(stream(seed, "station noise")))
    wobble = 0.25 * random.standard_normal(mean.shape)
    spread = (curve.supply_c - curve.return_c) * load
    warm = np.where(on, np.maximum(mean + spread / 2, curve.lowest_supply_c) + own + wobble, np.nan)
    back = np.where(on, warm - spread, np.nan)
    _cool_down(warm, on, wobble)
    _cool_down(back, on, wobble)
    full_flow = design_kw(1.0) * area_m2 / (KWH_PER_M3_K * (curve.supply_c - curve.return_c))
    flow = np.where(on, full_flow[:, None] * (1 + 0.01 * random.standard_normal(mean.shape)), 0.0)
    heat = np.where(on, flow * KWH_PER_M3_K * (warm - back), 0.0)
    outdoor = weather.outdoor_c[None, :] + 0.15 * bell(seed, "station outdoor", np.arange(stations))[:, None]
    values = dict(zip(POINTS, (np.broadcast_to(outdoor, mean.shape), warm, back, flow, heat), strict=True))
    index = np.arange(mean.size).reshape(mean.shape)
    silent = uniform(seed, "station gap", index) < GAP_RATE
    return {
        name: np.where(silent, GAP, np.round(column * _STEPS[name])).astype(np.int32)[:, from_hour:]
        for name, column in values.items()
    }


def _cool_down(water: NDArray[np.float64], on: NDArray[np.bool_], wobble: NDArray[np.float64]) -> None:
    """Fill the standing hours: from the last temperature towards 17 °C, with the noise that every live sensor has."""
    keep = np.exp(-1.0 / COOLING_H)
    level = np.full(len(water), CELLAR_C)
    for hour in range(water.shape[1]):
        standing = ~on[:, hour]
        level = np.where(standing, CELLAR_C + (level - CELLAR_C) * keep, water[:, hour])
        water[standing, hour] = (level + wobble[:, hour])[standing]
