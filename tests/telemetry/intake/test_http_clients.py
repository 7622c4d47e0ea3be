"""Other people's clients, unmodified, against the running doors: what they write is stored, what they are told they understand."""

import base64
import gzip
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import influxdb
import influxdb_client
import influxdb_client_3
import pytest
import questdb
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions
from influxdb_client.rest import ApiException
from serving import NOW, Intake, key, listening, small_directory

SUPPLY = key("H01-S01", "supply_temp", "supply")
FLOW = key("H01-S01", "flow", "primary")
WHEN = datetime.fromtimestamp(NOW, UTC)


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path)


@pytest.fixture
def address(intake: Intake) -> Iterator[str]:
    with listening(intake) as address:
        yield address


def test_influxdb_client_of_version_2(intake: Intake, address: str) -> None:
    with influxdb_client.InfluxDBClient(address, token="secret-of-G1", org="city", enable_gzip=True) as client:
        assert client.ping()
        with client.write_api(write_options=SYNCHRONOUS) as writer:
            point = (
                influxdb_client.Point("heat").tag("device", "88001234").field("supply_temp", 55.3).field("flow", 12.5)
            )
            writer.write("nuan", record=point.time(WHEN))
            writer.write("nuan", record=f"heat,device=88001234 supply_temp=56i {NOW + 1}", write_precision="s")
            writer.write("nuan", record={"measurement": "heat", "tags": {"device": "88001234"}, "fields": {"flow": 13.0}, "time": NOW + 1}, write_precision="s")  # fmt: skip
            with pytest.raises(ApiException) as bad:
                writer.write("nuan", record=f"heat,device=nobody supply_temp=1 {NOW}", write_precision="s")
        assert bad.value.status == 400
        assert json.loads(bad.value.body)["line"] == 1
    assert intake.stored() == {SUPPLY: [(NOW, 5530), (NOW + 1, 5600)], FLOW: [(NOW, 12500), (NOW + 1, 13000)]}


def test_influxdb_client_in_batches_gives_up_on_bad_lines_and_does_not_send_them_for_ever(
    intake: Intake, address: str
) -> None:
    failures: list[str] = []
    with influxdb_client.InfluxDBClient(address, token="secret-of-G1", org="city") as client:
        options = WriteOptions(batch_size=500, flush_interval=100, max_retries=3, retry_interval=50)
        with client.write_api(options, error_callback=lambda conf, data, error: failures.append(str(error))) as writer:
            for second in range(1_200):
                writer.write(
                    "nuan",
                    record=f"heat,device=88001234 supply_temp={50 + second % 10} {NOW + second}",
                    write_precision="s",
                )
            writer.write("nuan", record=f"heat,device=nobody supply_temp=1 {NOW}", write_precision="s")
    assert len(failures) == 1
    assert "dropped=1" in failures[0]
    assert len(intake.stored()[SUPPLY]) == 1_200
    assert [letter.reason for letter in intake.dead()] == ["unknown_device"]


def test_influxdb_client_waits_when_told_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """429 with Retry-After: the batch comes again, and nothing is lost."""
    intake = Intake(tmp_path, small_directory(max_readings_per_s=200))
    lines = [f"heat,device=88001234 supply_temp=50 {NOW + second}" for second in range(4_002)]

    def grow_patient() -> None:
        while "Retry in" not in caplog.text:
            time.sleep(0.02)
        intake.now += 100

    later = threading.Thread(target=grow_patient, daemon=True)
    later.start()
    with (
        listening(intake) as address,
        influxdb_client.InfluxDBClient(address, token="secret-of-G1", org="city") as client,
        client.write_api(
            WriteOptions(batch_size=2_001, flush_interval=60_000, retry_interval=50, jitter_interval=0)
        ) as writer,
    ):
        writer.write("nuan", record=lines[:2_001], write_precision="s")
        writer.write("nuan", record=lines[2_001:], write_precision="s")
    later.join(timeout=30)
    assert "sends more than 200 readings a second'. Retry in 1s" in caplog.text
    assert len(intake.stored()[SUPPLY]) == 4_002


def test_influxdb_of_version_1(intake: Intake, address: str) -> None:
    client = influxdb.InfluxDBClient("127.0.0.1", intake.port, "G1", "secret-of-G1", "nuan", gzip=True)
    assert client.ping()
    client.create_database("nuan")
    assert client.get_list_database() == [{"name": "nuan"}]
    assert client.get_list_retention_policies()[0]["name"] == "autogen"
    point = {"measurement": "heat", "tags": {"device": "88001234"}, "fields": {"supply_temp": 55.3}, "time": NOW}
    assert client.write_points([point], time_precision="s", retention_policy="autogen")
    assert client.write_points([f"heat,device=88001234 flow=1.5 {NOW}000"], time_precision="ms", protocol="line")
    with pytest.raises(influxdb.exceptions.InfluxDBClientError, match="dropped=1") as bad:
        client.write_points([{**point, "tags": {"device": "nobody"}}], time_precision="s")
    assert bad.value.code == 400
    client.close()
    with pytest.raises(influxdb.exceptions.InfluxDBClientError, match="unauthorized"):
        influxdb.InfluxDBClient("127.0.0.1", intake.port, "G1", "wrong", "nuan").write_points([point])
    assert intake.stored() == {SUPPLY: [(NOW, 5530)], FLOW: [(NOW, 1500)]}


