"""告警定义: what is an alarm and at which limit. Dispatchers set it for their company or one place, the city for everybody; with a reason."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.alarm_settings import (
    NoReasonForChangeError,
    change_alarm_definition,
    definition_for,
    withdraw_alarm_definition,
)
from nuan.records.accounts.models import Role
from nuan.records.accounts.visibility import ALARM_SETTERS
from nuan.records.monitoring.models import Alarm, AlarmDefinition
from nuan.telemetry.alarms.definitions import ROLES, Definition, DefinitionError, Kind, limit_text, shipped, to_limit
from nuan.terms.places import Level
from nuan.terms.quantities import QUANTITIES, QuantityTextError
from nuan.web.guard import Visit
from nuan.web.live_words import compared, duration, quantity_name
from nuan.web.wording import pick, say


def _company(request: Visit) -> str:
    return request.scope.code if request.scope.kind == "company" else ""


def _row(request: Visit, code: str) -> dict[str, Any]:
    own = _company(request)
    definition = definition_for(code, own)
    sign = "<" if definition.kind == Kind.LOW else ">"
    return {
        "d": definition,
        "words": pick(definition.zh, definition.en),
        "kind": say(definition.kind.zh),
        "level": say(Level(definition.level).zh) if definition.level in Level.__members__.values() else say("采集网关"),
        "quantity": say("任何量")
        if definition.quantity == "*"
        else quantity_name(definition.quantity)
        if definition.quantity
        else "—",
        "priority": Alarm.Priority(definition.priority).label,
        "limit": "—"
        if definition.kind == Kind.STUCK
        else f"{sign} {compared(definition.kind, definition.quantity, definition.limit_on)}",
        "back": "—"
        if definition.kind == Kind.STUCK
        else compared(definition.kind, definition.quantity, definition.limit_off),
        "delay": f"{duration(definition.delay_on_s)} / {duration(definition.delay_off_s)}",
        "changed": definition != shipped()[code],
    }


def definitions(request: Visit) -> HttpResponse:
    changes = AlarmDefinition.objects.exclude(place="").order_by("code", "place")
    if request.scope.kind == "company":
        changes = changes.filter(company_code=request.scope.code)
    context = {
        "rows": [_row(request, code) for code in shipped()],
        "own": list(changes),
        "may_change": request.role in ALARM_SETTERS,
    }
    return render(request, "web/alarm_definitions.html", context)


def definition(request: Visit, code: str) -> HttpResponse:
    if code not in shipped():
        raise Http404
    place = (request.POST if request.method == "POST" else request.GET).get("place", "").strip()[:48]
    own, may_change = _company(request), request.role in ALARM_SETTERS
    now_in_force = definition_for(code, own, place)
    context = _row(request, code) | {
        "form": _form(now_in_force),
        "place": place,
        "may_change": may_change,
        "roles": [(role, Role(role).label) for role in sorted(ROLES)],
        "priorities": Alarm.Priority.choices,
        "unit": "s"
        if now_in_force.kind.in_seconds
        else QUANTITIES[now_in_force.quantity].unit
        if now_in_force.quantity in QUANTITIES
        else "",
        "may_place": now_in_force.level not in {"gateway", "home"},
        "changes": AlarmDefinition.objects.filter(code=code, company_code__in=["", own] if own else [""]).order_by(
            "company_code", "place"
        ),
    }
    if request.method != "POST":
        return render(request, "web/alarm_definition.html", context)
    if not may_change:
        raise Http404
    actor = request.user.display_name or request.user.username
    reason = request.POST.get("reason", "")[:2000]
    try:
        if request.POST.get("act") == "withdraw":
            withdraw_alarm_definition(code, reason=reason, actor=actor, company=own, place=place)
        else:
            values = _values(now_in_force, request.POST)
            change_alarm_definition(
                code, values=values, reason=reason, actor=actor, now=timezone.now(), company=own, place=place
            )
    except (DefinitionError, NoReasonForChangeError, QuantityTextError, ValueError) as error:
        sentence = (
            pick(error.zh, error.en) if isinstance(error, DefinitionError) else pick(*(str(error).split(" / ") * 2)[:2])
        )
        return render(
            request,
            "web/alarm_definition.html",
            context | {"error": sentence, "form": request.POST, "reason": reason},
            status=422,
        )
    messages.success(request, say("已改。从下一次判断起按新的定义。"))
    return redirect("alarm_definition", code=code)


def _form(d: Definition) -> dict[str, Any]:
    return {
        "limit_on": limit_text(d.kind, d.quantity, d.limit_on) if d.kind != Kind.STUCK else "",
        "limit_off": limit_text(d.kind, d.quantity, d.limit_off) if d.kind != Kind.STUCK else "",
        "delay_on_s": d.delay_on_s,
        "delay_off_s": d.delay_off_s,
        "recover_s": d.recover_s,
        "priority": d.priority,
        "enabled": d.enabled,
        "escalate_min": d.escalate_min,
        "tell": d.tell,
        "escalate_to": "、".join(d.escalate_to),
    }


def _values(d: Definition, posted: Any) -> dict[str, Any]:
    """What the form says, in the types of a definition; raises QuantityTextError and ValueError."""
    values: dict[str, Any] = {"enabled": posted.get("enabled") == "on", "tell": tuple(posted.getlist("tell"))}
    if d.kind != Kind.STUCK:
        values |= {name: to_limit(d.kind, d.quantity, posted.get(name, "")) for name in ("limit_on", "limit_off")}
    for name in ("delay_on_s", "delay_off_s", "recover_s", "priority", "escalate_min"):
        text = posted.get(name, "")
        if not text.isdecimal() or len(text) > 7:
            raise QuantityTextError(f"“{text}” 不是整数 / not a whole number")
        values[name] = int(text)
    return values
