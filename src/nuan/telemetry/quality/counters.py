"""Counters of heat, water and electricity: what was used between two readings, through resets, roll-overs, exchanged meters and drop-outs.

Sums of these differences are what bills and balances stand on, so nothing is invented: where a counter begins anew at an unknown number the
difference is 0 and the event says so.

| event | seen as | difference |
|---|---|---|
| DROPOUT | falls (or leaps) and comes back within `RETURN` readings to where it was | as if those readings were not there |
| ROLL_OVER | falls from the last tenth of a power of ten to its first | through the full number |
| RESET | falls to no more than it may have counted since | the new number |
| EXCHANGE | falls or leaps otherwise and stays; or the register says that the meter was exchanged | 0 |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

COUNTERS = frozenset({"heat_energy", "water_volume", "gas_volume", "electric_energy"})
RETURN = 200
"""Readings, zeros not counted, within which a counter that fell is believed to come back: a week of hours."""


class Event(IntEnum):
    NONE = 0
    DROPOUT = 1
    ROLL_OVER = 2
    RESET = 3
    EXCHANGE = 4

    @property
    def zh(self) -> str:
        return ("", "读数中断", "计数翻转", "清零", "换表")[self]


@dataclass(frozen=True, slots=True)
class Differences:
    """`used[i]`: counted between the last good reading and reading i, in the quantity's steps; 0 for the first and for drop-outs."""

    time_s: NDArray[np.int64]
    used: NDArray[np.int64]
    event: NDArray[np.uint8]

    @property
    def total(self) -> int:
        return int(self.used.sum())

    def events(self) -> list[tuple[int, Event]]:
        """When what happened; a run of drop-outs once."""
        begins = (self.event != 0) & (np.append(0, self.event[:-1]) != self.event)
        return [(int(self.time_s[i]), Event(int(self.event[i]))) for i in np.flatnonzero(begins | (self.event > 1))]


def differences(
    time_s: NDArray[np.int64], values: NDArray[np.int32] | NDArray[np.int64], most_per_hour: int | None = None,
    exchanged: Sequence[int] = (),
) -> Differences:  # fmt: skip
    """Of one counter, sorted by time, with flagged readings left out.

    `most_per_hour`: what it can count at most, in the quantity's steps (None: a leap upwards is believed, and a fall is no reset).
    `exchanged`: moments at which the device register says that another meter was mounted.
    """
    numbers = values.astype(np.int64).tolist()
    silent = counted = False
    moments = time_s.tolist()
    used, event = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.uint8)
    last: int | None = None
    last_t = 0
    changes = sorted(exchanged)
    for i, (moment, number) in enumerate(zip(moments, numbers, strict=True)):
        if last is None:
            last, last_t = number, moment
            continue
        most = None if most_per_hour is None else most_per_hour * max(moment - last_t, 3600) // 3600
        beginning = last == 0 and not counted and most is not None and number > most  # silent when it began
        if beginning or any(last_t < change <= moment for change in changes):
            event[i] = Event.EXCHANGE
        elif number >= last and (most is None or number - last <= most):
            used[i] = number - last
        elif (silent and number == 0) or _comes_back(numbers, moments, i, last, last_t, most_per_hour):
            event[i], silent = Event.DROPOUT, number == 0
            continue
        else:
            used[i], event[i] = _begins_anew(last, number, most)
        last, last_t, silent, counted = number, moment, False, counted or number > 0
    return Differences(time_s, used, event)


def _comes_back(
    numbers: list[int], moments: list[int], at: int, last: int, last_t: int, most_per_hour: int | None
) -> bool:
    """Whether a later reading goes on from `last`, and what stands between was none of this counter's. Silence is nothing to come back to:
    a counter that speaks after it and drops out again was there all the same."""
    if last == 0:
        return False
    looked = 0
    for i in range(at + 1, len(numbers)):
        looked += numbers[i] != 0  # silence may last a summer
        if looked > RETURN:
            break
        most = None if most_per_hour is None else most_per_hour * max(moments[i] - last_t, 3600) // 3600
        if numbers[i] >= last and (most is None or numbers[i] - last <= most):
            # a new meter that counts up past the old one's number did not come back: it rose all the way
            return not all(a <= b for a, b in zip(numbers[at:i], numbers[at + 1 : i + 1], strict=True)) or (
                numbers[i] - numbers[i - 1] > (most or 0) or numbers[i - 1] == 0
            )
    return False


def _begins_anew(last: int, number: int, most: int | None) -> tuple[int, Event]:
    full = 10 ** len(str(last))
    if (
        number < last
        and last * 10 >= full * 9
        and number * 10 < full
        and (most is None or full - last + number <= most)
    ):
        return full - last + number, Event.ROLL_OVER
    if number < last and most is not None and 0 <= number <= most:
        return number, Event.RESET
    return 0, Event.EXCHANGE
