"""`kill -9` on the real command, with records and store of its own: afterwards the file is there whole or not at all, and never twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from nuan.operations.registry_files import write_templates
from nuan.telemetry.store import Store

HOURS = 30_000
MAPPING = "zone: Asia/Shanghai\nfiles: [{match: '*.csv', time: 时间, long: {place: 户号, value: 室温, is: {quantity: room_temp}}}]\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a machine of our own: a database beside the tests' one, an empty NUAN_HOME, and a small city."""
    database = settings.DATABASES["default"]
    name = f"killed_{os.getpid()}"
    where = {
        "user": database["USER"],
        "host": database["HOST"],
        "port": database["PORT"],
        "password": database["PASSWORD"],
    }
    where = {key: value for key, value in where.items() if value}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        server.execute(f"CREATE DATABASE {name}")
    login = f"{where['user']}:{where.get('password', '')}@"
    url = f"postgresql://{login}/{name}?host={where.get('host', 'localhost')}"
    yield {**os.environ, "NUAN_HOME": str(tmp_path / "var"), "DATABASE_URL": url}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def readings_in(folder: Path) -> int:
    if not (folder / "manifest.json").exists() and not (folder / "journal").exists():
        return 0
    with Store(folder) as store:
        assert store.verify() == []
        return sum(len(store.read(number, 0, 2**40)) for number in range(len(store.series)))


def journal_grows(readings: Path) -> bool:
    return any(path.stat().st_size > 4096 for path in (readings / "journal").glob("*.jnl"))


def segments_appear(readings: Path) -> bool:
    return any((readings / "segments").rglob("*.parquet*"))


@pytest.mark.parametrize("moment", [journal_grows, segments_appear], ids=["while appending", "while folding"])
def test_killed_and_started_again(tmp_path: Path, home: dict[str, str], moment: Callable[[Path], bool]) -> None:
    nuan = [sys.executable, "-c", "from nuan.cli.main import main; main()"]
    city, readings = tmp_path / "city", tmp_path / "var/readings"
    write_templates(city)
    (city / "登记表.xlsx").unlink()
    (tmp_path / "m.yaml").write_text(MAPPING)
    (tmp_path / "rooms.csv").write_text(
        "时间,户号,室温\n"
        + "".join(f"{1_600_000_000 + n * 3600},B0042-1-0301,{18 + n % 7 / 10:.1f}\n" for n in range(HOURS))
    )
    subprocess.run([*nuan, "import", "registry", str(city)], env=home, check=True, capture_output=True)
    command = [
        *nuan,
        "import",
        "readings",
        str(tmp_path / "rooms.csv"),
        "--mapping",
        str(tmp_path / "m.yaml"),
        "--json",
    ]

    with subprocess.Popen(command, env=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None and not moment(readings):
            time.sleep(0.0005)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)

    assert readings_in(readings) in (0, HOURS)
    for state in ({"imported", "unchanged"}, {"unchanged"}):
        again = subprocess.run(command, env=home, check=True, capture_output=True, text=True)
        assert json.loads(again.stdout)["files"][0]["state"] in state
        assert readings_in(readings) == HOURS
    with psycopg.connect(home["DATABASE_URL"]) as records:
        assert records.execute("SELECT count(*), sum(readings) FROM supervision_readingsimport").fetchone() == (
            1,
            HOURS,
        )
        assert records.execute("SELECT count(*) FROM audit_auditentry WHERE act = 'import_readings'").fetchone() == (1,)
