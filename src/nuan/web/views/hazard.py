"""One hazard: what it is, the next step as one big button, its history with photos; and the photos themselves."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from nuan.operations.hazards import HazardError, answerable, hands_on, latest_deadline, step
from nuan.operations.live import live_now
from nuan.operations.photos import MOST_PHOTOS, PhotoError, keep_photos, photo
from nuan.records.accounts.models import User
from nuan.records.hazards.models import Hazard, Level, Photo
from nuan.records.hazards.states import Event, State, Step, steps_from
from nuan.terms.places import CHINA
from nuan.web.field_forms import arrived
from nuan.web.forms import refused
from nuan.web.guard import Visit
from nuan.web.hazard_words import change_rows, hazard_rows
from nuan.web.views.hazards import hazards_seen
from nuan.web.views.patrols import routes_seen
from nuan.web.wording import say

ASK = {
    Event.CONFIRM: "定级并派人", Event.REJECT: "不属隐患", Event.START: "我开始整改", Event.RECTIFY: "整改完成,请复查",
    Event.PASS: "复查通过,销号", Event.FAIL: "没有整改好,退回", Event.ASSIGN: "换责任人", Event.GRADE: "改定级别",
    Event.EXTEND: "延长期限", Event.NOTE: "补充说明或照片",
}  # fmt: skip
HINT = {
    Event.RECTIFY: "做了什么,换了什么", Event.PASS: "现场看到什么,怎么确认已消除", Event.FAIL: "哪里没有整改好",
    Event.REJECT: "为什么不属隐患",
}  # fmt: skip
MAIN = {Event.CONFIRM, Event.START, Event.RECTIFY, Event.PASS}
DANGER = {Event.PASS, Event.REJECT}
"""Cannot be undone; the form says so."""
USUAL = timedelta(days=3)
"""Proposed where the place's rules set no deadline; whoever grades it changes it as the case asks."""


def hazard(request: Visit, code: str) -> HttpResponse:
    found = get_object_or_404(hazards_seen(request), code=code)
    now = live_now(timezone.now())
    if request.method == "POST":
        return _step(request, found, now)
    return _page(request, found, now, {})


def _page(request: Visit, found: Hazard, now: datetime, form: dict[str, Any], status: int = 200) -> HttpResponse:
    barred = request.user.pk in hands_on(found)
    steps = [each for each in steps_from(State(found.state), request.role) if not (each.another and barred)]
    context = {
        "row": hazard_rows([found], now)[0],
        "changes": change_rows(found),
        "photos": found.photos.filter(change__event=Event.REPORT).order_by("id"),
        "steps": [_asked(each, form) for each in steps],
        "barred": barred and found.state == State.RECTIFIED,
        "form": form,
        "key": form.get("key") or uuid4().hex,
        "levels": [(value, label, latest_deadline(found.banner.pack, value, now)) for value, label in Level.choices],
        "people": answerable(found.company_id),
        "proposed": _proposed(found, now),
        "most_photos": MOST_PHOTOS,
        "now": now,
        "check_ins": found.check_ins.select_related("walk__route", "point"),
        "alarm": found.source_ref.removeprefix("alarm:") if found.source_ref.startswith("alarm:") else "",
    }
    return render(request, "web/hazards/hazard.html", context, status=status)


def _asked(each: Step, form: dict[str, Any]) -> dict[str, Any]:
    return {
        "event": str(each.event),
        "words": ASK[each.event],
        "hint": HINT.get(each.event, ""),
        "needs": each.needs,
        "main": each.event in MAIN,
        "final": each.event in DANGER,
        "open": each.event in MAIN or form.get("event") == each.event,
    }


def _proposed(found: Hazard, now: datetime) -> str:
    """What the field of the deadline begins with: what the level's rule allows, or the usual days."""
    limit = latest_deadline(found.banner.pack, found.level or Level.GENERAL, now)
    begin = max(found.deadline or now, now) + timedelta(days=1) if found.deadline else (limit or now + USUAL)
    return timezone.localtime(begin).strftime("%Y-%m-%dT%H:%M")


def _step(request: Visit, found: Hazard, now: datetime) -> HttpResponse:
    asked = {name: request.POST.get(name, "") for name in ("event", "note", "level", "responsible", "deadline", "key")}
    try:
        step(
            found,
            asked["event"],
            by=request.user,
            now=now,
            note=asked["note"],
            level=asked["level"],
            responsible=_person(asked["responsible"]),
            deadline=_moment(asked["deadline"]) if asked["event"] in {Event.CONFIRM, Event.EXTEND} else None,
            photos=keep_photos(request.FILES.getlist("photos")),
            key=asked["key"][:100],
        )
    except (HazardError, PhotoError) as error:
        refused(request, error)
        return _page(request, get_object_or_404(hazards_seen(request), pk=found.pk), now, asked, status=422)
    messages.success(request, say("已登记。"))
    return arrived(request, reverse("hazard", kwargs={"code": found.code}))


def _person(text: str) -> User | None:
    return User.objects.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None


def _moment(text: str) -> datetime | None:
    """`2026-01-05T18:00` as the field sends it, in local time."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    except ValueError:
        return None


def hazard_photo(request: Visit, pk: int) -> HttpResponse:
    """A picture for whoever may see its hazard, or, where it belongs to a check-in, the route; for nobody else, and never kept by a proxy."""
    found = get_object_or_404(Photo.objects.select_related("check_in__walk__route"), pk=pk)
    if found.hazard_id is not None:
        seen = hazards_seen(request).filter(pk=found.hazard_id).exists()
    else:
        seen = found.check_in is not None and routes_seen(request).filter(pk=found.check_in.walk.route_id).exists()
    content = photo(found.digest) if seen else None
    if content is None:
        raise Http404
    answer = HttpResponse(content, content_type="image/jpeg")
    answer["Content-Disposition"] = f'inline; filename="{found.digest[:12]}.jpg"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
