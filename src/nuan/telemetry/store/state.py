"""What a store is at one moment, and reading it: the manifest's files, the names of its series, and the tail of the journal."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import BUCKETS, SeriesTable
from nuan.telemetry.store import frames
from nuan.telemetry.store.fold import SEQUENCE_BITS, TOUCHED, resolve, sequence_of, slot_bounds, touched_days
from nuan.telemetry.store.frames import Frame
from nuan.telemetry.store.journal import JournalReader
from nuan.telemetry.store.manifest import NAME, Manifest, Segment, StepFile
from nuan.telemetry.store.months import local_month
from nuan.telemetry.store.segments import Rows, SegmentFile
from nuan.telemetry.store.steps import SQL, Steps, coarser, joined, read_steps, steps_of
from nuan.telemetry.store.tail import Tail
from nuan.telemetry.store.tiles import HourTile, Reduce, TileBuilder
from nuan.telemetry.store.verification import Stats, folder_stats, verify_files
from nuan.terms.places import HOUR_S
from nuan.terms.quantities import quantity

HOLD = "readers.lock"


class StoreState:
    """The reading half of `Store`."""

    def __init__(self, root: Path | str, buckets: int = BUCKETS) -> None:
        self.root = Path(root)
        self._buckets = buckets

    @contextmanager
    def held(self) -> Iterator[None]:
        """While it lasts the writer removes no file of the state that is shown now: for whoever reads it for minutes, or lets others read it.
        Held by a lock, so that nobody who dies holds it on."""
        handle = os.open(self.root / HOLD, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            self.load()
            yield
        finally:
            os.close(handle)

    def leave_tail(self) -> None:
        """Only what lies in segments is shown from now on: what an engine sees that reads files."""
        self.offset, self.lane_positions, self.tail = self.manifest.sequence, dict(self.manifest.lanes), Tail()

    def load(self) -> None:
        """Manifest, series names and journal tail of one moment: read again if a fold was published meanwhile."""
        while True:
            published = self._published()
            manifest = Manifest.load(self.root) or Manifest(buckets=self._buckets)
            journal = JournalReader(self.root / "journal")
            try:
                names = [pq.read_table(self.root / piece.path)["series"].to_pylist() for piece in manifest.series]
                tail = journal.new_frames(manifest.sequence)
            except FileNotFoundError:
                if self._published() == published:
                    raise
                continue
            if self._published() == published:
                break
        self._stand_on(manifest)
        self._journal_read, self._stood_at = journal, published
        self.series = SeriesTable(manifest.buckets)
        for piece in names:
            self.series.extend(len(self.series), piece)
        self.offset = manifest.sequence
        self.lane_positions = dict(manifest.lanes)
        self.tail = Tail()
        self._take(tail)

    def _take(self, found: list[Frame]) -> None:
        for frame in found:
            self.offset = frame.sequence
            if frame.kind == frames.SERIES:
                self.series.extend(*frame.series())
                continue
            self.lane_positions |= frame.positions()
            self.tail.add(frame.sequence, frame.readings())

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
        self._steps: dict[tuple[str, int], list[StepFile]] = {}
        for file in manifest.steps:
            self._steps.setdefault((file.quantity, file.bucket), []).append(file)

    def _read_on(self) -> None:
        """Take in what the writer has done since: most often a few frames at the end of the journal."""
        if self._published() == self._stood_at:
            try:
                found = self._journal_read.new_frames(self.offset)
            except FileNotFoundError:
                found = None
            if found is not None and self._published() == self._stood_at:
                self._take(found)
                return
        self.load()

    def read(self, series_id: int, start_s: int, end_s: int) -> ReadingBatch:
        """The standing readings of a series in `[start_s, end_s)` by time, flagged ones included."""
        return self._batch(resolve(self._rows(np.array([series_id], np.uint32), start_s, end_s))[0])

    def read_many(self, series: NDArray[np.uint32], start_s: int, end_s: int) -> ReadingBatch:
        """The standing readings of several series in `[start_s, end_s)`, by series and time. One pass over the files that hold them."""
        return self._batch(resolve(self._rows(series, start_s, end_s))[0])

    def read_as_known(self, series_id: int, start_s: int, end_s: int, offset: int) -> ReadingBatch:
        """As `read` at the time when the store's manifest stood at `offset` (`manifest.sequence`, kept with every run)."""
        wanted = np.array([series_id], np.uint32)
        rows = [self._rows(wanted, start_s, end_s)]
        for piece in self.manifest.superseded:
            table = pq.read_table(self.root / piece.path, filters=[("series", "==", series_id)])
            lost = Rows.of_table(table)
            rows.insert(0, lost.take((lost.time_s >= start_s) & (lost.time_s < end_s)))
        every = Rows.concat(rows)
        return self._batch(resolve(every.take(sequence_of(every.version) <= offset))[0])

    def _rows(self, series: NDArray[np.uint32], start_s: int, end_s: int) -> Rows:
        code, bucket, names = self.series.slots(series)
        slots = {(names[int(c)], int(b)) for c, b in zip(code, bucket, strict=True)}
        files = [file for slot in slots for file in self.segment_files(*slot, start_s, end_s)]
        parts = [SegmentFile(file).rows(series) for file in files]
        rows = Rows.concat([*parts, self.tail.rows(series, self.offset)])
        return rows.take((rows.time_s >= start_s) & (rows.time_s < end_s))

    def segment_files(self, quantity_key: str, bucket: int, start_s: int, end_s: int) -> list[Path]:
        """Segment files that may hold a reading of the span."""
        files = []
        for segment in self._by_bucket.get((quantity_key, bucket), ()):
            first, last = slot_bounds(segment.month)
            if first < end_s and last > start_s:
                files.append(self.root / segment.path)
        return files

    @staticmethod
    def month_bounds(month: int) -> tuple[int, int]:
        """Epoch seconds `[start, end)` of a segment's month."""
        return slot_bounds(month)

    @staticmethod
    def _batch(rows: Rows) -> ReadingBatch:
        revision = ((rows.version >> SEQUENCE_BITS) & 0xFFFF).astype(np.uint16)
        rank = (rows.version >> 56).astype(np.uint8)
        return ReadingBatch(rows.series, rows.time_s, rows.value, rows.flags, revision, rank, rows.delay_s)

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
        for file in self.segment_files(quantity_key, bucket, start_s, end_s):
            builder.add_segment(SegmentFile(file))
        tail = self.tail.rows(ids, self.offset)
        if len(tail):
            fresh = np.unique(tail.series)
            builder.replace_rows(resolve(self._rows(fresh, start_s, end_s))[0], fresh)
        for steps in self._rolled_up(quantity_key, bucket, ids, HOUR_S, start_s, end_s):
            builder.add_steps(steps)
        return builder.tile()

    def read_steps(self, series_id: int, start_s: int, end_s: int, step_s: int) -> Steps:
        """Trusted readings of a series in steps of `step_s`, from readings where they are kept and from finer steps where not. A month
        of which only coarser steps are kept is told in those."""
        series = np.array([series_id], np.uint32)
        code, bucket, names = self.series.slots(series)
        start_s, end_s = start_s // step_s * step_s, -(-end_s // step_s) * step_s
        slot = names[int(code[0])], int(bucket[0])
        rolled = list(self._rolled_up(*slot, series, step_s, start_s, end_s))
        rows = resolve(self._rows(series, start_s, end_s))[0]
        months = {file.month for file in self._steps.get(slot, ())}
        raw = rows.take(~np.isin(local_month(rows.time_s), sorted(months)))
        every = Steps.concat([steps_of(raw, step_s), *rolled])
        every = every.take(np.lexsort((every.time_s, every.series)))
        return every.take((every.time_s >= start_s) & (every.time_s < end_s))

    def _rolled_up(
        self, quantity_key: str, bucket: int, series: NDArray[np.uint32], step_s: int, start_s: int, end_s: int
    ) -> Iterator[Steps]:
        """Of months that were let go: steps of `step_s`, joined with what came in later for steps that are open."""
        by_month: dict[int, list[StepFile]] = {}
        for file in self._steps.get((quantity_key, bucket), ()):
            by_month.setdefault(file.month, []).append(file)
        for month, files in by_month.items():
            first, last = slot_bounds(month)
            if first >= end_s or last <= start_s:
                continue
            fitting = [file for file in files if step_s % file.step_s == 0]
            finest = min(fitting or files, key=lambda file: file.step_s)
            late = resolve(self._rows(series, first, last))[0]
            kept, _ = joined(read_steps(self.root / finest.path, series), steps_of(late, finest.step_s))
            yield coarser(kept, step_s) if fitting else kept

    def touched_since(self, offset: int) -> pl.DataFrame:
        """`series`, `first_day`, `last_day` (local day numbers) of every reading that came after this sequence number."""
        pieces = [
            pq.read_table(self.root / piece.path, filters=[("sequence", ">", offset)])
            for piece in self.manifest.touched
            if piece.sequence > offset
        ]
        parts = [(number, part) for number, part in self.tail.parts if number > offset]
        pieces += [touched_days(part.series, part.time_s, number) for number, part in parts]
        frame = pl.DataFrame(pl.from_arrow(pa.concat_tables([TOUCHED.empty_table(), *pieces])))
        return frame.select("series", "first_day", "last_day").unique().sort("series", "first_day", "last_day")

    def duckdb_source(self, quantity_key: str) -> str:
        """A FROM clause for DuckDB over the segments (compact first): series, time_s, value (null: no reading), flags, version,
        delay_s (null: not noted). Readings with `flags & UNTRUSTED` are in it; a question about compliance must leave them out."""
        files = [str(self.root / s.path) for s in self.manifest.segments if s.quantity == quantity_key]
        quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
        return f"read_parquet([{quoted}], hive_partitioning = false, union_by_name = true)"

    def steps_source(self, quantity_key: str, step_s: int) -> str:
        """A FROM clause for DuckDB over what was let go: series, time_s, count, untrusted, total (mean = total / count), low, high, last."""
        files = [
            str(self.root / f.path) for f in self.manifest.steps if (f.quantity, f.step_s) == (quantity_key, step_s)
        ]
        quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
        return f"(select {SQL} from read_parquet([{quoted}], hive_partitioning = false))"

    def manifest_hash(self) -> str:
        """Names the state of the segments; stored with every run."""
        return self.manifest.content_hash()

    def verify(self) -> list[str]:
        """What is wrong on disk, in sentences; empty when every byte is what was written."""
        return verify_files(self.root, self.manifest)

    def stats(self) -> Stats:
        return folder_stats(self.root, self.manifest, len(self.series), self.tail.readings)
