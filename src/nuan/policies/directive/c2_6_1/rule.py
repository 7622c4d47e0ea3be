"""2.6.1 每个旗区配备不少于1台大功率移动应急热源车: counted on every day of the season. Standby sources and funds have no rule yet."""

import json
from typing import Any

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.rules.branches import choose
from nuan.rules.day_grid import any_day, ended_days, first_true
from nuan.rules.judgement import SCHEMA
from nuan.rules.pack import Pack
from nuan.rules.threshold import ABSENT, Matrix, Threshold
from nuan.rules.trace import Trace
from nuan.terms.places import day_date

CLAUSE = "2.6.1"
BRANCHES = {
    "power_undefined": ("“大功率”未载明，各台都计", "“high-power” is not defined, every vehicle counts"),
    "power_defined": ("只计达到功率的车", "only vehicles of that power count"),
    "least_unknown": ("台数未载明", "how many are required is not stated"),
}


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per banner: `value` = the fewest vehicles on any day that has ended, `threshold` the number required at the end."""
    days = ended_days(book)
    banners = book["banners"]["banner"].unique().sort().to_list()
    if not banners or not days:
        return pl.DataFrame(schema=SCHEMA)
    least = Threshold.over(pack, "emergency.vehicles_min", days)
    power = Threshold.over(pack, "emergency.vehicle_power_min_kw", days)
    counts = available(book["vehicle"], banners, days, power)
    short = least.known & ~least.holds(counts)
    unknown = np.full(len(banners), not least.known.all())
    breached = any_day(short)
    defined = np.full(len(banners), power.known.all())
    branch = choose(
        CLAUSE, banners, ("power_undefined", None), {"power_defined": defined & ~unknown, "least_unknown": unknown}
    )
    first = first_true(short)
    facts = [
        {
            "days_short": int(short[i].sum()),
            "first_day_short": None if first[i] == ABSENT else str(day_date(days[int(first[i])])),
            "vehicles_latest": int(counts[i, -1]),
            "power_defined": bool(defined[i]),
        }
        for i in range(len(banners))
    ]
    open_ = ~breached & unknown
    frame = pl.DataFrame(
        {
            "subject": banners,
            "verdict": np.where(breached, "breached", np.where(open_, "undecidable", "met")),
            "why": np.where(open_, "parameter_unknown", ""),
            "value": counts.min(axis=1),
            "branch": branch,
            "facts": [json.dumps(each, ensure_ascii=False) for each in facts],
        }
    ).with_columns(
        pl.lit("banner").alias("subject_level"),
        pl.lit(book.season.interval.start).alias("period_start"),
        pl.lit(book.season.interval.end).alias("period_end"),
        pl.lit(least.last, dtype=pl.Int64).alias("threshold"),
        pl.lit("vehicle").alias("unit"),
    )
    if trace is not None:
        _tell(trace, frame.row(0, named=True), facts[0], least, power, len(days))
    return frame


def available(vehicles: pl.DataFrame, banners: list[str], days: range, power: Threshold) -> Matrix:
    """int64[banners, days]: vehicles at hand on each day; where a least power is set, only those that reach it."""
    counts = np.zeros((len(banners), len(days)), dtype=np.int64)
    place = {banner: row for row, banner in enumerate(banners)}
    for vehicle in vehicles.iter_rows(named=True):
        if vehicle["banner"] not in place:
            continue
        last = days.stop - 1 if vehicle["available_to"] is None else min(vehicle["available_to"], days.stop - 1)
        span = slice(max(vehicle["available_from"] - days.start, 0), max(last - days.start + 1, 0))
        strong = power.holds(np.full(len(days), vehicle["power_kw"], dtype=np.int64)) | ~power.known
        counts[place[vehicle["banner"]], span] += strong[span]
    return counts


def _tell(
    trace: Trace, row: dict[str, Any], facts: dict[str, Any], least: Threshold, power: Threshold, days: int
) -> None:
    least.tell(trace)
    power.tell(trace)
    fewest, short, now = row["value"], facts["days_short"], facts["vehicles_latest"]
    trace.step(
        "逐日清点",
        "day by day",
        f"{days} 日中最少 {fewest} 台，不足 {short} 日，最近一日 {now} 台",
        working_en=f"of {days} days: at the least {fewest}, short on {short}, {now} on the latest",
    )
    trace.branch(
        BRANCHES[str(row["branch"])][0],
        {zh: key == row["branch"] for key, (zh, _) in BRANCHES.items()},
        dict(BRANCHES.values()),
    )
    note_zh = "" if facts["power_defined"] else "“大功率”的功率未载明，各台都计入。"
    note_en = "" if facts["power_defined"] else " What “high-power” means is not stated; every vehicle counts."
    if row["verdict"] == "breached":
        trace.sentence(
            f"本旗区自 {facts['first_day_short']} 起移动应急热源车不足，共 {facts['days_short']} 日。{note_zh}",
            f"The banner was short of vehicles from {facts['first_day_short']}, {facts['days_short']} days in all.{note_en}",
        )
    elif row["verdict"] == "met":
        trace.sentence(
            f"本旗区每天都有足够的移动应急热源车。{note_zh}", f"The banner had its vehicle on every day.{note_en}"
        )
    else:
        trace.sentence("应配备的台数未载明，无法判定。", "How many vehicles are required is not stated.")
