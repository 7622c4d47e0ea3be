"""The embedded store: journal → segments, on one machine, in one folder.

`append` returns when the readings are on disk; `absorb` takes over what the lanes of other processes hold. `compact` folds the journal into
segments and publishes both in one rename; killed at any moment, the next opening finds the state before or the state after, and every
acknowledged reading once. One process writes, any number read.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.closing import Closing
from nuan.telemetry.readings import GAP, UNKNOWN_DELAY, ReadingBatch
from nuan.telemetry.series import BUCKETS, SeriesKey
from nuan.telemetry.store import frames
from nuan.telemetry.store.absorbing import AbsorbReport, Lanes, dead_letters, identities, in_store_numbers, joined
from nuan.telemetry.store.durable import make_folder
from nuan.telemetry.store.errors import StoreBusyError, StoreReadOnlyError, UnknownSeriesError
from nuan.telemetry.store.fold import Fold, versions
from nuan.telemetry.store.journal import JournalWriter
from nuan.telemetry.store.lanes import DeadLetter
from nuan.telemetry.store.manifest import NAME, Manifest
from nuan.telemetry.store.segments import Grid
from nuan.telemetry.store.state import HOLD, StoreState
from nuan.telemetry.store.tail import Tail

WRITERS = 2
"""Buckets written at a time by `load_dense`: bounds its memory to so many buckets beside the values given."""
FOLD_FROM = 1 << 20
"""Absorbed readings that wait in the journal before they are folded: readers hold them in memory, about 30 MB."""


class Store(StoreState, Closing):
    """`with Store(folder, write=True) as store: …`; without `write` it reads only, beside the writer.

    `buckets` counts only for a new store. A reading instance shows the store as it was when opened or last `refresh`ed.
    """

    def __init__(self, root: Path | str, *, write: bool = False, buckets: int = BUCKETS) -> None:
        super().__init__(root, buckets)
        self._lock: int | None = None
        self._writer: JournalWriter | None = None
        self._lanes = Lanes(self.root)
        self._left: set[str] = set()
        if write:
            make_folder(self.root)
            self._take_lock()
        try:
            self.load()
            if write:
                self._writer = JournalWriter(self.root / "journal", self.offset + 1)
                self._sweep()
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> None:
        handle = os.open(self.root / "writer.lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StoreBusyError(self.root) from None
        self._lock = handle

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def refresh(self) -> None:
        """Show a reading instance what the writer has done since."""
        if self._writer is None:
            self._read_on()

    def _sweep(self) -> None:
        """Remove what a killed fold left behind: files that no manifest names."""
        named = self.manifest.paths()
        (self.root / f"{NAME}.part").unlink(missing_ok=True)
        for kind in ("segments", "series", "superseded", "touched", "steps"):
            for path in (self.root / kind).rglob("*.parquet*"):
                if path.relative_to(self.root).as_posix() not in named:
                    path.unlink()
        self._drop_journal()

    def _drop_journal(self) -> None:
        self._journal().drop_before(self.manifest.sequence + 1)

    def _journal(self) -> JournalWriter:
        if self._writer is None:
            raise StoreReadOnlyError
        return self._writer

    # --- writing -------------------------------------------------------------------------------------------------------

    def series_id(self, key: SeriesKey) -> int:
        """The id of a series; a writing store registers a new one, a reading store raises UnknownSeriesError."""
        known = self.series.get(key)
        if known is not None:
            return known
        if self._writer is None:
            raise UnknownSeriesError(key)
        return int(self.register([key])[0])

    def register(self, keys: Iterable[SeriesKey]) -> NDArray[np.uint32]:
        """Ids for keys. New names are journaled before any reading of theirs can be, and become durable with it at the latest."""
        journal, wanted = self._journal(), list(keys)
        new = [key for key in dict.fromkeys(wanted) if self.series.get(key) is None]
        if new:
            first = len(self.series)
            journal.put(frames.pack_series(self.offset + 1, first, new))
            self.offset += 1
            self.series.add(new)
        return self.series.ids(wanted)

    def append(self, batch: ReadingBatch) -> int:
        """Durable when it returns: the sequence number of these readings. All of the batch or nothing of it."""
        journal = self._journal()
        if len(batch) and int(batch.series.max()) >= len(self.series):
            raise UnknownSeriesError(int(batch.series.max()))
        versions(batch, 0)
        if not len(batch):
            journal.sync()
            return self.offset
        for at in range(0, len(batch), frames.MAX_ROWS):
            part = batch.take(slice(at, at + frames.MAX_ROWS))
            sequence = self.offset + 1
            known = part.delay_s is not None
            journal.put(frames.pack_absorbed(sequence, part, {}) if known else frames.pack_readings(sequence, part))
            self._put_down(part)
        journal.sync()
        return self.offset

    def _put_down(self, batch: ReadingBatch) -> None:
        self.offset += 1
        self.tail.add(self.offset, batch)

    def absorb(self, handed_over: Mapping[str, int] | None = None, *, fold_from: int = FOLD_FROM) -> AbsorbReport:
        """Take over what the lanes hold: durable and visible when it returns, each frame once, however often it is stopped in between.

        Readings and the lane's position stand in one frame of the store's journal, and in the manifest with the fold that covers them.
        `handed_over`: by identity up to which sequence number somebody keeps a lane's dead letters; files with others stay. Folds when
        `fold_from` readings wait.
        """
        try:
            readings, names, letters = self._take_over()
        except BaseException:
            self._lanes = Lanes(self.root)  # what was read and not put down is read again
            raise
        lanes = self._lanes.readers(self.lane_positions)
        removed = sum(lane.remove_files(handed_over or {}) for lane in lanes)
        folded = self.compact() if self.tail.readings >= fold_from else 0
        return AbsorbReport(readings, names, letters, dict(self.lane_positions), removed, folded, self.tail.readings)

    def _take_over(self) -> tuple[int, int, int]:
        """(readings, new names, dead letters); durable, and only then the lanes' positions move on."""
        journal, readings, letters, known = self._journal(), 0, 0, len(self.series)
        for lane in self._lanes.readers(self.lane_positions):
            for batches, last, dead in lane.files():
                new = self.register(SeriesKey.parse(text) for text in lane.new_names())
                lane.numbers = np.append(lane.numbers, new)
                named = [pair for pair in batches if int(pair[1].series.max()) < len(lane.numbers)]
                if len(named) < len(batches):  # torn by a power cut before their names were synced: never acknowledged
                    self._lanes.forget(lane)
                    last = named[-1][0] if named else lane.position
                for sequence, batch in joined(named):
                    placed, who = in_store_numbers(batch, lane.numbers), lane.identity.of(sequence)
                    journal.put(frames.pack_absorbed(self.offset + 1, placed, {who: sequence}))
                    self._put_down(placed)
                    self.lane_positions[who] = sequence
                    readings += len(placed)
                letters += dead
                journal.sync()
                lane.position = last
        return readings, len(self.series) - known, letters

    def dead_letters(self, after: Mapping[str, int]) -> Iterator[tuple[str, int, int, DeadLetter]]:
        """(lane's identity, sequence, place in its frame, letter) behind the sequence numbers given: for whoever keeps them. Lanes hold them until
        `absorb` hears that they were handed over."""
        return dead_letters(self.root, after)

    def compact(self) -> int:
        """Fold the journal into segments: how many readings were folded."""
        self._journal()
        if self.offset == self.manifest.sequence:
            return 0
        batch = self.tail.batch()
        fold = Fold(self.root, self.manifest, self.series, self.offset, self.lane_positions)
        fold.add(batch, self.tail.sequences())
        self.publish(fold.manifest())
        return len(batch)

    def _somebody_holds(self) -> bool:
        """Whether somebody reads a state that must stay (`held`). Who begins now reads this one, whose files stay for another round."""
        handle = os.open(self.root / HOLD, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def _forget_lanes(self) -> None:
        """Positions of lanes that are no more go with the publication after the next: a backup may have copied them a moment ago."""
        left = set(self.lane_positions) - identities(self.root)
        for name in left & self._left:
            del self.lane_positions[name]
        self._left = left

    def load_dense(
        self,
        quantity_key: str,
        keys: Sequence[SeriesKey],
        start_s: int,
        step_s: int,
        values: NDArray[np.int16] | NDArray[np.int32],
        flags: NDArray[np.uint8] | None = None,
        sentinel: int = GAP,
    ) -> int:
        """Store `values[len(keys), n]` on a grid straight as segments, visible at once when it returns: the sequence number.

        `sentinel` marks cells without a reading. Give the keys of whole buckets together when a city is loaded in pieces
        (`bucket_of`), else each piece rewrites what the one before wrote. Folds what is in the journal first.
        """
        if values.shape[0] != len(keys) or (flags is not None and flags.shape != values.shape):
            raise ValueError(f"values {values.shape} and flags do not belong to {len(keys)} series")
        if any(key.quantity != quantity_key for key in keys):
            raise ValueError(f"all series must be of {quantity_key}")
        ids = self.register(keys)
        self.compact()
        self.offset += 1
        fold = Fold(self.root, self.manifest, self.series, self.offset, self.lane_positions)
        _, bucket, _ = self.series.slots(ids)

        def add(one: int) -> None:
            rows = np.flatnonzero(bucket == one)
            rows = rows[np.argsort(ids[rows])]
            part = values[rows]
            marks = np.zeros(part.shape, np.uint8) if flags is None else flags[rows]
            version = np.broadcast_to(np.int64(self.offset), part.shape)
            delay = np.broadcast_to(np.int32(UNKNOWN_DELAY), part.shape)
            grid = Grid(ids[rows], start_s, step_s, part, part != sentinel, marks, version, delay)
            fold.add_grid(quantity_key, one, grid)

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(add, np.unique(bucket).tolist()))
        self.publish(fold.manifest())
        return self.offset

    def publish(self, manifest: Manifest) -> None:
        """Make this the state, in one rename; it covers everything in the journal. The files that it names are on disk."""
        journal, before = self._journal(), self.manifest.retired
        self._forget_lanes()
        if self._somebody_holds():
            kept = {*manifest.retired, *before} - {entry.path for entry in manifest.entries()}
            manifest = replace(manifest, retired=tuple(sorted(kept)))
        manifest.publish(self.root)
        self.offset = manifest.sequence
        self._stand_on(manifest)
        self.tail = Tail()
        journal.rotate(self.offset + 1)
        self._drop_journal()
        for name in set(before) - manifest.paths():
            (self.root / name).unlink(missing_ok=True)
