"""A gateway that writes line protocol over HTTP, a few requests at once, each until it is answered with 204."""

import asyncio
import http.client
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

from nuan.operations.simulation.outbox import Outbox, Parcel

ANSWER_S = 30.0
LINES = 4
"""Connections of one gateway."""


class HttpDoorError(ValueError):
    """Not an address of an HTTP door."""


@dataclass(frozen=True, slots=True)
class HttpDoor:
    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, text: str) -> "HttpDoor":
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HttpDoorError(f"“{text}”不是 HTTP 地址；例如 http://127.0.0.1:8086")
        return cls(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.scheme == "https")


class HttpSender:
    """All connections of a gateway over one outbox."""

    def __init__(self, door: HttpDoor, token: str, outbox: Outbox) -> None:
        self._lines = [_Line(door, token, outbox) for _ in range(LINES)]

    @property
    def why_not(self) -> str:
        return next((line.why_not for line in self._lines if line.why_not), "")

    async def run(self) -> None:
        async with asyncio.TaskGroup() as lines:
            for line in self._lines:
                lines.create_task(line.run())


class _Line:
    def __init__(self, door: HttpDoor, token: str, outbox: Outbox) -> None:
        self.door, self.token, self.outbox = door, token, outbox
        self._line: http.client.HTTPConnection | None = None
        self.why_not = ""

    async def run(self) -> None:
        pause = 0.2
        while True:
            parcel = await self.outbox.take()
            try:
                status, text, wait_s = await asyncio.to_thread(self._post, parcel)
            except (OSError, http.client.HTTPException) as error:
                self.why_not = str(error) or type(error).__name__
                self._close()
                self.outbox.again([parcel])
                pause = min(5.0, pause * 2)
                await asyncio.sleep(pause)
                continue
            except asyncio.CancelledError:
                self.outbox.again([parcel])
                raise
            pause = 0.2
            if status == 204:
                self.why_not = ""
                self.outbox.acknowledged(parcel)
            elif status in (429, 500, 502, 503, 504):
                self.why_not = f"{status} {text}"
                self.outbox.again([parcel])
                await asyncio.sleep(wait_s)
            else:
                self.outbox.refused(parcel, f"{status} {text}")

    def _post(self, parcel: Parcel) -> tuple[int, str, float]:
        """(status, words, seconds to wait before the next try). Runs in a thread."""
        if self._line is None:
            make = http.client.HTTPSConnection if self.door.tls else http.client.HTTPConnection
            self._line = make(self.door.host, self.door.port, timeout=ANSWER_S)
            self.outbox.tally.connections += 1
        login = b64encode(f"{self.outbox.gateway}:{self.token}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "text/plain; charset=utf-8"}
        self._line.request("POST", "/write?db=nuan&precision=s", parcel.payload, headers)
        answer = self._line.getresponse()
        text = answer.read(2_000).decode("utf-8", "replace")
        answer.read()
        if answer.will_close:
            self._close()
        try:
            wait_s = min(30.0, float(answer.headers.get("Retry-After", "1")))
        except ValueError:
            wait_s = 1.0
        return answer.status, text, wait_s

    def _close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
