"""Who lives behind stations of a network: homes, buildings and special sites, in a few queries however many stations are asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Avg, Count, Min

from nuan.operations.network_twin import Twin, sites_of
from nuan.operations.place_names import names_of
from nuan.records.registry.models import Building, Home
from nuan.records.supervision.models import HomeSeason
from nuan.records.twin.models import ProtectedSite


@dataclass(frozen=True)
class Behind:
    """One station of the network and what hangs on it. `level` empty: the registry does not know it, so nobody can be counted."""

    substation: str
    level: str
    code: str
    name: str
    banner: str
    homes: int | None
    buildings: int | None
    sites: list[ProtectedSite]
    built_year: int | None = None
    room_c: float | None = None
    owed_c: float | None = None


def behind(twin: Twin, substations: Collection[str], now: datetime) -> dict[str, Behind]:
    """For each of the stations. Rooms: mean of the newest readings; owed: the lowest temperature that homes there are owed."""
    asked = {name: twin.places.get(name) for name in substations}
    placed = {place for place in asked.values() if place is not None}
    names = names_of(placed)
    homes, buildings, years, banners = _counts(placed)
    rooms = _rooms(placed)
    sites: dict[str, list[ProtectedSite]] = {}
    for site in sites_of(twin.company, now):
        for code in (site.building_id, site.building.loop.substation_id):
            sites.setdefault(code, []).append(site)
    found = {}
    for name, place in asked.items():
        if place is None:
            found[name] = Behind(name, "", "", name, "", None, None, [])
            continue
        room, owed = rooms.get(place, (None, None))
        found[name] = Behind(
            name, *place, names[place], banners.get(place, ""), homes.get(place, 0), buildings.get(place, 0), sites.get(place[1], []),
            years.get(place), None if room is None else room / 100, None if owed is None else owed / 100,
        )  # fmt: skip
    return found


Place = tuple[str, str]
_BY = {"substation": "substation_id", "building": "building_id", "home": "code"}


def _codes(placed: set[Place], level: str) -> list[str]:
    return [code for each, code in placed if each == level]


def _counts(placed: set[Place]) -> tuple[dict[Place, int], dict[Place, int], dict[Place, int], dict[Place, str]]:
    homes: dict[Place, int] = {}
    buildings: dict[Place, int] = {}
    banners: dict[Place, str] = {}
    years: dict[Place, int] = {}
    for level, column in _BY.items():
        if codes := _codes(placed, level):
            rows = Home.objects.filter(**{f"{column}__in": codes}).values_list(column)
            for code, many, houses, banner in rows.annotate(
                Count("id"), Count("building", distinct=True), Min("banner")
            ):
                homes[level, code], buildings[level, code], banners[level, code] = many, houses, banner
    if codes := _codes(placed, "substation"):
        rows = Building.objects.filter(loop__substation__in=codes).values_list("loop__substation")
        years |= {("substation", code): year for code, year in rows.annotate(Min("built_year")) if year is not None}
    if codes := _codes(placed, "building"):
        rows = Building.objects.filter(code__in=codes, built_year__isnull=False).values_list("code", "built_year")
        years |= {("building", code): year for code, year in rows}
    return homes, buildings, years, banners


def _rooms(placed: set[Place]) -> dict[Place, tuple[float | None, int | None]]:
    found: dict[Place, tuple[float | None, int | None]] = {}
    newest = HomeSeason.objects.order_by("-season").values_list("season", flat=True).first()
    for level, column in _BY.items():
        if newest and (codes := _codes(placed, level)):
            rows = HomeSeason.objects.filter(season=newest, **{f"home__{column}__in": codes}).values_list(
                f"home__{column}"
            )
            for code, room, owed in rows.annotate(Avg("last_temp_c100"), Min("threshold_c100")):
                found[level, code] = (room, owed)
    return found
