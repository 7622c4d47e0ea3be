"""Learning a station's model from a stretch of days, and what its healthy channels do hour by hour."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from nuan.buildings.health.channels import VECTOR
from nuan.buildings.health.days import DayVector, Limits, heating, learn_limits
from nuan.buildings.health.fouled import learn_approach
from nuan.buildings.health.hours import DAY_H, CityHours
from nuan.buildings.health.models import ALONE, FEWEST_DAYS, StationModel, fit_ways
from nuan.buildings.health.peers import Peers
from nuan.buildings.health.standing import usual_spreads
from nuan.buildings.health.stuck import learn_runs
from nuan.buildings.health.vectors import day_vector

SEASON_D: Final = 180
"""运行参数: heated days that are learned from, at most."""


def learn(
    city: CityHours, index: int, first: int, end: int, leave_out: Sequence[int] = (), peers: Peers | None = None
) -> StationModel | None:
    """From the city's days `first ≤ day < end` without those in `leave_out`; None when too few of them heat."""
    station = city.stations[index]
    limits = learn_limits(station, end * DAY_H)
    if not limits.above and not limits.spread:
        return None
    peers = peers or Peers(city, [learn_limits(each, end * DAY_H) for each in city.stations])
    first, days = _days(peers, index, range(first, end), limits, frozenset(leave_out))
    part = slice(first * DAY_H, end * DAY_H)
    fitted = fit_ways(days, own_weather=city.weather is None and len(city.stations) == 1)
    if fitted is None:
        return None
    channels, given, ways = fitted
    on = heating(station.values, limits, part)
    return StationModel(
        station=station.station,
        channels=channels,
        given=given,
        ways=ways,
        limits=limits,
        usual=_usual(days),
        stuck_after_h=learn_runs(station, part, on),
        night=_night(on),
        spreads=usual_spreads(station, first, end, on),
        approach=learn_approach(station, part, on),
        days=sum(way.days for way in ways),
        alone=_alone(days),
    )


def _alone(days: Sequence[DayVector]) -> dict[str, float]:
    """Robust slope of the source's water over the weather, and of the outdoor sensor over the set point that follows it."""
    found = {}
    for key, column in ALONE.items():
        pairs = np.array([(day.given.get(column, np.nan), day.x[VECTOR.index(key)]) for day in days])
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        if len(pairs) >= FEWEST_DAYS and float(np.ptp(pairs[:, 0])) > 1.0:
            found[key] = float(theilslopes(pairs[:, 1], pairs[:, 0])[0])
    return found


def _days(peers: Peers, index: int, span: range, limits: Limits, left: frozenset[int]) -> tuple[int, list[DayVector]]:
    """The last heated days of the span, a season of them at most, and the first of these: what was years ago is another station."""
    days: list[DayVector] = []
    first, heated = span.stop - 1, 0
    for first in reversed(span):
        if first in left:
            continue
        days.append(day_vector(peers, index, first, limits))
        heated += days[-1].steady_h > 0
        if heated >= SEASON_D:
            break
    return first, days[::-1]


def _usual(days: Sequence[DayVector]) -> dict[str, float]:
    heated = np.array([day.x for day in days if day.steady_h > 0])
    return {
        key: float(np.median(column[np.isfinite(column)]))
        for key, column in zip(VECTOR, heated.T, strict=True)
        if np.isfinite(column).any()
    }


def _night(on: NDArray[np.bool_]) -> dict[str, float]:
    """Share of the heated days on which heat is on, by hour of the day."""
    by_day = on.reshape(-1, DAY_H)
    heated = by_day[by_day.sum(axis=1) >= 3]
    return {str(hour): float(heated[:, hour].mean()) for hour in range(DAY_H)} if len(heated) else {}


def learn_city(city: CityHours, first: int, end: int) -> dict[str, StationModel]:
    """Models of all stations that these days teach something about."""
    found = {}
    peers = Peers(city, [learn_limits(each, end * DAY_H) for each in city.stations]) if end > first else None
    for index, station in enumerate(city.stations):
        model = learn(city, index, first, end, peers=peers) if end > first else None
        if model is not None:
            found[station.station] = model
    return found
