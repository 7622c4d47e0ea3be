"""3.1 实施方案与任务清单；补贴落实到位、不得拖欠: per banner its plan with its tasks, and what is owed to households in need."""

from collections.abc import Iterator

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.support.subsidy import Standing, standing
from nuan.policies.support.verdicts import Found, as_of_day, date_text, frame_of
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan

CLAUSE = "3.1"
BRANCHES = {
    "paid_in_time": ("补贴没有拖欠", "no subsidy is overdue"),
    "overdue": ("补贴拖欠", "subsidies are overdue"),
    "amount_open": ("有补贴金额无法计算", "an amount cannot be computed"),
    "nobody": ("已报告没有应补对象", "reported that nobody is entitled"),
    "not_recorded": ("没有登记", "not recorded"),
    "on_time": ("有方案，任务按期", "there is a plan and its tasks are on time"),
    "task_overdue": ("有任务逾期或没有责任人、期限", "a task is late or lacks an owner or date"),
    "no_plan": ("没有经批准的实施方案", "no approved plan"),
}
VERDICTS = {
    "paid_in_time": "met", "overdue": "breached", "amount_open": "undecidable", "nobody": "met", "not_recorded": "undecidable",
    "on_time": "met", "task_overdue": "breached", "no_plan": "breached",
}  # fmt: skip


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """Two rows per banner: item `subsidy` (`value` = fen overdue) and item `plan` (`value` = tasks late or without owner or date)."""
    today = as_of_day(book)
    nil = book["nil_report"].filter(pl.col("day") <= today)
    found = []
    for banner in book["banners"]["banner"].unique().sort().to_list():
        said = set(nil.filter(pl.col("banner") == banner)["subject"])
        found += [_subsidy(book, banner, today, said), _plan(book, banner, today, said)]
    return frame_of(found, "banner", book, BRANCHES, trace)


def _subsidy(book: FactBook, banner: str, today: int, nil: set[str]) -> Found:
    own = book["subsidy"].filter(pl.col("banner") == banner)
    rows = own.select("programme", "payable_fen", "paid_fen", "due_day").iter_rows()
    stands = [(programme, standing(payable, paid, due, today)) for programme, payable, paid, due in rows]
    late = [each for _, each in stands if each.state == "overdue"]
    unknown = sum(each.state == "unknown" for _, each in stands)
    fen, days = sum(each.outstanding_fen for each in late), max((each.overdue_days for each in late), default=0)
    if late:
        branch = "overdue"
    elif not stands:
        branch = "nobody" if "beneficiaries" in nil else "not_recorded"
    else:
        branch = "amount_open" if unknown else "paid_in_time"
    payable, paid = int(own["payable_fen"].sum()), int(own["paid_fen"].sum())
    expired = own.filter(pl.col("evidence") == "expired").height
    verdict = VERDICTS[branch]
    return Found(
        banner,
        "subsidy",
        branch,
        verdict,
        why="fact_missing" if verdict == "undecidable" else "",
        value=fen if stands else None,
        threshold=0,
        unit="fen",
        facts={
            "homes": own["home"].n_unique(), "payable_fen": payable, "paid_fen": paid, "overdue_fen": fen, "overdue_homes": len(late),
            "overdue_days_most": days, "amount_unknown": unknown, "evidence_expired": expired,
        },
        steps=[
            (
                "应付与已付", "owed and paid",
                f"{own['home'].n_unique()} 户，应付 {format_yuan(payable)} 元，已付 {format_yuan(paid)} 元",
                f"{own['home'].n_unique()} homes, {format_yuan(payable)} yuan owed, {format_yuan(paid)} yuan paid",
            ),
            *_by_programme(stands),
            (
                "证明", "evidence", f"认定日证明已过期 {expired} 户，不计应付", f"{expired} homes whose evidence had expired: nothing owed",
            ),
        ],
        sentence=_subsidy_words(branch, len(late), fen, days),
    )  # fmt: skip


