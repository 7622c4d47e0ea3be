"""What is an alarm and who is told, changed by people: each change is an act with a reason, and can be taken back to the shipped table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nuan.operations.acts import act
from nuan.operations.alarm_watching import definition_changes
from nuan.operations.notify.channels import CHANNELS, AddressError
from nuan.records.monitoring.models import AlarmDefinition, NoticeRoute
from nuan.records.registry.models import Building, HeatSource, Home, Loop, Substation
from nuan.telemetry.alarms.definitions import ROLES, Definition, DefinitionError, shipped

CHANGEABLE = (
    "limit_on", "limit_off", "delay_on_s", "delay_off_s", "recover_s", "priority", "enabled", "zh", "en", "tell", "escalate_min", "escalate_to",
)  # fmt: skip
_PLACES = {"source": HeatSource, "substation": Substation, "loop": Loop, "building": Building, "home": Home}


class NoSuchDefinitionError(LookupError):
    def __init__(self, code: str) -> None:
        super().__init__(f"没有“{code}”这种告警 / no alarm definition “{code}”")


class NoReasonForChangeError(ValueError):
    def __init__(self) -> None:
        super().__init__("改动告警定义要写明理由 / changing a definition needs a reason")


def definition_for(code: str, company: str = "", place: str = "") -> Definition:
    """What counts for a company or place now: its own, else its company's, else the city's, else the shipped one."""
    if code not in shipped():
        raise NoSuchDefinitionError(code)
    own = {(d.company, d.place): d for d in definition_changes() if d.code == code}
    for key in ((company, place), ("", place), (company, ""), ("", "")):
        if key in own:
            return own[key]
    return shipped()[code]


def change_alarm_definition(
    code: str,
    *,
    values: Mapping[str, Any],
    reason: str,
    actor: str,
    now: datetime,
    company: str = "",
    place: str = "",
) -> Definition:
    """Set a definition anew for a company, a place, or (both empty) the whole city. What `values` does not name stays as it is there.

    Raises NoSuchDefinitionError, NoReasonForChangeError, DefinitionError; then nothing is written.
    """
    before = definition_for(code, company, place)
    if not reason.strip():
        raise NoReasonForChangeError
    if unknown := set(values) - set(CHANGEABLE):
        raise DefinitionError(code, f"不能改 {unknown}", f"cannot change {unknown}")
    if place and not _known(before.level, place, company):
        raise DefinitionError(code, f"没有编号为“{place}”的{before.level}", f"no {before.level} “{place}”")
    after = before.changed(company=company, place=place, **values)
    with act(
        "change_alarm_definition", actor=actor, subject=f"{code} {company} {place}".strip(), why=reason.strip()
    ) as row:
        old, new = before.as_dict(), after.as_dict()
        row.details = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
        row.nothing_changed = not {*row.details} - {"company", "place"}
        if not row.nothing_changed:
            AlarmDefinition.objects.update_or_create(
                code=code,
                company_code=company,
                place=place,
                defaults={"values": new, "reason": reason.strip(), "changed_by": actor, "changed_at": now},
            )
    return after


def withdraw_alarm_definition(code: str, *, reason: str, actor: str, company: str = "", place: str = "") -> bool:
    """Take a change back, so that what stands above it counts again; False where there was none."""
    if not reason.strip():
        raise NoReasonForChangeError
    with act(
        "withdraw_alarm_definition", actor=actor, subject=f"{code} {company} {place}".strip(), why=reason.strip()
    ) as row:
        gone, _ = AlarmDefinition.objects.filter(code=code, company_code=company, place=place).delete()
        row.nothing_changed = not gone
    return bool(gone)


def _known(level: str, place: str, company: str) -> bool:
    model = _PLACES.get(level)
    if model is None:
        return False
    owner = {
        "source": "company_id",
        "substation": "company_id",
        "loop": "substation__company_id",
        "building": "loop__substation__company_id",
    }
    rows = model.objects.filter(code=place)
    return (rows.filter(**{owner.get(level, "company_id"): company}) if company else rows).exists()


def add_notice_route(
    *, channel: str, address: str, role: str, place_code: str, least_priority: int, actor: str, now: datetime
) -> NoticeRoute:
    """Have a role told by a channel. Raises AddressError where the channel cannot reach such an address. Twice is once."""
    if channel not in CHANNELS or role not in ROLES or least_priority not in {1, 2, 3, 4}:
        raise AddressError("没有这种渠道、角色或优先级 / no such channel, role or priority")
    kept = CHANNELS[channel].checked_address(address)
    with act("add_notice_route", actor=actor, subject=f"{channel} {role} {place_code}") as row:
        route, added = NoticeRoute.objects.get_or_create(
            channel=channel, address=kept, role=role, place_code=place_code,
            defaults={"least_priority": least_priority, "added_by": actor, "added_at": now},
        )  # fmt: skip
        row.nothing_changed = not added and route.least_priority == least_priority
        route.least_priority = least_priority
        route.save()
        row.details = {"route": route.pk, "least_priority": least_priority}
    return route


def remove_notice_route(route: int, *, actor: str) -> bool:
    """Nobody is told by it any more; what stands in the outbox already is still sent."""
    with act("remove_notice_route", actor=actor, subject=str(route)) as row:
        found = NoticeRoute.objects.filter(pk=route).first()
        row.nothing_changed = found is None
        if found is not None:
            row.details = {"channel": found.channel, "role": found.role, "place": found.place_code}
            found.delete()
    return found is not None
