"""Home-days as a fact table, from the arrays of the roll-ups. The arrays are one row a home, one column a day."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.facts.schemas import TABLES
from nuan.telemetry.readings import GAP


class DayArrays(Protocol):
    """What a roll-up gives: hours, and temperatures in 0.01 °C with `GAP` where no trusted reading was; all of shape [homes, days]."""

    @property
    def covered(self) -> NDArray[Any]: ...
    @property
    def minimum(self) -> NDArray[Any]: ...
    @property
    def mean(self) -> NDArray[Any]: ...
    @property
    def below(self) -> NDArray[Any]: ...
    @property
    def longest(self) -> NDArray[Any]: ...
    @property
    def above(self) -> NDArray[Any]: ...


class RollupShapeError(ValueError):
    """Arrays that do not fit the homes and days they are said to be about."""

    def __init__(self, name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__(f"the array of {name} has shape {found}, not {wanted} (homes, days)")


def home_days(homes: Sequence[str], first_day: int, hours_due: Sequence[int], rollup: DayArrays) -> pl.DataFrame:
    """`home_day` of these homes from local day `first_day` on; a day without an hour due makes no row.

    `hours_due[d]` is `season.hours_due(first_day + d)`. A home-day without a trusted reading keeps its row: 0 hours covered,
    temperatures null. Rows are sorted by home as given, then by day.
    """
    due = np.asarray(hours_due, dtype=np.int32)
    shape = (len(homes), len(due))
    wanted = due > 0

    def column(name: str) -> NDArray[np.int32]:
        array: NDArray[Any] = getattr(rollup, name)
        if array.shape != shape:
            raise RollupShapeError(name, array.shape, shape)
        return np.ascontiguousarray(array[:, wanted], dtype=np.int32).ravel()

    def temperature(name: str) -> pl.Series:
        values = column(name)
        return pl.select(pl.when(pl.Series(values != GAP)).then(pl.Series(values))).to_series()

    days = np.arange(first_day, first_day + len(due), dtype=np.int32)[wanted]
    each = pl.Series("home", homes, dtype=pl.String)
    rows = pl.Series(np.repeat(np.arange(len(homes), dtype=np.uint32), len(days)))
    frame = pl.DataFrame(
        {
            "home": each.gather(rows),
            "day": np.tile(days, len(homes)),
            "hours_due": np.tile(due[wanted], len(homes)),
            "hours_covered": column("covered"),
            "min_c100": temperature("minimum"),
            "mean_c100": temperature("mean"),
            "hours_below": column("below"),
            "longest_below_h": column("longest"),
            "hours_above": column("above"),
        }
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in TABLES["home_day"].schema.items())
