"""Who bears a repair: decided by the asset, the day and the warranty (2.7.3), never by who happened to pay.

The hand-over day itself counts as handed over; the last day of a warranty is within it. Where the warranty is not recorded, the least
warranty of the place's law is certain cover and nothing more: after it, nobody may guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from nuan.rules.pack import Pack
from nuan.terms.calendar import add_months
from nuan.terms.places import day_date, day_number

LEAST_WARRANTY = "warranty.seasons"


@dataclass(frozen=True, slots=True)
class Branch:
    """One way the decision can go. `payer` is empty where it cannot be decided."""

    payer: str
    zh: str
    en: str


BRANCHES: Mapping[str, Branch] = {
    "user_by_contract": Branch(
        "user",
        "户内自有设施，供用热合同载明由用户负责：用户承担",
        "the user's own installation inside, by contract: the user",
    ),
    "no_contract": Branch(
        "",
        "户内自有设施，但没有登记供用热合同的约定：无法判定",
        "the user's own installation inside, but no contract is recorded: undecidable",
    ),
    "owner_unknown": Branch(
        "",
        "产权人或设施位置未登记，分不清是户内自有还是供热企业的设施：无法判定",
        "owner or position not recorded, so own and company installations cannot be told apart: undecidable",
    ),
    "handover_unknown": Branch(
        "", "是否移交未登记：无法判定", "whether it was handed over is not recorded: undecidable"
    ),
    "not_handed_over": Branch(
        "",
        "当日尚未移交供热企业，本条只管移交以后：无法判定，先按2.7.1、2.7.2办理移交",
        "not handed over on that day, and the clause speaks of the time after: undecidable; hand it over first (2.7.1, 2.7.2)",
    ),
    "builder_in_warranty": Branch(
        "builder",
        "已移交，尚在保修期内：建设单位承担",
        "handed over and within its warranty: the builder",
    ),
    "builder_in_least_warranty": Branch(
        "builder",
        "已移交，保修期未登记，但尚在规定的最短保修期内：建设单位承担",
        "handed over, warranty not recorded but within the least one of the law: the builder",
    ),
    "warranty_unknown": Branch(
        "",
        "已移交，但保修期未登记，也不在规定的最短保修期内：无法判定",
        "handed over, but the warranty is neither recorded nor certain by law: undecidable",
    ),
    "company_after_warranty": Branch(
        "company",
        "已移交，不在保修期内：供热企业承担",
        "handed over and out of warranty: the company",
    ),
}
PAYERS: Mapping[str, tuple[str, str]] = {
    "company": ("供热企业", "the heating company"),
    "builder": ("建设单位", "the builder"),
    "user": ("热用户", "the user"),
    "fund": ("保障资金", "the maintenance fund"),
    "unknown": ("未登记", "not recorded"),
    "": ("无法判定", "undecidable"),
}


def least_until(handed_over: date, seasons: int, season_end: tuple[int, int]) -> date:
    """The last day of the `seasons`-th heating season that ends on or after the hand-over; `season_end` is (month, day).

    A season that was running at the hand-over counts, so this is the shortest reading of 不少于二个采暖期.

    >>> least_until(date(2024, 9, 1), 2, (4, 15)), least_until(date(2024, 4, 15), 1, (4, 15))
    (datetime.date(2026, 4, 15), datetime.date(2024, 4, 15))
    """
    month, day = season_end
    first_end = date(handed_over.year, month, day)
    if first_end < handed_over:
        first_end = add_months(first_end, 12)
    return add_months(first_end, 12 * (seasons - 1))


def with_least_warranty(assets: pl.DataFrame, pack: Pack, season_end: tuple[int, int] | None) -> pl.DataFrame:
    """The asset table with `least_until_day`: until when the law of the hand-over day makes a warranty certain; null where it does not,
    as where the place's law does not say when its seasons end."""
    found: list[int | None] = []
    for warranty, handed_over in assets.select("warranty", "handed_over_day").iter_rows():
        seasons = None
        if warranty == "unknown" and handed_over is not None:
            seasons = pack.value(LEAST_WARRANTY, day_date(handed_over))
        if seasons is None or season_end is None:
            found.append(None)
        else:
            found.append(day_number(least_until(day_date(handed_over), int(seasons), season_end)))
    return assets.with_columns(pl.Series("least_until_day", found, dtype=pl.Int32))


def decide(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `branch` and `payer` to rows that have `day` and the columns of the asset table with `least_until_day`."""
    day = pl.col("day")
    users = (pl.col("owner") == "user") & (pl.col("position") == "inside")
    blurred = ((pl.col("owner") == "unknown") & pl.col("position").is_in(["inside", "unknown"])) | (
        (pl.col("owner") == "user") & (pl.col("position") == "unknown")
    )
    within = (pl.col("warranty") == "until") & (day <= pl.col("warranty_until_day"))
    branch = (
        pl.when(users & pl.col("contract"))
        .then(pl.lit("user_by_contract"))
        .when(users)
        .then(pl.lit("no_contract"))
        .when(blurred)
        .then(pl.lit("owner_unknown"))
        .when(pl.col("handover") == "unknown")
        .then(pl.lit("handover_unknown"))
        .when((pl.col("handover") == "pending") | (day < pl.col("handed_over_day")).fill_null(True))
        .then(pl.lit("not_handed_over"))
        .when(within.fill_null(False))
        .then(pl.lit("builder_in_warranty"))
        .when((pl.col("warranty") == "unknown") & (day <= pl.col("least_until_day")).fill_null(False))
        .then(pl.lit("builder_in_least_warranty"))
        .when(pl.col("warranty") == "unknown")
        .then(pl.lit("warranty_unknown"))
        .otherwise(pl.lit("company_after_warranty"))
    )
    payers = {name: each.payer for name, each in BRANCHES.items()}
    return rows.with_columns(branch.alias("branch")).with_columns(
        pl.col("branch").replace_strict(payers, return_dtype=pl.String).alias("payer")
    )
