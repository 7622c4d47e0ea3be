"""Room made ahead: the same frames as in a file that grows, whoever reads beside, whatever stops the writer."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Lane, Store, StoreDamagedError
from nuan.telemetry.store import ahead as ahead_module
from nuan.telemetry.store import journal as journal_module
from nuan.telemetry.store import lanes as lanes_module
from nuan.telemetry.store.ahead import Ahead
from nuan.telemetry.store.journal import JournalReader, journal_files

START = 1_767_225_600
KEY = SeriesKey("B0001-1-0101", "room_temp")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file made ahead is gone on in with the next sync."""
    monkeypatch.setattr(lanes_module, "GROWN_BYTES", 0)


def one(minute: int) -> ReadingBatch:
    return ReadingBatch.of(0, np.array([START + 60 * minute]), np.array([2000 + minute], np.int32))


def lane_with_room(root: Path) -> Lane:
    lane = Lane(root, "w1", ahead=True)
    lane.register([KEY])
    lane._frames._ahead.wait()  # type: ignore[union-attr]
    return lane


def write(lane: Lane, first: int, count: int) -> None:
    for minute in range(first, first + count):
        lane.put(one(minute), START)
        lane.sync()


def frames_folder(root: Path) -> Path:
    return root / "lanes" / "w1" / "frames"


def faults(root: Path) -> list[str]:
    with Store(root, write=True) as store:
        return store.verify()


def minutes(root: Path) -> list[int]:
    with Store(root, write=True) as store:
        store.absorb()
        batch = store.read(store.series.get(KEY), 0, 2**40)
    return ((batch.time_s - START) // 60).tolist()


def test_a_lane_goes_on_in_the_room_and_leaves_no_zeros(tmp_path: Path) -> None:
    with lane_with_room(tmp_path) as lane:
        write(lane, 0, 5)
        active = journal_files(frames_folder(tmp_path))[-1]
        assert active.stat().st_size == lanes_module.ROTATE_BYTES + lanes_module.AHEAD_BYTES
        assert lane.size_bytes() < 4_096, "room is not yet written"
        assert minutes(tmp_path) == [0, 1, 2, 3, 4]
        write(lane, 5, 3)
        assert minutes(tmp_path) == list(range(8))
    assert all(path.stat().st_size < 4_096 for path in journal_files(frames_folder(tmp_path)))
    assert faults(tmp_path) == []


def test_a_reader_beside_the_writer_sees_every_frame_once(tmp_path: Path) -> None:
    reader, seen = JournalReader(frames_folder(tmp_path)), []
    with lane_with_room(tmp_path) as lane:
        for minute in range(40):
            write(lane, minute, 1)
            if minute % 3 == 0:
                seen += [frame.sequence for frame in reader.new_frames(0)]
    seen += [frame.sequence for frame in reader.new_frames(0)]
    assert seen == list(range(1, 41))


def test_room_that_nobody_has_written_to_costs_no_reader_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lane_with_room(tmp_path) as lane:
        write(lane, 0, 1)
        write(lane, 1, 1)
        reader, read = JournalReader(frames_folder(tmp_path)), []
        look = os.pread
        monkeypatch.setattr(journal_module.os, "pread", lambda *asked: read.append(asked[1]) or look(*asked))
        for _ in range(3):
            reader.new_frames(0)
        assert sum(read) < 10_000


def test_rotation_takes_the_next_room_and_cuts_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 400)
    with lane_with_room(tmp_path) as lane:
        for minute in range(30):
            write(lane, minute, 1)
            lane._frames._ahead.wait()  # type: ignore[union-attr]
        files = journal_files(frames_folder(tmp_path))
        assert len(files) > 3
        assert all(path.stat().st_size < 1_000 for path in files[:-1])
        assert minutes(tmp_path) == list(range(30))


