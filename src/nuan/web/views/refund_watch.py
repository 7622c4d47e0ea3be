"""What the bureau looks at: refunds that were judged and are not paid, by company and by how long."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.refund_status import CompanyRefunds, HomeRefund, by_company, unpaid_homes
from nuan.operations.workbooks import Fen
from nuan.records.registry.models import Company, Home
from nuan.web.guard import Visit
from nuan.web.journal import masked
from nuan.web.tables import table_answer
from nuan.web.wording import say

PAGE = 50
HEADS = [
    "企业",
    "供暖季",
    "判定应退(元)",
    "已入账(元)",
    "已付(元)",
    "未付(元)",
    "未付户数",
    "最久(天)",
    "最迟付清",
    "逾期(天)",
]


def _bounds(request: Visit) -> dict[str, str]:
    """A banner sees the refunds of its own homes, a company its own, the city all."""
    kind, code = request.scope.kind, request.scope.code
    return {"banner": code if kind == "banner" else "", "company": code if kind == "company" else ""}


def _rows(request: Visit) -> list[CompanyRefunds]:
    return by_company(timezone.localdate(), **_bounds(request))


def refund_watch(request: Visit) -> HttpResponse:
    rows = _rows(request)
    context = {
        "rows": rows,
        "unpaid_fen": sum(row.unpaid_fen for row in rows),
        "judged_fen": sum(row.judged_fen for row in rows),
        "paid_fen": sum(row.paid_fen for row in rows),
        "overdue": [row for row in rows if row.overdue_days],
    }
    return render(request, "web/money/refund_watch.html", context)


def refund_watch_table(request: Visit, form: str) -> HttpResponseBase:
    lines = [
        [
            row.name, row.season, Fen(row.judged_fen), Fen(row.booked_fen), Fen(row.paid_fen), Fen(row.unpaid_fen), row.homes_waiting,
            row.longest_days, row.deadline or say("未载明"), row.overdue_days,
        ]
        for row in _rows(request)
    ]  # fmt: skip
    return table_answer(form, "refunds-unpaid", "退费监管", HEADS, lines)


def _homes(request: Visit, company: str, season: str) -> list[HomeRefund]:
    if not request.scope.companies().filter(code=company).exists():
        raise Http404
    return unpaid_homes(company, season, timezone.localdate(), banner=_bounds(request)["banner"])


def refund_watch_homes(request: Visit, company: str, season: str) -> HttpResponse:
    """The homes of one company that wait, the longest first."""
    pages = Paginator(_homes(request, company, season), PAGE).get_page(request.GET.get("page"))
    homes = {
        home.code: home for home in Home.objects.filter(code__in=[row.home for row in pages]).select_related("building")
    }
    context = {
        "company": Company.objects.get(code=company),
        "season": season,
        "pages": pages,
        "rows": [{"refund": row, "home": homes[row.home], "name": masked(homes[row.home])} for row in pages],
    }
    return render(request, "web/money/refund_watch_homes.html", context)


def refund_watch_homes_table(request: Visit, company: str, season: str, form: str) -> HttpResponseBase:
    heads = ["户(隐去门牌)", "旗区", "判定应退(元)", "已入账(元)", "已付(元)", "未付(元)", "天数"]
    rows = _homes(request, company, season)
    homes = {
        home.code: home
        for home in Home.objects.filter(code__in=[row.home for row in rows]).select_related("building", "banner")
    }
    lines = [
        [
            masked(homes[row.home]), homes[row.home].banner.name, Fen(row.judged_fen), Fen(row.booked_fen), Fen(row.paid_fen),
            Fen(row.unpaid_fen), row.days,
        ]
        for row in rows
    ]  # fmt: skip
    return table_answer(form, f"refunds-{company}-{season}", "退费监管", heads, lines)
