"""Days of cover: what lies in the yard, divided by what is burnt a day. Exact by cross-multiplication; a missing report is no zero."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.rules.day_grid import DayGrid, ended_days
from nuan.rules.pack import Pack
from nuan.rules.threshold import ABSENT, Mask, Matrix, Threshold

STORED_FUELS = ("coal", "biomass", "oil")


@dataclass(frozen=True)
class Cover:
    """Arrays [sources, days] in 0.001 t. Of a day, cover = `stock × reports ÷ burnt`: the mean of the `reports` burns in its window."""

    sources: list[str]
    days: range
    stock: Matrix
    arriving: Matrix
    burnt: Matrix
    reports: Matrix
    decided: Mask
    below: Mask
    reserve: Threshold
    window: Threshold
    reports_min: Threshold
    season_share: Threshold

    def tenths(self) -> Matrix:
        """Days of cover in 0.1 day, rounded down so that a stock just short of the line never shows as on it; ABSENT where undecided
        or where nothing was burnt."""
        has_cover = self.decided & (self.burnt > 0)
        return np.where(has_cover, self.stock * self.reports * 10 // np.where(has_cover, self.burnt, 1), ABSENT)


def cover(book: FactBook, pack: Pack) -> Cover:
    """Sources that report, and sources of a fuel that is stored, over the days that have ended."""
    days = ended_days(book)
    reporting = book["fuel_day"]["source"].to_list()
    storing = book["sources"].filter(pl.col("fuel").is_in(list(STORED_FUELS)))["source"].to_list()
    sources = sorted({*reporting, *storing})
    window = Threshold.over(pack, "fuel.burn_mean_days", days)
    longest = max((part.number or 0 for part in window.parts), default=0)
    # the window of the season's first days reaches back before it, where reports may already be
    early = range(days.start - max(longest - 1, 0), days.stop)
    grid = DayGrid.of(book["fuel_day"], "source", sources, early)
    burn = grid.lay("burn_t1000")
    stock, arriving = (grid.lay(name)[:, days.start - early.start :] for name in ("stock_t1000", "arriving_t1000"))
    burnt, reports = _trailing(burn, len(days), window)
    reserve = Threshold.over(pack, "fuel.reserve_days", days)
    reports_min = Threshold.over(pack, "fuel.burn_reports_min", days)
    decided = (stock != ABSENT) & window.known & reserve.known & reports_min.holds(reports)
    below = np.zeros(decided.shape, dtype=np.bool_)
    for part in reserve.parts:
        if part.number is not None:
            at = slice(part.start, part.stop)
            known = decided[:, at]
            short = np.where(known, stock[:, at] * reports[:, at] - part.number * burnt[:, at], 0)
            below[:, at] = known & ~reserve.compare(part).holds(short, 0)
    return Cover(
        sources,
        days,
        stock,
        arriving,
        burnt,
        reports,
        decided,
        below,
        reserve,
        window,
        reports_min,
        Threshold.over(pack, "coverage.season_percent", days),
    )


def _trailing(burn: Matrix, days: int, window: Threshold) -> tuple[Matrix, Matrix]:
    """Sum and number of the reported burns in the window that ends with each of the last `days` columns."""
    known = burn != ABSENT
    total = np.concatenate([np.zeros((len(burn), 1), dtype=np.int64), np.where(known, burn, 0).cumsum(axis=1)], axis=1)
    count = np.concatenate([np.zeros((len(burn), 1), dtype=np.int64), known.cumsum(axis=1)], axis=1)
    ends = np.arange(burn.shape[1] - days, burn.shape[1]) + 1
    starts = np.maximum(ends - np.maximum(window.numbers, 0), 0)
    return total[:, ends] - total[:, starts], count[:, ends] - count[:, starts]


def crossing(stock: int, reports: int, burnt: int, reserve: int, arriving: int = 0) -> int | None:
    """After how many days at the mean burn the cover falls below the reserve; 0 = it is below today, None = nothing is burnt.

    >>> crossing(stock=20_000, reports=7, burnt=7_000, reserve=15)
    6
    """
    if burnt == 0:
        return None
    spare = (stock + arriving) * reports - reserve * burnt
    return 0 if spare < 0 else spare // burnt + 1
