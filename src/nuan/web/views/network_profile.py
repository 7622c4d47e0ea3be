"""水压图: heads from a plant to a station and back as a drawing for the screen and the wall."""

from django.http import HttpResponse
from django.shortcuts import render

from nuan.network.profile import NoWayError, Profile, profile
from nuan.web.guard import Visit
from nuan.web.network_heads import heads
from nuan.web.network_stage import Stage, stage
from nuan.web.wording import pick

ROWS = 60


def _asked(request: Visit, found: Stage) -> tuple[str, str]:
    """Source and station; without a question the least favourable station and the plant that is nearest by pipe."""
    sources = found.twin.network.sources["source"].to_list()
    stations = set(found.twin.network.substations["substation"])
    station = request.GET.get("station", "")
    if station not in stations:
        worst = found.worst(1)
        station = worst[0]["substation"] if worst else next(iter(sorted(stations)), "")
    source = request.GET.get("source", "")
    return source if source in sources else "", station


def _shortest(found: Stage, station: str) -> Profile | None:
    """From the plant with the shortest way."""
    ways = []
    for source in found.twin.network.sources["source"]:
        try:
            ways.append(profile(found.state, source, station))  # type: ignore[arg-type]
        except NoWayError:
            continue
    return min(ways, key=lambda each: float(each.supply.metres[-1]), default=None)


def network_profile(request: Visit, company: str) -> HttpResponse:
    found = stage(request, company)
    source, station = _asked(request, found)
    drawn, why = None, ""
    if found.state is not None and station:
        try:
            drawn = profile(found.state, source, station) if source else _shortest(found, station)
        except NoWayError as error:
            why = pick(*str(error).split(" / "))
    rows = (
        []
        if drawn is None
        else list(
            zip(
                drawn.supply.nodes,
                drawn.supply.metres,
                drawn.supply.elevation_m,
                drawn.supply.head_m,
                drawn.supply.pressure_bar,
                drawn.supply.boiling_m,
                strict=True,
            )
        )
    )
    context = found.context(
        "profile", drawn=drawn, why=why, station=station, source=drawn.source if drawn else source, picture=None if drawn is None else heads(drawn),
        stations=[(name, found.name(name)) for name in sorted(found.twin.network.substations["substation"])],
        sources=found.twin.network.sources["source"].to_list(), rows=rows[:: max(1, len(rows) // ROWS)],
        station_name=found.name(station), **_margins(drawn),
    )  # fmt: skip
    return render(request, "web/network/profile.html", context)


def _margins(drawn: Profile | None) -> dict[str, float]:
    """How long the way is, and how near supply comes to boiling and return to drawing air."""
    if drawn is None:
        return {}
    return {
        "far": float(drawn.supply.metres[-1]),
        "margin": float((drawn.supply.head_m - drawn.supply.boiling_m).min()),
        "empty_margin": float((drawn.back.head_m - drawn.back.elevation_m).min()),
    }