def test_a_killed_writer_leaves_zeros_and_the_next_goes_on(tmp_path: Path) -> None:
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\nfrom nuan.telemetry.store import lanes\nlanes.GROWN_BYTES = 0\nfrom test_ahead import lane_with_room, write\n"
        "lane = lane_with_room(Path(sys.argv[1])); write(lane, 0, 6); os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path), str(Path(__file__).parent)], check=False)
    assert journal_files(frames_folder(tmp_path))[-1].stat().st_size > 1 << 20
    assert faults(tmp_path) == []
    assert minutes(tmp_path) == list(range(6))
    with lane_with_room(tmp_path) as lane:
        write(lane, 6, 2)
    assert minutes(tmp_path) == list(range(8))


def test_zeros_that_a_power_cut_brought_back_are_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 200)
    with lane_with_room(tmp_path) as lane:
        write(lane, 0, 12)
    old = journal_files(frames_folder(tmp_path))[0]
    os.truncate(old, old.stat().st_size + 5_000)
    with Lane(tmp_path, "w1") as lane:
        assert lane.sequence == 12
    assert minutes(tmp_path) == list(range(12))


def test_a_frame_lost_in_the_middle_is_damage(tmp_path: Path) -> None:
    with lane_with_room(tmp_path) as lane:
        write(lane, 0, 6)
        path = journal_files(frames_folder(tmp_path))[-1]
        data = path.read_bytes()
        second = data.index(journal_module.frames.__globals__["MAGIC"], 10)
        with path.open("r+b") as handle:
            handle.seek(second)
            handle.write(bytes(20))
        with pytest.raises(StoreDamagedError):
            list(JournalReader(frames_folder(tmp_path)).new_files(0, thorough=True))
        assert any("true frames follow" in fault for fault in faults(tmp_path))


def test_without_room_on_disk_the_file_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ahead_module.os, "pwrite", full)
    ahead = Ahead(tmp_path, 1 << 20)
    ahead.prepare()
    ahead.wait()
    assert not ahead.ready
    assert list(tmp_path.iterdir()) == []
    with lane_with_room(tmp_path / "lane") as lane:
        write(lane, 0, 3)
    assert minutes(tmp_path / "lane") == [0, 1, 2]


def test_no_handle_is_left_when_the_room_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that nobody writes under a young name would let the store pass over, and remove, what is acknowledged in the older one."""
    real = os.open

    def none_left(path: Any, flags: int, *more: Any, **words: Any) -> int:
        if flags & os.O_WRONLY:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(path, flags, *more, **words)

    with lane_with_room(tmp_path) as lane:
        monkeypatch.setattr(os, "open", none_left)
        write(lane, 0, 1)
        monkeypatch.setattr(os, "open", real)
        assert minutes(tmp_path) == [0]
        write(lane, 1, 3)
        assert minutes(tmp_path) == [0, 1, 2, 3]
    assert faults(tmp_path) == []


def test_a_power_cut_between_two_frames_of_one_sync_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may write what was not yet synced in any order: here all of the younger frame and nothing of the older."""
    with lane_with_room(tmp_path) as lane:
        write(lane, 0, 3)
        file, real, on_disk = journal_files(frames_folder(tmp_path))[-1], os.fdatasync, [lane._frames.size()]
        monkeypatch.setattr(os, "fdatasync", lambda handle: (real(handle), on_disk.append(lane._frames.size())))
        lane.put(one(3), START)
        older_end = lane._frames.size()
        lane.put(one(4), START)
    with file.open("r+b") as handle:
        handle.seek(on_disk[-1])
        handle.write(bytes(older_end - on_disk[-1]))
    with Lane(tmp_path, "w1") as lane:
        assert lane.sequence >= 3


def test_what_the_store_takes_over_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a frame that is put into the room just when it is read."""
    real = os.fdatasync
    with lane_with_room(tmp_path) as lane:
        write(lane, 0, 3)
        reader, unsynced, waiting = JournalReader(frames_folder(tmp_path)), lane.sequence + 1, [one(3)]

        def put_meanwhile(handle: int) -> None:
            real(handle)
            while waiting:
                lane.put(waiting.pop(), START)

        monkeypatch.setattr(os, "fdatasync", put_meanwhile)
        found = [frame.sequence for _, frames in reader.new_files(1, sync=True) for frame in frames]
        assert found
        assert unsynced not in found
