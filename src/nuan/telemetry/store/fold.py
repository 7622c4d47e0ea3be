"""The fold: readings into segments. Only touched slots (quantity × bucket × month) are rewritten; what is superseded is kept.

Which reading stands is decided by the version alone (rank, then revision, then the sequence number of the fold, then the order in the
journal), so the state is a function of what was acknowledged in which order, however often and wherever it was folded in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuan.telemetry.readings import UNKNOWN_DELAY, Flag, ReadingBatch
from nuan.telemetry.series import SeriesTable
from nuan.telemetry.store.durable import digest, make_folder, write_durably
from nuan.telemetry.store.manifest import Extra, Manifest, Segment
from nuan.telemetry.store.months import local_month, month_name, month_start
from nuan.telemetry.store.segments import Grid, Rows, SegmentFile, encode_segment, split_grids
from nuan.terms.places import local_day

Slot = tuple[str, int, int]
SEQUENCE_BITS = 40
TOUCHED = pa.schema(
    [("series", pa.uint32()), ("first_day", pa.int32()), ("last_day", pa.int32()), ("sequence", pa.int64())]
)


def versions(batch: ReadingBatch, sequence: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank above revision above sequence, in one integer. A rank above 127 would make it negative and is refused."""
    ranks = batch.ranks.astype(np.int64)
    if len(ranks) and int(ranks.max()) > 127:
        raise ValueError("a reading's rank is 0 to 127")
    return (ranks << 56) | (batch.revisions.astype(np.int64) << SEQUENCE_BITS) | sequence


def level(rows: Rows, after: int, sequence: int) -> Rows:
    """Everything younger than `after` gets the number of the fold: one number for a day's readings costs nothing to store."""
    fresh = sequence_of(rows.version) > after
    return replace(rows, version=np.where(fresh, rows.version - sequence_of(rows.version) + sequence, rows.version))


def sequence_of(version: NDArray[np.int64]) -> NDArray[np.int64]:
    return version & ((1 << SEQUENCE_BITS) - 1)


def resolve(rows: Rows) -> tuple[Rows, Rows]:
    """(the reading that stands for each series and time, the superseded ones), sorted; of equal versions the later row stands.

    A report that only repeats the one before it in rank, revision and value is the same report: the first of them is kept, so that the
    same file sent twice changes nothing. It came in when the earliest of them did. What any of them holds against it is held against it:
    if a repetition adds a flag, the last of them stands with the flags of all, and the first is superseded.
    """
    if not len(rows):
        return rows, rows
    rows = rows.take(np.lexsort((rows.version, rows.time_s, rows.series)))
    repeats = (
        _same_key(rows)
        & (rows.value[1:] == rows.value[:-1])
        & ((rows.flags[1:] ^ rows.flags[:-1]) & np.uint8(Flag.MISSING) == 0)
        & (rows.version[1:] >> SEQUENCE_BITS == rows.version[:-1] >> SEQUENCE_BITS)
    )
    if not repeats.any():
        lost = np.append(_same_key(rows), False)
        return rows.take(~lost), rows.take(lost)
    rows, before = _join_repeats(rows, np.append(True, ~repeats))
    lost = np.append(_same_key(rows), False)
    superseded = Rows.concat([rows.take(lost), before])
    return rows.take(~lost), superseded.take(np.lexsort((superseded.version, superseded.time_s, superseded.series)))


def _join_repeats(rows: Rows, first: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """(one row for each run of repetitions, the first rows of those runs that know more now)."""
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(rows)) - 1
    unknown, latest = rows.delay_s == UNKNOWN_DELAY, np.iinfo(np.int32).max
    least = np.minimum.reduceat(np.where(unknown, latest, rows.delay_s), starts)
    delay = np.where(np.logical_and.reduceat(unknown, starts), UNKNOWN_DELAY, least).astype(np.int32)
    flags = np.bitwise_or.reduceat(rows.flags, starts)
    more = flags != rows.flags[starts]
    joined = rows.take(np.where(more, ends, starts))
    return replace(joined, flags=flags, delay_s=delay), rows.take(starts[more])


