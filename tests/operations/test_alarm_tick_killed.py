"""The engine is killed at any moment and two of them start at once: each tick has happened or not, and nothing is raised or told twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections
from living_city import Living

from nuan.operations.alarm_settings import add_notice_route
from nuan.operations.alarm_tick import ALARM_LOCK, alarm_tick
from nuan.operations.notify.outbox import Delivery, deliver
from nuan.records.monitoring.models import Alarm, AlarmChange, Notice
from small_city import AS_OF, build_city

pytestmark = pytest.mark.django_db(transaction=True)

TICKS = """
import os, sys
from datetime import datetime, timedelta
import django
django.setup()
from django.conf import settings
from django.db import connection
connection.settings_dict["NAME"] = os.environ["TICK_DATABASE"]
from nuan.operations.alarm_tick import alarm_tick
now = datetime.fromisoformat(sys.argv[1])
print("ready", flush=True)
while True:
    alarm_tick(now)
"""


def stormed() -> Living:
    """Two stations stand still and every home of the city is cold, and nobody has ticked yet."""
    build_city()
    add_notice_route(
        channel="sms", address="13900001111", role="dispatch", place_code="", least_priority=4, actor="刘科", now=AS_OF
    )
    living = Living.warm()
    living.minute()
    for station in ("H01-S01", "H02-S03"):
        living.values[station, "flow"] = 0.0
    for place, quantity in living.values:
        if quantity == "room_temp":
            living.values[place, quantity] = 9.0
    living.minute()
    living.now += timedelta(hours=2)
    living.send()
    return living


def state() -> tuple[list[tuple[str, str, bool]], int, int]:
    alarms = sorted(Alarm.objects.values_list("code", "place", "active"))
    return alarms, AlarmChange.objects.count(), Notice.objects.count()


def whole(alarms: list[tuple[str, str, bool]], changes: int, notices: int) -> bool:
    """All of the storm or nothing of it: 2 stations; 12 homes, of which 6 are folded; one notice for each that stands alone."""
    return (len(alarms), changes, notices) in {(0, 0, 0), (14, 20, 8)}


def test_killed_at_any_moment_a_tick_has_happened_or_not() -> None:
    living = stormed()
    environment = os.environ | {"TICK_DATABASE": str(connection.settings_dict["NAME"])}
    for wait in (0.0, 0.01, 0.03, 0.06, 0.1, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-c", TICKS, living.now.isoformat()], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert whole(*state()), state()
    alarm_tick(living.now)
    assert state()[1:] == (20, 8)
    alarm_tick(living.now)
    assert state()[1:] == (20, 8)


def test_one_engine_at_a_time() -> None:
    living = stormed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ALARM_LOCK])
    busy: list[bool] = []

    def other() -> None:
        try:
            busy.append(alarm_tick(living.now).busy)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [ALARM_LOCK])
    assert busy == [True]
    assert Alarm.objects.count() == 0


def test_engines_that_start_at_once_raise_once() -> None:
    living = stormed()

    def run() -> None:
        try:
            for _ in range(5):
                alarm_tick(living.now)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state()[1:] == (20, 8)


def test_workers_that_send_at_once_send_each_notice_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    living = stormed()
    alarm_tick(living.now)
    sent: list[str] = []

    class Slow:
        name = zh = "sms"

        def checked_address(self, address: str) -> str:
            return address

        def send(self, address: str, message) -> None:  # type: ignore[no-untyped-def]
            time.sleep(0.01)
            sent.append(message.key)

    done: list[Delivery] = []

    def run() -> None:
        try:
            done.append(deliver(living.now, channels={"sms": Slow()}))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == len(set(sent)) == 8
    assert sum(each.sent for each in done) == 8
    assert not Notice.objects.exclude(state="sent").exists()
