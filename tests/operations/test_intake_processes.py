"""`nuan intake` whole: a real broker with the settings that Nuan writes, an unmodified ThingsBoard client, line protocol over HTTP, and what
people see in the records afterwards."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from database_door import DatabaseDoor
from django.db import connection
from intake_parts import Mosquitto, free_port, until
from tb_gateway_mqtt import TBGatewayMqttClient

from nuan.operations.broker_config import write_broker_config
from nuan.operations.device_profiles import define_profiles
from nuan.operations.gateways import register_gateway
from nuan.records.devices.models import DeadLetter, Device, GatewayPulse
from nuan.records.monitoring.models import LiveValue
from nuan.records.supervision.models import PlaceNow
from nuan.telemetry.store import Store
from small_city import ROOM_PROFILE, build_city

pytestmark = pytest.mark.django_db(transaction=True)
HOMES = ("B001-1-0101", "B002-1-0101", "B003-1-0101")


@dataclass
class Intake:
    """The command as a process, and what it said."""

    home: Path
    door: DatabaseDoor
    tokens: dict[str, str]
    broker: Mosquitto
    ports: dict[str, int]
    process: subprocess.Popen[str] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        database = f"postgresql://postgres@/{connection.settings_dict['NAME']}?host={self.door.folder}"
        return os.environ | {"NUAN_HOME": str(self.home), "DATABASE_URL": database}

    def start(self) -> None:
        command = [
            sys.executable,
            "-c",
            "from nuan.cli.main import main; main()",
            "intake",
            "--json",
            "--http",
            "127.0.0.1:0",
        ]
        command += ["--mqtt", f"mqtt://127.0.0.1:{self.broker.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment())
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        until(lambda: self.last("listening"))
        until(lambda: self.reports_connected() == 2, 120)

    def _listen(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                self.events.append(json.loads(line))

    def last(self, event: str) -> dict[str, Any] | None:
        return next((each for each in reversed(self.events) if each["event"] == event), None)

    def report(self, name: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads((self.home / "intake" / f"{name}.json").read_text())
            return found
        return {}

    def reports_connected(self) -> int:
        return sum(bool((self.report(name).get("mqtt") or {}).get("connected")) for name in ("w0", "w1"))

    def publish(self, topic: str, payload: dict[str, Any], gateway: str = "G1") -> None:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.username_pw_set(gateway, self.tokens[gateway])
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        client.publish(topic, json.dumps(payload), 1).wait_for_publish(20)
        client.disconnect()
        client.loop_stop()

    def write(self, line: str) -> int:
        listening = self.last("listening")
        assert listening is not None
        request = urllib.request.Request(
            f"http://127.0.0.1:{listening['http']}/api/v2/write?precision=s", line.encode(),
            {"Authorization": f"Token {self.tokens['L1']}"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        self.listener.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code


@pytest.fixture
def intake(tmp_path: Path, settings: Any) -> Iterator[Intake]:
    settings.NUAN_HOME = tmp_path
    build_city()
    define_profiles({"room": ROOM_PROFILE}, actor="陈调度")
    now = datetime.now(UTC)
    tokens = {
        code: register_gateway(code=code, company="C01", protocol=protocol, now=now, actor="陈调度").token
        for code, protocol in (("G1", "mqtt"), ("G2", "mqtt"), ("TB", "thingsboard"), ("L1", "line"))
    }
    for gateway, home in zip(("G1", "TB", "L1"), HOMES, strict=True):
        Device.objects.create(
            gateway_id=gateway,
            code="D1",
            profile_id="room",
            kind="room_sensor",
            level="home",
            place=home,
            position="living",
        )
    port, mount = free_port(), free_port()
    ports = write_broker_config(tmp_path / "mosquitto", port=port, mount_port=mount, user="root")["ports"]
    broker = Mosquitto(tmp_path / "mosquitto", tmp_path / "mosquitto" / "nuan.conf", port)
    server = connection.settings_dict
    made = Intake(tmp_path, DatabaseDoor(tmp_path / "door", server["HOST"], server["PORT"]), tokens, broker, ports)
    try:
        yield made
    finally:
        if made.process is not None:
            made.stop()
        broker.stop()
        made.door.shut()


def value_at(home: str) -> int | None:
    return LiveValue.objects.filter(point__place=home).values_list("value", flat=True).first()


def test_every_way_in_is_seen_in_the_records_within_seconds(intake: Intake) -> None:
    intake.start()
    now = int(time.time())
    intake.publish("nuan/G1/D1", {"ts": now, "t": 15.5})
    assert intake.write(f"room,device=D1 t=16.5 {now}") == 204
    client = TBGatewayMqttClient("127.0.0.1", intake.ports["TB"], "TB", intake.tokens["TB"])
    client.connect()
    until(client.is_connected)
    client.gw_connect_device("D1")
    result = client.gw_send_telemetry("D1", {"ts": now * 1000, "values": {"t": 19.5}})
    assert result.get() == 0
    until(lambda: [value_at(home) for home in HOMES] == [1550, 1950, 1650])
    client.disconnect()
    client.stop()
    # the city's cold homes: the planted ones were 17.1 °C long ago, three homes have a fresh reading now
    until(lambda: PlaceNow.objects.get(level="city").newest_s == now)
    until(lambda: set(GatewayPulse.objects.values_list("gateway_id", flat=True)) == {"G1", "TB", "L1"})
    intake.publish("nuan/G1/D9", {"t": 20})
    until(lambda: DeadLetter.objects.filter(reason="unknown_device", device="D9", company_id="C01").count() == 1)
    assert intake.stop() == 0
    with Store(intake.home / "readings") as store:
        assert len(store.series) == 3


def test_wrong_secrets_and_foreign_names_are_refused_by_the_broker(intake: Intake) -> None:
    def reason(user: str, password: str, port: int) -> str:
        said: list[str] = []
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.username_pw_set(user, password)
        client.on_connect = lambda client, data, flags, code, properties: said.append(str(code))
        client.connect("127.0.0.1", port)
        client.loop_start()
        until(lambda: said)
        client.disconnect()
        client.loop_stop()
        return said[0]

    port, mounted = intake.broker.port, intake.ports["TB"]
    assert reason("G1", intake.tokens["G1"], port) == "Success"
    assert reason("G1", intake.tokens["G2"], port) == "Not authorized"
    assert reason("nobody", intake.tokens["G1"], port) == "Not authorized"
    assert reason("TB", intake.tokens["TB"], mounted) == "Success"

    def published(user: str, topic: str, at: int) -> str:
        said: list[str] = []
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.username_pw_set(user, intake.tokens[user])
        client.on_publish = lambda client, data, mid, code, properties: said.append(str(code))
        client.connect("127.0.0.1", at)
        client.loop_start()
        client.publish(topic, b"{}", 1)
        until(lambda: said)
        client.disconnect()
        client.loop_stop()
        return said[0]

    assert published("G1", "nuan/G2/D1", port) == "Not authorized"
    assert published("G1", "gw/TB/v1/gateway/telemetry", port) == "Not authorized"
    assert published("TB", "nuan/G1/D1", mounted) == "Not authorized"
    assert published("G1", "nuan/G1/D1", port) != "Not authorized"


def test_without_postgresql_readings_go_on_and_the_records_catch_up(intake: Intake) -> None:
    intake.start()
    intake.publish("nuan/G1/D1", {"t": 18})
    until(lambda: value_at(HOMES[0]) == 1800)
    intake.door.shut()
    until(lambda: intake.report("record").get("database_away"))
    now = int(time.time())
    assert intake.write(f"room,device=D1 t=16.5 {now}") == 204
    intake.publish("nuan/G1/D1", {"ts": now, "t": 14})
    intake.publish("nuan/G1/D9", {"t": 20})
    until(lambda: intake.report("fold").get("readings", 0) >= 3)
    assert value_at(HOMES[0]) == 1800
    intake.door.open()
    until(lambda: (value_at(HOMES[0]), value_at(HOMES[2])) == (1400, 1650))
    until(lambda: DeadLetter.objects.count() == 1)


def test_whatever_dies_is_started_again(intake: Intake) -> None:
    intake.start()
    pids = {each["process"]: each["pid"] for each in intake.events if each["event"] == "started"}
    assert set(pids) == {"w0", "w1", "fold", "record"}
    second = subprocess.run(
        [sys.executable, "-c", "from nuan.cli.main import main; main()", "intake", "--http", "127.0.0.1:0"],
        env=intake.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (second.returncode, "已有一个" in second.stderr) == (2, True)
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: sum(each["event"] == "started" for each in intake.events) >= 8)
    until(lambda: intake.reports_connected() == 2)
    intake.publish("nuan/G1/D1", {"t": 12.5})
    until(lambda: value_at(HOMES[0]) == 1250)
    assert intake.stop() == 0
    assert intake.events[-1]["event"] == "stopped"
