"""The quality rules between the placing and the lane: each batch gets its flags in the order in which it is written."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.quality import StreamFlags
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey, SeriesTable


class LiveFlags:
    """Of one lane. What several workers share between them each sees in part: a jump or a run is judged against what came to the same
    worker before."""

    def __init__(self, known: SeriesTable | None = None) -> None:
        """`known`: series that the lane has from before."""
        self._stream = StreamFlags()
        if known is not None and len(known):
            self.declare([known.key(number) for number in range(len(known))], np.arange(len(known), dtype=np.uint32))

    def declare(self, keys: Sequence[SeriesKey], numbers: NDArray[np.uint32]) -> None:
        quantities = np.array([key.quantity for key in keys])
        for quantity in np.unique(quantities):
            self._stream.declare(numbers[quantities == quantity], str(quantity))

    def flagged(self, batch: ReadingBatch, arrival_s: int) -> ReadingBatch:
        """The batch with its flags beside those that it has. A missing value says nothing about the ones around it."""
        told = (batch.flags & np.uint8(Flag.MISSING)) == 0
        if told.all():
            flags = self._stream.flag(batch.series, batch.time_s, batch.value, arrival_s)
            return replace(batch, flags=batch.flags | flags)
        flags = batch.flags.copy()
        flags[told] |= self._stream.flag(batch.series[told], batch.time_s[told], batch.value[told], arrival_s)
        return replace(batch, flags=flags)
