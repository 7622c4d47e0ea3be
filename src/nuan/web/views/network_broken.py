"""这根管坏了: one page that says at once what to close, who is hit and what is needed; and the form that opens the outages."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from nuan.network.isolation import NoSuchPipeError
from nuan.network.steady import NotSettledError
from nuan.operations.network_breakage import Breakage, breakage
from nuan.operations.network_outage import open_outages
from nuan.records.accounts.models import Role, User
from nuan.records.emergency.models import Outage
from nuan.terms.places import CHINA
from nuan.web.forms import actor_of
from nuan.web.guard import Visit
from nuan.web.network_stage import Stage, stage
from nuan.web.network_svg import draw
from nuan.web.views.network_map import measured_stations
from nuan.web.wording import say

LATEST_START = timedelta(days=7)
MOST_REROUTED = 30


def _found(request: Visit, company: str, pipe: str, both: bool) -> tuple[Stage, Breakage | None, str]:
    """404 for a pipe that there is not; a sentence where nothing can be computed."""
    found = stage(request, company)
    if found.state is None:
        return found, None, say("这个管网还没有算过,请先运行 nuan network watch。")
    try:
        return found, breakage(found.twin, found.state, pipe, found.now, both_sides=both), ""
    except NoSuchPipeError as error:
        raise Http404(str(error)) from error
    except NotSettledError:
        return found, None, say("现在的阀门状态下算不出工况,请核对阀门。")


def network_broken(request: Visit, company: str) -> HttpResponse:
    """`?pipe=`; without one a form asks for it. `one=1`: the pipe beside it stays in service."""
    pipe = request.GET.get("pipe", "").strip()[:80]
    if not pipe:
        found = stage(request, company)
        return render(
            request,
            "web/network/broken_ask.html",
            found.context("broken", pipes=found.twin.network.pipes["pipe"].to_list()),
        )
    both = request.GET.get("one") != "1"
    found, broken, why = _found(request, company, pipe, both)
    row = (
        found.twin.network.pipes.row(by_predicate=found.twin.network.pipes["pipe"] == pipe, named=True)
        if broken is None
        else None
    )
    picture = None
    if broken is not None:
        hit = frozenset(each.who.substation for each in (*broken.lost, *broken.weak))
        table = found.twin.network.pipes
        row = table.filter(table["pipe"] == pipe).row(0, named=True)
        picture = draw(
            found.twin, found.state, layer="pressure", side=row["side"] or "supply", names=found.names, measured=measured_stations(found),
            chosen=pipe, wet=frozenset(broken.pipes), hit=hit, valves=frozenset(step.valve for step in broken.valves),
            base=reverse("network", args=[company]),
        )  # fmt: skip
    context = found.context(
        "broken", broken=broken, why=why, pipe=pipe, row=row, both=both, picture=picture, layer="pressure", crew=_crew(company) if request.scope.kind == "company" else None,
        going=_going(broken), bore_mm=None if row is None else round(row["inner_diameter_m"] * 1000), causes=Outage.Cause.choices,
        rerouted=[] if broken is None else broken.rerouted[:MOST_REROUTED], more=0 if broken is None else max(len(broken.rerouted) - MOST_REROUTED, 0),
    )  # fmt: skip
    return render(request, "web/network/broken.html", context)


def _crew(company: str) -> list[str]:
    """Repair people of the company who may sign in; only their own company is told their names."""
    rows = User.objects.filter(company=company, role=Role.CREW, is_active=True).order_by("display_name", "username")
    return [user.display_name or user.username for user in rows]


def _going(broken: Breakage | None) -> int:
    codes = [] if broken is None else [hit.who.code for hit in broken.lost if hit.who.level]
    return Outage.objects.filter(place__in=codes, ended_at=None).count()


def network_outage(request: Visit, company: str) -> HttpResponse:
    """First asks whether it is meant, then writes; what the broken pipe cuts off is computed again, never taken from the form."""
    if request.method != "POST":
        raise Http404
    pipe, both = request.POST.get("pipe", "")[:80], request.POST.get("one") != "1"
    found, broken, why = _found(request, company, pipe, both)
    back = f"{reverse('network_broken', args=[company])}?{urlencode({'pipe': pipe} | ({} if both else {'one': '1'}))}"
    if broken is None or not any(hit.who.level for hit in broken.lost):
        messages.error(request, why or say("这根管坏了没有热力站断水,不用登记停热。"))
        return redirect(back)
    started = _moment(request.POST.get("started", ""), found.now)
    cause = request.POST.get("cause", "unknown")
    if started is None or cause not in Outage.Cause.values:
        messages.error(request, say("停热开始时间要在最近 7 天内,写成 2026-01-15T08:30。"))
        return redirect(back)
    if request.POST.get("confirm") != "yes":
        context = found.context(
            "broken",
            broken=broken,
            pipe=pipe,
            both=both,
            started=started,
            back=back,
            cause=cause,
            cause_words=Outage.Cause(cause).label,
        )
        return render(request, "web/network/outage_confirm.html", context)
    made = open_outages(
        [hit.who for hit in broken.lost], pipe=pipe, company=company, started_at=started, actor=actor_of(request), now=found.now, cause=cause
    )  # fmt: skip
    messages.success(request, say("已登记 {n} 处停热。", n=len(made)) if made else say("这些地方的停热都已经登记过。"))
    return redirect(back)


def _moment(text: str, now: datetime) -> datetime | None:
    """Local time of a form, no later than now and within a week; empty is now."""
    if not text:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
    return moment if now - LATEST_START <= moment <= now + timedelta(minutes=1) else None
