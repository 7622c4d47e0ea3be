"""kill -9 at any moment: every acknowledged reading is there, once, with its value; nothing else is but the one batch under way."""

import multiprocessing
import os
import random
import signal
import struct
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

HOUR = 3600
START = 1_767_225_600
HOMES = 6
BATCH = 40
LOADED = 24


def key(number: int) -> SeriesKey:
    return SeriesKey(f"B{number:04d}-1-0101", "room_temp")


def value_of(series: int, number: int) -> int:
    return 1500 + (series * 37 + number * 11) % 900


def batch(store: Store, number: int) -> ReadingBatch:
    """Batch `number`: BATCH hours of one home; the home is new to the store at its first batch."""
    home = number % HOMES
    series = store.series_id(key(home))
    hours = np.arange(BATCH) + number // HOMES * BATCH
    value = np.full(BATCH, value_of(home, number), np.int32)
    return ReadingBatch.of(series, START + HOUR * hours, value)


def load(store: Store, number: int) -> None:
    """A grid of a home of its own, straight into segments."""
    grid = np.full((1, LOADED), value_of(99, number), np.int16)
    store.load_dense("room_temp", [key(1000 + number)], START, HOUR, grid)


def write(root: str, first: int, told: int) -> None:
    """Append for ever, fold and load now and then; tell each batch after it was acknowledged."""
    with Store(root, write=True) as store:
        os.write(told, struct.pack("<i", -1))
        for number in range(first, first + 100_000):
            store.append(batch(store, number))
            os.write(told, struct.pack("<i", number))
            if number % 5 == 4:
                store.compact()
            if number % 11 == 10:
                load(store, number)
                os.write(told, struct.pack("<i", 1_000_000 + number))


def killed_writer(root: Path, first: int, after_s: float) -> list[int]:
    """Let a writer run for so long after it opened the store, kill it, and return what it was told is safe."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nuan.telemetry.store"])
    reads, writes = os.pipe()
    try:
        process: BaseProcess = context.Process(target=_with_pipe, args=(str(root), first, _Handle(writes)))
        process.start()
        os.close(writes)
        told = os.read(reads, 4)
        assert told, "the writer could not open the store"
        time.sleep(after_s)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        data = b""
        while part := os.read(reads, 65_536):
            data += part
    finally:
        os.close(reads)
    return [number for (number,) in struct.iter_unpack("<i", data[: len(data) // 4 * 4])]


class _Handle:
    """A file descriptor that travels to the forked process."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[object, ...]:
        from multiprocessing.reduction import DupFd

        return _received, (DupFd(self.descriptor),)


def _received(duplicate: object) -> int:
    return duplicate.detach()  # type: ignore[attr-defined, no-any-return]


def _with_pipe(root: str, first: int, told: int) -> None:
    write(root, first, told)


def check(root: Path, safe: set[int]) -> int:
    """Everything safe is there once; of the rest at most the one batch and the one load that were under way. Returns the next batch."""
    store = Store(root)
    assert store.verify() == []
    held: set[int] = set()
    for home in range(HOMES):
        series = store.series.get(key(home))
        if series is None:
            continue
        readings = store.read(series, 0, 2**40)
        hours = (readings.time_s - START) // HOUR
        assert (np.diff(hours) > 0).all()
        for block in np.unique(hours // BATCH).tolist():
            number = block * HOMES + home
            inside = hours // BATCH == block
            assert inside.sum() == BATCH, f"batch {number} is there in part"
            assert set(readings.value[inside].tolist()) == {value_of(home, number)}
            held.add(number)
    for number in [n for n in range(10, 200_000, 11) if store.series.get(key(1000 + n)) is not None]:
        series = store.series.get(key(1000 + number))
        readings = store.read(int(series or 0), 0, 2**40)
        assert len(readings) in (0, LOADED), "a load is there whole or not at all"
        if len(readings):
            held.add(1_000_000 + number)
    assert safe <= held, f"acknowledged and lost: {sorted(safe - held)}"
    stats = store.stats()
    batches = sum(number < 1_000_000 for number in held)
    assert stats.readings + stats.waiting == batches * BATCH + (len(held) - batches) * LOADED, (
        "something is there twice"
    )
    return max((number for number in held if number < 1_000_000), default=-1) + 1


def soak(root: Path, rounds: int, seed: int) -> None:
    moment = random.Random(seed)
    safe: set[int] = set()
    following = 0
    for round_ in range(rounds):
        told = set(killed_writer(root, following, moment.uniform(0.0, 0.12)))
        extra = safe | told
        following = check(root, extra)
        beyond = {number for number in range(following) if number not in extra}
        assert len(beyond) <= round_ + 1, "more than one unacknowledged batch a round"
        safe = extra
    assert len(safe) > rounds, "the writers hardly wrote: this proves nothing"


def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_double(tmp_path: Path) -> None:
    soak(tmp_path / "readings", rounds=20, seed=20_251_015)


@pytest.mark.slow
def test_killed_very_often(tmp_path: Path) -> None:
    soak(tmp_path / "readings", rounds=250, seed=7)
