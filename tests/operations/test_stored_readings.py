"""Pages read on from where they were: what the intake brings is there at the next question, without opening everything anew."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuan.operations import stored_readings
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

KEY = SeriesKey("H01-S01", "supply_temp")


def put(store: Store, time_s: int, value: int) -> None:
    ids = store.register([KEY])
    store.append(ReadingBatch.of(ids, np.array([time_s]), np.array([value], np.int32)))


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    settings.READINGS_ROOT = tmp_path
    return tmp_path


def known() -> list[int]:
    return [
        value
        for number, _ in stored_readings.series_of("H01-S01", "supply_temp")
        for value in stored_readings.readings_of(number, 0, 10**10).value.tolist()
    ]


def test_new_readings_are_there_and_the_store_is_opened_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known() == []
    with Store(root, write=True) as writer:
        put(writer, 1_000, 4_500)
        writer.compact()
        assert known() == [4_500]
        monkeypatch.setattr(stored_readings, "Store", None)
        put(writer, 2_000, 4_600)
        assert known() == [4_500, 4_600]
        writer.compact()
        put(writer, 3_000, 4_700)
        assert known() == [4_500, 4_600, 4_700]


def test_a_journal_that_is_folded_meanwhile_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.jnl").write_bytes(b"12345")
    (tmp_path / "2.jnl").symlink_to(tmp_path / "gone")
    assert stored_readings.journal_bytes(tmp_path) == 5
