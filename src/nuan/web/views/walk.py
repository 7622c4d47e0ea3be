"""走线打卡: the round of today, point by point, on a phone. A form that was sent twice, or late from a pocket without a network, counts once."""

from datetime import datetime
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from nuan.operations.hazards import HazardError
from nuan.operations.live import live_now
from nuan.operations.patrol_rounds import route_states
from nuan.operations.patrols import Position, check_in
from nuan.operations.photos import MOST_PHOTOS, PhotoError, keep_photos
from nuan.records.hazards.models import CheckIn, Kind, PatrolPoint, PatrolRoute
from nuan.web.field_forms import arrived
from nuan.web.forms import refused
from nuan.web.guard import Visit
from nuan.web.views.hazard_report import position_of
from nuan.web.views.patrols import routes_seen
from nuan.web.wording import say

FIELDS = ("finding", "note", "kind", "where_words", "lon", "lat", "accuracy", "at", "key")


def patrol_walk(request: Visit, code: str) -> HttpResponse:
    route = get_object_or_404(routes_seen(request), code=code)
    now = live_now(timezone.now())
    form: dict[str, str] = {}
    if request.method == "POST":
        form = {name: request.POST.get(name, "") for name in FIELDS} | {"point": request.POST.get("point", "")}
        if (done := _check(request, route, form, now)) is not None:
            return done
    return _page(request, route, form, now)


def _page(request: Visit, route: PatrolRoute, form: dict[str, str], now: datetime) -> HttpResponse:
    turn = route_states([route], now)[0].current
    checks = {}
    if turn is not None and turn.walk is not None:
        rows = CheckIn.objects.filter(walk=turn.walk).select_related("by", "hazard").prefetch_related("photos")
        checks = {each.point_id: each for each in rows}
    missing = {point.pk for point in turn.missing} if turn else set()
    shown = [point for point in route.points.all() if turn and (point.pk in missing or point.pk in checks)]
    following = form.get("point") or str(next((point.pk for point in shown if point.pk not in checks), ""))
    context = {
        "route": route,
        "turn": turn,
        "points": [(point, checks.get(point.pk), str(point.pk) == following, uuid4().hex) for point in shown],
        "form": form,
        "kinds": Kind.choices,
        "most_photos": MOST_PHOTOS,
        "now": now,
        "today": timezone.localdate(now),
    }
    return render(request, "web/hazards/walk.html", context, status=422 if form else 200)


def _check(request: Visit, route: PatrolRoute, form: dict[str, str], now: datetime) -> HttpResponse | None:
    point = get_object_or_404(
        PatrolPoint.objects.select_related("route__banner"),
        route=route,
        pk=form["point"] if form["point"].isdecimal() else 0,
    )
    place = position_of(form)
    accuracy = form["accuracy"]
    try:
        done = check_in(
            point,
            by=request.user,
            now=now,
            key=form["key"][:60],
            finding=form["finding"],
            note=form["note"],
            at=_moment(form["at"], now),
            position=Position(*place, int(accuracy) if accuracy.isdecimal() and len(accuracy) < 7 else None)
            if place
            else None,
            where_words=form["where_words"],
            kind=form["kind"] if form["kind"] in Kind.values else Kind.OTHER,
            photos=keep_photos(request.FILES.getlist("photos")),
        )
    except (HazardError, PhotoError) as error:
        refused(request, error)
        return None
    if done.hazard is not None:
        messages.success(request, say("已打卡,并上报隐患 {code}。", code=done.hazard.code))
    else:
        messages.success(request, say("已打卡:{name}。", name=point.name))
    return arrived(request, reverse("patrol_walk", kwargs={"code": route.code}) + "#next")


def _moment(text: str, now: datetime) -> datetime | None:
    """As a phone writes it: ISO with its offset. A demo city lives in its own time, and there the phone's clock means nothing."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    in_its_own_time = abs((now - timezone.now()).total_seconds()) > 60
    return None if moment.tzinfo is None or in_its_own_time else min(moment, now)
