"""Answers as InfluxDB gives them, in the shape of the version that was asked: 1 (/write), 2 (/api/v2/write), 3 (/api/v3/write_lp)."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from nuan.telemetry.intake.directory import Directory, Gateway
from nuan.telemetry.intake.line_senders import Refused

SPOKEN_VERSION = "1.8.10"
"""The version of InfluxDB that clients are told: some refuse to write to an unknown one."""
SHOWN_LINES = 50
"""Lines at fault that an answer lists; all of them lie among the dead letters."""
_CODES = {
    400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not found", 405: "method not allowed",
    408: "request timeout",    413: "request too large", 415: "unsupported media type", 429: "too many requests", 500: "internal error",
    503: "unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def messages(self, head_only: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        """As ASGI sends them. To HEAD the length is told and the body left out."""
        headers = [*self.headers, (b"x-influxdb-version", SPOKEN_VERSION.encode()), (b"x-influxdb-build", b"Nuan")]
        if self.status not in (204, 304):
            headers.append((b"content-length", str(len(self.body)).encode()))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": b"" if head_only else self.body}


def in_json(value: object, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, ((b"content-type", b"application/json; charset=utf-8"), *headers))


def fault(version: int, status: int, sentence: str, retry_after_s: int = 0, **more: object) -> Answer:
    """An error of the whole request. Nothing of it was taken."""
    headers = [(b"retry-after", str(retry_after_s).encode())] if retry_after_s else []
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="nuan"'))
    headers.append((b"x-influxdb-error", _one_line(sentence)))
    code = _CODES.get(status, HTTPStatus(status).phrase.lower())
    bodies: dict[int, dict[str, object]] = {
        # QuestDB's client reads code and message from /write, InfluxDB 1's reads error
        1: {"error": sentence, "code": code, "message": sentence},
        2: {"code": code, "message": sentence},
        3: {"error": sentence},
    }
    return in_json({**bodies[version], **more}, status, headers)


def partly(version: int, refused: Sequence[Refused], whole: bool = False) -> Answer:
    """400 for the lines at fault; `whole`: because of them nothing of the request was taken.

    A client takes 400 as “do not send again”, which is right: the other lines are safe, and these lie among the dead letters.
    """
    first = refused[0]
    if version == 3:
        lines = [
            {"original_line": line.payload.decode(errors="replace")[:500], "line_number": line.number, "error_message": line.detail}
            for line in refused[:SHOWN_LINES]
        ]  # fmt: skip
        title = "parsing failed for write_lp endpoint" if whole else "partial write of line protocol occurred"
        return in_json({"error": title, "data": lines}, 400)
    return fault(version, 400, f"partial write: {first} dropped={len(refused)}", line=first.number)


def _one_line(sentence: str) -> bytes:
    return " ".join(sentence.split()).encode("ascii", "replace")[:300]


def who(directory: Directory, headers: Mapping[bytes, bytes], query: Mapping[str, str]) -> Gateway | None:
    """The gateway that the request's credentials belong to: Token or Bearer, Basic, or `u` and `p` of version 1.

    A token of the form user:secret is what InfluxDB 1.8 takes from clients of version 2.
    """
    scheme, _, given = headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
    given = given.strip()
    if scheme.lower() in ("token", "bearer"):
        user, colon, secret = given.partition(":")
        return directory.authenticate("", given) or (directory.authenticate(user, secret) if colon else None)
    if scheme.lower() == "basic":
        try:
            user, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return directory.authenticate(user, secret)
    if "p" in query:
        return directory.authenticate(query.get("u", ""), query["p"])
    return None
