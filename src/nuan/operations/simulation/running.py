"""The fleet at work: reports are measured, packed, sent and settled, until the time is over and every outbox is empty."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nuan.operations.simulation.fleet import Fleet
from nuan.operations.simulation.http_sender import HttpDoor, HttpSender
from nuan.operations.simulation.mqtt_sender import Door, MqttSender
from nuan.operations.simulation.outbox import Outbox, Tally
from nuan.operations.simulation.packing import Packing
from nuan.operations.simulation.planning import Plan
from nuan.operations.simulation.values import Measuring
from nuan.telemetry.simulation.ledger import Ledger

TICK_S, BOOK_S = 0.1, 2.0
Watcher = Callable[[float, Tally, int, list[str]], None]
"""Told every second: seconds since the start, the tally, readings not settled, and who cannot send, why."""


@dataclass
class Run:
    """`duration_s` None: until `stop` is set. After it `drain_s` for what is not acknowledged yet; then what is left is written down."""

    fleet: Fleet
    plan: Plan
    measuring: Measuring
    packing: Packing
    tokens: dict[str, str]
    ports: dict[str, int]
    ledger_path: Path
    mqtt: Door | None = None
    http: HttpDoor | None = None
    duration_s: float | None = None
    drain_s: float = 120.0
    most_waiting: int = 500_000
    facts: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.fleet.series, facts=dict(self.facts))
        self.tally = Tally()
        self.outboxes = {
            gateway: Outbox(gateway, self.ledger, self.tally, self.most_waiting) for gateway in self._gateways()
        }
        self.senders: dict[str, MqttSender | HttpSender] = {}

    def _gateways(self) -> list[str]:
        """Those that have a door: a run without `--http` leaves the HTTP gateways silent."""
        forms = self.fleet.forms
        return [
            gateway
            for gateway in self.fleet.companies
            if gateway in self.tokens and (self.http if forms[gateway] == "line" else self.mqtt) is not None
        ]

    async def play(self, stop: asyncio.Event, watch: Watcher) -> None:
        tasks = [asyncio.create_task(self._sender(gateway).run()) for gateway in self.outboxes]
        tasks.append(asyncio.create_task(self._watch(watch)))
        try:
            await self._measure(stop)
            await self._drain()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.ledger.left = self.unsettled
            self.ledger.write(self.ledger_path)

    @property
    def unsettled(self) -> int:
        return sum(outbox.readings for outbox in self.outboxes.values())

    def _sender(self, gateway: str) -> MqttSender | HttpSender:
        token, outbox = self.tokens[gateway], self.outboxes[gateway]
        sender: MqttSender | HttpSender
        if self.fleet.forms[gateway] == "line":
            assert self.http is not None
            sender = HttpSender(self.http, token, outbox)
        else:
            assert self.mqtt is not None
            door = Door(self.mqtt.host, self.ports.get(gateway, self.mqtt.port))
            sender = MqttSender(door, token, outbox)
        self.senders[gateway] = sender
        return sender

    async def _measure(self, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        start = clock()
        while not stop.is_set():
            elapsed = clock() - start
            if self.duration_s is not None and elapsed >= self.duration_s:
                break
            for device, time_s in self.plan.due(elapsed):
                if device.gateway in self.outboxes and (report := self.measuring.report(device, time_s)) is not None:
                    self.packing.add(device, report, elapsed)
            self._post(elapsed)
            try:
                async with asyncio.timeout(max(0.0, TICK_S - (clock() - start - elapsed))):
                    await stop.wait()
            except TimeoutError:
                continue
        self._post(clock() - start, all_late=True)

    def _post(self, elapsed: float, *, all_late: bool = False) -> None:
        for gateway, parcel in self.packing.parcels(elapsed, all_late=all_late):
            self.outboxes[gateway].put(parcel)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self.drain_s):
                while not all(outbox.is_empty for outbox in self.outboxes.values()):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return

    async def _watch(self, watch: Watcher) -> None:
        """Every second a word to the watcher, every other second the ledger to disk."""
        clock = asyncio.get_running_loop().time
        start = booked = clock()
        while True:
            await asyncio.sleep(1.0)
            troubles = [f"{gateway}: {sender.why_not}" for gateway, sender in self.senders.items() if sender.why_not]
            if not troubles and self.unsettled:
                most = max(self.outboxes.values(), key=lambda outbox: outbox.readings)
                troubles = [f"{most.gateway}: {most.readings}"]
            watch(clock() - start, self.tally, self.unsettled, troubles)
            if clock() - booked >= BOOK_S:
                booked = clock()
                self.ledger.left = self.unsettled
                self.ledger.write(self.ledger_path)
