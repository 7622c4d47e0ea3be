"""One intake worker: MQTT and HTTP in, its lane out. It knows no database and no state but its lane, so that it may die at any moment.

Started by `operations.intake_supervisor`, which writes the settings to its standard input and leaves that open: when it closes, the
supervisor is gone, and the worker leaves as well.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from nuan.operations import intake_sessions
from nuan.operations.intake_settings import WorkerSettings
from nuan.telemetry.intake.commit import GroupCommit
from nuan.telemetry.intake.directory import Directory
from nuan.telemetry.intake.directory_file import FILE, read_directory
from nuan.telemetry.intake.gateway_book import GatewayBook
from nuan.telemetry.intake.http import Heard, http_app
from nuan.telemetry.intake.live_flags import LiveFlags
from nuan.telemetry.intake.mqtt.subscriber import Subscriber
from nuan.telemetry.intake.reception import Reception
from nuan.telemetry.store.errors import StoreError
from nuan.telemetry.store.lanes import Lane

DISK_FAILED = 74
"""Exit code: the lane takes nothing more. The next worker opens it again, and tries."""
LOOK_S = 1.0
KEEP_ALIVE_S = 75
"""A gateway that sends once a minute keeps its connection; uvicorn's own five seconds would make it find a closed one each time."""


class Worker:
    """What one process holds."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.folder = Path(settings.folder)
        self.lane = Lane(settings.root, settings.name, ahead=True)
        self.book = GatewayBook()
        flags = LiveFlags(self.lane.series())
        self.commit = GroupCommit(self.lane, time.time, flagger=flags.flagged, on_register=flags.declare)
        self.commit.after_commit.append(self.book.stored)
        self.directory = Directory()
        self._directory_at = 0
        self.subscribers = self._sessions()
        self.started = time.time()

    def _sessions(self) -> list[Subscriber]:
        """Its own at the broker first, then those that it empties."""
        settings = self.settings
        if settings.broker is None:
            return []
        broker = intake_sessions.broker(settings.broker)
        return [
            Subscriber(
                broker, intake_sessions.terms(settings, name), intake_sessions.subscriptions(self.folder, name),
                Reception(self.directory, self.book), self.commit, time.time,
            )
            for name in (settings.name, *intake_sessions.left_behind(settings))
        ]  # fmt: skip

    async def look(self) -> None:
        """Take the newest edition of the directory; a large one is read in a thread, so that others are answered meanwhile."""
        try:
            at = (self.folder / FILE).stat().st_mtime_ns
        except FileNotFoundError:
            return
        if at != self._directory_at:
            self.directory, self._directory_at = await asyncio.to_thread(read_directory, self.folder), at
            for subscriber in self.subscribers:
                subscriber.reception.use(self.directory)
            for subscriber in self.subscribers[:1]:
                subscriber.subscriptions.want(intake_sessions.wanted(self.settings, self.directory))

    def heard(self, heard: Heard) -> None:
        """A request over HTTP; its readings are counted when they are on disk."""
        page = self.book.page(heard.gateway)
        page.letters += heard.refused
        page.heard(heard.arrival_s, heard.newest_time_s)

    def report(self) -> dict[str, Any]:
        """What the supervisor and the folder process read: counts since the start, and how the connection is."""
        counts, health = self.commit.counts, self.subscribers[0].health if self.subscribers else None
        return {
            "run": f"{os.getpid()}-{self.started:.3f}",
            "at": time.time(),
            "edition": self.directory.version,
            "readings": counts.readings,
            "letters": counts.letters,
            "syncs": counts.syncs,
            "lane_bytes": self.lane.size_bytes(),
            "broken": self.commit.broken,
            "mqtt": None
            if health is None
            else {
                "connected": health.connected and health.subscribed,
                "why_not": health.why_not,
                "connections": health.connections,
                "messages": health.messages,
                "acknowledged": health.acknowledged,
                "held_for": health.held_for,
            },
            "gateways": self.book.as_dict(),
        }

    def write_report(self) -> None:
        new = self.folder / f".{self.settings.name}.json"
        with contextlib.suppress(OSError):  # a full disk takes no report; it is in the next one
            new.write_text(json.dumps(self.report()), "utf-8")
            new.replace(self.folder / f"{self.settings.name}.json")


class QuietServer(uvicorn.Server):
    """Signals are the worker's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _http(worker: Worker) -> tuple[QuietServer, socket.socket] | None:
    settings = worker.settings
    if settings.http_fd is None:
        return None
    app = http_app(lambda: worker.directory, worker.commit, time.time, heard=worker.heard, own=worker.book.own)
    certificate, key = settings.certificate or (None, None)
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning", server_header=False,
        ssl_certfile=certificate, ssl_keyfile=key, timeout_graceful_shutdown=5, backlog=512, timeout_keep_alive=KEEP_ALIVE_S,
    )  # fmt: skip
    return QuietServer(config), socket.socket(fileno=settings.http_fd)


async def _look_around(worker: Worker) -> None:
    """Every second: a new directory, a report, and whether the disk still takes what comes."""
    while True:
        await worker.look()
        worker.write_report()
        if worker.commit.broken is not None:
            raise StoreFailed(worker.commit.broken)
        await asyncio.sleep(LOOK_S)


class StoreFailed(Exception):
    """The lane is closed; only another process can open it again."""


async def _supervisor_gone() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def serve(worker: Worker) -> None:
    """Until told to stop, until the supervisor is gone, or until the disk fails (StoreFailed)."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await worker.look()
    tasks = {asyncio.create_task(each) for each in (_look_around(worker), _supervisor_gone(), stop.wait())}
    tasks |= {asyncio.create_task(subscriber.run()) for subscriber in worker.subscribers}
    http = _http(worker)
    serving = None if http is None else asyncio.create_task(http[0].serve([http[1]]))
    try:
        done, _ = await asyncio.wait(tasks | ({serving} if serving else set()), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if http is not None and serving is not None:
            http[0].should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
        if worker.commit.broken is None:
            await worker.commit.close()
        worker.write_report()
        worker.lane.close()


def run(settings: WorkerSettings) -> int:
    """Exit code of the process."""
    try:
        worker = Worker(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(worker))
    except (StoreFailed, StoreError) as error:
        print(f"{settings.name}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return DISK_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(run(WorkerSettings.of_json(sys.stdin.readline())))
