"""What a reading says against itself: missing, stuck, out of range, jump, duplicate, clock in the future. Vectorised.

Bounds come from `terms.quantities`. A flag never changes or removes a value. Rules, in the order in which they are applied:

- MISSING: exactly zero, where zero is how devices of this quantity say “none” (`zero_is_missing`).
- OUT_OF_RANGE: below `low` or above `high`.
- DUPLICATE: the same series and time again (the first in the given order is not flagged).
- FUTURE: later than its arrival by more than `CLOCK_SLACK_S`.
- STUCK: a run of one value that lasts `stuck_hours` or longer. A gap of more than `GAP_STEPS` steps ends a run. A sensor that shows coarse
  steps (half a degree and more) may rightly rest twice as long; a pipe no warmer than `IDLE_PIPE_C` is standing and may rest for ever.
- JUMP: further from the last good reading than `jump_per_hour` allows (at least one hour's worth). The allowance grows with the time
  since that good reading, so a lasting step is believed after a while and a spike is not.
"""

from fractions import Fraction

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.telemetry.readings import Flag
from nuan.terms.quantities import Quantity, quantity

CLOCK_SLACK_S = 300
GAP_STEPS = 8
FEWEST_IN_RUN = 6
COARSE_STEP = Fraction(1, 2)
IDLE_PIPE_C = 25

Times = NDArray[np.int64]
Values = NDArray[np.int32]
Flags = NDArray[np.uint8]


def flag(times: Times, values: Values, key: str, step_s: int, arrival_s: int | None = None) -> Flags:
    """Flags of one series, in any order of time. `step_s`: the usual distance of its readings; `arrival_s`: when they came in."""
    return flag_series(np.zeros(len(times), np.uint32), times, values, key, step_s, arrival_s)


def flag_series(
    series: NDArray[np.uint32], times: Times, values: Values, key: str, step_s: int, arrival_s: int | None = None
) -> Flags:
    """Flags of many series of one quantity, in any order."""
    what = quantity(key)
    low, high = _steps(what, what.low), _steps(what, what.high)
    flags = np.zeros(len(times), np.uint8)
    order = np.lexsort((times, series))
    s, t, v = series[order], times[order], values[order]
    sorted_flags = np.zeros(len(times), np.uint8)
    if what.zero_is_missing:
        sorted_flags[v == 0] |= np.uint8(Flag.MISSING)
    sorted_flags[(v < low) | (v > high)] |= np.uint8(Flag.OUT_OF_RANGE)
    if len(t) > 1:
        again = (s[1:] == s[:-1]) & (t[1:] == t[:-1])
        sorted_flags[1:][again] |= np.uint8(Flag.DUPLICATE)
    if arrival_s is not None:
        sorted_flags[t > arrival_s + CLOCK_SLACK_S] |= np.uint8(Flag.FUTURE)
    if what.stuck_hours is not None and len(t):
        _flag_stuck(s, t, v, sorted_flags, what, step_s)
    if what.jump_per_hour is not None:
        _jumps(s, t, v, sorted_flags, float(what.jump_per_hour / what.resolution))
    flags[order] = sorted_flags
    return flags


def _steps(what: Quantity, bound: Fraction) -> int:
    return int(bound / what.resolution)


def _flag_stuck(s: NDArray[np.uint32], t: Times, v: Values, flags: Flags, what: Quantity, step_s: int) -> None:
    new_series = s[1:] != s[:-1]
    gap = (t[1:] - t[:-1]) > GAP_STEPS * max(step_s, 1)
    starts = np.flatnonzero(np.concatenate(([True], (v[1:] != v[:-1]) | new_series | gap)))
    ends = np.concatenate((starts[1:], [len(v)])) - 1
    window = np.full(len(starts), int(what.stuck_hours or 0) * 3600, np.int64)
    first_of_series = np.flatnonzero(np.concatenate(([True], new_series)))
    change = np.abs(np.diff(v.astype(np.int64), prepend=v[0]))
    change[first_of_series] = 0
    coarse = np.gcd.reduceat(change, first_of_series) >= int(COARSE_STEP / what.resolution)
    belongs = np.searchsorted(first_of_series, starts, side="right") - 1
    window[coarse[belongs]] *= 2
    stuck = (t[ends] - t[starts] >= window) & (ends - starts + 1 >= FEWEST_IN_RUN)
    if what.key.endswith(("supply_temp", "return_temp")):
        stuck &= v[starts] > int(IDLE_PIPE_C / what.resolution)
    edges = np.zeros(len(v) + 1, np.int64)
    edges[starts[stuck]] += 1
    edges[ends[stuck] + 1] -= 1
    flags[np.cumsum(edges[:-1]) > 0] |= np.uint8(Flag.STUCK)


_BAD = np.uint8(Flag.MISSING | Flag.OUT_OF_RANGE | Flag.FUTURE)
_JUMP = np.uint8(Flag.JUMP)


@njit(cache=True)
def _jumps(s: NDArray[np.uint32], t: Times, v: Values, flags: Flags, per_hour: float) -> None:
    have = False
    good_t, good_v = np.int64(0), np.int64(0)
    for i in range(len(t)):
        if i == 0 or s[i] != s[i - 1]:
            have = False
        if flags[i] & _BAD:
            continue
        if have:
            hours = (t[i] - good_t) / 3600.0
            if abs(v[i] - good_v) > per_hour * max(hours, 1.0):
                flags[i] |= _JUMP
                continue
        have = True
        good_t, good_v = t[i], np.int64(v[i])
