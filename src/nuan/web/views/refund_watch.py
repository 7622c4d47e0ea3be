"""What the bureau looks at: refunds that were judged and are not paid, by company and by how long."""

import io
from typing import Any

import polars as pl
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.exporting import mask_homes, spreadsheet
from nuan.operations.refund_status import CompanyRefunds, HomeRefund, by_company, unpaid_homes
from nuan.records.registry.models import Company, Home
from nuan.web.guard import Visit
from nuan.web.journal import masked
from nuan.web.tables import csv_answer
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


def _lines(rows: list[CompanyRefunds]) -> list[list[Any]]:
    return [
        [
            row.name, row.season, f"{row.judged_fen / 100:.2f}", f"{row.booked_fen / 100:.2f}", f"{row.paid_fen / 100:.2f}",
            f"{row.unpaid_fen / 100:.2f}", row.homes_waiting, row.longest_days, row.deadline.isoformat() if row.deadline else say("未载明"),
            row.overdue_days,
        ]
        for row in rows
    ]  # fmt: skip


def refund_watch_csv(request: Visit) -> HttpResponse:
    return csv_answer("refunds-unpaid.csv", HEADS, _lines(_rows(request)))


def refund_watch_xlsx(request: Visit) -> HttpResponse:
    lines = [
        [
            row.name, row.season, row.judged_fen / 100, row.booked_fen / 100, row.paid_fen / 100, row.unpaid_fen / 100, row.homes_waiting,
            row.longest_days, row.deadline.isoformat() if row.deadline else say("未载明"), row.overdue_days,
        ]
        for row in _rows(request)
    ]  # fmt: skip
    money, count, text = pl.Float64, pl.Int64, pl.String
    kinds = (text, text, money, money, money, money, count, count, text, count)
    frame = pl.DataFrame(lines, schema=dict(zip((say(head) for head in HEADS), kinds, strict=True)), orient="row")
    return _workbook("refunds-unpaid.xlsx", frame)


def _workbook(name: str, frame: pl.DataFrame) -> HttpResponse:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = HttpResponse(io.BytesIO(spreadsheet(frame)).getvalue(), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


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


def refund_watch_homes_xlsx(request: Visit, company: str, season: str) -> HttpResponse:
    heads = ["户(隐去门牌)", "旗区", "判定应退(元)", "已入账(元)", "已付(元)", "未付(元)", "天数"]
    rows = [
        [row.home, row.banner, row.judged_fen / 100, row.booked_fen / 100, row.paid_fen / 100, row.unpaid_fen / 100, row.days]
        for row in _homes(request, company, season)
    ]  # fmt: skip
    names = ["subject", *(say(head) for head in heads[1:])]
    kinds = (pl.String, pl.String, pl.Float64, pl.Float64, pl.Float64, pl.Float64, pl.Int64)
    frame = pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    return _workbook(f"refunds-{company}-{season}.xlsx", mask_homes(frame).rename({"subject": say(heads[0])}))
