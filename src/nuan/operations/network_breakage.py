"""这根管坏了: everything that a dispatcher has to know at once about a broken pipe. Reads only; who opens an outage does so by an act."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import cos, hypot, radians

import numpy as np
import polars as pl

from nuan.network.drainage import segment_pipes, water_m3
from nuan.network.isolation import Isolation, Segments, isolate
from nuan.network.steady import State
from nuan.operations.network_people import Behind, behind
from nuan.operations.network_run import settled
from nuan.operations.network_twin import Position, Twin, with_open_flags
from nuan.records.emergency.models import Vehicle
from nuan.records.registry.models import Banner

_M_PER_DEGREE = 111_320.0
CREWS = (1, 2, 3)


@dataclass(frozen=True)
class ValveStep:
    """One valve to close. `walk_m`: as the crow flies from the valve before; None where no place is known."""

    valve: str
    minutes: float
    walk_m: float | None
    position: Position


@dataclass(frozen=True)
class Hit:
    """A station that loses water or gets too little. `after` figures are of what remains; None where nothing flows."""

    who: Behind
    heat_kw: float | None
    short_kw: float
    dp_before_bar: float | None
    dp_after_bar: float | None
    flow_share: float | None


@dataclass(frozen=True)
class Breakage:
    """`lost`: without water; `weak`: with too little; `rerouted`: fed another way, with the pressures it would have."""

    pipe: str
    pipes: list[str]
    valves: list[ValveStep]
    minutes: float
    lost: list[Hit]
    weak: list[Hit]
    rerouted: list[Hit]
    water_m3: float
    vehicles: list[Vehicle]
    why: str
    isolation: Isolation
    route: list[str]
    route_m: float
    """The valves in the order of one crew that goes to the nearest next, from the first one; empty where a place is not known."""

    @property
    def route_words(self) -> str:
        return " → ".join(self.route)

    @property
    def homes(self) -> int:
        return sum(hit.who.homes or 0 for hit in self.lost)

    @property
    def buildings(self) -> int:
        return sum(hit.who.buildings or 0 for hit in self.lost)

    @property
    def weak_homes(self) -> int:
        return sum(hit.who.homes or 0 for hit in self.weak)

    @property
    def uncounted(self) -> int:
        """Stations of which nobody knows who lives behind them."""
        return sum(hit.who.homes is None for hit in self.lost)

    @property
    def sites(self) -> list[tuple[object, Hit]]:
        return [(site, hit) for hit in (*self.lost, *self.weak) for site in hit.who.sites]

    @property
    def lost_kw(self) -> float:
        """Heat that the lost stations ask for now."""
        return sum(hit.heat_kw or 0.0 for hit in self.lost)

    @property
    def site_kw(self) -> float | None:
        """What the special sites need that have no heat of their own; None: nobody has entered it for any of them."""
        known = [site.heat_kw for site, _ in self.sites if not site.own_heat and site.heat_kw is not None]  # type: ignore[attr-defined]
        return sum(known) if known else None

    @property
    def vehicle_kw(self) -> int:
        return sum(vehicle.power_kw for vehicle in self.vehicles)

    @property
    def crews(self) -> list[tuple[int, float]]:
        """Minutes until all valves are shut by so many crews: each takes the next valve on the list; ways are not counted."""
        found = []
        for crews in CREWS:
            busy = [0.0] * crews
            for step in self.valves:
                free = busy.index(min(busy))
                busy[free] += step.minutes
            found.append((crews, max(busy)))
        return found


def breakage(twin: Twin, state: State, pipe: str, now: datetime, *, both_sides: bool = True) -> Breakage:
    """Given the newest computed state. Valves count as they stand now. Raises NoSuchPipeError and NotSettledError."""
    state = as_valves_stand(twin, state)
    segments = segments_of(state)
    done = isolate(state, pipe, both_sides=both_sides, segments=segments)
    twins = dict(twin.network.pipes.select("pipe", "twin").iter_rows())
    broken = [pipe, *([twins[pipe]] if both_sides and twins.get(pipe) in twins else [])]
    inside = segment_pipes(state, broken, segments)
    before = {row["substation"]: row for row in state.substations().iter_rows(named=True)}
    after = (
        {} if done.state is None else {row["substation"]: row for row in done.state.substations().iter_rows(named=True)}
    )
    lost_names = done.lost["substation"].to_list()
    weak_names = done.weak["substation"].to_list() if done.weak.height else []
    other = [name for name in _moved(before, after) if name not in {*lost_names, *weak_names}]
    who = behind(twin, [*lost_names, *weak_names, *other], now)
    banners = {each.banner for name, each in who.items() if name in set(lost_names + weak_names)} - {""}
    loads = dict(state.arrays.network.substations.select("substation", "heat_kw").iter_rows())

    def hits(names: list[str]) -> list[Hit]:
        found = [_hit(who[name], loads.get(name), before.get(name), after.get(name)) for name in names]
        return sorted(found, key=lambda hit: (-len(hit.who.sites), -(hit.who.homes or 0), hit.who.substation))

    return Breakage(
        pipe, inside, _steps(twin, done.valves), done.minutes, hits(lost_names), hits(weak_names), hits(other), water_m3(state, inside),
        _vehicles(banners or _banners(twin.company), now), done.why, done, *_route(twin, done.valves),
    )  # fmt: skip


def as_valves_stand(twin: Twin, state: State) -> State:
    """The state, solved anew from itself when a valve was turned since it was computed."""
    drawn = state.arrays.network
    now = twin.network.valves["open"]
    if drawn.valves["valve"].equals(twin.network.valves["valve"]) and drawn.valves["open"].equals(now):
        return state
    return settled(with_open_flags(drawn, "valves", now.to_numpy()), None)


_SEGMENTS: dict[int, tuple[State, Segments]] = {}


def segments_of(state: State) -> Segments:
    """Kept for the newest states: a dispatcher asks for one pipe after the other."""
    kept = _SEGMENTS.get(id(state))
    if kept is None or kept[0] is not state:
        while len(_SEGMENTS) >= 8:
            _SEGMENTS.pop(next(iter(_SEGMENTS)))
        kept = _SEGMENTS[id(state)] = (state, Segments.of(state.arrays))
    return kept[1]


def _moved(before: dict[str, dict[str, object]], after: dict[str, dict[str, object]], by_bar: float = 0.1) -> list[str]:
    """Stations that keep their water and whose pressure difference falls by more than 0.1 bar, the hardest hit first."""
    fallen = []
    for name, row in after.items():
        then, now = before[name]["dp_bar"], row["dp_bar"]
        if isinstance(then, float) and isinstance(now, float) and then - now > by_bar:
            fallen.append((now - then, name))
    return [name for _, name in sorted(fallen)]


def _hit(who: Behind, asked: float | None, before: dict[str, object] | None, after: dict[str, object] | None) -> Hit:
    def number(row: dict[str, object] | None, key: str) -> float | None:
        value = None if row is None else row[key]
        return float(value) if isinstance(value, float | int) and np.isfinite(value) else None

    then, now = number(before, "flow_kg_per_s"), number(after, "flow_kg_per_s")
    share = now / then if then and now is not None else None
    return Hit(
        who, asked, number(after, "short_kw") or 0.0, number(before, "dp_bar"), number(after, "dp_bar"), share
    )  # fmt: skip


def _steps(twin: Twin, valves: list[str]) -> list[ValveStep]:
    frame = twin.network.valves.filter(pl.col("valve").is_in(valves))
    rows = {row["valve"]: row for row in frame.iter_rows(named=True)}
    spots = [twin.at.get(rows[valve]["to_node"]) or twin.at.get(rows[valve]["from_node"]) for valve in valves]
    walks: list[float | None] = [None]
    walks += [distance_m(a, b) if a and b else None for a, b in pairwise(spots)]
    return [
        ValveStep(valve, float(rows[valve]["minutes_to_close"]), walk, twin.positions[valve])
        for valve, walk in zip(valves, walks, strict=False)
    ]


def _route(twin: Twin, valves: list[str]) -> tuple[list[str], float]:
    ends = dict(twin.network.valves.select("valve", "to_node").iter_rows())
    spots = {valve: twin.at.get(ends[valve]) for valve in valves}
    if len(valves) < 3 or None in spots.values():
        return [], 0.0
    at = {valve: spot for valve, spot in spots.items() if spot is not None}
    way, total, left = [valves[0]], 0.0, valves[1:]
    while left:
        here = at[way[-1]]
        nearest = min(left, key=lambda valve: distance_m(here, at[valve]))
        total += distance_m(here, at[nearest])
        way.append(nearest)
        left.remove(nearest)
    return way, total


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """As the crow flies, for distances within a city.

    >>> round(distance_m((110.0, 39.8), (110.0, 39.81)))
    1113
    """
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * _M_PER_DEGREE


def _vehicles(banners: set[str], now: datetime) -> list[Vehicle]:
    rows = Vehicle.objects.filter(banner__in=banners, available_from__lte=now.date()).select_related("banner")
    return [
        each
        for each in rows.order_by("-power_kw", "code")
        if each.available_to is None or each.available_to >= now.date()
    ]


def _banners(company: str) -> set[str]:
    return set(Banner.objects.filter(substations__company=company).values_list("code", flat=True))