@pytest.mark.parametrize("no_sync", [False, True])
def test_influxdb3_python(intake: Intake, address: str, no_sync: bool) -> None:
    options = influxdb_client_3.write_client_options(
        write_options=influxdb_client_3.WriteOptions(
            write_type=influxdb_client_3.WriteType.synchronous, no_sync=no_sync, use_v2_api=False
        )
    )
    with influxdb_client_3.InfluxDBClient3(
        host=address, token="secret-of-G1", database="nuan", write_client_options=options
    ) as client:
        client.write(influxdb_client_3.Point("heat").tag("device", "88001234").field("supply_temp", 55.3).time(WHEN))
        client.write(f"heat,device=88001234 flow=2.5 {NOW}", write_precision="s")
        with pytest.raises(
            influxdb_client_3.InfluxDBError,
            match="line 1: heat,device=nobody supply_temp: the device is not registered",
        ):
            client.write(f"heat,device=nobody supply_temp=1 {NOW}", write_precision="s")
    assert intake.stored() == {SUPPLY: [(NOW, 5530)], FLOW: [(NOW, 2500)]}


def test_influxdb3_python_over_the_door_of_version_2(intake: Intake, address: str) -> None:
    with influxdb_client_3.InfluxDBClient3(
        host=address, token="secret-of-G1", database="nuan", write_use_v2_api=True
    ) as client:
        client.write(influxdb_client_3.Point("heat").tag("device", "88001234").field("supply_temp", 55.3).time(WHEN))
    assert intake.stored() == {SUPPLY: [(NOW, 5530)]}


@pytest.mark.parametrize("credentials", ["token=secret-of-G1", "username=G1;password=secret-of-G1"])
def test_questdb_over_http(intake: Intake, address: str, credentials: str) -> None:
    with questdb.Sender.from_conf(f"http::addr=127.0.0.1:{intake.port};{credentials};") as sender:
        sender.row(
            "heat",
            symbols={"device": "88001234"},
            columns={"supply_temp": 55.3, "flow": 2.0},
            at=questdb.TimestampNanos(NOW * 10**9),
        )
        sender.row(
            "heat",
            symbols={"device": "88001234"},
            columns={"supply_temp": 56},
            at=questdb.TimestampMicros(NOW * 10**6 + 10**6),
        )
        sender.flush()
        sender.row("heat", symbols={"device": "nobody"}, columns={"supply_temp": 1.0}, at=questdb.ServerTimestamp)
        with pytest.raises(questdb.QuestDBError, match="not registered"):
            sender.flush()
        sender.clear() if hasattr(sender, "clear") else None
    assert intake.stored() == {SUPPLY: [(NOW, 5530), (NOW + 1, 5600)], FLOW: [(NOW, 2000)]}


@pytest.fixture
def send(intake: Intake, address: str) -> Iterator["Exchange"]:
    with closing(Exchange(intake)) as exchange:
        yield exchange


class Exchange:
    """Requests as a program sends them, over one connection that is kept."""

    def __init__(self, intake: Intake) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", intake.port, timeout=10)

    def close(self) -> None:
        self.connection.close()

    def __call__(self, method: str, target: str, headers: dict[str, str], body: object = None) -> tuple[int, bytes]:
        self.connection.request(
            method, target, body, headers, encode_chunked=headers.get("Transfer-Encoding") == "chunked"
        )  # type: ignore[arg-type]
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def test_the_exchange_of_telegraf_with_outputs_influxdb(intake: Intake, send: Exchange) -> None:
    """CREATE DATABASE first, then batches of metrics, gzipped and chunked because Go pipes them through its compressor."""
    basic = "Basic " + base64.b64encode(b"G1:secret-of-G1").decode()
    common = {"User-Agent": "Telegraf/1.30.0 Go/1.22", "Authorization": basic}
    status, answer = send(
        "POST",
        "/query",
        {**common, "Content-Type": "application/x-www-form-urlencoded"},
        b"q=CREATE+DATABASE+%22telegraf%22",
    )
    assert (status, json.loads(answer)) == (200, {"results": [{"statement_id": 0}]})
    metrics = "".join(
        f"heat,device=88001234,host=gw-1 supply_temp={50 + n % 5},flow={n}i {(NOW + n) * 10**9}\n" for n in range(1_000)
    ).encode()
    packed = gzip.compress(metrics)
    pieces = iter([packed[at : at + 4_096] for at in range(0, len(packed), 4_096)])
    headers = {
        **common,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Encoding": "gzip",
        "Transfer-Encoding": "chunked",
    }
    assert send("POST", "/write?db=telegraf&rp=", headers, pieces) == (204, b"")
    status, answer = send("POST", "/write?db=telegraf", {**common}, metrics + b"cpu,host=gw-1 usage=1 5\n")
    assert status == 400
    assert "partial write" in json.loads(answer)["error"]
    assert len(intake.stored()[SUPPLY]) == 1_000


