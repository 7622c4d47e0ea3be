"""What may be wrong with a station, each as a direction in which its residual vector would move.

A lying sensor moves its own channel and nothing else. An ill process moves several channels that physics links (`physics.signatures`). The
statistic of a hypothesis with direction d on a day with residual e and covariance V is the matched filter

    z = dᵀV⁻¹e / √(dᵀV⁻¹d)

(N(0,1) where nothing is wrong), and the gain in log-likelihood of the best amplitude is z²/2 (generalised likelihood ratio; Basseville &
Nikiforov 1993, §7.2.1). V⁻¹ weighs the relations that hold to 0.3 K over the level of any single channel: this is what tells the sensor
apart from the station.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.channels import CHANNELS
from nuan.buildings.health.models import GIVEN, StationModel
from nuan.buildings.health.physics import signatures

FloatArray = NDArray[np.float64]
SENSOR, PROCESS = "sensor", "process"


@dataclass(frozen=True)
class Hypothesis:
    """`direction` over the model's channels, per unit of size; `channel` empty for a process; `one_way`: only positive sizes mean it."""

    family: str
    kind: str
    channel: str
    name: str
    direction: FloatArray
    one_way: bool


def hypotheses(model: StationModel) -> list[Hypothesis]:
    keys = model.keys
    found = [
        Hypothesis(SENSOR, "bias", key, key, np.eye(len(keys))[i], one_way=False)
        for i, key in enumerate(keys)
        if CHANNELS[key].sensor
    ]
    floors = model.floors()
    steered = GIVEN.index("setpoint") in model.given
    for each in signatures(model.usual):
        if steered and " free" in each.name:
            continue  # a controller that follows its set point answers what it can
        move = np.array([each.moves.get(key, 0.0) for key in keys])
        if int((np.abs(move) > 1.5 * floors).sum()) >= 2:
            found.append(Hypothesis(PROCESS, each.kind, "", each.name, move / each.size, one_way=True))
    return found


def held_fouling(model: StationModel) -> Hypothesis | None:
    """Fouling that the valve still answers: one channel, the primary return, which the hours have to tell from its sensor (`fouled`)."""
    if "primary_return" not in model.keys or not signatures(model.usual):
        return None
    direction = np.eye(len(model.keys))[model.keys.index("primary_return")] * max(model.usual["primary_return"], 1.0)
    return Hypothesis(PROCESS, "fouling", "", "fouling held", direction, one_way=True)


@dataclass(frozen=True)
class Day:
    """A day's residual and precision over the channels that it knows; scores of all hypotheses (NaN: cannot be told today)."""

    day: int
    error: FloatArray
    precision: FloatArray
    known: NDArray[np.bool_]

    def reach(self, direction: FloatArray) -> tuple[float, float]:
        """(dᵀV⁻¹e, dᵀV⁻¹d) over the channels that are known."""
        part = direction[self.known]
        weighed = self.precision @ part
        return float(weighed @ self.error[self.known]), float(weighed @ part)


def scored_day(day: int, error: FloatArray, covariance: FloatArray) -> Day:
    known = np.isfinite(error)
    return Day(day, error, np.linalg.inv(covariance[np.ix_(known, known)]), known)


def scores(day: Day, candidates: Sequence[Hypothesis]) -> FloatArray:
    z = np.full(len(candidates), np.nan)
    for i, each in enumerate(candidates):
        reached, weight = day.reach(each.direction)
        own = each.family == PROCESS or day.known[int(np.argmax(np.abs(each.direction)))]
        if weight > 1e-9 and own:
            z[i] = reached / np.sqrt(weight)
            if each.one_way:
                z[i] = max(z[i], -1.0)
    return z


def log_likelihood(day: Day) -> float:
    """Of nothing being wrong, with heavy tails: it chooses between ways of running, not between faults."""
    part = day.error[day.known]
    n = int(day.known.sum())
    distance = float(part @ day.precision @ part)
    _, logdet = np.linalg.slogdet(day.precision)
    return 0.5 * float(logdet) - 0.5 * (5.0 + n) * float(np.log1p(distance / 5.0))
