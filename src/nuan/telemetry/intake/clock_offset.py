"""How far a gateway's clock is off, from what it sends: device time minus arrival.

A message cannot arrive before it was sent, so arrival − device time = delay − offset, and the delay is never negative: the lower
edge of the differences is the offset, turned round. The edge is taken as a low quantile over the newest differences, so that one
device with a wild clock, or one message that was stamped wrongly, does not move it; late messages (buffered through an outage) lie
above and count nothing. Cf. the convex-hull and minimum filters of clock skew estimation (Moon, Skelly, Towsley, 1999).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

QUANTILE = 0.05
WINDOW = 512
LEAST = 8


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """`offset_s`: positive when the gateway's clock is ahead of ours. `spread_s`: the scatter of the prompt half of its messages, and so
    how far the estimate may be off; whole-second stamps make it one second at best."""

    offset_s: float
    spread_s: float


class ClockOffsetEstimator:
    """Of one gateway. Feed it the newest device time of each live message; it keeps the last `WINDOW`.

    >>> clock = ClockOffsetEstimator()
    >>> for second in range(100):
    ...     clock.add(arrival_s=1_000 + second + second % 3, device_s=1_000 + second + 40)
    >>> clock.estimate()
    ClockOffset(offset_s=40.0, spread_s=1.0)
    """

    def __init__(self) -> None:
        self._differences: deque[int] = deque(maxlen=WINDOW)

    def add(self, *, arrival_s: int, device_s: int) -> None:
        self._differences.append(arrival_s - device_s)

    def extend(self, differences: Iterable[int]) -> None:
        """arrival − device time of several messages."""
        self._differences.extend(differences)

    def estimate(self) -> ClockOffset | None:
        """None before there are enough messages to say anything."""
        if len(self._differences) < LEAST:
            return None
        low, middle = np.quantile(np.array(self._differences), [QUANTILE, 0.5], method="lower")
        return ClockOffset(float(-low), max(1.0, float(middle - low)))