def test_the_exchange_of_telegraf_with_outputs_influxdb_v2(intake: Intake, send: Exchange) -> None:
    body = gzip.compress(f"heat,device=88001234 supply_temp=55.3 {NOW * 10**9}\n".encode())
    headers = {
        "User-Agent": "Telegraf/1.30.0",
        "Authorization": "Token secret-of-G1",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Encoding": "gzip",
    }
    assert send("POST", "/api/v2/write?bucket=nuan&org=city", headers, body) == (204, b"")
    assert intake.stored() == {SUPPLY: [(NOW, 5530)]}


def test_the_exchange_of_node_red(intake: Intake, send: Exchange) -> None:
    """node-influx (version 1) names the databases first and gives credentials in the query; version 2 is the client of JavaScript."""
    status, answer = send("GET", "/query?u=G1&p=secret-of-G1&q=show%20databases", {})
    assert status == 200
    assert json.loads(answer)["results"][0]["series"][0]["values"] == [["nuan"]]
    query = "/write?precision=ms&rp=&db=nuan&u=G1&p=secret-of-G1"
    assert send("POST", query, {"content-type": "application/x-www-form-urlencoded"}, f"heat,device=88001234 supply_temp=55.3 {NOW}000".encode())[0] == 204  # fmt: skip
    headers = {
        "authorization": "Token secret-of-G1",
        "content-type": "text/plain; charset=utf-8",
        "accept": "application/json",
    }
    assert send("POST", "/api/v2/write?org=city&bucket=nuan&precision=ms", headers, f"heat,device=88001234 flow=1 {NOW}000".encode())[0] == 204  # fmt: skip
    assert intake.stored() == {SUPPLY: [(NOW, 5530)], FLOW: [(NOW, 1000)]}


def test_the_exchange_of_emqx(intake: Intake, send: Exchange) -> None:
    """Its connector looks at /ping, tries its credentials, then posts batches of lines."""
    token = {"Authorization": "Token secret-of-G1"}
    assert send("GET", "/ping", {})[0] == 204
    assert send("GET", "/api/v2/buckets?limit=1", token)[0] == 200
    assert send("GET", "/api/v2/buckets?limit=1", {"Authorization": "Token wrong"})[0] == 401
    assert send("GET", "/query?db=nuan&u=G1&p=secret-of-G1", {})[0] == 400
    assert send("GET", "/query?db=nuan&u=G1&p=wrong", {})[0] == 401
    assert send("POST", "/api/v3/query_sql", token)[0] == 400
    body = f"heat,device=88001234 supply_temp=55.3,flow=2u {NOW}000\nheat,device=88001234 flow=3i {NOW + 1}000".encode()
    assert (
        send(
            "POST",
            "/api/v2/write?bucket=nuan&org=city&precision=ms",
            {**token, "Content-Type": "text/plain; charset=utf-8"},
            body,
        )[0]
        == 204
    )
    assert intake.stored() == {SUPPLY: [(NOW, 5530)], FLOW: [(NOW, 2000), (NOW + 1, 3000)]}


def test_a_connection_lives_on_after_each_kind_of_answer(intake: Intake, send: Exchange) -> None:
    token = {"Authorization": "Token secret-of-G1"}
    line = f"heat,device=88001234 supply_temp=55.3 {NOW}".encode()
    wanted = [
        (204, token, line),
        (401, {}, line),
        (400, token, b"bad"),
        (415, {**token, "Content-Encoding": "br"}, line),
    ]
    for _ in range(3):
        for status, headers, body in wanted:
            assert send("POST", "/api/v2/write?precision=s", headers, body)[0] == status
    assert send("HEAD", "/ping", {})[0] == 204
    assert send("OPTIONS", "/write", {})[0] == 204


def test_many_senders_at_once(intake: Intake, address: str) -> None:
    """Ten connections, a hundred requests each, all acknowledged, all there, fewer syncs than requests."""
    failed: list[object] = []

    def work(number: int) -> None:
        with closing(Exchange(intake)) as send:
            write(number, send)

    def write(number: int, send: Exchange) -> None:
        for step in range(100):
            line = f"heat,device=88001234 supply_temp={number},flow={step} {NOW - number * 1_000 - step}".encode()
            got = send("POST", "/write?precision=s", {"Authorization": "Token secret-of-G1"}, line)
            if got[0] != 204:
                failed.append(got)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert intake.commit.counts.syncs < 1_000
    assert len(intake.stored()[SUPPLY]) == 1_000
