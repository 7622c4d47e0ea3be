"""Hazards from the first report to the re-check: the door for people and machines, and one act for every step of the table.

`report_hazard` is idempotent by its key; `step` does what `records.hazards.states` allows and nothing else. Only a signed-in person steps:
a token stands for an organisation, and an organisation cannot be a second pair of eyes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from django.db import connection

from nuan.operations.acts import act
from nuan.operations.photos import Kept
from nuan.policies import catalogue
from nuan.records.accounts.models import COMPANY_ROLES, Role, User
from nuan.records.hazards.models import Hazard, HazardChange, Kind, Level, Photo, Source
from nuan.records.hazards.states import TABLE, Event, State
from nuan.records.registry.models import Building, HeatSource, Loop, Substation
from nuan.rules.pack import Pack
from nuan.terms.places import CHINA

CLAUSE = "2.5.4"
LEVEL_ORDER = [Level.GENERAL, Level.SERIOUS, Level.MAJOR]
MOST_WORDS = 500
EVENTS = frozenset(each.value for each in Event)
_OWNERS = {
    "source": (HeatSource, "company_id", "banner_id"),
    "substation": (Substation, "company_id", "banner_id"),
    "loop": (Loop, "substation__company_id", "substation__banner_id"),
    "building": (Building, "loop__substation__company_id", "banner_id"),
}


class HazardError(ValueError):
    """Why a report or a step is not taken; the sentence is for people, Chinese / English."""


class PersonNeededError(HazardError):
    def __init__(self) -> None:
        super().__init__("这一步要由登录的人来做;接口令牌不行 / a person has to do this, not a token")


class NotYoursError(HazardError):
    def __init__(self) -> None:
        super().__init__("您的岗位不能办这一步 / this step is not for your role")


class StepError(HazardError):
    def __init__(self, state: str) -> None:
        super().__init__(
            f"隐患现在是“{State(state).zh}”,不能办这一步;页面可能已被别人更新 / the hazard is now “{state}”"
        )


class SamePersonError(HazardError):
    def __init__(self) -> None:
        super().__init__(
            "整改的人和责任人不能自己复查,请另一人复查 / whoever rectified it or was responsible may not re-check it"
        )


@dataclass(frozen=True, slots=True)
class Reported:
    hazard: Hazard
    is_new: bool


def owner_of(place_level: str, place_code: str) -> tuple[str, str] | None:
    """(company, banner) of a place of the registry; None where it is not there, or is a pipe or chamber that the registry does not hold."""
    if place_level not in _OWNERS:
        return None
    model, company, banner = _OWNERS[place_level]
    found = model.objects.filter(code=place_code).values_list(company, banner).first()
    return None if found is None else (found[0], found[1])


def report_hazard(
    *,
    source: str,
    key: str,
    words: str,
    actor: str,
    now: datetime,
    company: str = "",
    banner: str = "",
    kind: str = Kind.OTHER,
    place_level: str = "",
    place_code: str = "",
    place_words: str = "",
    longitude: float | None = None,
    latitude: float | None = None,
    source_ref: str = "",
    found_at: datetime | None = None,
    by: User | None = None,
    photos: Sequence[Kept] = (),
) -> Reported:
    """Enter a hazard, once for each (`source`, `key`): the same report again gives the hazard that is there and writes nothing.

    A machine gives `source="leak_warning"` (or `alarm`), a key of its own (`"leak:P-17:2026-01-05"`), words, and either a place of the
    registry (`place_level` source, substation, loop or building with its code) or `company` and `banner` beside the code of a pipe or chamber
    (`place_level="pipe"`). `by`: the person who reports; None for a machine. Raises HazardError.
    """
    whole_key = f"{source}:{key}"
    if not key.strip() or len(whole_key) > 120:
        raise HazardError("上报要带幂等键,不超过 100 字 / a report needs a key of at most 100 characters")
    if source not in Source.values or kind not in Kind.values:
        raise HazardError("来源或种类不在表中 / no such source or kind")
    words = words.strip()[:MOST_WORDS]
    if not words:
        raise HazardError("请写明看到了什么 / say what was seen")
    if place_code and (owner := owner_of(place_level, place_code)):
        company, banner = company or owner[0], banner or owner[1]
        if (company, banner) != owner:
            raise HazardError("地点不属于这家企业和旗区 / the place does not belong to this company and banner")
    elif place_code and place_level in _OWNERS:
        raise HazardError(f"登记册中没有 {place_code} / {place_code} is not in the registry")
    if not company or not banner:
        raise HazardError("请选地点,或写明企业和旗区 / name a place, or company and banner")
    if not place_code and not place_words.strip() and longitude is None:
        raise HazardError("请写明在哪里 / say where it is")
    if by is not None:
        _within(by, company, banner)
    found = min(found_at or now, now)
    with act("report_hazard", actor=actor, clause=CLAUSE) as row:
        _wait_for(whole_key)
        there = Hazard.objects.filter(key=whole_key).first()
        if there is not None:
            row.nothing_changed = True
            if by is not None and (there.company_id, there.banner_id) != (company, banner):
                raise HazardError("这份上报已经用过 / this form was used already")
            return Reported(there, False)
        pk = _next_pk()
        hazard = Hazard.objects.create(
            pk=pk, code=f"YH-{now.astimezone(CHINA):%Y}-{pk:05d}", key=whole_key, company_id=company, banner_id=banner, kind=kind,
            words=words, place_level=place_level, place_code=place_code, place_words=place_words.strip()[:200], longitude=longitude,
            latitude=latitude, source=source, source_ref=source_ref[:80], reported_by=actor[:120], reporter=by, found_at=found,
            reported_at=now,
        )  # fmt: skip
        change = HazardChange.objects.create(
            hazard=hazard,
            at=now,
            actor=actor[:120],
            by=by,
            event=Event.REPORT,
            state_to=State.REPORTED,
            note=words,
            key=key[:120],
        )
        attach(photos, hazard=hazard, change=change, actor=actor, now=now)
        row.subject, row.details = (
            hazard.code,
            {"source": source, "kind": kind, "place": place_code or place_words[:80]},
        )
    return Reported(hazard, True)


def step(
    hazard: Hazard,
    event: str,
    *,
    by: object,
    now: datetime,
    note: str = "",
    level: str = "",
    responsible: User | None = None,
    deadline: datetime | None = None,
    photos: Sequence[Kept] = (),
    key: str = "",
) -> HazardChange:
    """One step of the table by one person; the same form again (`key`) gives the step that was done. Raises HazardError."""
    person = _person(by)
    note = note.strip()[:2000]
    with act(f"hazard_{event}"[:60], actor=_name(person), clause=CLAUSE, subject=hazard.code, why=note) as row:
        held = Hazard.objects.select_for_update().get(pk=hazard.pk)
        if key and (done := held.changes.filter(key=key).first()):
            row.nothing_changed = True
            return done
        found = TABLE.get((State(held.state), Event(event) if event in EVENTS else Event.REPORT))
        if found is None:
            raise StepError(held.state)
        _within(person, held.company_id, held.banner_id)
        if person.role not in found.roles:
            raise NotYoursError
        if found.another and person.pk in hands_on(held):
            raise SamePersonError
        given = {"note": note, "level": level, "responsible": responsible, "deadline": deadline}
        if missing := [name for name in found.needs if not given[name]]:
            raise HazardError(_NEEDED[missing[0]])
        before = held.state
        _change(held, found.event, person, now, level, responsible, deadline)
        held.state = found.end
        change = HazardChange.objects.create(
            hazard=held, at=now, actor=_name(person), by=person, event=found.event, state_from=before, state_to=found.end,
            level=held.level, responsible=held.responsible, deadline=held.deadline, note=note, key=key[:120],
        )  # fmt: skip
        held.save()
        attach(photos, hazard=held, change=change, actor=_name(person), now=now)
        row.details = {"from": str(before), "to": str(found.end), "level": held.level, "deadline": held.deadline}
    return change


_NEEDED = {
    "note": "请写明情况 / say what happened",
    "level": "请定级别 / choose a level",
    "responsible": "请指定一名责任人 / name one responsible person",
    "deadline": "请定整改期限 / set a deadline",
}


def _change(
    held: Hazard,
    event: Event,
    person: User,
    now: datetime,
    level: str,
    responsible: User | None,
    deadline: datetime | None,
) -> None:
    """What a step sets beside the state."""
    if event in {Event.CONFIRM, Event.GRADE}:
        if level not in Level.values:
            raise HazardError(_NEEDED["level"])
        lower = bool(held.level) and LEVEL_ORDER.index(Level(level)) < LEVEL_ORDER.index(Level(held.level))
        if lower and person.role == Role.DISPATCH:
            raise HazardError("降低级别要由主管部门办 / only the bureau lowers a level")
        held.level = level
    if event in {Event.CONFIRM, Event.ASSIGN}:
        held.responsible = _may_answer(responsible, held.company_id)
    latest = latest_deadline(held.banner.pack, held.level, now)
    if event in {Event.CONFIRM, Event.EXTEND}:
        assert deadline is not None
        if deadline <= now:
            raise HazardError("期限要晚于现在 / the deadline has to be later than now")
        if event == Event.EXTEND and held.deadline is not None and deadline <= held.deadline:
            raise HazardError("延长后的期限要晚于原期限 / an extended deadline is later than the old one")
        if latest is not None and event == Event.CONFIRM and deadline > latest:
            raise HazardError(
                f"这一级别的期限最迟到 {latest.astimezone(CHINA):%m-%d %H:%M} / this level is due by {latest.astimezone(CHINA):%m-%d %H:%M}"
            )
        held.deadline = deadline
    if event == Event.GRADE and latest is not None and held.deadline is not None:
        held.deadline = min(held.deadline, latest)
    if event == Event.RECTIFY:
        held.rectified_at = now
    if event == Event.FAIL:
        held.rectified_at = None
    if event in {Event.PASS, Event.REJECT}:
        held.ended_at = now


def hours_setting(pack_name: str, key: str, now: datetime) -> Decimal | None:
    """Hours that a place's rules state under a key; None where they do not (未载明)."""
    value = _pack(pack_name).value(key, now.astimezone(CHINA).date())
    return None if value is None else Decimal(str(value))


