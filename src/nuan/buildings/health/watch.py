"""One station, day after day: what is expected, what came, what is wrong. Looks at nothing that comes later."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.channels import VECTOR
from nuan.buildings.health.cusum import Cusum, threshold
from nuan.buildings.health.days import DayVector
from nuan.buildings.health.deciding import MARGIN, Verdict, decide
from nuan.buildings.health.hypotheses import (
    SENSOR,
    Day,
    Hypothesis,
    held_fouling,
    hypotheses,
    log_likelihood,
    scored_day,
    scores,
)
from nuan.buildings.health.models import GIVEN, StationModel, floor

FloatArray = NDArray[np.float64]
ALLOWANCE: Final = 1.0
"""k of the CUSUM in standard deviations of a day: half of the shift that is looked for."""
FALSE_ALARMS: Final = 0.1
"""运行参数: false alarms per station and month that the threshold stands for, all residuals of a station together."""
MONTH_D: Final = 30.0
WAIT_D: Final = 4
"""运行参数: a verdict that is not clear is given after so many days with evidence at the latest."""
KEPT_D: Final = 45
LEAST_FLOORS: Final = 2.5
REWALKED_D: Final = 5
AGREED: Final = 0.65
"""运行参数: share of the days since a bias began that have to show it."""
UNSURE: Final = 0.7
"""Share of a known fault's size by which it may be otherwise."""
_WAY_MEMORY: Final = 0.6
_WAY_COST: Final = 4.0


Judged = Callable[[Sequence[Verdict]], Verdict | None]


def first(found: Sequence[Verdict]) -> Verdict | None:
    return found[0] if found else None


@dataclass
class Known:
    """A fault that was told: its effect is taken out of what comes, so that the next one can be seen. `amount` follows it."""

    hypothesis: Hypothesis
    kind: str
    told: float
    amount: float
    quiet: int = 0


@dataclass(frozen=True)
class Told:
    """A verdict of the day; `usual` is how much of its channel is usual."""

    day: int
    verdict: Verdict


