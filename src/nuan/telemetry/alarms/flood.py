"""Flood figures: how many alarms a dispatcher gets in ten minutes. More than a person can read is a flood."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW_S: Final = 600
FLOOD: Final = 10
"""运行参数: alarms told in ten minutes that one person can still work through (EEMUA 191 and ISA-18.2 take the same number)."""


@dataclass(frozen=True, slots=True)
class Flood:
    """Of the alarms that were told: in the last ten minutes, in the worst ten minutes, and the share of windows that were floods."""

    last: int
    worst: int
    share: float


def flood(told_s: NDArray[np.int64], start_s: int, end_s: int) -> Flood:
    """Windows of ten minutes, counted back from the end; the last may be cut by the start.

    >>> flood(np.array([0, 10, 700, 1190]), 0, 1200)
    Flood(last=2, worst=2, share=0.0)
    """
    inside = told_s[(told_s >= start_s) & (told_s < end_s)]
    windows = max(-(-(end_s - start_s) // WINDOW_S), 1)
    counts = np.bincount(((end_s - 1 - inside) // WINDOW_S).astype(np.int64), minlength=windows)
    return Flood(int(counts[0]), int(counts.max()), float(np.mean(counts > FLOOD)))
