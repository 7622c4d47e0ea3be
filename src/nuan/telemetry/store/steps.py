"""Down-sampled readings: of each series and step how many trusted readings, their sum, lowest, highest and last.

Sum and count are kept, not a rounded mean, so that hours reckoned from minutes are the hours reckoned from the readings. A step in which
nothing was reported has no row; one with untrusted readings only has a row with `count` 0 and nulls: a gap stays a gap.

On disk everything is counted from the lowest (`span` to the highest, `last_above`, `rest` = sum − count × lowest): a quiet point, or one
that reports no faster than the step, costs no more than its lowest values. `SQL` turns it back.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuan.telemetry.readings import UNTRUSTED
from nuan.telemetry.store.segments import Rows

SCHEMA = pa.schema(
    [
        pa.field("series", pa.uint32(), nullable=False),
        pa.field("time_s", pa.int64(), nullable=False),
        pa.field("count", pa.int32(), nullable=False),
        pa.field("untrusted", pa.int32(), nullable=False),
        pa.field("low", pa.int32(), nullable=True),
        pa.field("span", pa.int64(), nullable=True),
        pa.field("last_above", pa.int64(), nullable=True),
        pa.field("rest", pa.int64(), nullable=True),
    ]
)
SQL = "series, time_s, count, untrusted, low, low + span as high, low + last_above as last, count * low + rest as total"


@dataclass(frozen=True, slots=True)
class Steps:
    """Sorted by series and time; `time_s` is the beginning of the step. Where `count` is 0, `total low high last` mean nothing."""

    series: NDArray[np.uint32]
    time_s: NDArray[np.int64]
    count: NDArray[np.int32]
    untrusted: NDArray[np.int32]
    total: NDArray[np.int64]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    last: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.series)

    def take(self, which: NDArray[Any] | slice) -> "Steps":
        return Steps(*(getattr(self, column.name)[which] for column in fields(self)))

    @property
    def mean(self) -> NDArray[np.int64]:
        """Rounded half away from zero, as tiles do; 0 where nothing is trusted."""
        held = np.maximum(self.count.astype(np.int64), 1)
        rounded = (2 * np.abs(self.total) + held) // (2 * held)
        return np.where(self.count == 0, 0, np.sign(self.total) * rounded)

    @staticmethod
    def empty() -> "Steps":
        kinds = (np.uint32, np.int64, np.int32, np.int32, np.int64, np.int32, np.int32, np.int32)
        return Steps(*(np.empty(0, kind) for kind in kinds))  # type: ignore[arg-type]

    @staticmethod
    def concat(parts: list["Steps"]) -> "Steps":
        every = [Steps.empty(), *parts]
        return Steps(*(np.concatenate([getattr(part, column.name) for part in every]) for column in fields(Steps)))


def steps_of(rows: Rows, step_s: int) -> Steps:
    """Of standing readings, sorted by series and time."""
    if not len(rows):
        return Steps.empty()
    at = rows.time_s // step_s * step_s
    starts = np.flatnonzero(np.append(True, (rows.series[1:] != rows.series[:-1]) | (at[1:] != at[:-1])))
    trusted = (rows.flags & np.uint8(UNTRUSTED)) == 0
    value, numbers = rows.value, np.arange(len(rows))
    count = np.add.reduceat(trusted.astype(np.int32), starts)
    newest = np.maximum.reduceat(np.where(trusted, numbers, -1), starts)
    widest = np.iinfo(np.int32)
    return Steps(
        rows.series[starts], at[starts], count, np.add.reduceat((~trusted).astype(np.int32), starts),
        np.add.reduceat(np.where(trusted, value, 0).astype(np.int64), starts),
        np.minimum.reduceat(np.where(trusted, value, widest.max), starts),
        np.maximum.reduceat(np.where(trusted, value, widest.min), starts),
        np.where(count > 0, value[newest], 0).astype(np.int32),
    )  # fmt: skip


def coarser(steps: Steps, step_s: int) -> Steps:
    """Steps of steps, sorted."""
    if not len(steps):
        return steps
    at = steps.time_s // step_s * step_s
    starts = np.flatnonzero(np.append(True, (steps.series[1:] != steps.series[:-1]) | (at[1:] != at[:-1])))
    held = steps.count > 0
    newest = np.maximum.reduceat(np.where(held, np.arange(len(steps)), -1), starts)
    widest = np.iinfo(np.int32)
    return Steps(
        steps.series[starts], at[starts], np.add.reduceat(steps.count, starts), np.add.reduceat(steps.untrusted, starts),
        np.add.reduceat(np.where(held, steps.total, 0), starts),
        np.minimum.reduceat(np.where(held, steps.low, widest.max), starts),
        np.maximum.reduceat(np.where(held, steps.high, widest.min), starts),
        np.where(newest >= 0, steps.last[newest], 0).astype(np.int32),
    )  # fmt: skip


def joined(kept: Steps, late: Steps) -> tuple[Steps, int]:
    """What was rolled up before, with steps that only late readings fill; and how many late readings came too late, because their step
    is closed. So the same late readings twice count once."""
    both = Steps.concat([kept, late])
    order = np.lexsort((np.append(np.zeros(len(kept)), np.ones(len(late))), both.time_s, both.series))
    both = both.take(order)
    again = np.append(False, (both.series[1:] == both.series[:-1]) & (both.time_s[1:] == both.time_s[:-1]))
    left_out = int((both.count[again] + both.untrusted[again]).sum())
    return both.take(~again), left_out


def encode_steps(steps: Steps) -> bytes:
    none = steps.count == 0
    low = steps.low.astype(np.int64)
    above = {"span": steps.high - low, "last_above": steps.last - low, "rest": steps.total - steps.count * low}
    columns = [pa.array(getattr(steps, name)) for name in ("series", "time_s", "count", "untrusted")]
    columns += [pa.array(column, mask=none) for column in (steps.low, *above.values())]
    encoding = {name: "DELTA_BINARY_PACKED" for name in SCHEMA.names if name != "series"}
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(columns, schema=SCHEMA), sink, compression="zstd", compression_level=6, use_dictionary=["series"],
        column_encoding=encoding, row_group_size=750_000,
    )  # fmt: skip
    return bytes(sink.getvalue())


def read_steps(path: Path, series: NDArray[np.uint32] | None = None) -> Steps:
    filters = None if series is None else [("series", "in", series.tolist())]
    table = pq.read_table(path, filters=filters, use_threads=False)
    read = {name: table[name].combine_chunks().fill_null(0).to_numpy() for name in SCHEMA.names}
    low = read["low"].astype(np.int64)
    high, last = ((low + read[name]).astype(np.int32) for name in ("span", "last_above"))
    total = read["count"] * low + read["rest"]
    return Steps(read["series"], read["time_s"], read["count"], read["untrusted"], total, read["low"], high, last)
