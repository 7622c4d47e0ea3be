"""Whom an alarm is told to: the routes of the roles that are meant, as rows of the outbox in the transaction that changes the alarm."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from nuan.operations.place_names import names_of
from nuan.records.monitoring.models import Alarm, AlarmChange, Notice, NoticeRoute
from nuan.telemetry.alarms.definitions import shipped


def queue_notices(told: Sequence[tuple[AlarmChange, tuple[str, ...] | None]], now: datetime) -> int:
    """One notice for each change and route; a second call for the same change would meet the key of the first."""
    routes = list(NoticeRoute.objects.order_by("id")) if told else []
    if not routes:
        return 0
    names = names_of({(change.alarm.level, change.alarm.place) for change, _ in told})
    notices = []
    for change, roles in told:
        alarm = change.alarm
        meant = roles if roles is not None else (shipped()[alarm.code].tell if alarm.code in shipped() else ())
        for route in routes:
            if route.role in meant and alarm.priority <= route.least_priority and _sees(route, alarm):
                notices.append(
                    Notice(
                        key=f"{change.pk}-{route.pk}", alarm=alarm, event=change.event, channel=route.channel, address=route.address,
                        role=route.role, company_code=alarm.company_code, content=_content(change, names[alarm.level, alarm.place]),
                        next_try_at=now, created_at=now,
                    )
                )  # fmt: skip
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return len(notices)


def _sees(route: NoticeRoute, alarm: Alarm) -> bool:
    return route.place_code in {"", alarm.company_code, alarm.banner_code}


def _content(change: AlarmChange, place: str) -> dict[str, Any]:
    alarm = change.alarm
    return {
        "alarm": alarm.pk,
        "event": str(change.event),
        "priority": int(alarm.priority),
        "words_zh": alarm.words_zh,
        "words_en": alarm.words_en,
        "place": place,
        "station": alarm.station_code,
        "raised_at": alarm.raised_at.isoformat(),
        "escalated_to": alarm.escalated_to,
    }
