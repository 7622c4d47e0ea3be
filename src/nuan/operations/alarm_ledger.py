"""What happens to alarms, written as one: alarms, a row for every change, and whom to tell. Engine and acts go through the same table."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from nuan.operations.notify.queueing import queue_notices
from nuan.records.monitoring.models import Alarm, AlarmChange
from nuan.telemetry.alarms.machine import Effect, Event, State, after, state_of

ENGINE = "engine"
_CHANGING = [
    "active", "acknowledged", "since", "raised_at", "value", "limit_on", "limit_off", "clearing_since", "cleared_at", "acknowledged_at",
    "acknowledged_by", "comment", "shelved_until", "shelved_by", "shelved_why", "parent", "escalation_step", "escalated_to", "told_at",
    "closed_at",
]  # fmt: skip
AT_ONCE = 5000


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

    def create(self) -> None:
        """Give the new alarms their numbers, so that others can be folded under them."""
        Alarm.objects.bulk_create(self.new, batch_size=AT_ONCE)
        self.new.clear()

    def write(self) -> None:
        """Everything, inside the caller's transaction."""
        self.create()
        if self.dirty:
            Alarm.objects.bulk_update(self.dirty.values(), _CHANGING, batch_size=500)
        for change in self.changes:
            change.alarm_id = change.alarm.pk
        AlarmChange.objects.bulk_create(self.changes, batch_size=AT_ONCE)
        queue_notices(self.told, self.now)


def locked(ids: Iterable[int]) -> list[Alarm]:
    """Open alarms of these numbers, locked in the order of their numbers so that two people never wait for each other."""
    return list(Alarm.objects.select_for_update().filter(pk__in=list(ids), closed_at=None).order_by("pk"))
