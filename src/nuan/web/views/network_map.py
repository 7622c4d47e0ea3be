"""管网: the networks in sight, the map of one with pressures, temperatures and flows, and its file for a GIS."""

from typing import Any
from urllib.parse import urlencode

import polars as pl
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from nuan.network.formats import geojson
from nuan.network.graph.tables import KEYS
from nuan.operations.live import live_now
from nuan.operations.network_alarms import PREFIX
from nuan.operations.network_leak_watch import leaks_going
from nuan.operations.network_twin import version_in_force
from nuan.records.monitoring.models import Alarm
from nuan.records.twin.models import NetworkRun
from nuan.web.guard import Visit
from nuan.web.live_words import ago
from nuan.web.network_stage import STALE_AFTER, Stage, companies_in_sight, stage
from nuan.web.network_svg import LAYERS, SIDES, draw, parts_of
from nuan.web.wording import say

WORST = 8
MOST_MATCHES = 40
SEARCHED = ("substations", "pipes", "valves", "sources")
TABLE_WORDS = {"substations": "热力站", "pipes": "管道", "valves": "阀门", "sources": "热源"}


def networks(request: Visit) -> HttpResponse:
    """A row a company: how big its network is, what was computed of it and when, what it warns of."""
    now = live_now(timezone.now())
    warned = dict(
        Alarm.objects.filter(code__startswith=PREFIX, closed_at=None, active=True)
        .values_list("company_code")
        .annotate(Count("id"))
    )
    rows = []
    for company in companies_in_sight(request):
        version = version_in_force(company.code, now)
        run = NetworkRun.objects.filter(company=company).order_by("-at").first()
        rows.append({
            "company": company, "version": version, "run": run, "alarms": warned.get(company.code, 0),
            "age": "" if run is None else ago(int(run.at.timestamp()), now), "stale": run is not None and now - run.at > STALE_AFTER,
            "km": None if version is None else version.length_m / 1000,
        })  # fmt: skip
    return render(request, "web/network/networks.html", {"rows": rows, "now": now})


def network(request: Visit, company: str) -> HttpResponse:
    found = stage(request, company)
    layer = request.GET.get("layer", "pressure")
    layer = layer if layer in LAYERS else "pressure"
    side = request.GET.get("side", "supply")
    side = side if side in SIDES else "supply"
    asked = request.GET.get("q", "").strip()[:80]
    matches = search(found, asked)
    chosen = matches[0]["name"] if matches and (len(matches) == 1 or matches[0]["name"] == asked) else ""
    pieces = list(parts_of(found.twin.network))
    part = request.GET.get("part", "")
    part = part if part in pieces and len(pieces) > 1 else ""
    picture = draw(
        found.twin, found.state, layer=layer, side=side, names=found.names, measured=measured_stations(found), chosen=chosen,
        base=reverse("network", args=[company]),
        part=part,
    )  # fmt: skip
    context = found.context(
        "map", picture=picture, layer=layer, side=side, layers=LAYERS, sides=SIDES, q=asked, matches=matches, chosen=chosen,
        worst=found.worst(WORST), warnings=warnings(found), leaks=leaks_going(company), pieces=pieces, part=part, about=_about(found, chosen),
    )  # fmt: skip
    return render(request, "web/network/map.html", context)


def measured_stations(found: Stage) -> set[str]:
    """Stations with a fresh gauge on the primary side."""
    return set() if found.run is None else {row["substation"] for row in found.run.residuals}


def search(found: Stage, asked: str) -> list[dict[str, str]]:
    """Things of the network whose name, or whose registry name, holds the words; an exact name first."""
    if not asked:
        return []
    matches = []
    for table in SEARCHED:
        for name in found.twin.network.table(table)[KEYS[table]]:
            known = found.name(name) if table == "substations" else ""
            if asked.lower() in name.lower() or asked in known:
                matches.append(
                    {
                        "table": table,
                        "kind": say(TABLE_WORDS[table]),
                        "name": name,
                        "known": "" if known == name else known,
                    }
                )
    matches.sort(key=lambda each: (each["name"] != asked, each["known"] != asked))
    return matches[:MOST_MATCHES]


def _about(found: Stage, chosen: str) -> dict[str, Any] | None:
    """Where the chosen thing leads on."""
    if not chosen:
        return None
    for table in SEARCHED:
        if chosen in set(found.twin.network.table(table)[KEYS[table]]):
            source = found.twin.network.sources["source"].to_list()
            place = found.twin.places.get(chosen, ("", ""))
            row: dict[str, Any] = {}
            if table == "substations" and found.state is not None:
                row = found.stations.filter(pl.col("substation") == chosen).row(0, named=True)
            links = {"pipes": ("broken", {"pipe": chosen}), "valves": ("valve", {"valve": chosen})}
            address = f"{links[table][0]}/?{urlencode(links[table][1])}" if table in links else ""
            return {
                "table": table,
                "kind": say(TABLE_WORDS[table]),
                "name": chosen,
                "known": found.name(chosen),
                "address": address,
                "place": place,
                "row": row,
                "sources": source,
            }
    return None


def warnings(found: Stage) -> list[Alarm]:
    """Open alarms of the network."""
    rows = Alarm.objects.filter(company_code=found.company.code, code__startswith=PREFIX, closed_at=None, active=True)
    return list(rows.order_by("priority", "-raised_at")[:10])


def network_geojson(request: Visit, company: str) -> HttpResponse:
    """The tables as they stand now with the run's results, for any GIS."""
    found = stage(request, company)
    answer = HttpResponse(geojson.write(found.twin.network, found.state), content_type="application/geo+json")
    answer["Content-Disposition"] = f'attachment; filename="network-{company}.geojson"'
    return answer
