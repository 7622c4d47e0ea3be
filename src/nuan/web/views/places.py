"""Stations and buildings: what they deliver, and the homes below."""

from datetime import timedelta

from django.core.paginator import Paginator
from django.db.models import Avg, Count, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from nuan.records.emergency.models import Outage
from nuan.records.monitoring.models import StationFinding
from nuan.records.supervision.models import CurrentJudgement, HomeSeason, PlaceNow
from nuan.web.context import latest_run
from nuan.web.curves import days_of, station_curve
from nuan.web.guard import Visit
from nuan.web.journal import judgement_rows
from nuan.web.tables import sorted_by

SORTS = {"code": "code", "breached": "-breached", "name": "name"}


def stations(request: Visit) -> HttpResponse:
    run = latest_run()
    rows = request.scope.stations().select_related("company", "banner", "source")
    if company := request.GET.get("company"):
        rows = rows.filter(company_id=company)
    if banner := request.GET.get("banner"):
        rows = rows.filter(banner_id=banner)
    figures = PlaceNow.objects.filter(season=run.season if run else "", level="substation", code=OuterRef("code"))
    rows = rows.annotate(
        known=Coalesce(Subquery(figures.values("homes")), 0),
        breached=Coalesce(Subquery(figures.values("homes_breached")), 0),
        mean=Subquery(figures.values("mean_c100")),
    ).order_by(sorted_by(request, SORTS, "breached"), "code")
    context = {
        "pages": Paginator(rows, 50).get_page(request.GET.get("page")),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "sort": request.GET.get("sort", "breached"),
    }
    return render(request, "web/stations.html", context)


def station(request: Visit, code: str) -> HttpResponse:
    found = get_object_or_404(request.scope.stations().select_related("company", "banner", "source"), code=code)
    run = latest_run()
    span = request.GET.get("span", "48h")
    seasons = HomeSeason.objects.filter(home__substation=found, season=run.season if run else "")
    buildings = (
        seasons.values("home__building_id", "home__building__name")
        .annotate(
            known=Count("id"),
            breached=Count("id", filter=Q(days_breached__gt=0)),
            hours=Sum("hours_below"),
            mean=Avg("mean_c100"),
        )
        .order_by("-breached", "home__building_id")
    )
    curve = None
    if run:
        end = int(run.as_of.timestamp())
        curve = station_curve(code, int((run.as_of - timedelta(days=days_of(span, seasons.first()))).timestamp()), end)
    context = {
        "station": found,
        "span": span,
        "curve": curve,
        "buildings": list(buildings),
        "homes_known": sum(row["known"] for row in buildings),
        "homes_breached": sum(row["breached"] for row in buildings),
        "judgements": judgement_rows(
            request.scope.judgements(CurrentJudgement.objects.filter(subject_level="substation", subject=code))
        ),
        "health_findings": StationFinding.objects.filter(station_code=code, state="open").count(),
        "outages": Outage.objects.filter(level="substation", place=code).order_by("-started_at")[:20],
    }
    return render(request, "web/station.html", context)


def building(request: Visit, code: str) -> HttpResponse:
    found = get_object_or_404(
        request.scope.buildings().select_related("loop__substation__company", "banner"), code=code
    )
    run = latest_run()
    seasons = (
        request.scope.of_homes(HomeSeason.objects.filter(home__building=found, season=run.season if run else ""))
        .select_related("home__building")
        .order_by("home__entrance", "-home__floor", "home__code")
    )
    rows = list(seasons[:600])
    context = {
        "building": found,
        "rows": rows,
        "breached": sum(row.days_breached > 0 for row in rows),
        "outages": Outage.objects.filter(level="building", place=code).order_by("-started_at")[:20],
    }
    return render(request, "web/building.html", context)
