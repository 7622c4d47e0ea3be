"""`nuan store`: what it says and with which exit code; the work itself is tested with the store."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from nuan.cli.main import main
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Lane, Store

START = 1_767_196_800
FLOW = SeriesKey("H01-S03", "flow", "primary")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """January in quarters of an hour, and a lane that nobody has taken over."""
    root = tmp_path / "readings"
    with Store(root, write=True) as store, Lane(root, "w1") as lane:
        times = START + 900 * np.arange(2000)
        store.append(ReadingBatch.of(store.series_id(FLOW), times, np.arange(2000, dtype=np.int32)))
        lane.put(ReadingBatch.of(int(lane.register([FLOW])[0]), times[-1:] + 900, np.array([7], np.int32)), START)
        lane.sync()
    return root


def nuan(*arguments: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, ["store", *map(str, arguments)], input=answer)


def test_compact_takes_over_and_folds(root: Path) -> None:
    done = nuan("compact", "--root", root, "--json")
    assert json.loads(done.output) == {"taken_over": 1, "folded": 2001, "series": 0}
    assert "2,001" in nuan("stats", "--root", root).output
    assert json.loads(nuan("stats", "--root", root, "--json").output)["readings"] == 2001


def test_compact_beside_a_writer_says_so(root: Path) -> None:
    with Store(root, write=True):
        done = nuan("compact", "--root", root)
    assert (done.exit_code, "another process writes" in done.output) == (2, True)


def test_retain_asks_before_anything_goes(root: Path) -> None:
    nuan("compact", "--root", root)
    moment = ("--as-of", "2026-04-01")
    dry = json.loads(nuan("retain", "--root", root, "--dry-run", "--json", *moment).output)
    assert [row["rows"] for row in dry["would_go"]] == [2001]
    refused = nuan("retain", "--root", root, *moment, answer="n\n")
    assert (refused.exit_code, "nothing was done" in refused.output) == (2, True)
    assert Store(root).stats().readings == 2001
    done = json.loads(nuan("retain", "--root", root, "--yes", "--json", *moment).output)
    assert done["readings"] == 2001
    assert "没有到期" in nuan("retain", "--root", root, *moment).output


def test_a_policy_with_faults_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("room_temp: {raw_days: 9}", "utf-8")
    done = nuan("retain", "--root", root, "--policy", tmp_path / "p.yaml")
    assert (done.exit_code, "ground" in done.output) == (2, True)


def test_verify_says_what_is_wrong(root: Path, tmp_path: Path) -> None:
    nuan("compact", "--root", root)
    assert nuan("verify", "--root", root).exit_code == 0
    path = next((root / "segments").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1])
    done = nuan("verify", "--root", root, "--json")
    assert (done.exit_code, len(json.loads(done.output)["faults"])) == (1, 1)


def test_verify_while_an_intake_folds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folds while the files are being read: what was begun with stays until it is read."""
    nuan("compact", "--root", root)
    real = Store.verify

    def beside_folds(self: Store) -> list[str]:
        with Store(root, write=True) as store:
            for minute in range(2):
                times = np.array([START + 60 * minute + 7])
                store.append(ReadingBatch.of(store.series_id(FLOW), times, np.array([minute], np.int32)))
                store.compact()
        return real(self)

    monkeypatch.setattr(Store, "verify", beside_folds)
    done = nuan("verify", "--root", root)
    assert (done.exit_code, "Every byte" in done.output) == (0, True)


def test_backup_and_restore(root: Path, tmp_path: Path) -> None:
    done = json.loads(nuan("backup", tmp_path / "b", "--root", root, "--name", "x", "--json").output)
    assert done["copied"] == done["bytes"] > 0
    assert nuan("verify", "--backup", tmp_path / "b").exit_code == 0
    assert nuan("backup", tmp_path / "b", "--root", root, "--name", "x").exit_code == 2
    assert "校验无误" in nuan("restore", tmp_path / "b", tmp_path / "back").output
    assert nuan("restore", tmp_path / "b", tmp_path / "back").exit_code == 2
    assert json.loads(nuan("compact", "--root", tmp_path / "back", "--json").output)["taken_over"] == 1


@pytest.mark.parametrize("command", ["compact", "verify", "stats", "retain"])
def test_where_there_is_no_store(command: str, tmp_path: Path) -> None:
    done = nuan(command, "--root", tmp_path / "nowhere")
    assert (done.exit_code, "there is no store" in done.output) == (2, True)
    assert not (tmp_path / "nowhere").exists()
