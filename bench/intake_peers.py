"""The servers that the intake is compared with: each in a temporary folder, on the loopback, writing durably, warm before it is timed.

All of them take the same readings; a reading is one value of one series at one time.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import psycopg

from nuan.site.database import embedded_server_url

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


class Peer(Protocol):
    name: str

    def write(self, batch: Batch) -> None:
        """Returns when the server says that the batch is kept."""

    def count(self) -> int:
        """Readings that the server has."""


class OverHttp:
    """A server that takes line protocol at /write."""

    def __init__(self, name: str, port: int, count: "str | None" = None) -> None:
        self.name, self._counting = name, count
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "text/plain; charset=utf-8"}

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

    name = "postgresql_copy_upsert"

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=False)
        with self._connection.cursor() as cursor:
            for setting, wanted in (("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")):
                cursor.execute(f"SHOW {setting}")  # type: ignore[arg-type]
                shown = cursor.fetchone()
                assert shown == (wanted,), (setting, shown)
            cursor.execute("DROP TABLE IF EXISTS bench_reading")
            cursor.execute(
                "CREATE TABLE bench_reading (series int, time_s bigint, value int, PRIMARY KEY (series, time_s))"
            )
            cursor.execute(
                "CREATE TEMPORARY TABLE arriving (series int, time_s bigint, value int) ON COMMIT DELETE ROWS"
            )
        self._connection.commit()
        self._rows: dict[int, bytes] = {}

    def prepare(self, batch: Batch) -> None:
        """The text of COPY is made beforehand, as the body of a request is."""
        self._rows[id(batch)] = batch.rows()

    def write(self, batch: Batch) -> None:
        with self._connection.cursor() as cursor:
            with cursor.copy("COPY arriving FROM STDIN") as copy:
                copy.write(self._rows.pop(id(batch)))
            cursor.execute(
                "INSERT INTO bench_reading SELECT * FROM arriving ON CONFLICT (series, time_s) DO UPDATE SET value = EXCLUDED.value"
            )
        self._connection.commit()

    def count(self) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM bench_reading")
            row = cursor.fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        self._connection.close()


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path, patience_s: float = 60) -> Iterator[None]:
    """A server of ours, stopped by its own number."""
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
            yield
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
def influx(folder: Path) -> Iterator[OverHttp]:
    """InfluxDB 1.6 as Debian ships it; wal-fsync-delay 0s is its default: each write is synced before it is answered."""
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(INFLUX_CONFIG.format(folder=folder, port=port, rpc=free_port()), "utf-8")
    with (
        running(["influxd", "-config", str(config)], port, folder / "log"),
        closing(OverHttp("influxdb_1_6", port)) as peer,
    ):
        peer.ask("POST", "/query?q=CREATE%20DATABASE%20bench")
        yield peer


@contextmanager
def nuan(folder: Path) -> Iterator[OverHttp]:
    """One worker of the intake: uvicorn with httptools, one lane."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [sys.executable, "-m", "bench.intake_worker", str(folder / "store"), str(port)]
    with running(command, port, folder / "log"), closing(OverHttp("nuan", port)) as peer:
        yield peer


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """DATABASE_URL, else the embedded server in a folder of its own."""
    url = os.environ.get("BENCH_DATABASE_URL") or embedded_server_url(folder)
    with closing(Postgres(url)) as peer:
        yield peer
