"""隐患监管: what the bureau looks at. Overdue and 重大 first, companies side by side with their patrols, and what nobody walked."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.hazard_register import CompanyFigures, company_figures, most_urgent_first, overdue
from nuan.operations.live import live_now
from nuan.operations.patrol_rounds import RoundState, RouteState, route_states
from nuan.records.hazards.models import Level
from nuan.records.hazards.states import OPEN
from nuan.records.supervision.models import CurrentJudgement
from nuan.web.guard import Visit
from nuan.web.hazard_words import hazard_rows
from nuan.web.journal import judgement_rows
from nuan.web.tables import csv_answer
from nuan.web.views.hazards import hazards_seen, workbook_answer
from nuan.web.views.patrols import routes_seen

CLAUSE = "2.5.4"
FEW = 50
HEADS = [
    "企业", "未销号", "待定级", "一般", "较大", "重大", "待复查", "逾期", "已销号", "线路数", "已过轮次", "没走完的轮次", "应巡点次", "已巡点次",
    "覆盖率",
]  # fmt: skip


def _figures(request: Visit, now: datetime) -> tuple[list[CompanyFigures], list[RouteState]]:
    states = route_states(routes_seen(request).order_by("code"), now)
    return company_figures(request.scope.companies().order_by("code"), hazards_seen(request), states, now), states


def _missed(states: list[RouteState]) -> list[tuple[RouteState, RoundState]]:
    """The newest first."""
    rows = [(state, turn) for state in states for turn in state.missed]
    return sorted(rows, key=lambda each: (-each[1].turn.last, each[0].route.code))


def hazard_watch(request: Visit) -> HttpResponse:
    now = live_now(timezone.now())
    figures, states = _figures(request, now)
    rows = most_urgent_first(hazards_seen(request), now)
    late, major = rows.filter(overdue(now)), rows.filter(state__in=OPEN, level=Level.MAJOR)
    missed = _missed(states)
    due, seen = sum(each.points_due for each in figures), sum(each.points_seen for each in figures)
    context = {
        "now": now,
        "figures": figures,
        "overdue": hazard_rows(late[:FEW], now),
        "overdue_count": late.count(),
        "major": hazard_rows(major[:FEW], now),
        "major_count": major.count(),
        "open_count": sum(each.open for each in figures),
        "ungraded_count": sum(each.ungraded for each in figures),
        "missed": missed[:FEW],
        "missed_count": len(missed),
        "coverage": seen / due if due else None,
        "judgements": judgement_rows(
            request.scope.judgements(CurrentJudgement.objects.filter(clause=CLAUSE, verdict="breached"))
        ),
    }
    return render(request, "web/hazards/watch.html", context)


def _lines(request: Visit) -> list[list[Any]]:
    figures, _ = _figures(request, live_now(timezone.now()))
    return [
        [
            each.company.name, each.open, each.ungraded, each.general, each.serious, each.major, each.waiting, each.overdue, each.closed,
            each.routes, each.rounds, each.rounds_missed, each.points_due, each.points_seen,
            None if each.coverage is None else f"{each.coverage:.1%}",
        ]
        for each in figures
    ]  # fmt: skip


def hazard_watch_csv(request: Visit) -> StreamingHttpResponse:
    return csv_answer("hazards-by-company.csv", HEADS, _lines(request))


def hazard_watch_xlsx(request: Visit) -> HttpResponse:
    return workbook_answer("hazards-by-company.xlsx", HEADS, _lines(request))
