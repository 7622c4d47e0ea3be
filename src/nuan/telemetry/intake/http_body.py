"""The body of a request: whole, unpacked, and never more of it in memory than allowed."""

import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyProblem(Exception):
    """An answer instead of a body: HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Gone(Exception):
    """The sender hung up before the body was whole: nothing to take, nobody to answer."""


def check_head(headers: Mapping[bytes, bytes], most: int) -> bool:
    """Whether the body is gzip. Raises BodyProblem for what can be refused before a byte of it is read."""
    packed = headers.get(b"content-encoding", b"identity").strip().lower()
    if packed not in (b"gzip", b"x-gzip", b"identity", b""):
        raise BodyProblem(415, f"Content-Encoding {packed.decode('latin-1')[:40]} is not spoken here; gzip or none")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > most:
        raise BodyProblem(413, f"the body is larger than {most} bytes; send smaller batches")
    return packed in (b"gzip", b"x-gzip")


async def read_body(receive: Receive, gzipped: bool, most: int, grown: Callable[[int], None]) -> bytes:
    """`grown` is told how many bytes came to lie in memory, and may raise."""
    unpacker = _Unpacker(most) if gzipped else None
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        if unpacker is not None:
            piece = unpacker.feed(piece)
        if piece:
            size += len(piece)
            if size > most:
                raise BodyProblem(413, f"the body is larger than {most} bytes; send smaller batches")
            grown(len(piece))
            pieces.append(piece)
        if not message.get("more_body", False):
            break
    if unpacker is not None:
        unpacker.end()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parameters(text: bytes) -> dict[str, str]:
    """Of a query or a form; of a name that stands twice, the first.

    >>> parameters(b"db=nuan&p=a%2Bb+c&db=x")
    {'db': 'nuan', 'p': 'a+b c'}
    """
    found: dict[str, str] = {}
    for part in text.split(b"&"):
        name, _, value = part.partition(b"=")
        if name:
            found.setdefault(_unquoted(name), _unquoted(value))
    return found


def _unquoted(text: bytes) -> str:
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.replace(b"+", b" "))
    return plain.decode(errors="replace")


class _Unpacker:
    """gzip, several members behind each other too. A bomb is found at the limit, not after it."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._member = zlib.decompressobj(wbits=31)
        self._began = False

    def feed(self, packed: bytes) -> bytes:
        pieces = []
        while packed:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            self._began = True
            try:
                piece = self._member.decompress(packed, self._left + 1)
            except zlib.error as error:
                raise BodyProblem(400, f"the body is not gzip: {error}") from None
            self._left -= len(piece)
            if self._left < 0:
                raise BodyProblem(413, "the unpacked body is too large; send smaller batches")
            pieces.append(piece)
            packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return b"".join(pieces)

    def end(self) -> None:
        if self._began and not self._member.eof:
            raise BodyProblem(400, "the gzip body ends too early")
