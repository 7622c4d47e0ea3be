"""How fast a value changes: the median of the slopes between all pairs of its last samples (Theil 1950, Sen 1968).

Two readings would let one odd value, or two a minute apart, say anything. Of five samples one may be as wrong as it likes, of seven two, and
the slope stays that of the others; a change that lasts is seen when it is in most of the pairs.
"""

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuan.telemetry.live import EXPECTED_EVERY_S, NEVER

EVERY_S: Final = 300
"""运行参数: samples lie at least so far apart; what reports every ten seconds is looked at every five minutes."""
MOST: Final = 7
FEWEST: Final = 5
"""运行参数: so many samples at the most and at the least: half an hour of a fast point, an hour of one that reports every quarter."""
SHORTEST_S: Final = 1_800


def window_s(quantity: str) -> int:
    """
    >>> window_s("supply_temp"), window_s("outdoor_temp")
    (3600, 14400)
    """
    return max(SHORTEST_S, 4 * EXPECTED_EVERY_S[quantity])


def per_hour(
    row: NDArray[np.int64], time_s: NDArray[np.int64], value: NDArray[np.int64], rows: int
) -> NDArray[np.int64]:
    """Steps an hour of each of `rows` points, towards zero; `NEVER` where too few samples say so. `row` ascending; within it any order."""
    found = np.full(rows, NEVER, np.int64)
    starts = np.flatnonzero(np.append(True, row[1:] != row[:-1])) if len(row) else np.zeros(0, np.int64)
    _slopes(row, time_s, value, starts, np.append(starts[1:], len(row)), found)
    return found


@njit(cache=True, nogil=True)
def _slopes(row: Any, time_s: Any, value: Any, starts: Any, ends: Any, found: Any) -> None:
    for k in range(len(starts)):
        first, end = starts[k], ends[k]
        n = end - first
        if n < FEWEST:
            continue
        slopes = np.empty(n * (n - 1) // 2, np.float64)
        count = 0
        for i in range(first, end):
            for j in range(i + 1, end):
                if time_s[i] != time_s[j]:
                    slopes[count] = (value[j] - value[i]) * 3600.0 / (time_s[j] - time_s[i])
                    count += 1
        if count:
            found[row[first]] = np.int64(np.median(slopes[:count]))
