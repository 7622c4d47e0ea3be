"""Two stations that part: which of them has left its own past? Asked of each without the other one.

The mark is the level over some days before and after, against what the weather asks for. If w is what the source itself did, N(0, σ²), and b
the error, then the one that lies shows b + w and the other w: the log-likelihood of "it is mine" over "it is yours" is (x₁² − x₂²)/2σ².
(The step in the very hour was tried: starts and stops of the stations drown it.)
"""

from typing import Final

import numpy as np

from nuan.buildings.health.channels import VECTOR
from nuan.buildings.health.models import ALONE
from nuan.buildings.health.watch import StationWatch

BEFORE_D: Final = 8
FEWEST_D: Final = 3
SIGMA: Final = {"primary_supply": 2.6, "outdoor": 2.2}
"""K: how the source (or the weather beside the set point) steps from one span of days to the next; from the season 2021-22 of xai4heat."""


def mine(own: StationWatch, other: StationWatch, channel: str, since: int) -> float:
    """Log-likelihood ratio that the first one's sensor is to blame."""
    one, two = (departure(watch, channel, since) for watch in (own, other))
    return float(one**2 - two**2) / (2 * SIGMA[channel] ** 2)


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
