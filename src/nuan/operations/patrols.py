"""Patrols: who is sent on a round, and what they found at each point. A check-in with a finding makes the hazard in the same act."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nuan.operations.acts import act
from nuan.operations.hazards import HazardError, attach, report_hazard
from nuan.operations.patrol_rounds import round_on
from nuan.operations.photos import Kept
from nuan.records.accounts.models import Role, User
from nuan.records.hazards.models import CheckIn, Hazard, Kind, PatrolPoint, PatrolRoute, PatrolWalk, Source
from nuan.terms.places import CHINA, day_date

CLAUSE = "2.5.4"
WALKERS = frozenset({Role.CREW, Role.DISPATCH})
LATEST = timedelta(days=3)
"""运行参数: a check-in that a phone kept without a network may arrive so much later and still stands under the time the phone gives."""
PLACES = frozenset({"source", "substation", "building", "pipe", "chamber"})
"""Kinds of points that are places of their own; a hazard there names them."""


class PatrolError(HazardError):
    """Why an assignment or a check-in is not taken."""


@dataclass(frozen=True, slots=True)
class Position:
    longitude: float
    latitude: float
    accuracy_m: int | None = None


def assign_walk(route: PatrolRoute, first: date, walker: User | None, *, by: User, now: datetime) -> PatrolWalk:
    """Send somebody on the round that begins on `first` (None: nobody yet); a second assignment replaces the first. Raises PatrolError."""
    if by.role != Role.DISPATCH or by.company_id != route.company_id:
        raise PatrolError("派巡线由本企业调度办 / the company's dispatch assigns patrols")
    if walker is not None and (
        walker.company_id != route.company_id or walker.role not in WALKERS or not walker.is_active
    ):
        raise PatrolError("只能派本企业的抢修或调度人员 / only the company's crew or dispatch walks a route")
    turn = round_on(route, first)
    if turn is None or day_date(turn.first) != first:
        raise PatrolError("没有这一轮 / there is no such round")
    with act("assign_patrol", actor=_name(by), clause=CLAUSE, subject=f"{route.code} {first}") as row:
        walk, created = PatrolWalk.objects.select_for_update().get_or_create(
            route=route, starts_on=first, defaults={"walker": walker, "assigned_by": _name(by), "assigned_at": now}
        )
        row.details = {"walker": walker.username if walker else None}
        row.nothing_changed = not created and walk.walker_id == (walker.pk if walker else None)
        if not row.nothing_changed and not created:
            walk.walker, walk.assigned_by, walk.assigned_at = walker, _name(by), now
            walk.save()
    return walk


@dataclass(frozen=True, slots=True)
class Checked:
    check_in: CheckIn
    hazard: Hazard | None
    is_new: bool


def check_in(
    point: PatrolPoint,
    *,
    by: User,
    now: datetime,
    key: str,
    finding: str,
    note: str = "",
    at: datetime | None = None,
    position: Position | None = None,
    where_words: str = "",
    kind: str = Kind.OTHER,
    photos: Sequence[Kept] = (),
) -> Checked:
    """At a point, now or when the phone says it was (`at`, at most `LATEST` ago): all well, or a finding that becomes a hazard.

    The same `key` again, and a second check-in of a point in its round by the same person with the same answer, gives what is there.
    Raises PatrolError and HazardError.
    """
    route = point.route
    if by.role not in WALKERS or by.company_id != route.company_id or not by.is_active:
        raise PatrolError("只有本企业的抢修或调度人员能打卡 / only the company's crew or dispatch checks in")
    if finding not in CheckIn.Finding.values:
        raise PatrolError("请选正常或发现隐患 / choose all well or a finding")
    if not key.strip() or len(key) > 100:
        raise PatrolError("打卡要带幂等键 / a check-in needs a key")
    note, where_words = note.strip()[:500], where_words.strip()[:200]
    if finding == CheckIn.Finding.HAZARD and not note:
        raise PatrolError("发现隐患请写明情况 / say what was found")
    moment = min(at or now, now)
    if now - moment > LATEST:
        raise PatrolError(f"打卡时间超过 {LATEST.days} 天,不能补传 / the check-in is older than {LATEST.days} days")
    turn = round_on(route, moment.astimezone(CHINA).date())
    if turn is None:
        raise PatrolError("这条线路在这一天不用巡 / the route is not due on that day")
    whole_key = f"{by.pk}:{key}"
    with act("check_in", actor=_name(by), clause=CLAUSE, subject=f"{route.code} {point.number}") as row:
        walk, _ = PatrolWalk.objects.get_or_create(
            route=route,
            starts_on=day_date(turn.first),
            defaults={"walker": by, "assigned_by": _name(by), "assigned_at": now},
        )
        PatrolWalk.objects.select_for_update().get(pk=walk.pk)
        there = CheckIn.objects.filter(key=whole_key).first()
        if there is not None:
            row.nothing_changed = True
            return Checked(there, there.hazard, False)
        if earlier := CheckIn.objects.filter(walk=walk, point=point).first():
            raise PatrolError(
                f"这个点本轮已由 {_name(earlier.by)} 打卡;另有发现请直接上报隐患 / this point is checked in already; report a hazard instead"
            )
        hazard = None
        if finding == CheckIn.Finding.HAZARD:
            hazard = _hazard(point, by, now, key, note, moment, position, where_words, kind, photos)
        made = CheckIn.objects.create(
            walk=walk, point=point, at=moment, arrived_at=now, by=by, finding=finding, note=note, hazard=hazard, key=whole_key,
            longitude=position.longitude if position else None, latitude=position.latitude if position else None,
            accuracy_m=position.accuracy_m if position else None, where_words=where_words,
        )  # fmt: skip
        attach(photos, check_in=made, actor=_name(by), now=now)
        row.details = {"finding": finding, "round": str(walk.starts_on), "hazard": hazard.code if hazard else None}
    return Checked(made, hazard, True)


def _hazard(
    point: PatrolPoint, by: User, now: datetime, key: str, note: str, moment: datetime, position: Position | None, where_words: str,
    kind: str, photos: Sequence[Kept],
) -> Hazard:  # fmt: skip
    """Where somebody stands says more than where the point is drawn."""
    route = point.route
    longitude, latitude = (position.longitude, position.latitude) if position else (point.longitude, point.latitude)
    place = (point.kind, point.place_code) if point.kind in PLACES and point.place_code else ("", "")
    return report_hazard(
        source=Source.PATROL, key=f"{by.pk}:{key}", words=note, actor=_name(by), now=now, company=route.company_id, banner=route.banner_id,
        kind=kind, place_level=place[0], place_code=place[1],
        place_words=" ".join(part for part in (route.name, point.name, where_words) if part), longitude=longitude, latitude=latitude,
        source_ref=f"patrol:{route.code}:{point.number}", found_at=moment, by=by, photos=photos,
    ).hazard  # fmt: skip


def _name(person: User) -> str:
    return (person.display_name or person.username)[:120]
