"""The map: our own GeoJSON on a plain ground; the same places stand below it as a list."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from nuan.records.registry.models import Substation
from nuan.records.supervision.models import HomeSeason
from nuan.web.context import latest_run
from nuan.web.guard import Visit
from nuan.web.templatetags.nuan_pages import COLOUR_WORDS
from nuan.web.wording import say

DAY_BREACHED, DAY_UNDECIDABLE = 2, 3


def colour_of(known: int, breached: int, undecidable: int) -> str:
    """Grey without verdicts, red from a tenth of the homes, amber from one."""
    if known == 0 or undecidable == known:
        return "grey"
    if breached * 10 >= known:
        return "red"
    return "amber" if breached else "green"


def _states(request: Visit, by: str) -> dict[str, tuple[int, int, int]]:
    """Homes known, breached and undecidable on the newest judged day, by building or station."""
    run = latest_run()
    rows = request.scope.of_homes(HomeSeason.objects.filter(season=run.season if run else ""))
    counted = rows.values_list(by).annotate(
        known=Count("id"),
        breached=Count("id", filter=Q(last_day=DAY_BREACHED)),
        unknown=Count("id", filter=Q(last_day=DAY_UNDECIDABLE)),
    )
    return {code: (known, breached, unknown) for code, known, breached, unknown in counted}


def _feature(kind: str, place: Any, state: tuple[int, int, int], address: str) -> dict[str, Any]:
    known, breached, unknown = state
    colour = colour_of(known, breached, unknown)
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        "properties": {
            "kind": kind,
            "name": place.name,
            "state": colour,
            "word": say(COLOUR_WORDS[colour]),
            "text": say("{known} 户有读数,{breached} 户最近一天不达标", known=known, breached=breached),
            "address": address,
        },
    }


def map_places(request: Visit) -> HttpResponse:
    stations = list(request.scope.stations().filter(longitude__isnull=False, latitude__isnull=False))
    buildings = list(request.scope.buildings().filter(longitude__isnull=False, latitude__isnull=False))
    by_station, by_building = _states(request, "home__substation_id"), _states(request, "home__building_id")
    none = (0, 0, 0)
    features = [
        _feature("building", place, by_building.get(place.code, none), f"/buildings/{place.code}/")
        for place in buildings
    ]
    features += [
        _feature("station", place, by_station.get(place.code, none), f"/stations/{place.code}/") for place in stations
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


def city_map(request: Visit) -> HttpResponse:
    states = _states(request, "home__substation_id")
    stations: list[tuple[Substation, str, tuple[int, int, int]]] = []
    for place in request.scope.stations().select_related("company").order_by("code"):
        state = states.get(place.code, (0, 0, 0))
        stations.append((place, colour_of(*state), state))
    stations.sort(key=lambda entry: ("red", "amber", "grey", "green").index(entry[1]))
    return render(request, "web/map.html", {"stations": stations})
