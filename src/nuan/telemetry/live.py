"""The newest reading of every point, in the memory of whoever takes readings in: what pages, alarms and the cold-homes number ask for.

Two answers a series: the newest reading of all, and the newest one that is trusted, with the trusted one before it (how fast something
changes). The table is a function of the *set* of readings, whatever the order in which they come: an older reading never replaces a newer
one, and of two with one event time the one that arrived later stands, then the greater value. A reading from a clock in the future counts
for its arrival, else one wrong clock would hide a point until that year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.telemetry.readings import UNTRUSTED, Flag
from nuan.terms.quantities import QUANTITIES

NEVER: Final = -(2**62)
"""In the columns of times: no such reading yet."""
STALE_INTERVALS: Final = 4
"""A value older than so many expected intervals is stale (陈旧)."""

_SLOW: Final = {
    "room_temp": 3600, "room_humidity": 3600, "room_co2": 3600, "outdoor_temp": 3600, "wind_speed": 3600, "solar": 3600,
    "heat_energy": 3600, "water_volume": 3600, "gas_volume": 3600, "electric_energy": 3600, "fuel_stock": 86_400, "fuel_burn": 86_400,
    "area": 365 * 86_400,
}  # fmt: skip
EXPECTED_EVERY_S: Final[Mapping[str, int]] = MappingProxyType({key: _SLOW.get(key, 900) for key in QUANTITIES})
"""运行参数: how often a point of the quantity reports at least. Faster is welcome; slower is a gap."""

_ANY_TIME, _ANY_ARRIVAL, _ANY_WORD, _TIME, _ARRIVAL, _WORD, _BEFORE_TIME, _BEFORE_ARRIVAL, _BEFORE_WORD = range(9)
_FUTURE: Final = int(Flag.FUTURE)


def stale_after_s(quantity: str) -> int:
    """
    >>> stale_after_s("room_temp"), stale_after_s("supply_temp")
    (14400, 3600)
    """
    return STALE_INTERVALS * EXPECTED_EVERY_S[quantity]


@dataclass(frozen=True, slots=True)
class LiveChanges:
    """What is new in a table: one row a series. Times are epoch seconds, `NEVER` where there is no such reading; values fixed-point.

    `any_*` is the newest reading of all, the plain columns the newest trusted one, `before_*` the trusted one before that.
    """

    tick: int
    series: NDArray[np.uint32]
    any_time_s: NDArray[np.int64]
    any_arrival_s: NDArray[np.int64]
    any_value: NDArray[np.int32]
    any_flags: NDArray[np.uint8]
    time_s: NDArray[np.int64]
    arrival_s: NDArray[np.int64]
    value: NDArray[np.int32]
    flags: NDArray[np.uint8]
    before_time_s: NDArray[np.int64]
    before_value: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.series)


class LiveTable:
    """Rows are the ids of a store or a lane (dense from 0); the table grows to the largest id that it meets."""

    def __init__(self, series: int = 1024) -> None:
        self.tick = 0
        self._rows = _blank(series)
        self._changed = np.zeros(series, np.int64)

    def __len__(self) -> int:
        return len(self._changed)

    def update(
        self,
        series: NDArray[np.uint32],
        time_s: NDArray[np.int64],
        value: NDArray[np.int32],
        flags: NDArray[np.uint8],
        arrival_s: int | NDArray[np.int64],
    ) -> int:
        """Take readings in, in any order; how many of them changed their row. One call is one tick."""
        if len(series) == 0:
            return 0
        self._grow(int(series.max()) + 1)
        self.tick += 1
        arrivals = np.broadcast_to(np.asarray(arrival_s, np.int64), series.shape)
        return int(_update(self._rows, self._changed, self.tick, series, time_s, value, flags, arrivals))

    def changed_since(self, tick: int) -> LiveChanges:
        """Rows that changed after a tick; ask the next time with the `tick` of the answer."""
        return self._columns(np.flatnonzero(self._changed > tick))

    def newest(self, series: NDArray[np.uint32]) -> LiveChanges:
        """The rows of these series, changed or not; ids beyond the table are left out."""
        return self._columns(series[series < len(self)].astype(np.int64))

    def _columns(self, which: NDArray[np.int64]) -> LiveChanges:
        rows = self._rows[which]
        return LiveChanges(
            self.tick,
            which.astype(np.uint32),
            rows[:, _ANY_TIME],
            rows[:, _ANY_ARRIVAL],
            (rows[:, _ANY_WORD] >> 8).astype(np.int32),
            (rows[:, _ANY_WORD] & 0xFF).astype(np.uint8),
            rows[:, _TIME],
            rows[:, _ARRIVAL],
            (rows[:, _WORD] >> 8).astype(np.int32),
            (rows[:, _WORD] & 0xFF).astype(np.uint8),
            rows[:, _BEFORE_TIME],
            (rows[:, _BEFORE_WORD] >> 8).astype(np.int32),
        )

    def _grow(self, series: int) -> None:
        if series <= len(self):
            return
        more = max(series, 2 * len(self)) - len(self)
        self._rows = np.concatenate([self._rows, _blank(more)])
        self._changed = np.concatenate([self._changed, np.zeros(more, np.int64)])


def _blank(rows: int) -> NDArray[np.int64]:
    blank = np.zeros((rows, 9), np.int64)
    blank[:, [_ANY_TIME, _ANY_ARRIVAL, _TIME, _ARRIVAL, _BEFORE_TIME, _BEFORE_ARRIVAL]] = NEVER
    return blank


@njit(cache=True, nogil=True, inline="always")
def _newer(time, arrival, word, than_time, than_arrival, than_word):  # type: ignore[no-untyped-def]
    if time != than_time:
        return time > than_time
    if arrival != than_arrival:
        return arrival > than_arrival
    return word > than_word


@njit(cache=True, nogil=True)
def _update(rows, changed, tick, series, time_s, value, flags, arrival_s):  # type: ignore[no-untyped-def]
    count = 0
    for i in range(len(series)):
        row = rows[series[i]]
        time, arrival, flag = time_s[i], arrival_s[i], np.int64(flags[i])
        word = (np.int64(value[i]) << 8) | flag
        at = arrival if flag & _FUTURE else time
        held = row[_ANY_ARRIVAL] if row[_ANY_WORD] & _FUTURE else row[_ANY_TIME]
        hit = False
        if _newer(at, arrival, word, held, row[_ANY_ARRIVAL], row[_ANY_WORD]):
            row[_ANY_TIME], row[_ANY_ARRIVAL], row[_ANY_WORD] = time, arrival, word
            hit = True
        if flag & UNTRUSTED == 0:
            if _newer(time, arrival, word, row[_TIME], row[_ARRIVAL], row[_WORD]):
                if time > row[_TIME]:
                    row[_BEFORE_TIME], row[_BEFORE_ARRIVAL], row[_BEFORE_WORD] = row[_TIME], row[_ARRIVAL], row[_WORD]
                row[_TIME], row[_ARRIVAL], row[_WORD] = time, arrival, word
                hit = True
            elif time < row[_TIME] and _newer(
                time, arrival, word, row[_BEFORE_TIME], row[_BEFORE_ARRIVAL], row[_BEFORE_WORD]
            ):
                row[_BEFORE_TIME], row[_BEFORE_ARRIVAL], row[_BEFORE_WORD] = time, arrival, word
                hit = True
        if hit:
            changed[series[i]] = tick
            count += 1
    return count
