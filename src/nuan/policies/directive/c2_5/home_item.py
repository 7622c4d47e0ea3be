"""过量供热 seen from the homes: whose rooms stay too warm for days on end."""

from typing import Any

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.directive.c2_5.item import Item, verdicts
from nuan.policies.directive.c2_5.station_days import Measures, long_runs
from nuan.rules.day_grid import DayGrid, any_day, first_true, runs
from nuan.rules.threshold import ABSENT
from nuan.terms.places import day_date


def warm_homes(book: FactBook, measures: Measures, days: range) -> tuple[list[str], Item]:
    """Homes that are owed heat, and the longest stretch of trusted days with a mean above the number for over-heating."""
    homes = book["homes"].filter(~pl.col("stop_heat"))["home"].to_list()
    grid = DayGrid.of(book["home_day"], "home", homes, days)
    mean, covered, due = (grid.lay(name) for name in ("mean_c100", "hours_covered", "hours_due"))
    trusted = (
        measures.coverage.share_holds(covered, due) & (mean != ABSENT) & (due > 0) & measures.sensors.holds("evidence")
    )
    warm = trusted & measures.warm_room.holds(mean)
    hot = long_runs(warm, measures.warm_days)
    decided, longest, first = trusted.sum(axis=1), runs(warm).max(axis=1), first_true(hot)
    known = all(each.known.all() for each in (measures.warm_room, measures.warm_days, measures.coverage))
    open_for = {
        "parameter_unknown": np.full(len(homes), not known),
        **measures.barred(len(homes)),
        "no_readings": ~any_day(covered > 0),
        "undercovered": ~measures.season_decided(decided, len(days)),
    }
    verdict, why = verdicts(any_day(hot), open_for, "2.5", homes)
    warmest = np.where(hot, mean, ABSENT).max(axis=1)
    facts: list[dict[str, Any]] = [
        {
            "over_heated_days": int(count),
            "longest_days": int(run),
            "first_day": None if at == ABSENT else str(day_date(days[int(at)])),
            "warmest_mean_c100": None if top == ABSENT else int(top),
            "days_decided": int(sure),
        }
        for count, run, at, top, sure in zip(hot.sum(axis=1), longest, first, warmest, decided, strict=True)
    ]
    branch = np.where(verdict == "breached", "over_heating", np.where(verdict == "met", "as_due", "open"))
    return homes, Item("over_heating", verdict, why, longest, measures.warm_days.last, branch, facts)
