"""Lanes that are put back, copied, deleted or begun anew: what is acknowledged then is taken over, whatever is remembered of their numbers."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import DeadLetter, Lane, Store, StoreDamagedError
from nuan.telemetry.store.absorbing import dead_letters, identities
from nuan.telemetry.store.backup import backup, restore
from nuan.telemetry.store.identity import FILE, Identity, identity_of

START = 1_767_225_600
HOME, OTHER = SeriesKey("B0001-1-0101", "room_temp"), SeriesKey("B0001-1-0102", "room_temp")
Memory = dict[str, int]


def letter(text: str) -> DeadLetter:
    return DeadLetter("G1", "nuan/G1/1", START, "unknown_device", "", text.encode())


def some(series: int, minute: int) -> ReadingBatch:
    return ReadingBatch.of(series, START + 60 * np.array([minute]), np.array([2000], np.int32))


def write(root: Path, minute: int, key: SeriesKey = HOME) -> None:
    """A worker's life: one reading and one letter, named by the minute."""
    with Lane(root, "w0") as lane:
        lane.put(some(int(lane.register([key])[0]), minute), START)
        lane.put_dead([letter(f"letter {minute}")])
        lane.sync()


def take_over(root: Path) -> None:
    with Store(root, write=True) as store:
        store.absorb(fold_from=1)


def minutes(root: Path, key: SeriesKey = HOME) -> list[int]:
    store = Store(root)
    series = store.series.get(key)
    return [] if series is None else ((store.read(series, 0, 2**40).time_s - START) // 60).tolist()


def ship(root: Path, records: dict[tuple[str, int, int], str], memory: Memory) -> None:
    """As the recording process does: each place once, and on from where it was."""
    for who, sequence, index, each in dead_letters(root, memory):
        records.setdefault((who, sequence, index), each.payload.decode())
        memory[who] = max(memory.get(who, 0), sequence)


def letters(records: dict[tuple[str, int, int], str]) -> list[str]:
    return sorted(records.values())


def test_a_backup_of_last_month_beside_records_of_today(tmp_path: Path) -> None:
    root, back = tmp_path / "readings", tmp_path / "back"
    records: dict[tuple[str, int, int], str] = {}
    memory: Memory = {}
    write(root, 1)
    take_over(root)
    ship(root, records, memory)
    backup(root, tmp_path / "b", "last month")
    for minute in (2, 3):
        write(root, minute)
        take_over(root)
        ship(root, records, memory)
    restore(tmp_path / "b", back)
    for minute in (7, 8):
        write(back, minute)
        take_over(back)
        ship(back, records, memory)
    assert minutes(back) == [1, 7, 8]
    assert letters(records) == [f"letter {minute}" for minute in (1, 2, 3, 7, 8)], (
        "each once, none taken for an old one"
    )
    assert Store(back).verify() == []


@pytest.mark.parametrize("stopped", ["before it was taken over", "after it was taken over"])
def test_a_plain_copy_is_put_back(tmp_path: Path, stopped: str) -> None:
    """`cp -a`, a snapshot of the disk: nobody told Nuan."""
    root, copy = tmp_path / "readings", tmp_path / "copy"
    records: dict[tuple[str, int, int], str] = {}
    memory: Memory = {}
    write(root, 1)
    if stopped.startswith("after"):
        take_over(root)
        ship(root, records, memory)
    shutil.copytree(root, copy)
    write(root, 2)
    take_over(root)
    ship(root, records, memory)
    shutil.rmtree(root)
    shutil.copytree(copy, root)
    write(root, 7)
    take_over(root)
    ship(root, records, memory)
    assert minutes(root) == [1, 7]
    assert letters(records) == ["letter 1", "letter 2", "letter 7"]


def test_only_the_lanes_are_put_back(tmp_path: Path) -> None:
    """The store has taken over more of the lane than the lane now holds: what comes next has other numbers all the same."""
    root, copy = tmp_path / "readings", tmp_path / "copy"
    write(root, 1)
    shutil.copytree(root / "lanes", copy)
    for minute in (2, 3, 4):
        write(root, minute)
    take_over(root)
    shutil.rmtree(root / "lanes")
    shutil.copytree(copy, root / "lanes")
    for minute in (7, 8):
        write(root, minute)
        take_over(root)
    assert minutes(root) == [1, 2, 3, 4, 7, 8]


@pytest.mark.parametrize("running", [False, True], ids=["while nothing runs", "while the store's writer runs"])
def test_a_deleted_lane_begins_anew_and_nothing_is_passed_over(tmp_path: Path, running: bool) -> None:
    root = tmp_path / "readings"
    records: dict[tuple[str, int, int], str] = {}
    memory: Memory = {}
    for minute in range(1, 6):
        write(root, minute)
    store = Store(root, write=True)
    store.absorb(memory, fold_from=1)
    ship(root, records, memory)
    if not running:
        store.close()
    shutil.rmtree(root / "lanes" / "w0")
    for minute in range(11, 13):
        write(root, minute, OTHER)  # its number in the new lane is the first one's in the old
        if not running:
            store = Store(root, write=True)
        store.absorb(memory, fold_from=1)
        ship(root, records, memory)
        if not running:
            store.close()
    store.close()
    assert (minutes(root), minutes(root, OTHER)) == ([1, 2, 3, 4, 5], [11, 12])
    assert len(records) == 7
    assert letters(records)[:2] == ["letter 1", "letter 11"]


def test_a_lane_of_the_first_versions_goes_on(tmp_path: Path) -> None:
    """Without the file a lane is who its name says: positions that are remembered by the name stay good."""
    root = tmp_path / "readings"
    write(root, 1)
    (root / "lanes" / "w0" / FILE).unlink()
    take_over(root)
    assert dict(Store(root).manifest.lanes) == {"w0": 1}
    write(root, 2)
    assert identity_of(root / "lanes" / "w0").openings[0] == (0, "w0")
    with Store(root, write=True) as store:
        assert store.absorb({"w0": 2}).readings == 1
    assert minutes(root) == [1, 2]


def test_what_is_remembered_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nuan.telemetry.store.lanes.ROTATE_BYTES", 1)
    root = tmp_path / "readings"
    memory: Memory = {}
    with Store(root, write=True) as store:
        for minute in range(30):
            write(root, minute)
            ship(root, {}, memory)
            store.absorb(memory, fold_from=1)
            assert len(store.manifest.lanes) <= 5
    for _ in range(5):
        with Lane(root, "w0"):
            pass
    assert len(identities(root)) <= 3
    assert minutes(root) == list(range(30))


def test_a_damaged_identity_is_told(tmp_path: Path) -> None:
    write(tmp_path, 1)
    path = tmp_path / "lanes" / "w0" / FILE
    path.write_text("w0.x\nnine\tw0.x", "utf-8")
    with pytest.raises(StoreDamagedError):
        Lane(tmp_path, "w0")
    assert "identity" in Store(tmp_path).verify()[0]


def test_positions_of_an_opening_that_others_know_better() -> None:
    who = Identity("a", ((1, "a"), (6, "b"), (6, "c")))
    assert [who.of(n) for n in (1, 5, 6, 99)] == ["a", "a", "c", "c"]
    assert [who.position(known) for known in ({}, {"a": 3}, {"a": 90}, {"a": 90, "c": 7}, {"z": 4})] == [0, 3, 5, 7, 0]