@cache
def _pack(name: str) -> Pack:
    """Numbers only: signed interpretations change none of them. Packs are files that a process reads once."""
    return catalogue.pack(name)


def latest_deadline(pack_name: str, level: str, now: datetime) -> datetime | None:
    """The last moment that a place's rules leave for a level; None: they do not say, and a person sets the deadline."""
    hours = hours_setting(pack_name, f"hazard.deadline_{level}_h", now) if level else None
    return None if hours is None else now + timedelta(hours=float(hours))


def hands_on(hazard: Hazard) -> set[int]:
    """People who have rectified it or were ever responsible for it: none of them re-checks."""
    rows = hazard.changes.values_list("event", "by_id", "responsible_id")
    people = {responsible for _, _, responsible in rows} | {
        by for event, by, _ in rows if event in {Event.START, Event.RECTIFY}
    }
    return {each for each in people if each is not None}


def answerable(company: str) -> list[User]:
    """Who may be made responsible: the company's crew and dispatch."""
    people = User.objects.filter(company_id=company, role__in=(Role.CREW, Role.DISPATCH), is_active=True)
    return list(people.order_by("role", "display_name", "username"))


def attach(
    photos: Sequence[Kept], *, actor: str, now: datetime, hazard: Hazard | None = None, change: HazardChange | None = None,
    check_in: object = None,
) -> None:  # fmt: skip
    """Inside an act: note pictures that are kept already; the same picture of the same thing is there once."""
    Photo.objects.bulk_create(
        [
            Photo(
                hazard=hazard, change=change, check_in=check_in, digest=kept.digest, width=kept.width, height=kept.height, size=kept.size,
                taken_at=kept.taken_at, longitude=kept.longitude, latitude=kept.latitude, added_by=actor[:120], added_at=now,
            )
            for kept in photos
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _person(by: object) -> User:
    if not isinstance(by, User) or not by.pk or not by.is_active:
        raise PersonNeededError
    return by


def _within(person: User, company: str, banner: str) -> None:
    """Somebody acts where they see: a company's people in the company, a banner's in the banner, the city everywhere."""
    own = person.role == Role.CITY
    own |= person.role == Role.BANNER and person.banner_id == banner
    own |= person.role in COMPANY_ROLES and person.company_id == company
    if not own:
        raise NotYoursError


def _may_answer(person: User | None, company: str) -> User:
    if (
        person is None
        or person.company_id != company
        or person.role not in {Role.CREW, Role.DISPATCH}
        or not person.is_active
    ):
        raise HazardError(
            "责任人要是本企业的抢修或调度人员 / the responsible person is of the company's crew or dispatch"
        )
    return person


def _name(person: User) -> str:
    return (person.display_name or person.username)[:120]


def _wait_for(key: str) -> None:
    """Two who send the same key at once come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 25))", [key])


def _next_pk() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('hazards_hazard', 'id'))")
        return int(cursor.fetchone()[0])
