"""Group commit: told “done” only when it is on disk; whoever waits shares a sync; full is said, not swallowed."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nuan.telemetry.intake.commit import CommitClosed, GroupCommit, Overloaded
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.errors import StoreFullError
from nuan.telemetry.store.lanes import DeadLetter, Lane
from nuan.telemetry.store.store import Store

ARRIVAL = 1_700_000_000
KEYS = [SeriesKey(f"B{number:04d}-1-0101", "room_temp") for number in range(3)]


def batch(*values: int) -> ReadingBatch:
    rows = np.arange(len(values))
    return ReadingBatch.of((rows % 3).astype(np.uint32), ARRIVAL + rows, np.array(values, np.int32))


def letter(payload: bytes = b"?") -> DeadLetter:
    return DeadLetter("G1", "line/s", ARRIVAL, "line", "what", payload)


class SlowLane:
    """A lane whose sync takes its time, and that remembers the order of things."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: OSError | None = None
        self.size = 0

    def register(self, keys: Iterable[SeriesKey]) -> NDArray[np.uint32]:
        return np.arange(len(list(keys)), dtype=np.uint32)

    def put(self, batch: ReadingBatch, arrival_s: int) -> None:
        self.events.append(("put", len(batch)))

    def put_dead(self, letters: Sequence[DeadLetter]) -> None:
        self.events.append(("dead", len(letters)))

    def sync(self) -> None:
        self.gate.wait(5)
        if self.error is not None:
            raise StoreFullError(Path("a.jnl"), self.error)
        self.events.append(("sync", 0))

    def size_bytes(self) -> int:
        return self.size


def clock() -> float:
    return float(ARRIVAL)


def test_what_is_told_done_is_in_the_lane_after_a_restart(tmp_path: Path) -> None:
    async def send() -> None:
        commit = GroupCommit(Lane(tmp_path, "w1"), clock)
        assert (await commit.register(KEYS)).tolist() == [0, 1, 2]
        await asyncio.gather(*(commit.submit(batch(2000 + number), [letter()]) for number in range(20)))
        assert (commit.counts.readings, commit.counts.letters, commit.counts.submissions) == (20, 20, 20)
        assert commit.counts.syncs < 20

    asyncio.run(send())
    with Store(tmp_path, write=True) as store:
        store.absorb()
        series = store.series_id(KEYS[0])
        assert series is not None
        assert store.read(series, ARRIVAL, ARRIVAL + 10).value.tolist() == [2019]
        assert len(list(store.dead_letters({}))) == 20


def test_those_who_wait_share_one_sync_and_nobody_is_told_before_it() -> None:
    async def send() -> tuple[list[bool], list[tuple[str, int]]]:
        lane = SlowLane()
        commit = GroupCommit(lane, clock)
        lane.gate.clear()
        first = asyncio.create_task(commit.submit(batch(1)))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(commit.submit(batch(1, 2), [letter()])) for _ in range(5)]
        await asyncio.sleep(0.05)
        early = [task.done() for task in (first, *rest)]
        lane.gate.set()
        await asyncio.gather(first, *rest)
        return early, lane.events

    early, events = asyncio.run(send())
    assert not any(early)
    assert events == [("put", 1), ("sync", 0), ("put", 10), ("dead", 5), ("sync", 0)]


def test_a_full_queue_is_said_and_takes_nothing() -> None:
    async def send() -> None:
        lane = SlowLane()
        commit = GroupCommit(lane, clock, max_waiting_rows=3)
        lane.gate.clear()
        tasks = [asyncio.create_task(commit.submit(batch(1, 2))) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded, match="4 readings wait for the disk") as full:
            await commit.submit(batch(1))
        assert full.value.retry_after_s == 1
        lane.gate.set()
        await asyncio.gather(*tasks)
        await commit.submit(batch(1))
        assert sum(size for what, size in lane.events if what == "put") == 5

    asyncio.run(send())


def test_a_lane_that_nobody_empties_pushes_back() -> None:
    async def send() -> None:
        lane = SlowLane()
        lane.size = 2 << 20
        commit = GroupCommit(lane, clock, max_lane_bytes=1 << 20)
        await commit.submit(batch(1))
        with pytest.raises(Overloaded, match="2 MiB wait"):
            commit.admit()

    asyncio.run(send())


def test_a_disk_that_fails_is_told_to_all_and_the_lane_takes_nothing_more() -> None:
    async def send() -> None:
        lane = SlowLane()
        commit = GroupCommit(lane, clock)
        lane.error = OSError(28, "No space left on device")
        done = await asyncio.gather(*(commit.submit(batch(1)) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in done] == [StoreFullError] * 3 or CommitClosed in map(type, done)
        assert all(isinstance(one, StoreFullError | CommitClosed) for one in done)
        lane.error = None
        with pytest.raises(CommitClosed, match="No space left"):
            await commit.submit(batch(1))
        assert ("sync", 0) not in lane.events

    asyncio.run(send())


def test_hooks_see_what_was_written_and_their_failure_costs_no_reading() -> None:
    seen: list[tuple[int, int, int]] = []

    def flag(batch: ReadingBatch, arrival_s: int) -> ReadingBatch:
        return ReadingBatch(batch.series, batch.time_s, batch.value, np.full(len(batch), int(Flag.STUCK), np.uint8))

    def broken(batch: ReadingBatch, arrival_s: int) -> None:
        raise RuntimeError("a hook of somebody else's")

    async def send() -> GroupCommit:
        commit = GroupCommit(SlowLane(), clock, flagger=flag)
        commit.after_commit += [broken, lambda b, arrival_s: seen.append((len(b), int(b.flags[0]), arrival_s))]
        await commit.submit(batch(1, 2))
        await commit.close()
        return commit

    commit = asyncio.run(send())
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [(2, int(Flag.STUCK), ARRIVAL)]
    assert commit.counts.hook_failures == 1


def test_a_sender_that_goes_away_leaves_its_readings_and_the_others_alone() -> None:
    async def send() -> list[tuple[str, int]]:
        lane = SlowLane()
        commit = GroupCommit(lane, clock)
        lane.gate.clear()
        gone = asyncio.create_task(commit.submit(batch(1)))
        await asyncio.sleep(0.02)
        stays = asyncio.create_task(commit.submit(batch(1, 2)))
        await asyncio.sleep(0.02)
        gone.cancel()
        lane.gate.set()
        await stays
        return lane.events

    assert asyncio.run(send()) == [("put", 1), ("sync", 0), ("put", 2), ("sync", 0)]


def test_nothing_to_write_needs_no_disk() -> None:
    async def send() -> list[tuple[str, int]]:
        lane = SlowLane()
        commit = GroupCommit(lane, clock)
        await commit.submit(None)
        await commit.submit(ReadingBatch.empty())
        return lane.events

    assert asyncio.run(send()) == []
