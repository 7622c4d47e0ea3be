"""The lists of the money pages as sheets of a workbook, in the words of the page's language. Homes stand there without their doors."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

import polars as pl
from django.db.models import Sum

from nuan.operations.support_costs import payers_of
from nuan.operations.support_funds import reason_of, state_of
from nuan.operations.support_reports import (
    CostReport,
    DebtRow,
    ageing,
    books,
    bounded,
    cost_report,
    costs_of,
    debt_rows,
    subsidy_rows,
)
from nuan.operations.workbooks import Fen, Formula, Sheet
from nuan.policies.support.arrears import AGES
from nuan.policies.support.price_cost import GROUNDS
from nuan.records.accounts.models import Role
from nuan.records.registry.models import Banner, Company, Home
from nuan.records.support.models import (
    CostEntry,
    FundAccount,
    FundApplication,
    FundingSource,
    FundMovement,
    GovernmentDebt,
    Repair,
)
from nuan.terms.places import day_date
from nuan.web.journal import masked
from nuan.web.support_words import AGE_WORDS, APPLICATION_STATES, DEBT_STATES, SUBSIDY_STATES, label
from nuan.web.tables import sheet
from nuan.web.wording import pick, say

MONEY = frozenset({Role.FINANCE, Role.BANNER, Role.CITY})
BUREAUS = frozenset({Role.BANNER, Role.CITY})
Sight = Collection[str] | None
DEBTS = ("debt", "debt_payment", "instalment")


def _names() -> dict[str, str]:
    return dict(Banner.objects.values_list("code", "name")) | dict(Company.objects.values_list("code", "name"))


def _note(season: str, day: date) -> str:
    return say("供暖季 {season},截至 {day}。金额单位:元。", season=season, day=day)


def repairs(season: str, day: date, banners: Sight, company: str | None) -> list[Sheet]:
    rows = Repair.objects.filter(on__lte=day, reverses=None, reversed_by=None)
    if banners is not None:
        rows = rows.filter(asset__banner_id__in=list(banners))
    if company is not None:
        rows = rows.filter(asset__company_id=company)
    chosen = list(rows.select_related("asset__company", "asset__banner").order_by("-on", "-id")[:20_000])
    bears = payers_of([(row.asset, row.on) for row in chosen])
    heads = ["编号", "日期", "设施", "企业", "旗区", "类别", "费用(元)", "应由谁承担", "理由", "实际列支", "发票号"]
    lines = [
        [
            row.code, row.on, row.asset.name, row.asset.company.name, row.asset.banner.name, say(row.get_category_display()),
            Fen(row.cost_fen), pick(*decided.payer_words), pick(decided.reason_zh, decided.reason_en),
            say(row.get_charged_to_display()), row.invoice_ref,
        ]
        for row, decided in zip(chosen, bears, strict=True)
    ]  # fmt: skip
    return [sheet("维修与承担", heads, lines, notes=[_note(season, day)])]


def costs(season: str, day: date, banners: Sight, company: str | None) -> list[Sheet]:
    frame = costs_of(season, day, banners, company)
    report = cost_report(season, day, banners, company, frame, with_heat=True)
    return [_supply(report, season, day), _ledger(frame, season, day)]


def _supply(report: CostReport, season: str, day: date) -> Sheet:
    """Sums, unit costs and shares are formulas, so that a reviewer can change a figure and see what follows."""
    heads = ["类别", "认定", "笔数", "金额(元)", "企业列入(元)", "计入定价成本(元)"]
    lines = []
    for each in report.lines:
        other = each.ground == "other_cost"
        counted = Formula("=E{row}") if other else Formula("=D{row}") if each.included else Fen(0)
        category = say(str(CostEntry.Category(each.category).label))
        lines.append(
            [category, pick(*GROUNDS[each.ground]), each.lines, Fen(each.amount_fen), Fen(each.reported_fen), counted]
        )
    head = 5
    total = f"F{head + len(lines) + 1}" if lines else "0"
    area = report.area_m2_100 / 100
    gj = None if report.heat_kwh is None else round(report.heat_kwh * 36 / 10_000, 2)
    notes = [
        _note(season, day),
        say("供热面积 {area} m²。", area=f"{area:,.2f}"),
        say("供热量未知") if gj is None else say("供热量 {gj} GJ,计量覆盖 {share}% 的小时。", gj=f"{gj:,.2f}", share=report.hours_percent),
        say("单位成本见表末。"),
    ]  # fmt: skip
    tail = [
        [say("每平方米(元)"), None, None, None, None, Formula(f"={total}/{area}") if area else None],
        [say("每吉焦(元)"), None, None, None, None, Formula(f"={total}/{gj}") if gj else None],
    ]
    return sheet("供热成本报告", heads, lines, notes=notes, tail=tail)


def _ledger(frame: pl.DataFrame, season: str, day: date) -> Sheet:
    names = _names()
    heads = ["凭证编号", "日期", "企业", "旗区", "类别", "设施编号", "金额(元)", "已列入定价成本", "认定"]
    lines = [
        [
            row["cost"], day_date(row["day"]), names.get(row["company"], row["company"]), names.get(row["banner"], row["banner"]),
            say(str(CostEntry.Category(row["category"]).label)), row["asset"], Fen(row["amount_fen"]),
            say("是") if row["in_price_cost"] else say("否"), pick(*GROUNDS[row["ground"]]),
        ]
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
    return sheet("成本账", heads, lines, notes=[_note(season, day)])


def subsidies(season: str, day: date, banners: Sight, company: str | None) -> list[Sheet]:
    _, facts, _ = books(season, day, ("subsidy",))
    rows = subsidy_rows(bounded(facts, banners, company)["subsidy"], day)[:50_000]
    homes = {
        home.code: home for home in Home.objects.filter(code__in=[row.home for row in rows]).select_related("building")
    }
    names = _names()
    heads = ["补贴项目", "对象", "旗区", "应付(元)", "已付(元)", "尚欠(元)", "应付日", "逾期天数", "状态"]
    lines = [
        [
            row.programme, masked(homes[row.home]), names.get(row.banner, row.banner), Fen(row.payable_fen), Fen(row.paid_fen),
            Formula("=D{row}-E{row}") if row.payable_fen is not None else None, None if row.due_day is None else day_date(row.due_day),
            row.standing.overdue_days or None, say(SUBSIDY_STATES[row.state][0]),
        ]
        for row in rows
    ]  # fmt: skip
    return [sheet("取暖补贴", heads, lines, notes=[_note(season, day)])]


def arrears(season: str, day: date, banners: Sight, company: str | None) -> list[Sheet]:
    _, facts, made = books(season, day, DEBTS)
    seen = bounded(facts, banners, company)
    book = next(iter(made.values()))
    rows = debt_rows(seen, type(book)(book.season, book.as_of_s, seen), day)
    debts = {debt.code: debt for debt in GovernmentDebt.objects.filter(code__in=[row.stands.debt for row in rows])}
    names = _names()
    heads = [
        "欠账编号",
        "欠款单位",
        "旗区",
        "企业",
        "种类",
        "金额(元)",
        "已还(元)",
        "尚欠(元)",
        "账龄",
        "逾期天数",
        "状态",
        "未按计划清偿(元)",
    ]
    lines = [
        [
            row.stands.debt, debts[row.stands.debt].debtor, names.get(row.banner, ""), names.get(row.company, ""),
            say(debts[row.stands.debt].get_kind_display()), Fen(row.amount_fen), Fen(row.amount_fen - row.stands.outstanding_fen),
            Formula("=F{row}-G{row}"), say(AGE_WORDS[row.age]), row.days_late or None, say(DEBT_STATES[row.stands.state][0]),
            Fen(row.stands.late_fen),
        ]
        for row in rows
    ]  # fmt: skip
    return [sheet("政府欠账", heads, lines, notes=[_note(season, day)]), _ages(rows, season, day)]


def _ages(rows: Sequence[DebtRow], season: str, day: date) -> Sheet:
    """What is outstanding by kind and age; the last column adds up across, the last line down."""
    table = ageing(rows)
    last = chr(ord("A") + len(AGES))
    lines = [
        [
            say(str(words)),
            *(Fen(table.get(kind, {}).get(age[0])) for age in AGES),
            Formula(f"=SUM(B{{row}}:{last}{{row}})"),
        ]
        for kind, words in GovernmentDebt.Kind.choices
    ]
    return sheet("种类与账龄", ["种类", *AGE_WORDS.values(), "合计"], lines, notes=[_note(season, day)])


def funding(season: str, day: date, banners: Sight, company: str | None) -> list[Sheet]:
    rows = FundingSource.objects.select_related("banner").order_by("banner_id", "kind")
    if banners is not None:
        rows = rows.filter(banner_id__in=list(banners))
    _, facts, _ = books(season, day, ("funding",))
    used = dict(facts["funding"].select("funding", "used_fen").iter_rows())
    heads = ["资金编号", "资金名称", "旗区", "种类", "承诺(元)", "已用(元)", "余额(元)", "起", "止"]
    lines = [
        [
            row.code, row.name, row.banner.name, label(row.get_kind_display()), Fen(row.committed_fen), Fen(used.get(row.code)),
            Formula("=E{row}-F{row}"), row.valid_from, row.valid_to,
        ]
        for row in rows
    ]  # fmt: skip
    return [sheet("资金来源", heads, lines, notes=[_note(season, day)])]


def funds(season: str, day: date, banners: Sight, company: str | None) -> list[Sheet]:
    """Accounts with their balance, applications with the rule's answer; a company sees its own applications."""
    rows = FundApplication.objects.select_related("account__banner", "company", "asset").order_by("-id")
    accounts = FundAccount.objects.select_related("banner").order_by("code")
    if banners is not None:
        rows, accounts = rows.filter(account__banner__in=list(banners)), accounts.filter(banner__in=list(banners))
    if company is not None:
        rows, accounts = rows.filter(company=company), accounts.filter(banner__substations__company=company).distinct()
    told = FundMovement.objects.filter(account__in=accounts, on__lte=day).values_list("account", "kind")
    moved = {(pk, kind): fen for pk, kind, fen in told.annotate(fen=Sum("amount_fen"))}
    first = [
        [
            each.code,
            each.name,
            each.banner.name,
            each.opened_on,
            Fen(moved.get((each.pk, "deposit"), 0)),
            Fen(-moved.get((each.pk, "spending"), 0)),
            Formula("=E{row}-F{row}"),
        ]
        for each in accounts
    ]
    second = [
        [
            each.code, each.applied_on, each.account.banner.name, each.company.name, each.asset.name, say(each.get_work_display()),
            Fen(each.amount_fen), say(APPLICATION_STATES[state_of(each)][0]), pick(*reason_of(each.branch)),
        ]
        for each in rows[:20_000]
    ]  # fmt: skip
    heads = ["编号", "账户", "旗区", "设立日", "存入(元)", "支出(元)", "余额(元)"]
    asked = ["编号", "日期", "旗区", "企业", "设施", "类别", "金额(元)", "状态", "规则怎么说"]
    note = [_note(season, day)]
    return [sheet("管网保障资金", heads, first, notes=note), sheet("申请", asked, second, notes=note)]


FILES: Mapping[str, tuple[Callable[..., list[Sheet]], frozenset[Role]]] = {
    "repairs": (repairs, MONEY),
    "costs": (costs, MONEY),
    "subsidies": (subsidies, BUREAUS),
    "arrears": (arrears, MONEY),
    "funding": (funding, BUREAUS),
    "funds": (funds, MONEY),
}
