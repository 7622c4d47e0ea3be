"""A file of readings goes straight into the store, or beside a running intake through a lane; the same readings in the end."""

from pathlib import Path

import numpy as np
import pytest

from nuan.operations.readings_door import LANE, ReadingsDoor, readings_door
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.telemetry.store.errors import StoreBusyError
from nuan.telemetry.store.lanes import Lane

KEY, ARRIVED = SeriesKey("B1-1-0101", "room_temp", "living"), 1_790_000_000


def bring(door: ReadingsDoor) -> None:
    ids = door.register([KEY])
    assert door.append(ReadingBatch.of(ids, np.array([ARRIVED - 60]), np.array([2_050], np.int32))) > 0


def found(root: Path) -> list[tuple[int, int]]:
    with Store(root) as store:
        batch = store.read(store.series_id(KEY), 0, 2**40)
        return list(zip(batch.time_s.tolist(), batch.value.tolist(), strict=True))


def test_alone_it_is_the_store(tmp_path: Path) -> None:
    with readings_door(tmp_path, ARRIVED) as door:
        bring(door)
    assert found(tmp_path) == [(ARRIVED - 60, 2_050)]
    assert not (tmp_path / "lanes").exists()


def test_beside_a_running_intake_it_is_a_lane(tmp_path: Path) -> None:
    with Store(tmp_path, write=True) as running:
        with readings_door(tmp_path, ARRIVED) as door:
            bring(door)
            assert door.series.get(KEY) is None
        running.absorb()
        with readings_door(tmp_path, ARRIVED) as door:
            number = door.series.get(KEY)
            assert number is not None
            assert door.read(number, 0, 2**40).value.tolist() == [2_050]
    assert found(tmp_path) == [(ARRIVED - 60, 2_050)]


def test_a_third_is_told_to_wait(tmp_path: Path) -> None:
    with Store(tmp_path, write=True), Lane(tmp_path, LANE), pytest.raises(StoreBusyError), readings_door(tmp_path, 0):
        pass
