"""What a gateway still has to send. A parcel stays until it is acknowledged; a full outbox takes nothing more, like a real gateway's memory."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from nuan.telemetry.simulation.ledger import Entry, Ledger


@dataclass(slots=True)
class Parcel:
    """`topic` is empty for HTTP. `entries`: what the ledger counts when it is acknowledged; a copy or garbage has none."""

    topic: str
    payload: bytes
    entries: list[Entry] = field(default_factory=list)
    is_garbage: bool = False


@dataclass
class Tally:
    """Of the whole fleet, for the person at the screen."""

    acknowledged: int = 0
    messages: int = 0
    again: int = 0
    refused: int = 0
    dropped: int = 0
    nobody: int = 0
    """Messages that the broker had nobody to give to: a gateway of MQTT 3.1.1 would have lost them."""
    connections: int = 0
    last_refusal: str = ""


class Outbox:
    """First in, first out; what was sent and not acknowledged goes back to the front."""

    def __init__(self, gateway: str, ledger: Ledger, tally: Tally, most_readings: int = 500_000) -> None:
        self.gateway, self.ledger, self.tally, self.most = gateway, ledger, tally, most_readings
        self._waiting: deque[Parcel] = deque()
        self._out: set[int] = set()
        self._there = asyncio.Event()
        self.readings = 0
        """In parcels that are not settled."""

    def put(self, parcel: Parcel) -> bool:
        if self.readings + len(parcel.entries) > self.most:
            self.tally.dropped += len(parcel.entries)
            return False
        self.readings += len(parcel.entries)
        self._waiting.append(parcel)
        self._there.set()
        return True

    async def take(self) -> Parcel:
        while not self._waiting:
            self._there.clear()
            await self._there.wait()
        parcel = self._waiting.popleft()
        self._out.add(id(parcel))
        return parcel

    def take_now(self) -> Parcel | None:
        if not self._waiting:
            return None
        parcel = self._waiting.popleft()
        self._out.add(id(parcel))
        return parcel

    def acknowledged(self, parcel: Parcel) -> None:
        self._out.discard(id(parcel))
        self.readings -= len(parcel.entries)
        self.ledger.add(parcel.entries)
        self.tally.acknowledged += len(parcel.entries)
        self.tally.messages += 1

    def refused(self, parcel: Parcel, why: str) -> None:
        """Sending it again would not help. Garbage is meant to be refused."""
        self._out.discard(id(parcel))
        self.readings -= len(parcel.entries)
        if not parcel.is_garbage:
            self.tally.refused += 1
            self.tally.last_refusal = f"{self.gateway}: {why}"[:300]

    def again(self, parcels: list[Parcel]) -> None:
        """Nobody said that it arrived: to the front, in the old order."""
        for parcel in reversed(parcels):
            self._out.discard(id(parcel))
            self._waiting.appendleft(parcel)
        self.tally.again += len(parcels)
        if parcels:
            self._there.set()

    @property
    def is_empty(self) -> bool:
        return not self._waiting and not self._out
