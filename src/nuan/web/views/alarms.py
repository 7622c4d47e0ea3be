"""告警: the dispatcher's first page. What is active and not seen stands on top; what hangs on an outage stands under it."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from nuan.operations.alarm_acts import ShelfError, acknowledge_alarms, shelve_alarms, unshelve_alarms
from nuan.operations.live import live_now
from nuan.records.accounts.models import Role
from nuan.records.accounts.visibility import ALARM_HANDLERS, ALARM_SETTERS
from nuan.records.hazards.models import Hazard
from nuan.records.monitoring.models import Alarm, AlarmChange
from nuan.telemetry.alarms.flood import FLOOD, flood
from nuan.web.guard import Visit
from nuan.web.live_words import alarm_rows, compared, event_words, state_words
from nuan.web.tables import csv_answer
from nuan.web.wording import pick, say

OPEN, SHELVED, CLOSED, ALL = "open", "shelved", "closed", "all"
SHELF_HOURS = (1, 4, 12, 24, 72, 168)
MOST_IN_CSV = 50_000
FEW = 8
_ORDER = ("-active", "acknowledged", "priority", "-raised_at", "-id")


def _seen(request: Visit) -> QuerySet[Alarm]:
    return request.scope.placed(Alarm.objects.all())


def _chosen(request: Visit) -> QuerySet[Alarm]:
    """What the filters leave; folded alarms stand under their parent and not in the list, unless a place is asked for."""
    rows, show, place = _seen(request), request.GET.get("show", OPEN), request.GET.get("station", "")
    if show == SHELVED:
        rows = rows.filter(closed_at=None, shelved_until__isnull=False)
    elif show == CLOSED:
        rows = rows.filter(closed_at__isnull=False)
    elif show == OPEN:
        rows = rows.filter(closed_at=None, shelved_until=None)
    rows = rows.filter(station_code=place) if place else rows.filter(parent=None)
    for column, name in (("company_code", "company"), ("banner_code", "banner"), ("code", "code")):
        if value := request.GET.get(name):
            rows = rows.filter(**{column: value})
    if (priority := request.GET.get("priority", "")) in {"1", "2", "3", "4"}:
        rows = rows.filter(priority__lte=int(priority))
    order = ("-raised_at", "-id") if show in {CLOSED, ALL} else _ORDER
    return rows.order_by(*order)


def alarms(request: Visit) -> HttpResponse:
    now = live_now(timezone.now())
    pages = Paginator(_chosen(request), 50).get_page(request.GET.get("page"))
    listed = list(pages.object_list)
    folded = dict(
        Alarm.objects.filter(parent__in=[alarm.pk for alarm in listed], closed_at=None)
        .values_list("parent")
        .annotate(Count("id"))
    )
    for alarm in listed:
        alarm.folded = folded.get(alarm.pk, 0)  # type: ignore[attr-defined]
    context = {
        "pages": pages,
        "rows": alarm_rows(listed),
        "now": now,
        "figures": _figures(request, now),
        "lately": []
        if listed
        else alarm_rows(_seen(request).filter(parent=None).exclude(closed_at=None).order_by("-closed_at")[:10]),
        "show": request.GET.get("show", OPEN),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "priorities": Alarm.Priority.choices,
        "shelf_hours": SHELF_HOURS,
        "may_acknowledge": request.role in ALARM_HANDLERS,
        "may_shelve": request.role == Role.DISPATCH,
        "may_set": request.role in ALARM_SETTERS,
        "is_old": now < timezone.now() - timedelta(days=1),
    }
    return render(request, "web/alarms.html", context)


def _figures(request: Visit, now: datetime) -> dict[str, Any]:
    """Counts of what stands for itself, and how many came in ten minutes."""
    own = Q(parent=None, shelved_until=None)
    counts = _seen(request).filter(closed_at=None).aggregate(
        raised=Count("id", filter=own & Q(active=True, acknowledged=False)),
        standing=Count("id", filter=own & Q(active=True, acknowledged=True)),
        passed=Count("id", filter=own & Q(active=False)),
        shelved=Count("id", filter=Q(shelved_until__isnull=False)),
        folded=Count("id", filter=Q(parent__isnull=False)),
    )  # fmt: skip
    day = now - timedelta(days=1)
    told = AlarmChange.objects.filter(
        event="raise", at__gt=day, at__lte=now, alarm__in=_seen(request).filter(parent=None, raised_at__gt=day)
    )
    moments = np.array([int(at.timestamp()) for at in told.values_list("at", flat=True)], np.int64)
    end = int(now.timestamp()) + 1
    return counts | {"flood": flood(moments, end - 86_400, end), "flood_limit": FLOOD}


def alarms_csv(request: Visit) -> StreamingHttpResponse:
    heads = [
        "编号",
        "优先级",
        "状态",
        "地点",
        "告警",
        "物理量",
        "触发值",
        "限值",
        "触发时间",
        "恢复时间",
        "确认人",
        "确认时间",
        "搁置到",
        "归并到",
    ]
    rows = alarm_rows(_chosen(request)[:MOST_IN_CSV])

    def when(moment: datetime | None) -> str:
        return "" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")

    lines = (
        (
            row.alarm.pk, say(row.alarm.get_priority_display()), row.state_words, row.place, row.words, row.what, row.value, row.limit,
            when(row.alarm.raised_at), when(row.alarm.cleared_at), row.alarm.acknowledged_by, when(row.alarm.acknowledged_at),
            when(row.alarm.shelved_until), row.alarm.parent_id,
        )
        for row in rows
    )  # fmt: skip
    return csv_answer("alarms.csv", heads, lines)


def alarm(request: Visit, pk: int) -> HttpResponse:
    """One alarm with every change of it, and what stands folded under it."""
    found = get_object_or_404(_seen(request).select_related("parent"), pk=pk)
    children = found.children.order_by(*_ORDER)
    changes = [
        {
            "at": change.at,
            "actor": say("告警引擎") if change.actor == "engine" else change.actor,
            "event": event_words(change.event),
            "from": state_words(change.state_from),
            "to": state_words(change.state_to),
            "value": compared(found.kind, found.quantity, change.value) if change.value is not None else "",
            "note": _note(change),
            "parent": change.note if change.event == "fold" else "",
        }
        for change in found.changes.order_by("id")
    ]
    again = Alarm.objects.filter(code=found.code, place=found.place, quantity=found.quantity, position=found.position)
    context = {
        "row": alarm_rows([found])[0],
        "changes": changes,
        "children": alarm_rows(children[:200]),
        "children_count": children.count(),
        "others": alarm_rows(again.exclude(pk=pk).order_by("-raised_at")[:10]),
        "now": live_now(timezone.now()),
        "notices": found.notices.order_by("id") if request.role in {Role.DISPATCH, Role.CITY} else [],
        "shelf_hours": SHELF_HOURS,
        "may_acknowledge": request.role in ALARM_HANDLERS and not found.acknowledged and found.closed_at is None,
        "may_shelve": request.role == Role.DISPATCH and found.closed_at is None,
        "hazard": Hazard.objects.filter(source_ref=f"alarm:{found.pk}").first(),
        "parent_words": pick(found.parent.words_zh, found.parent.words_en) if found.parent else "",
    }
    return render(request, "web/alarm.html", context)


def _note(change: AlarmChange) -> str:
    if change.event == "fold":
        return ""
    return say(Role(change.note).label) if change.event == "escalate" and change.note in Role.values else change.note


def alarm_acts(request: Visit) -> HttpResponse:
    """Acknowledge, shelve or unshelve the chosen alarms; what lies outside the scope is passed over like what does not exist."""
    if request.method != "POST":
        raise Http404
    asked = [int(text) for text in request.POST.getlist("alarm") if text.isdecimal() and len(text) < 19]
    chosen = list(_seen(request).filter(pk__in=asked, closed_at=None).values_list("pk", flat=True))
    actor, now = request.user.display_name or request.user.username, live_now(timezone.now())
    act = request.POST.get("act", "")
    if not asked:
        messages.error(request, say("没有选中任何告警。"))
    elif act == "acknowledge":
        done = acknowledge_alarms(chosen, actor=actor, now=now, comment=request.POST.get("comment", "")[:500])
        messages.success(request, say("已确认 {n} 条。", n=done))
    elif act in {"shelve", "unshelve"} and request.role == Role.DISPATCH:
        _shelf(request, act, chosen, actor, now)
    else:
        raise Http404
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe and back.startswith("/alarms/") else "alarms")


def _shelf(request: Visit, act: str, chosen: list[int], actor: str, now: datetime) -> None:
    if act == "unshelve":
        messages.success(request, say("已取消搁置 {n} 条。", n=unshelve_alarms(chosen, actor=actor, now=now)))
        return
    hours = request.POST.get("hours", "")
    until = now + timedelta(hours=int(hours) if hours in {str(each) for each in SHELF_HOURS} else 0)
    try:
        done = shelve_alarms(chosen, until=until, why=request.POST.get("why", "")[:500], actor=actor, now=now)
    except ShelfError as error:
        messages.error(request, pick(*str(error).split(" / ")))
    else:
        messages.success(request, say("已搁置 {n} 条,到时自动恢复显示。", n=done))
