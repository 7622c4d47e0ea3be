"""`alarm_tick`: live values → alarms, one transaction a tick. Killed at any moment it has done all of a tick or nothing; the next one goes on.

All state stands in the records (open alarms, conditions that are pending), so that any process may run the next tick; an advisory lock
keeps it to one at a time. Machine state: its log is `AlarmChange`, not the audit log.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import connection, transaction

from nuan.operations.alarm_ledger import AT_ONCE, ENGINE, Ledger
from nuan.operations.alarm_trends import with_trends
from nuan.operations.alarm_watching import Watching, values_now, watching
from nuan.operations.network_alarms import PREFIX
from nuan.records.monitoring.models import Alarm, AlarmPending
from nuan.telemetry.alarms.definitions import Definition
from nuan.telemetry.alarms.engine import Memory, Outcome, above, kept, tick
from nuan.telemetry.alarms.machine import Event
from nuan.telemetry.alarms.phases import ACTIVE, CLEARING, PENDING
from nuan.telemetry.alarms.points import NOWHERE
from nuan.terms.places import CHINA

ALARM_LOCK = 0x616C726D


@dataclass(frozen=True)
class TickReport:
    """What a tick did. `busy`: somebody else's tick was under way and this one did nothing."""

    points: int = 0
    raised: int = 0
    cleared: int = 0
    folded: int = 0
    open: int = 0
    told: int = 0
    busy: bool = False


