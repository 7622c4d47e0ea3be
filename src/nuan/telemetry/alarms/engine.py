"""One tick over all watches: conditions, delays, and what is folded under what. A function of the stored state, the values and the moment."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.alarms.conditions import ON, Values, evaluate
from nuan.telemetry.alarms.phases import ACTIVE, CLEARED, CLEARING, PENDING, RAISED, step
from nuan.telemetry.alarms.points import NOWHERE, Points, Watches
from nuan.telemetry.alarms.storm import parents, roots, under_doubt

Rows = NDArray[np.int64]
KEPT: Final = -2


@dataclass(frozen=True)
class Memory:
    """What is known of every watch from the tick before; all quiet at first. `raised_s` and `folded` count where an alarm is active.

    `over_s`: when the outage ended under which an alarm is folded still; 0: it lasts.
    """

    phase: NDArray[np.int8]
    since_s: NDArray[np.int64]
    raised_s: NDArray[np.int64]
    folded: NDArray[np.bool_]
    over_s: NDArray[np.int64]

    @classmethod
    def blank(cls, watches: int) -> "Memory":
        zeros = np.zeros(watches, np.int64)
        return cls(np.zeros(watches, np.int8), zeros, zeros.copy(), np.zeros(watches, np.bool_), zeros.copy())


@dataclass(frozen=True)
class Outcome:
    """`parent[i]`: the watch under whose alarm `active[i]` is folded, or `KEPT`. `compared`: the value that each watch looked at.

    What is folded and on its way to be cleared is kept where it is: it is not bad any more, so it neither comes out nor holds others.
    So is what is bad still, until its time to recover from the outage has passed.
    """

    memory: Memory
    raised: Rows
    cleared: Rows
    active: Rows
    parent: Rows
    compared: NDArray[np.int64]


def tick(
    watches: Watches, points: Points, values: Values, longest_age_s: NDArray[np.int64], memory: Memory, now_s: int
) -> Outcome:
    """`values` are those of all points, whole places included (`conditions.with_wholes`). Nothing that is given is changed."""
    condition, compared = evaluate(watches, values, longest_age_s, now_s)
    phase, since, raised_s = memory.phase.copy(), memory.since_s.copy(), memory.raised_s.copy()
    on = np.flatnonzero((phase <= PENDING) & (condition == ON))
    begun = np.where(phase[on] == PENDING, since[on], now_s)
    doubtful = on[watches.outage[on] & (now_s - begun < watches.delay_on_s[on])]
    held = np.zeros(len(watches), np.bool_)
    held[on] = under_doubt(watches, points, doubtful, on)
    events = step(phase, since, condition, watches.delay_on_s, watches.delay_off_s, held, now_s)
    raised = np.flatnonzero(events == RAISED)
    raised_s[raised] = now_s
    active = np.flatnonzero(phase >= ACTIVE)
    kept = (phase[active] == CLEARING) & memory.folded[active]
    failed = active[watches.outage[active] & ~kept]
    over = parents(watches, points, roots(watches, points, failed, raised_s[failed]), active)
    alone = memory.folded[active] & (over == NOWHERE)
    over_s = np.zeros(len(watches), np.int64)
    over_s[active] = np.where(alone, np.where(memory.over_s[active] > 0, memory.over_s[active], now_s), 0)
    kept |= alone & (now_s - over_s[active] < watches.recover_s[active])
    over[kept] = KEPT
    folded = np.zeros(len(watches), np.bool_)
    folded[active] = over != NOWHERE
    cleared = np.flatnonzero(events == CLEARED)
    return Outcome(Memory(phase, since, raised_s, folded, over_s), raised, cleared, active, over, compared)


def above(outcome: Outcome) -> dict[int, int]:
    """Watch → the watch above it, of all that is folded under an alarm that is active."""
    which = outcome.parent >= 0
    return dict(zip(outcome.active[which].tolist(), outcome.parent[which].tolist(), strict=True))


def kept(outcome: Outcome) -> set[int]:
    """Watches that stay folded where they are."""
    return set(outcome.active[outcome.parent == KEPT].tolist())
