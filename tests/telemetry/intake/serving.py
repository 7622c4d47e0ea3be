"""A small directory, and the intake's HTTP doors on a real port of the loopback, for the tests of this folder."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import uvicorn

from nuan.telemetry.intake.commit import GroupCommit
from nuan.telemetry.intake.directory import Directory, Gateway, Placed, ProfilePoint, digest_of
from nuan.telemetry.intake.http import Heard, HttpLimits, http_app
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.lanes import DeadLetter, Lane
from nuan.telemetry.store.store import Store

NOW = 1_763_000_000
"""The clock of these tests stands still: 2025-11-13."""
STATION = {
    "supply_temp": ProfilePoint("supply_temp", "supply"),
    "return_temp": ProfilePoint("return_temp", "return"),
    "heat.power": ProfilePoint("heat_power", "primary", scale=Fraction(1000)),
    "flow": ProfilePoint("flow", "primary"),
    "pressure_kpa": ProfilePoint("pressure", "primary", scale=Fraction(1, 100)),
    "temp_f": ProfilePoint("outdoor_temp", "roof", scale=Fraction(5, 9), offset=Fraction(-160, 9)),
}
ROOM = {"t": ProfilePoint("room_temp", scale=Fraction(1, 10))}


def small_directory(version: int = 1, **changes: object) -> Directory:
    """Gateway G1 with station 88001234 and room 5001; G2 with station 99; M1 speaks MQTT. The secret of G1 is `secret-of-G1`."""
    values: dict[str, object] = {"max_readings_per_s": 1_000_000, **changes}
    gateways = {
        "G1": Gateway("G1", "C01", "line", **values),  # type: ignore[arg-type]
        "G2": Gateway("G2", "C02", "line", device_tag="host"),
        "M1": Gateway("M1", "C01", "mqtt"),
    }
    devices = {
        "G1": {
            "88001234": Placed("H01-S01", STATION, ignore=("uptime", "host_*")),
            "5001": Placed("B0042-1-0301", ROOM, "living"),
        },
        "G2": {"99": Placed("H02-S01", STATION)},
    }
    return Directory(version, gateways, {digest_of(f"secret-of-{code}"): code for code in gateways}, devices)


def key(place: str, quantity: str, position: str) -> SeriesKey:
    return SeriesKey(place, quantity, position)


@dataclass
class Intake:
    """One worker: its lane, its doors, and what they say. `directory` may be put in another's place at any time."""

    root: Path
    directory: Directory = field(default_factory=small_directory)
    now: float = NOW
    heard: list[Heard] = field(default_factory=list)
    limits: HttpLimits = field(default_factory=HttpLimits)
    port: int = 0

    def __post_init__(self) -> None:
        self.lane = Lane(self.root, "w1")
        self.commit = GroupCommit(self.lane, lambda: self.now)
        self.app = http_app(
            lambda: self.directory, self.commit, lambda: self.now, limits=self.limits, heard=self.heard.append
        )

    def stored(self) -> dict[SeriesKey, list[tuple[int, int]]]:
        """(time, value in steps) of each series, after the store has taken the lane over."""
        self.lane.close()
        with Store(self.root, write=True) as store:
            store.absorb()
            found: dict[SeriesKey, list[tuple[int, int]]] = {}
            for number, name in store.series.find():
                rows: ReadingBatch = store.read(number, 0, 2**40)
                found[name] = list(zip(rows.time_s.tolist(), rows.value.tolist(), strict=True))
            return found

    def dead(self) -> list[DeadLetter]:
        self.lane.close()
        with Store(self.root, write=True) as store:
            store.absorb()
            return [letter for *_, letter in store.dead_letters({})]


@contextmanager
def listening(intake: Intake) -> Iterator[str]:
    """The address of the intake, served by uvicorn as in production."""
    listener = socket.create_server(("127.0.0.1", 0))
    intake.port = listener.getsockname()[1]
    settings = uvicorn.Config(intake.app, http="httptools", lifespan="off", access_log=False, log_level="warning")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{intake.port}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


def ask(
    intake: Intake,
    method: str,
    target: str,
    body: bytes | Sequence[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    hang_up: bool = False,
    stall: bool = False,
) -> Got | None:
    """One request straight to the application, without a server. `body` in pieces is a chunked one. None: nobody was answered."""
    return asyncio.run(asked(intake, method, target, body, headers, hang_up, stall))


async def asked(
    intake: Intake,
    method: str,
    target: str,
    body: bytes | Sequence[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    hang_up: bool = False,
    stall: bool = False,
) -> Got | None:
    pieces = [body] if isinstance(body, bytes) else list(body)
    given = {"authorization": "Token secret-of-G1", **(headers or {})}
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items() if value],
    }  # fmt: skip
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        if hang_up and len(pieces) == 1:
            return {"type": "http.disconnect"}
        if stall and len(pieces) == 1:
            await asyncio.sleep(60)
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await intake.app(scope, receive, send)
    if not sent:
        return None
    start, answer = sent
    return Got(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, answer["body"])
