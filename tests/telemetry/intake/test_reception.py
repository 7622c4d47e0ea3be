"""Messages become readings and letters; the quick way and the full way end alike."""

import asyncio
import json
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from nuan.telemetry.intake.directory import Directory
from nuan.telemetry.intake.directory_file import directory_of
from nuan.telemetry.intake.floods import MOST_A_MINUTE
from nuan.telemetry.intake.gateway_book import GatewayBook
from nuan.telemetry.intake.reception import Harvest, Reception
from nuan.telemetry.protocols.details import detail_words
from nuan.telemetry.readings import Flag
from nuan.telemetry.series import SeriesKey, SeriesTable

NOW = 1_790_000_000
PROFILES = {
    "room": "protocol: mqtt_json\nkind: room_sensor\npoints: {t: {quantity: room_temp}}\nignore: [battery, 'rssi*']\n",
    "rtu": "protocol: modbus\nkind: station_rtu\npoints: {supply: {quantity: supply_temp, register: 40001, type: int16, scale: 0.1, unit: °C}}\n",
    "self": "protocol: thingsboard\nkind: other\npoints: {outdoor: {quantity: outdoor_temp}}\n",
}


def directory(rate: int = 100_000) -> Directory:
    return directory_of({
        "edition": 1, "digests": {}, "profiles": PROFILES,
        "gateways": [["G1", "C01", "mqtt", "Asia/Shanghai", rate, 100], ["TB", "C01", "thingsboard", "Europe/Berlin", rate, 100]],
        "devices": {"G1": [["D1", "B1-1-0101", "room", "living"], ["S1", "H01-S01", "rtu", "room"]],
                    "TB": [["room 7", "B2-1-0101", "room", "living"], ["TB", "H01", "self", "room"]]},
    })  # fmt: skip


class Door:
    """A reception with a table of series behind it."""

    def __init__(self, known: Directory | None = None, *, stamp: bool = False) -> None:
        self.table, self.book = SeriesTable(), GatewayBook()
        self.reception = Reception(known or directory(), self.book, stamp_by_arrival=stamp)

    async def _register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        self.table.add(keys)
        return self.table.ids(keys)

    def take(self, *messages: tuple[str, bytes], now: int = NOW) -> Harvest:
        for topic, payload in messages:
            self.reception.message(topic, payload, now)
        return asyncio.run(self.reception.harvest(self._register, now))

    def readings(self, harvest: Harvest) -> list[tuple[str, int, int, int]]:
        batch = harvest.batch
        keys = [str(self.table.key(int(number))) for number in batch.series]
        return list(zip(keys, batch.time_s.tolist(), batch.value.tolist(), batch.flags.tolist(), strict=True))


ROOM = "B1-1-0101|room_temp|living"


@pytest.mark.parametrize(
    ("topic", "payload", "readings"),
    [
        ("nuan/G1/D1", {"ts": NOW, "t": 20.5}, [(ROOM, NOW, 2050, 0)]),
        ("nuan/G1/D1", {"t": 20.5}, [(ROOM, NOW, 2050, 0)]),
        ("nuan/G1/D1", {"ts": NOW * 1000, "values": {"t": 20.5, "battery": 3, "rssi_dbm": -80}}, [(ROOM, NOW, 2050, 0)]),
        ("nuan/G1/D1", {"ts": NOW, "t": None}, [(ROOM, NOW, 0, int(Flag.MISSING))]),
        ("nuan/G1/D1/json", [{"ts": NOW, "t": 20}, {"ts": NOW + 60, "t": 21}], [(ROOM, NOW, 2000, 0), (ROOM, NOW + 60, 2100, 0)]),
        ("nuan/G1/S1/modbus", {"start": 40001, "values": [452]}, [("H01-S01|supply_temp|room", NOW, 4520, 0)]),
        ("gw/TB/v1/gateway/telemetry", {"room 7": [{"ts": NOW * 1000, "values": {"t": 19.99}}]}, [("B2-1-0101|room_temp|living", NOW, 1999, 0)]),
        ("gw/TB/v1/devices/me/telemetry", {"outdoor": -20.5}, [("H01|outdoor_temp|room", NOW, -2050, 0)]),
        ("gw/TB/v1/devices/me/telemetry", {"eventsProduced": 5}, []),
    ],
)  # fmt: skip
def test_what_each_topic_brings(topic: str, payload: object, readings: list[tuple[str, int, int, int]]) -> None:
    door = Door()
    harvest = door.take((topic, json.dumps(payload).encode()))
    assert door.readings(harvest) == readings
    assert harvest.letters == []


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("nuan/G2/D1", b"{}", "unknown_gateway"),
        ("nuan/G1/D2", b'{"t": 1}', "unknown_device"),
        ("gw/TB/v1/gateway/telemetry", b'{"stranger": [{"ts": 1790000000000, "values": {"t": 1}}]}', "unknown_device"),
        ("other/topic", b"1", "wrong_topic"),
        ("nuan/G1/D1", b"x" * 300_000, "too_large"),
    ],
)
def test_letters_keep_the_topic_and_the_bytes(topic: str, payload: bytes, reason: str) -> None:
    harvest = Door().take((topic, payload))
    (letter,) = harvest.letters
    assert (letter.reason, letter.protocol, letter.payload) == (reason, topic, payload[: 256 << 10])
    assert len(harvest.batch) == 0


