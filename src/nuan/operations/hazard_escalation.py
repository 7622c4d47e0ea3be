"""Hazards that have to be told further up: 重大 at once, overdue and long ungraded ones to the banner, later to the city; each step up once.

Detecting is an event of the hazard and a notice in the outbox, written together; telling is `nuan notify`'s. Done again it finds nothing.
"""

from datetime import datetime

from django.db.models import Q

from nuan.operations.acts import act
from nuan.operations.hazard_register import goes_up_to, overdue
from nuan.operations.place_names import names_of
from nuan.records.hazards.models import Hazard, HazardChange, Level
from nuan.records.hazards.states import OPEN, Event, State
from nuan.records.monitoring.models import Notice, NoticeRoute

ENGINE = "engine"
FURTHER = {"": 0, "banner": 1, "city": 2}
PRIORITY = {"": 2, Level.GENERAL: 2, Level.SERIOUS: 2, Level.MAJOR: 1}
"""As alarms have it: routes are told from a priority on."""


def escalate_hazards(now: datetime, *, actor: str = ENGINE) -> list[str]:
    """Codes of the hazards that went up."""
    asked = Hazard.objects.filter(
        Q(state__in=OPEN, level=Level.MAJOR) | Q(state=State.REPORTED) | overdue(now)
    ).exclude(escalated_to="city")
    gone = []
    for hazard in asked.select_related("banner").order_by("pk"):
        if FURTHER[goes_up_to(hazard, now)] > FURTHER[hazard.escalated_to]:
            gone += _up(hazard.pk, now, actor)
    return gone


def _up(pk: int, now: datetime, actor: str) -> list[str]:
    with act("escalate_hazard", actor=actor, clause="2.5.4") as row:
        hazard = Hazard.objects.select_for_update(of=("self",)).select_related("banner").get(pk=pk)
        to = goes_up_to(hazard, now)
        if FURTHER[to] <= FURTHER[hazard.escalated_to]:
            row.nothing_changed = True
            return []
        before, hazard.escalated_to = hazard.escalated_to, to
        change = HazardChange.objects.create(
            hazard=hazard, at=now, actor=actor, event=Event.ESCALATE, state_from=hazard.state, state_to=hazard.state, level=hazard.level,
            responsible=hazard.responsible, deadline=hazard.deadline, note=to,
        )  # fmt: skip
        hazard.save()
        told = {"banner", "city"} if to == "city" and not before else {to}
        row.subject, row.details = hazard.code, {"to": to, "notices": _notices(hazard, change, told, now)}
    return [hazard.code]


def _notices(hazard: Hazard, change: HazardChange, roles: set[str], now: datetime) -> int:
    place = (
        hazard.place_words or names_of({(hazard.place_level, hazard.place_code)})[hazard.place_level, hazard.place_code]
    )
    priority = PRIORITY[hazard.level]
    content = {
        "alarm": hazard.code, "event": "escalate", "priority": priority, "place": place, "station": "",
        "words_zh": f"{hazard.get_level_display() or '未定级'}隐患：{hazard.get_kind_display()}", "words_en": f"{hazard.level or 'ungraded'} hazard: {hazard.kind}",
        "raised_at": hazard.reported_at.isoformat(), "escalated_to": change.note,
    }  # fmt: skip
    routes = NoticeRoute.objects.filter(
        role__in=roles, least_priority__gte=priority, place_code__in=("", hazard.company_id, hazard.banner_id)
    )
    notices = [
        Notice(
            key=f"hazard-{change.pk}-{route.pk}", event="escalate", channel=route.channel, address=route.address, role=route.role,
            company_code=hazard.company_id, content=content, next_try_at=now, created_at=now,
        )
        for route in routes
    ]  # fmt: skip
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return len(notices)
