"""Make-up water watched row by row: two slow sums for small leaks, a short window for big ones. No look-ahead; the state can be copied.

Rows of any step are gathered to blocks of an hour. Each block is compared with two balances (`Balance`, with and without the rule for plants
that let off what swells); the one whose long sums wander less is believed.
"""

import math
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from nuan.network.leaks.balance import Balance, Block
from nuan.network.leaks.cusum import Cusum

HOUR_S = 3600.0
LONGEST_BLOCK_H = 6.0
SHORT_S = 2400.0
ARMED_H, SLOW_ARMED_H = 8.0, 60.0
BIG_T_H = 4.5
BIG_SIGMAS = 5.0
BACKWARDS_T_H = -0.3
"""Make-up below this is water that comes out of the network; above it a meter's nought."""
QUARTER = 0.3186 * math.sqrt(6.0)
"""Lower quartile of |x₁ − 2 x₂ + x₃| for normal noise of 1."""
RUN_LENGTH_H = 12 * 730.0
"""Each slow sum alone is to raise one false alarm a year."""


@dataclass(frozen=True, slots=True)
class MakeUpRow:
    """A moment. NaN where unknown. `make_up_t_h`: mean since the last row; contents in t; `excused`: the operator says that he fills."""

    time_s: float
    make_up_t_h: float
    supply_t: float
    back_t: float
    back_bar: float = math.nan
    level: float = math.nan
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Suspicion:
    """More water goes in than can be explained. `by`: big, medium or slow. `since_s`: when it seems to have begun."""

    time_s: float
    by: str
    size_t_h: float
    since_s: float
    excess_sigmas: float


@dataclass
class Noted:
    """A reading that moves only when it has moved beyond its noise, and then all the way: what it did in between is not lost.

    Noise in what explains would otherwise be learned as that pressure explains nothing (attenuation, Fuller 1987, ch. 1). Its size follows
    the lower quartile of second differences: a pump that starts is not noise.
    """

    value: float = math.nan
    noise: float = 0.0
    before: float = math.nan
    last: float = math.nan

    def note(self, reading: float) -> float:
        if math.isnan(reading):
            return self.value
        bend = abs(reading - 2.0 * self.last + self.before)
        self.before, self.last = self.last, reading
        if bend == bend and bend > 0.0:
            quarter = QUARTER * self.noise
            self.noise = (
                max(self.noise * (1.0 + 0.05 * (0.25 if bend > quarter else -0.75)), 1e-5) if self.noise else bend
            )
        if math.isnan(self.value) or abs(reading - self.value) > 3.5 * self.noise:
            self.value = reading
        return self.value


def _cusums() -> dict[str, Cusum]:
    return {
        "medium": Cusum(reference_t_h=0.9, least_t=4.5, cap_t_h=2.0, run_length_h=RUN_LENGTH_H),
        "slow": Cusum(reference_t_h=0.2, least_t=4.0, cap_t_h=0.6, run_length_h=RUN_LENGTH_H),
    }


