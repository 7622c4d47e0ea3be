"""Group commit: whoever waits while the disk syncs shares the next sync. Nobody is told “done” before what they sent is on disk.

A disk that syncs in a millisecond or two is written to in the loop itself: two changes of threads would cost as much as the sync, and
whoever arrives meanwhile waits for the next sync anyhow. A slower disk gets a thread, so that the loop goes on reading. One lock
stands before the lane, because a lane knows one writer: names of new series, readings, dead letters, syncs.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.errors import StoreError
from nuan.telemetry.store.lanes import DeadLetter

log = logging.getLogger(__name__)

MAX_WAITING_ROWS = 2_000_000
"""Readings that may wait for the disk (about 40 MB); beyond, senders are told to come back."""
MAX_LANE_BYTES = 4 << 30
"""What may lie in the lane and not in the store yet."""
HERE_BELOW_S = 0.004
"""A round that takes less, on average of the last few, is done in the loop."""
LOOK_EVERY_S = 1.0
"""How often the lane is asked for its size."""


class LaneDoor(Protocol):
    """What is used of `store.lanes.Lane`."""

    def register(self, keys: Iterable[SeriesKey]) -> NDArray[np.uint32]: ...
    def put(self, batch: ReadingBatch, arrival_s: int) -> None: ...
    def put_dead(self, letters: Sequence[DeadLetter]) -> None: ...
    def sync(self) -> None: ...
    def size_bytes(self) -> int: ...


Flagger = Callable[[ReadingBatch, int], ReadingBatch]
"""(batch, arrival) → the batch with its flags, called in the order of the lane."""
Hook = Callable[[ReadingBatch, int], None]
"""(batch as written, arrival), after it is durable."""


class Overloaded(Exception):
    """More waits than the disk takes. Nothing of this submission was taken; the sender comes back after `retry_after_s`."""

    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class CommitClosed(Overloaded):
    """The lane takes nothing more: the disk failed, or the worker is shutting down. Another worker, or the next one, does."""

    def __init__(self, why: str) -> None:
        super().__init__(why, 5)


@dataclass(slots=True)
class _Waiting:
    batch: ReadingBatch
    letters: Sequence[DeadLetter]
    arrival_s: int
    done: asyncio.Future[None]


@dataclass(slots=True)
class CommitCounts:
    """Since the start: what was acknowledged, by how many syncs, and what hooks failed at."""

    readings: int = 0
    letters: int = 0
    submissions: int = 0
    syncs: int = 0
    hook_failures: int = 0


@dataclass(slots=True)
class GroupCommit:
    """Of one lane and one event loop.

    `clock` gives seconds since 1970. `flagger` marks readings before they are written; hooks in `after_commit` see what was written.
    """

    lane: LaneDoor
    clock: Callable[[], float]
    flagger: Flagger | None = None
    on_register: Callable[[Sequence[SeriesKey], NDArray[np.uint32]], None] | None = None
    """Told of each series before a reading of it is flagged (`StreamFlags.declare`)."""
    max_waiting_rows: int = MAX_WAITING_ROWS
    max_lane_bytes: int = MAX_LANE_BYTES
    after_commit: list[Hook] = field(default_factory=list)
    counts: CommitCounts = field(default_factory=CommitCounts)
    broken: str | None = None
    """Why the lane takes nothing more; the supervisor starts another worker then."""
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "lane"))
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _round_s: float = 1.0
    """How long a round took lately; at first nobody knows, and a thread does it."""
    _waiting: list[_Waiting] = field(default_factory=list)
    _rows: int = 0
    _busy: bool = False
    _looked: float = -1e18
    _lane_bytes: int = 0

    async def submit(self, batch: ReadingBatch | None, letters: Sequence[DeadLetter] = ()) -> None:
        """Returns when readings and letters are durable. Raises Overloaded, and StoreError when the disk did not take them."""
        if (batch is None or not len(batch)) and not letters:
            return
        self.admit()
        loop = asyncio.get_running_loop()
        batch = ReadingBatch.empty() if batch is None else batch
        entry = _Waiting(batch, letters, int(self.clock()), loop.create_future())
        self._waiting.append(entry)
        self._rows += len(batch)
        if not self._busy:
            self._start(loop)
        await entry.done

    def admit(self) -> None:
        """Raises Overloaded if a submission would be refused now: worth asking before a body is read."""
        if self.broken is not None:
            raise CommitClosed(self.broken)
        if self._rows >= self.max_waiting_rows:
            raise Overloaded(f"{self._rows} readings wait for the disk", 1)
        if self._lane_bytes > self.max_lane_bytes:
            raise Overloaded(f"{self._lane_bytes >> 20} MiB wait to be taken over into the store", 10)

    async def register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        """The lane's numbers of these series."""
        if self.broken is not None:
            raise CommitClosed(self.broken)
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._register, keys)

    async def close(self) -> None:
        """What waits is still written; then nothing more is taken."""
        self.broken = self.broken or "the worker is closing"
        while self._waiting or self._busy:
            await asyncio.sleep(0.005)
        self._worker.shutdown(wait=False)

    def _register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        with self._turn:
            numbers = self.lane.register(keys)
            if self.on_register is not None:
                self.on_register(keys, numbers)
            return numbers

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Soon, so that all who are ready now are in the round."""
        self._busy = True
        loop.call_soon(self._round, loop)

    def _round(self, loop: asyncio.AbstractEventLoop) -> None:
        taken, self._waiting = self._waiting, []
        if self._round_s >= HERE_BELOW_S:
            work = loop.run_in_executor(self._worker, self._write, loop, taken)
            work.add_done_callback(lambda done: self._finish(loop, taken, done))
            return
        done: asyncio.Future[list[tuple[ReadingBatch, int]]] = loop.create_future()
        try:
            done.set_result(self._write(loop, taken))
        except Exception as error:
            done.set_exception(error)
        self._finish(loop, taken, done)

    def _write(self, loop: asyncio.AbstractEventLoop, taken: list[_Waiting]) -> list[tuple[ReadingBatch, int]]:
        with self._turn:
            began = loop.time()
            written = self._put(taken)
            self._round_s += (loop.time() - began - self._round_s) / 4
            return written

    def _put(self, taken: list[_Waiting]) -> list[tuple[ReadingBatch, int]]:
        """Everything of a second in one frame, one sync for all."""
        written: list[tuple[ReadingBatch, int]] = []
        for arrival_s in sorted({entry.arrival_s for entry in taken}):
            batches = [entry.batch for entry in taken if entry.arrival_s == arrival_s and len(entry.batch)]
            if not batches:
                continue
            batch = batches[0] if len(batches) == 1 else ReadingBatch.concat(batches)
            if self.flagger is not None:
                batch = self.flagger(batch, arrival_s)
            self.lane.put(batch, arrival_s)
            written.append((batch, arrival_s))
        letters = [letter for entry in taken for letter in entry.letters]
        if letters:
            self.lane.put_dead(letters)
        self.lane.sync()
        now = self.clock()
        if not 0 <= now - self._looked < LOOK_EVERY_S:
            self._looked, self._lane_bytes = now, self.lane.size_bytes()
        return written

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        taken: list[_Waiting],
        work: asyncio.Future[list[tuple[ReadingBatch, int]]],
    ) -> None:
        """Back in the loop: tell everybody, start the next round, then let the hooks see what was written."""
        self._rows -= sum(len(entry.batch) for entry in taken)
        self._busy = False
        error = work.exception()
        for entry in taken:
            if entry.done.done():  # whoever waited went away; the readings stay
                continue
            if error is None:
                entry.done.set_result(None)
            else:
                entry.done.set_exception(error)
        if error is not None:
            if isinstance(error, StoreError):
                self.broken = str(error)
            else:
                log.error("a round of the group commit failed", exc_info=error)
        else:
            self.counts.syncs += 1
            self.counts.submissions += len(taken)
            self.counts.readings += sum(len(entry.batch) for entry in taken)
            self.counts.letters += sum(len(entry.letters) for entry in taken)
            if self.after_commit:
                loop.run_in_executor(self._worker, self._tell, work.result())
        if self._waiting:
            self._start(loop)

    def _tell(self, written: list[tuple[ReadingBatch, int]]) -> None:
        for batch, arrival_s in written:
            for hook in self.after_commit:
                try:
                    hook(batch, arrival_s)
                except Exception:
                    self.counts.hook_failures += 1
                    log.exception("a hook after the commit failed; the readings are safe")
