"""Whether a condition holds: newest values against limits, all watches at once.

A value alarm looks at the newest *trusted* value, and only while that is no staler than the quantity allows: what nobody knows neither
raises nor clears anything (the alarm for stale data speaks then). Between the two limits of the hysteresis the condition is in its band.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.telemetry.alarms.definitions import GATEWAY, Kind
from nuan.telemetry.alarms.points import KINDS, NOWHERE, Points, Watches
from nuan.telemetry.live import NEVER, stale_after_s
from nuan.telemetry.readings import Flag
from nuan.terms.places import Level

UNKNOWN, OFF, BAND, ON = range(4)
_HIGH, _LOW, _RATE, _DEVIATION, _STALE, _STUCK, _SILENT = (KINDS.index(kind) for kind in Kind)
_BIT_STUCK, _BIT_FUTURE = int(Flag.STUCK), int(Flag.FUTURE)


@dataclass(frozen=True, slots=True)
class Values:
    """The newest values of points, in their order: as `monitoring.LiveValue` keeps them, `NEVER` where there is no reading."""

    any_time_s: NDArray[np.int64]
    any_arrival_s: NDArray[np.int64]
    any_flags: NDArray[np.int16]
    time_s: NDArray[np.int64]
    value: NDArray[np.int64]
    per_hour: NDArray[np.int64]
    """How fast it changes (`alarms.trend`), `NEVER` where nobody watches it or too little is known."""

    def changing(self, per_hour: NDArray[np.int64], at: NDArray[np.int64]) -> "Values":
        """The same with how fast some of the points change."""
        column = self.per_hour.copy()
        column[at] = per_hour
        return replace(self, per_hour=column)

    def seen_s(self) -> NDArray[np.int64]:
        """When the newest reading was made; one from a clock in the future counts for its arrival."""
        return np.where(self.any_flags & _BIT_FUTURE > 0, self.any_arrival_s, self.any_time_s)


def with_wholes(values: Values, points: Points) -> Values:
    """Values of the real points, with those of the whole places behind them: as new as the newest member."""
    real = int(np.count_nonzero(points.ids >= 0))
    seen = values.seen_s()
    whole = np.full(len(points) - real, NEVER, np.int64)
    level = np.array(points.level, object)
    for each, column in ((Level.SOURCE, points.source), (Level.SUBSTATION, points.station), (GATEWAY, points.gateway)):
        members = (column[:real] != NOWHERE) & ((level[:real] == each) | (each == GATEWAY))
        newest = np.full(int(column.max(initial=-1)) + 1, NEVER, np.int64)
        np.maximum.at(newest, column[:real][members], seen[members])
        places = level[real:] == each
        whole[places] = newest[column[real:][places]]
    blank = np.full(len(whole), NEVER, np.int64)
    zero = np.zeros(len(whole), np.int64)
    return Values(
        np.concatenate([values.any_time_s, whole]),
        np.concatenate([values.any_arrival_s, whole]),
        np.concatenate([values.any_flags, zero.astype(np.int16)]),
        np.concatenate([values.time_s, blank]),
        np.concatenate([values.value, zero]),
        np.concatenate([values.per_hour, blank]),
    )


def longest_ages(points: Points) -> NDArray[np.int64]:
    """How old a trusted value of each point may be before it says nothing about now."""
    known = {quantity: stale_after_s(quantity) for quantity in {name[1] for name in points.names} if quantity}
    return np.array([known.get(name[1], 0) for name in points.names], np.int64)


def evaluate(
    watches: Watches, values: Values, longest_age_s: NDArray[np.int64], now_s: int
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """The condition of each watch, and the value that was compared with its limits."""
    found, compared = _evaluate(
        watches.point, watches.kind, watches.against, watches.limit_on, watches.limit_off,
        values.any_flags, values.seen_s(), values.time_s, values.value, values.per_hour, longest_age_s, now_s,
    )  # fmt: skip
    return found, compared


@njit(cache=True, nogil=True)
def _evaluate(point, kind, against, limit_on, limit_off, flags, seen, time, value, per_hour, longest, now):  # type: ignore[no-untyped-def]
    found = np.zeros(len(point), np.int8)
    compared = np.zeros(len(point), np.int64)
    for i in range(len(point)):
        p, k = point[i], kind[i]
        x = 0
        if k in (_STALE, _SILENT):
            if seen[p] == NEVER:
                continue
            x = max(now - seen[p], 0)
        elif k == _STUCK:
            if seen[p] == NEVER:
                continue
            x = flags[p] & _BIT_STUCK
            compared[i] = value[p] if time[p] > NEVER else 0
            found[i] = ON if x else OFF
            continue
        else:
            if time[p] == NEVER or now - time[p] > longest[p]:
                continue
            x = value[p]
            if k == _RATE:
                if per_hour[p] == NEVER:
                    continue
                x = abs(per_hour[p])
            elif k == _DEVIATION:
                a = against[i]
                if a == NOWHERE or time[a] == NEVER or now - time[a] > longest[a]:
                    continue
                x = abs(value[p] - value[a])
        compared[i] = x
        if k == _LOW:
            found[i] = ON if x < limit_on[i] else (OFF if x >= limit_off[i] else BAND)
        else:
            found[i] = ON if x > limit_on[i] else (OFF if x <= limit_off[i] else BAND)
    return found, compared
