"""2.7.5 管网维修、养护、更新保障资金: every banner has one, and uses it only outside the household meter or inlet."""

from collections.abc import Iterator

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.support.fund import INELIGIBLE, OPEN, OUTCOME, WORDS, branch_of, signed_option
from nuan.policies.support.verdicts import Found, as_of_day, date_text, frame_of
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan

CLAUSE = "2.7.5"
BRANCHES = {
    "used_outside": ("已建立，支出都在以外", "established, all spending outside"),
    "misused": ("有支出用在计量装置或入户端口以内", "money was spent inside the meter or inlet"),
    "overdrawn": ("账户余额为负", "an account is overdrawn"),
    "position_open": ("有支出的设施位置无法判定", "the position of something paid for is undecidable"),
    "none": ("已报告没有建立", "reported as not established"),
    "not_recorded": ("没有登记是否建立", "not recorded whether there is one"),
}
VERDICTS = {
    "used_outside": "met", "misused": "breached", "overdrawn": "breached", "position_open": "undecidable", "none": "breached",
    "not_recorded": "undecidable",
}  # fmt: skip


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per banner: `value` = fen spent on what does not lie outside."""
    today, option = as_of_day(book), signed_option(pack)
    moves = book["fund_movement"].filter(pl.col("day") <= today)
    return frame_of(_found(book, moves, option, today), "banner", book, BRANCHES, trace)


def _found(book: FactBook, moves: pl.DataFrame, option: str | None, today: int) -> Iterator[Found]:
    nil = set(book["nil_report"].filter((pl.col("subject") == "fund") & (pl.col("day") <= today))["banner"])
    for banner in book["banners"]["banner"].unique().sort().to_list():
        accounts = book["fund_account"].filter((pl.col("banner") == banner) & (pl.col("opened_day") <= today))
        own = moves.filter(pl.col("banner") == banner)
        spent = own.filter(pl.col("kind") == "spending")
        ways = [branch_of(position, option) for position in spent["position"].to_list()]
        amounts = spent["amount_fen"].to_list()
        misused = sum(fen for fen, way in zip(amounts, ways, strict=True) if OUTCOME[way] == INELIGIBLE)
        doubtful = sum(fen for fen, way in zip(amounts, ways, strict=True) if OUTCOME[way] == OPEN)
        balances = _balances(own)
        if not accounts.height:
            branch = "none" if banner in nil else "not_recorded"
        elif misused:
            branch = "misused"
        elif any(balance < 0 for balance in balances.values()):
            branch = "overdrawn"
        else:
            branch = "position_open" if doubtful else "used_outside"
        why = (
            ""
            if VERDICTS[branch] != "undecidable"
            else "interpretation_unsigned"
            if "meter_open" in ways
            else "fact_missing"
        )
        sums = {
            "accounts": accounts.height,
            "deposited_fen": int(own.filter(pl.col("kind") == "deposit")["amount_fen"].sum()),
            "spent_fen": int(spent["amount_fen"].sum()),
            "misused_fen": misused,
            "doubtful_fen": doubtful,
            "misused": [m for m, way in zip(spent["movement"], ways, strict=True) if OUTCOME[way] == INELIGIBLE][:20],
        }
        opened = date_text(accounts["opened_day"].min() if accounts.height else None)  # type: ignore[arg-type]
        yield Found(
            banner,
            "season",
            branch,
            VERDICTS[branch],
            why=why,
            value=misused if accounts.height else None,
            threshold=0,
            unit="fen",
            facts=sums,
            steps=_steps(sums, ways, opened),
            sentence=_sentence(branch, misused, doubtful),
        )


def _balances(moves: pl.DataFrame) -> dict[str, int]:
    signed = pl.when(pl.col("kind") == "deposit").then("amount_fen").otherwise(-pl.col("amount_fen"))
    return dict(moves.group_by("account").agg(signed.sum()).iter_rows())


def _steps(sums: dict[str, object], ways: list[str], opened: str) -> list[tuple[str, str, str, str]]:
    put_in, spent = format_yuan(int(str(sums["deposited_fen"]))), format_yuan(int(str(sums["spent_fen"])))
    told = [
        (
            "账户", "accounts", f"{sums['accounts']} 个，最早设立于 {opened}", f"{sums['accounts']}, the first opened on {opened}",
        ),
        ("收支", "in and out", f"存入 {put_in} 元，支出 {spent} 元", f"{put_in} yuan in, {spent} yuan out"),
    ]  # fmt: skip
    for way in dict.fromkeys(ways):
        n = ways.count(way)
        told.append((f"支出 {n} 笔", f"{n} payments", WORDS[way][0], WORDS[way][1]))
    return told


def _sentence(branch: str, misused: int, doubtful: int) -> tuple[str, str]:
    bad, doubt = format_yuan(misused), format_yuan(doubtful)
    return {
        "used_outside": ("保障资金已建立，支出都用在计量装置或入户端口以外。", "The fund exists and was only used outside the meter or inlet."),
        "misused": (f"保障资金有 {bad} 元用在了计量装置或入户端口以内，应当追回。", f"{bad} yuan of the fund were spent inside the meter or inlet."),
        "overdrawn": ("保障资金账户余额为负。", "An account of the fund is overdrawn."),
        "position_open": (f"保障资金有 {doubt} 元支出的设施位置无法判定。", f"Where {doubt} yuan of the fund were used is undecidable."),
        "none": ("本旗区没有建立供热管网维修、养护、更新保障资金。", "The banner has no maintenance fund."),
        "not_recorded": ("是否建立保障资金没有登记，无法判定。", "Whether the banner has a maintenance fund is not recorded."),
    }[branch]  # fmt: skip
