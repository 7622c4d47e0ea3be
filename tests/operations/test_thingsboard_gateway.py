"""An unmodified thingsboard-gateway from PyPI publishes here: it connects by TLS, asks for its limits, is answered, and its readings are in the
store.

Through the intake's own door: Mosquitto 2.0.11 mounts what a gateway says and never takes the mount off what it is told.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.publish as field_publish
import pytest
import thingsboard_gateway
from certificates import self_signed
from soak_rig import MOSQUITTO, Rig, free_ports, listens, wait_for

from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

TOKEN = "nuan_gw_token-of-a-real-gateway"
HOME = "from nuan.records.registry.models import Home; home = Home.objects.order_by('code').first()"
ALSO = f"""
from datetime import UTC, datetime
import polars as pl
from nuan.operations.devices import register_devices
from nuan.operations.gateways import register_gateway
{HOME}
register_gateway(code="TB-REAL", company=home.company_id, protocol="thingsboard", now=datetime.now(UTC), actor="test", token="{TOKEN}")
row = {{"gateway": "TB-REAL", "code": "Thermo-1", "profile": "sim_room", "kind": "room_sensor", "place": home.code, "position": "hall"}}
assert register_devices(pl.DataFrame([row]), actor="test").ok
open("{{path}}", "w").write(home.code)
"""


def settings_of(folder: Path, port: int, field_port: int, authority: Path) -> None:
    """What a person writes into the gateway's configuration: where the platform is, who we are, and one field broker to listen to."""
    shipped = Path(thingsboard_gateway.__file__).parent / "config"
    shutil.copy(shipped / "logs.json", folder / "logs.json")
    gateway = json.loads((shipped / "tb_gateway.json").read_text("utf-8"))
    gateway["thingsboard"] |= {
        "host": "127.0.0.1", "port": port, "remoteConfiguration": False, "statistics": {"enable": False},
        "security": {"type": "usernamePassword", "clientId": "TB-REAL", "username": "TB-REAL", "password": TOKEN, "caCert": str(authority)},
    }  # fmt: skip
    gateway["connectors"] = [{"type": "mqtt", "name": "field", "configuration": "field.json"}]
    (folder / "tb_gateway.json").write_text(json.dumps(gateway), "utf-8")
    mapping = {
        "topicFilter": "sensor/+/data",
        "subscriptionQos": 1,
        "converter": {
            "type": "json",
            "deviceInfo": {
                "deviceNameExpressionSource": "topic", "deviceNameExpression": "(?<=sensor/)(.*?)(?=/data)",
                "deviceProfileExpressionSource": "constant", "deviceProfileExpression": "Thermometer",
            },
            "timeout": 60000,
            "attributes": [{"type": "string", "key": "model", "value": "${model}"}],
            "timeseries": [{"type": "double", "key": "temp", "value": "${temp}"}, {"type": "double", "key": "hum", "value": "${hum}"}],
        },
    }  # fmt: skip
    broker = {
        "host": "127.0.0.1",
        "port": field_port,
        "clientId": "field",
        "version": 5,
        "security": {"type": "anonymous"},
    }
    (folder / "field.json").write_text(
        json.dumps({"broker": broker, "mapping": [mapping], "requestsMapping": {}}), "utf-8"
    )


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(homes=200, door_certificate=self_signed(tmp_path), also=ALSO.replace("{path}", str(tmp_path / "home")))
    try:
        rig.up()
        yield rig
    finally:
        rig.down()
        rig.remove()


def test_a_real_gateway_delivers(rig: Rig, tmp_path: Path) -> None:
    (field_port,) = free_ports(1)
    (tmp_path / "field.conf").write_text(f"listener {field_port} 127.0.0.1\nallow_anonymous true\n", "utf-8")
    folder = tmp_path / "tb"
    folder.mkdir()
    assert rig.door_certificate is not None
    settings_of(folder, rig.door_port, field_port, rig.door_certificate[0])
    field = subprocess.Popen([MOSQUITTO, "-c", str(tmp_path / "field.conf")], stderr=subprocess.DEVNULL)
    environment = os.environ | {"TB_GW_CONFIG_DIR": str(folder)}
    gateway = subprocess.Popen(
        [sys.executable, "-m", "thingsboard_gateway.tb_gateway"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(field_port), 20, "the field broker")
        home = (tmp_path / "home").read_text("utf-8")
        key = SeriesKey(home, "room_temp", "hall")
        sent: dict[int, float] = {}

        def arrived() -> bool:
            """Sends a value a second: what was sent before the gateway listened is nobody's."""
            temp = 20 + len(sent) / 100
            sent[len(sent)] = temp
            field_publish.single(
                "sensor/Thermo-1/data",
                json.dumps({"temp": temp, "hum": 41.5, "model": "T1"}),
                1,
                hostname="127.0.0.1",
                port=field_port,
            )
            time.sleep(1)
            store = Store(rig.store) if any(rig.store.glob("journal/*")) else None
            return (
                store is not None
                and store.series.get(key) is not None
                and len(store.read(store.series_id(key), 0, 2**33)) >= 3
            )

        wait_for(arrived, 120, "readings of the real gateway")
    finally:
        for process in (gateway, field):
            process.terminate()
            process.wait(30)
    store = Store(rig.store)
    readings = store.read(store.series_id(key), 0, 2**33)
    assert {round(value / 100, 2) for value in readings.value.tolist()} <= {round(value, 2) for value in sent.values()}
    assert abs(int(readings.time_s[-1]) - time.time()) < 60
    letters = [
        letter
        for _, _, _, letter in store.dead_letters({})
        if letter.gateway == "TB-REAL" and "Thermo-1" in letter.detail
    ]
    assert letters == []
