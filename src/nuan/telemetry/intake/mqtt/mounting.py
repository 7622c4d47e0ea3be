"""The door for ThingsBoard gateways: a relay before the broker that puts `gw/<user>/` before what a gateway says and asks for, and takes
it away from what it is told.

A broker does not tell who published `v1/gateway/telemetry`, and the mount points of Mosquitto 2.0.11 put the prefix on and never take it
off, so that a gateway does not recognise the answer it waits for. The relay changes topics and nothing else: the user and the password go
to the broker, which checks them and lets each user into its own branch only. Sections: OASIS MQTT 5.0.
"""

import asyncio
import ssl
from collections.abc import Callable

from nuan.telemetry.intake.mqtt.packets import MqttError, read_varint, varint

CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE = 1, 3, 8, 10
LARGEST, FIRST_S = 1 << 20, 10.0
Change = Callable[[int, bytes], bytes]
"""(first byte, body) → body."""


class Rewriter:
    """Bytes of one direction, packet by packet."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        out, at = [], 0
        while at + 2 <= len(data):
            found = read_varint(data, at + 1)
            if found is None:
                break
            length, body = found
            if length > LARGEST:
                raise MqttError(f"a packet of {length} bytes")
            if body + length > len(data):
                break
            changed = self._change(data[at], data[body : body + length])
            out.append(data[at : at + 1] + varint(len(changed)) + changed)
            at = body + length
        self._rest = data[at:]
        return b"".join(out)


def user_of(body: bytes) -> tuple[str, int]:
    """User name and protocol level of a CONNECT (3.1)."""
    at = 2 + int.from_bytes(body[:2], "big")
    level, flags = body[at], body[at + 1]
    at += 4
    if level >= 5:
        at = _behind_properties(body, at)
    at = _behind_text(body, at)
    if flags & 0x04:
        at = _behind_properties(body, at) if level >= 5 else at
        at = _behind_text(body, _behind_text(body, at))
    if not flags & 0x80:
        raise MqttError("a gateway without a user name")
    name = body[at + 2 : at + 2 + int.from_bytes(body[at : at + 2], "big")].decode("utf-8")
    if not name or set(name) & set("/+#\x00"):
        raise MqttError("a user name that cannot stand in a topic")
    return name, level


def upward(prefix: bytes, level: int) -> Change:
    """What the gateway sends."""

    def change(first: int, body: bytes) -> bytes:
        kind = first >> 4
        if kind == PUBLISH and body[:2] != b"\x00\x00":  # an empty topic is an alias of one that was sent before
            return _prefixed(prefix, body, 0)
        if kind in (SUBSCRIBE, UNSUBSCRIBE):
            at = _behind_properties(body, 2) if level >= 5 else 2
            out = [body[:at]]
            while at < len(body):
                end = _behind_text(body, at) + (kind == SUBSCRIBE)
                out.append(_prefixed(prefix, body[at:end], 0))
                at = end
            return b"".join(out)
        return body

    return change


def downward(prefix: bytes) -> Change:
    """What the broker sends to it."""

    def change(first: int, body: bytes) -> bytes:
        if first >> 4 != PUBLISH or body[2 : 2 + len(prefix)] != prefix:
            return body
        length = int.from_bytes(body[:2], "big") - len(prefix)
        return length.to_bytes(2, "big") + body[2 + len(prefix) :]

    return change


def _prefixed(prefix: bytes, body: bytes, at: int) -> bytes:
    length = int.from_bytes(body[at : at + 2], "big") + len(prefix)
    if length > 0xFFFF:
        raise MqttError("a topic that is too long")
    return length.to_bytes(2, "big") + prefix + body[at + 2 :]


def _behind_text(body: bytes, at: int) -> int:
    return at + 2 + int.from_bytes(body[at : at + 2], "big")


def _behind_properties(body: bytes, at: int) -> int:
    found = read_varint(body, at)
    if found is None:
        raise MqttError("a packet that ends before its end")
    return found[1] + found[0]


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, mount: str = "gw",
    tls: ssl.SSLContext | None = None,
) -> None:  # fmt: skip
    """One gateway's connection, to its end. `tls`: how the broker is spoken to."""
    far: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(FIRST_S):
            first, raw = await _first_packet(reader)
            user, level = user_of(first)
            far_reader, far = await asyncio.open_connection(host, port, ssl=tls)
        far.write(raw)
        prefix = f"{mount}/{user}/".encode()
        ways = [
            asyncio.create_task(_pass_on(reader, far, Rewriter(upward(prefix, level)))),
            asyncio.create_task(_pass_on(far_reader, writer, Rewriter(downward(prefix)))),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    except (OSError, MqttError, TimeoutError, asyncio.IncompleteReadError, IndexError, UnicodeDecodeError):
        return  # the connection ends, nothing of it was acknowledged: the gateway comes again
    finally:
        for each in (far, writer):
            if each is not None:
                each.close()


async def _first_packet(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """(body of CONNECT, the packet as it came)."""
    raw = await reader.readexactly(2)
    while read_varint(raw, 1) is None:
        raw += await reader.readexactly(1)
    found = read_varint(raw, 1)
    assert found is not None
    length, start = found
    if raw[0] >> 4 != CONNECT or length > 65_536:
        raise MqttError("not a CONNECT")
    raw += await reader.readexactly(start + length - len(raw))
    return raw[start:], raw


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rewriter: Rewriter) -> None:
    while data := await reader.read(65_536):
        writer.write(rewriter.feed(data))
        await writer.drain()
