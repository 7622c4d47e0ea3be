"""One connection to a broker: messages in bulk to a receiver, acknowledgements only when it says so.

What bounds memory: the broker sends at most `receive_maximum` messages that were not acknowledged, and reading from the socket
pauses while `most_waiting` of them wait to become durable.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nuan.telemetry.intake.mqtt import packets
from nuan.telemetry.intake.mqtt.packets import MqttError, Publish, Splitter

Receiver = Callable[[list[Publish]], None]
LARGEST_PACKET = 1 << 20
MOST_FILTERS = 200
"""In one SUBSCRIBE."""
REFUSED = {
    0x81: "the broker could not read our packet", 0x84: "the broker does not speak MQTT 5", 0x85: "the client id is refused",
    0x86: "user or password is refused", 0x87: "not allowed", 0x88: "the broker is not available", 0x8A: "banned",
    0x8E: "another client took over this session", 0x95: "the packet is too large", 0x97: "a quota is exceeded",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are there."""

    host: str
    port: int = 1883
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed when connecting. A session of a worker outlives its death: what it did not acknowledge comes again."""

    client_id: str
    receive_maximum: int = 4_000
    session_expiry_s: int = 7 * 86_400
    keep_alive_s: int = 20
    answer_s: float = 15.0


def _parts(filters: Sequence[str]) -> list[Sequence[str]]:
    return [filters[at : at + MOST_FILTERS] for at in range(0, len(filters), MOST_FILTERS)]


class Session(asyncio.Protocol):
    """`await Session.open(…)`, then messages come to `receive` until `closed` is done; its result is why (None: we left)."""

    def __init__(self, terms: Terms, receive: Receiver) -> None:
        self.terms = terms
        self.receive = receive
        self.splitter = Splitter(LARGEST_PACKET)
        self.transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[str | None] = loop.create_future()
        self._welcome: asyncio.Future[packets.Connack] = loop.create_future()
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._packet_id = 0
        self._heard = loop.time()
        self.shares = True
        self._error: str | None = None
        self._pulse: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, broker: Broker, terms: Terms, receive: Receiver) -> "Session":
        """Connect. MqttError when refused, OSError or TimeoutError when there is nobody. Messages that the broker kept for the session
        come at once; others when `subscribe` has asked for them."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(terms.answer_s):
            _, session = await loop.create_connection(
                lambda: cls(terms, receive), broker.host, broker.port, ssl=broker.tls
            )
            try:
                await session._greet(broker)
            except BaseException:
                session.leave(0)
                raise
        return session

    async def _greet(self, broker: Broker) -> None:
        terms = self.terms
        self._write(
            packets.connect(
                terms.client_id, broker.user, broker.password, keep_alive_s=terms.keep_alive_s,
                session_expiry_s=terms.session_expiry_s, receive_maximum=terms.receive_maximum,
                largest_packet=LARGEST_PACKET,
            )
        )  # fmt: skip
        welcome = await self._welcome
        if welcome.code:
            raise MqttError(REFUSED.get(welcome.code, f"refused with reason 0x{welcome.code:02x}"))
        self.shares = welcome.shared_subscriptions
        self._pulse = asyncio.create_task(self._keep_alive())

    async def subscribe(self, filters: Sequence[str]) -> None:
        """MqttError when the broker does not let us, TimeoutError when it does not answer."""
        for part in _parts(filters):
            codes = await self._ask(packets.subscribe, part)
            refused = [each for each, code in zip(part, codes, strict=False) if code >= 0x80]
            if refused or len(codes) != len(part):
                raise MqttError(f"the broker does not let us subscribe to {', '.join(refused[:3])}")

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        for part in _parts(filters):
            await self._ask(packets.unsubscribe, part)

    async def _ask(self, packet: Callable[[int, Sequence[str]], bytes], filters: Sequence[str]) -> bytes:
        self._packet_id = self._packet_id % 65_535 + 1
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[self._packet_id] = answer
        self._write(packet(self._packet_id, filters))
        async with asyncio.timeout(self.terms.answer_s):
            return await answer

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Only after they are durable. On a connection that is gone it does nothing: they come again."""
        if packet_ids:
            self._write(packets.pubacks(packet_ids))

    def publish(self, topic: str, payload: bytes) -> None:
        self._write(packets.publish(topic, payload))

    def pause(self) -> None:
        if self.transport is not None and not self.transport.is_closing() and self.transport.is_reading():
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport is not None and not self.transport.is_closing() and not self.transport.is_reading():
            self.transport.resume_reading()

    def leave(self, code: int = 0) -> None:
        """Say goodbye; the session stays with the broker."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(packets.goodbye(code))
            self.transport.close()

    def _write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    async def _keep_alive(self) -> None:
        """A broker that says nothing for one and a half times the agreed silence is gone, whatever TCP believes."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.terms.keep_alive_s / 2)
            if self.transport is not None and not self.transport.is_reading():
                self._heard = loop.time()
            if loop.time() - self._heard > 1.5 * self.terms.keep_alive_s:
                self._fail("the broker has fallen silent")
                return
            self._write(packets.PING)

    def _fail(self, why: str) -> None:
        self._error = self._error or why
        if self.transport is not None:
            self.transport.abort()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            publishes, controls = self.splitter.feed(data)
            for control in controls:
                self._control(control)
        except MqttError as error:
            self._fail(str(error))
            return
        except IndexError:
            self._fail("a packet that ends before its end")
            return
        if publishes:
            self.receive(publishes)

    def _control(self, control: packets.Control) -> None:
        if control.kind == packets.CONNACK and not self._welcome.done():
            self._welcome.set_result(packets.read_connack(control.body))
        elif control.kind in (packets.SUBACK, packets.UNSUBACK):
            packet_id, codes = packets.reason_codes(control.body)
            answer = self._answers.pop(packet_id, None)
            if answer is not None and not answer.done():
                answer.set_result(codes)
        elif control.kind == packets.DISCONNECT:
            code = control.body[0] if control.body else 0
            self._fail(REFUSED.get(code, f"the broker closed with reason 0x{code:02x}"))

    def connection_lost(self, exc: Exception | None) -> None:
        why = self._error or (str(exc) if exc else "the broker closed the connection")
        if self._pulse is not None:
            self._pulse.cancel()
        waiting: list[asyncio.Future[Any]] = [self._welcome, *self._answers.values()]
        for each in waiting:
            if not each.done():
                each.set_exception(MqttError(why))
                each.exception()
        if not self.closed.done():
            self.closed.set_result(why)
