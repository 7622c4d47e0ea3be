"""A gateway that publishes at QoS 1 (MQTT 5): a window of messages on the way, each settled by its PUBACK, all others sent again."""

import asyncio
from dataclasses import dataclass

from nuan.operations.simulation.outbox import Outbox, Parcel
from nuan.telemetry.intake.mqtt import packets
from nuan.telemetry.intake.mqtt.packets import MqttError, Splitter, varint

ANSWER_S, KEEP_ALIVE_S, LARGEST = 15.0, 30, 1 << 20
PACKET_IDS = 65_535
QUOTA, NOBODY = 0x97, 0x10
"""PUBACK reasons: 0x10 is a success for MQTT, and says that the broker had nobody to give the message to."""


@dataclass(frozen=True, slots=True)
class Door:
    host: str
    port: int


class MqttSender:
    """`run` for ever: connect, empty the outbox, connect again."""

    def __init__(self, door: Door, token: str, outbox: Outbox, window: int = 200) -> None:
        self.door, self.token, self.outbox, self.window = door, token, outbox, window
        self._on_the_way: dict[int, Parcel] = {}
        self._next = 1
        self._room = asyncio.Event()
        self._quiet: list[Parcel] = []
        self.why_not = ""

    async def run(self) -> None:
        pause = 0.2
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._session()
            except (OSError, MqttError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.why_not = str(error) or type(error).__name__
            finally:
                self.outbox.again([*self._quiet, *self._on_the_way.values()])
                self._on_the_way.clear()
                self._quiet = []
            pause = 0.2 if asyncio.get_running_loop().time() - began > 10 else min(5.0, pause * 2)
            await asyncio.sleep(pause)

    async def _session(self) -> None:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(self.door.host, self.door.port)
        try:
            await self._greet(reader, writer)
            self.outbox.tally.connections += 1
            self.why_not = ""
            tasks = [
                asyncio.create_task(each) for each in (self._send(writer), self._hear(reader), self._pulse(writer))
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            packets.connect(
                f"{self.outbox.gateway}", self.outbox.gateway, self.token, keep_alive_s=KEEP_ALIVE_S, session_expiry_s=0,
                receive_maximum=10, largest_packet=LARGEST,
            )
        )  # fmt: skip
        splitter = Splitter(LARGEST)
        async with asyncio.timeout(ANSWER_S):
            while True:
                data = await reader.read(65_536)
                if not data:
                    raise MqttError("the broker closed the connection")
                _, controls = splitter.feed(data)
                for control in controls:
                    if control.kind == packets.CONNACK:
                        welcome = packets.read_connack(control.body)
                        if welcome.code:
                            raise MqttError(f"the broker refuses {self.outbox.gateway}: 0x{welcome.code:02x}")
                        return

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        while True:
            while len(self._on_the_way) >= self.window:
                self._room.clear()
                await self._room.wait()
            parcel: Parcel | None = await self.outbox.take()
            while parcel is not None:
                number = self._free_number()
                self._on_the_way[number] = parcel
                writer.write(publish(parcel.topic, parcel.payload, number))
                parcel = self.outbox.take_now() if len(self._on_the_way) < self.window else None
            await writer.drain()

    def _free_number(self) -> int:
        while self._next in self._on_the_way:
            self._next = self._next % PACKET_IDS + 1
        number, self._next = self._next, self._next % PACKET_IDS + 1
        return number

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """PUBACKs. Silence while something is on the way is a connection that is gone, whatever TCP believes."""
        splitter = Splitter(LARGEST)
        silent_since = asyncio.get_running_loop().time()
        while True:
            try:
                async with asyncio.timeout(5):
                    data = await reader.read(65_536)
            except TimeoutError:
                if self._on_the_way and asyncio.get_running_loop().time() - silent_since > ANSWER_S:
                    raise MqttError("no acknowledgement for too long") from None
                continue
            silent_since = asyncio.get_running_loop().time()
            if not data:
                raise MqttError("the broker closed the connection")
            for control in splitter.feed(data)[1]:
                if control.kind == packets.PUBACK:
                    self._settle(control.body)
                elif control.kind == packets.DISCONNECT:
                    raise MqttError(f"the broker closed with reason 0x{(control.body or b'0')[0]:02x}")

    def _settle(self, body: bytes) -> None:
        parcel = self._on_the_way.pop(int.from_bytes(body[:2], "big"), None)
        code = body[2] if len(body) > 2 else 0
        self._room.set()
        if parcel is None:
            return
        if code == NOBODY:
            self.outbox.tally.nobody += 1
            self._quiet.append(parcel)
        elif code < 0x80:
            self.outbox.acknowledged(parcel)
        elif code == QUOTA:
            self.outbox.again([parcel])
        else:
            self.outbox.refused(parcel, f"PUBACK 0x{code:02x} on {parcel.topic}")

    async def _pulse(self, writer: asyncio.StreamWriter) -> None:
        """Every second another try for what nobody took, every ten a sign of life."""
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            if self._quiet:
                taken, self._quiet = self._quiet, []
                self.outbox.again(taken)
            if seconds % (KEEP_ALIVE_S // 3) == 0:
                writer.write(packets.PING)


def publish(topic: str, payload: bytes, number: int) -> bytes:
    """MQTT 5.0 §3.3 at QoS 1, without properties."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + number.to_bytes(2, "big") + b"\x00" + payload
    return b"\x32" + varint(len(body)) + body
