"""Which costs belong to the heat price (2.7.4): maintenance, upkeep and renewal that the company itself bears, and no others' bills."""

from collections.abc import Mapping

import polars as pl

WORKS = ("repair", "upkeep", "renewal")
GROUNDS: Mapping[str, tuple[str, str]] = {
    "company_bears": ("供热企业承担的维修、养护、更新，应列入", "borne by the company: belongs to the price"),
    "builder_bears": ("保修期内由建设单位承担，不列入", "borne by the builder within the warranty: does not belong"),
    "user_bears": ("户内自有设施由用户承担，不列入", "borne by the user: does not belong"),
    "fund_paid": ("已由保障资金列支，不重复列入", "paid by the maintenance fund: does not belong twice"),
    "payer_unknown": ("由谁承担无法判定，暂不能认定", "who bears it is undecidable"),
    "no_asset": ("没有对应到设施，暂不能认定", "no asset is named, so nobody can tell"),
    "other_cost": ("不属于本条，按成本监审规定认定", "not a matter of this clause; the cost review decides"),
}
BELONGS = {"company_bears"}
DOUBTFUL = {"payer_unknown", "no_asset"}


def grounds(costs: pl.DataFrame) -> pl.DataFrame:
    """Adds `ground` to cost rows that have `category`, `asset`, `payer` (null without asset) and `charged_to` (null without repair)."""
    works = pl.col("category").is_in(list(WORKS))
    return costs.with_columns(
        pl.when(~works)
        .then(pl.lit("other_cost"))
        .when(pl.col("charged_to").fill_null("") == "fund")
        .then(pl.lit("fund_paid"))
        .when(pl.col("payer").is_null())
        .then(pl.lit("no_asset"))
        .when(pl.col("payer") == "company")
        .then(pl.lit("company_bears"))
        .when(pl.col("payer") == "builder")
        .then(pl.lit("builder_bears"))
        .when(pl.col("payer") == "user")
        .then(pl.lit("user_bears"))
        .otherwise(pl.lit("payer_unknown"))
        .alias("ground")
    )