@dataclass
class MakeUpWatch:
    """`push` rows in order of time; it returns what became suspicious with this row. `hold(size)` while a leak is known."""

    balances: list[Balance] = field(default_factory=lambda: [Balance(bound=False), Balance(bound=True)])
    cusums: dict[str, Cusum] = field(default_factory=_cusums)
    rows: deque[tuple[float, float, float, float]] = field(default_factory=deque)
    """(time, hours, surprise, doubt) of the rows of the short window."""
    open_from: MakeUpRow | None = None
    inflow_t: float = 0.0
    inflow_h: float = 0.0
    excused: bool = False
    excused_until_s: float = -math.inf
    last: MakeUpRow | None = None
    recent: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=24 * 14))
    """(time, hours, surprise) of the blocks."""
    short_most: deque[tuple[float, float]] = field(default_factory=deque)
    """Largest short-window surprise of each of the last blocks."""
    short_now: float = -math.inf
    habit_t_h: float = 0.0
    seen_bar: Noted = field(default_factory=Noted)
    seen_level: Noted = field(default_factory=Noted)
    gap: bool = False
    """This row lacks the pressure or the level that the last one had."""
    swings: list[float] = field(default_factory=lambda: [0.0, 0.0])
    least_t_h: float = 0.0
    held_t_h: float = 0.0
    holding: bool = False

    @property
    def believed(self) -> Balance:
        free, bound = self.balances
        return bound if bound.long_sigma < 0.8 * free.long_sigma and bound.seen_h > 72.0 else free

    @property
    def seen_h(self) -> float:
        return max(balance.seen_h for balance in self.balances)

    def push(self, row: MakeUpRow) -> list[Suspicion]:
        if self.last is not None and row.time_s <= self.last.time_s:
            return []
        found: list[Suspicion] = []
        hours = 0.0 if self.last is None else (row.time_s - self.last.time_s) / HOUR_S
        if row.excused:
            self.excused_until_s = row.time_s + 1.5 * HOUR_S
        if self.open_from is None:
            self._open(row)
        elif math.isfinite(row.make_up_t_h) and hours <= 12.0:
            self.inflow_t += row.make_up_t_h * hours
            self.inflow_h += hours
        self.excused |= row.time_s <= self.excused_until_s
        row = self._carried(row)
        if hours > 0.0:
            self._swing(row, hours)
            self._look(row, hours)
        big = self._short(row)
        if big is not None:
            found.append(big)
        found += self._close_block(row)
        self.last = row
        return found

    def _carried(self, row: MakeUpRow) -> MakeUpRow:
        """The row with the last known pressure and level where it has none: what changed meanwhile counts when it is seen again."""
        last = self.last
        self.gap = last is not None and (
            (math.isnan(row.back_bar) and not math.isnan(last.back_bar))
            or (math.isnan(row.level) and not math.isnan(last.level))
        )
        return replace(row, back_bar=self.seen_bar.note(row.back_bar), level=self.seen_level.note(row.level))

    def _open(self, row: MakeUpRow) -> None:
        self.open_from, self.inflow_t, self.inflow_h, self.excused = row, 0.0, 0.0, False

    def _close_block(self, row: MakeUpRow) -> list[Suspicion]:
        start = self.open_from
        assert start is not None
        hours = (row.time_s - start.time_s) / HOUR_S
        if hours < 0.99:
            return []
        if (self.gap or not math.isfinite(row.make_up_t_h)) and hours < LONGEST_BLOCK_H:
            return []
        usable = not self.excused and self.inflow_h >= 0.6 * hours and hours <= 2 * LONGEST_BLOCK_H
        mean = self.inflow_t / self.inflow_h if self.inflow_h > 0.0 else math.nan
        block = Block(row.time_s, hours, mean, _change(start, row, hours), usable and math.isfinite(mean))
        self._open(row)
        return self._judge(block) if block.usable else []

    def _never_back(self, balance: Balance) -> bool:
        return balance.usual_t_h > 0.0 and self.least_t_h > BACKWARDS_T_H

    def _judge(self, block: Block) -> list[Suspicion]:
        for one in self.balances:
            one.never_back = self._never_back(one)
        surprises = [one.surprise(block) for one in self.balances]
        balance = self.believed
        surprise = surprises[self.balances.index(balance)]
        if surprise is not None:
            self.recent.append((block.time_s, block.hours, surprise))
        self._note_habit(block.time_s)
        self.short_now = -math.inf
        found = []
        if surprise is not None and balance.seen_h >= SLOW_ARMED_H:
            _, doubt = balance.expected((0.0, *block.x[1:]))
            for name, cusum in self.cusums.items():
                beyond = surprise - self.held_t_h - math.copysign(min(doubt, abs(surprise)), surprise) * 0.5
                if cusum.push(
                    block.time_s, beyond, block.hours, balance.long_sigma, balance.unsure_t_h(), 3.0 * balance.sigma
                ):
                    found.append(self._suspicion(block.time_s, name, cusum.since_s, cusum.sum_t / cusum.limit_t))
        if not self.holding and all(cusum.sum_t < 0.6 * cusum.limit_t for cusum in self.cusums.values()):
            for one, said in zip(self.balances, surprises, strict=True):
                one.learn(block, said)
        return found

    def _note_habit(self, time_s: float) -> None:
        """What the short window shows of itself: of the last fortnight's blocks the largest, without the one in fifty that was a fill or a fault."""
        if math.isfinite(self.short_now):
            self.short_most.append((time_s, self.short_now))
        while self.short_most and self.short_most[0][0] < time_s - 14 * 24 * HOUR_S:
            self.short_most.popleft()
        count = len(self.short_most)
        self.habit_t_h = sorted((most for _, most in self.short_most), reverse=True)[count // 50] if count > 12 else 0.0

    def _suspicion(self, time_s: float, by: str, since_s: float, strength: float) -> Suspicion:
        return Suspicion(time_s, by, self.size_since(since_s) - self.held_t_h, since_s, strength)

    def size_since(self, since_s: float) -> float:
        """Trimmed mean of the surprise in whole blocks since then, t/h: the size of a leak that began there. NaN before there is one."""
        part = [surprise for time_s, hours, surprise in self.recent if time_s - hours * HOUR_S >= since_s - 60.0]
        if not part:
            return math.nan
        # the first block may have been dry for half of it
        values = np.sort(part[1:] if len(part) > 2 else part)
        cut = len(values) // 5
        return float(np.mean(values[cut : len(values) - cut]))

    def _swing(self, row: MakeUpRow, hours: float) -> None:
        """How much pressure and level usually change within an hour."""
        assert self.last is not None
        pace = min(hours / 48.0, 1.0)
        for k, name in enumerate(("back_bar", "level")):
            change = abs(getattr(row, name) - getattr(self.last, name))
            if math.isfinite(change) and change > 0.0:
                self.swings[k] += pace * (change / math.sqrt(hours) - self.swings[k])

    def _look(self, row: MakeUpRow, hours: float) -> None:
        """What this row alone has beyond what was due since the last one, into the short window."""
        assert self.last is not None
        while self.rows and self.rows[0][0] <= row.time_s - SHORT_S + 1.0:
            self.rows.popleft()
        if not math.isfinite(row.make_up_t_h) or row.time_s <= self.excused_until_s:
            return
        balance = self.believed
        x = _change(self.last, row, hours)
        due, doubt = balance.expected(x)
        if self.gap:
            doubt += float(np.abs(balance.coefficients()[3:]) @ self.swings) / math.sqrt(hours)
        self.least_t_h = min(self.least_t_h, row.make_up_t_h)
        never_back = balance.bound or self._never_back(balance)
        if never_back:
            # what swells and is let off leaves no trace; what the vessel gives or takes does
            stored = balance.stored(x)
            due = max(due - stored, 0.0) + stored
        self.rows.append((row.time_s, hours, row.make_up_t_h - due, doubt))

    def _short(self, row: MakeUpRow) -> Suspicion | None:
        """The window of the last forty minutes (at least the last step): mean surprise, the largest row left out where there are three."""
        if not self.rows or self.rows[-1][0] < row.time_s:
            return None
        balance, hours = self.believed, sum(one[1] for one in self.rows)
        if hours < 0.45 or hours > 2.5 or balance.seen_h < ARMED_H:
            return None
        values = sorted(one[2] for one in self.rows)
        kept = values[:-1] if len(values) >= 3 else values
        surprise = sum(kept) / len(kept) - self.held_t_h
        limit = self.short_limit(balance, max(one[3] for one in self.rows), len(values))
        self.short_now = max(self.short_now, surprise)
        if surprise <= limit:
            return None
        latest = [one[2] for one in self.rows][-2:]
        size = max(surprise, sum(latest) / len(latest) - self.held_t_h)
        return Suspicion(row.time_s, "big", size, self.rows[0][0] - self.rows[0][1] * HOUR_S, surprise / limit)

    def short_limit(self, balance: Balance, doubt: float, readings: int) -> float:
        """t/h. Above all that the last fortnight showed of itself, and above what the noise of an hour can do."""
        new = 2.0 if balance.seen_h < 72.0 else 0.0
        few = 0.8 if readings < 3 else 0.0
        return max(BIG_T_H + new + few, BIG_SIGMAS * math.hypot(balance.sigma, doubt), min(1.3 * self.habit_t_h, 40.0))

    def hold(self, size_t_h: float) -> None:
        """A leak of this size is known: nothing is learned, and only more than it is suspicious."""
        self.holding, self.held_t_h = True, size_t_h
        for cusum in self.cusums.values():
            cusum.clear()
        for balance in self.balances:
            balance.forget_waiting()

    def release(self) -> None:
        """The leak is over."""
        self.holding, self.held_t_h = False, 0.0
        for cusum in self.cusums.values():
            cusum.clear()

    def absorb(self) -> None:
        """The leak has become usual (nobody mends it): learning goes on without it."""
        for balance in self.balances:
            balance.raised_t_h = self.held_t_h
        self.holding = False


def _change(start: MakeUpRow, end: MakeUpRow, hours: float) -> tuple[float, float, float, float, float]:
    def per_hour(name: str) -> float:
        difference = getattr(end, name) - getattr(start, name)
        return float(difference / hours) if math.isfinite(difference) else 0.0

    return 1.0, per_hour("supply_t"), per_hour("back_t"), per_hour("back_bar"), per_hour("level")