def _same_key(rows: Rows) -> NDArray[np.bool_]:
    return np.asarray((rows.series[1:] == rows.series[:-1]) & (rows.time_s[1:] == rows.time_s[:-1]), np.bool_)


def touched_days(series: NDArray[np.uint32], time_s: NDArray[np.int64], sequence: NDArray[np.int64] | int) -> pa.Table:
    """One row for each stretch of days in a row with readings of a series; `sequence` is the last that touched the stretch."""
    days = local_day(time_s)
    numbers = np.broadcast_to(np.asarray(sequence, np.int64), days.shape)
    if not len(days):
        return TOUCHED.empty_table()
    order = np.lexsort((days, series))
    series, days, numbers = series[order], days[order], numbers[order]
    first = np.append(True, (series[1:] != series[:-1]) | (days[1:] - days[:-1] > 1))
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(days)) - 1
    columns = [
        series[starts],
        days[starts].astype(np.int32),
        days[ends].astype(np.int32),
        np.maximum.reduceat(numbers, starts),
    ]
    return pa.table([pa.array(column) for column in columns], schema=TOUCHED)


def encode_table(table: pa.Table) -> bytes:
    """Names and numbers that mostly count on: as steps from one row to the next."""
    sink = pa.BufferOutputStream()
    steps = {
        field.name: "DELTA_BYTE_ARRAY" if pa.types.is_string(field.type) else "DELTA_BINARY_PACKED"
        for field in table.schema
    }
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, column_encoding=steps)
    return bytes(sink.getvalue())


