"""2.7.4 维修、养护、更新等费用纳入供热价格成本: what the company bears and has not entered into its price cost, in fen."""

from collections.abc import Iterator

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.support.payer import decide
from nuan.policies.support.price_cost import BELONGS, DOUBTFUL, GROUNDS, WORKS, grounds
from nuan.policies.support.verdicts import Found, frame_of, year_days
from nuan.policies.support.works import assets_of, decided_repairs
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan

CLAUSE = "2.7.4"
BRANCHES = {
    "all_in": ("应列入的都已列入", "all that belongs is in"),
    "left_out": ("有应列入的费用没有列入", "a cost that belongs is left out"),
    "open": ("有费用能否列入无法判定", "whether a cost belongs is undecidable"),
}


def costed(book: FactBook, pack: Pack, days: range | None = None) -> pl.DataFrame:
    """The cost ledger of the year, or of `days` within it, with `ground`; repairs that the company paid without entering them stand in it as not reported."""
    days = year_days(book) if days is None else days
    costs = book["cost"].filter(pl.col("day").is_between(days.start, days.stop - 1))
    assets = assets_of(book, pack).drop("company", "banner", "kind")
    named = costs.join(assets, on="asset", how="inner", maintain_order="left")
    payer = decide(named).select("cost", "payer")
    repairs = decided_repairs(book, pack).filter(pl.col("day").is_between(days.start, days.stop - 1))
    charged = repairs.select("repair", "charged_to")
    entered = costs.join(payer, on="cost", how="left", maintain_order="left").join(
        charged, on="repair", how="left", maintain_order="left"
    )
    missing = repairs.filter((pl.col("charged_to") == "company") & (pl.col("payer") == "company")).join(
        costs.filter(pl.col("repair").is_not_null()), on="repair", how="anti"
    )
    forgotten = missing.select(
        pl.col("repair").alias("cost"), "company", "banner", "asset", "repair", "day", "category",
        pl.col("cost_fen").alias("amount_fen"), pl.lit(False).alias("in_price_cost"), "payer", "charged_to",
    )  # fmt: skip
    return grounds(pl.concat([entered, forgotten.select(entered.columns)]))


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row for each company and banner (the item) that has such costs: `value` = fen that belong to the price cost and are left out."""
    works = costed(book, pack).filter(pl.col("category").is_in(list(WORKS)))
    return frame_of(_found(works), "company", book, BRANCHES, trace)


def _found(works: pl.DataFrame) -> Iterator[Found]:
    for (company, banner), own in works.group_by("company", "banner", maintain_order=True):
        belongs = own.filter(pl.col("ground").is_in(list(BELONGS)))
        out = belongs.filter(~pl.col("in_price_cost"))
        doubtful = own.filter(pl.col("ground").is_in(list(DOUBTFUL)))
        foreign = own.filter(~pl.col("ground").is_in([*BELONGS, *DOUBTFUL]) & pl.col("in_price_cost"))
        branch = "left_out" if out.height else "open" if doubtful.height else "all_in"
        verdict = {"left_out": "breached", "open": "undecidable", "all_in": "met"}[branch]
        sums = {name: int(rows["amount_fen"].sum()) for name, rows in
                (("belongs_fen", belongs), ("left_out_fen", out), ("doubtful_fen", doubtful), ("foreign_fen", foreign))}  # fmt: skip
        yield Found(
            str(company),
            str(banner),
            branch,
            verdict,
            why="fact_missing" if branch == "open" else "",
            value=sums["left_out_fen"],
            threshold=0,
            unit="fen",
            facts=sums | {"lines": own.height, "left_out": out["cost"].head(20).to_list()},
            steps=_steps(own, sums),
            sentence=_sentence(branch, sums),
        )


def _steps(own: pl.DataFrame, sums: dict[str, int]) -> list[tuple[str, str, str, str]]:
    by_ground = own.group_by("ground").agg(pl.len().alias("n"), pl.col("amount_fen").sum()).sort("ground")
    told = [
        (
            GROUNDS[ground][0],
            GROUNDS[ground][1],
            f"{n} 笔，{format_yuan(fen)} 元",
            f"{n} lines, {format_yuan(fen)} yuan",
        )
        for ground, n, fen in by_ground.iter_rows()
    ]
    belongs, out, foreign = (format_yuan(sums[name]) for name in ("belongs_fen", "left_out_fen", "foreign_fen"))
    return [
        *told,
        ("应列入", "belongs", f"{belongs} 元，其中未列入 {out} 元", f"{belongs} yuan, of which left out {out} yuan"),
        ("不该列入而列入", "in without belonging", f"{foreign} 元", f"{foreign} yuan"),
    ]


def _sentence(branch: str, sums: dict[str, int]) -> tuple[str, str]:
    out, belongs = format_yuan(sums["left_out_fen"]), format_yuan(sums["belongs_fen"])
    if branch == "left_out":
        return (
            f"应列入供热价格成本的维修、养护、更新费用中有 {out} 元没有列入。",
            f"{out} yuan of maintenance, upkeep and renewal that belong to the price cost are left out.",
        )
    if branch == "open":
        return "有维修、养护、更新费用能否列入还不清楚。", "For some costs nobody can tell whether they belong."
    return f"应列入的 {belongs} 元都已列入供热价格成本。", f"All {belongs} yuan that belong are in the price cost."
