"""One valve: how it stands, since when, who said so; a dispatcher says that it was turned."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from nuan.operations.valve_positions import ValveError, set_valve
from nuan.records.twin.models import ValvePosition
from nuan.terms.places import CHINA
from nuan.web.forms import actor_of, refused
from nuan.web.guard import Visit
from nuan.web.network_stage import Stage, stage
from nuan.web.network_svg import draw
from nuan.web.wording import say

MOST_HISTORY = 100


def _valve(found: Stage, name: str) -> dict[str, object]:
    table = found.twin.network.valves
    rows = table.filter(table["valve"] == name)
    if not rows.height:
        raise Http404
    return rows.row(0, named=True)


def network_valve(request: Visit, company: str) -> HttpResponse:
    """`?valve=`; without one, all valves of which somebody has said something."""
    found = stage(request, company)
    name = request.GET.get("valve", "").strip()[:80]
    rows = ValvePosition.objects.filter(company=company).order_by("-since", "-id")
    if not name:
        return render(request, "web/network/valves.html", found.context("valve", history=rows[:MOST_HISTORY]))
    row = _valve(found, name)
    side = "return" if name.endswith("-H") else "supply"
    picture = draw(
        found.twin, found.state, layer="pressure", side=side, names=found.names, measured=set(), chosen=name, valves=frozenset({name}),
        base=reverse("network", args=[company]),
    )  # fmt: skip
    context = found.context(
        "valve", name=name, row=row, bore_mm=round(float(str(row["inner_diameter_m"])) * 1000), position=found.twin.positions[name], history=rows.filter(valve=name)[:MOST_HISTORY],
        picture=picture, layer="pressure", neighbours=_neighbours(found, row),
    )  # fmt: skip
    return render(request, "web/network/valve.html", context)


def _neighbours(found: Stage, row: dict[str, object]) -> list[str]:
    """Pipes at either end."""
    pipes, ends = found.twin.network.pipes, [row["from_node"], row["to_node"]]
    return pipes.filter(pipes["from_node"].is_in(ends) | pipes["to_node"].is_in(ends))["pipe"].to_list()


def network_valve_set(request: Visit, company: str) -> HttpResponse:
    if request.method != "POST":
        raise Http404
    found = stage(request, company)
    name = request.POST.get("valve", "")[:80]
    _valve(found, name)
    back = redirect(f"{reverse('network_valve', args=[company])}?valve={name}")
    try:
        text = request.POST.get("since", "")
        since = datetime.fromisoformat(text).replace(tzinfo=CHINA) if text else found.now
        is_open = {"open": True, "closed": False}[request.POST.get("position", "")]
        set_valve(
            company,
            name,
            is_open=is_open,
            since=since,
            reason=request.POST.get("reason", "")[:2000],
            actor=actor_of(request),
            now=found.now,
        )
    except ValveError as error:
        refused(request, error)
    except (KeyError, ValueError):
        messages.error(request, say("请选开或关;时间写成 2026-01-15T08:30。"))
    else:
        messages.success(request, say("已登记。从现在起按新的阀门状态算。"))
    return back