@dataclass
class Fold:
    """Collects the files of one publication. Nothing that the manifest names is changed; the caller publishes `manifest()`."""

    root: Path
    old: Manifest
    series: SeriesTable
    sequence: int
    lanes: Mapping[str, int] = field(default_factory=dict)
    """Up to which frame of each lane the state of this fold goes."""
    segments: dict[Slot, Segment] = field(default_factory=dict)
    superseded: list[Rows] = field(default_factory=list)
    touched: list[pa.Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.segments = {segment.slot: segment for segment in self.old.segments}

    def add(self, batch: ReadingBatch, sequences: NDArray[np.int64] | None = None) -> None:
        """Readings of any series and time, in the order of the journal; `sequences` of their frames, above that of the state before."""
        if not len(batch):
            return
        code, bucket, names = self.series.slots(batch.series)
        group = (
            (code.astype(np.int64) << 40) | (bucket.astype(np.int64) << 20) | (local_month(batch.time_s) + (1 << 19))
        )
        order = np.argsort(group, kind="stable")
        version = versions(batch, self.sequence if sequences is None else sequences)
        for part in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
            one = int(group[part[0]])
            slot = (names[one >> 40], (one >> 20) & 0xFFFFF, (one & 0xFFFFF) - (1 << 19))
            one_slot = batch.take(part)
            self._merge(
                slot,
                Rows(one_slot.series, one_slot.time_s, one_slot.value, one_slot.flags, version[part], one_slot.delays),
            )

    def add_grid(self, quantity: str, bucket: int, grid: Grid) -> None:
        """A whole grid of one bucket, cut at local months; merged reading by reading only where a segment is there already."""
        times = grid.start_s + grid.step_s * np.arange(grid.value.shape[1], dtype=np.int64)
        months = local_month(times)
        for month in np.unique(months).tolist():
            inside = np.flatnonzero(months == month)
            cut = slice(int(inside[0]), int(inside[-1]) + 1)
            part = Grid(
                grid.series, int(times[cut][0]), grid.step_s, grid.value[:, cut], grid.there[:, cut], grid.flags[:, cut],
                grid.version[:, cut], grid.delay_s[:, cut],
            )  # fmt: skip
            if (quantity, bucket, month) not in self.segments:
                self._write((quantity, bucket, month), [part], Rows.concat([]))
                continue
            row, column = np.nonzero(part.there)
            self._merge(
                (quantity, bucket, month),
                Rows(
                    part.series[row], times[cut][column], part.value[row, column].astype(np.int32),
                    part.flags[row, column], part.version[row, column], part.delay_s[row, column],
                ),
            )  # fmt: skip
        first, last = (int(local_day(int(times[end]))) for end in (0, -1))
        n = len(grid.series)
        self.touched.append(
            pa.table(
                [pa.array(grid.series), pa.array(np.full(n, first, np.int32)), pa.array(np.full(n, last, np.int32)),
                 pa.array(np.full(n, self.sequence, np.int64))],
                schema=TOUCHED,
            )
        )  # fmt: skip

    def _merge(self, slot: Slot, rows: Rows) -> None:
        old = self.segments.get(slot)
        held = Rows.concat([]) if old is None else SegmentFile(self.root / old.path).rows()
        standing, superseded = resolve(Rows.concat([held, rows]))
        numbers = sequence_of(standing.version)
        fresh = numbers > self.old.sequence
        if len(superseded):
            self.superseded.append(level(superseded, self.old.sequence, self.sequence))
        if not fresh.any() and (standing.delay_s == held.delay_s).all():
            return  # everything was known already, and as early; or it ranks below what stands
        self.touched.append(touched_days(standing.series[fresh], standing.time_s[fresh], numbers[fresh]))
        grids, loose = split_grids(level(standing, self.old.sequence, self.sequence))
        self._write(slot, grids, loose)

    def _write(self, slot: Slot, grids: list[Grid], loose: Rows) -> None:
        quantity, bucket, month = slot
        data = encode_segment(grids, loose)
        name = f"segments/{quantity}/bucket={bucket:02d}/{month_name(month)}-{self.sequence:012d}.parquet"
        readings = len(loose) + sum(int(grid.there.sum()) for grid in grids)
        self._write_file(name, data)
        self.segments[slot] = Segment(name, quantity, bucket, month, readings, len(data), digest(data))

    def _write_file(self, name: str, data: bytes) -> None:
        path = self.root / name
        make_folder(path.parent)
        write_durably(path, data)

    def _extra(self, kind: str, table: pa.Table) -> tuple[Extra, ...]:
        if not table.num_rows:
            return ()
        name, data = f"{kind}/{self.sequence:012d}.parquet", encode_table(table)
        self._write_file(name, data)
        return (Extra(name, self.sequence, len(data), digest(data)),)

    def manifest(self) -> Manifest:
        """Write the side files and name everything; the caller publishes it."""
        texts = self.series.texts(self.old.next_series)
        names = pa.table({"series": pa.array(texts, pa.string())})
        lost = Rows.concat(self.superseded)
        lost = lost.take(np.lexsort((lost.version, lost.time_s, lost.series)))
        touched = pa.concat_tables([TOUCHED.empty_table(), *self.touched]).sort_by(
            [("series", "ascending"), ("first_day", "ascending")]
        )
        segments = tuple(self.segments[slot] for slot in sorted(self.segments))
        kept = {segment.path for segment in segments}
        return Manifest(
            buckets=self.old.buckets,
            sequence=self.sequence,
            next_series=self.old.next_series + len(texts),
            segments=segments,
            series=self.old.series + self._extra("series", names),
            superseded=self.old.superseded + self._extra("superseded", lost.table()),
            touched=self.old.touched + self._extra("touched", touched),
            steps=self.old.steps,
            lanes=tuple(sorted(self.lanes.items())),
            retired=tuple(segment.path for segment in self.old.segments if segment.path not in kept),
        )


def slot_bounds(month: int) -> tuple[int, int]:
    """Epoch seconds `[start, end)` of a slot's month."""
    return month_start(month), month_start(month + 1)
