"""Backups: a snapshot while everything goes on, cheap the second time, refused when damaged, and nothing lost behind it."""

import threading
from pathlib import Path

import numpy as np
import pytest

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import DeadLetter, Lane, Store, StoreBusyError
from nuan.telemetry.store import lanes as lanes_module
from nuan.telemetry.store.backup import BackupError, backup, check_backup, load_snapshot, restore, snapshots

START = 1_767_225_600
KEY = SeriesKey("B0001-1-0101", "room_temp")


def some(series: int, first: int, count: int = 500) -> ReadingBatch:
    minutes = np.arange(first, first + count)
    return ReadingBatch.of(series, START + 60 * minutes, (1500 + minutes % 900).astype(np.int32))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Segments, journal and a lane with a dead letter."""
    root = tmp_path / "readings"
    with Store(root, write=True) as store, Lane(root, "w1") as lane:
        series = int(lane.register([KEY])[0])
        store.append(some(store.series_id(KEY), 0))
        store.compact()
        lane.put(some(series, 500), START)
        lane.sync()
        store.absorb()
        lane.put(some(series, 1000), START)
        lane.put_dead([DeadLetter("G", "http", START, "why", "", b"x")])
        lane.sync()
    return root


def minutes(root: Path) -> list[int]:
    with Store(root, write=True) as store:
        store.absorb()
        return ((store.read(store.series_id(KEY), 0, 2**40).time_s - START) // 60).tolist()


def test_everything_acknowledged_comes_back(root: Path, tmp_path: Path) -> None:
    done = backup(root, tmp_path / "b", "1")
    assert check_backup(tmp_path / "b") == []
    assert restore(tmp_path / "b", tmp_path / "back").files == done.files
    assert Store(tmp_path / "back").verify() == []
    assert len(list(Store(tmp_path / "back").dead_letters({}))) == 1
    assert minutes(tmp_path / "back") == list(range(1500))


def test_a_second_snapshot_copies_what_is_new(root: Path, tmp_path: Path) -> None:
    with Store(root, write=True) as store:
        quiet = [SeriesKey(f"B{home:04d}-1-0101", "room_temp") for home in range(300)]
        store.load_dense(
            "room_temp",
            quiet,
            START - 40 * 86_400,
            3600,
            np.random.default_rng(1).integers(1500, 2500, (300, 600)).astype(np.int16),
        )
    first = backup(root, tmp_path / "b", "1")
    with Store(root, write=True) as store:
        store.append(some(store.series_id(KEY), 9000))
        store.compact()
    second = backup(root, tmp_path / "b", "2")
    assert first.copied > 10 * second.copied
    assert snapshots(tmp_path / "b") == ["1", "2"]
    restore(tmp_path / "b", tmp_path / "one", "1")
    restore(tmp_path / "b", tmp_path / "two")
    assert len(minutes(tmp_path / "two")) == len(minutes(tmp_path / "one")) + 500
    with pytest.raises(BackupError, match="already"):
        backup(root, tmp_path / "b", "2")


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_backup_is_refused(root: Path, tmp_path: Path, harm: str) -> None:
    done = backup(root, tmp_path / "b", "1")
    segment = next(file for file in done.files if file.path.endswith(".parquet"))
    path = tmp_path / "b" / "objects" / segment.digest[:2] / segment.digest
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(bytes(data) if harm == "flip" else bytes(data[:-1]))
    (fault,) = check_backup(tmp_path / "b")
    assert segment.path in fault
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(tmp_path / "b", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_list_that_was_changed_is_refused(root: Path, tmp_path: Path) -> None:
    backup(root, tmp_path / "b", "1")
    path = tmp_path / "b" / "snapshots" / "1.json"
    path.write_text(path.read_text("utf-8").replace("journal/", "../../j/", 1), "utf-8")
    with pytest.raises(BackupError, match="damaged"):
        load_snapshot(tmp_path / "b")
    with pytest.raises(BackupError, match="no such snapshot"):
        load_snapshot(tmp_path / "b", "7")


def test_a_folder_that_is_not_empty_is_not_touched(root: Path, tmp_path: Path) -> None:
    backup(root, tmp_path / "b", "1")
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "letters.txt").write_text("mine")
    with pytest.raises(BackupError, match="not empty"):
        restore(tmp_path / "b", tmp_path / "back")
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["letters.txt"]
    with pytest.raises(BackupError, match="no store"):
        backup(tmp_path / "nowhere", tmp_path / "b", "2")


def test_a_source_that_is_damaged_is_not_backed_up(root: Path, tmp_path: Path) -> None:
    path = next((root / "segments").rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupError, match="not what the manifest names"):
        backup(root, tmp_path / "b", "1")
    assert snapshots(tmp_path / "b") == []


def test_a_lane_that_was_copied_before_it_was_taken_over_loses_nothing_afterwards(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Between the copies of lanes and journal the lane writes and the store takes over: its numbers must not be used twice."""
    from nuan.telemetry.store import backup as module

    with Store(root, write=True) as store, Lane(root, "w1") as lane:
        real = module._journals

        def in_between(*arguments: object) -> object:
            found = real(*arguments)  # type: ignore[arg-type]
            for minute in (5000, 6000, 7000):
                lane.put(some(0, minute + len(list((root / "journal").iterdir()))), START)
                lane.sync()
            store.absorb()
            return found

        monkeypatch.setattr(module, "_journals", in_between)
        backup(root, tmp_path / "b", "1")
    monkeypatch.undo()
    back = tmp_path / "back"
    restore(tmp_path / "b", back)
    held = set(minutes(back))
    assert set(range(1500)) <= held
    with Lane(back, "w1") as lane:
        lane.put(some(int(lane.register([KEY])[0]), 20_000), START)
        lane.sync()
    assert set(minutes(back)) == held | set(range(20_000, 20_500)), "what comes after the restore is taken over"


def test_while_intake_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 5_000)
    root, stop, safe, faults = tmp_path / "readings", threading.Event(), [0], []

    def intake() -> None:
        try:
            with Store(root, write=True, buckets=2) as store, Lane(root, "w1") as lane:
                series = int(lane.register([KEY])[0])
                while not stop.is_set():
                    lane.put(some(series, safe[0], 20), START)
                    lane.sync()
                    safe[0] += 20
                    store.absorb(fold_from=150)
        except BaseException as error:
            faults.append(error)
            raise

    thread = threading.Thread(target=intake)
    thread.start()
    try:
        while safe[0] < 200 and not faults:
            pass
        promised = []
        for number in range(12):
            promised.append(safe[0])
            backup(root, tmp_path / "b", f"{number:02d}")
    finally:
        stop.set()
        thread.join()
    assert not faults
    for number, least in enumerate(promised):
        back = tmp_path / f"back{number}"
        restore(tmp_path / "b", back, f"{number:02d}")
        held = minutes(back)
        assert held == list(range(len(held)))
        assert len(held) >= least, f"snapshot {number} misses what was acknowledged before it began"
    assert promised[-1] > promised[0], "nothing went on: this proves nothing"


def test_the_store_stays_free_for_its_writer(root: Path, tmp_path: Path) -> None:
    with Store(root, write=True):
        backup(root, tmp_path / "b", "1")
        with pytest.raises(StoreBusyError):
            Store(root, write=True)
