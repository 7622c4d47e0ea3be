"""A worker's share of a broker's messages: read, made durable together, and only then acknowledged.

Messages gather while the last ones are being written, so a batch is as large as the disk is slow. A connection that breaks comes
back by itself, slower each time; what was not acknowledged on it, the broker sends again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
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
HELD_PAUSE_S = 0.25
"""What a gateway sends too fast is tried again so soon; nothing behind it is acknowledged before (MQTT 5, 4.6: in the order received)."""
UNSUBSCRIBE_AFTER_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 15.0


class Commit(Protocol):
    """What makes things durable (`intake.commit.GroupCommit`)."""

    async def submit(self, batch: ReadingBatch | None, letters: Sequence[DeadLetter] = ()) -> None: ...

    async def register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]: ...


class Subscriptions:
    """Filters that a session should have, and those that it may still have from before (`keep` writes them down)."""

    def __init__(self, remembered: Iterable[str] = (), keep: Callable[[set[str]], None] = lambda held: None) -> None:
        self.wanted: set[str] = set()
        self.remembered = set(remembered)
        self.changed = asyncio.Event()
        self._keep = keep

    def want(self, filters: Iterable[str]) -> None:
        wanted = set(filters)
        if wanted != self.wanted:
            self.wanted = wanted
            self.changed.set()

    def asked(self, held: set[str]) -> None:
        self.remembered |= held
        self._keep(self.remembered)

    def dropped(self, held: set[str]) -> None:
        self.remembered = set(held)
        self._keep(self.remembered)


@dataclass(slots=True)
class Health:
    """What the status line says of the connection."""

    connected: bool = False
    subscribed: bool = False
    why_not: str = ""
    connections: int = 0
    messages: int = 0
    acknowledged: int = 0
    held_for: str = ""
    """The topic of a gateway that sends too fast, and for which reading waits."""


class Subscriber:
    """`await run()` until it is cancelled, or until nothing can be made durable any more: that error is the caller's."""

    def __init__(
        self, broker: Broker, terms: Terms, subscriptions: Subscriptions, reception: Reception, commit: Commit,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.broker, self.terms, self.reception, self.commit, self._clock = broker, terms, reception, commit, clock
        self.subscriptions = subscriptions
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
                    self.health.subscribed = False
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
        tasks = [asyncio.create_task(self._write(session)), asyncio.create_task(self._subscribe(session))]
        try:
            either: set[asyncio.Future[Any]] = {*tasks, session.closed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            return session.closed.result() or ""
        except (MqttError, TimeoutError) as error:
            return str(error) or "the broker does not answer"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _subscribe(self, session: Session) -> None:
        """Ask for what is wanted, now and whenever that changes. What is wanted no longer goes a while later, when whoever else wants it
        has certainly asked: for that while it may come twice, which is one reading."""
        held: set[str] = set()
        loop = asyncio.get_running_loop()
        until = loop.time() + UNSUBSCRIBE_AFTER_S
        while True:
            self.subscriptions.changed.clear()
            wanted = self.subscriptions.wanted
            if new := sorted(wanted - held):
                await session.subscribe(new)
                held |= wanted
                self.subscriptions.asked(held)
                until = loop.time() + UNSUBSCRIBE_AFTER_S
            self.health.subscribed = wanted <= held
            old = sorted((self.subscriptions.remembered | held) - wanted)
            if old and loop.time() >= until:
                await session.unsubscribe(old)
                held &= wanted
                self.subscriptions.dropped(held)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, until - loop.time()) if old else None):
                    await self.subscriptions.changed.wait()

    async def _write(self, session: Session) -> None:
        """Read while the batch before is being written: two are under way, never more."""
        before: asyncio.Task[None] | None = None
        try:
            while True:
                await self._something.wait()
                taken, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                if not self._waiting:
                    self._something.clear()
                harvest, read = await self._read(session, taken)
                if before is not None:
                    await before
                before = asyncio.create_task(self._keep(session, harvest, taken[:read]))
                self._waiting_bytes -= sum([len(each.payload) for each in taken[:read]])
                if held := taken[read:]:
                    session.pause()
                    await before
                    before = None
                    self._waiting = held + self._waiting
                    self._something.set()
                    await asyncio.sleep(HELD_PAUSE_S)
                    continue
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

    async def _read(self, session: Session, publishes: list[Publish]) -> tuple[Harvest, int]:
        """What came of them, and how many were read: not the first of a gateway that must wait, and none behind it."""
        arrival_s = int(self._clock())
        message = self.reception.message
        read, self.health.held_for = len(publishes), ""
        for at, publish in enumerate(publishes):
            if not message(publish.topic, publish.payload, arrival_s):
                read, self.health.held_for = at, publish.topic
                break
        for reply in self.reception.replies():
            session.publish(reply.topic, reply.payload)
        return await self.reception.harvest(self.commit.register, arrival_s), read

    async def _keep(self, session: Session, harvest: Harvest, publishes: list[Publish]) -> None:
        if len(harvest.batch) or harvest.letters:
            await self._submit(harvest)
        numbers = [publish.packet_id for publish in publishes if publish.packet_id]
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
