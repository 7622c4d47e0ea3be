"""通知: what was told to whom, what could not be told and why, and the routes by which people are told."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.alarm_settings import add_notice_route, remove_notice_route
from nuan.operations.notify.channels import CHANNELS, AddressError
from nuan.operations.notify.outbox import retry_notice
from nuan.records.accounts.models import Role
from nuan.records.monitoring.models import Alarm, Notice, NoticeRoute
from nuan.telemetry.alarms.definitions import ROLES
from nuan.telemetry.alarms.machine import Event
from nuan.web.guard import Visit
from nuan.web.wording import pick, say

STATE_COLOURS = {Notice.State.PENDING: "amber", Notice.State.SENT: "green", Notice.State.DEAD: "red"}
FROM_THE_PAGE = ("email", "sms")
"""A webhook makes this machine speak to an address of somebody's choice: only who runs the machine adds one (`nuan notify route`)."""


def hidden(channel: str, address: str) -> str:
    """Enough of an address to know it again.

    >>> hidden("email", "chen@heat.cn"), hidden("sms", "13900001111")
    ('c…@heat.cn', '…1111')
    """
    if channel == "email":
        return f"{address[0]}…@{address.partition('@')[2]}"
    return f"…{address[-4:]}" if channel == "sms" else address.split("?")[0]


def _places(request: Visit) -> list[str]:
    return [request.scope.code] if request.scope.kind == "company" else []


def notices(request: Visit) -> HttpResponse:
    if request.method == "POST":
        return _change(request)
    own = _places(request)
    rows, routes = Notice.objects.all(), NoticeRoute.objects.order_by("place_code", "role", "channel")
    if own:
        rows, routes = rows.filter(company_code__in=own), routes.filter(place_code__in=own)
    if (state := request.GET.get("state", "")) in Notice.State.values:
        rows = rows.filter(state=state)
    pages = Paginator(rows.select_related("alarm").order_by(_dead_first(), "-id"), 50).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "rows": [_row(notice) for notice in pages],
        "routes": [(route, hidden(route.channel, route.address), CHANNELS[route.channel].zh) for route in routes],
        "dead": rows.filter(state=Notice.State.DEAD).count(),
        "channels": [(name, CHANNELS[name].zh) for name in FROM_THE_PAGE],
        "roles": [(role, Role(role).label) for role in sorted(ROLES)],
        "priorities": Alarm.Priority.choices,
        "state": state,
        "states": Notice.State.choices,
    }
    return render(request, "web/notices.html", context)


def _dead_first() -> Any:
    from django.db.models import Case, IntegerField, Value, When

    return Case(When(Q(state=Notice.State.DEAD), then=Value(0)), default=Value(1), output_field=IntegerField())


def _row(notice: Notice) -> dict[str, Any]:
    channel = CHANNELS.get(notice.channel)
    return {
        "notice": notice,
        "colour": STATE_COLOURS[Notice.State(notice.state)],
        "to": hidden(notice.channel, notice.address),
        "channel": channel.zh if channel else notice.channel,
        "event": say(Event(notice.event).zh),
        "words": pick(notice.content.get("words_zh", ""), notice.content.get("words_en", "")),
        "place": notice.content.get("place", ""),
        "error": pick(*(notice.error.split(" / ") * 2)[:2]) if notice.error else "",
    }


def _change(request: Visit) -> HttpResponse:
    actor, now, own = request.user.display_name or request.user.username, timezone.now(), _places(request)
    act, number = request.POST.get("act", ""), request.POST.get("number", "")
    pk = int(number) if number.isdecimal() and len(number) < 19 else 0
    if act == "retry":
        seen = Notice.objects.filter(company_code__in=own) if own else Notice.objects.all()
        if not seen.filter(pk=pk).exists():
            raise Http404
        retry_notice(pk, actor=actor, now=now)
        messages.success(request, say("会再发一次。"))
    elif act == "remove":
        routes = NoticeRoute.objects.filter(place_code__in=own) if own else NoticeRoute.objects.all()
        if not routes.filter(pk=pk).exists():
            raise Http404
        remove_notice_route(pk, actor=actor)
        messages.success(request, say("已去掉。"))
    elif act == "add" and request.POST.get("channel") in FROM_THE_PAGE:
        least = request.POST.get("least", "")
        try:
            add_notice_route(
                channel=request.POST["channel"], address=request.POST.get("address", "")[:200], role=request.POST.get("role", ""),
                place_code=own[0] if own else "", least_priority=int(least) if least in {"1", "2", "3", "4"} else 0, actor=actor, now=now,
            )  # fmt: skip
            messages.success(request, say("已加上。"))
        except AddressError as error:
            messages.error(request, pick(*(str(error).split(" / ") * 2)[:2]))
    else:
        raise Http404
    return redirect("notices")
