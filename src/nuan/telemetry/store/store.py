"""The embedded store: journal → segments, on one machine, in one folder.

`append` returns when the readings are on disk. `compact` folds the journal into segments and publishes both in one rename; killed at any
moment, the next opening finds the state before or the state after, and every acknowledged reading once. One process writes, any number read.
"""

import fcntl
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuan.telemetry.readings import GAP, ReadingBatch
from nuan.telemetry.series import BUCKETS, SeriesKey, SeriesTable
from nuan.telemetry.store import frames
from nuan.telemetry.store.durable import make_folder
from nuan.telemetry.store.errors import StoreBusyError, StoreReadOnlyError, UnknownSeriesError
from nuan.telemetry.store.fold import (
    SEQUENCE_BITS,
    TOUCHED,
    Fold,
    resolve,
    sequence_of,
    slot_bounds,
    touched_days,
    versions,
)
from nuan.telemetry.store.journal import JournalWriter, read_frames
from nuan.telemetry.store.manifest import NAME, Manifest, Segment
from nuan.telemetry.store.segments import Grid, Rows, SegmentFile
from nuan.telemetry.store.tiles import HourTile, Reduce, TileBuilder
from nuan.telemetry.store.verification import Stats, folder_stats, verify_files
from nuan.terms.quantities import quantity

WRITERS = 2
"""Buckets written at a time by `load_dense`: bounds its memory to so many buckets beside the values given."""
Tail = tuple[ReadingBatch, NDArray[np.int64]]


