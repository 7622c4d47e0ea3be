"""Flags of readings as they come in, with what each series showed before: the rules of `flags`, in one pass and without looking ahead.

Where the past decides, both give the same flags. Three things differ, because a live reading is judged once and when it comes:

- STUCK begins with the reading by which the value has rested long enough; the file's rule marks the beginning of the run too.
- The same time and value again is a repetition and gets the flags it had, so that a gateway that sends its buffer twice changes nothing.
  DUPLICATE is another value for the time of the last reading.
- A reading older than the last of its series says nothing about runs and jumps and is judged by its value alone. What was known against
  it before stays: the store joins the flags of a repeated report (`store.fold.resolve`).

LATE is not set here: how late a reading was is kept exactly, as its delay.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.telemetry.protocols.line_protocol.words import prefetch
from nuan.telemetry.quality.flags import CLOCK_SLACK_S, COARSE_STEP, FEWEST_IN_RUN, GAP_STEPS, IDLE_PIPE_C
from nuan.telemetry.readings import Flag
from nuan.terms.quantities import quantity

NEVER = np.iinfo(np.int64).max
_RULES: Any = np.dtype(
    [("low", "<i8"), ("high", "<i8"), ("per_hour", "<f8"), ("stuck_s", "<i8"), ("coarse", "<i8"), ("idle", "<i8"), ("zero", "?")],
    align=True,
)  # fmt: skip
_STATE: Any = np.dtype(
    [
        ("rule", "<i4"), ("last_t", "<i8"), ("last_v", "<i8"), ("last_flags", "u1"), ("seen", "?"), ("good", "?"),
        ("good_t", "<i8"), ("good_v", "<i8"), ("run_t", "<i8"), ("run_n", "<i4"), ("change", "<i8"), ("step_s", "<f8"), ("told", "?"),
    ],
    align=True,
)  # fmt: skip
_MISSING, _OUT, _FUTURE = np.uint8(Flag.MISSING), np.uint8(Flag.OUT_OF_RANGE), np.uint8(Flag.FUTURE)
_DUPLICATE, _STUCK, _JUMP = np.uint8(Flag.DUPLICATE), np.uint8(Flag.STUCK), np.uint8(Flag.JUMP)
_BAD = np.uint8(Flag.MISSING | Flag.OUT_OF_RANGE | Flag.FUTURE)


_AHEAD = 8
"""Readings ahead of the one at hand whose series is asked of memory."""


class StreamFlags:
    """Series are small numbers, as a lane gives them. About 80 bytes a series."""

    def __init__(self) -> None:
        self._state = np.zeros(0, _STATE)
        self._rules = np.zeros(1, _RULES)
        self._rules[0] = (-NEVER, NEVER, 0.0, NEVER, NEVER, -NEVER, False)
        self._rule_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._state)

    def declare(self, series: int | Iterable[int] | NDArray[np.uint32], quantity_key: str, step_s: int = 0) -> None:
        """By which quantity's rules a series is judged. `step_s`: the usual distance of its readings; 0: it is learned from them.
        Series that nobody declared get no flags. To declare one again changes nothing but its rules."""
        ids = np.atleast_1d(np.asarray(series if isinstance(series, int | np.ndarray) else list(series), np.int64))
        if not len(ids):
            return
        if int(ids.max()) >= len(self._state):
            self._grow(int(ids.max()) + 1)
        if quantity_key not in self._rule_of:
            self._rules = np.append(self._rules, _rule(quantity_key))
            self._rule_of[quantity_key] = len(self._rules) - 1
        self._state["rule"][ids] = self._rule_of[quantity_key]
        if step_s:
            self._state["step_s"][ids], self._state["told"][ids] = step_s, True

    def flag(
        self, series: NDArray[np.uint32], time_s: NDArray[np.int64], values: NDArray[np.int32], arrival_s: int
    ) -> NDArray[np.uint8]:
        """uint8[n] for readings in the order in which they came; they came in at `arrival_s`."""
        if len(series) and int(series.max()) >= len(self._state):
            self._grow(int(series.max()) + 1)
        flags = np.zeros(len(series), np.uint8)
        _flag(self._state, self._rules, series, time_s, values, np.int64(arrival_s), flags)
        return flags

    def _grow(self, length: int) -> None:
        grown = np.zeros(max(1024, 2 * len(self._state), length), _STATE)
        grown[: len(self._state)] = self._state
        self._state = grown


def _rule(key: str) -> NDArray[Any]:
    what = quantity(key)
    pipe = key.endswith(("supply_temp", "return_temp"))
    rule = np.zeros(1, _RULES)
    rule[0] = (
        int(what.low / what.resolution), int(what.high / what.resolution),
        0.0 if what.jump_per_hour is None else float(what.jump_per_hour / what.resolution),
        NEVER if what.stuck_hours is None else what.stuck_hours * 3600,
        int(COARSE_STEP / what.resolution), int(IDLE_PIPE_C / what.resolution) if pipe else -NEVER, what.zero_is_missing,
    )  # fmt: skip
    return rule


@njit(cache=True)
def _gcd(a, b):  # type: ignore[no-untyped-def]
    while b:
        a, b = b, a % b
    return a


@njit(cache=True)
def _run(s, rule, t, v):  # type: ignore[no-untyped-def]
    """True when the value has rested too long; moves the run on."""
    apart = t - s.last_t
    if v != s.last_v and s.change != 1:
        s.change = _gcd(abs(v - s.last_v), s.change)
    if v != s.last_v or (s.step_s > 0 and apart > GAP_STEPS * s.step_s):
        s.run_t, s.run_n = t, 1
    else:
        s.run_n += 1
    if s.step_s == 0:
        s.step_s = apart
    elif not s.told and apart <= GAP_STEPS * s.step_s:
        s.step_s += (apart - s.step_s) / 8
    window = rule.stuck_s
    if s.change >= rule.coarse:
        window *= 2
    return t - s.run_t >= window and s.run_n >= FEWEST_IN_RUN and v > rule.idle


@njit(cache=True)
def _flag(state, rules, series, time_s, values, arrival_s, flags):  # type: ignore[no-untyped-def]
    for i in range(len(series)):
        if i + _AHEAD < len(series):
            prefetch(state, np.int64(series[i + _AHEAD]))
        s = state[series[i]]
        if s.rule == 0:
            continue
        rule = rules[s.rule]
        t, v = time_s[i], np.int64(values[i])
        if s.seen and t == s.last_t and v == s.last_v:
            flags[i] = s.last_flags
            continue
        mark = np.uint8(0)
        if rule.zero and v == 0:
            mark |= _MISSING
        if v < rule.low or v > rule.high:
            mark |= _OUT
        if t > arrival_s + CLOCK_SLACK_S:
            # such a clock must not move the series on: every right reading would be older than it
            flags[i] = mark | _FUTURE
            continue
        if s.seen and t <= s.last_t:
            flags[i] = mark | (_DUPLICATE if t == s.last_t else np.uint8(0))
            continue
        if not s.seen:
            s.seen, s.run_t, s.run_n = True, t, 1
        elif _run(s, rule, t, v):
            mark |= _STUCK
        s.last_t, s.last_v = t, v
        if rule.per_hour > 0 and not mark & _BAD:
            if s.good and abs(v - s.good_v) > rule.per_hour * max((t - s.good_t) / 3600.0, 1.0):
                mark |= _JUMP
            else:
                s.good, s.good_t, s.good_v = True, t, v
        s.last_flags = mark
        flags[i] = mark
