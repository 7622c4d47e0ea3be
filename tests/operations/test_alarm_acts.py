"""What people do to alarms: seen, put aside for a while, told to the next; each once, with an audit row."""

from datetime import timedelta

import pytest
from living_city import Living

from nuan.operations.alarm_acts import ShelfError, acknowledge_alarms, shelve_alarms, unshelve_alarms
from nuan.operations.alarm_tick import alarm_tick
from nuan.records.audit.models import AuditEntry
from nuan.records.monitoring.models import Alarm, AlarmChange
from small_city import build_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def living() -> Living:
    """One station with too much pressure, raised."""
    build_city()
    city = Living.warm()
    city.minute()
    city.values["H01-S01", "pressure"] = 9.0
    city.minute(2)
    return city


def only() -> Alarm:
    return Alarm.objects.get()


def test_seen_once_however_often_it_is_clicked(living: Living) -> None:
    assert acknowledge_alarms([only().pk], actor="陈调度", now=living.now, comment="已派人") == 1
    assert acknowledge_alarms([only().pk], actor="小李", now=living.now) == 0
    alarm = only()
    assert (alarm.acknowledged_by, alarm.comment, alarm.active) == ("陈调度", "已派人", True)
    assert AuditEntry.objects.filter(act="acknowledge_alarms").count() == 1
    assert AlarmChange.objects.filter(event="acknowledge").count() == 1


@pytest.mark.parametrize("first", ["seen", "gone"])
def test_an_alarm_ends_when_it_is_gone_and_seen_in_either_order(living: Living, first: str) -> None:
    def seen() -> None:
        acknowledge_alarms([only().pk], actor="陈调度", now=living.now)

    def gone() -> None:
        living.values["H01-S01", "pressure"] = 4.0
        living.minute(3)

    for part in (seen, gone) if first == "seen" else (gone, seen):
        assert only().closed_at is None
        part()
    assert only().closed_at is not None
    living.values["H01-S01", "pressure"] = 9.0
    living.minute(2)
    assert Alarm.objects.count() == 2, "what comes again after its end is a new alarm"


def test_the_shelf_has_a_reason_and_an_end(living: Living) -> None:
    later = living.now + timedelta(minutes=10)
    for until, why in ((later, " "), (living.now, "检修"), (living.now + timedelta(days=8), "检修")):
        with pytest.raises(ShelfError):
            shelve_alarms([only().pk], until=until, why=why, actor="陈调度", now=living.now)
    assert shelve_alarms([only().pk], until=later, why="检修", actor="陈调度", now=living.now) == 1
    assert shelve_alarms([only().pk], until=later, why="检修", actor="陈调度", now=living.now) == 0
    assert living.minute(9).told == 0
    assert only().shelved_until == later
    assert living.minute().told == 1
    assert (only().shelved_until, only().changes.order_by("-id")[0].event) == (None, "shelf_ends")


def test_what_is_taken_off_the_shelf_is_told_again(living: Living) -> None:
    shelve_alarms([only().pk], until=living.now + timedelta(hours=1), why="检修", actor="陈调度", now=living.now)
    assert unshelve_alarms([only().pk], actor="陈调度", now=living.now) == 1
    assert unshelve_alarms([only().pk], actor="陈调度", now=living.now) == 0
    assert only().told_at == living.now


def test_nobody_answers_so_the_next_role_hears_of_it(living: Living) -> None:
    """Pressure: 15 minutes to the crew, 15 more to the banner, then there is nobody above."""
    living.minute(14)
    assert only().escalated_to == ""
    living.minute()
    assert only().escalated_to == "crew"
    living.minute(15)
    assert (only().escalated_to, only().escalation_step) == ("banner", 2)
    living.minute(40)
    assert only().changes.filter(event="escalate").count() == 2


def test_who_has_seen_it_is_not_escalated_over(living: Living) -> None:
    acknowledge_alarms([only().pk], actor="陈调度", now=living.now)
    living.minute(20)
    assert only().escalated_to == ""


def test_an_alarm_of_a_place_that_is_gone_is_withdrawn(living: Living) -> None:
    from nuan.operations.alarm_settings import change_alarm_definition

    change_alarm_definition(
        "station_pressure_high", values={"enabled": False}, reason="改用站控", actor="刘科", now=living.now
    )
    alarm_tick(living.now)
    assert only().closed_at is not None
    assert only().changes.order_by("-id")[0].event == "withdraw"
