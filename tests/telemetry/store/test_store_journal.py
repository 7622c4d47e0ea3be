"""The journal: what was acknowledged is there, what was half written is not, and what was damaged is said."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store, StoreBusyError, StoreDamagedError, StoreReadOnlyError, UnknownSeriesError
from nuan.telemetry.store.frames import frame_at, pack_readings, pack_series

HOUR = 3600
START = 1_767_225_600
KEY = SeriesKey("B0042-1-0301", "room_temp", "living")


def some(series: int, first: int, count: int = 5) -> ReadingBatch:
    hours = np.arange(first, first + count)
    return ReadingBatch.of(series, START + HOUR * hours, (1800 + hours).astype(np.int32))


def hours_held(root: Path) -> list[int]:
    store = Store(root)
    return ((store.read(store.series_id(KEY), 0, 2**40).time_s - START) // HOUR).tolist()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two acknowledged batches: hours 0–4 and 5–9."""
    with Store(tmp_path / "readings", write=True) as store:
        series = store.series_id(KEY)
        store.append(some(series, 0))
        store.append(some(series, 5))
    return tmp_path / "readings"


def journal(root: Path) -> Path:
    (path,) = (root / "journal").glob("*.jnl")
    return path


def test_what_was_acknowledged_is_there_after_reopening(root: Path) -> None:
    assert hours_held(root) == list(range(10))


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_a_torn_tail_is_cut_and_writing_goes_on(root: Path, cut: int) -> None:
    path = journal(root)
    path.write_bytes(path.read_bytes()[:-cut])
    assert hours_held(root) == list(range(5)), "a reader passes over the torn frame"
    with Store(root, write=True) as store:
        store.append(some(0, 20))
    assert hours_held(root) == [*range(5), *range(20, 25)]
    assert Store(root).verify() == []


def test_half_a_frame_behind_the_last_true_one_is_cut(root: Path) -> None:
    path = journal(root)
    path.write_bytes(path.read_bytes() + pack_readings(99, some(0, 50))[:-3])
    with Store(root, write=True) as store:
        assert store.offset == 3
    assert hours_held(root) == list(range(10))


def test_a_flipped_byte_before_true_frames_is_damage_and_is_never_cut(root: Path) -> None:
    path = journal(root)
    data = bytearray(path.read_bytes())
    first_readings = frame_at(bytes(data), 0)
    assert first_readings is not None
    data[first_readings.end + 40] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(StoreDamagedError, match="true frames follow"):
        Store(root, write=True)
    assert path.read_bytes() == bytes(data)


def test_verify_of_an_open_store_reports_the_flipped_byte(root: Path) -> None:
    store = Store(root)
    path = journal(root)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    (fault,) = store.verify()
    assert path.name in fault


@pytest.mark.parametrize("at", range(0, 60, 3))
def test_no_flipped_bit_of_a_frame_goes_unseen(at: int) -> None:
    frame = pack_series(7, 0, [KEY, SeriesKey("H01-S03", "supply_temp", "supply")])
    broken = bytearray(frame)
    broken[at] ^= 0x40
    seen = frame_at(bytes(broken), 0)
    assert seen is None or at in (5, 6, 7) or bytes(broken) == frame


def test_one_writer_at_a_time_and_readers_beside_it(root: Path) -> None:
    with Store(root, write=True) as store:
        with pytest.raises(StoreBusyError, match="another process"):
            Store(root, write=True)
        reader = Store(root)
        store.append(some(0, 10))
        assert len(reader.read(0, 0, 2**40)) == 10
        reader.refresh()
        assert len(reader.read(0, 0, 2**40)) == 15
        with pytest.raises(StoreReadOnlyError):
            reader.append(some(0, 0))
        with pytest.raises(UnknownSeriesError):
            reader.series_id(SeriesKey("X", "room_temp"))
    Store(root, write=True).close()


def test_a_series_nobody_registered_is_refused(root: Path) -> None:
    with Store(root, write=True) as store, pytest.raises(UnknownSeriesError):
        store.append(some(12, 0))


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store, StoreFullError

root, size, act = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rng = np.random.default_rng(1)
with Store(root, write=True) as store:
    series = store.series_id(SeriesKey("B0042-1-0301", "room_temp", "living"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    acknowledged = 0
    try:
        for batch in range(400):
            hours = np.arange(batch * 50, batch * 50 + 50)
            value = rng.integers(1500, 2500, 50).astype(np.int32)
            store.append(ReadingBatch.of(series, 1_767_225_600 + 3600 * (100 + hours), value))
            acknowledged += 50
            if act == "compact" and batch == 20:
                store.compact()
    except StoreFullError as error:
        print(error, file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    held = len(store.read(series, 0, 2**40))
    store.append(ReadingBatch.of(series, np.array([1_767_225_600 + 3600 * 90_000]), np.array([2000], np.int32)))
    print(acknowledged, held)
"""


@pytest.mark.parametrize(("act", "size"), [("append", 9_000), ("compact", 3_600)])
def test_a_full_disk_says_so_and_loses_nothing(root: Path, act: str, size: int) -> None:
    """The limit on a file's size stands for the full disk: the same error path, with ENOSPC's sibling EFBIG."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(root), str(size), act],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    acknowledged, held = map(int, done.stdout.split())
    assert "make room and send again" in done.stderr
    assert 0 < acknowledged < 400 * 50, "the disk was full at some moment"
    assert held == acknowledged + 10
    store = Store(root)
    assert len(store.read(0, 0, 2**40)) == held + 1, "after room was made, writing went on"
    assert store.verify() == []
