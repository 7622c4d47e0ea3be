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
        if last is None or not (math.isnan(row.back_bar) or math.isnan(row.level)):
            return row
        bar = last.back_bar if math.isnan(row.back_bar) else row.back_bar
        level = last.level if math.isnan(row.level) else row.level
        return replace(row, back_bar=bar, level=level)

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

    def _judge(self, block: Block) -> list[Suspicion]:
        surprises = [balance.surprise(block) for balance in self.balances]
        balance = self.believed
        surprise = surprises[self.balances.index(balance)]
        if surprise is not None:
            self.recent.append((block.time_s, block.hours, surprise))
        self.short_most.append((block.time_s, self.short_now))
        while self.short_most and self.short_most[0][0] < block.time_s - 14 * 24 * HOUR_S:
            self.short_most.popleft()
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

    def _suspicion(self, time_s: float, by: str, since_s: float, strength: float) -> Suspicion:
        return Suspicion(time_s, by, self.size_since(since_s) - self.held_t_h, since_s, strength)

    def size_since(self, since_s: float) -> float:
        """Median-like mean of the surprise since then, t/h: the size of a leak that began there."""
        part = [surprise for time_s, _, surprise in self.recent if time_s > since_s + 1.0]
        if not part:
            return self.short_now if math.isfinite(self.short_now) else 0.0
        values = np.sort(part)
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
        while self.rows and self.rows[0][0] <= row.time_s - max(SHORT_S, 1.01 * hours * HOUR_S) + 1.0:
            self.rows.popleft()
        if not math.isfinite(row.make_up_t_h):
            return
        balance = self.believed
        due, doubt = balance.expected(_change(self.last, row, hours))
        if self.gap:
            doubt += float(np.abs(balance.coefficients()[3:]) @ self.swings) / math.sqrt(hours)
        never_back = balance.bound or (balance.usual_t_h > 0.0 and self.least_t_h >= 0.0)
        self.least_t_h = min(self.least_t_h, row.make_up_t_h)
        self.rows.append((row.time_s, hours, row.make_up_t_h - (max(due, 0.0) if never_back else due), doubt))

    def _short(self, row: MakeUpRow) -> Suspicion | None:
        """The window of the last forty minutes (at least the last step): mean surprise, the largest row left out where there are three."""
        if not self.rows or self.rows[-1][0] < row.time_s or row.time_s <= self.excused_until_s:
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
        return Suspicion(row.time_s, "big", surprise, self.rows[0][0] - self.rows[0][1] * HOUR_S, surprise / limit)

    def short_limit(self, balance: Balance, doubt: float, readings: int) -> float:
        """t/h. Above all that the last fortnight showed of itself, and above what the noise of an hour can do."""
        usual_most = sorted((most for _, most in self.short_most if math.isfinite(most)), reverse=True)
        # the few largest were fills or faults; the pump's own cycle is far more often there
        rank = len(usual_most) // 50
        habit = usual_most[rank] if len(usual_most) > 12 else 0.0
        new = 2.0 if balance.seen_h < 72.0 else 0.0
        few = 0.8 if readings < 3 else 0.0
        return max(BIG_T_H + new + few, BIG_SIGMAS * math.hypot(balance.sigma, doubt), min(1.3 * habit, 40.0))

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
