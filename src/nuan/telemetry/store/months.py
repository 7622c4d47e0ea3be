"""Local months, the length of a segment: counted since 1970-01 in Asia/Shanghai."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nuan.terms.places import CHINA_OFFSET_S


def local_month(time_s: NDArray[np.int64]) -> NDArray[np.int64]:
    moments = (time_s + CHINA_OFFSET_S).astype("datetime64[s]")
    return np.asarray(moments.astype("datetime64[M]").astype(np.int64))


@lru_cache(maxsize=4096)
def month_start(month: int) -> int:
    """Epoch seconds of its first midnight.

    >>> month_start(0)
    -28800
    """
    return int(np.datetime64(month, "M").astype("datetime64[s]").astype(np.int64)) - CHINA_OFFSET_S


def month_name(month: int) -> str:
    """
    >>> month_name(671)
    '2025-12'
    """
    return str(np.datetime64(month, "M"))
