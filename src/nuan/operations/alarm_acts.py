"""What people do to alarms: acknowledge, shelve for a while and with a reason, take off the shelf. A second click changes nothing."""

from collections.abc import Collection
from datetime import datetime, timedelta

from nuan.operations.acts import act
from nuan.operations.alarm_ledger import Ledger, locked
from nuan.telemetry.alarms.machine import Event

LONGEST_SHELF = timedelta(days=7)
"""运行参数: an alarm is never shelved for ever; who needs longer says so again."""


class ShelfError(ValueError):
    """A shelving that has no reason or no sensible end; the sentence is for people."""


def acknowledge_alarms(alarms: Collection[int], *, actor: str, now: datetime, comment: str = "") -> int:
    """“I have seen it” for open alarms of these numbers; how many that changed. One audit row for all of them."""
    with act("acknowledge_alarms", actor=actor, why=comment.strip()) as row:
        ledger = Ledger(now, actor)
        done = []
        for alarm in locked(alarms):
            if ledger.apply(alarm, Event.ACKNOWLEDGE, note=comment.strip()):
                alarm.acknowledged_at, alarm.acknowledged_by, alarm.comment = now, actor, comment.strip()
                done.append(alarm)
        ledger.write()
        row.subject = str(done[0].pk) if len(done) == 1 else ""
        row.details = {"alarms": [{"alarm": a.pk, "code": a.code, "station": a.station_code} for a in done]}
        row.nothing_changed = not done
    return len(done)


def shelve_alarms(alarms: Collection[int], *, until: datetime, why: str, actor: str, now: datetime) -> int:
    """Out of sight and untold until a moment, at most `LONGEST_SHELF` away; how many that changed. Raises ShelfError."""
    if not why.strip():
        raise ShelfError("搁置要写明理由 / shelving needs a reason")
    if until <= now:
        raise ShelfError("搁置的结束时间要晚于现在 / a shelf ends later than now")
    if until - now > LONGEST_SHELF:
        raise ShelfError(f"最多搁置 {LONGEST_SHELF.days} 天 / at most {LONGEST_SHELF.days} days")
    with act("shelve_alarms", actor=actor, why=why.strip()) as row:
        ledger = Ledger(now, actor)
        done = []
        for alarm in locked(alarms):
            same = (alarm.shelved_until, alarm.shelved_why) == (until, why.strip())
            if not same and ledger.apply(alarm, Event.SHELVE, note=f"{until.isoformat()} {why.strip()}"):
                alarm.shelved_until, alarm.shelved_by, alarm.shelved_why = until, actor, why.strip()
                done.append(alarm)
        ledger.write()
        row.subject = str(done[0].pk) if len(done) == 1 else ""
        row.details = {"until": until.isoformat(), "alarms": [{"alarm": a.pk, "code": a.code} for a in done]}
        row.nothing_changed = not done
    return len(done)


def unshelve_alarms(alarms: Collection[int], *, actor: str, now: datetime) -> int:
    """Back into sight before its time; what is active and nobody has acknowledged is told again."""
    with act("unshelve_alarms", actor=actor) as row:
        ledger = Ledger(now, actor)
        done = []
        for alarm in locked(alarms):
            if alarm.shelved_until is None:
                continue
            alarm.shelved_until, alarm.shelved_by, alarm.shelved_why = None, "", ""
            if ledger.apply(alarm, Event.UNSHELVE):
                done.append(alarm)
        ledger.write()
        row.subject = str(done[0].pk) if len(done) == 1 else ""
        row.details = {"alarms": [{"alarm": a.pk, "code": a.code} for a in done]}
        row.nothing_changed = not done
    return len(done)
