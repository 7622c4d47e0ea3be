"""The city today: how many homes are cold now, where, and whose. Counts are stored with the run, never counted here."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.city_now import FRESH_H, fresh_since_s
from nuan.records.registry.models import Contract
from nuan.records.supervision.models import HomeSeason, PlaceNow, Run
from nuan.web.context import latest_run
from nuan.web.guard import Visit
from nuan.web.limits import degrees
from nuan.web.tables import csv_answer

MOST = 50


def cold_homes(request: Visit, run: Run | None) -> QuerySet[HomeSeason]:
    """Homes whose newest trusted reading is fresh and below what they are owed, coldest first: the homes that `city_now` counts."""
    if run is None:
        return HomeSeason.objects.none()
    city = PlaceNow.objects.filter(season=run.season, level="city").values_list("newest_s", flat=True).first()
    fresh_s = fresh_since_s(city, run.as_of)
    rows = request.scope.of_homes(HomeSeason.objects.filter(season=run.season))
    return (
        rows.filter(last_temp_c100__lt=F("threshold_c100"), last_time_s__gte=fresh_s)
        .exclude(home__contracts__in=Contract.objects.filter(season=run.season, stop_heat=True))
        .select_related("home__building", "home__company", "home__substation")
        .order_by("last_temp_c100", "id")
    )


def _places(request: Visit, run: Run | None) -> dict[str, list[tuple[str, PlaceNow]]]:
    """Named counts by level, coldest first, within the scope."""
    scope = request.scope
    names: dict[str, dict[str, str]] = {
        "substation": dict(scope.stations().values_list("code", "name")),
    }
    if scope.kind == "city":
        names["banner"] = dict(scope.banners().values_list("code", "name"))
        names["company"] = dict(scope.companies().values_list("code", "name"))
    found: dict[str, list[tuple[str, PlaceNow]]] = {"banner": [], "company": [], "substation": []}
    rows = PlaceNow.objects.filter(season=run.season if run else "", level__in=names).order_by("-cold", "code")
    for row in rows:
        if row.code in names[row.level]:
            found[row.level].append((names[row.level][row.code], row))
    return found


def _is_old(now: PlaceNow) -> bool:
    """Whether "now" is a moment that has long passed: the readings have stopped, or the season has."""
    return now.newest_s is None or timezone.now().timestamp() - now.newest_s > FRESH_H * 3600


def today(request: Visit) -> HttpResponse:
    run, scope = latest_run(), request.scope
    places = _places(request, run)
    now = PlaceNow.objects.filter(season=run.season if run else "", level=scope.kind, code=scope.code).first()
    rows = list(cold_homes(request, run)[:MOST])
    limits = sorted({row.threshold_c100 for row in rows if row.threshold_c100 is not None})
    context: dict[str, Any] = {
        "now": now,
        "places": places,
        "rows": rows,
        "most": MOST,
        "is_old": now is not None and _is_old(now),
        "limit": " / ".join(degrees(each) for each in limits),
    }
    return render(request, "web/today.html", context)


def today_csv(request: Visit) -> HttpResponse:
    """The cold homes as a file: building, entrance and floor, but no door and no name."""
    heads = ["楼栋", "单元", "楼层", "换热站", "企业", "最近室温 °C", "标准 °C", "连续低于标准最长小时"]
    lines = (
        [
            row.home.building.name,
            row.home.entrance,
            row.home.floor,
            row.home.substation.name,
            row.home.company.name,
            None if row.last_temp_c100 is None else f"{row.last_temp_c100 / 100:.2f}",
            None if row.threshold_c100 is None else f"{row.threshold_c100 / 100:.2f}",
            row.longest_below_h,
        ]
        for row in cold_homes(request, latest_run())[:20_000]
    )
    return csv_answer("cold-homes.csv", heads, lines)
