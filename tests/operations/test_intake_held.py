"""What a gateway sends faster than it may is held back at a real broker: not dropped, not counted only, and not acknowledged before its turn."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from intake_parts import Mosquitto, Publisher
from numpy.typing import NDArray

from nuan.telemetry.intake.directory_file import directory_of
from nuan.telemetry.intake.gateway_book import GatewayBook
from nuan.telemetry.intake.mqtt.session import Broker, Terms
from nuan.telemetry.intake.mqtt.subscriber import Subscriber, Subscriptions
from nuan.telemetry.intake.reception import Reception
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey, SeriesTable
from nuan.telemetry.store.lanes import DeadLetter

NOW = 1_790_000_000
PROFILE = "protocol: mqtt_json\nkind: room_sensor\npoints: {t: {quantity: room_temp}}\nignore: [note]\n"
DOCUMENT = {
    "edition": 1, "digests": {}, "profiles": {"room": PROFILE},
    "gateways": [[code, "C01", "mqtt", "Asia/Shanghai", 1, 100, "device", n] for n, code in enumerate(("G1", "G3"))],
    "devices": {"G1": [["D1", "B1-1-0101", "room", "living"]], "G3": [["D1", "B2-1-0101", "room", "living"]]},
}  # fmt: skip


class Kept:
    """Stands for the lane: what is durable."""

    def __init__(self) -> None:
        self.table, self.readings, self.letters = SeriesTable(), 0, list[DeadLetter]()

    async def register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        self.table.add(keys)
        return self.table.ids(keys)

    async def submit(self, batch: ReadingBatch | None, letters: Sequence[DeadLetter] = ()) -> None:
        self.readings += 0 if batch is None else len(batch)
        self.letters += letters


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker")
    yield broker
    broker.stop()


async def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def test_too_fast_is_held_back_whole_and_in_order(broker: Mosquitto) -> None:
    clock, kept = [float(NOW)], Kept()
    reception = Reception(directory_of(DOCUMENT), GatewayBook())
    reception._flood.good_bytes = 1 << 20
    subscriptions = Subscriptions()
    subscriptions.want(["nuan/G1/+", "nuan/G3/+"])
    subscriber = Subscriber(
        Broker("127.0.0.1", broker.port), Terms("held", 500), subscriptions, reception, kept, lambda: clock[0]
    )
    message = json.dumps({"t": 20.5, "note": "x" * 50_000}).encode()

    async def story() -> None:
        running = asyncio.create_task(subscriber.run())
        await until(lambda: subscriber.health.subscribed)
        publisher = Publisher(broker.port)
        for _ in range(60):
            publisher.client.publish("nuan/G1/D1", message, 1)
        await until(lambda: subscriber.health.held_for == "nuan/G1/D1")
        publisher.reading(1, NOW, 2_000, "G3")
        await asyncio.sleep(1.0)
        most = 10 + (1 << 20) // len(message) + 1
        assert subscriber.health.acknowledged == kept.readings + len(kept.letters) == most, "and no more, however long"
        clock[0] += 30
        await until(lambda: subscriber.health.acknowledged > most)
        while subscriber.health.acknowledged < 61:
            clock[0] += 10
            await asyncio.sleep(0.3)
        assert subscriber.health.held_for == ""
        publisher.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    assert kept.readings + len(kept.letters) == 61
    assert {(letter.reason, letter.payload) for letter in kept.letters} == {("rate", message)}