def test_getsessionlimits_is_answered_under_the_mount_point() -> None:
    door = Door()
    door.take(("gw/TB/v1/devices/me/rpc/request/1", b'{"method": "getSessionLimits", "params": {}}'))
    (reply,) = door.reception.replies()
    assert reply.topic == "gw/TB/v1/devices/me/rpc/response/1"
    assert door.reception.replies() == []


def test_an_impossible_clock_waits_until_somebody_says_that_the_arrival_counts() -> None:
    message = ("nuan/G1/D1", b'{"ts": 946684800, "t": 20}')
    assert [letter.reason for letter in Door().take(message).letters] == ["clock_behind"]
    door = Door(stamp=True)
    assert door.readings(door.take(message)) == [(ROOM, NOW, 2000, int(Flag.CORRECTED))]


def test_a_parser_that_fails_keeps_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(head: object, payload: bytes) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr("nuan.telemetry.intake.readers.READERS", {"json": broken})
    (letter,) = Door().take(("nuan/G1/D1", b'{"t": "x y"}')).letters
    assert (letter.reason, letter.payload) == ("parser", b'{"t": "x y"}')


def test_a_flood_of_one_kind_is_counted_not_kept() -> None:
    door = Door()
    rubbish = ("nuan/G1/D1", b"rubbish")
    kept = door.take(*[rubbish] * (MOST_A_MINUTE + 50)).letters
    assert len(kept) == MOST_A_MINUTE
    later = door.take(rubbish, now=NOW + 60).letters
    assert [(letter.reason, *detail_words(letter.detail)) for letter in later] == [
        ("not_json", "第 0 字节：这里应有一个值", "at 0: Expecting value"),
        ("flood", "not_json：一分钟内另有 50 封，只计数", "not_json: 50 more within a minute, counted only"),
    ]  # fmt: skip
    assert door.book.pages["G1"].letters == MOST_A_MINUTE + 51


def test_over_the_rate_and_below_it_again() -> None:
    door = Door(directory(rate=1))
    message = ("nuan/G1/D1", b'{"t": 20}')
    first = door.take(*[message] * 30)
    assert (len(first.batch), {letter.reason for letter in first.letters}) == (10, {"rate"})
    assert len(door.take(message, now=NOW + 5).batch) == 1


def test_a_gateway_that_was_cut_off_loses_nothing_by_emptying_its_memory_fast() -> None:
    """What comes too fast was acknowledged by the broker: it waits among the dead letters, whole, and is no rubbish to be counted only."""
    door = Door(directory(rate=1))
    message = ("nuan/G1/D1", b'{"t": 20}')
    harvest = door.take(*[message] * (MOST_A_MINUTE + 500))
    assert len(harvest.batch) + len(harvest.letters) == MOST_A_MINUTE + 500
    assert all(letter.payload == message[1] for letter in harvest.letters)


def test_what_is_beyond_that_is_not_taken_at_all_and_comes_later() -> None:
    """Neither dropped nor counted only: whoever holds its acknowledgement back gets it again, and others go on."""
    door = Door(directory(rate=1))
    whole = b'{"t": 20, "battery": "' + b"x" * 200_000 + b'"}'
    assert all(door.reception.message("nuan/G1/D1", whole, NOW) for _ in range(10))
    told = [door.reception.message("nuan/G1/D1", whole, NOW) for _ in range(120)]
    assert sum(told) == (16 << 20) // len(whole) + 1, "16 MiB of letters"
    assert not any(told[sum(told) :])
    assert door.reception.message("gw/TB/v1/devices/me/telemetry", b'{"outdoor": 1}', NOW), "another gateway"
    harvest = door.take()
    assert len(harvest.batch) + len(harvest.letters) == 10 + sum(told) + 1
    assert all(len(letter.payload) == len(whole) for letter in harvest.letters)
    assert door.reception.message("nuan/G1/D1", whole, NOW + 60)


def test_a_new_directory_counts_from_the_next_message() -> None:
    door = Door(Directory())
    message = ("nuan/G1/D1", b'{"t": 20}')
    assert len(door.take(message).letters) == 1
    door.reception.use(directory())
    assert len(door.take(message).batch) == 1


def test_the_book_counts_what_is_on_disk_by_gateway() -> None:
    door = Door()
    harvest = door.take(
        ("nuan/G1/D1", b'{"t": 20}'), ("gw/TB/v1/devices/me/telemetry", b'{"outdoor": 1}'), ("nuan/G1/D1", b'{"t": 21}')
    )
    door.book.stored(harvest.batch, NOW)
    assert {code: page.readings for code, page in door.book.pages.items()} == {"G1": 2, "TB": 1}
