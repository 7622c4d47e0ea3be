"""A worker's share of a broker's messages: read, made durable together, and only then acknowledged.

Messages gather while the last ones are being written, so a batch is as large as the disk is slow. A connection that breaks comes
back by itself, slower each time; what was not acknowledged on it, the broker sends again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake.commit import CommitClosed, Overloaded
from nuan.telemetry.intake.mqtt.packets import MqttError, Publish
from nuan.telemetry.intake.mqtt.session import Broker, Session, Terms
from nuan.telemetry.intake.reception import Harvest, Reception
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.lanes import DeadLetter

MOST_AT_ONCE = 2_000
MOST_WAITING_BYTES = 64 << 20
OVERLOADED_PAUSE_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 15.0


class Commit(Protocol):
    """What makes things durable (`intake.commit.GroupCommit`)."""

    async def submit(self, batch: ReadingBatch | None, letters: Sequence[DeadLetter] = ()) -> None: ...

    async def register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]: ...


@dataclass(slots=True)
class Health:
    """What the status line says of the connection."""

    connected: bool = False
    why_not: str = ""
    connections: int = 0
    messages: int = 0
    acknowledged: int = 0


class Subscriber:
    """`await run()` until it is cancelled, or until nothing can be made durable any more: that error is the caller's."""

    def __init__(
        self, broker: Broker, terms: Terms, reception: Reception, commit: Commit, clock: Callable[[], float]
    ) -> None:  # fmt: skip
        self.broker, self.terms, self.reception, self.commit, self._clock = broker, terms, reception, commit, clock
        self.health = Health()
        self._waiting: list[Publish] = []
        self._waiting_bytes = 0
        self._something = asyncio.Event()
        self._session: Session | None = None

    async def run(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                self._session = await Session.open(self.broker, self.terms, self._receive)
            except (OSError, TimeoutError, MqttError) as error:
                self.health.why_not = str(error) or type(error).__name__
            else:
                pause = FIRST_PAUSE_S
                self.health.connected, self.health.connections = True, self.health.connections + 1
                try:
                    self.health.why_not = await self._serve(self._session)
                finally:
                    self.health.connected = False
                    self._session.leave()
                    self._forget()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _receive(self, publishes: list[Publish]) -> None:
        self._waiting += publishes
        self._waiting_bytes += sum([len(each.payload) for each in publishes])
        self.health.messages += len(publishes)
        self._something.set()
        if self._waiting_bytes > MOST_WAITING_BYTES and self._session is not None:
            self._session.pause()

    def _forget(self) -> None:
        """What waits was never acknowledged: it comes again on the next connection."""
        self._waiting, self._waiting_bytes = [], 0
        self._something.clear()

    async def _serve(self, session: Session) -> str:
        """Until the connection ends; why it did."""
        writing = asyncio.create_task(self._write(session))
        try:
            either: set[asyncio.Future[Any]] = {writing, session.closed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
            return session.closed.result() or ""
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self, session: Session) -> None:
        """Read while the batch before is being written: two are under way, never more."""
        before: asyncio.Task[None] | None = None
        try:
            while True:
                await self._something.wait()
                taken, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                if not self._waiting:
                    self._something.clear()
                harvest, numbers = await self._read(session, taken)
                if before is not None:
                    await before
                before = asyncio.create_task(self._keep(session, harvest, numbers))
                self._waiting_bytes -= sum([len(each.payload) for each in taken])
                if self._waiting_bytes < MOST_WAITING_BYTES // 2:
                    session.resume()
                if not self._waiting:
                    await before
                    before = None
                else:
                    await asyncio.sleep(0)
        finally:
            if before is not None:
                await asyncio.gather(before, return_exceptions=True)

    async def _read(self, session: Session, publishes: list[Publish]) -> tuple[Harvest, list[int]]:
        arrival_s = int(self._clock())
        message = self.reception.message
        for publish in publishes:
            message(publish.topic, publish.payload, arrival_s)
        for reply in self.reception.replies():
            session.publish(reply.topic, reply.payload)
        harvest = await self.reception.harvest(self.commit.register, arrival_s)
        return harvest, [publish.packet_id for publish in publishes if publish.packet_id]

    async def _keep(self, session: Session, harvest: Harvest, numbers: list[int]) -> None:
        if len(harvest.batch) or harvest.letters:
            await self._submit(harvest)
        session.acknowledge(numbers)
        self.health.acknowledged += len(numbers)

    async def _submit(self, harvest: Harvest) -> None:
        """Until it is durable: a lane that is full for the moment holds the acknowledgement back, and with it the broker."""
        while True:
            try:
                await self.commit.submit(harvest.batch if len(harvest.batch) else None, harvest.letters)
            except CommitClosed:
                raise
            except Overloaded:
                await asyncio.sleep(OVERLOADED_PAUSE_S)
            else:
                return
