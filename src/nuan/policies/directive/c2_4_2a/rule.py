"""2.4.2a 燃料储备不低于15天: each heat source's days of cover on each day, the day it falls short and the day it will."""

import json
from typing import Any

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.directive.c2_4_2a.cover import Cover, cover, crossing
from nuan.rules.branches import choose
from nuan.rules.day_grid import any_day, first_true
from nuan.rules.judgement import SCHEMA, WHY
from nuan.rules.pack import Pack
from nuan.rules.threshold import ABSENT
from nuan.rules.trace import Trace
from nuan.terms.places import day_date

CLAUSE = "2.4.2a"
BRANCHES = {
    "enough": ("储备足够", "enough in the yard"),
    "below_reserve": ("储备低于规定天数", "below the reserve"),
    "open": ("日报不足，无法判定", "too few reports to decide"),
}


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per source: `value` = its lowest days of cover in 0.1 day, `threshold` the reserve in 0.1 day at the period's end."""
    found = cover(book, pack)
    if not found.sources or not found.days:
        return pl.DataFrame(schema=SCHEMA)
    breached = any_day(found.below)
    decided = found.decided.sum(axis=1)
    share = found.season_share.last
    enough = decided == len(found.days) if share is None else decided * 100 >= share * len(found.days)
    open_ = ~breached & ~enough
    known = all(each.known.all() for each in (found.reserve, found.window, found.reports_min))
    why = np.where(~any_day(found.stock != ABSENT), "no_readings", "undercovered" if known else "parameter_unknown")
    branch = choose(CLAUSE, found.sources, ("enough", None), {"below_reserve": breached, "open": open_})
    tenths = found.tenths()
    lowest = np.where(tenths == ABSENT, -ABSENT, tenths).min(axis=1)
    facts = [_facts(found, row, tenths) for row in range(len(found.sources))]
    frame = pl.DataFrame(
        {
            "subject": found.sources,
            "verdict": np.where(breached, "breached", np.where(open_, "undecidable", "met")),
            "why": np.where(open_, why, ""),
            "value": [None if low == -ABSENT else int(low) for low in lowest],
            "branch": branch,
            "facts": [json.dumps(each, ensure_ascii=False) for each in facts],
        },
        schema_overrides={"value": pl.Int64},
    ).with_columns(
        pl.lit("source").alias("subject_level"),
        pl.lit(book.season.interval.start).alias("period_start"),
        pl.lit(book.season.interval.end).alias("period_end"),
        pl.lit(None if found.reserve.last is None else found.reserve.last * 10, dtype=pl.Int64).alias("threshold"),
        pl.lit("day_10").alias("unit"),
    )
    if trace is not None:
        _tell(trace, found, frame.row(0, named=True), facts[0])
    return frame


def _facts(found: Cover, row: int, tenths: Any) -> dict[str, Any]:
    """Dates as ISO text; stock and burn in 0.001 t. The projection goes on at the newest mean burn."""
    first = int(first_true(found.below[row : row + 1])[0])
    known = np.flatnonzero(found.decided[row])
    said: dict[str, Any] = {
        "days_below": int(found.below[row].sum()),
        "days_undecidable": int((~found.decided[row]).sum()),
        "first_day_below": None if first == ABSENT else str(day_date(found.days[first])),
        "latest_day": None,
    }
    if not len(known):
        return said
    at = int(known[-1])
    stock, reports, burnt = (int(each[row, at]) for each in (found.stock, found.reports, found.burnt))
    coming = max(int(found.arriving[row, at]), 0)
    reserve = int(found.reserve.numbers[at])
    latest = tenths[row, at]

    def day_after(days: int | None) -> str | None:
        return None if days is None else str(day_date(found.days[at] + days))

    lowest = np.where(tenths[row] == ABSENT, -ABSENT, tenths[row])
    return said | {
        "lowest_day": str(day_date(found.days[int(lowest.argmin())])) if (lowest != -ABSENT).any() else None,
        "latest_day": str(day_date(found.days[at])),
        "latest_cover_10": None if latest == ABSENT else int(latest),
        "latest_stock_t1000": stock,
        "latest_arriving_t1000": coming,
        "latest_burn_t1000": burnt // reports,
        "projected_day_below": day_after(crossing(stock, reports, burnt, reserve)),
        "projected_with_arrivals": day_after(crossing(stock, reports, burnt, reserve, coming)),
    }


def _tell(trace: Trace, found: Cover, row: dict[str, Any], facts: dict[str, Any]) -> None:
    for number in (found.reserve, found.window, found.reports_min):
        number.tell(trace)
    if facts["latest_day"] is not None:
        stock, burn, coming = (facts[f"latest_{name}_t1000"] / 1000 for name in ("stock", "burn", "arriving"))
        cover_days = None if facts["latest_cover_10"] is None else facts["latest_cover_10"] / 10
        zh, en = (
            ("没有消耗", "nothing burnt") if cover_days is None else (f"{cover_days:.1f} 天", f"{cover_days:.1f} days")
        )
        trace.step(
            "最近日报",
            "latest report",
            f"{facts['latest_day']}：库存 {stock:.3f} t ÷ 平均日耗 {burn:.3f} t = {zh}，在途 {coming:.3f} t",
            working_en=f"{facts['latest_day']}: stock {stock:.3f} t ÷ mean burn {burn:.3f} t = {en}, arriving {coming:.3f} t",
        )
        alone, with_arrivals = facts["projected_day_below"], facts["projected_with_arrivals"]
        trace.step(
            "预计跌破日",
            "projected day below",
            f"{alone or '无'}；在途全部到货则 {with_arrivals or '无'}",
            working_en=f"{alone or 'none'}; {with_arrivals or 'none'} when all that is on the way arrives",
        )
    below, undecided = facts["days_below"], facts["days_undecidable"]
    trace.step(
        "逐日判定",
        "day by day",
        f"低于规定 {below} 日，无法判定 {undecided} 日",
        working_en=f"{below} days below, {undecided} undecidable",
    )
    trace.branch(
        BRANCHES[str(row["branch"])][0],
        {zh: key == row["branch"] for key, (zh, _) in BRANCHES.items()},
        dict(BRANCHES.values()),
    )
    if row["verdict"] == "breached":
        low = "" if row["value"] is None else f"，最低 {row['value'] / 10:.1f} 天"
        trace.sentence(
            f"燃料储备自 {facts['first_day_below']} 起低于规定，共 {facts['days_below']} 日{low}。",
            f"The fuel reserve fell below the line on {facts['first_day_below']}, on {facts['days_below']} days in all.",
        )
    elif row["verdict"] == "met":
        trace.sentence("燃料储备没有低于规定的天数。", "The fuel reserve never fell below the line.")
    else:
        zh, en = WHY[str(row["why"])]
        trace.sentence(
            f"燃料储备是否足够，目前无法判定：{zh}。", f"Whether the reserve was enough cannot be decided: {en}."
        )
