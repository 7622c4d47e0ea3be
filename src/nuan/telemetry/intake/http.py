"""The HTTP side of the intake: InfluxDB's write doors, so that whoever writes to InfluxDB writes to Nuan.

An ASGI application for uvicorn. 204 means: on disk. Which answers mean “send again” and which do not: docs/intake-http.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake import http_answers as answers
from nuan.telemetry.intake.commit import GroupCommit, Overloaded
from nuan.telemetry.intake.directory import Directory, Gateway
from nuan.telemetry.intake.floods import FloodGate
from nuan.telemetry.intake.http_answers import Answer, fault, in_json, partly, who
from nuan.telemetry.intake.http_body import BodyProblem, Gone, Receive, check_head, parameters, read_body
from nuan.telemetry.intake.line_senders import LineSender, Taken, TooManyAtFault, letters, warm_up
from nuan.telemetry.intake.token_bucket import TokenBucket
from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.line_protocol.columns import columns
from nuan.telemetry.protocols.line_protocol.grammar import AUTO, PrecisionError, unit_ns
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.errors import StoreError
from nuan.telemetry.store.lanes import DeadLetter

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PROTOCOLS = frozenset({"line"})
"""What a gateway's `protocol` must be for these doors."""
LARGE = 1 << 20
"""A body from this size on is parsed in a thread, so that others are answered meanwhile."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """运行参数. Of a body, unpacked; of all bodies that are being read and written at once; and how long a body may take to come."""

    max_body_bytes: int = 25_000_000
    max_bytes_at_once: int = 256_000_000
    body_within_s: float = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """What one request of a gateway brought: for its page and its clock. `newest_time_s` is None without a reading."""

    gateway: str
    arrival_s: int
    readings: int
    refused: int
    newest_time_s: int | None


def http_app(
    directory: Callable[[], Directory],
    commit: GroupCommit,
    clock: Callable[[], float],
    *,
    limits: HttpLimits | None = None,
    heard: Callable[[Heard], None] | None = None,
    own: Callable[[Sequence[str], NDArray[np.uint32]], None] | None = None,
) -> App:
    """`directory` gives the newest edition at each call; `clock` seconds since 1970; `heard` is told of every accepted request, `own`
    whose each new series of the lane is (gateways, numbers)."""
    warm_up()
    return _Doors(directory, commit, clock, limits or HttpLimits(), heard, own)


@dataclass(slots=True)
class _Request:
    version: int
    headers: dict[bytes, bytes]
    query: dict[str, str]
    receive: Receive
    held: int = 0
    """Bytes of its body in memory."""


class _Doors:
    def __init__(
        self,
        directory: Callable[[], Directory],
        commit: GroupCommit,
        clock: Callable[[], float],
        limits: HttpLimits,
        heard: Callable[[Heard], None] | None,
        own: Callable[[Sequence[str], NDArray[np.uint32]], None] | None,
    ) -> None:
        self.directory, self.commit, self.clock, self.limits, self.heard = directory, commit, clock, limits, heard
        self.own = own
        self.held = 0
        self.senders: dict[str, LineSender] = {}
        self.buckets: dict[str, TokenBucket] = {}
        self.edition = -1
        self.flood = FloodGate()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            return None
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            return None
        for message in answer.messages(scope["method"] == "HEAD"):
            await send(message)
        return None

    async def _register(self, gateway: str, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        numbers = await self.commit.register(keys)
        if self.own is not None:
            self.own([gateway] * len(keys), numbers)
        return numbers

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        path, method = scope["path"].rstrip("/") or "/", scope["method"]
        door = DOORS.get(path)
        if door is None:
            return fault(2 if path.startswith("/api/v2") else 1, 404, f"nothing is at {path[:80]}")
        version, methods, act = door
        if method == "OPTIONS":
            return Answer(204, headers=((b"allow", b", ".join((*methods, b"OPTIONS"))),))
        if method.encode() not in methods:
            wrong = fault(version, 405, f"{method} is not for {path}")
            return Answer(wrong.status, wrong.body, (*wrong.headers, (b"allow", b", ".join((*methods, b"OPTIONS")))))
        query = parameters(scope["query_string"])
        request = _Request(version, dict(scope["headers"]), query, receive)
        try:
            return await act(self, request)
        except BodyProblem as problem:
            return fault(version, problem.status, str(problem))
        except Overloaded as full:
            return fault(version, 503, str(full), full.retry_after_s)
        except TimeoutError:
            return fault(version, 408, "the body did not come in time")
        except TooManyAtFault as many:
            return fault(version, 413, str(many))
        except StoreError as error:
            return fault(version, 503, str(error), 10)
        finally:
            self.held -= request.held

    async def write(self, request: _Request) -> Answer:
        directory, version = self.directory(), request.version
        if not directory.version:  # 401 would make senders throw their data away
            raise Overloaded("the register of gateways has not come yet", 2)
        gateway = who(directory, request.headers, request.query)
        if gateway is None:
            return fault(version, 401, "unauthorized access: no gateway has these credentials")
        if gateway.protocol not in PROTOCOLS:
            return fault(
                version, 403, f"gateway {gateway.code} is registered for {gateway.protocol}, not for line protocol"
            )
        precision = request.query.get("precision") or (AUTO if version == 3 else "ns")
        try:
            unit_ns(precision)
        except PrecisionError as error:
            return fault(version, 400, str(error))
        gzipped = check_head(request.headers, self.limits.max_body_bytes)
        self.commit.admit()
        bucket = self._bucket(gateway)
        if (wait_s := bucket.wait_s(self.clock())) > 0:
            sentence = f"gateway {gateway.code} sends more than {gateway.max_readings_per_s} readings a second"
            # Telegraf's outputs.influxdb throws away what any 4xx answers, 429 too; 503 makes it keep the batch
            return fault(version, 503 if version == 1 else 429, sentence, int(wait_s) + 1)
        async with asyncio.timeout(self.limits.body_within_s):
            body = await read_body(request.receive, gzipped, self.limits.max_body_bytes, self._hold(request))
        if not body:
            return Answer(204)
        whole = version == 3 and request.query.get("accept_partial", "true").lower() == "false"
        return await self._take(directory, gateway, version, body, precision, whole)

    async def _take(
        self, directory: Directory, gateway: Gateway, version: int, body: bytes, precision: str, whole: bool
    ) -> Answer:
        arrival_s = int(self.clock())
        lines = columns(body, precision) if len(body) < LARGE else await asyncio.to_thread(columns, body, precision)
        self._bucket(gateway).take(max(len(lines.kind), len(lines)) + len(lines.problems), self.clock())
        sender = self._sender(directory, gateway)
        targets = await sender.resolve(lines, partial(self._register, gateway.code))
        taken = sender.take(lines, targets, arrival_s)
        if whole and taken.refused:
            return partly(version, taken.refused, whole=True)
        await self.commit.submit(taken.batch, self._letters(gateway, precision, arrival_s, taken))
        if self.heard is not None:
            self.heard(_heard(gateway, arrival_s, taken))
        return partly(version, taken.refused) if taken.refused else Answer(204)

    def _letters(self, gateway: Gateway, precision: str, arrival_s: int, taken: Taken) -> list[DeadLetter]:
        """The lines at fault; a gateway that sends nothing else does not fill the disk with them."""
        found = [
            DeadLetter(code, "line", arrival_s, "flood", said("flood", reason, count), b"")
            for code, reason, count in self.flood.counted(arrival_s)
        ]
        for letter in letters(gateway.code, precision, arrival_s, taken.refused) if taken.refused else ():
            if self.flood.let(gateway.code, letter.reason, arrival_s):
                found.append(letter)
        return found

    def _sender(self, directory: Directory, gateway: Gateway) -> LineSender:
        if directory.version != self.edition:
            self.senders, self.edition = {}, directory.version
        sender = self.senders.get(gateway.code)
        if sender is None:
            sender = self.senders[gateway.code] = LineSender(gateway, directory)
        return sender

    def _bucket(self, gateway: Gateway) -> TokenBucket:
        rate = max(1, gateway.max_readings_per_s)
        bucket = self.buckets.get(gateway.code)
        if bucket is None or bucket.rate != rate:
            bucket = self.buckets[gateway.code] = TokenBucket(rate, self.clock())
        return bucket

    def _hold(self, request: _Request) -> Callable[[int], None]:
        def grown(size: int) -> None:
            if self.held + size > self.limits.max_bytes_at_once:
                raise Overloaded("too many bodies at once", 1)
            self.held += size
            request.held += size

        return grown

    async def query(self, request: _Request) -> Answer:
        """What clients ask before they write: databases are made and named, nothing is read here."""
        if who(self.directory(), request.headers, request.query) is None:
            return fault(1, 401, "unauthorized access: no gateway has these credentials")
        asked = request.query.get("q", "")
        if not asked:
            body = await read_body(request.receive, check_head(request.headers, 65_536), 65_536, self._hold(request))
            asked = parameters(body).get("q", "")
        if not asked:
            return fault(1, 400, 'missing required parameter "q"')
        return in_json({"results": [_result(number, one) for number, one in enumerate(asked.strip(" ;").split(";"))]})

    async def ping(self, request: _Request) -> Answer:
        if request.query.get("verbose", "false").lower() not in ("", "0", "false"):
            return in_json({"version": answers.SPOKEN_VERSION})
        return Answer(204)

    async def health(self, request: _Request) -> Answer:
        """“pass” while writes are taken."""
        try:
            self.commit.admit()
        except Overloaded as full:
            state = {"name": "nuan", "status": "fail", "message": str(full), "version": answers.SPOKEN_VERSION}
            return in_json(state, 503)
        state = {"name": "nuan", "status": "pass", "message": "ready for writes", "version": answers.SPOKEN_VERSION}
        return in_json({**state, "checks": []})

    async def settings(self, request: _Request) -> Answer:
        """QuestDB's client asks which dialect to speak: version 1 is the plain text that this door reads."""
        config = {"release.type": "OSS", "line.proto.support.versions": [1], "ilp.proto.transports": ["http"]}
        return in_json({"config": {**config, "cairo.max.file.name.length": 127}, "preferences": {}})

    async def buckets_list(self, request: _Request) -> Answer:
        """EMQX looks whether its token opens this list."""
        if who(self.directory(), request.headers, request.query) is None:
            return fault(2, 401, "unauthorized access")
        bucket = {"id": "0000000000000001", "name": "nuan", "type": "user", "retentionRules": []}
        return in_json({"links": {"self": "/api/v2/buckets"}, "buckets": [bucket]})

    async def no_query(self, request: _Request) -> Answer:
        if who(self.directory(), request.headers, request.query) is None:
            return fault(request.version, 401, "unauthorized access")
        return fault(request.version, 400, "readings are not queried here; see the API of the web service")


