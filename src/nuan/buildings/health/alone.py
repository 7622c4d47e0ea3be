"""Two stations that part: which of them has left its own past? Asked of each without the other one.

Two marks, each the better the quieter the source was: the level over some days before and after, against what the weather asks for; and the
step in the very hour, which only the sensor that lies makes. If w is what the source itself did, N(0, σ²), and b the error, then one of them
shows b + w and the other w (with the station that lies as the first): the log-likelihood of "it is mine" over "it is yours" is
(x₁² − x₂²)/2σ².
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.channels import VECTOR
from nuan.buildings.health.hours import DAY_H, CityHours
from nuan.buildings.health.models import ALONE
from nuan.buildings.health.watch import StationWatch

FloatArray = NDArray[np.float64]
BEFORE_D: Final = 8
FEWEST_D: Final = 3
LEVEL_SIGMA: Final = {"primary_supply": 2.6, "outdoor": 2.2}
"""K: how the source (or the weather beside the set point) steps from one span of days to the next; from the season 2021-22 of xai4heat."""
STEP_SIGMA: Final = {"primary_supply": 2.2, "outdoor": 1.5}
"""K from one hour to the next."""


def mine(city: CityHours, own: tuple[int, StationWatch], other: tuple[int, StationWatch], channel: str, since: int, step: bool) -> float:
    """Log-likelihood ratio that the first one's sensor is to blame. `step`: the error came at once, so that its hour tells too."""
    one, two = (departure(watch, channel, since) for _, watch in (own, other))
    said = (one**2 - two**2) / (2 * LEVEL_SIGMA[channel] ** 2)
    if step and (steps := step_of(city, own[0], other[0], channel, since)) is not None:
        said += (steps[0] ** 2 - steps[1] ** 2) / (2 * STEP_SIGMA[channel] ** 2)
    return said


def departure(watch: StationWatch, channel: str, since: int) -> float:
    """How far the channel moved at `since`, in its unit, against what explains it alone would have it do."""
    slope = watch.model.alone.get(channel, 0.0)
    at = VECTOR.index(channel)
    rows = [
        (day.day, float(day.x[at]) - slope * day.given.get(ALONE[channel], float("nan") if slope else 0.0))
        for day in watch.lately
        if day.day >= since - BEFORE_D
    ]
    before = [value for day, value in rows if day < since and np.isfinite(value)]
    after = [value for day, value in rows if day >= since and np.isfinite(value)]
    if len(before) < FEWEST_D or not after:
        return 0.0
    return float(np.median(after) - np.median(before))


def step_of(city: CityHours, own: int, other: int, channel: str, since: int) -> tuple[float, float] | None:
    """The two stations' own steps in the hour at which they parted; None where that hour cannot be seen."""
    low, high = max((since - 3) * DAY_H, 0), min((since + 2) * DAY_H, city.hours)
    one, two = (city.stations[i].values[channel][low:high] for i in (own, other))
    apart = one - two
    best, at = 0.0, -1
    for hour in range(6, len(apart) - 6):
        before, after = apart[hour - 6 : hour], apart[hour : hour + 6]
        before, after = before[np.isfinite(before)], after[np.isfinite(after)]
        if len(before) < 4 or len(after) < 4 or float(np.std(before)) > 1.5 or float(np.std(after)) > 1.5:
            continue  # around a start or stop of either station
        moved = abs(float(np.median(after) - np.median(before)))
        if moved > best:
            best, at = moved, hour
    if at < 0 or best < 1.0:
        return None
    steps = (float(one[at] - one[at - 1]), float(two[at] - two[at - 1]))
    return steps if all(np.isfinite(steps)) else None
