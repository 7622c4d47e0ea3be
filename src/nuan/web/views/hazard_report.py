"""上报隐患: the form of a phone at night; and the button that makes a hazard of an alarm."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from nuan.operations.hazards import HazardError, owner_of, report_hazard
from nuan.operations.live import live_now
from nuan.operations.photos import MOST_PHOTOS, PhotoError, keep_photos
from nuan.operations.place_names import names_of
from nuan.records.accounts.models import COMPANY_ROLES, Role
from nuan.records.accounts.visibility import Scope
from nuan.records.hazards.models import Hazard, Kind, Source
from nuan.records.monitoring.models import Alarm
from nuan.telemetry.alarms.definitions import Kind as AlarmKind
from nuan.web.field_forms import arrived
from nuan.web.forms import actor_of, refused
from nuan.web.guard import Visit
from nuan.web.live_words import amount
from nuan.web.wording import pick, say

FIELDS = ("kind", "words", "place", "place_kind", "place_words", "source", "company", "banner", "lon", "lat", "key")
MOST_PLACES = 800
BY_HAND = (Source.STAFF, Source.RESIDENT, Source.INSPECTION)
USUAL_SOURCE = {Role.DESK: Source.RESIDENT, Role.BANNER: Source.INSPECTION, Role.CITY: Source.INSPECTION}
NETWORK_PLACES = ("pipe", "chamber")


def hazard_report(request: Visit) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    form = {name: asked.get(name, "") for name in FIELDS}
    if request.method == "POST":
        made = _report(request, form)
        if made is not None:
            return arrived(request, reverse("hazard", kwargs={"code": made.code}))
    stations = request.scope.stations().order_by("code")[:MOST_PLACES]
    context = {
        "form": form
        | {"key": form["key"] or uuid4().hex, "source": form["source"] or USUAL_SOURCE.get(request.role, Source.STAFF)},
        "kinds": Kind.choices,
        "sources": [(each.value, each.label) for each in BY_HAND],
        "stations": stations,
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "most_photos": MOST_PHOTOS,
    }
    return render(request, "web/hazards/report.html", context, status=422 if request.method == "POST" else 200)


def _report(request: Visit, form: dict[str, str]) -> Hazard | None:
    try:
        place_level, place_code, place_words = _place(request.scope, form)
        company, banner = _owner(request, form, place_level, place_code)
        position = position_of(form)
        done = report_hazard(
            source=form["source"] if form["source"] in BY_HAND else Source.STAFF,
            key=f"{request.user.pk}:{form['key'][:60]}",
            words=form["words"],
            actor=actor_of(request),
            by=request.user,
            now=live_now(timezone.now()),
            company=company,
            banner=banner,
            kind=form["kind"] or Kind.OTHER,
            place_level=place_level,
            place_code=place_code,
            place_words=place_words,
            longitude=position[0] if position else None,
            latitude=position[1] if position else None,
            photos=keep_photos(request.FILES.getlist("photos")),
        )
    except (HazardError, PhotoError) as error:
        refused(request, error)
        return None
    messages.success(request, say("已上报,编号 {code}。", code=done.hazard.code))
    return done.hazard


def _place(scope: Scope, form: dict[str, str]) -> tuple[str, str, str]:
    """(level, code, words): a station or building of the registry by code or name; a pipe or chamber as it is written; else words."""
    written, words = form["place"].strip()[:80], form["place_words"].strip()
    if not written:
        return "", "", words
    if form["place_kind"] in NETWORK_PLACES:
        return form["place_kind"], written[:48], words
    code = written.split(" ")[0]
    for level, rows in (("substation", scope.stations()), ("building", scope.buildings())):
        for found in (rows.filter(code=code).first(), rows.filter(name=written).first()):
            if found is not None:
                return level, found.code, words
    return "", "", f"{written} {words}".strip()


def _owner(request: Visit, form: dict[str, str], place_level: str, place_code: str) -> tuple[str, str]:
    """Whose it is: by the place, else what was chosen, else the only one there is. A choice outside one's sight is none."""
    if place_code and (owner := owner_of(place_level, place_code)):
        return owner
    companies = list(request.scope.companies().values_list("code", flat=True))
    banners = list(request.scope.banners().values_list("code", flat=True))
    company = request.user.company_id or "" if request.role in COMPANY_ROLES else form["company"]
    banner = request.user.banner_id or "" if request.role == Role.BANNER else form["banner"]
    company = company if company in companies else (companies[0] if len(companies) == 1 else "")
    banner = banner if banner in banners else (banners[0] if len(banners) == 1 else "")
    return company, banner


def position_of(form: dict[str, str]) -> tuple[float, float] | None:
    try:
        longitude, latitude = float(form["lon"]), float(form["lat"])
    except ValueError:
        return None
    return (longitude, latitude) if -180 <= longitude <= 180 and -90 <= latitude <= 90 else None


def alarm_hazard(request: Visit, pk: int) -> HttpResponse:
    """One press makes the alarm a hazard; a second press, or somebody else's, leads to the one that is there."""
    if request.method != "POST":
        raise Http404
    alarm = get_object_or_404(request.scope.placed(Alarm.objects.all()), pk=pk)
    try:
        done = report_hazard(actor=actor_of(request), by=request.user, now=live_now(timezone.now()), **of_alarm(alarm))
    except HazardError as error:
        refused(request, error)
        return redirect("alarm", pk=pk)
    code = done.hazard.code
    messages.success(
        request, say("已转为隐患 {code}。", code=code) if done.is_new else say("这条告警已转为隐患 {code}。", code=code)
    )
    return redirect("hazard", code=code)


def of_alarm(alarm: Alarm) -> dict[str, Any]:
    """What an alarm says as the arguments of a report. A home stays unnamed: its building is the place."""
    level, place = alarm.level, alarm.place
    station = {"place_level": "substation", "place_code": alarm.station_code} if alarm.station_code else {}
    if level in {"source", "substation", "loop", "building"}:
        where: dict[str, str] = {"place_level": level, "place_code": place}
    else:
        where = station | {"place_words": names_of({(level, place)})[level, place]}
    value = ""
    if alarm.value is not None and not AlarmKind(alarm.kind).in_seconds:
        value = f" {amount(alarm.quantity, alarm.value)}"
    return {
        "source": Source.ALARM, "key": str(alarm.pk), "source_ref": f"alarm:{alarm.pk}", "company": alarm.company_code,
        "banner": alarm.banner_code, "words": f"{pick(alarm.words_zh, alarm.words_en)}{value}", "found_at": alarm.raised_at,
        "kind": Kind.LEAK if alarm.code == "station_make_up_high" else Kind.EQUIPMENT, **where,
    }  # fmt: skip
