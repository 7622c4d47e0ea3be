"""Lanes stopped before each step that touches the disk, killed at any moment, and on a full disk: nothing acknowledged is lost."""

import multiprocessing
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from test_store_crash import _Handle
from test_store_steps import Stopped, stop_before

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import DeadLetter, Lane, Store
from nuan.telemetry.store import lanes as lanes_module

START = 1_767_225_600
MINUTE = 60
LANES = ("a", "b")


def key(number: int) -> SeriesKey:
    return SeriesKey(f"B{number:04d}-1-0101", "room_temp")


def batch(lane: Lane, place: int, number: int) -> ReadingBatch:
    series = int(lane.register([key(place)])[0])
    return ReadingBatch.of(series, np.array([START + MINUTE * number]), np.array([1500 + number % 900], np.int32))


def letter(number: int) -> DeadLetter:
    return DeadLetter("G1", "mqtt_json", START, "no_such_device", str(number), b"{}")


def work(root: Path, acknowledged: set[int], kept: dict[tuple[str, int, int], str]) -> None:
    """Two lanes, taken over and folded in between; letters are kept by somebody before the store hears of it."""
    with ExitStack() as opened:
        store = opened.enter_context(Store(root, write=True, buckets=2))
        lanes = [opened.enter_context(Lane(root, name)) for name in LANES]
        for number in range(8):
            lane = lanes[number % 2]
            lane.put(batch(lane, number % 3, number), START)
            if number in (2, 5):
                lane.put_dead([letter(number)])
            lane.sync()
            acknowledged.add(number)
            if number in (2, 5):
                acknowledged.add(100 + number)
            if number in (1, 4, 6):
                hand_over(store, kept)
                store.absorb(positions(kept), fold_from=1 << 20 if number == 1 else 0)


def hand_over(store: Store, kept: dict[tuple[str, int, int], str]) -> None:
    for lane, sequence, index, one in store.dead_letters(positions(kept)):
        kept[lane, sequence, index] = one.detail


