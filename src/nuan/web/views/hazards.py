"""隐患台账: the register with its filters, and the same rows as files."""

import io
from datetime import datetime
from typing import Any

import polars as pl
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.exporting import spreadsheet
from nuan.operations.hazard_register import most_urgent_first, overdue
from nuan.operations.live import live_now
from nuan.records.accounts.models import Role
from nuan.records.hazards.models import Hazard, Kind, Level, Source
from nuan.records.hazards.states import OPEN, State
from nuan.web.guard import Visit
from nuan.web.hazard_words import HazardRow, hazard_rows, person, stamp
from nuan.web.tables import csv_answer
from nuan.web.wording import say

PAGE = 30
MOST_IN_FILE = 50_000
SHOW = [
    ("open", "未销号的"), ("overdue", "逾期的"), ("reported", "待定级的"), ("rectified", "待复查的"), ("mine", "我负责的"),
    ("closed", "已销号的"), ("rejected", "不属隐患的"), ("all", "全部"),
]  # fmt: skip
HEADS = [
    "编号", "企业", "旗区", "级别", "状态", "种类", "情况", "地点", "来源", "上报时间", "上报人", "责任人", "期限", "整改完成时间", "了结时间",
    "是否逾期", "已上报到",
]  # fmt: skip


def hazards_seen(request: Visit) -> QuerySet[Hazard]:
    """A company's own, a banner's own, the city's all."""
    return request.scope.of_places(Hazard.objects.select_related("company", "banner", "responsible"))


def chosen(request: Visit, now: datetime) -> QuerySet[Hazard]:
    rows, show = hazards_seen(request), request.GET.get("show", "open")
    if show == "overdue":
        rows = rows.filter(overdue(now))
    elif show == "mine":
        rows = rows.filter(responsible=request.user.pk, state__in=OPEN)
    elif show in {each.value for each in State}:
        rows = rows.filter(state=show)
    elif show != "all":
        rows = rows.filter(state__in=OPEN)
    for name, column, known in (
        ("level", "level", Level.values), ("kind", "kind", Kind.values), ("source", "source", Source.values),
    ):  # fmt: skip
        if (value := request.GET.get(name, "")) in known:
            rows = rows.filter(**{column: value})
    for name, column in (("banner", "banner_id"), ("company", "company_id"), ("place", "place_code")):
        if value := request.GET.get(name, ""):
            rows = rows.filter(**{column: value})
    if words := request.GET.get("q", "").strip()[:60]:
        rows = rows.filter(
            Q(code__icontains=words)
            | Q(words__icontains=words)
            | Q(place_words__icontains=words)
            | Q(place_code__iexact=words)
        )
    return most_urgent_first(rows, now)


def hazards(request: Visit) -> HttpResponse:
    now = live_now(timezone.now())
    pages = Paginator(chosen(request, now), PAGE).get_page(request.GET.get("page"))
    counts = hazards_seen(request).aggregate(
        open=Count("pk", filter=Q(state__in=OPEN)),
        overdue=Count("pk", filter=overdue(now)),
        ungraded=Count("pk", filter=Q(state=State.REPORTED)),
        waiting=Count("pk", filter=Q(state=State.RECTIFIED)),
        major=Count("pk", filter=Q(state__in=OPEN, level=Level.MAJOR)),
    )
    context = {
        "now": now,
        "pages": pages,
        "rows": hazard_rows(pages, now),
        "counts": counts,
        "show": request.GET.get("show", "open"),
        "shows": [each for each in SHOW if each[0] != "mine" or request.role in {Role.CREW, Role.DISPATCH}],
        "levels": Level.choices,
        "kinds": Kind.choices,
        "sources": Source.choices,
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
    }
    return render(request, "web/hazards/hazards.html", context)


def _line(row: HazardRow) -> list[Any]:
    hazard = row.hazard
    return [
        hazard.code, hazard.company.name, hazard.banner.name, say(row.level_word), say(row.state_word), say(hazard.get_kind_display()),
        row.words, row.place, say(hazard.get_source_display()), stamp(hazard.reported_at), hazard.reported_by,
        person(hazard.responsible) if hazard.responsible else None, stamp(hazard.deadline) if hazard.deadline else None,
        stamp(hazard.rectified_at) if hazard.rectified_at else None, stamp(hazard.ended_at) if hazard.ended_at else None,
        say("是") if row.overdue else say("否"), say({"banner": "旗区", "city": "市级"}.get(hazard.escalated_to, "")) or None,
    ]  # fmt: skip


def _lines(request: Visit) -> list[list[Any]]:
    now = live_now(timezone.now())
    return [_line(row) for row in hazard_rows(chosen(request, now)[:MOST_IN_FILE], now)]


def hazards_csv(request: Visit) -> StreamingHttpResponse:
    return csv_answer("hazards.csv", HEADS, _lines(request))


def hazards_xlsx(request: Visit) -> HttpResponse:
    return workbook_answer("hazards.xlsx", HEADS, _lines(request))


def workbook_answer(name: str, heads: list[str], lines: list[list[Any]]) -> HttpResponse:
    """One sheet; a column whose values are all whole numbers is a column of numbers, every other one of text."""
    columns = {}
    for number, head in enumerate(heads):
        values = [line[number] for line in lines]
        whole = any(value is not None for value in values) and all(isinstance(value, int | None) for value in values)
        texts = [None if value is None else str(value) for value in values]
        columns[say(head)] = pl.Series(values if whole else texts, dtype=pl.Int64 if whole else pl.String)
    answer = HttpResponse(
        io.BytesIO(spreadsheet(pl.DataFrame(columns))).getvalue(),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
