"""Stopped before each single step that touches the disk: the state that is found then has every acknowledged reading, once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

HOUR = 3600
START = 1_767_196_800
KEY = SeriesKey("B0001-1-0101", "room_temp")
OTHER = SeriesKey("B0002-1-0101", "room_temp")


class Stopped(BaseException):
    """Not an Exception: nothing in the store may catch it and tidy up, as nothing does after kill -9."""


def work(root: Path, acknowledged: list[tuple[SeriesKey, int]]) -> None:
    """Appends, folds and a load; each is noted when it has returned."""
    store = Store(root, write=True, buckets=2)
    try:
        for hour in range(6):
            store.append(
                ReadingBatch.of(
                    store.series_id(KEY), np.array([START + HOUR * hour]), np.array([2000 + hour], np.int32)
                )
            )
            acknowledged.append((KEY, hour))
            if hour in (2, 3):
                store.compact()
        store.load_dense("room_temp", [OTHER], START, HOUR, np.array([[2000, 2001]], np.int16))
        acknowledged += [(OTHER, 0), (OTHER, 1)]
        store.compact()
    finally:
        store.close()


def stop_before(step: int, patch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Makes the step-th call that changes the disk raise; returns how many there were."""
    seen = 0

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **words: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == step:
                raise Stopped
            return real(*arguments, **words)

        return call

    for name in ("write", "writev", "fsync", "fdatasync", "ftruncate"):
        patch.setattr(os, name, guarded(getattr(os, name)))
    for name in ("replace", "unlink", "mkdir"):
        patch.setattr(Path, name, guarded(getattr(Path, name)))
    return lambda: seen


def held(root: Path) -> set[tuple[SeriesKey, int]]:
    with Store(root, write=True, buckets=2) as store:
        assert store.verify() == []
        found = []
        for key in (KEY, OTHER):
            if (series := store.series.get(key)) is not None:
                batch = store.read(series, 0, 2**40)
                hours = ((batch.time_s - START) // HOUR).tolist()
                assert batch.value.tolist() == [2000 + hour for hour in hours]
                found += [(key, hour) for hour in hours]
        stats = store.stats()
        assert stats.readings + stats.waiting == len(set(found)) == len(found)
        assert not list(root.rglob("*.part"))
        return set(found)


def test_stopped_before_each_step(tmp_path: Path) -> None:
    step, steps = 0, 1
    while step < steps:
        step += 1
        root, acknowledged = tmp_path / str(step), []
        with pytest.MonkeyPatch.context() as patch:
            count = stop_before(step, patch)
            try:
                work(root, acknowledged)
            except Stopped:
                steps = step + 1
            else:
                steps = step
                assert count() < step
        found = held(root)
        assert set(acknowledged) <= found, (
            f"stopped before step {step}: {set(acknowledged) - found} acknowledged and lost"
        )
        assert len(found - set(acknowledged)) <= 2, "only the act under way may be there unacknowledged"
    assert step > 60, "the steps were not seen"
