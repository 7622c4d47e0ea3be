"""Several rooms, one home: every room is promised the temperature, so the coldest decides, and silence of one room is not warmth.

An hour of a home has the value of its coldest covered room. It is covered when all its rooms are, or when that value is below the
threshold: a cold room is a cold home whatever the others would have shown. Otherwise it is a gap.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import GAP


@nb.njit(cache=True, nogil=True)
def _coldest(rooms, order, starts, thresholds, gap, out):  # type: ignore[no-untyped-def]
    for home in range(out.shape[0]):
        for hour in range(rooms.shape[1]):
            low = np.int16(32_767)
            silent = starts[home] == starts[home + 1]
            for at in range(starts[home], starts[home + 1]):
                value = rooms[order[at], hour]
                if value == gap:
                    silent = True
                elif value < low:
                    low = value
            out[home, hour] = gap if silent and low >= thresholds[hour // 24] else low


def coldest_room(
    rooms: NDArray[np.int16], home_of: NDArray[np.int64], homes: int, threshold_c100: int | NDArray[np.int16]
) -> NDArray[np.int16]:
    """int16[rooms, hours] → int16[homes, hours]; `home_of[r]` is the home of room r. One room each, in order: the same array.

    `threshold_c100` is one number, or one for each day of the hours, which begin at a midnight."""
    if len(home_of) == homes and (home_of == np.arange(homes)).all():
        return rooms
    order = np.argsort(home_of, kind="stable").astype(np.int64)
    starts = np.searchsorted(home_of[order], np.arange(homes + 1)).astype(np.int64)
    out = np.empty((homes, rooms.shape[1]), np.int16)
    days = -(-rooms.shape[1] // 24)
    thresholds = np.ascontiguousarray(np.broadcast_to(np.asarray(threshold_c100, dtype=np.int16), days))
    _coldest(rooms, order, starts, thresholds, np.int16(GAP), out)
    return out