@dataclass
class StationWatch:
    """Feed it the days in order: `day()`."""

    model: StationModel
    candidates: list[Hypothesis] = field(init=False)
    held_fouling: Hypothesis | None = field(init=False)
    cusum: Cusum = field(init=False)
    days: deque[Day] = field(init=False)
    known: list[Known] = field(default_factory=list)
    pending_since: int | None = None
    pending_days: int = 0
    way: int = 0
    residuals: dict[int, FloatArray] = field(default_factory=dict)
    lately: deque[DayVector] = field(default_factory=lambda: deque(maxlen=KEPT_D))

    def __post_init__(self) -> None:
        self.take(self.model)

    def take(self, model: StationModel) -> None:
        """Goes on with another model (learned from more days); what was told stays known where the channels still are."""
        self.model = model
        self.candidates = hypotheses(model)
        steps = MONTH_D * max(len(self.candidates), 1) / FALSE_ALARMS
        self.cusum = Cusum.of(len(self.candidates), ALLOWANCE, threshold(steps, ALLOWANCE))
        self.days = deque(maxlen=KEPT_D)
        self.held_fouling = held_fouling(model)
        by_name = {each.name: each for each in (*self.candidates, self.held_fouling) if each is not None}
        self.known = [
            Known(by_name[k.hypothesis.name], k.kind, k.told, k.amount)
            for k in self.known
            if k.hypothesis.name in by_name
        ]
        self.pending_since, self.way = None, 0
        self._ways = np.zeros(len(model.ways))

    def day(
        self, vector: DayVector, masked: frozenset[str] = frozenset(), judged: Judged = lambda found: first(found)
    ) -> Told | None:
        """`judged`: picks from the ranked verdicts, by what the hours say. `masked`: channels that are known to lie in another way (stuck, swapped) and say nothing today."""
        if vector.steady_h:
            self.lately.append(vector)
        if "peer" not in vector.given and GIVEN.index("peer") in self.model.given:
            vector, masked = without_peer(vector), masked | {"primary_supply"}
        scored = self._expected(vector, masked)
        if scored is None:
            return None
        self.days.append(scored)
        z = scores(scored, self.candidates)
        self.residuals[vector.day] = z
        if self._follow(scored):
            return None
        alarmed = self.cusum.step(z, vector.day)
        if alarmed.any() and self.pending_since is None:
            first = [self.cusum.since(int(i)) for i in np.flatnonzero(alarmed)]
            self.pending_since, self.pending_days = min(first), 0
        if self.pending_since is None:
            return None
        self.pending_days += 1
        high = max(float(self.cusum.up.max()), float(self.cusum.down.max()))
        if high < 0.5 * self.cusum.h:
            self.pending_since = None  # it was weather, or a day's work on the station
            return None
        return self._verdict(vector.day, judged)

    def _expected(self, vector: DayVector, masked: frozenset[str]) -> Day | None:
        """Under the way of running that has fitted best lately, with what is known to be wrong taken out."""
        options: list[Day] = []
        for way in range(len(self.model.ways)):
            expected = self.model.residual(vector, way)
            if expected is None:
                return None
            error, covariance = expected
            for each in self.known:
                error = error - each.amount * each.hypothesis.direction
                for direction in self._unsure(each.hypothesis):
                    covariance = covariance + (UNSURE * each.told) ** 2 * np.outer(direction, direction)
            error = np.array(
                [np.nan if key in masked else value for key, value in zip(self.model.keys, error, strict=True)]
            )
            if np.isfinite(error).sum() < 1:
                return None
            options.append(scored_day(vector.day, error, covariance))
        self._ways = _WAY_MEMORY * self._ways + np.array([log_likelihood(each) for each in options])
        best = int(np.argmax(self._ways))
        if best != self.way and self._ways[best] > self._ways[self.way] + _WAY_COST:
            self.way = best
        return options[self.way]

    def _unsure(self, known: Hypothesis) -> list[FloatArray]:
        """How much of a known fault is known: a sensor's channel says little from then on, and an ill station may be ill in another way."""
        if known.family == SENSOR:
            return [known.direction]
        return [each.direction for each in self.candidates if each.family != SENSOR]

    def _follow(self, scored: Day) -> bool:
        """Keeps the amounts of known faults; one that is gone is forgotten, and the day counts for nothing else then."""
        gone = False
        for each in list(self.known):
            reached, weight = scored.reach(each.hypothesis.direction)
            if weight <= 1e-9:
                continue
            now = each.amount + reached / weight
            each.amount = 0.7 * each.amount + 0.3 * now
            there = abs(now) >= 0.35 * abs(each.told)
            each.quiet = 0 if there else each.quiet + 1
            if each.quiet >= 2:
                self.known.remove(each)
                gone = True
        if gone:
            self.forget()
        return gone

    def forget(self) -> None:
        """Starts to count anew: what was summed up had another reason."""
        self.cusum.reset()
        self.pending_since = None
        self.days.clear()

    def _verdict(self, today: int, judged: Judged) -> Told | None:
        assert self.pending_since is not None
        verdict = judged(decide(list(self.days), self.candidates, self.pending_since))
        if verdict is None or self.pending_days < 2 or (verdict.margin < MARGIN and self.pending_days < WAIT_D):
            return None
        least = self.least(verdict.hypothesis)
        if verdict.agreed < AGREED or (verdict.confidence < 0.5 and abs(verdict.amount) < 1.8 * least):
            if self.pending_days < 2 * WAIT_D:
                return None
            least = np.inf
        if abs(verdict.amount) < least:
            self.cusum.reset()  # something wandered, but less than what is called a fault
            self.pending_since = None
            return None
        ill = [each for each in self.known if each.hypothesis.family != SENSOR]
        if ill and verdict.hypothesis.family != SENSOR:
            self.tell(verdict)  # an ill station goes on being ill: not said twice
            return None
        return Told(today, verdict)

    def least(self, hypothesis: Hypothesis) -> float:
        """The smallest size that is told: of a sensor two and a half floors, of a process a tenth."""
        if self.held_fouling is not None and hypothesis.name == self.held_fouling.name:
            usual = self.model.usual.get("primary_return", 0.0)
            return LEAST_FLOORS * floor("primary_return", usual) / max(usual, 1.0)
        if hypothesis.family != SENSOR:
            return 0.1
        return LEAST_FLOORS * floor(hypothesis.channel, self.model.usual.get(hypothesis.channel, 0.0))

    def tell(self, verdict: Verdict) -> None:
        """From now on it is known and looked through."""
        same = [each for each in self.known if each.hypothesis.name == verdict.hypothesis.name]
        for each in same:
            each.amount += verdict.amount
            each.told = each.amount
        if not same:
            self.known.append(Known(verdict.hypothesis, verdict.kind, verdict.amount, verdict.amount))
        shifted = [
            Day(d.day, d.error - (verdict.amount if d.day >= verdict.since else 0.0) * verdict.hypothesis.direction, d.precision, d.known)
            for d in self.days
        ]  # fmt: skip
        self.days = deque(shifted, maxlen=KEPT_D)
        self.cusum.reset()
        for day in list(self.days)[-REWALKED_D:]:  # what else had begun meanwhile is not lost
            self.cusum.step(scores(day, self.candidates), day.day)
        self.pending_since = None


def without_peer(vector: DayVector) -> DayVector:
    """Where no other station says anything the own primary supply explains the rest, and is not judged."""
    own = float(vector.x[VECTOR.index("primary_supply")])
    return replace(vector, given={**vector.given, "peer": own}) if np.isfinite(own) else vector
