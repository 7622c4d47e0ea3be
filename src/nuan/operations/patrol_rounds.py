"""How the patrol routes stand: for every route its round of today, what is missing in it, and the rounds that ended without being walked.

Nothing of this is stored: it follows from the route, its points and the check-ins, so a missed point shows the moment its round is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q

from nuan.operations.city_packs import SeasonUnknownError, season_of
from nuan.policies import catalogue
from nuan.policies.patrols.rounds import Round, counts_in, round_of, rounds
from nuan.records.accounts.models import User
from nuan.records.hazards.models import CheckIn, PatrolPoint, PatrolRoute, PatrolWalk
from nuan.rules.pack import UnknownPack
from nuan.terms.places import day_date, day_number, local_day, to_epoch


@dataclass(frozen=True)
class RoundState:
    """One round: `missing` are its points without a check-in; `walk` where somebody was sent or began."""

    turn: Round
    points: int
    missing: list[PatrolPoint]
    findings: int
    walk: PatrolWalk | None
    over: bool

    @property
    def first_day(self) -> date:
        return day_date(self.turn.first)

    @property
    def last_day(self) -> date:
        return day_date(self.turn.last)

    @property
    def done(self) -> bool:
        return not self.missing

    @property
    def seen(self) -> int:
        return self.points - len(self.missing)

    @property
    def missed(self) -> bool:
        return self.over and bool(self.missing)

    @property
    def unwalked(self) -> bool:
        """Over, and nobody was at any point."""
        return self.over and self.points > 0 and len(self.missing) == self.points


@dataclass(frozen=True)
class RouteState:
    route: PatrolRoute
    current: RoundState | None
    past: list[RoundState] = field(default_factory=list)
    """Oldest first."""

    @property
    def missed(self) -> list[RoundState]:
        return [each for each in self.past if each.missed]

    @property
    def due(self) -> int:
        """Points that had to be looked at in the rounds that are over."""
        return sum(each.points for each in self.past)

    @property
    def seen(self) -> int:
        return sum(each.seen for each in self.past)

    @property
    def coverage(self) -> float | None:
        """Share of the points that were looked at in time; None while no round is over."""
        return self.seen / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one walk has: the points with a check-in, and how many of them with a finding."""

    points: frozenset[int]
    hazards: int


UNSEEN = Seen(frozenset(), 0)


def span_of(route: PatrolRoute, on: date) -> tuple[int, int | None]:
    """First and last day of the route as day numbers; a route of the season keeps within the season that `on` belongs to.

    Where the banner's rules do not say when the season is, the route is walked all year: better too often than never.
    """
    first, last = day_number(route.starts_on), None if route.ends_on is None else day_number(route.ends_on)
    if route.when == PatrolRoute.When.SEASON:
        bounds = _season(route.banner.pack, on.year if on.month >= 7 else on.year - 1)
        if bounds is None:
            return first, last
        first, last = max(first, bounds[0]), bounds[1] if last is None else min(last, bounds[1])
    return first, last


@cache
def _season(pack: str, year: int) -> tuple[int, int] | None:
    """First and last day number of the season that begins in a year. Packs are files that a process reads once."""
    try:
        season = season_of(catalogue.pack(pack), f"{year}-{year + 1}")
    except (SeasonUnknownError, UnknownPack):
        return None
    return day_number(season.first_day), day_number(season.last_day)


def round_on(route: PatrolRoute, on: date) -> Round | None:
    """The round that a day lies in; None where the route is not walked then."""
    first, last = span_of(route, on)
    return round_of(first, last, route.every_days, day_number(on))


def route_states(routes: Iterable[PatrolRoute], now: datetime) -> list[RouteState]:
    """All rounds of the season so far (of a route for all year: since it began), in four queries however many routes there are."""
    listed = list(routes)
    keys = [route.pk for route in listed]
    points: dict[int, list[PatrolPoint]] = {key: [] for key in keys}
    for point in PatrolPoint.objects.filter(route__in=keys).order_by("route", "number"):
        points[point.route_id].append(point)
    walks: dict[tuple[int, date], PatrolWalk] = {
        (walk.route_id, walk.starts_on): walk for walk in PatrolWalk.objects.filter(route__in=keys)
    }
    walkers = User.objects.in_bulk({walk.walker_id for walk in walks.values() if walk.walker_id})
    for walk in walks.values():
        walk.walker = walkers.get(walk.walker_id) if walk.walker_id else None
    seen = {
        walk: Seen(frozenset(found), hazards)
        for walk, found, hazards in CheckIn.objects.filter(walk__route__in=keys)
        .order_by()
        .values("walk")
        .annotate(found=ArrayAgg("point"), hazards=Count("pk", filter=Q(finding=CheckIn.Finding.HAZARD)))
        .values_list("walk", "found", "hazards")
    }
    return [_state(route, points[route.pk], walks, seen, now) for route in listed]


def _state(
    route: PatrolRoute, points: Sequence[PatrolPoint], walks: dict[tuple[int, date], PatrolWalk], seen: dict[int, Seen],
    now: datetime,
) -> RouteState:  # fmt: skip
    today = local_day(to_epoch(now))
    first, last = span_of(route, day_date(today))
    bounded = any(point.since or point.until for point in points)
    past, current = [], None
    for turn in rounds(first, last, route.every_days, today):
        walk = walks.get((route.pk, day_date(turn.first)))
        found = seen.get(walk.pk, UNSEEN) if walk else UNSEEN
        own = points
        if bounded:
            own = [point for point in points if counts_in(turn, _day(point.since), _day(point.until))]
        missing = [point for point in own if point.pk not in found.points]
        state = RoundState(turn, len(own), missing, found.hazards, walk, turn.last < today)
        if state.over:
            past.append(state)
        else:
            current = state
    return RouteState(route, current, past)


def _day(day: date | None) -> int | None:
    return None if day is None else day_number(day)
