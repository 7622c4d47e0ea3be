"""The repairs of the season's year with their payers, as the clauses 2.7.3 and 2.7.4 both read them."""

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.support.payer import decide, with_least_warranty
from nuan.policies.support.verdicts import year_days
from nuan.rules.pack import Pack


def assets_of(book: FactBook, pack: Pack) -> pl.DataFrame:
    end = book.season.last_day
    return with_least_warranty(book["asset"], pack, (end.month, end.day))


def decided_repairs(book: FactBook, pack: Pack) -> pl.DataFrame:
    """The repair table of the year with `branch` and `payer`; a repair of an asset that is not in the registry has the payer unknown."""
    days = year_days(book)
    repairs = book["repair"].filter(pl.col("day").is_between(days.start, days.stop - 1))
    assets = assets_of(book, pack).drop("company", "banner", "kind")
    joined = repairs.join(assets, on="asset", how="left", maintain_order="left").with_columns(
        *(pl.col(name).fill_null("unknown") for name in ("owner", "position", "handover", "warranty")),
        pl.col("contract").fill_null(False),
    )
    return decide(joined)
