"""A synthetic year for the sample city: seeded, the same everywhere, and no copy of a measured one.

It is calibrated, month by month from October to April, to the published climate figures of Dongsheng (mean, minimum and maximum
temperature, mean wind, global horizontal sun); the summer months are a plain curve and serve no judgement. Synoptic swings are an AR(1)
process on days; the daily course is a skewed cosine whose height follows the clearness of the day.
"""

from functools import lru_cache

import numpy as np

from nuan.buildings.weather.year import FloatArray, WeatherYear

LATITUDE_DEG = 39.83
# month: mean, minimum, maximum °C, wind m/s, sun kWh/m² and day
CLIMATE: dict[int, tuple[float, float, float, float, float]] = {
    1: (-8.0, -19.8, 4.7, 2.6, 2.6), 2: (-4.9, -17.2, 6.0, 2.8, 3.5), 3: (1.5, -12.2, 14.8, 3.5, 4.4),
    4: (7.7, -6.8, 23.4, 4.1, 5.5), 5: (14.5, 2.0, 28.0, 3.6, 6.3), 6: (19.0, 8.0, 31.0, 3.2, 6.3),
    7: (21.5, 12.0, 31.5, 2.8, 6.0), 8: (19.5, 9.5, 29.0, 2.7, 5.4), 9: (13.2, 0.0, 24.0, 2.9, 4.4),
    10: (7.2, -7.2, 18.6, 2.6, 3.7), 11: (0.2, -15.4, 13.8, 2.9, 2.7), 12: (-6.2, -19.4, 6.4, 2.8, 2.3),
}  # fmt: skip
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MIDDLES = np.cumsum(_MONTH_DAYS) - _MONTH_DAYS / 2
_MONTH_OF_DAY = np.repeat(np.arange(12), _MONTH_DAYS)
_AMPLITUDE_K = 3.9
_SYNOPTIC_PERSISTENCE = 0.78


@lru_cache(maxsize=4)
def synthetic_year(seed: int = 94) -> WeatherYear:
    """The shipped year is that of the default seed; another seed gives another winter of the same climate.

    >>> round(float(synthetic_year().outdoor_c.min()), 1)
    -19.8
    """
    random = np.random.Generator(np.random.PCG64(seed))
    clearness = np.clip(_persistent(random, 365, 0.45) * 0.32 + 1.0, 0.35, 1.5)
    synoptic = _persistent(random, 365, _SYNOPTIC_PERSISTENCE)
    outdoor = _temperature(synoptic, clearness)
    return WeatherYear(
        place="示例市（合成气象年）",
        outdoor_c=np.round(outdoor, 1),
        wind_m_per_s=np.round(_wind(random), 1),
        solar_w_per_m2=np.round(_sun(clearness)),
        synthetic=True,
    )


def _persistent(random: np.random.Generator, length: int, persistence: float) -> FloatArray:
    """AR(1) with unit variance, closed to a ring so that 31 December meets 1 January."""
    noise = random.standard_normal(2 * length)
    noise[length:] = noise[:length]
    values = np.zeros(2 * length)
    for i in range(1, 2 * length):
        values[i] = persistence * values[i - 1] + np.sqrt(1 - persistence**2) * noise[i]
    return values[length:]


def _over_year(monthly: FloatArray) -> FloatArray:
    """Monthly values as a smooth curve over 8760 hours, through the middles of the months."""
    days = (np.arange(8760) + 0.5) / 24
    x = np.concatenate([_MIDDLES[-1:] - 365, _MIDDLES, _MIDDLES[:1] + 365])
    y = np.concatenate([monthly[-1:], monthly, monthly[:1]])
    return np.asarray(np.interp(days, x, y), dtype=np.float64)


def _temperature(synoptic: FloatArray, clearness: FloatArray) -> FloatArray:
    """Fits three monthly controls (level, height of warm swings, depth of cold swings) until mean, maximum and minimum agree."""
    hours = np.arange(8760)
    months = np.repeat(_MONTH_OF_DAY, 24)
    goal = np.array([CLIMATE[month][:3] for month in range(1, 13)])
    course = np.cos(2 * np.pi * ((hours % 24) - 14.5) / 24) + 0.18 * np.cos(4 * np.pi * ((hours % 24) - 14.0) / 24)
    days = (hours + 0.5) / 24 - 0.5
    ring = np.concatenate([synoptic[-1:], synoptic, synoptic[:1]])
    clear = np.concatenate([clearness[-1:], clearness, clearness[:1]])
    at = np.arange(-1, 366)
    swing = np.interp(days, at, ring)
    daily = _AMPLITUDE_K * course * np.interp(days, at, clear)
    level, warm, cold = goal[:, 0].copy(), np.full(12, 4.0), np.full(12, 4.0)
    outdoor = np.zeros(8760)
    for _ in range(400):
        lift = np.where(swing > 0, _over_year(warm), _over_year(cold))
        outdoor = _over_year(level) + lift * swing + daily
        reached = np.array([
            (outdoor[months == m].mean(), outdoor[months == m].min(), outdoor[months == m].max()) for m in range(12)
        ])  # fmt: skip
        miss = goal - reached
        level += 0.4 * miss[:, 0]
        cold = np.clip(cold - 0.25 * miss[:, 1], 0.5, 12.0)
        warm = np.clip(warm + 0.25 * miss[:, 2], 0.5, 12.0)
    return outdoor


def _sun(clearness: FloatArray) -> FloatArray:
    """Global horizontal irradiance ∝ sin(elevation)^1.15 × clearness of the day, scaled so that each month has its daily sum."""
    hours = np.arange(8760)
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + hours // 24 + 1) / 365)
    angle = np.deg2rad(15.0) * ((hours % 24) + 0.5 - 12.4)
    latitude = np.deg2rad(LATITUDE_DEG)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    shape = np.clip(sine, 0, None) ** 1.15 * np.repeat(np.clip(clearness, 0.35, 1.35), 24)
    months = np.repeat(_MONTH_OF_DAY, 24)
    wanted = np.array([CLIMATE[month][4] * 1000 for month in range(1, 13)])
    daily_sum = np.array([shape[months == m].sum() / _MONTH_DAYS[m] for m in range(12)])
    return np.asarray(shape * (wanted / daily_sum)[months], dtype=np.float64)


def _wind(random: np.random.Generator) -> FloatArray:
    months = np.repeat(_MONTH_OF_DAY, 24)
    wanted = np.array([CLIMATE[month][3] for month in range(1, 13)])
    gusts = np.exp(0.55 * np.repeat(_persistent(random, 2920, 0.85), 3))
    means = np.array([gusts[months == m].mean() for m in range(12)])
    return np.asarray(gusts * (wanted / means)[months], dtype=np.float64)