class Store:
    """`with Store(folder, write=True) as store: …`; without `write` it reads only, beside the writer.

    `buckets` counts only for a new store. A reading instance shows the store as it was when opened or last `refresh`ed.
    """

    def __init__(self, root: Path | str, *, write: bool = False, buckets: int = BUCKETS) -> None:
        self.root = Path(root)
        self._lock: int | None = None
        self._writer: JournalWriter | None = None
        self._buckets = buckets
        if write:
            make_folder(self.root)
            self._take_lock()
        try:
            self._load()
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # --- state ---------------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Manifest, series names and journal tail of one moment: read again if a fold was published meanwhile."""
        while True:
            published = self._published()
            manifest = Manifest.load(self.root) or Manifest(buckets=self._buckets)
            try:
                names = [pq.read_table(self.root / piece.path)["series"].to_pylist() for piece in manifest.series]
                tail = list(read_frames(self.root / "journal", manifest.sequence))
            except FileNotFoundError:
                if self._published() == published:
                    raise
                continue
            if self._published() == published:
                break
        self._stand_on(manifest)
        self.series = SeriesTable(manifest.buckets)
        for piece in names:
            self.series.extend(len(self.series), piece)
        self.offset = tail[-1].sequence if tail else manifest.sequence
        self._tail: list[tuple[int, ReadingBatch]] = []
        for frame in tail:
            if frame.kind == frames.SERIES:
                entries = frame.series()
                self.series.extend(entries[0][0], [str(key) for _, key in entries])
            else:
                self._tail.append((frame.sequence, frame.readings()))

    def _published(self) -> tuple[int, int] | None:
        """Which manifest stands: every publication is a new file."""
        try:
            about = (self.root / NAME).stat()
        except FileNotFoundError:
            return None
        return about.st_ino, about.st_mtime_ns

    def _stand_on(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._by_bucket: dict[tuple[str, int], list[Segment]] = {}
        for segment in manifest.segments:
            self._by_bucket.setdefault((segment.quantity, segment.bucket), []).append(segment)

    def refresh(self) -> None:
        """Show a reading instance what the writer has done since."""
        if self._writer is None:
            self._load()

    def _sweep(self) -> None:
        """Remove what a killed fold left behind: files that no manifest names."""
        named = self.manifest.paths()
        (self.root / f"{NAME}.part").unlink(missing_ok=True)
        for kind in ("segments", "series", "superseded", "touched"):
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
            journal.put(frames.pack_series(self.offset + 1, list(enumerate(new, first))))
            self.offset += 1
            self.series.add(new)
        return np.array([self.series.get(key) for key in wanted], np.uint32)

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
            journal.put(frames.pack_readings(self.offset + 1, part))
            self.offset += 1
            self._tail.append((self.offset, part))
        journal.sync()
        return self.offset

    def compact(self) -> int:
        """Fold the journal into segments: how many readings were folded."""
        self._journal()
        if self.offset == self.manifest.sequence:
            return 0
        batch, _ = self._tail_batch()
        fold = Fold(self.root, self.manifest, self.series, self.offset)
        fold.add(batch)
        self._publish(fold)
        return len(batch)

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
        fold = Fold(self.root, self.manifest, self.series, self.offset)
        _, bucket, _ = self.series.slots(ids)

        def add(one: int) -> None:
            rows = np.flatnonzero(bucket == one)
            rows = rows[np.argsort(ids[rows])]
            part = values[rows]
            marks = np.zeros(part.shape, np.uint8) if flags is None else flags[rows]
            version = np.broadcast_to(np.int64(self.offset), part.shape)
            fold.add_grid(quantity_key, one, Grid(ids[rows], start_s, step_s, part, part != sentinel, marks, version))

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(add, np.unique(bucket).tolist()))
        self._publish(fold)
        return self.offset

    def _publish(self, fold: Fold) -> None:
        journal, before = self._journal(), self.manifest.retired
        manifest = fold.manifest()
        manifest.publish(self.root)
        self._stand_on(manifest)
        self._tail = []
        journal.rotate(self.offset + 1)
        self._drop_journal()
        for name in set(before) - manifest.paths():
            (self.root / name).unlink(missing_ok=True)

    # --- reading -------------------------------------------------------------------------------------------------------

    def _tail_batch(self) -> Tail:
        batch = ReadingBatch.concat([part for _, part in self._tail])
        counts = [len(part) for _, part in self._tail]
        return batch, np.repeat(np.array([number for number, _ in self._tail], np.int64), counts)

    def _tail_rows(self, series: NDArray[np.uint32] | None = None) -> Rows:
        batch, _ = self._tail_batch()
        # folded or not, a reading stands against others in the same way: the tail is younger than every segment
        rows = Rows(batch.series, batch.time_s, batch.value, batch.flags, versions(batch, max(self.offset, 1)))
        return rows if series is None else rows.take(np.isin(rows.series, series))

    def read(self, series_id: int, start_s: int, end_s: int) -> ReadingBatch:
        """The standing readings of a series in `[start_s, end_s)` by time, flagged ones included."""
        return self._batch(resolve(self._rows(np.array([series_id], np.uint32), start_s, end_s))[0])

    def read_as_known(self, series_id: int, start_s: int, end_s: int, offset: int) -> ReadingBatch:
        """As `read` at the time when the store's manifest stood at `offset` (`manifest.sequence`, kept with every run)."""
        wanted = np.array([series_id], np.uint32)
        rows = [self._rows(wanted, start_s, end_s)]
        for piece in self.manifest.superseded:
            table = pq.read_table(self.root / piece.path, filters=[("series", "==", series_id)])
            lost = Rows(*(table[name].to_numpy() for name in ("series", "time_s", "value", "flags", "version")))
            rows.insert(0, lost.take((lost.time_s >= start_s) & (lost.time_s < end_s)))
        every = Rows.concat(rows)
        return self._batch(resolve(every.take(sequence_of(every.version) <= offset))[0])

    def _rows(self, series: NDArray[np.uint32], start_s: int, end_s: int) -> Rows:
        code, bucket, names = self.series.slots(series)
        slots = {(names[int(c)], int(b)) for c, b in zip(code, bucket, strict=True)}
        files = [file for slot in slots for file in self._files(*slot, start_s, end_s)]
        parts = [SegmentFile(file).rows(series) for file in files]
        rows = Rows.concat([*parts, self._tail_rows(series)])
        return rows.take((rows.time_s >= start_s) & (rows.time_s < end_s))

    def _files(self, quantity_key: str, bucket: int, start_s: int, end_s: int) -> list[Path]:
        """Segment files that may hold a reading of the span."""
        files = []
        for segment in self._by_bucket.get((quantity_key, bucket), ()):
            first, last = slot_bounds(segment.month)
            if first < end_s and last > start_s:
                files.append(self.root / segment.path)
        return files

    @staticmethod
    def _batch(rows: Rows) -> ReadingBatch:
        revision = ((rows.version >> SEQUENCE_BITS) & 0xFFFF).astype(np.uint16)
        return ReadingBatch(
            rows.series, rows.time_s, rows.value, rows.flags, revision, (rows.version >> 56).astype(np.uint8)
        )

    def buckets_of(self, quantity_key: str) -> list[int]:
        """The buckets that hold series of a quantity: what to go through with `dense_hours`."""
        code, bucket, names = self.series.slots(np.arange(len(self.series), dtype=np.uint32))
        return np.unique(bucket[code == names.index(quantity_key)]).tolist() if quantity_key in names else []

    def dense_hours(
        self,
        quantity_key: str,
        bucket: int,
        start_s: int,
        n_hours: int,
        *,
        reduce: Reduce = "min",
        series: NDArray[np.uint32] | None = None,
    ) -> HourTile:
        """Hours `[start_s, start_s + n_hours h)` of all series of a quantity in a bucket (or of some of them, ascending), with
        what is still in the journal. See `tiles` for what a cell is. Safe to call from several threads."""
        ids = self.series.in_bucket(quantity_key, bucket) if series is None else series
        points = quantity(quantity_key)
        wide = not -32_767 <= points.low / points.resolution <= points.high / points.resolution <= 32_767
        builder = TileBuilder(ids, start_s, n_hours, wide, reduce)
        end_s = start_s + n_hours * 3600
        for file in self._files(quantity_key, bucket, start_s, end_s):
            builder.add_segment(SegmentFile(file))
        tail = self._tail_rows(ids)
        if len(tail):
            fresh = np.unique(tail.series)
            builder.replace_rows(resolve(self._rows(fresh, start_s, end_s))[0], fresh)
        return builder.tile()

    def touched_since(self, offset: int) -> pl.DataFrame:
        """`series`, `first_day`, `last_day` (local day numbers) of every reading that came after this sequence number."""
        pieces = [
            pq.read_table(self.root / piece.path, filters=[("sequence", ">", offset)])
            for piece in self.manifest.touched
            if piece.sequence > offset
        ]
        batch, sequences = self._tail_batch()
        after = sequences > offset
        pieces.append(touched_days(batch.series[after], batch.time_s[after], sequences[after]))
        frame = pl.DataFrame(pl.from_arrow(pa.concat_tables([TOUCHED.empty_table(), *pieces])))
        return frame.select("series", "first_day", "last_day").unique().sort("series", "first_day", "last_day")

    def duckdb_source(self, quantity_key: str) -> str:
        """A FROM clause for DuckDB over the segments (compact first): series, time_s, value (null: no reading), flags, version.
        Readings with `flags & UNTRUSTED` are in it; a question about compliance must leave them out."""
        files = [str(self.root / s.path) for s in self.manifest.segments if s.quantity == quantity_key]
        quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
        return f"read_parquet([{quoted}], hive_partitioning = false)"

    def manifest_hash(self) -> str:
        """Names the state of the segments; stored with every run."""
        return self.manifest.content_hash()

    def verify(self) -> list[str]:
        """What is wrong on disk, in sentences; empty when every byte is what was written."""
        return verify_files(self.root, self.manifest)

    def stats(self) -> Stats:
        return folder_stats(self.root, self.manifest, len(self.series), sum(len(part) for _, part in self._tail))
