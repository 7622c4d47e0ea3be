"""Delay and hysteresis of every watch, as one step from tick to tick: quiet → pending → active → clearing → quiet.

A condition that is unknown or in its band ends no alarm and proves nothing: it does not clear what is active, and what was pending begins
anew. So nothing is raised unless the condition was seen to hold from its first tick to the last one of the delay.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.telemetry.alarms.conditions import OFF, ON

QUIET, PENDING, ACTIVE, CLEARING = range(4)
NOTHING, RAISED, CLEARED = range(3)


def step(
    phase: NDArray[np.int8],
    since_s: NDArray[np.int64],
    condition: NDArray[np.int8],
    delay_on_s: NDArray[np.int64],
    delay_off_s: NDArray[np.int64],
    held: NDArray[np.bool_],
    now_s: int,
) -> NDArray[np.int8]:
    """Change `phase` and `since_s` in place; what happened to each watch. `held`: pending, but something above it may fail first."""
    events: NDArray[np.int8] = _step(phase, since_s, condition, delay_on_s, delay_off_s, held, now_s)
    return events


@njit(cache=True, nogil=True)
def _step(phase, since, condition, delay_on, delay_off, held, now):  # type: ignore[no-untyped-def]
    events = np.zeros(len(phase), np.int8)
    for i in range(len(phase)):
        if phase[i] <= PENDING:
            if condition[i] != ON:
                phase[i] = QUIET
                continue
            if phase[i] == QUIET:
                phase[i], since[i] = PENDING, now
            if now - since[i] >= delay_on[i] and not held[i]:
                phase[i] = ACTIVE
                events[i] = RAISED
        else:
            if condition[i] != OFF:
                phase[i] = ACTIVE
                continue
            if phase[i] == ACTIVE:
                phase[i], since[i] = CLEARING, now
            if now - since[i] >= delay_off[i]:
                phase[i] = QUIET
                events[i] = CLEARED
    return events
