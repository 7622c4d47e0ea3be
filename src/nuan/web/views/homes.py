"""Homes: the masked list, a home's page, and the page a resident sees of their own home."""

from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from nuan.operations.cold_cause import cold_causes, cold_moment
from nuan.operations.correct_readings import corrections_of
from nuan.records.emergency.models import Outage
from nuan.records.registry.models import Contract, Home
from nuan.records.supervision.models import CurrentJudgement, HomeSeason, Measurement
from nuan.terms.places import CHINA
from nuan.terms.quantities import quantity
from nuan.web.charts import NARROW, WIDE, day_strip
from nuan.web.context import latest_run
from nuan.web.curves import days_of, home_curve
from nuan.web.guard import Visit
from nuan.web.journal import judgement_rows
from nuan.web.limits import room_limit
from nuan.web.stand_day import season_asked, stand_day
from nuan.web.tables import csv_answer, sorted_by
from nuan.web.views.subsidies import own_subsidies
from nuan.web.wording import pick, say, spoken

PAGE = 50
SORTS = {
    "coldest": "last_temp_c100",
    "breached": "-days_breached",
    "hours": "-hours_below",
    "undecidable": "-days_undecidable",
    "building": "home__building_id",
}


def season_rows(request: Visit) -> QuerySet[HomeSeason]:
    """The homes of the scope with their newest season, filtered and sorted as the address asks."""
    run = latest_run()
    rows = request.scope.of_homes(HomeSeason.objects.all())
    rows = rows.filter(season=run.season) if run else rows.none()
    for key, column in (
        ("banner", "home__banner_id"),
        ("company", "home__company_id"),
        ("station", "home__substation_id"),
        ("building", "home__building_id"),
    ):
        if value := request.GET.get(key):
            rows = rows.filter(**{column: value})
    if request.GET.get("state") == "breached":
        rows = rows.filter(days_breached__gt=0)
    elif request.GET.get("state") == "undecidable":
        rows = rows.filter(days_undecidable__gt=0)
    order = sorted_by(request, SORTS, "coldest")
    return rows.select_related("home__building", "home__company", "home__substation").order_by(order, "id")


def homes(request: Visit) -> HttpResponse:
    pages = Paginator(season_rows(request), PAGE)
    context = {
        "pages": pages.get_page(request.GET.get("page")),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "sort": request.GET.get("sort", "coldest"),
    }
    return render(request, "web/homes.html", context)


def homes_csv(request: Visit) -> HttpResponse:
    """The list as a file: building, entrance and floor, but no door and no name."""
    heads = ["楼栋", "单元", "楼层", "换热站", "企业", "最近室温 °C", "不达标天数", "无法判定天数", "低于标准小时"]
    lines = (
        [
            row.home.building.name,
            row.home.entrance,
            row.home.floor,
            row.home.substation.name,
            row.home.company.name,
            None if row.last_temp_c100 is None else f"{row.last_temp_c100 / 100:.2f}",
            row.days_breached,
            row.days_undecidable,
            row.hours_below if row.has_readings else None,
        ]
        for row in season_rows(request).iterator(chunk_size=2000)
    )
    return csv_answer("homes.csv", heads, lines)


def outages_of(home: Home) -> QuerySet[Outage]:
    """The interruptions of anything between the plant and this door."""
    building = home.building
    places = {
        "source": home.substation.source_id,
        "substation": home.substation_id,
        "loop": building.loop_id,
        "building": building.code,
        "home": home.code,
    }
    either = Q()
    for level, code in places.items():
        either |= Q(level=level, place=code)
    return Outage.objects.filter(either).order_by("-started_at")


def correction_rows(place: str) -> list[dict[str, Any]]:
    """What was corrected of a place, when and why, in the words of the table; who did it stands in the audit log."""
    rows = []
    for entry in corrections_of(place):
        details = entry.details
        _, what, position = details["series"].split("|")
        unit = quantity(what).unit
        if details["value"] is not None:
            done = say("改为 {value}", value=f"{details['value']:g} {unit}")
        elif details["shift"] is not None:
            done = say("加 {value}", value=f"{details['shift']:+g} {unit}")
        else:
            done = say("按缺测处理")
        rows.append(
            {
                "at": entry.at,
                "start": datetime.fromtimestamp(details["from_s"], CHINA),
                "end": datetime.fromtimestamp(details["to_s"], CHINA),
                "point": f"{pick(quantity(what).zh, quantity(what).en)} · {spoken(position)}",
                "done": done,
                "readings": details["readings"],
                "why": entry.why,
            }
        )
    return rows


def facts_of(home: Home, shown: str, width: int = WIDE) -> dict[str, Any]:
    """Everything that is stored about one home, ready to draw."""
    run = latest_run()
    season = HomeSeason.objects.filter(home=home, season=run.season).first() if run else None
    days = days_of(shown, season)
    judged = judgement_rows(CurrentJudgement.objects.filter(subject_level="home", subject=home.code))
    end = run.as_of if run else None
    if season is not None and season.last_time_s is not None:
        span = (season.last_time_s + 3600 - days * 86400, season.last_time_s + 3600)
    elif end is not None:
        span = (int((end - timedelta(days=days)).timestamp()), int(end.timestamp()))
    else:
        span = None
    return {
        "home": home,
        "season": season,
        "strip": day_strip(bytes(season.days), run.season) if season and run else "",
        "contract": Contract.objects.filter(home=home, season=run.season).first() if run else None,
        "judgements": judged,
        "refunds": [row for row in judged if row.amount_fen],
        "refund_total": sum(row.amount_fen or 0 for row in judged),
        "outages": list(outages_of(home)[:20]),
        "measurements": list(Measurement.objects.filter(home=home).order_by("-measured_at")[:20]),
        "corrections": correction_rows(home.code),
        "curve": home_curve(home.code, *span, room_limit(season), width) if span else None,
    }


WHOLE = ("building__loop", "substation__source", "company", "banner")


def home(request: Visit, pk: int) -> HttpResponse:
    """A resident has a page of their own; the way down from station and building is not theirs."""
    found = get_object_or_404(request.scope.homes().select_related(*WHOLE), pk=pk)
    if request.scope.kind == "home":
        return my_home(request)
    span = request.GET.get("span", "48h")
    facts = facts_of(found, span)
    return render(request, "web/home.html", facts | why_cold(found, facts["season"]) | {"span": span})


def why_cold(home: Home, season: HomeSeason | None) -> dict[str, Any]:
    """Ranked causes at the last moment at which the home was too cold, in the language of the page."""
    run = latest_run()
    newest = (
        None
        if season is None or season.last_time_s is None
        else datetime.fromtimestamp(season.last_time_s + 3600, CHINA)
    )
    at = cold_moment(home, season, newest or (run.as_of if run else datetime.now(CHINA)))
    words = (say("多半是"), say("也可能是"))
    return {
        "causes_at": at,
        "causes": [
            {
                "name": pick(cause.zh, cause.en),
                "strength_words": words[min(number, 1)],
                "evidence": [pick(*line) for line in cause.evidence],
                "remedy": pick(cause.remedy_zh, cause.remedy_en),
            }
            for number, cause in enumerate(cold_causes(home, season, at)[:4])
        ],
    }


def my_home(request: Visit) -> HttpResponse:
    found = request.scope.homes().select_related(*WHOLE).first()
    if found is None:
        return render(request, "web/my_home_unknown.html")
    season = season_asked(request)
    subsidies = own_subsidies(found, season, stand_day(request)) if season else []
    return render(request, "web/my_home.html", facts_of(found, "week", NARROW) | {"subsidies": subsidies})
