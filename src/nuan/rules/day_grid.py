"""Subjects × local days as dense int64 matrices: how a rule reads a table that has one row per subject and day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.facts.book import FactBook
from nuan.rules.threshold import ABSENT, Mask, Matrix
from nuan.terms.places import day_start, local_day


def ended_days(book: FactBook) -> range:
    """The local days of the season that were over when the book was closed; a day that is still running is not judged."""
    days = book.season.day_numbers
    due_until = min(book.season.interval.end, day_start(days.stop))
    stop = days.stop if book.as_of_s >= due_until else min(days.stop, local_day(book.as_of_s))
    return range(days.start, max(days.start, stop))


@dataclass(frozen=True)
class DayGrid:
    """Where each row of a frame lies: `cells` are positions in the flattened [subjects, days] matrix, `rows` the frame's rows in it."""

    subjects: Sequence[str]
    days: range
    frame: pl.DataFrame
    rows: NDArray[np.int64]
    cells: NDArray[np.int64]

    @classmethod
    def of(cls, frame: pl.DataFrame, column: str, subjects: Sequence[str], days: range) -> "DayGrid":
        """Rows of other subjects or days stay outside. `subjects` are unique; of two rows on one cell the later one holds."""
        codes = frame[column].cast(pl.Enum(pl.Series(subjects, dtype=pl.String)), strict=False).to_physical()
        who = codes.cast(pl.Int64).fill_null(-1).to_numpy()
        when = frame["day"].cast(pl.Int64).to_numpy() - days.start
        rows = np.flatnonzero((who >= 0) & (when >= 0) & (when < len(days)))
        return cls(subjects, days, frame, rows, who[rows] * len(days) + when[rows])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.subjects), len(self.days)

    def lay(self, column: str) -> Matrix:
        """The column as int64[subjects, days]; ABSENT where there is no row or the row says null."""
        flat = np.full(len(self.subjects) * len(self.days), ABSENT, dtype=np.int64)
        flat[self.cells] = self.frame[column].cast(pl.Int64).fill_null(ABSENT).to_numpy()[self.rows]
        return flat.reshape(self.shape)


def runs(mask: Mask) -> Matrix:
    """int64[subjects, days]: how many days in a row, ending with this one, the mask has held.

    >>> runs(np.array([[True, True, False, True]])).tolist()
    [[1, 2, 0, 1]]
    """
    length = np.zeros(mask.shape, dtype=np.int64)
    going = np.zeros(mask.shape[0], dtype=np.int64)
    for day in range(mask.shape[1]):
        going = (going + 1) * mask[:, day]
        length[:, day] = going
    return length


def any_day(mask: Mask) -> Mask:
    """bool[subjects]: whether the mask holds on any day."""
    return np.asarray(mask.any(axis=1), dtype=np.bool_)


def first_true(mask: Mask) -> Matrix:
    """int64[subjects]: the first column that holds, ABSENT where none does."""
    if mask.shape[1] == 0:
        return np.full(mask.shape[0], ABSENT, dtype=np.int64)
    return np.where(mask.any(axis=1), mask.argmax(axis=1), ABSENT)