def _by_programme(stands: list[tuple[str, Standing]]) -> Iterator[tuple[str, str, str, str]]:
    for programme in dict.fromkeys(name for name, _ in stands):
        late = [each for name, each in stands if name == programme and each.state == "overdue"]
        fen, days = sum(each.outstanding_fen for each in late), max((each.overdue_days for each in late), default=0)
        zh = f"逾期未付 {len(late)} 户，{format_yuan(fen)} 元，最长 {days} 天"
        yield (
            f"补贴项目 {programme}", f"programme {programme}", zh,
            f"{len(late)} homes overdue, {format_yuan(fen)} yuan, {days} days at the most",
        )  # fmt: skip


def _subsidy_words(branch: str, homes: int, fen: int, days: int) -> tuple[str, str]:
    return {
        "overdue": (
            f"取暖补贴拖欠 {homes} 户，共 {format_yuan(fen)} 元，最长 {days} 天。",
            f"Heating subsidies of {homes} homes are overdue, {format_yuan(fen)} yuan in all, {days} days at the most.",
        ),
        "paid_in_time": ("取暖补贴没有拖欠。", "No heating subsidy is overdue."),
        "nobody": ("本旗区报告没有应补对象。", "The banner reports that nobody is entitled."),
        "amount_open": ("有应补对象的补贴金额无法计算。", "For somebody entitled the amount cannot be computed."),
        "not_recorded": (
            "没有登记应补对象，也没有零报告，无法判定。",
            "No beneficiaries and no nil report are recorded.",
        ),
    }[branch]


def _plan(book: FactBook, banner: str, today: int, nil: set[str]) -> Found:
    plans = book["plan"].filter((pl.col("banner") == banner) & (pl.col("approved_day") <= today))
    tasks = book["plan_task"].filter(pl.col("plan").is_in(plans["plan"].implode()))
    loose = tasks.filter(pl.col("owner").is_null() | pl.col("due_day").is_null())
    late = tasks.filter((pl.col("due_day") < today) & (pl.col("done_day").is_null() | (pl.col("done_day") > today)))
    done = tasks.filter(pl.col("done_day") <= today).height
    bad = pl.concat([loose, late]).unique(["plan", "number"]).height
    if not plans.height:
        branch = (
            "no_plan" if "plan" in nil or book["plan"].filter(pl.col("banner") == banner).height else "not_recorded"
        )
    else:
        branch = "task_overdue" if bad or not tasks.height else "on_time"
    verdict = VERDICTS[branch]
    approved = date_text(plans["approved_day"].max() if plans.height else None)  # type: ignore[arg-type]
    return Found(
        banner,
        "plan",
        branch,
        verdict,
        why="fact_missing" if verdict == "undecidable" else "",
        value=bad if plans.height else None,
        threshold=0,
        unit="项",
        facts={"plans": plans.height, "tasks": tasks.height, "done": done, "late": late.height, "without_owner_or_date": loose.height},
        steps=[
            ("实施方案", "plan", f"{plans.height} 份，批准于 {approved}", f"{plans.height}, approved on {approved}"),
            (
                "任务清单", "tasks",
                f"{tasks.height} 项，已完成 {done} 项，逾期 {late.height} 项，没有责任人或期限 {loose.height} 项",
                f"{tasks.height}, done {done}, late {late.height}, without owner or date {loose.height}",
            ),
        ],
        sentence={
            "on_time": ("有经批准的实施方案，任务都按期。", "There is an approved plan and every task is on time."),
            "task_overdue": (
                f"实施方案的 {tasks.height} 项任务中有 {bad} 项逾期，或没有责任人、期限。",
                f"Of {tasks.height} tasks {bad} are late or lack an owner or a date.",
            ),
            "no_plan": ("没有经批准的具体实施方案。", "There is no approved plan."),
            "not_recorded": ("没有登记实施方案，无法判定。", "No plan is recorded."),
        }[branch],
    )  # fmt: skip
