"""Segments: Parquet files of one quantity, bucket and local month, sorted by series and time.

Series that report on a regular step are written as whole grids, gaps as nulls; a reader of grids needs only the value column, and knows
from the footer which series, which times, and where untrusted readings lie. Everything else is rows. Either way the file is plain Parquet
(columns `series time_s value flags version delay_s`): DuckDB and Spark read the same bytes, and time and series cost next to nothing.

A null value with the MISSING flag was reported as missing; a null without it fills the grid and was never reported. A null delay: nobody
noted when the reading came in. Segments of the first version lack the column and are read as if all delays in them were null.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuan.telemetry.readings import UNKNOWN_DELAY, UNTRUSTED, Flag

ROWS_PER_GROUP = 750_000
STEPS_S = (86_400, 3600, 1800, 1200, 900, 600, 300, 60)
ZSTD_LEVEL = 6
"""Measured on delta-packed room temperatures: 2 % smaller than 3 and read as fast; 9 gains nothing more."""
FULL_ENOUGH = 0.5
"""A series goes into a grid when it fills at least this part of it."""
SCHEMA = pa.schema(
    [
        pa.field("series", pa.uint32(), nullable=False),
        pa.field("time_s", pa.int64(), nullable=False),
        pa.field("value", pa.int32(), nullable=True),
        pa.field("flags", pa.uint8(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("delay_s", pa.int32(), nullable=True),
    ]
)

_ENCODING = dict.fromkeys(("time_s", "value", "delay_s"), "DELTA_BINARY_PACKED")
_DICTIONARY = ["series", "flags", "version"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings with their packed versions, as they lie in segments. `version` = rank 8 bits · revision 16 · sequence 40;
    `delay_s` as in `ReadingBatch`, `UNKNOWN_DELAY` for null."""

    series: NDArray[np.uint32]
    time_s: NDArray[np.int64]
    value: NDArray[np.int32]
    flags: NDArray[np.uint8]
    version: NDArray[np.int64]
    delay_s: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.series)

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_] | slice) -> "Rows":
        return Rows(
            self.series[which], self.time_s[which], self.value[which], self.flags[which], self.version[which],
            self.delay_s[which],
        )  # fmt: skip

    def table(self, null: NDArray[np.bool_] | None = None) -> pa.Table:
        """As columns of a file; `null` marks the values that are none."""
        value = pa.array(self.value, mask=null) if null is not None and null.any() else pa.array(self.value)
        unknown = self.delay_s == UNKNOWN_DELAY
        delay = pa.array(self.delay_s, mask=unknown) if unknown.any() else pa.array(self.delay_s)
        columns = [pa.array(column) for column in (self.series, self.time_s, self.flags, self.version)]
        return pa.table([*columns[:2], value, *columns[2:], delay], schema=SCHEMA)

    @staticmethod
    def of_table(table: pa.Table) -> "Rows":
        """Values that are null are zeros here; whoever needs to know asks the table."""
        series, time_s, flags, version = (table[name].to_numpy() for name in ("series", "time_s", "flags", "version"))
        value = table["value"].combine_chunks().fill_null(0).to_numpy()
        if "delay_s" in table.column_names:
            delay = table["delay_s"].combine_chunks().fill_null(UNKNOWN_DELAY).to_numpy()
        else:
            delay = np.full(len(series), UNKNOWN_DELAY, np.int32)
        return Rows(series, time_s, value, flags, version, delay)

    @staticmethod
    def concat(parts: list["Rows"]) -> "Rows":
        if not parts:
            kinds = (np.uint32, np.int64, np.int32, np.uint8, np.int64, np.int32)
            return Rows(*(np.empty(0, kind) for kind in kinds))  # type: ignore[arg-type]
        return Rows(
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.time_s for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.flags for part in parts]),
            np.concatenate([part.version for part in parts]),
            np.concatenate([part.delay_s for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` points a series from `start_s` on, `step_s` apart: the arrays are [series, count]; `there` marks what was reported."""

    series: NDArray[np.uint32]
    start_s: int
    step_s: int
    value: NDArray[np.int32] | NDArray[np.int16]
    there: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    version: NDArray[np.int64]
    delay_s: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """What the footer says about a row group. `count` 0: rows, not a grid. `untrusted`: (first cell, cells) runs, None: read the flags."""

    series: NDArray[np.uint32]
    start_s: int
    step_s: int
    count: int
    untrusted: NDArray[np.int32] | None


def _pack_ints(numbers: NDArray[np.uint32] | NDArray[np.int32]) -> str:
    steps = np.diff(numbers.ravel().astype(np.int64), prepend=0).astype("<i4")
    return base64.b64encode(zlib.compress(steps.tobytes(), 6)).decode()


def _unpack_ints(text: str) -> NDArray[np.int64]:
    return np.cumsum(np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i4").astype(np.int64))


def _runs(marked: NDArray[np.bool_]) -> NDArray[np.int32]:
    """[k, 2]: first cell and length of each run of True."""
    edges = np.flatnonzero(np.diff(marked.astype(np.int8), prepend=np.int8(0), append=np.int8(0)))
    return np.stack([edges[::2], edges[1::2] - edges[::2]], axis=1).astype(np.int32)


def split_grids(rows: Rows) -> tuple[list[Grid], Rows]:
    """Sorted rows, apart: what fills regular grids, and the rest as rows."""
    if not len(rows):
        return [], rows
    starts = np.flatnonzero(np.diff(rows.series.astype(np.int64), prepend=-1))
    ends = np.append(starts[1:], len(rows))
    gaps = np.diff(rows.time_s, prepend=rows.time_s[0])
    gaps[starts] = 0
    common = np.gcd.reduceat(gaps, starts)
    step = np.zeros(len(starts), np.int64)
    for candidate in STEPS_S:
        step[(step == 0) & (common > 0) & (common % candidate == 0)] = candidate
    first, last = rows.time_s[starts], rows.time_s[ends - 1]
    phase = np.where(step > 0, first % np.maximum(step, 1), 0)
    grids: list[Grid] = []
    loose = np.ones(len(rows), np.bool_)
    for one_step, one_phase in {(int(s), int(p)) for s, p in zip(step, phase, strict=True) if s > 0}:
        members = np.flatnonzero((step == one_step) & (phase == one_phase))
        grid_start, grid_end = int(first[members].min()), int(last[members].max())
        count = (grid_end - grid_start) // one_step + 1
        members = members[(ends - starts)[members] >= FULL_ENOUGH * count]
        if not len(members):
            continue
        inside = np.zeros(len(starts), np.bool_)
        inside[members] = True
        chosen = np.repeat(inside, ends - starts)
        loose &= ~chosen
        grids.append(_grid(rows.take(chosen), rows.series[starts[members]], grid_start, one_step, count))
    grids.sort(key=lambda grid: (int(grid.series[0]), grid.step_s, grid.start_s))
    return grids, rows.take(loose)


def _grid(rows: Rows, series: NDArray[np.uint32], start_s: int, step_s: int, count: int) -> Grid:
    cell = np.searchsorted(series, rows.series) * count + (rows.time_s - start_s) // step_s
    size = len(series) * count
    value, flags = np.zeros(size, np.int32), np.zeros(size, np.uint8)
    there, version, delay = np.zeros(size, np.bool_), np.zeros(size, np.int64), np.zeros(size, np.int32)
    value[cell], flags[cell], there[cell], version[cell], delay[cell] = (
        rows.value, rows.flags, True, rows.version, rows.delay_s,
    )  # fmt: skip
    # a filling takes version and delay of the reading before it, so that these columns stay long runs
    before = np.maximum.accumulate(np.where(there, np.arange(size), 0))
    version, delay = version[before], delay[before]
    shape = (len(series), count)
    return Grid(
        series,
        start_s,
        step_s,
        value.reshape(shape),
        there.reshape(shape),
        flags.reshape(shape),
        version.reshape(shape),
        delay.reshape(shape),
    )


def encode_segment(grids: list[Grid], loose: Rows) -> bytes:
    """The bytes of a segment file."""
    sink = pa.BufferOutputStream()
    infos: list[dict[str, object]] = []
    with pq.ParquetWriter(
        sink, SCHEMA, compression="zstd", compression_level=ZSTD_LEVEL, use_dictionary=_DICTIONARY, column_encoding=_ENCODING,
    ) as writer:  # fmt: skip
        for grid in grids:
            count = grid.value.shape[1]
            per_group = max(1, ROWS_PER_GROUP // count)
            times = grid.start_s + grid.step_s * np.arange(count, dtype=np.int64)
            for at in range(0, len(grid.series), per_group):
                part = slice(at, at + per_group)
                ids, flags = grid.series[part], grid.flags[part].ravel()
                rows = Rows(
                    np.repeat(ids, count), np.tile(times, len(ids)), grid.value[part].ravel().astype(np.int32), flags,
                    grid.version[part].ravel(), grid.delay_s[part].ravel(),
                )  # fmt: skip
                missing = (flags & np.uint8(Flag.MISSING)) != 0
                _write_group(writer, rows, null=~grid.there[part].ravel() | missing)
                runs = _runs((flags & np.uint8(UNTRUSTED)) != 0)
                infos.append(
                    {
                        "series": _pack_ints(ids),
                        "grid": [grid.start_s, grid.step_s, count],
                        "untrusted": _pack_ints(runs) if len(runs) * 32 <= len(flags) else None,
                    }
                )
        for at in range(0, len(loose), ROWS_PER_GROUP):
            rows = loose.take(slice(at, at + ROWS_PER_GROUP))
            _write_group(writer, rows, null=(rows.flags & np.uint8(Flag.MISSING)) != 0)
            infos.append({"series": _pack_ints(np.unique(rows.series)), "grid": None})
        writer.add_key_value_metadata({"nuan.groups": json.dumps(infos, separators=(",", ":"))})
    return bytes(sink.getvalue())


def _write_group(writer: pq.ParquetWriter, rows: Rows, null: NDArray[np.bool_]) -> None:
    writer.write_table(rows.table(null), row_group_size=max(1, len(rows)))


class SegmentFile:
    """An open segment: its row groups, read one at a time."""

    def __init__(self, path: Path) -> None:
        self.file = pq.ParquetFile(path)
        packed = (self.file.metadata.metadata or {})[b"nuan.groups"]
        self.groups = [self._group(info) for info in json.loads(packed)]

    @staticmethod
    def _group(info: dict[str, object]) -> GroupInfo:
        series = _unpack_ints(str(info["series"])).astype(np.uint32)
        if not isinstance(grid := info["grid"], list):
            return GroupInfo(series, 0, 0, 0, None)
        untrusted = info["untrusted"]
        runs = None if untrusted is None else _unpack_ints(str(untrusted)).astype(np.int32).reshape(-1, 2)
        start_s, step_s, count = grid
        return GroupInfo(series, start_s, step_s, count, runs)

    def value_range(self, group: int) -> tuple[int, int]:
        """Lowest and highest value of a row group, from the footer; (0, 0) when all are null."""
        statistics = self.file.metadata.row_group(group).column(SCHEMA.names.index("value")).statistics
        return (statistics.min, statistics.max) if statistics.has_min_max else (0, 0)

    def column(self, group: int, name: str) -> pa.Array:
        chunked = self.file.read_row_group(group, columns=[name], use_threads=False).column(0)
        return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()

    def rows(self, series: NDArray[np.uint32] | None = None) -> Rows:
        """Everything that was reported (of some series), without the fillings."""
        numbers = [n for n, info in enumerate(self.groups) if series is None or np.isin(series, info.series).any()]
        parts = [self.group_rows(number) for number in numbers]
        return Rows.concat(parts if series is None else [part.take(np.isin(part.series, series)) for part in parts])

    def group_rows(self, group: int) -> Rows:
        table = self.file.read_row_group(group, use_threads=False)
        whole = Rows.of_table(table)
        valid = table["value"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
        return whole.take(valid | ((whole.flags & np.uint8(Flag.MISSING)) != 0))
