"""Letting go and rolling up beside a running intake: its writer does what only it can do, readers keep the files they read, nothing is lost."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from intake_parts import until

from nuan.cli.store import store as store_command
from nuan.operations import store_asks
from nuan.operations.store_asks import AskRefusedError, ask, folded_store, let_go
from nuan.telemetry.engine.engines import DuckDb
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Lane, Store
from nuan.telemetry.store.errors import StoreBusyError

DAY = 86_400
START = 1_767_196_800
"""2026-01-01 00:00 in China."""
FLOW = SeriesKey("H01-S03", "flow", "secondary")
POLICY = "flow: {raw_days: 30, steps: {1m: 60, 1h: forever}}"
LATER = START + 70 * DAY


@contextmanager
def folding(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process of `nuan intake` that writes the store."""
    (home / "intake").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "nuan.operations.intake_folding"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"root": str(home / "readings"), "folder": str(home / "intake")}).encode() + b"\n")
    process.stdin.flush()
    try:
        until(lambda: (home / "intake" / "fold.json").exists())
        yield process
    finally:
        process.stdin.close()
        assert process.wait(60) == 0


class Sender(threading.Thread):
    """A worker that goes on taking in, a reading a second of device time; `safe`: how many are acknowledged."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True)
        self.root, self.safe, self.stop = root, 0, threading.Event()

    def run(self) -> None:
        with Lane(self.root, "w0") as lane:
            series = int(lane.register([FLOW])[0])
            while not self.stop.is_set():
                times = START + 65 * DAY + np.arange(self.safe, self.safe + 10)
                lane.put(ReadingBatch.of(series, times, np.full(10, 1000, np.int32)), int(times[-1]))
                lane.sync()
                self.safe += 10
                time.sleep(0.005)

    def __enter__(self) -> "Sender":
        self.start()
        until(lambda: self.safe)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.join(30)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two months of flow, every ten minutes."""
    with Store(tmp_path / "readings", write=True, buckets=1) as store:
        times = START + np.arange(0, 62 * DAY, 600, dtype=np.int64)
        store.append(ReadingBatch.of(store.series_id(FLOW), times, np.full(len(times), 1500, np.int32)))
        store.compact()
    return tmp_path


def test_letting_go_beside_a_running_intake(home: Path) -> None:
    policy = home / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    root = home / "readings"
    hours = Store(root).dense_hours("flow", 0, START, 62 * 24, reduce="mean").hours.tolist()
    with folding(home), Sender(root) as sender:
        words = ["retain", "--root", str(root), "--policy", str(policy), "--as-of", "2026-03-12", "--yes", "--json"]
        done = CliRunner().invoke(store_command, words)
        assert done.exit_code == 0, done.output
        report = json.loads(done.output.splitlines()[-1])
        assert (report["readings"], report["late"]) == (31 * 144, 0)
        went_on = sender.safe
        until(lambda: sender.safe > went_on)
    store = Store(root)
    assert len(store.read(0, START, START + 31 * DAY)) == 0, "January is in steps"
    assert store.dense_hours("flow", 0, START, 62 * 24, reduce="mean").hours.tolist() == hours
    assert len(store.read(0, START + 65 * DAY, START + 70 * DAY)) == sender.safe, "every acknowledged reading, once"
    assert store.verify() == []
    assert list((home / "intake" / "asks").iterdir()) == []


def test_an_engine_reads_files_that_stay_while_the_writer_folds_on(home: Path) -> None:
    """A roll-up takes minutes, and the writer publishes meanwhile: what it began with is there until it ends, and gone afterwards."""
    root = home / "readings"
    with folding(home), Sender(root) as sender:
        with folded_store(root, home / "intake") as store:
            acknowledged = len(store.read(0, START + 65 * DAY, START + 70 * DAY))
            assert acknowledged > 0
            assert store.tail.readings == 0
            files = store.segment_files("flow", 0, START, START + 70 * DAY)
            for _ in range(3):
                before = sender.safe
                until(lambda before=before: sender.safe > before)
                ask(home / "intake", {"what": "compact"})
            assert Store(root).manifest.sequence > store.manifest.sequence
            engine = DuckDb()
            engine.files("readings", files, {"series": "bigint", "time_s": "bigint", "value": "int", "flags": "int"})
            counted = engine.ask("select count(*) as n from readings")["n"].to_pylist()[0]
            engine.close()
            assert counted == 62 * 144 + acknowledged, "what came while it lasted is not in it"
        for _ in range(2):
            before = sender.safe
            until(lambda before=before: sender.safe > before)
            ask(home / "intake", {"what": "compact"})
        standing = set(Store(root).segment_files("flow", 0, START, START + 70 * DAY))
        assert set(files) - standing
        assert not any(path.exists() for path in set(files) - standing), "nobody holds them any more"
    assert len(Store(root).read(0, START + 65 * DAY, START + 70 * DAY)) == sender.safe


def test_a_reader_that_dies_holds_nothing(home: Path) -> None:
    root = home / "readings"
    script = f"from nuan.telemetry.store import Store\nimport os\nwith Store({str(root)!r}).held(): os._exit(1)"
    subprocess.run([sys.executable, "-c", script], check=False)
    with Store(root, write=True) as store:
        for number in range(3):
            store.append(ReadingBatch.of(0, np.array([START + 66 * DAY + number]), np.array([1], np.int32)))
            store.compact()
        assert len(list((root / "segments").rglob("2026-03*.parquet"))) == 2, "the state, and the one before it"


def test_without_an_intake_it_is_done_at_once(home: Path) -> None:
    report = let_go(home / "readings", home / "intake", POLICY, LATER)
    assert report.readings == 31 * 144
    with folded_store(home / "readings", home / "intake") as store:
        assert store.tail.readings == 0


def test_somebody_else_writes_and_answers_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_asks, "HEARD_S", 0.3)
    with Store(home / "readings", write=True), pytest.raises(StoreBusyError):
        let_go(home / "readings", home / "intake", POLICY, LATER)
    assert list((home / "intake" / "asks").iterdir()) == []


def test_what_the_writer_refuses_is_its_sentence(home: Path) -> None:
    with folding(home):
        with pytest.raises(AskRefusedError, match="no such thing"):
            ask(home / "intake", {"what": "delete everything"})
        with pytest.raises(AskRefusedError, match="ground"):
            let_go(home / "readings", home / "intake", "room_temp: {raw_days: 3}", LATER)
