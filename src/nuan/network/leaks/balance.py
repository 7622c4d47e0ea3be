"""What the make-up would be without a leak: the usual loss, and what swells and shrinks; learned as the season goes, never ahead of it.

    make-up = usual + c₁ dM_supply/dt + c₂ dM_return/dt + c₃ dp_return/dt + c₄ d level/dt        (t/h)

c₁ and c₂ are 1 by physics and may be learned a little away from it (volumes of the drawing, thermometers); c₃ is the t/bar of vessel and
pipes, c₄ the t/m of a tank: both unknown until they are seen. Least squares with forgetting, a prior, and Huber's weights; what was
learned within the last hours waits (`DELAY`), so that a leak that is being noticed does not become usual.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MEMORY_H = 9 * 24.0
DELAY_H = 30.0
PRIOR_MEAN = np.array([0.0, 1.0, 1.0, 0.0, 0.0])
PRIOR_SPREAD = np.array([50.0, 0.15, 0.25, 25.0, 100.0])
HUBER = 3.0
FIRST_SIGMA = 0.5
LEAST_SIGMA = 0.05
SUM_H = 12


@dataclass(frozen=True, slots=True)
class Block:
    """About an hour: mean make-up t/h, and what changed in it per hour: x = (1, dM_supply, dM_return, dp_return, d level)."""

    time_s: float
    hours: float
    make_up_t_h: float
    x: tuple[float, float, float, float, float]
    usable: bool = True


@dataclass
class Balance:
    """Learns from blocks. `bound`: nothing is learned from blocks in which nothing was made up and nothing was due (what swells was let off).

    Without it a plant that lets off what swells would seem to lose more the more it warms.
    """

    bound: bool
    gram: Floats = field(default_factory=lambda: np.zeros((5, 5)))
    moment: Floats = field(default_factory=lambda: np.zeros(5))
    seen_h: float = 0.0
    sigma: float = FIRST_SIGMA
    long_sigma: float = FIRST_SIGMA
    surplus_t: float = 0.0
    never_back: bool = False
    """The meter never ran backwards: what swells does not go out through it."""
    waiting: deque[tuple[Block, float]] = field(default_factory=deque)
    sums: deque[float] = field(default_factory=lambda: deque(maxlen=40))
    sum_now: list[float] = field(default_factory=list)
    raised_t_h: float = 0.0
    """What an open event adds to the usual."""

    _coefficients: Floats | None = None
    _covariance: Floats | None = None

    def coefficients(self) -> Floats:
        if self._coefficients is None:
            prior = (self.sigma / PRIOR_SPREAD) ** 2
            self._covariance = np.asarray(np.linalg.inv(self.gram + np.diag(prior)), np.float64)
            self._coefficients = self._covariance @ (self.moment + prior * PRIOR_MEAN)
        return self._coefficients

    def expected(self, x: tuple[float, ...]) -> tuple[float, float]:
        """(t/h, its own standard deviation t/h without the noise of a block)."""
        row, coefficients = np.array(x), self.coefficients()
        assert self._covariance is not None
        return float(row @ coefficients), self.sigma * math.sqrt(max(float(row @ self._covariance @ row), 0.0))

    @property
    def usual_t_h(self) -> float:
        return float(self.coefficients()[0])

    def unsure_t_h(self) -> float:
        """Of the usual loss, from how long it has been watched."""
        return self.long_sigma / math.sqrt(max(min(self.seen_h, MEMORY_H), 1.0))

    def surprise(self, block: Block) -> float | None:
        """Make-up beyond what was to be expected, t/h; None where the block says nothing of it."""
        due, _ = self.expected(block.x)
        if not self.bound:
            return block.make_up_t_h - (self.stored(block.x) if self._let_off(block) else due)
        nothing = block.make_up_t_h <= 0.02 * max(abs(self.usual_t_h), 1.0)
        held_back = self.surplus_t > 0.0
        if nothing:
            self.surplus_t = min(max(self.surplus_t - due * block.hours, 0.0), 50.0)
            return None if due <= 0.0 or held_back else block.make_up_t_h - due
        self.surplus_t = 0.0
        # the vessel's surplus ended within this block: only that it is more than due says something
        if held_back or due < 0.0:
            return max(block.make_up_t_h - max(due, 0.0), 0.0) if due > 0.0 else None
        return block.make_up_t_h - due

    def stored(self, x: tuple[float, ...]) -> float:
        """t/h that vessel and tank took, by pressure and level."""
        return float(self.coefficients()[3:] @ np.array(x[3:]))

    def _let_off(self, block: Block) -> bool:
        """Nothing was made up, the pipes had too much, and no vessel shows it: it went off, and says nothing of the usual loss."""
        swell = self.expected(block.x)[0] - (stored := self.stored(block.x))
        nothing = block.make_up_t_h <= 0.02 * max(abs(self.usual_t_h), 1.0)
        return self.never_back and nothing and swell < 0.0 and stored < -0.3 * swell

    def learn(self, block: Block, surprise: float | None) -> None:
        """Take the block in, `DELAY_H` from now."""
        if surprise is None or (not self.bound and self._let_off(block)):
            return
        self.waiting.append((block, surprise))
        while self.waiting and self.waiting[0][0].time_s < block.time_s - DELAY_H * 3600.0 * min(
            self.seen_h / 120.0, 1.0
        ):
            self._take(*self.waiting.popleft())

    def forget_waiting(self) -> None:
        """What waits to be learned was a leak."""
        self.waiting.clear()
        self.sum_now.clear()

    def _take(self, block: Block, surprise: float) -> None:
        hours = min(block.hours, 3.0)
        kept = np.exp(-hours / MEMORY_H)
        far = abs(surprise) / (HUBER * self.sigma)
        weight = hours * (1.0 if far <= 1.0 else 1.0 / far)
        row = np.asarray(block.x)
        self.gram = self.gram * kept + weight * np.outer(row, row)
        self.moment = self.moment * kept + weight * row * (block.make_up_t_h - self.raised_t_h)
        self._coefficients = None
        self.seen_h += hours
        pace = min(hours / 120.0, 1.0) if self.seen_h > 48.0 else min(2.0 * hours / max(self.seen_h, 1.0), 1.0)
        # 1.25 · mean |e| is σ of a normal; large values count as 5 σ
        self.sigma = max(self.sigma + pace * (1.2533 * min(abs(surprise), 5.0 * self.sigma) - self.sigma), LEAST_SIGMA)
        self.sum_now.append(surprise * hours)
        if len(self.sum_now) >= SUM_H:
            self.sums.append(float(np.clip(sum(self.sum_now), -60.0, 60.0)) / np.sqrt(SUM_H))
            self.sum_now.clear()
            self.long_sigma = self._long()

    def _long(self) -> float:
        """σ of one-hour means as sums of twelve hours have it (median deviation); what wanders slowly is in it."""
        sums = np.array(self.sums)
        spread = 1.4826 * float(np.median(np.abs(sums))) if len(sums) >= 4 else 0.0
        # a pump that runs now and then makes hours wild and days calm: with enough days the calm is believed, a little
        floor = self.sigma if len(sums) < 10 else 0.3 * self.sigma
        return max(spread * (1.0 + 2.0 / max(len(sums), 1)), floor, LEAST_SIGMA)
