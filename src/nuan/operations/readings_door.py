"""Where a file of readings goes in: the store itself, or beside a running intake a lane that the intake takes over within a second.

The store knows one writer. While `nuan intake` runs it is that writer, and an import that insisted would only be refused.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey, SeriesTable
from nuan.telemetry.store import Store
from nuan.telemetry.store.errors import StoreBusyError
from nuan.telemetry.store.lanes import Lane

LANE = "import"


class ReadingsDoor(Protocol):
    """What an import needs of a store."""

    @property
    def series(self) -> SeriesTable: ...

    def register(self, keys: Iterable[SeriesKey]) -> NDArray[np.uint32]: ...

    def append(self, batch: ReadingBatch) -> int: ...

    def read(self, series_id: int, start_s: int, end_s: int) -> ReadingBatch: ...


class LaneDoor:
    """Writes into a lane, reads from the store as it was published. Durable when `append` returns."""

    def __init__(self, lane: Lane, store: Store, arrival_s: int) -> None:
        self._lane, self._store, self._arrival_s = lane, store, arrival_s

    @property
    def series(self) -> SeriesTable:
        return self._store.series

    def register(self, keys: Iterable[SeriesKey]) -> NDArray[np.uint32]:
        return self._lane.register(keys)

    def append(self, batch: ReadingBatch) -> int:
        self._lane.put(batch, self._arrival_s)
        self._lane.sync()
        return self._lane.sequence

    def read(self, series_id: int, start_s: int, end_s: int) -> ReadingBatch:
        return self._store.read(series_id, start_s, end_s)


@contextmanager
def readings_door(root: Path, arrival_s: int) -> Iterator[ReadingsDoor]:
    """The store for writing where nobody else writes; else a lane. Raises StoreBusyError when another import has the lane as well."""
    try:
        store = Store(root, write=True)
    except StoreBusyError:
        with Lane(root, LANE) as lane, Store(root) as reading:
            yield LaneDoor(lane, reading, arrival_s)
        return
    with store:
        yield store
        store.compact()
