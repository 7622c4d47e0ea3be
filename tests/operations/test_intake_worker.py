"""Workers against a real broker: nothing that was acknowledged is lost, whoever dies in between; nothing comes in that has no owner."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from intake_parts import DEVICES, Mosquitto, Publisher, Workers, parts, until

from nuan.operations.intake_worker import DISK_FAILED
from nuan.telemetry.store.lanes import PAYLOAD_LIMIT

Parts = tuple[Mosquitto, Workers, Publisher]
NOW = int(time.time())


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as found:
        yield found


def play(publisher: Publisher, readings: int, first: int = 0) -> None:
    """`readings` values of different devices and seconds; each value tells its own number."""
    for number in range(first, first + readings):
        publisher.reading(number % DEVICES, NOW - 5_000 + number, 1_500 + number % 1_500, ("G1", "G3")[number % 2])


def all_there(workers: Workers, publisher: Publisher, seconds: float = 60.0) -> None:
    """Every reading that the broker acknowledged to its sender is in the store, once, with its value; and nothing else is."""
    publisher.settled(seconds)
    assert publisher.sent
    until(lambda: workers.stored() == publisher.sent, seconds)


@pytest.mark.parametrize("version", [mqtt.MQTTv311, mqtt.MQTTv5], ids=["3.1.1", "5"])
def test_what_a_gateway_publishes_is_in_the_store(three: Parts, version: int) -> None:
    broker, workers, _ = three
    workers.start()
    until(workers.connected)
    publisher = Publisher(broker.port, version, name="other")
    play(publisher, 500)
    all_there(workers, publisher)
    publisher.close()
    until(lambda: workers.report()["gateways"].get("G1", {}).get("readings") == 250)
    assert workers.report()["gateways"]["G1"]["letters"] == 0


def test_a_worker_killed_in_the_middle_of_batches_loses_nothing(three: Parts) -> None:
    _, workers, publisher = three
    workers.start()
    until(workers.connected)
    for round_ in range(3):
        play(publisher, 1_500, 1_500 * round_)
        time.sleep(0.15 * (round_ + 1))
        assert workers.kill() == -signal.SIGKILL
        workers.start()
    until(workers.connected)
    all_there(workers, publisher, 60)


def test_a_broker_that_goes_and_comes_back_is_found_again(three: Parts) -> None:
    broker, workers, publisher = three
    workers.start()
    until(workers.connected)
    play(publisher, 800)
    broker.stop()
    play(publisher, 800, 800)
    until(lambda: not workers.connected())
    broker.start()
    until(workers.connected, 40)
    all_there(workers, publisher, 60)


def test_two_workers_share_the_load_and_neither_takes_twice(three: Parts) -> None:
    _, workers, publisher = three
    workers.count = 2
    for name in ("w0", "w1"):
        workers.start(name)
    until(lambda: workers.connected("w0") and workers.connected("w1"))
    play(publisher, 2_000)
    all_there(workers, publisher)
    until(lambda: [workers.report(name)["mqtt"]["acknowledged"] for name in ("w0", "w1")] == [1_000, 1_000])


def test_a_full_disk_acknowledges_nothing_and_goes_on_when_there_is_room(three: Parts) -> None:
    _, workers, publisher = three
    process = workers.start(largest_file=12_000)
    until(workers.connected)
    play(publisher, 3_000)
    assert process.wait(60) == DISK_FAILED
    workers.kill()
    held = workers.stored()
    assert sum(map(len, held.values())) < 3_000
    workers.start()
    all_there(workers, publisher, 60)


def test_the_same_message_twice_is_one_reading(three: Parts) -> None:
    _, workers, publisher = three
    workers.start()
    until(workers.connected)
    for _ in range(3):
        play(publisher, 100)
    all_there(workers, publisher)
    until(lambda: workers.report()["mqtt"]["acknowledged"] == 300)


BAD = [
    ("nuan/G1/D9999", b'{"t": 20}', "unknown_device"),
    ("nuan/G1/D1", b'{"pressure": 20}', "unknown_point"),
    ("nuan/G1/D2", b"\xff\x00garbage", "not_text"),
    ("nuan/G1/D3", b'{"t": 20', "not_json"),
    ("nuan/G1/D4", b'{"ts": 946684800, "t": 20}', "clock_behind"),
    ("nuan/G1/D5", json.dumps({"ts": NOW + 40 * 86_400, "t": 20}).encode(), "clock_ahead"),
    ("nuan/G1/D6", b'{"t": 1e12}', "value_range"),
    ("nuan/G1/D7", b'{"t": 20, "pad": "' + b"x" * 300_000 + b'"}', "too_large"),
    ("nuan/G1/D8/mbus", b"\x68\x03\x03\x68", "cut"),
    ("nuan/G1/D9/unheard", b"1", "wrong_topic"),
]


def test_what_cannot_be_read_or_placed_is_kept_with_its_reason_and_bytes(three: Parts) -> None:
    _, workers, publisher = three
    workers.start()
    until(workers.connected)
    for topic, payload, _ in BAD:
        publisher.client.publish(topic, payload, 1).wait_for_publish(10)
    until(lambda: workers.report()["mqtt"]["acknowledged"] == len(BAD))
    workers.stop()
    found = [(letter.protocol, letter.payload, letter.reason) for letter in workers.letters()]
    assert found == [(topic, payload[:PAYLOAD_LIMIT], reason) for topic, payload, reason in BAD]
    assert workers.stored() == {}


def test_good_points_stand_beside_the_problem_of_the_others(three: Parts) -> None:
    _, workers, publisher = three
    workers.start()
    until(workers.connected)
    payload = json.dumps({"ts": NOW, "t": 20.5, "unheard": 3, "battery": 88}).encode()
    publisher.client.publish("nuan/G1/D1", payload, 1).wait_for_publish(10)
    until(lambda: workers.report()["mqtt"]["acknowledged"] == 1)
    assert workers.stored() == {"B0001-1-0101|room_temp|living": {NOW: 2050}}
    assert [(letter.reason, letter.detail) for letter in workers.letters()] == [("unknown_point", "D1: unheard")]


def test_a_gateway_over_its_rate_is_heard_later_not_lost(three: Parts) -> None:
    _, workers, publisher = three
    workers.write_directory(rate=5)
    workers.start()
    until(workers.connected)
    play(publisher, 400)
    until(lambda: workers.report()["mqtt"]["acknowledged"] == 400)
    workers.stop()
    stored, letters = sum(map(len, workers.stored().values())), workers.letters()
    assert {letter.reason for letter in letters} == {"rate"}
    assert 100 <= stored <= 350
    assert stored + len(letters) == 400


def test_a_device_that_is_registered_now_is_heard_at_once(three: Parts) -> None:
    _, workers, publisher = three
    workers.write_directory(devices=1)
    workers.start()
    until(workers.connected)
    workers.write_directory(devices=DEVICES, edition=2)
    until(lambda: workers.report().get("edition") == 2)
    play(publisher, 80)
    all_there(workers, publisher)


def test_sessions_of_workers_that_are_no_more_are_emptied(three: Parts) -> None:
    _, workers, publisher = three
    workers.count = 2
    for name in ("w0", "w1"):
        workers.start(name)
    until(lambda: workers.connected("w0") and workers.connected("w1"))
    workers.stop()
    play(publisher, 400)
    publisher.settled()
    workers.count = 1
    workers.start()
    all_there(workers, publisher)


def test_without_its_supervisor_a_worker_leaves(three: Parts) -> None:
    _, workers, _ = three
    process = workers.start()
    until(workers.connected)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(40) == 0
    workers.processes.clear()
