"""The tail: readings that are acknowledged and lie in no segment yet, in memory."""

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.store.fold import versions
from nuan.telemetry.store.segments import Rows


class Tail:
    """Batches with their sequence numbers, in the order of the journal; sorted by series when somebody asks for some."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, ReadingBatch]] = []
        self.readings = 0
        self._sorted: tuple[int, Rows] | None = None

    def add(self, sequence: int, batch: ReadingBatch) -> None:
        self.parts.append((sequence, batch))
        self.readings += len(batch)

    def batch(self) -> ReadingBatch:
        return ReadingBatch.concat(part for _, part in self.parts)

    def sequences(self) -> NDArray[np.int64]:
        counts = [len(part) for _, part in self.parts]
        return np.repeat(np.array([number for number, _ in self.parts], np.int64), counts)

    def rows(self, series: NDArray[np.uint32], sequence: int) -> Rows:
        """Of some series (ascending). Folded or not, a reading stands against others in the same way: the tail is younger than every
        segment, and all of it gets the number that a fold at this moment would give it."""
        known = self._sorted
        if known is None or known[0] != len(self.parts):
            batch = self.batch()
            every = Rows(batch.series, batch.time_s, batch.value, batch.flags, versions(batch, 0), batch.delays)
            known = self._sorted = len(self.parts), every.take(np.argsort(batch.series, kind="stable"))
        rows = known[1]
        first, last = (np.searchsorted(rows.series, series, side) for side in ("left", "right"))
        held = last > first
        if not held.any():
            return Rows.concat([])
        if held.sum() * 8 < len(series) or len(series) < 64:
            which = np.concatenate([np.arange(a, b) for a, b in zip(first[held], last[held], strict=True)])
        else:
            which = np.flatnonzero(np.isin(rows.series, series[held], assume_unique=False))
        some = rows.take(which)
        return Rows(some.series, some.time_s, some.value, some.flags, some.version | max(sequence, 1), some.delay_s)
