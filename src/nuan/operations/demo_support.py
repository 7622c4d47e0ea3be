"""The sample city's money around heating: imported, decided and paid by the same acts as anywhere, with a few faults that have to be found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db import transaction

from nuan.operations.demo_findings import Found
from nuan.operations.demo_support_rows import BARE, FORGOTTEN, LATE, WARRANTED, places, tables
from nuan.operations.import_registry import import_registry
from nuan.operations.support_arrears import adopt_plan, agree_settlement_plan, outstanding_fen, report_nil, settle_debt
from nuan.operations.support_facts import subsidy_facts
from nuan.operations.support_funds import apply_fund, decide_fund_application, deposit_fund, open_fund, spend_fund
from nuan.operations.support_subsidies import set_programme
from nuan.records.accounts.models import User
from nuan.records.registry.models import Banner
from nuan.records.supervision.models import CurrentJudgement
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    FundAccount,
    FundApplication,
    FundingSource,
    GovernmentDebt,
)
from nuan.terms.money import format_yuan
from nuan.terms.places import day_number, day_start, local_day
from nuan.terms.season import Season


@dataclass(frozen=True, slots=True)
class Fault:
    """What is planted: a judgement that has to be breached, or a record (`clause` with an empty item) that has to be told."""

    kind: str
    clause: str
    subject: str
    item: str
    zh: str
    month: int
    """From the first of this month of the season (10 … 16: October to April) it can be found."""


PLANTED = (
    Fault("repair_in_warranty", "2.7.3", *WARRANTED, "保修期内的维修列支给了供热企业", 14),
    Fault("cost_left_out", "2.7.4", *FORGOTTEN, "企业承担的更新费用没有列入定价成本", 10),
    Fault("no_fund", "2.7.5", BARE, "season", "旗区没有建立保障资金", 12),
    Fault("fund_inside", "2.7.5", WARRANTED[1], "", "申请保障资金用于户内，被规则拒绝", 10),
    Fault("subsidy_overdue", "3.1", LATE, "subsidy", "困难家庭取暖补贴拖欠", 13),
    Fault("evidence_expired", "3.1", WARRANTED[1], "", "补贴对象的证明已过期", 10),
    Fault("task_overdue", "3.1", BARE, "plan", "实施方案的任务逾期", 13),
    Fault("plan_broken", "3.2", LATE, "arrears", "清偿计划没有按期履行", 13),
    Fault("no_budget", "3.2", BARE, "funding", "没有安排财政预算", 10),
)


def build_support(season: Season, *, resident_home: str = "", actor: str) -> None:
    """Everything once; a build that was killed begins again where nothing was done."""
    if FundAccount.objects.exists():
        return
    with transaction.atomic():
        import_registry(tables(season, resident_home), actor=actor, source="示例城市保障资金").required()
        first = season.first_day
        for banner in Banner.objects.order_by("code").values_list("code", flat=True):
            _programmes(banner, season, actor)
            _plan(banner, season, actor)
        _pay_subsidies(season, actor)
        _settle(first, actor)
        _funds(first, actor)
        said = {"banner": BARE, "season": season.key, "on": date(first.year, 11, 20), "signed_by": "示例旗丙"}
        report_nil(subject="fund", actor=actor, **said)  # type: ignore[arg-type]


def _programmes(banner: str, season: Season, actor: str) -> None:
    first = season.first_day
    shared = {
        "season": season.key, "banner_id": banner, "reference_day": date(first.year, 11, 1), "payer": "示例财政局", "demo": True,
        "due_on": date(first.year, 12, 15), "valid_from": date(first.year, 10, 1), "valid_to": None, "recorded_on": date(first.year, 9, 1),
    }  # fmt: skip
    given = (
        ("F", "低保特困家庭取暖补贴（演示）", ["low_income", "destitute"], "fixed", 60_000, None),
        ("M", "低保边缘和优抚家庭取暖补贴（演示）", ["near_low_income", "special_care"], "per_m2", 450, 40_000),
        ("S", "公益性机构取暖补贴（演示）", ["welfare"], "share", 200, None),
    )
    for letter, name, categories, kind, rate, cap in given:
        values = {
            "code": f"{letter}-{banner[-2:]}",
            "name": name,
            "categories": categories,
            "amount_kind": kind,
            "rate": rate,
            "cap_fen": cap,
        }
        set_programme(shared | values, actor=actor)


def _pay_subsidies(season: Season, actor: str) -> None:
    """Everybody is paid in November, but for every second family in the banner that pays late."""
    on = date(season.first_day.year, 11, 25)
    owed = subsidy_facts(season.key, day_start(day_number(on)))
    beneficiary = dict(Beneficiary.objects.order_by("-code").values_list("home__code", "code"))
    rows = []
    for number, (programme, home, banner, payable) in enumerate(
        owed.select("programme", "home", "banner", "payable_fen").iter_rows()
    ):
        if payable and not (banner == LATE and number % 2):
            yuan = format_yuan(payable).replace(",", "")
            rows.append({
                "code": f"BF-{number:05d}", "beneficiary": beneficiary[home], "programme": programme, "season": season.key,
                "amount_yuan": yuan, "on": on, "reference": f"一卡通{on:%Y%m}",
            })  # fmt: skip
    import_registry({"subsidy_payments": pl.DataFrame(rows)}, actor=actor, source="示例城市补贴拨付").required()


def _plan(banner: str, season: Season, actor: str) -> None:
    year = season.first_day.year
    values = {
        "code": f"FA-{banner[-2:]}-{year}", "banner_id": banner, "season": season.key, "title": f"{season.key} 城镇供热工作实施方案（演示）",
        "first_responsible": "旗区主要负责人", "approved_on": date(year, 9, 5), "document": f"示例办发〔{year}〕{banner[-2:]}号",
    }  # fmt: skip
    late = banner == BARE
    tasks: Sequence[dict[str, object]] = (
        {
            "text": "摸排低收入困难家庭取暖需求",
            "owner": "民政局",
            "due_on": date(year, 10, 10),
            "done_on": date(year, 10, 8),
        },
        {
            "text": "落实取暖补贴资金并拨付",
            "owner": "财政局",
            "due_on": date(year, 11, 30),
            "done_on": None if late else date(year, 11, 28),
        },
        {
            "text": "签订历史欠账清偿计划",
            "owner": "住房和城乡建设局",
            "due_on": date(year, 10, 31),
            "done_on": date(year, 10, 20),
        },
        {"text": "供热期结束后评估", "owner": "住房和城乡建设局", "due_on": date(year + 1, 5, 31), "done_on": None},
    )
    adopt_plan(values, tasks, actor=actor)


def _settle(first: date, actor: str) -> None:
    """A plan for every debt that is due, its first instalment paid from central funds; in the banner that pays late one is not paid."""
    agreed, one, two = date(first.year, 10, 10), date(first.year, 12, 20), date(first.year + 1, 12, 20)
    broken = False
    for debt in GovernmentDebt.objects.filter(due_on__lt=agreed).order_by("code"):
        owed = outstanding_fen(debt)
        half = owed // 2
        parts = [(one, half), (two, owed - half)]
        agree_settlement_plan(
            debt=debt, agreed_on=agreed, signed_by=f"{debt.debtor}、{debt.company.name}", document=f"清偿协议 {debt.code}", parts=parts,
            actor=actor,
        )  # fmt: skip
        if debt.banner_id == LATE and not broken:
            broken = True
            continue
        source = FundingSource.objects.get(banner_id=debt.banner_id, kind="bond")
        settle_debt(
            code=f"CH-{debt.code}",
            debt=debt,
            amount_fen=half,
            on=one,
            reference="债券资金拨付",
            actor=actor,
            source=source,
        )


def _funds(first: date, actor: str) -> None:
    opened = date(first.year - 1, 3, 1)
    for banner in Banner.objects.exclude(code=BARE).order_by("code"):
        account = open_fund(
            code=f"BZ-{banner.code[-2:]}",
            banner=banner.code,
            name=f"{banner.name}供热管网保障资金",
            opened_on=opened,
            actor=actor,
        )
        for number, on in enumerate((date(first.year - 1, 4, 10), date(first.year, 4, 10)), 1):
            deposit_fund(
                code=f"{account.code}-D{number}",
                account=account,
                amount_fen=120_000_000,
                on=on,
                reference="财政拨入",
                actor=actor,
            )
    people = {user.username: user for user in User.objects.filter(username__in=["zhoukuaiji", "wuzhuren", "liuke"])}
    account = FundAccount.objects.filter(banner_id=WARRANTED[1]).first()
    place = next((each for each in places() if (each.company, each.banner) == WARRANTED), None)
    if account is None or place is None or len(people) < 3:
        return
    wanted = (
        (1, 11, "renewal", 36_000_000, "支线腐蚀严重，申请更新"),
        (2, 21, "renewal", 8_500_000, "立管锈蚀，申请更新"),
        (3, 24, "repair", 120_000, "户内管道渗漏，申请维修"),
    )
    for number, asset, work, fen, reason in wanted:
        application = apply_fund(
            code=f"SQ-{place.key}-{number}", account=account, asset=Asset.objects.get(code=f"G-{place.key}-{asset:02d}"), work=work,
            amount_fen=fen, reason=reason, on=date(first.year, 9, 10 + number), by=people["zhoukuaiji"],
        )  # fmt: skip
        if number < 3:
            decide_fund_application(application, by=people["wuzhuren"], approve=True, why="现场核实，位于计量装置以外")
        if number == 1:
            decide_fund_application(application, by=people["liuke"], approve=True, why="同意")
            spend_fund(
                code=f"{account.code}-S1", application=application, amount_fen=fen, on=date(first.year, 9, 28), reference="拨付单",
                actor=actor,
            )  # fmt: skip


def support_found(season: Season, as_of_s: int) -> list[Found]:
    """The planted faults that could be known by then, one line each."""
    lines = []
    for fault in PLANTED:
        year, month = season.first_day.year, fault.month
        begins = date(year + (month > 12), month - 12 if month > 12 else month, 1)
        if day_number(begins) <= local_day(as_of_s - 1):
            seen = _seen(fault, season, as_of_s)
            lines.append(Found(fault.kind, fault.clause, 1, int(seen), fault.zh, [] if seen else [fault.subject]))
    return lines


def _seen(fault: Fault, season: Season, as_of_s: int) -> bool:
    if fault.kind == "fund_inside":
        return FundApplication.objects.filter(eligibility="ineligible", branch="inside").exists()
    if fault.kind == "evidence_expired":
        own = subsidy_facts(season.key, as_of_s).filter(pl.col("banner") == fault.subject)
        return bool(own.filter(pl.col("evidence") == "expired").height)
    item = season.key if fault.item == "season" else fault.item
    return CurrentJudgement.objects.filter(
        clause=fault.clause, subject=fault.subject, item=item, season=season.key, verdict="breached"
    ).exists()


def support_beyond(season: Season) -> dict[str, list[str]]:
    """Companies and banners found at fault where nothing was planted."""
    planted = {(each.clause, each.subject, season.key if each.item == "season" else each.item) for each in PLANTED}
    found: dict[str, list[str]] = {}
    rows = CurrentJudgement.objects.filter(
        clause__in={each.clause for each in PLANTED}, season=season.key, verdict="breached"
    )
    for clause, subject, item in rows.values_list("clause", "subject", "item"):
        if (clause, subject, item) not in planted:
            found.setdefault(clause, []).append(f"{subject} {item}")
    return found