_Act = Callable[[_Doors, _Request], Awaitable[Answer]]
DOORS: Mapping[str, tuple[int, tuple[bytes, ...], _Act]] = {
    "/write": (1, (b"POST",), _Doors.write),
    "/api/v2/write": (2, (b"POST",), _Doors.write),
    "/api/v3/write_lp": (3, (b"POST",), _Doors.write),
    "/query": (1, (b"GET", b"POST"), _Doors.query),
    "/api/v2/query": (2, (b"POST",), _Doors.no_query),
    "/api/v2/buckets": (2, (b"GET",), _Doors.buckets_list),
    "/api/v3/query_sql": (3, (b"GET", b"POST"), _Doors.no_query),
    "/ping": (1, (b"GET", b"HEAD"), _Doors.ping),
    "/health": (2, (b"GET", b"HEAD"), _Doors.health),
    "/settings": (1, (b"GET", b"HEAD"), _Doors.settings),
}
"""Path → (version of InfluxDB whose words are answered, methods, what is done)."""


def _result(number: int, asked: str) -> dict[str, object]:
    """To one InfluxQL statement, as far as writers need one."""
    words = asked.upper().split()
    if words[:2] in (["CREATE", "DATABASE"], ["CREATE", "RETENTION"]):
        return {"statement_id": number}
    columns = {"DATABASES": ["name"], "RETENTION": ["name", "duration", "shardGroupDuration", "replicaN", "default"]}
    if words[:1] == ["SHOW"] and len(words) > 1:
        rows = {"DATABASES": [["nuan"]], "RETENTION": [["autogen", "0s", "168h0m0s", 1, True]]}.get(words[1])
        if rows is None:
            return {"statement_id": number}
        name = {"name": "databases"} if words[1] == "DATABASES" else {}
        return {"statement_id": number, "series": [{**name, "columns": columns[words[1]], "values": rows}]}
    return {"statement_id": number, "error": "readings are not queried here; see the API of the web service"}


def _heard(gateway: Gateway, arrival_s: int, taken: Taken) -> Heard:
    newest = int(taken.batch.time_s.max()) if len(taken.batch) else None
    return Heard(gateway.code, arrival_s, len(taken.batch), len(taken.refused), newest)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
