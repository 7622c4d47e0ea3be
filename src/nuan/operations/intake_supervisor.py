"""The supervisor of `nuan intake`: starts the workers, the process that folds and the one that records; starts again at once what dies.

It holds the listening sockets, so that senders wait a moment instead of being refused while a worker starts anew. It touches no data.
"""

import fcntl
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nuan.operations.intake_settings import BrokerAddress, IntakeSettingsError, WorkerSettings

QUICK_DEATH_S, FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 0.5, 5.0
LEAVE_S, FOLD_S = 15.0, 60.0
"""How long workers, and the last fold, may take to leave before they are killed; a killed one loses nothing."""
LOOK_S = 0.05
Tell = Callable[[str, dict[str, Any]], None]
"""(event, facts): started, died, stopping, stopped."""


@dataclass
class Child:
    """A process and how it is started again. `pause_s` grows while it dies soon after its start."""

    name: str
    module: str
    settings: str
    fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause_s: float = 0.0
    not_before: float = 0.0
    starts: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module], stdin=subprocess.PIPE, pass_fds=self.fds, start_new_session=True
        )
        self.started, self.starts = time.monotonic(), self.starts + 1
        pipe: IO[bytes] | None = self.process.stdin
        assert pipe is not None
        try:
            pipe.write(self.settings.encode() + b"\n")
            pipe.flush()  # and left open: when it closes, the child knows that we are gone
        except BrokenPipeError:
            pass

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


@dataclass(frozen=True)
class IntakePlan:
    """What shall run. `http` is (host, port), None for no HTTP; port 0 takes a free one."""

    root: Path
    folder: Path
    workers: int = 2
    broker: BrokerAddress | None = None
    http: tuple[str, int] | None = None
    certificate: tuple[str, str] | None = None
    client_id: str = "nuan"
    shared: bool = False
    thingsboard: tuple[str, int] | None = None
    """The door for ThingsBoard gateways (host, port); needs a broker."""
    thingsboard_certificate: tuple[str, str] | None = None


def listening_sockets(address: tuple[str, int], count: int) -> list[socket.socket]:
    """As many sockets on one port as there are workers: the kernel spreads connections over them evenly."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            each = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(each)
            if not sockets[:-1]:
                with socket.socket(
                    family, socket.SOCK_STREAM
                ) as probe:  # somebody else on the port would share it unseen
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((host, port))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind((host, port))
            port = each.getsockname()[1]
            each.listen(512)
    except OSError as error:
        for each in sockets:
            each.close()
        raise IntakeSettingsError(f"{host}:{port} 不能使用：{error.strerror} / cannot listen there") from error
    return sockets


def only_one(folder: Path) -> IO[bytes]:
    """Held for as long as the process lives; a second intake over the same folder is refused."""
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise IntakeSettingsError("已有一个 nuan intake 在运行 / another nuan intake runs here") from None
    return lock


class Supervisor:
    """`run` until `stop` is set. A second stop does not wait."""

    def __init__(self, plan: IntakePlan, tell: Tell) -> None:
        self.plan, self.tell = plan, tell
        self.stop = threading.Event()
        plan.folder.mkdir(parents=True, exist_ok=True)
        plan.folder.chmod(0o700)
        self._lock = only_one(plan.folder)
        self.sockets = listening_sockets(plan.http, plan.workers) if plan.http else []
        self.port = self.sockets[0].getsockname()[1] if self.sockets else None
        self.workers = [self._worker(slot) for slot in range(plan.workers)]
        where = json.dumps({"root": str(plan.root), "folder": str(plan.folder)})
        self.fold = Child("fold", "nuan.operations.intake_folding", where)
        self.record = Child("record", "nuan.operations.intake_recording", where)
        self.doors = [self._door(plan.broker, plan.thingsboard)] if plan.broker and plan.thingsboard else []

    def _worker(self, slot: int) -> Child:
        fd = self.sockets[slot].fileno() if self.sockets else None
        settings = WorkerSettings(
            slot, str(self.plan.root), str(self.plan.folder), self.plan.workers, self.plan.broker, self.plan.client_id,
            self.plan.shared, fd, self.plan.certificate,
        )  # fmt: skip
        return Child(settings.name, "nuan.operations.intake_worker", settings.as_json(), () if fd is None else (fd,))

    def _door(self, broker: BrokerAddress, at: tuple[str, int]) -> Child:
        where = {
            "host": at[0], "port": at[1], "broker_host": broker.host, "broker_port": broker.port, "broker_tls": broker.tls,
            "broker_ca": broker.ca_file, "certificate": self.plan.thingsboard_certificate,
        }  # fmt: skip
        return Child("door", "nuan.operations.intake_door", json.dumps(where))

    def children(self) -> Iterator[Child]:
        yield from (self.record, self.fold, *self.workers, *self.doors)

    def run(self) -> None:
        for path in self.plan.folder.glob("*.json"):
            if path.name not in ("directory.json", "handed_over.json"):
                path.unlink()
        try:
            while not self.stop.is_set():
                for child in self.children():
                    self._look_after(child)
                self.stop.wait(LOOK_S)
        finally:
            self._leave()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.alive:
            if child.pause_s and now - child.started > QUICK_DEATH_S:
                child.pause_s = 0.0
            return
        if child.process is not None and child.not_before == 0.0:
            code = child.process.returncode
            quick = now - child.started < QUICK_DEATH_S
            child.pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * child.pause_s)) if quick else 0.0
            child.not_before = now + child.pause_s
            self.tell("died", {"process": child.name, "code": code, "again_in_s": child.pause_s})
        if now >= child.not_before:
            child.not_before = 0.0
            child.start()
            assert child.process is not None
            self.tell("started", {"process": child.name, "pid": child.process.pid, "starts": child.starts})

    def _leave(self) -> None:
        """Workers first: what they acknowledged is folded and recorded once more after them."""
        self.tell("stopping", {})
        for group, patience_s in (([*self.doors, *self.workers], LEAVE_S), ([self.fold, self.record], FOLD_S)):
            for child in group:
                child.send(signal.SIGTERM)
            until = time.monotonic() + patience_s
            while any(child.alive for child in group) and time.monotonic() < until:
                time.sleep(LOOK_S)
            for child in group:
                child.send(signal.SIGKILL)
                if child.process is not None:
                    child.process.wait()
                    if child.process.stdin is not None:
                        child.process.stdin.close()
        for each in self.sockets:
            each.close()
        self._lock.close()
        self.tell("stopped", {})


def status(folder: Path) -> Mapping[str, Any]:
    """What the processes last reported, for the status line and for `--json`."""
    reports = {}
    for path in folder.glob("*.json"):
        if path.name in ("directory.json", "handed_over.json"):
            continue
        try:
            reports[path.stem] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
    return reports
