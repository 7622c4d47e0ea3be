"""Real parts of the intake for its tests: Mosquitto from Debian on a free port, workers as processes of their own, a publisher that keeps
count. A part that is missing makes the test fail."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from nuan.operations.intake_settings import BrokerAddress, WorkerSettings
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.store import Store

ROOM = "protocol: mqtt_json\nkind: room_sensor\npoints: {t: {quantity: room_temp}, h: {quantity: room_humidity}}\nignore: [battery]\n"
DEVICES = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for it; what it gave."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.03)
    return found


class Mosquitto:
    """A broker with its messages on disk; open for everybody, or with the settings file given."""

    def __init__(self, folder: Path, conf: Path | None = None, port: int | None = None) -> None:
        self.port = port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.conf = conf or folder / "mosquitto.conf"
        if conf is None:
            self.conf.write_text(
                f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
                f"persistence true\npersistence_location {folder}/\nlog_type error\nuser root\n"
            )
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        assert Path(program).is_file(), "Mosquitto is not installed: apt-get install mosquitto"
        self.process = subprocess.Popen([program, "-c", str(self.conf)], stderr=subprocess.DEVNULL)
        until(self._open)

    def _open(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "Mosquitto did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
            return True
        return False

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(40)
            self.process = None


class Workers:
    """Intake workers as `nuan intake` starts them, without a supervisor: a test kills and starts them itself."""

    def __init__(self, folder: Path, port: int) -> None:
        self.count = 1
        self.root, self.folder, self.port = folder / "readings", folder / "intake", port
        self.folder.mkdir(parents=True)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.write_directory()

    def write_directory(self, devices: int = DEVICES, edition: int = 1, rate: int = 10**6) -> None:
        homes = [[f"D{n}", f"B{n:04d}-1-0101", "room", "living"] for n in range(devices)]
        others = [[f"D{n}", f"B{n + 1_000:04d}-1-0101", "room", "living"] for n in range(devices)]
        document = {
            "edition": edition, "digests": {}, "profiles": {"room": ROOM}, "devices": {"G1": homes, "G3": others},
            "gateways": [[code, "C01", "mqtt", "Asia/Shanghai", rate, 10**6, "device", number] for number, code in enumerate(("G1", "G3"))],
        }  # fmt: skip
        new = self.folder / "new"
        new.write_text(json.dumps(document))
        new.replace(self.folder / "directory.json")

    def start(self, name: str = "w0", largest_file: int | None = None) -> subprocess.Popen[bytes]:
        """`largest_file`: the disk is full for this worker at so many bytes of a file."""
        broker = BrokerAddress("127.0.0.1", self.port)
        settings = WorkerSettings(
            int(name[1:]), str(self.root), str(self.folder), self.count, broker, "test", receive_maximum=500
        )  # fmt: skip
        command = [sys.executable, "-m", "nuan.operations.intake_worker"]
        if largest_file is not None:
            command = ["prlimit", f"--fsize={largest_file}", *command]
        environment = os.environ | {"PYTHONFAULTHANDLER": "1"}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        assert process.stdin is not None
        process.stdin.write(settings.as_json().encode() + b"\n")
        process.stdin.flush()
        self.processes[name] = process
        return process

    def report(self, name: str = "w0") -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
            return found
        return {}

    def connected(self, name: str = "w0") -> bool:
        process = self.processes[name]
        run = str(self.report(name).get("run", ""))
        return run.startswith(f"{process.pid}-") and bool((self.report(name).get("mqtt") or {}).get("connected"))

    def kill(self, name: str = "w0", number: int = signal.SIGKILL) -> int:
        process = self.processes.pop(name)
        process.send_signal(number)
        code = process.wait(40)
        assert process.stdin is not None
        process.stdin.close()
        return code

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name, signal.SIGTERM)

    def stored(self) -> dict[str, dict[int, int]]:
        """series → time → value, after folding all lanes; workers may run on."""
        with Store(self.root, write=True) as store:
            store.absorb()
            found = {}
            for number in range(len(store.series)):
                batch: ReadingBatch = store.read(number, 0, 2**40)
                if len(batch):
                    values = zip(batch.time_s.tolist(), batch.value.tolist(), strict=True)
                    found[str(store.series.key(number))] = dict(values)
        return found

    def letters(self) -> list[Any]:
        with Store(self.root) as store:
            return [letter for _, _, _, letter in store.dead_letters({})]


class Publisher:
    """A device gateway by paho-mqtt, QoS 1."""

    def __init__(
        self, port: int, version: int = mqtt.MQTTv5, user: str = "", password: str = "", name: str = "gateway"
    ) -> None:
        session = {} if version == mqtt.MQTTv5 else {"clean_session": False}
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=version, **session)
        if user:
            self.client.username_pw_set(user, password)
        self.client.max_queued_messages_set(0)
        self.refused: Any = None
        self.client.on_connect = self._connected
        self.client.on_publish = self._published
        self._given: list[tuple[int, tuple[str, int, int]]] = []
        self._acknowledged: list[int] = []
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _connected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any = None) -> None:
        self.refused = reason if reason.is_failure else None

    def _published(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._acknowledged.append(mid)

    def reading(self, device: int, time_s: int, value: int, gateway: str = "G1") -> None:
        payload = json.dumps({"ts": time_s, "t": value / 100}).encode()
        info = self.client.publish(f"nuan/{gateway}/D{device}", payload, 1)
        home = device + (1_000 if gateway == "G3" else 0)
        self._given.append((info.mid, (f"B{home:04d}-1-0101|room_temp|living", time_s, value)))

    def settled(self, seconds: float = 60.0) -> None:
        until(lambda: set(self._acknowledged) >= {mid for mid, _ in self._given}, seconds)

    @property
    def sent(self) -> dict[str, dict[int, int]]:
        """When all is settled: what was given, by series and time."""
        found: dict[str, dict[int, int]] = {}
        for _, (series, time_s, value) in self._given:
            found.setdefault(series, {})[time_s] = value
        return found

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextlib.contextmanager
def parts(folder: Path) -> Iterator[tuple[Mosquitto, Workers, Publisher]]:
    """A broker, no worker yet, and a publisher."""
    broker = Mosquitto(folder / "broker")
    workers = Workers(folder, broker.port)
    publisher = Publisher(broker.port)
    try:
        yield broker, workers, publisher
    finally:
        publisher.close()
        workers.stop()
        broker.stop()
