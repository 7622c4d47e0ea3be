"""`nuan demo` from the outside: killed and asked again, asked twice, asked for another city, asked to start anew."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from nuan.cli.main import main; main()", "demo"]


@pytest.fixture
def home() -> Iterator[Path]:
    """A NUAN_HOME of its own with an embedded server of its own. Not under pytest's folder: run as root, the server is another user."""
    folder = Path(tempfile.mkdtemp(prefix="nuan-demo-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    return kept | {"NUAN_HOME": str(home), "PYTHONWARNINGS": "error::DeprecationWarning:nuan"}


def _demo(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], env=_environment(home), capture_output=True, text=True, timeout=300, check=False
    )


def _kill_when(home: Path, ready: str, *words: str) -> None:
    """Start the command and kill it without warning as soon as a file that matches `ready` is there."""
    process = subprocess.Popen(
        [*COMMAND, *words], env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not any(home.glob(ready)):
        assert process.poll() is None, "the command ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_asked_again_asked_twice_and_asked_anew(home: Path) -> None:
    _kill_when(home, "demo.json", "--homes", "200")
    _kill_when(home, "readings/manifest.json", "--homes", "200")

    built = _demo(home, "--homes", "200", "--json")
    assert built.returncode == 0, built.stderr[-2000:]
    facts = json.loads(built.stdout)
    assert (facts["state"], facts["homes"], facts["was_there"], facts["beyond"]) == ("done", 200, False, {})

    again = _demo(home, "--homes", "200")
    assert again.returncode == 0, again.stderr[-2000:]
    assert "什么也没有改动" in again.stdout
    assert "演示数据" in again.stdout

    other = _demo(home, "--homes", "250", "--json")
    assert other.returncode == 2
    assert "--fresh" in json.loads(other.stdout)["error"]

    anew = _demo(home, "--homes", "250", "--fresh", "--json")
    assert anew.returncode == 0, anew.stderr[-2000:]
    assert json.loads(anew.stdout)["homes"] == 250
    assert json.loads((home / "demo.json").read_text(encoding="utf-8"))["homes"] == 250


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--homes", "12"], "200", id="too small a city"),
        pytest.param(["--epw", "pyproject.toml"], "EPW", id="no weather file"),
    ],
)
def test_what_cannot_be_built_is_refused_in_words(home: Path, words: list[str], said: str) -> None:
    refused = _demo(home, *words)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not (home / "demo.json").exists()
