"""The servers that the intake is compared with: each in a temporary folder, on the loopback, writing durably, warm before it is timed.

All of them take the same readings; a reading is one value of one series at one time.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import psycopg

from nuan.site.database import embedded_server_url
from nuan.telemetry.store.store import Store

FIELDS = ("supply_temp", "return_temp", "flow")
DEVICES = 10_000
TOKEN = "bench"


class Batch:
    """`lines` meters of `DEVICES`, three values each, at one moment: as a body for who speaks line protocol, as rows for who does not."""

    def __init__(self, lines: int, time_s: int, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self.meters = np.sort(chance.permutation(DEVICES)[:lines])
        self.values = np.stack(
            [chance.integers(low, high, lines) for low, high in ((40_00, 60_00), (30_00, 45_00), (0, 9_000))]
        )
        self.time_s = time_s
        self.body = "\n".join(
            f"heat,device=8800{meter:07d},site=H01-S{meter % 50:02d} "
            f"supply_temp={supply / 100:.2f},return_temp={back / 100:.2f},flow={flow / 1000:.3f} {time_s}"
            for meter, supply, back, flow in zip(self.meters.tolist(), *self.values.tolist(), strict=True)
        ).encode()

    def __len__(self) -> int:
        return self.values.size

    def rows(self) -> bytes:
        """For COPY: number of the series, time, value in steps. The numbers are a gift: looking them up is not counted."""
        series = (np.arange(len(FIELDS))[:, None] + len(FIELDS) * self.meters).ravel().tolist()
        return b"".join(
            b"%d\t%d\t%d\n" % (one, self.time_s, value)
            for one, value in zip(series, self.values.ravel().tolist(), strict=True)
        )


class Door(Protocol):
    """One connection to a server."""

    def prepare(self, batch: Batch) -> None:
        """What a sender has ready before it sends; not timed."""

    def write(self, batch: Batch) -> None:
        """Returns when the server says that the batch is kept."""

    def close(self) -> None: ...


@dataclass
class Peer:
    """A server with as many connections as there are senders at once, and the number of readings that it has."""

    name: str
    doors: Sequence[Door]
    count: Callable[[], int]
    processes: Sequence[int]

    def cpu_s(self) -> float:
        """Seconds of CPU that its processes used so far: unlike seconds of a clock, they do not depend on who else is at work."""
        return sum(_cpu_s(number) for number in self.processes)


def _cpu_s(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class OverHttp:
    """A server that takes line protocol at /write."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "text/plain; charset=utf-8"}

    def prepare(self, batch: Batch) -> None:
        """The body is ready."""

    def write(self, batch: Batch) -> None:
        self._connection.request("POST", "/write?db=bench&precision=s", batch.body, self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 204, (answer.status, said[:300])

    def ask(self, method: str, target: str) -> bytes:
        self._connection.request(method, target, headers=self._headers)
        return self._connection.getresponse().read()

    def close(self) -> None:
        self._connection.close()


class Postgres:
    """COPY into a temporary table, then one INSERT … ON CONFLICT DO UPDATE, then COMMIT with synchronous_commit on."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=False)
        self._rows: dict[int, bytes] = {}
        self.process = self._connection.info.backend_pid
        with self._connection.cursor() as cursor:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                shown = cursor.execute(f"SHOW {setting}").fetchone()  # type: ignore[arg-type]
                assert shown == ("on",), (setting, shown)
            columns = "series int, time_s bigint, value int"
            cursor.execute(f"CREATE TABLE IF NOT EXISTS bench_reading ({columns}, PRIMARY KEY (series, time_s))")  # type: ignore[arg-type]
            cursor.execute(f"CREATE TEMPORARY TABLE arriving ({columns}) ON COMMIT DELETE ROWS")  # type: ignore[arg-type]
        self._connection.commit()

    def prepare(self, batch: Batch) -> None:
        """The text of COPY is made beforehand, as the body of a request is."""
        self._rows[id(batch)] = batch.rows()

    def write(self, batch: Batch) -> None:
        with self._connection.cursor() as cursor:
            with cursor.copy("COPY arriving FROM STDIN") as copy:
                copy.write(self._rows.pop(id(batch)))
            # in the order of the key, so that two senders never wait for each other in a circle
            cursor.execute(
                "INSERT INTO bench_reading SELECT * FROM arriving ORDER BY series, time_s "
                "ON CONFLICT (series, time_s) DO UPDATE SET value = EXCLUDED.value"
            )
        self._connection.commit()

    def count(self) -> int:
        row = self._connection.execute("SELECT count(*) FROM bench_reading").fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        self._connection.close()


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path, patience_s: float = 60) -> Iterator[int]:
    """A server of ours, by the number of its process; it is stopped by that number."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + patience_s
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(log.read_text(errors="replace")[-2_000:]) from None
                    time.sleep(0.1)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


INFLUX_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  wal-fsync-delay = "0s"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[logging]
  level = "warn"
"""


@contextmanager
def influx(folder: Path, senders: int) -> Iterator[Peer]:
    """InfluxDB 1.6 as Debian ships it; wal-fsync-delay 0s is its default: each write is synced before it is answered."""
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(INFLUX_CONFIG.format(folder=folder, port=port, rpc=free_port()), "utf-8")
    with running(["influxd", "-config", str(config)], port, folder / "log") as process, ExitStack() as stack:
        doors = [stack.enter_context(closing(OverHttp(port))) for _ in range(senders)]
        doors[0].ask("POST", "/query?q=CREATE%20DATABASE%20bench")

        def count() -> int:
            answer = doors[0].ask("GET", "/query?db=bench&q=SELECT%20count(*)%20FROM%20heat")
            return sum(json.loads(answer)["results"][0]["series"][0]["values"][0][1:])

        yield Peer("influxdb_1_6", doors, count, [process])


@contextmanager
def nuan(folder: Path, senders: int) -> Iterator[Peer]:
    """One worker of the intake: uvicorn with httptools, one lane. Counted when the worker has stopped."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "bench.intake_worker", str(folder / "store"), str(port)]
    with running(command, port, folder / "log") as process, ExitStack() as stack:
        doors = [stack.enter_context(closing(OverHttp(port))) for _ in range(senders)]
        yield Peer("nuan", doors, lambda: in_store(folder / "store"), [process])


def in_store(root: Path) -> int:
    with Store(root, write=True) as store:
        return store.absorb().readings


@contextmanager
def postgres(folder: Path, senders: int) -> Iterator[Peer]:
    """The embedded server in a folder of its own, with its own settings; BENCH_DATABASE_URL names another."""
    url = os.environ.get("BENCH_DATABASE_URL") or embedded_server_url(folder)
    with ExitStack() as stack:
        doors = [stack.enter_context(closing(Postgres(url))) for _ in range(senders)]
        yield Peer("postgresql_copy_upsert", doors, doors[0].count, [door.process for door in doors])