def alarm_tick(now: datetime) -> TickReport:
    """Evaluate all points at `now`; ticks have to come in the order of time. Call it every few seconds, after `push_live`."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ALARM_LOCK])
            if not cursor.fetchone()[0]:
                return TickReport(busy=True)
        return _tick(now)


def _tick(now: datetime) -> TickReport:
    seen = watching()
    alarms = list(
        Alarm.objects.select_for_update().filter(closed_at=None).exclude(code__startswith=PREFIX).order_by("pk")
    )
    pending = {(p.code, p.place, p.quantity, p.position): p for p in AlarmPending.objects.all()}
    by_row, lost = _rows(seen, alarms)
    memory = _memory(seen, by_row, pending)
    now_s = int(now.timestamp())
    values = with_trends(seen, values_now(seen.points))
    outcome = tick(seen.watches, seen.points, values, seen.longest_age_s, memory, now_s)
    ledger = Ledger(now, ENGINE)
    for alarm in lost:
        if alarm.active:
            _cleared(alarm, now)
            ledger.apply(alarm, Event.WITHDRAW, note="测点或告警定义已停用")
    over = above(outcome)
    _clear(ledger, outcome, by_row)
    _raise(ledger, seen, outcome, by_row, over)
    ledger.create([by_row[row] for row in set(over.values())])
    folds = _fold(ledger, seen, outcome, by_row, over)
    _mark_clearing(ledger, outcome, by_row)
    _end_shelves(ledger, seen, by_row)
    _escalate(ledger, seen, by_row)
    told = len(ledger.told)
    ledger.write()
    _keep_pending(seen, outcome, pending)
    return TickReport(
        int(np.count_nonzero(seen.points.ids >= 0)), len(outcome.raised), len(outcome.cleared), folds,
        sum(alarm.closed_at is None for alarm in by_row.values()), told,
    )  # fmt: skip


def _rows(seen: Watching, alarms: list[Alarm]) -> tuple[dict[int, Alarm], list[Alarm]]:
    """Open alarms by the row that watches them; and those that nothing watches any more."""
    by_row, lost = {}, []
    for alarm in alarms:
        row = _row(seen, alarm.code, alarm.level, alarm.place, alarm.quantity, alarm.position)
        if row == NOWHERE:
            lost.append(alarm)
        else:
            by_row[row] = alarm
    return by_row, lost


def _row(seen: Watching, code: str, level: str, place: str, quantity: str, position: str) -> int:
    point = seen.at.get(("" if quantity else level, place, quantity, position), NOWHERE)
    return NOWHERE if point == NOWHERE else seen.watches.find(code, point)


def _definition(seen: Watching, row: int) -> Definition:
    return seen.watches.definitions[seen.watches.definition[row]]


def _memory(seen: Watching, by_row: dict[int, Alarm], pending: dict[tuple[str, str, str, str], AlarmPending]) -> Memory:
    memory = Memory.blank(len(seen.watches))
    above = {alarm.parent_id for alarm in by_row.values() if alarm.parent_id is not None}
    over = dict(Alarm.objects.filter(pk__in=above, active=False).values_list("pk", "cleared_at"))
    levels = {d.code: d.level for d in seen.watches.definitions}
    for (code, place, quantity, position), row in pending.items():
        found = _row(seen, code, levels.get(code, ""), place, quantity, position)
        if found != NOWHERE:
            memory.phase[found], memory.since_s[found] = PENDING, int(row.since.timestamp())
    for found, alarm in by_row.items():
        if alarm.active:
            since = alarm.clearing_since or alarm.since
            memory.phase[found] = CLEARING if alarm.clearing_since else ACTIVE
            memory.since_s[found], memory.raised_s[found] = int(since.timestamp()), int(alarm.raised_at.timestamp())
            memory.folded[found] = alarm.parent_id is not None
            if ended := over.get(alarm.parent_id):
                memory.over_s[found] = int(ended.timestamp())
    return memory


def _raise(ledger: Ledger, seen: Watching, outcome: Outcome, by_row: dict[int, Alarm], over: dict[int, int]) -> None:
    for row in outcome.raised.tolist():
        value = int(outcome.compared[row])
        definition = _definition(seen, row)
        alarm = by_row.get(row)
        if alarm is None:
            alarm = _new(seen, row, definition)
            by_row[row] = alarm
        alarm.limit_on, alarm.limit_off, alarm.value = definition.limit_on, definition.limit_off, value
        alarm.since = datetime.fromtimestamp(int(outcome.memory.since_s[row]), CHINA)
        alarm.raised_at, alarm.clearing_since, alarm.cleared_at = ledger.now, None, None
        alarm.escalation_step, alarm.escalated_to = 0, ""
        ledger.apply(
            alarm,
            Event.RAISE,
            value=value,
            hushed=row in over or alarm.shelved_until is not None,
            roles=definition.tell,
        )


def _new(seen: Watching, row: int, definition: Definition) -> Alarm:
    point = int(seen.watches.point[row])
    points = seen.points
    place, quantity, position = points.names[point]
    source, station = int(points.source[point]), int(points.station[point])
    return Alarm(
        code=definition.code, kind=definition.kind, priority=definition.priority, words_zh=definition.zh, words_en=definition.en,
        level=definition.level, place=place, quantity=quantity, position=position,
        point_id=int(points.ids[point]) if points.ids[point] >= 0 else None, company_code=points.company[point],
        banner_code=seen.banner_of(point), source_code=points.sources[source] if source != NOWHERE else "",
        station_code=points.stations[station] if station != NOWHERE else "",
    )  # fmt: skip


def _clear(ledger: Ledger, outcome: Outcome, by_row: dict[int, Alarm]) -> None:
    for row in outcome.cleared.tolist():
        alarm = by_row[row]
        _cleared(alarm, ledger.now)
        event = Event.CLEAR_FOLDED if alarm.parent_id is not None else Event.CLEAR
        ledger.apply(alarm, event, value=int(outcome.compared[row]))


def _cleared(alarm: Alarm, now: datetime) -> None:
    alarm.cleared_at, alarm.clearing_since = now, None


def _fold(ledger: Ledger, seen: Watching, outcome: Outcome, by_row: dict[int, Alarm], over: dict[int, int]) -> int:
    """Fold what hangs on a failed place, let out what does not any more; how many were folded. The alarms above have their numbers here."""
    count, staying = 0, kept(outcome)
    for row in outcome.active.tolist():
        alarm = by_row[row]
        parent = by_row[over[row]].pk if row in over else None
        if parent == alarm.parent_id or row in staying:
            continue
        alarm.parent_id = parent
        if parent is None:
            ledger.apply(alarm, Event.UNFOLD, roles=_definition(seen, row).tell)
        else:
            ledger.apply(alarm, Event.FOLD, note=str(parent))
            count += 1
    return count


def _mark_clearing(ledger: Ledger, outcome: Outcome, by_row: dict[int, Alarm]) -> None:
    for row in outcome.active.tolist():
        alarm = by_row[row]
        clearing = outcome.memory.phase[row] == CLEARING
        if clearing != (alarm.clearing_since is not None):
            alarm.clearing_since = ledger.now if clearing else None
            ledger.touch(alarm)


def _end_shelves(ledger: Ledger, seen: Watching, by_row: dict[int, Alarm]) -> None:
    for row, alarm in by_row.items():
        if alarm.closed_at is None and alarm.shelved_until is not None and alarm.shelved_until <= ledger.now:
            alarm.shelved_until, alarm.shelved_by, alarm.shelved_why = None, "", ""
            ledger.apply(alarm, Event.SHELF_ENDS, roles=_definition(seen, row).tell)


def _escalate(ledger: Ledger, seen: Watching, by_row: dict[int, Alarm]) -> None:
    """One step up for each alarm that nobody has acknowledged in its minutes; the steps are the roles of the definition."""
    for row, alarm in by_row.items():
        definition = _definition(seen, row)
        if not alarm.active or alarm.acknowledged or alarm.parent_id or alarm.shelved_until or alarm.told_at is None:
            continue
        if alarm.escalation_step >= len(definition.escalate_to):
            continue
        if ledger.now - alarm.told_at >= timedelta(minutes=definition.escalate_min):
            alarm.escalated_to = definition.escalate_to[alarm.escalation_step]
            alarm.escalation_step += 1
            ledger.apply(alarm, Event.ESCALATE, note=alarm.escalated_to, roles=(alarm.escalated_to,))


def _keep_pending(seen: Watching, outcome: Outcome, before: dict[tuple[str, str, str, str], AlarmPending]) -> None:
    now: dict[tuple[str, str, str, str], int] = {}
    for row in np.flatnonzero(outcome.memory.phase == PENDING).tolist():
        definition = _definition(seen, row)
        now[definition.code, *seen.points.names[seen.watches.point[row]]] = int(outcome.memory.since_s[row])
    gone = [row.pk for key, row in before.items() if key not in now or int(row.since.timestamp()) != now[key]]
    if gone:
        AlarmPending.objects.filter(pk__in=gone).delete()
    AlarmPending.objects.bulk_create(
        (
            AlarmPending(code=code, place=place, quantity=quantity, position=position, since=datetime.fromtimestamp(since, CHINA))
            for (code, place, quantity, position), since in now.items()
            if (code, place, quantity, position) not in before
            or int(before[code, place, quantity, position].since.timestamp()) != since
        ),
        batch_size=AT_ONCE,
    )  # fmt: skip