def positions(kept: dict[tuple[str, int, int], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for lane, sequence, _ in kept:
        found[lane] = max(found.get(lane, 0), sequence)
    return found


def held(root: Path, kept: dict[tuple[str, int, int], str]) -> set[int]:
    """After a restart: what the store has, and which letters were kept."""
    for name in LANES:
        Lane(root, name).close()
    with Store(root, write=True, buckets=2) as store:
        hand_over(store, kept)
        store.absorb(positions(kept))
        found = []
        for place in range(3):
            if (series := store.series.get(key(place))) is not None:
                readings = store.read(series, 0, 2**40)
                assert readings.delays.tolist() == (START - readings.time_s).tolist()
                numbers = ((readings.time_s - START) // MINUTE).tolist()
                assert readings.value.tolist() == [1500 + number % 900 for number in numbers]
                assert {number % 3 for number in numbers} <= {place}
                found += numbers
        assert store.absorb().readings == 0
        assert store.verify() == []
        stats = store.stats()
        assert stats.readings + stats.waiting >= len(found) == len(set(found))
    details = [int(detail) for detail in kept.values()]
    assert len(details) == len(set(details)), "a letter twice"
    return set(found) | {100 + detail for detail in details}


def test_stopped_before_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 100)
    step, steps = 0, 1
    while step < steps:
        step += 1
        root, acknowledged, kept = tmp_path / str(step), set(), {}
        with pytest.MonkeyPatch.context() as patch:
            count = stop_before(step, patch)
            try:
                work(root, acknowledged, kept)
            except Stopped:
                steps = step + 1
            else:
                steps = step
                assert count() < step
        found = held(root, kept)
        assert acknowledged <= found, f"stopped before step {step}: {acknowledged - found} acknowledged and lost"
        assert len(found - acknowledged) <= 2, "only what was under way may be there unacknowledged"
    assert step > 120, "the steps were not seen"


def fill(root: str, first: int, told: int) -> None:
    with Lane(root, "a") as lane:
        os.write(told, struct.pack("<i", -1))
        for number in range(first, first + 100_000):
            lane.put(batch(lane, number % 3, number), START)
            lane.sync()
            os.write(told, struct.pack("<i", number))


def take(root: str, _: int, told: int) -> None:
    with Store(root, write=True, buckets=2) as store:
        os.write(told, struct.pack("<i", -1))
        while True:
            store.absorb(fold_from=20)


def started(work: Callable[[str, int, int], None], root: Path, first: int) -> tuple[BaseProcess, int]:
    """A process at work, and the pipe on which it tells what is safe."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nuan.telemetry.store"])
    reads, writes = os.pipe()
    process: BaseProcess = context.Process(target=work, args=(str(root), first, _Handle(writes)))
    process.start()
    os.close(writes)
    assert os.read(reads, 4), "it could not open its lane or the store"
    return process, reads


def told(reads: int) -> set[int]:
    data = b""
    while part := os.read(reads, 65_536):
        data += part
    os.close(reads)
    return {number for (number,) in struct.iter_unpack("<i", data[: len(data) // 4 * 4])}


def soak(root: Path, rounds: int, seed: int) -> None:
    """A worker and the store's writer side by side, each killed at its own moment."""
    moment, safe = random.Random(seed), set()
    for round_ in range(rounds):
        # places are numbers modulo 3, minutes the numbers: each round goes on behind the last
        both = [started(work, root, max(safe, default=-1) + 3) for work in (fill, take)]
        for process, _ in moment.sample(both, 2):
            time.sleep(moment.uniform(0.0, 0.08))
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        for process, _ in both:
            process.join()
            assert process.exitcode == -signal.SIGKILL
        lane_told, store_told = (told(reads) for _, reads in both)
        assert not store_told
        safe |= lane_told
        found = held(root, {})
        assert safe <= found, f"round {round_}: {sorted(safe - found)[:5]} acknowledged and lost"
        assert len(found - safe) <= round_ + 1
    assert len(safe) > rounds, "the workers hardly wrote: this proves nothing"


def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soak(tmp_path / "readings", rounds=6, seed=20_251_015)


@pytest.mark.slow
def test_killed_very_often(tmp_path: Path) -> None:
    soak(tmp_path / "readings", rounds=60, seed=11)


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Lane, Store, StoreFullError

root, size = Path(sys.argv[1]), int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rng = np.random.default_rng(1)
store = Store(root, write=True)
with Lane(root, "a") as lane:
    series = int(lane.register([SeriesKey("B0001-1-0101", "room_temp")])[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    acknowledged = refused = 0
    for number in range(60):
        times = 1_767_225_600 + 60 * (50 * number + np.arange(50))
        try:
            lane.put(ReadingBatch.of(series, times, rng.integers(1500, 2500, 50).astype(np.int32)), 1_767_225_600)
            lane.sync()
            acknowledged += 50
        except StoreFullError as error:
            refused += 50
            print(error, file=sys.stderr)
        if number % 7 == 0:
            try:
                store.absorb()
            except StoreFullError as error:
                print(error, file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    lane.put(ReadingBatch.of(series, np.array([1_700_000_000]), np.array([2000], np.int32)), 1_767_225_600)
    lane.sync()
    store.absorb()
    print(acknowledged, refused, len(store.read(0, 0, 2**40)))
"""


@pytest.mark.parametrize("size", [4_000, 2_500])
def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path, size: int) -> None:
    """The limit on a file's size stands for the full disk: first the lane does not take it, then the store's journal neither."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "readings"), str(size)],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    acknowledged, refused, found = map(int, done.stdout.split())
    assert "make room and send again" in done.stderr
    assert acknowledged > 0
    assert refused > 0
    assert found == acknowledged + 1
    assert Store(tmp_path / "readings").verify() == []
