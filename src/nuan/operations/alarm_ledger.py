"""What happens to alarms, written as one: alarms, a row for every change, and whom to tell. Engine and acts go through the same table."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from nuan.operations.notify.queueing import queue_notices
from nuan.records.monitoring.models import Alarm, AlarmChange
from nuan.telemetry.alarms.machine import Effect, Event, State, after, state_of

ENGINE = "engine"
AT_ONCE = 5000
_CHANGING = {
    "active": "boolean", "acknowledged": "boolean", "since": "timestamptz", "raised_at": "timestamptz", "value": "bigint", "limit_on": "bigint",
    "limit_off": "bigint", "clearing_since": "timestamptz", "cleared_at": "timestamptz", "acknowledged_at": "timestamptz",
    "acknowledged_by": "text", "comment": "text", "shelved_until": "timestamptz", "shelved_by": "text", "shelved_why": "text",
    "parent_id": "bigint", "escalation_step": "smallint", "escalated_to": "text", "told_at": "timestamptz", "closed_at": "timestamptz",
}  # fmt: skip
_SAVE = f"""
UPDATE monitoring_alarm a SET {", ".join(f"{name} = x.{name}" for name in _CHANGING)}
FROM jsonb_to_recordset(%s::jsonb) AS x (id bigint, {", ".join(f"{name} {kind}" for name, kind in _CHANGING.items())}) WHERE a.id = x.id
"""


def state(alarm: Alarm) -> State:
    return state_of(alarm.active, alarm.acknowledged)


@dataclass
class Ledger:
    """Collects in memory, writes once. `told` holds what somebody has to hear: a change, and the roles that are meant (None: the usual)."""

    now: datetime
    actor: str
    new: list[Alarm] = field(default_factory=list)
    dirty: dict[int, Alarm] = field(default_factory=dict)
    changes: list[AlarmChange] = field(default_factory=list)
    told: list[tuple[AlarmChange, tuple[str, ...] | None]] = field(default_factory=list)

    def apply(
        self,
        alarm: Alarm,
        event: Event,
        *,
        value: int | None = None,
        note: str = "",
        hushed: bool | None = None,
        roles: tuple[str, ...] | None = None,
    ) -> bool:
        """Move an alarm; False where the event means nothing in its state. `hushed` overrides what the alarm says of itself."""
        before = State.NONE if alarm.pk is None and event is Event.RAISE else state(alarm)
        quiet = (alarm.parent_id is not None or alarm.shelved_until is not None) if hushed is None else hushed
        found = after(before, event, hushed=quiet)
        if found is None:
            return False
        to, effects = found
        alarm.active, alarm.acknowledged = to.active, to.acknowledged
        if Effect.CLOSE in effects:
            alarm.closed_at = self.now
            alarm.parent_id = None
        if Effect.OPEN in effects:
            self.new.append(alarm)
        else:
            self.touch(alarm)
        change = AlarmChange(
            alarm=alarm,
            at=self.now,
            actor=self.actor,
            event=event,
            state_from=before,
            state_to=to,
            value=value,
            note=note,
        )
        self.changes.append(change)
        if Effect.TELL in effects:
            alarm.told_at = self.now
            self.told.append((change, roles))
        return True

    def touch(self, alarm: Alarm) -> None:
        """To be saved, without a change of its state."""
        if alarm.pk is not None:
            self.dirty[alarm.pk] = alarm

    def create(self, chosen: Collection[Alarm] | None = None) -> None:
        """Give new alarms (all, or the chosen ones) their numbers, so that others can be folded under them."""
        first = self.new if chosen is None else [alarm for alarm in self.new if any(alarm is each for each in chosen)]
        Alarm.objects.bulk_create(first, batch_size=AT_ONCE)
        self.new = [alarm for alarm in self.new if alarm.pk is None]

    def write(self) -> None:
        """Everything, inside the caller's transaction."""
        self.create()
        self._save()
        for change in self.changes:
            change.alarm_id = change.alarm.pk
        AlarmChange.objects.bulk_create(self.changes, batch_size=AT_ONCE)
        queue_notices(self.told, self.now)

    def _save(self) -> None:
        """All changed alarms in one statement; Django's own `bulk_update` takes seconds for a storm."""
        if not self.dirty:
            return
        rows = [{"id": alarm.pk} | {name: getattr(alarm, name) for name in _CHANGING} for alarm in self.dirty.values()]
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [json.dumps(rows, default=lambda moment: moment.isoformat())])
        self.dirty.clear()


def locked(ids: Iterable[int]) -> list[Alarm]:
    """Open alarms of these numbers, locked in the order of their numbers so that two people never wait for each other."""
    return list(Alarm.objects.select_for_update().filter(pk__in=list(ids), closed_at=None).order_by("pk"))
