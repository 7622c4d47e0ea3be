"""2.5.1 公共建筑和新建居住建筑推行计量供热,按基本热价和计量热价收费: coverage of metering, and two-part billing where a meter is.

“推行” names no share and no year: what counts as new and how much must be metered is the place's to say, and unsaid it stays open. That
a metered home is billed without its heat is a breach whatever the share.
"""

import json
from typing import Any

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.rules.branches import choose
from nuan.rules.day_grid import ended_days
from nuan.rules.judgement import SCHEMA
from nuan.rules.pack import Pack
from nuan.rules.threshold import Threshold
from nuan.rules.trace import Trace

CLAUSE = "2.5.1"
BRANCHES = {
    "coverage": ("按计量覆盖率", "by the share that is metered"),
    "billed_without_heat": ("装表而未按两部制收费", "metered, and billed without the heat"),
    "coverage_open": ("覆盖率要求或“新建”年份未载明", "the share or what counts as new is not stated"),
    "building_year_unknown": ("有居住建筑建成年份未登记", "the year of some dwellings is not registered"),
}


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per banner that has homes the clause speaks of: `value` = their metered share in 0.1 %, `threshold` the share required."""
    rows, days = book["building_meter"], book.season.day_numbers
    if not ended_days(book):
        return pl.DataFrame(schema=SCHEMA)
    since = Threshold.over(pack, "metering.new_since", days)
    least = Threshold.over(pack, "metering.coverage_min", days)
    year = since.last if since.known.all() else None
    dwelling = pl.col("home_class") == "residential"
    is_new = (pl.col("built_year") >= year).fill_null(value=False) if year is not None else pl.lit(value=False)
    meant = (pl.col("home_class") == "public") | (dwelling & is_new)
    banners = (
        rows.group_by("banner")
        .agg(
            pl.col("homes").filter(meant).sum(),
            pl.col("homes_metered").filter(meant).sum(),
            pl.col("homes_metered").sum().alias("all_metered"),
            pl.col("homes_billed_metered").sum().alias("billed"),
            pl.col("homes_billed_by_heat").sum().alias("by_heat"),
            pl.col("homes").filter(dwelling).sum().alias("dwellings"),
            pl.col("homes").filter(dwelling & pl.col("built_year").is_null()).sum().alias("year_unknown"),
        )
        .sort("banner")
        .filter((pl.col("homes") > 0) | (pl.col("dwellings") > 0) | (pl.col("billed") > 0))
    )
    if banners.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    n, homes, metered = banners.height, banners["homes"].to_numpy(), banners["homes_metered"].to_numpy()
    unlike = (banners["billed"] > banners["by_heat"]).to_numpy()
    year_open = (banners["dwellings"] > 0).to_numpy() & (year is None)
    unknown_year = (banners["year_unknown"] > 0).to_numpy() & ~year_open
    share_known = np.full(n, least.known.all())
    open_ = ~unlike & (year_open | ~share_known)
    no_year = ~unlike & ~open_ & unknown_year
    part, whole = np.maximum(metered, 0)[:, None], np.maximum(homes, 1)[:, None]
    enough = np.all(least.share_holds(part.repeat(len(days), 1), whole.repeat(len(days), 1)), axis=1) | (homes == 0)
    verdict = np.where(
        unlike, "breached", np.where(open_ | no_year, "undecidable", np.where(enough, "met", "breached"))
    )
    branch = choose(
        CLAUSE,
        banners["banner"].to_list(),
        ("coverage", None),
        {"billed_without_heat": unlike, "coverage_open": open_, "building_year_unknown": no_year},
    )
    facts = banners.select("homes", "homes_metered", "all_metered", "billed", "by_heat", "year_unknown").to_dicts()
    frame = pl.DataFrame(
        {
            "subject": banners["banner"],
            "verdict": verdict,
            "why": np.where(open_, "parameter_unknown", np.where(no_year, "fact_missing", "")),
            "value": np.where(homes > 0, (2000 * metered + homes) // (2 * np.maximum(homes, 1)), 0),
            "branch": branch,
            "facts": [json.dumps(each, ensure_ascii=False) for each in facts],
        }
    ).with_columns(
        pl.lit("banner").alias("subject_level"),
        pl.lit(book.season.interval.start).alias("period_start"),
        pl.lit(book.season.interval.end).alias("period_end"),
        pl.lit(None if least.last is None else least.last * 10, dtype=pl.Int64).alias("threshold"),
        pl.lit("0.1 %").alias("unit"),
    )
    if trace is not None:
        _tell(trace, frame.row(0, named=True), facts[0], since, least)
    return frame


def _tell(trace: Trace, row: dict[str, Any], facts: dict[str, Any], since: Threshold, least: Threshold) -> None:
    since.tell(trace)
    least.tell(trace)
    share = f"{row['value'] / 10:.1f} %"
    trace.step(
        "计量覆盖",
        "metered",
        f"公共建筑和新建居住建筑 {facts['homes']} 户，装表计量 {facts['homes_metered']} 户，{share}",
        working_en=f"{facts['homes']} homes in public and new buildings, {facts['homes_metered']} metered, {share}",
    )
    trace.step(
        "两部制收费",
        "two-part bills",
        f"计量户中已出账 {facts['billed']} 户，按用热量收费 {facts['by_heat']} 户",
        working_en=f"{facts['billed']} metered homes are billed, {facts['by_heat']} of them by their heat",
    )
    trace.branch(
        BRANCHES[str(row["branch"])][0],
        {zh: key == row["branch"] for key, (zh, _) in BRANCHES.items()},
        dict(BRANCHES.values()),
    )
    short = facts["billed"] - facts["by_heat"]
    words = {
        "met": (
            f"计量覆盖率 {share}，计量户都按两部制收费。",
            f"{share} are metered and every metered home is billed by its heat.",
        ),
        "undecidable": (
            f"计量覆盖率 {share}；{BRANCHES[str(row['branch'])][0]}，不能判定是否达到要求。",
            f"{share} are metered; whether that is enough cannot be decided: {BRANCHES[str(row['branch'])][1]}.",
        ),
        "breached": (
            f"有 {short} 户装了表却没有按用热量收费。" if short > 0 else f"计量覆盖率 {share}，低于要求。",
            f"{short} metered homes are billed without their heat." if short > 0 else f"Only {share} are metered.",
        ),
    }
    trace.sentence(*words[str(row["verdict"])])
