"""A whole Nuan to torment: PostgreSQL, Mosquitto, `nuan intake`, the simulated fleet behind loopback proxies; and the blows.

Processes are real and are ended by their own numbers. What is counted is only what the sender's ledger says was acknowledged.
"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soak_wire import Proxy

NUAN = [sys.executable, "-c", "from nuan.cli.main import main; main()"]
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
CITY = """
from nuan.cli.main import setup_records
setup_records()
from nuan.buildings.sample_city import make_city
from nuan.operations.import_registry import import_registry
report = import_registry({{name: table for name, table in make_city({homes}).tables().items() if name not in {{"measurements", "fuel", "outages", "residents"}}}}, actor="soak")
assert report.ok, report.findings[:5]
"""


def free_ports(count: int) -> list[int]:
    """In one row, because ThingsBoard's listeners stand in one."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + count < 60_000:
            return list(range(first, first + count))


@dataclass
class Rig:
    """`home`: NUAN_HOME of the tormented. Not under pytest's folder: run as root, PostgreSQL is another user."""

    homes: int = 2_000
    workers: int = 2
    door_certificate: tuple[Path, Path] | None = None
    """Certificate and key of the door for ThingsBoard gateways."""
    also: str = ""
    """Python that runs when the fleet is registered and before the broker's settings are written, with the records ready."""
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="nuan-soak-")))
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.chmod(0o755)
        ports = free_ports(24)
        self.broker_port, self.http_port, self.mount_port = ports[0], ports[1], ports[4]
        self.outer_broker, self.outer_http, self.outer_mount = ports[2], ports[3], ports[13]
        self.door_port = ports[23]
        """Of the door for real ThingsBoard gateways."""
        self.began = time.monotonic()
        self.broker: subprocess.Popen[bytes] | None = None
        self.intake: subprocess.Popen[bytes] | None = None
        self.fleet: subprocess.Popen[str] | None = None
        self.proxy: Proxy | None = None

    @property
    def environment(self) -> dict[str, str]:
        left_out = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
        return {name: value for name, value in os.environ.items() if name not in left_out} | {
            "NUAN_HOME": str(self.home)
        }

    @property
    def store(self) -> Path:
        return self.home / "readings"

    def nuan(self, *words: str, timeout: float = 300) -> str:
        done = subprocess.run(
            [*NUAN, *words], env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done.stdout

    def say(self, what: str) -> None:
        self.log.append(f"{time.monotonic() - self.began:6.1f} s  {what}")

    def up(self) -> None:
        city = [sys.executable, "-c", CITY.format(homes=self.homes)]
        subprocess.run(city, env=self.environment, check=True, timeout=300)
        self.nuan(
            "simulate",
            "register",
            "--homes",
            str(self.homes),
            "--credentials",
            str(self.home / "fleet.json"),
            "--mount-port",
            str(self.outer_mount),
        )
        if self.also:
            text = f"from nuan.cli.main import setup_records\nsetup_records()\n{self.also}"
            subprocess.run([sys.executable, "-c", text], env=self.environment, check=True, timeout=300)
        mosquitto = self.home / "mosquitto"
        words = ["--port", str(self.broker_port), "--mount-port", str(self.mount_port)]
        self.nuan("gateway", "broker-config", str(mosquitto), *words, *(["--user", "root"] if os.getuid() == 0 else []))
        self.start_broker()
        self.start_intake()
        mounts = {self.outer_mount + n: self.mount_port + n for n in range(9)}
        self.proxy = Proxy({self.outer_broker: self.broker_port, self.outer_http: self.http_port, **mounts})
        self.say("up")

    def start_broker(self) -> None:
        command = [MOSQUITTO, "-c", str(self.home / "mosquitto" / "nuan.conf")]
        with (self.home / "mosquitto.log").open("ab") as log:
            self.broker = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(lambda: listens(self.broker_port), 20, "the broker")

    def start_intake(self) -> None:
        words = [
            "intake",
            "--mqtt",
            f"mqtt://127.0.0.1:{self.broker_port}",
            "--http",
            f"127.0.0.1:{self.http_port}",
            "--workers",
            str(self.workers),
            "--json",
            "--thingsboard",
            f"127.0.0.1:{self.door_port}",
            *(["--thingsboard-tls", *map(str, self.door_certificate)] if self.door_certificate else []),
        ]
        with (self.home / "intake.log").open("ab") as log:
            self.intake = subprocess.Popen([*NUAN, *words], env=self.environment, stdout=log, stderr=log)
        wait_for(lambda: len(self.reports()) == self.workers, 90, "the intake's workers")
        wait_for(
            lambda: all((r["mqtt"] or {}).get("connected") for r in self.reports().values()),
            60,
            "the workers at the broker",
        )

    def start_fleet(self, rate: float, seconds: float, faults: tuple[str, ...], drain_s: float = 120) -> None:
        words = [
            "simulate", "run", "--credentials", str(self.home / "fleet.json"), "--mqtt", f"127.0.0.1:{self.outer_broker}",
            "--http", f"http://127.0.0.1:{self.outer_http}", "--rate", str(rate), "--seconds", str(seconds), "--drain", str(drain_s),
            "--ledger", str(self.home / "ledger.json"), *[word for fault in faults for word in ("--fault", fault)],
        ]  # fmt: skip
        with (self.home / "fleet.log").open("a") as progress:
            self.fleet = subprocess.Popen(
                [*NUAN, *words], env=self.environment, stdout=subprocess.PIPE, stderr=progress, text=True
            )
        wait_for(lambda: (self.home / "ledger.json").exists(), 90, "the fleet")

    def reports(self) -> dict[str, dict[str, Any]]:
        """What each worker last said of itself."""
        found = {}
        for path in (self.home / "intake").glob("w?.json"):
            with suppress(OSError, ValueError):
                found[path.stem] = json.loads(path.read_text("utf-8"))
        return found

    def worker_pids(self) -> list[int]:
        """Of workers that are alive, in the order of their lanes."""
        pids = [int(report["run"].split("-")[0]) for _, report in sorted(self.reports().items())]
        return [pid for pid in pids if alive(pid)]

    # --- the blows

    def kill_a_worker(self, which: int) -> None:
        pids = self.worker_pids()
        if pids:
            self.say(f"kill -9 worker {pids[which % len(pids)]}")
            os.kill(pids[which % len(pids)], signal.SIGKILL)

    def restart_broker(self) -> None:
        """As an administrator does it: the broker is asked to stop, writes down what it holds, and starts again."""
        assert self.broker is not None
        self.say("broker restarts")
        self.broker.terminate()
        self.broker.wait(60)
        self.start_broker()

    def cut_network(self, seconds: float) -> None:
        assert self.proxy is not None
        self.say(f"network cut for {seconds} s")
        self.proxy.cut()
        time.sleep(seconds)
        self.proxy.mend()

    def fill_disk(self, seconds: float) -> None:
        """No file of a worker may grow any more (RLIMIT_FSIZE): what a full disk says, without a disk to fill. New workers meet it too.
        Where the machine is so busy that nobody has written meanwhile, it stays full until somebody has."""
        self.say(f"disk full for {seconds} s")
        before, until = self.left_by_themselves(), time.monotonic() + seconds
        longest = until + 60
        while (now := time.monotonic()) < until or (now < longest and self.left_by_themselves() == before):
            for pid in self.worker_pids():
                with suppress(ProcessLookupError, PermissionError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
            time.sleep(0.2)
        for pid in self.worker_pids():
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    # --- the end

    def finish(self, timeout_s: float) -> dict[str, Any]:
        """Waits until the fleet has settled everything; the summary that it prints."""
        assert self.fleet is not None
        assert self.fleet.stdout is not None
        out, _ = self.fleet.communicate(timeout=timeout_s)
        self.say("the fleet has finished")
        return dict(json.loads(out.strip().splitlines()[-1]))

    def settle(self, timeout_s: float = 120) -> None:
        """Until no worker takes anything more: what the broker still holds is in."""
        last, since = -1, time.monotonic()
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and time.monotonic() - since < 4:
            now = sum(report["readings"] for report in self.reports().values())
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.3)

    def down(self) -> None:
        for process in (self.fleet, self.intake, self.broker):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(90)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
        if self.proxy is not None:
            self.proxy.stop()
            self.proxy = None

    def deaths(self) -> list[int]:
        """Exit codes of workers, as the supervisor told them: −9 were killed by us, others left because the disk failed."""
        events = [
            json.loads(line)
            for line in (self.home / "intake.log").read_text("utf-8").splitlines()
            if line.startswith("{")
        ]
        return [event["code"] for event in events if event["event"] == "died" and event["process"].startswith("w")]

    def left_by_themselves(self) -> int:
        """Workers that ended and were not killed by us."""
        return sum(code != -signal.SIGKILL for code in self.deaths())

    def check(self) -> dict[str, Any]:
        """After `down`: what lanes still hold is absorbed, as the next start would do, and the ledger is laid beside the store."""
        absorb = f"from nuan.telemetry.store import Store\nwith Store({str(self.store)!r}, write=True) as store: store.absorb()"
        subprocess.run([sys.executable, "-c", absorb], check=True, timeout=300)
        words = ["simulate", "check", str(self.home / "ledger.json"), "--store", str(self.store)]
        done = subprocess.run(
            [*NUAN, *words], env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        report = dict(json.loads(done.stdout))
        return {**report, "words": done.stderr[-2000:]}

    def remove(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(ready: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"{what} did not come up in {seconds} s"
        time.sleep(0.1)


@dataclass(frozen=True)
class Schedule:
    """Seconds after the fleet's start. The original: 30 minutes, a worker a minute, the network two minutes."""

    seconds: float
    kill_every: float
    broker_at: tuple[float, ...]
    cut_at: float
    cut_for: float
    disk_at: float
    disk_for: float

    @classmethod
    def of(cls, seconds: float) -> "Schedule":
        """The half hour, shrunk; a worker is killed no oftener than every twelve seconds, because it needs some to come back."""
        part = seconds / 1_800
        return cls(
            seconds, max(12.0, 60 * part), (seconds * 0.25, seconds * 0.65), seconds * 0.40, max(6.0, 120 * part), seconds * 0.85,
            max(4.0, 30 * part),
        )  # fmt: skip


def torment(rig: Rig, schedule: Schedule, rate: float, faults: tuple[str, ...]) -> dict[str, Any]:
    """All blows by the schedule, each in a thread of its own so that they may meet; the fleet's summary."""
    rig.start_fleet(rate, schedule.seconds, faults, drain_s=240)
    start = time.monotonic()
    blows: list[tuple[float, Callable[[], None]]] = [
        (at, rig.restart_broker) for at in schedule.broker_at
    ] + [(schedule.cut_at, lambda: rig.cut_network(schedule.cut_for)), (schedule.disk_at, lambda: rig.fill_disk(schedule.disk_for))]  # fmt: skip
    kills = int((schedule.seconds - 2) // schedule.kill_every)
    blows += [(schedule.kill_every * (n + 1), lambda n=n: rig.kill_a_worker(n)) for n in range(kills)]  # type: ignore[misc]
    threads = []
    for at, blow in sorted(blows, key=lambda pair: pair[0]):
        time.sleep(max(0.0, start + at - time.monotonic()))
        thread = threading.Thread(target=blow, daemon=True)
        thread.start()
        threads.append(thread)
    summary = rig.finish(schedule.seconds + 400)
    for thread in threads:
        thread.join(60)
    rig.settle()
    return summary
