"""Each home on each day: was every trusted room hour at the standard, was one below it, or can nobody say."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.facts.book import FactBook
from nuan.rules.day_grid import DayGrid, ended_days
from nuan.rules.pack import Pack
from nuan.rules.stance import Stance
from nuan.rules.threshold import ABSENT, Mask, Matrix, Threshold
from nuan.terms.places import DAY_S, day_start

NOT_DUE, MET, BREACHED, UNDECIDABLE = 0, 1, 2, 3


@dataclass(frozen=True)
class HomeDays:
    """Arrays [homes, days]. `codes` is the verdict; `minimum` 0.01 °C, `covered` and `due` hours, ABSENT where no row says so."""

    homes: pl.DataFrame
    days: range
    codes: NDArray[np.uint8]
    minimum: Matrix
    covered: Matrix
    due: Matrix
    below: Matrix
    longest: Matrix
    measured_below: Mask
    dwelling: Threshold
    other: Threshold
    coverage: Threshold
    season_share: Threshold
    sensors: Stance

    @property
    def is_dwelling(self) -> Mask:
        return (self.homes["home_class"] == "residential").to_numpy()

    def threshold(self, row: int) -> Threshold:
        return self.dwelling if self.is_dwelling[row] else self.other


def home_days(book: FactBook, pack: Pack) -> HomeDays:
    """Verdict codes for all homes of the book that are owed heat, over the days that have ended.

    A day with one trusted hour below the standard is breached however little of it is covered; a day without one is met only when
    enough of its due hours are covered. Days of which there is no row are undecidable. A formal measurement below the standard
    breaches its day whatever sensors are worth; one at the standard proves no whole day.
    """
    homes = book["homes"].filter(~pl.col("stop_heat"))
    days = ended_days(book)
    subjects = homes["home"].to_list()
    grid = DayGrid.of(book["home_day"], "home", subjects, days)
    due, covered, minimum = (grid.lay(name) for name in ("hours_due", "hours_covered", "min_c100"))
    due = np.where(due == ABSENT, _hours_of(book, days), due)
    dwelling = Threshold.over(pack, "temperature.bedroom_min", days, scale=100)
    other = Threshold.over(pack, "temperature.non_residential_min", days, scale=100)
    coverage = Threshold.over(pack, "coverage.day_percent", days)
    is_dwelling = (homes["home_class"] == "residential").to_numpy()[:, None]
    known = np.where(is_dwelling, dwelling.known, other.known)
    reached = np.where(is_dwelling, dwelling.holds(minimum), other.holds(minimum))
    seen = (minimum != ABSENT) & (covered > 0)
    sensors = Stance.over(pack, "sensor_evidence", days)
    usable = known & seen & sensors.holds("evidence")
    full = coverage.share_holds(np.where(seen, covered, 0), due)

    measured = _measured(book, subjects, days)
    measured_ok = np.where(is_dwelling, dwelling.holds(measured), other.holds(measured))
    measured_below = known & (measured != ABSENT) & ~measured_ok
    codes = np.full(due.shape, UNDECIDABLE, dtype=np.uint8)
    codes[usable & reached & full] = MET
    codes[(usable & ~reached) | measured_below] = BREACHED
    codes[due == 0] = NOT_DUE
    return HomeDays(
        homes=homes,
        days=days,
        codes=codes,
        minimum=minimum,
        covered=covered,
        due=due,
        below=grid.lay("hours_below"),
        longest=grid.lay("longest_below_h"),
        measured_below=measured_below,
        dwelling=dwelling,
        other=other,
        coverage=coverage,
        season_share=Threshold.over(pack, "coverage.season_percent", days),
        sensors=sensors,
    )


def _hours_of(book: FactBook, days: range) -> Matrix:
    """Hours owed on each day: 24, and fewer where a season turns at noon."""
    return np.array([book.season.hours_due(day) for day in days], dtype=np.int64)


def _measured(book: FactBook, subjects: list[str], days: range) -> Matrix:
    """The lowest formal measurement of each home and day, ABSENT where none was taken or the user refused it."""
    bounds = book.season.interval
    rows = (
        book["measurement"]
        .filter(pl.col("temp_c100").is_not_null() & ~pl.col("user_refused"))
        .filter(pl.col("measured_s").is_between(bounds.start, bounds.end, closed="left"))
        .with_columns(((pl.col("measured_s") - day_start(0)) // DAY_S).alias("day"))
        .group_by("home", "day")
        .agg(pl.col("temp_c100").min())
    )
    return DayGrid.of(rows, "home", subjects, days).lay("temp_c100")
