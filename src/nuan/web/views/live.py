"""实时: the newest value of every point of the stations, how old it is and what is known against it; one station with its trends."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from nuan.operations.live import live_now
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.monitoring.models import Alarm, LivePoint, LiveValue
from nuan.records.registry.models import Substation
from nuan.telemetry.live import stale_after_s
from nuan.terms.quantities import QUANTITIES
from nuan.web.guard import Visit
from nuan.web.live_words import Shown, ago, alarm_rows, quantity_name, shown
from nuan.web.trends import trends

COLUMNS = ("supply_temp", "return_temp", "flow", "pressure", "outdoor_temp")
PER_PAGE = 30


def _points(places: Iterable[str]) -> dict[str, list[tuple[LivePoint, LiveValue]]]:
    rows = LiveValue.objects.filter(point__place__in=list(places)).select_related("point")
    found: dict[str, list[tuple[LivePoint, LiveValue]]] = {}
    for row in rows:
        found.setdefault(row.point.place, []).append((row.point, row))
    order = list(QUANTITIES)
    for pairs in found.values():
        pairs.sort(key=lambda pair: (order.index(pair[0].quantity), pair[0].position))
    return found


def live(request: Visit) -> HttpResponse:
    now = live_now(timezone.now())
    rows = request.scope.stations().select_related("company")
    for column in ("company", "banner"):
        if value := request.GET.get(column):
            rows = rows.filter(**{f"{column}_id": value})
    worst = Q(station_code=OuterRef("code"), closed_at=None, active=True, parent=None)
    rows = rows.annotate(troubled=Exists(Alarm.objects.filter(worst)))
    if request.GET.get("show") == "alarms":
        rows = rows.filter(troubled=True)
    pages = Paginator(rows.order_by("-troubled", "code"), PER_PAGE).get_page(request.GET.get("page"))
    codes = [station.code for station in pages]
    points = _points(codes)
    alarms = dict(
        Alarm.objects.filter(station_code__in=codes, closed_at=None, active=True, parent=None)
        .values_list("station_code")
        .annotate(Count("id"))
    )
    context = {
        "pages": pages,
        "rows": [
            _station_row(station, points.get(station.code, []), alarms.get(station.code, 0), now) for station in pages
        ],
        "columns": [quantity_name(column) for column in COLUMNS],
        "now": now,
        "is_old": now < timezone.now() - timedelta(days=1),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "may_see_alarms": request.role in MAY_OPEN["alarms"],
        "show": request.GET.get("show", ""),
    }
    return render(request, "web/live.html", context)


def _station_row(
    station: Substation, points: list[tuple[LivePoint, LiveValue]], alarms: int, now: datetime
) -> dict[str, Any]:
    by_quantity: dict[str, Shown] = {}
    for point, value in points:
        by_quantity.setdefault(point.quantity, shown(point, value, now))
    newest = max((value.any_time_s for _, value in points if not value.any_flags & 128), default=None)
    quiet = newest is not None and now.timestamp() - newest > stale_after_s("supply_temp")
    return {
        "station": station,
        "cells": [(quantity_name(column), by_quantity.get(column)) for column in COLUMNS],
        "newest": None if newest is None else ago(newest, now),
        "quiet": quiet,
        "alarms": alarms,
        "points": len(points),
        "stale": sum(each.stale for each in by_quantity.values()),
    }


def live_station(request: Visit, code: str) -> HttpResponse:
    found = get_object_or_404(request.scope.stations().select_related("company", "banner", "source"), code=code)
    now = live_now(timezone.now())
    points = _points([code]).get(code, [])
    homes = LiveValue.objects.filter(point__station_code=code, point__level="home", point__quantity="room_temp")
    fresh = homes.filter(time_s__gte=int(now.timestamp()) - stale_after_s("room_temp"))
    rooms = homes.count()
    may_see = request.role in MAY_OPEN["alarms"]
    open_alarms = (
        Alarm.objects.filter(station_code=code, closed_at=None, parent=None) if may_see else Alarm.objects.none()
    )
    context = {
        "station": found,
        "points": [shown(point, value, now) for point, value in points],
        "trends": trends(code, "substation", found.company_id, points, now),
        "rooms": rooms,
        "rooms_fresh": fresh.count(),
        "coldest": fresh.order_by("value").values_list("value", flat=True).first(),
        "alarms": alarm_rows(
            open_alarms.annotate(folded=Count("children", filter=Q(children__closed_at=None))).order_by(
                "-active", "acknowledged", "priority"
            )[:50]
        ),
        "may_see_alarms": may_see,
        "now": now,
        "is_old": now < timezone.now() - timedelta(days=1),
    }
    return render(request, "web/live_station.html", context)
