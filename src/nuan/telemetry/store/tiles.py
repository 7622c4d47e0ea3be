"""Dense hours: one int16 for each series and hour of a span, GAP where no trusted reading is.

A cell is the coldest (`"min"`) trusted reading in its hour, because a promise that holds "from 00:00 to 24:00" must not be judged by a
mean that hides a cold quarter; `"mean"` (rounded half away from zero) is for stations. Hourly series: both are the reading.
"""

from typing import Literal, NamedTuple

import numba as nb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nuan.telemetry.readings import GAP, UNTRUSTED
from nuan.telemetry.store.segments import Rows, SegmentFile
from nuan.telemetry.store.steps import Steps
from nuan.terms.places import HOUR_S

Reduce = Literal["min", "mean"]


class HourTile(NamedTuple):
    """`hours` int16[len(series), n_hours] (int32 for quantities whose values need it), `gap` where nothing is covered."""

    series: NDArray[np.uint32]
    hours: NDArray[np.int16] | NDArray[np.int32]
    gap: int


@nb.njit(cache=True, nogil=True)
def _copy_grid(out, rows, count, values, offset, has_nulls, bitmap, runs, column, gap):  # type: ignore[no-untyped-def]
    """An hourly grid: cell j of series k goes to `out[rows[k], column + j]`, cut to the tile."""
    hours = out.shape[1]
    low, high = max(0, -column), min(count, hours - column)
    if high <= low:
        return
    for k in range(rows.shape[0]):
        r = rows[k]
        if r < 0:
            continue
        at = k * count
        target, source = out[r, column + low : column + high], values[at + low : at + high]
        for j in range(high - low):
            target[j] = source[j]
        if has_nulls:
            j = low
            while j < high:
                bit = offset + at + j
                if bit & 7 == 0 and j + 8 <= high and bitmap[bit >> 3] == 255:
                    j += 8
                    continue
                if not (bitmap[bit >> 3] >> (bit & 7)) & 1:
                    out[r, column + j] = gap
                j += 1
    for run in range(runs.shape[0]):
        for cell in range(runs[run, 0], runs[run, 0] + runs[run, 1]):
            r, j = rows[cell // count], cell % count
            if r >= 0 and low <= j < high:
                out[r, column + j] = gap


@nb.njit(cache=True, nogil=True)
def _coldest(out, row_of, series, time_s, values, trusted, start_s, gap):  # type: ignore[no-untyped-def]
    for i in range(time_s.shape[0]):
        hour = (time_s[i] - start_s) // 3600
        r = row_of[i]
        if trusted[i] and 0 <= hour < out.shape[1] and r >= 0 and (out[r, hour] == gap or values[i] < out[r, hour]):
            out[r, hour] = values[i]


@nb.njit(cache=True, nogil=True)
def _means(out, row_of, series, time_s, values, trusted, start_s, gap):  # type: ignore[no-untyped-def]
    """Readings sorted by series and time: one pass."""
    n = time_s.shape[0]
    i = 0
    while i < n:
        hour = (time_s[i] - start_s) // 3600
        total, count, j = 0, 0, i
        while j < n and series[j] == series[i] and (time_s[j] - start_s) // 3600 == hour:
            if trusted[j]:
                total += values[j]
                count += 1
            j += 1
        if count and 0 <= hour < out.shape[1] and row_of[i] >= 0:
            rounded = (2 * abs(total) + count) // (2 * count)
            out[row_of[i], hour] = rounded if total >= 0 else -rounded
        i = j


def row_index(ids: NDArray[np.uint32], wanted: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where each of `wanted` stands in the ascending `ids`; −1: nowhere."""
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[at] == wanted, at, -1).astype(np.int64)


class TileBuilder:
    """Fills a tile from segments, then from readings that are still in the journal."""

    def __init__(self, series: NDArray[np.uint32], start_s: int, n_hours: int, wide: bool, reduce: Reduce) -> None:
        self.series, self.start_s, self.reduce = series, start_s, reduce
        self.gap = int(np.iinfo(np.int32).min) if wide else GAP
        self.low, self.high = (-(2**31) + 1, 2**31 - 1) if wide else (GAP + 1, 32_767)
        self.hours = np.full((len(series), n_hours), self.gap, np.int32 if wide else np.int16)

    def add_segment(self, file: SegmentFile) -> None:
        """Hourly grids go straight in; anything else is gridded reading by reading."""
        for number, info in enumerate(file.groups):
            rows = row_index(self.series, info.series)
            if not (rows >= 0).any():
                continue
            aligned = info.step_s == HOUR_S and (info.start_s - self.start_s) % HOUR_S == 0
            lowest, highest = file.value_range(number)
            if aligned and info.untrusted is not None and self.low <= lowest and highest <= self.high:
                self._add_grid(file.column(number, "value"), rows, info.count, info.start_s, info.untrusted)
            else:
                self.add_rows(file.group_rows(number))

    def _add_grid(
        self, array: pa.Array, rows: NDArray[np.int64], count: int, start_s: int, untrusted: NDArray[np.int32]
    ) -> None:
        validity, data = array.buffers()
        values = np.frombuffer(data, np.int32)[array.offset : array.offset + len(array)]
        bitmap = np.frombuffer(validity, np.uint8) if array.null_count else np.zeros(1, np.uint8)
        _copy_grid(
            self.hours, rows, count, values, array.offset, array.null_count > 0, bitmap, untrusted,
            (start_s - self.start_s) // HOUR_S, self.hours.dtype.type(self.gap),
        )  # fmt: skip

    def add_rows(self, rows: Rows) -> None:
        """Sorted by series and time; values that do not fit the tile are no temperature of a room and count as untrusted."""
        trusted = ((rows.flags & np.uint8(UNTRUSTED)) == 0) & (rows.value >= self.low) & (rows.value <= self.high)
        kernel = _coldest if self.reduce == "min" else _means
        gap = self.hours.dtype.type(self.gap)
        kernel(
            self.hours,
            row_index(self.series, rows.series),
            rows.series,
            rows.time_s,
            rows.value,
            trusted,
            self.start_s,
            gap,
        )

    def replace_rows(self, rows: Rows, series: NDArray[np.uint32]) -> None:
        """Grid these series anew from all their readings (used when the journal holds some of them)."""
        where = row_index(self.series, series)
        self.hours[where[where >= 0]] = self.gap
        self.add_rows(rows)

    def add_steps(self, hours: Steps) -> None:
        """Hours of which the readings were let go; where one has a trusted reading it is what the readings would have given."""
        column, rows = (hours.time_s - self.start_s) // HOUR_S, row_index(self.series, hours.series)
        value = hours.low.astype(np.int64) if self.reduce == "min" else hours.mean
        inside = (column >= 0) & (column < self.hours.shape[1]) & (rows >= 0) & (hours.count > 0)
        inside &= (value >= self.low) & (value <= self.high)
        self.hours[rows[inside], column[inside]] = value[inside]

    def tile(self) -> HourTile:
        return HourTile(self.series, self.hours, self.gap)
