"""3.2 解决历史欠账；财政资金投入机制: per banner its debts to companies with their settlement, and whether a budget stands behind heating."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.support.arrears import Instalment, instalments_kept
from nuan.policies.support.verdicts import Found, as_of_day, frame_of
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan
from nuan.terms.places import day_number

CLAUSE = "3.2"
KINDS: Mapping[str, tuple[str, str]] = {
    "subsidy": ("供热补贴", "subsidies"),
    "works": ("工程费", "works"),
    "infrastructure_fee": ("基础设施配套费", "infrastructure fees"),
    "coal_price": ("煤价疏导", "coal-price relief"),
}
SOURCES: Mapping[str, tuple[str, str]] = {
    "budget": ("财政预算", "budget"),
    "central": ("中央资金", "central funds"),
    "bond": ("债券资金", "bonds"),
    "ppp": ("政府和社会资本合作", "public-private partnership"),
    "fund": ("基金", "funds"),
}
BRANCHES = {
    "settled": ("没有到期未还的欠账，或清偿计划按期履行", "nothing is overdue, or its settlement plan is kept"),
    "unsettled": ("欠账到期未还，没有清偿计划", "debts are overdue without a settlement plan"),
    "plan_broken": ("清偿计划没有按期履行", "a settlement plan is broken"),
    "due_unknown": ("欠账的应付日没有登记", "when a debt is due is not recorded"),
    "no_debts": ("已报告没有欠账", "reported that there are no debts"),
    "not_recorded": ("没有登记", "not recorded"),
    "budgeted": ("本季有财政预算安排", "a budget stands for the season"),
    "no_budget": ("本季没有财政预算安排", "no budget for the season"),
}
VERDICTS = {
    "settled": "met", "unsettled": "breached", "plan_broken": "breached", "due_unknown": "undecidable", "no_debts": "met",
    "not_recorded": "undecidable", "budgeted": "met", "no_budget": "breached",
}  # fmt: skip


@dataclass(frozen=True)
class DebtStands:
    """One debt as of a day. `state`: paid, not_due, planned, plan_broken, unsettled, due_unknown; `late_fen` counts against the banner."""

    debt: str
    kind: str
    outstanding_fen: int
    state: str
    late_fen: int


def debts_stand(book: FactBook, today: int) -> list[DebtStands]:
    paid = book["debt_payment"].filter(pl.col("day") <= today)
    found = []
    for row in book["debt"].filter(pl.col("incurred_day") <= today).sort("debt").iter_rows(named=True):
        payments = list(paid.filter(pl.col("debt") == row["debt"]).select("day", "amount_fen").iter_rows())
        plan = book["instalment"].filter((pl.col("debt") == row["debt"]) & (pl.col("agreed_day") <= today))
        outstanding = row["amount_fen"] - sum(fen for _, fen in payments)
        state, late = "unsettled", outstanding
        if outstanding <= 0:
            state, late = "paid", 0
        elif plan.height:
            parts = [Instalment(*each) for each in plan.select("number", "due_day", "amount_fen").iter_rows()]
            kept = instalments_kept(parts, payments, today, int(plan["agreed_day"][0]))
            late = sum(each.short_fen for each in kept)
            state = "plan_broken" if late else "planned"
        elif row["due_day"] is None:
            state, late = "due_unknown", 0
        elif row["due_day"] >= today:
            state, late = "not_due", 0
        found.append(DebtStands(row["debt"], row["kind"], max(outstanding, 0), state, late))
    return found


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """Two rows per banner: item `arrears` (`value` = fen overdue that no kept plan covers) and item `funding` (`value` = fen budgeted)."""
    today = as_of_day(book)
    nil = book["nil_report"].filter(pl.col("day") <= today)
    found = []
    for banner in book["banners"]["banner"].unique().sort().to_list():
        own, said = book.for_subject("banner", banner), set(nil.filter(pl.col("banner") == banner)["subject"])
        found += [_arrears(own, banner, today, said), _funding(own, banner, said)]
    return frame_of(found, "banner", book, BRANCHES, trace)


def _arrears(book: FactBook, banner: str, today: int, nil: set[str]) -> Found:
    stands = debts_stand(book, today)
    states = {each.state for each in stands}
    if not stands:
        branch = "no_debts" if "arrears" in nil else "not_recorded"
    elif "unsettled" in states:
        branch = "unsettled"
    elif "plan_broken" in states:
        branch = "plan_broken"
    else:
        branch = "due_unknown" if "due_unknown" in states else "settled"
    owed, late = sum(each.outstanding_fen for each in stands), sum(each.late_fen for each in stands)
    verdict = VERDICTS[branch]
    by_kind = {kind: sum(each.outstanding_fen for each in stands if each.kind == kind) for kind in KINDS}
    return Found(
        banner,
        "arrears",
        branch,
        verdict,
        why="fact_missing" if verdict == "undecidable" else "",
        value=late if stands else None,
        threshold=0,
        unit="fen",
        facts={
            "debts": len(stands), "outstanding_fen": owed, "late_fen": late, "by_kind_fen": by_kind,
            "unsettled": [each.debt for each in stands if each.state == "unsettled"][:20],
            "plan_broken": [each.debt for each in stands if each.state == "plan_broken"][:20],
        },
        steps=[
            ("欠账", "debts", f"{len(stands)} 笔，尚欠 {format_yuan(owed)} 元", f"{len(stands)}, {format_yuan(owed)} yuan outstanding"),
            *((KINDS[kind][0], KINDS[kind][1], f"尚欠 {format_yuan(fen)} 元", f"{format_yuan(fen)} yuan") for kind, fen in by_kind.items() if fen),
            ("到期未还且没有按计划清偿", "overdue and not settled by plan", f"{format_yuan(late)} 元", f"{format_yuan(late)} yuan"),
        ],
        sentence={
            "settled": ("没有到期未还的欠账，或都在按清偿计划偿还。", "Nothing is overdue, or it is paid by its settlement plan."),
            "unsettled": (f"拖欠供热企业 {format_yuan(late)} 元，其中有欠账没有清偿计划。", f"{format_yuan(late)} yuan are owed to companies, some of it without a settlement plan."),
            "plan_broken": (f"清偿计划没有按期履行，差 {format_yuan(late)} 元。", f"A settlement plan is broken; {format_yuan(late)} yuan are missing."),
            "due_unknown": ("有欠账的应付日没有登记，无法判定是否拖欠。", "When a debt is due is not recorded."),
            "no_debts": ("本旗区报告没有拖欠供热企业的账。", "The banner reports no debts to companies."),
            "not_recorded": ("没有登记欠账，也没有零报告，无法判定。", "No debts and no nil report are recorded."),
        }[branch],
    )  # fmt: skip


def _funding(book: FactBook, banner: str, nil: set[str]) -> Found:
    first, last = day_number(book.season.first_day), day_number(book.season.last_day)
    now = book["funding"].filter(
        (pl.col("from_day") <= last) & (pl.col("to_day").is_null() | (pl.col("to_day") >= first))
    )
    sums = {kind: int(now.filter(pl.col("kind") == kind)["committed_fen"].sum()) for kind in SOURCES}
    used = int(now["used_fen"].sum())
    branch = "budgeted" if sums["budget"] else "no_budget" if "funding" in nil or now.height else "not_recorded"
    verdict = VERDICTS[branch]
    return Found(
        banner,
        "funding",
        branch,
        verdict,
        why="fact_missing" if verdict == "undecidable" else "",
        value=sums["budget"] if now.height else None,
        unit="fen",
        facts={"committed_fen": sums, "used_fen": used},
        steps=[
            *((SOURCES[kind][0], SOURCES[kind][1], f"承诺 {format_yuan(fen)} 元", f"{format_yuan(fen)} yuan committed") for kind, fen in sums.items()),
            ("已用", "used", f"{format_yuan(used)} 元", f"{format_yuan(used)} yuan"),
        ],
        sentence={
            "budgeted": (f"本季财政预算安排 {format_yuan(sums['budget'])} 元。", f"The budget of the season holds {format_yuan(sums['budget'])} yuan."),
            "no_budget": ("本季没有登记财政预算安排。", "No budget stands for the season."),
            "not_recorded": ("没有登记资金来源，无法判定。", "No source of money is recorded."),
        }[branch],
    )  # fmt: skip
