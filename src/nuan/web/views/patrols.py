"""巡线: the routes with what is missing in them now, a route with its rounds, and the sending of somebody on a round."""

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.hazards import answerable
from nuan.operations.live import live_now
from nuan.operations.patrol_rounds import RouteState, route_states
from nuan.operations.patrols import PatrolError, assign_walk
from nuan.records.accounts.models import Role
from nuan.records.hazards.models import CheckIn, PatrolRoute, PatrolWalk
from nuan.web.forms import refused
from nuan.web.guard import Visit
from nuan.web.hazard_words import person
from nuan.web.tables import csv_answer
from nuan.web.views.hazards import workbook_answer
from nuan.web.wording import say

PAGE = 30
ROUNDS_SHOWN = 12
HEADS = [
    "线路编号", "线路", "企业", "旗区", "周期(天)", "本轮起", "本轮止", "应巡点", "已巡点", "巡线人", "已过轮次", "没走完的轮次", "应巡点次",
    "已巡点次", "覆盖率",
]  # fmt: skip


def routes_seen(request: Visit) -> QuerySet[PatrolRoute]:
    return request.scope.of_places(PatrolRoute.objects.select_related("company", "banner"))


def chosen_states(request: Visit, now: datetime) -> list[RouteState]:
    """What stands worst first: a last round that was missed, then what ends soonest."""
    rows = routes_seen(request)
    for name, column in (("banner", "banner_id"), ("company", "company_id")):
        if value := request.GET.get(name, ""):
            rows = rows.filter(**{column: value})
    states = route_states(rows.order_by("code"), now)
    if request.GET.get("show") == "missed":
        states = [each for each in states if each.missed]
    elif request.GET.get("show") == "mine":
        states = [each for each in states if _walker(each) == request.user.pk]
    return sorted(states, key=_urgency)


def _walker(state: RouteState) -> int | None:
    return state.current.walk.walker_id if state.current and state.current.walk else None


def _urgency(state: RouteState) -> tuple[bool, bool, int, str]:
    last_missed = bool(state.past) and state.past[-1].missed
    turn = state.current
    open_ = turn is not None and not turn.done
    return (not last_missed, not open_, turn.turn.last if turn else 2**31, state.route.code)


def patrols(request: Visit) -> HttpResponse:
    now = live_now(timezone.now())
    states = chosen_states(request, now)
    due, seen = sum(each.due for each in states), sum(each.seen for each in states)
    context = {
        "now": now,
        "today": timezone.localdate(now),
        "pages": Paginator(states, PAGE).get_page(request.GET.get("page")),
        "figures": {
            "routes": len(states),
            "open": sum(each.current is not None and not each.current.done for each in states),
            "missed": sum(len(each.missed) for each in states),
            "coverage": seen / due if due else None,
        },
        "show": request.GET.get("show", ""),
        "may_walk": request.role in {Role.CREW, Role.DISPATCH},
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
    }
    return render(request, "web/hazards/patrols.html", context)


def _lines(request: Visit) -> list[list[Any]]:
    lines = []
    for each in chosen_states(request, live_now(timezone.now())):
        route, turn = each.route, each.current
        coverage = each.coverage
        lines.append(
            [
                route.code, route.name, route.company.name, route.banner.name, route.every_days, str(turn.first_day) if turn else None,
                str(turn.last_day) if turn else None, turn.points if turn else None, turn.seen if turn else None,
                person(turn.walk.walker) if turn and turn.walk and turn.walk.walker else None, len(each.past), len(each.missed), each.due,
                each.seen, None if coverage is None else f"{coverage:.1%}",
            ]
        )  # fmt: skip
    return lines


def patrols_csv(request: Visit) -> StreamingHttpResponse:
    return csv_answer("patrols.csv", HEADS, _lines(request))


def patrols_xlsx(request: Visit) -> HttpResponse:
    return workbook_answer("patrols.xlsx", HEADS, _lines(request))


def patrol_route(request: Visit, code: str) -> HttpResponse:
    route = get_object_or_404(routes_seen(request), code=code)
    now = live_now(timezone.now())
    if request.method == "POST":
        return _assign(request, route, now)
    state = route_states([route], now)[0]
    shown = [*state.past[-ROUNDS_SHOWN:], *([state.current] if state.current else [])]
    checks = (
        CheckIn.objects.filter(walk__route=route)
        .select_related("point", "by", "hazard", "walk")
        .prefetch_related("photos")
        .order_by("-at", "-pk")
    )
    upcoming = state.current.last_day + timedelta(days=1) if state.current else None
    context = {
        "route": route,
        "state": state,
        "rounds": list(reversed(shown)),
        "points": route.points.all(),
        "pages": Paginator(checks, PAGE).get_page(request.GET.get("page")),
        "missing": {point.pk for point in state.current.missing} if state.current else set(),
        "may_assign": request.role == Role.DISPATCH and state.current is not None,
        "may_walk": request.role in {Role.CREW, Role.DISPATCH} and state.current is not None,
        "people": answerable(route.company_id),
        "upcoming": upcoming,
        "next_walk": PatrolWalk.objects.filter(route=route, starts_on=upcoming).select_related("walker").first(),
        "now": now,
    }
    return render(request, "web/hazards/route.html", context)


def _assign(request: Visit, route: PatrolRoute, now: datetime) -> HttpResponse:
    if request.role != Role.DISPATCH:
        raise Http404
    people = {str(each.pk): each for each in answerable(route.company_id)}
    try:
        first = date.fromisoformat(request.POST.get("round", ""))
        walker = people.get(request.POST.get("walker", ""))
        assign_walk(route, first, walker, by=request.user, now=now)
    except PatrolError as error:
        refused(request, error)
    except ValueError:
        messages.error(request, say("没有这一轮。"))
    else:
        messages.success(request, say("已派 {name}。", name=person(walker)) if walker else say("已取消派人。"))
    return redirect("patrol_route", code=route.code)
