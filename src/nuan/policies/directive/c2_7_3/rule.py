"""2.7.3 移交后维修、养护、更新费用由供热企业承担，保修期内由建设单位承担: every repair of the year, and whether the right one was charged."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.support.payer import BRANCHES as WAYS
from nuan.policies.support.payer import PAYERS
from nuan.policies.support.verdicts import Found, frame_of, year_days
from nuan.policies.support.works import decided_repairs
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan
from nuan.terms.places import day_date

CLAUSE = "2.7.3"
BRANCHES = {
    "charged_rightly": ("费用都由应承担的一方列支", "every cost is charged to whoever bears it"),
    "charged_wrongly": ("有费用列支给了不该承担的一方", "a cost is charged to somebody who does not bear it"),
    "open": ("有费用由谁承担无法判定", "who bears a cost is undecidable"),
}
TOLD = 20
"""So many repairs are named in a judgement's facts and trace; the page of repairs has them all."""


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row for each company and banner (the item) with repairs in the year: `value` = repairs charged to the wrong party."""
    decided = decided_repairs(book, pack).with_columns(
        wrong=(pl.col("payer") != "")
        & ~pl.col("charged_to").is_in(["unknown"])
        & ~(
            (pl.col("charged_to") == pl.col("payer"))
            | ((pl.col("charged_to") == "fund") & (pl.col("payer") == "company"))
        ),
        open=(pl.col("payer") == "") | (pl.col("charged_to") == "unknown"),
    )
    return frame_of(_found(decided, book), "company", book, BRANCHES, trace)


def _found(decided: pl.DataFrame, book: FactBook) -> Iterator[Found]:
    for (company, banner), own in decided.group_by("company", "banner", maintain_order=True):
        wrong, open_ = own.filter("wrong"), own.filter("open")
        branch = "charged_wrongly" if wrong.height else "open" if open_.height else "charged_rightly"
        verdict = {"charged_wrongly": "breached", "open": "undecidable", "charged_rightly": "met"}[branch]
        wrong_fen = int(wrong["cost_fen"].sum())
        yield Found(
            str(company),
            str(banner),
            branch,
            verdict,
            why="fact_missing" if branch == "open" else "",
            value=wrong.height,
            threshold=0,
            unit="项",
            facts={
                "repairs": own.height,
                "repairs_wrong": wrong.height,
                "repairs_open": open_.height,
                "wrong_fen": wrong_fen,
                "wrong": wrong["repair"].head(TOLD).to_list(),
                "open": open_["repair"].head(TOLD).to_list(),
            },
            steps=[_overview(own, book), *_ways(own), *_told(wrong), *_told(open_)],
            sentence=_sentence(branch, own.height, wrong.height, open_.height, wrong_fen),
        )


def _overview(own: pl.DataFrame, book: FactBook) -> tuple[str, str, str, str]:
    days = year_days(book)
    first, last = day_date(days.start), day_date(days.stop - 1)
    total = format_yuan(int(own["cost_fen"].sum()))
    zh = f"{first} 至 {last} 共 {own.height} 项，{total} 元；逐项按设施、日期和保修期确定承担方"
    en = f"{first} to {last}: {own.height} repairs, {total} yuan; each decided by asset, date and warranty"
    return "本年度维修", "repairs of the year", zh, en


def _ways(own: pl.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    by_way = own.group_by("branch", maintain_order=True).agg(pl.len(), pl.col("cost_fen").sum())
    for way, n, fen in by_way.iter_rows():
        zh, en = f"{WAYS[way].zh}（{n} 项，{format_yuan(fen)} 元）", f"{WAYS[way].en} ({n}, {format_yuan(fen)} yuan)"
        yield "承担方", "who bears it", zh, en


def _told(rows: pl.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    for row in rows.head(TOLD).iter_rows(named=True):
        yield _line(row)


def _line(row: dict[str, Any]) -> tuple[str, str, str, str]:
    way, charged = WAYS[row["branch"]], PAYERS[row["charged_to"]]
    day, cost = day_date(row["day"]), format_yuan(row["cost_fen"])
    until = "" if row["warranty_until_day"] is None else str(day_date(row["warranty_until_day"]))
    zh = f"{day}，设施 {row['asset']}，{cost} 元：{way.zh}{f'（保修至 {until}）' if until else ''}；实际列支：{charged[0]}"
    en = f"{day}, asset {row['asset']}, {cost} yuan: {way.en}{f' (until {until})' if until else ''}; charged to: {charged[1]}"
    return f"维修 {row['repair']}", f"repair {row['repair']}", zh, en


def _sentence(branch: str, all_: int, wrong: int, open_: int, fen: int) -> tuple[str, str]:
    if branch == "charged_wrongly":
        return (
            f"本年度 {all_} 项维修中有 {wrong} 项列支给了不该承担的一方，共 {format_yuan(fen)} 元，应改由应承担的一方支付。",
            f"Of {all_} repairs {wrong} are charged to somebody who does not bear them, {format_yuan(fen)} yuan in all.",
        )
    if branch == "open":
        return (
            f"本年度 {all_} 项维修中有 {open_} 项由谁承担或由谁列支还不清楚。",
            f"Of {all_} repairs {open_} cannot be told.",
        )
    return f"本年度 {all_} 项维修都由应承担的一方列支。", f"All {all_} repairs are charged to whoever bears them."
