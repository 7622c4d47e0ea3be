"""The HTTP doors, answer by answer: what is taken, what is refused, in whose words, and whether the sender comes back."""

import asyncio
import gzip
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from serving import NOW, Intake, ask, asked, key, small_directory

from nuan.telemetry.intake.http import HttpLimits
from nuan.telemetry.protocols.details import detail_words

LINE = f"heat,device=88001234 supply_temp=55.3,return_temp=42.17,flow=12.345 {NOW}".encode()
SUPPLY = key("H01-S01", "supply_temp", "supply")
WRITES = (
    "/write?db=nuan&precision=s",
    "/api/v2/write?org=a&bucket=b&precision=s",
    "/api/v3/write_lp?db=nuan&precision=second",
)


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path)


@pytest.mark.parametrize("target", WRITES)
def test_a_good_body_is_on_disk_when_204_comes(intake: Intake, target: str) -> None:
    got = ask(intake, "POST", target, LINE)
    assert got is not None
    assert (got.status, got.body) == (204, b"")
    assert got.headers["x-influxdb-version"]
    assert intake.stored() == {
        SUPPLY: [(NOW, 5530)],
        key("H01-S01", "return_temp", "return"): [(NOW, 4217)],
        key("H01-S01", "flow", "primary"): [(NOW, 12345)],
    }
    assert (intake.heard[0].gateway, intake.heard[0].readings, intake.heard[0].newest_time_s) == ("G1", 3, NOW)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "Token secret-of-G1"}, ""),
        ({"authorization": "Bearer secret-of-G1"}, ""),
        ({"authorization": "token G1:secret-of-G1"}, ""),
        ({"authorization": "Basic RzE6c2VjcmV0LW9mLUcx"}, ""),
        ({"authorization": ""}, "&u=G1&p=secret-of-G1"),
        ({"authorization": ""}, "&p=secret%2Dof-G1"),
    ],
)
def test_each_way_to_say_who_one_is(intake: Intake, headers: dict[str, str], query: str) -> None:
    got = ask(intake, "POST", f"/write?precision=s{query}", LINE, headers)
    assert got is not None
    assert got.status == 204


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Token wrong",
        "Token",
        "Basic ???",
        "Basic RzE6d3Jvbmc=",
        "Basic RzI6c2VjcmV0LW9mLUcx",
        "Digest x",
        "Token G2:secret-of-G1",
    ],
)
def test_strangers_are_told_so_and_nothing_is_kept(intake: Intake, given: str) -> None:
    for target, field in zip(WRITES, ("error", "message", "error"), strict=True):
        got = ask(intake, "POST", target, LINE, {"authorization": given})
        assert got is not None
        assert (got.status, got.headers["www-authenticate"]) == (401, 'Basic realm="nuan"')
        assert "unauthorized" in got.json[field]
    assert intake.stored() == {}


def test_a_gateway_of_another_protocol_is_forbidden(intake: Intake) -> None:
    got = ask(intake, "POST", WRITES[1], LINE, {"authorization": "Token secret-of-M1"})
    assert got is not None
    assert (got.status, got.json["code"]) == (403, "forbidden")


def test_another_gateways_device_is_a_dead_letter_and_is_said(intake: Intake) -> None:
    body = b"heat,device=88001234 supply_temp=1 %d\nheat,host=99 supply_temp=44.4 %d" % (NOW, NOW)
    got = ask(intake, "POST", WRITES[1], body, {"authorization": "Token secret-of-G2"})
    assert got is not None
    assert got.status == 400
    assert got.json == {
        "code": "invalid",
        "message": "partial write: line 1: heat,device=88001234 supply_temp: no device is named dropped=1",
        "line": 1,
    }
    assert intake.stored() == {key("H02-S01", "supply_temp", "supply"): [(NOW, 4440)]}


def test_good_lines_are_kept_and_each_bad_one_is_a_dead_letter_with_its_reason(intake: Intake) -> None:
    body = "\n".join([
        f"heat,device=88001234 supply_temp=55.3 {NOW}",
        "heat,device=88001234 supply_temp=",
        f"heat,device=nobody supply_temp=1 {NOW}",
        f"heat,site=H01 supply_temp=1 {NOW}",
        f"heat,device=88001234 supply_temp=56,colour=3 {NOW + 1}",
        f'heat,device=88001234 supply_temp="hot" {NOW}',
        f"heat,device=88001234 supply_temp=true {NOW}",
        f"heat,device=88001234 supply_temp=1e300 {NOW}",
        f"heat,device=88001234 supply_temp=21474836.48 {NOW}",
        f"heat,device=88001234 supply_temp=1 {NOW + 86_401}",
        "heat,device=88001234 supply_temp=1 1",
        "also bad",
    ]).encode()  # fmt: skip
    got = ask(intake, "POST", "/write?precision=s", body)
    assert got is not None
    assert got.status == 400
    assert (
        got.json["error"]
        == "partial write: line 2: column 34: a field value is no number, boolean or quoted string dropped=11"
    )
    letters = {letter.reason: letter for letter in intake.dead()}
    assert {reason: letter.payload.count(b"\n") + 1 for reason, letter in letters.items()} == {
        "line": 2, "unknown_device": 1, "no_device": 1, "unknown_point": 1, "not_a_number": 2, "value_range": 2,
        "clock_ahead": 1, "clock_behind": 1,
    }  # fmt: skip
    assert letters["line"].payload == b"heat,device=88001234 supply_temp=\nalso bad"
    assert letters["line"].protocol == "line/s"
    assert (
        detail_words(letters["unknown_point"].detail)[1]
        == "1 line(s), precision s; line 5: heat,device=88001234 colour"
    )
    assert intake.stored() == {SUPPLY: [(NOW, 5530), (NOW + 1, 5600)]}


def test_names_that_nobody_keeps_are_no_problem(intake: Intake) -> None:
    body = b'heat,device=88001234 supply_temp=55.3,uptime=12i,host_name="gw" %d' % NOW
    got = ask(intake, "POST", "/write?precision=s", body)
    assert got is not None
    assert got.status == 204
    assert intake.stored() == {SUPPLY: [(NOW, 5530)]}


def test_version_3_lists_the_lines_at_fault(intake: Intake) -> None:
    got = ask(intake, "POST", "/api/v3/write_lp?db=x", LINE + b"\nbad")
    assert got is not None
    assert got.json["error"] == "partial write of line protocol occurred"
    assert got.json["data"] == [
        {"original_line": "bad", "line_number": 2, "error_message": "column 4: a tag key or a field is missing"}
    ]


def test_version_3_takes_nothing_where_the_sender_wants_all_or_nothing(intake: Intake) -> None:
    got = ask(intake, "POST", "/api/v3/write_lp?db=x&accept_partial=false&no_sync=true", LINE + b"\nbad")
    assert got is not None
    assert (got.status, got.json["error"]) == (400, "parsing failed for write_lp endpoint")
    assert intake.stored() == {}


def test_scales_are_exact_and_a_half_goes_away_from_zero(intake: Intake) -> None:
    rows = [
        ("heat,device=88001234 power=1.00005", key("H01-S01", "heat_power", "primary"), 10001),
        ("x,device=88001234 pressure_kpa=1234.56789", key("H01-S01", "pressure", "primary"), 12346),
        ("x,device=88001234 temp_f=-40i", key("H01-S01", "outdoor_temp", "roof"), -4000),
        ("room,device=5001 t=205u", key("B0042-1-0301", "room_temp", "living"), 2050),
        ("x,device=88001234 supply_temp=17.995", SUPPLY, 1800),
        ("x,device=88001234 return_temp=-0.005", key("H01-S01", "return_temp", "return"), -1),
        ("x,device=88001234 flow=0.00149999999999999999999999", key("H01-S01", "flow", "primary"), 1),
    ]
    got = ask(intake, "POST", "/write?precision=s", "\n".join(f"{line} {NOW}" for line, _, _ in rows).encode())
    assert got is not None
    assert got.status == 204, got.body
    assert intake.stored() == {series: [(NOW, steps)] for _, series, steps in rows}


def test_without_a_time_the_arrival_counts_and_a_part_of_a_second_is_cut(intake: Intake) -> None:
    body = b"heat,device=88001234 supply_temp=50\nheat,device=88001234 supply_temp=51 %d999" % (NOW - 5)
    got = ask(intake, "POST", "/write?precision=ms", body)
    assert got is not None
    assert got.status == 204
    assert intake.stored() == {SUPPLY: [(NOW - 5, 5100), (NOW, 5000)]}


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_gzip_and_chunks(intake: Intake, pieces: int) -> None:
    packed = gzip.compress(LINE, mtime=0) + gzip.compress(b"\n" + LINE, mtime=0)
    size = -(-len(packed) // pieces)
    body = [packed[at : at + size] for at in range(0, len(packed), size)]
    got = ask(intake, "POST", WRITES[0], body, {"content-encoding": "gzip"})
    assert got is not None
    assert got.status == 204


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(LINE, mtime=0)[:-9], "gzip", 400),
        (gzip.compress(LINE, mtime=0) + b"rest", "gzip", 400),
        (gzip.compress(bytes(2_000_000)), "gzip", 413),
        (bytes(20_001), "identity", 413),
        (zlib.compress(LINE), "deflate", 415),
        (LINE, "br", 415),
    ],
)
def test_bodies_that_are_not_taken(tmp_path: Path, body: bytes, encoding: str, status: int) -> None:
    intake = Intake(tmp_path, limits=HttpLimits(max_body_bytes=20_000))
    for target in WRITES:
        got = ask(intake, "POST", target, body, {"content-encoding": encoding})
        assert got is not None
        assert got.status == status
        assert got.json
    assert intake.stored() == {}


def test_a_length_that_is_too_large_is_refused_before_a_byte_is_read(tmp_path: Path) -> None:
    intake = Intake(tmp_path, limits=HttpLimits(max_body_bytes=20_000))
    got = ask(intake, "POST", WRITES[1], [], {"content-length": "20001"})
    assert got is not None
    assert (got.status, got.json["code"]) == (413, "request too large")


def test_who_hangs_up_in_the_middle_has_sent_nothing(intake: Intake) -> None:
    assert ask(intake, "POST", WRITES[0], [LINE, LINE], hang_up=True) is None
    assert intake.stored() == {}


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    intake = Intake(tmp_path, limits=HttpLimits(body_within_s=0.05))
    got = ask(intake, "POST", WRITES[1], [LINE, LINE], stall=True)
    assert got is not None
    assert (got.status, got.json["code"]) == (408, "request timeout")
    assert intake.stored() == {}


def test_bodies_at_once_are_bounded_and_room_comes_back(tmp_path: Path) -> None:
    intake = Intake(tmp_path, limits=HttpLimits(max_bytes_at_once=len(LINE)))
    got = ask(intake, "POST", WRITES[1], LINE + b" ")
    assert got is not None
    assert (got.status, got.headers["retry-after"]) == (503, "1")
    again = ask(intake, "POST", WRITES[1], LINE)
    assert again is not None
    assert again.status == 204


@pytest.mark.parametrize(("target", "status"), list(zip(WRITES, (503, 429, 429), strict=True)))
def test_a_gateway_over_its_rate_is_told_when_to_come_back(tmp_path: Path, target: str, status: int) -> None:
    """Version 1 answers 503: Telegraf's outputs.influxdb throws away what a 4xx answers, and a limit is no reason to lose readings."""
    intake = Intake(tmp_path, small_directory(max_readings_per_s=1))
    for _ in range(4):
        taken = ask(intake, "POST", target, LINE)
        assert taken is not None
        assert taken.status == 204
    got = ask(intake, "POST", target, LINE)
    assert got is not None
    assert (got.status, got.headers["retry-after"]) == (status, "4")
    intake.now += 4
    again = ask(intake, "POST", target, LINE)
    assert again is not None
    assert again.status == 204


def test_a_gateway_with_too_many_series_keeps_those_it_has(tmp_path: Path) -> None:
    intake = Intake(tmp_path, small_directory(max_series=2))
    got = ask(intake, "POST", WRITES[1], LINE)
    assert got is not None
    assert got.status == 400
    assert "more series than the gateway's limit allows" in got.json["message"]
    assert set(intake.stored()) == {SUPPLY, key("H01-S01", "return_temp", "return")}


def test_another_edition_of_the_directory_counts_at_once(intake: Intake) -> None:
    first = ask(intake, "POST", WRITES[1], LINE)
    directory = intake.directory
    intake.directory = replace(directory, version=2, devices={"G1": {}})
    second = ask(intake, "POST", WRITES[1], LINE)
    intake.directory = replace(directory, version=3, digests={})
    third = ask(intake, "POST", WRITES[1], LINE)
    assert [got.status for got in (first, second, third) if got is not None] == [204, 400, 401]


def test_a_disk_that_fails_makes_the_sender_come_back(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fdatasync", full)
    got = ask(intake, "POST", WRITES[1], LINE)
    assert got is not None
    assert (got.status, got.json["code"]) == (503, "unavailable")
    assert got.headers["retry-after"]
    monkeypatch.undo()
    after, health = ask(intake, "POST", WRITES[0], LINE), ask(intake, "GET", "/health")
    assert after is not None
    assert health is not None
    assert (after.status, health.status, health.json["status"]) == (503, 503, "fail")


def test_a_body_of_nothing_but_faults_is_cut_short_and_fills_no_memory(intake: Intake) -> None:
    for body in (b"m\n" * 100_001, b"".join(b"m,device=%d x=1\n" % number for number in range(100_001))):
        got = ask(intake, "POST", WRITES[1], body)
        assert got is not None
        assert got.status == 413
        assert "100001 lines are at fault" in got.json["message"]
        intake.now += 100
    assert intake.stored() == {}


def test_a_gateway_that_sends_only_rubbish_does_not_fill_the_disk(intake: Intake) -> None:
    """Of one reason a minute 600 letters are kept; the next minute says how many more there were."""

    async def send(count: int) -> None:
        for _ in range(count):
            await asked(intake, "POST", WRITES[1], b"rubbish")

    asyncio.run(send(603))
    intake.now += 60
    asyncio.run(send(1))
    letters = intake.dead()
    assert len(letters) == 602
    flood = next(letter for letter in letters if letter.reason == "flood")
    assert detail_words(flood.detail) == (
        "line：一分钟内另有 3 封，只计数",
        "line: 3 more within a minute, counted only",
    )


def test_two_bodies_with_the_same_new_device_at_once(intake: Intake) -> None:
    """The second must not be taken with numbers that the first is still asking for."""

    async def both() -> list[int]:
        bodies = [b"heat,device=88001234 supply_temp=%d,flow=1 %d" % (50 + number, NOW - number) for number in range(8)]
        got = await asyncio.gather(*(asked(intake, "POST", WRITES[0], body) for body in bodies))
        return [one.status for one in got if one is not None]

    assert asyncio.run(both()) == [204] * 8
    assert intake.stored()[SUPPLY] == [(NOW - number, 5000 + 100 * number) for number in reversed(range(8))]


def test_a_body_of_nothing_says_nothing(intake: Intake) -> None:
    for body in (b"", b"\n\n", b"# only a comment"):
        got = ask(intake, "POST", WRITES[0], body)
        assert got is not None
        assert got.status == 204


def test_a_wrong_precision_is_a_wrong_request(intake: Intake) -> None:
    got = ask(intake, "POST", "/api/v2/write?precision=weeks", LINE)
    assert got is not None
    assert (got.status, got.json["message"]) == (400, "no precision “weeks”; known: ns, us, ms, s, m, h")


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/ping", 204), ("HEAD", "/ping", 204), ("GET", "/ping?verbose=true", 200), ("POST", "/ping", 405),
        ("GET", "/health", 200), ("HEAD", "/health", 200), ("GET", "/settings", 200), ("GET", "/write", 405),
        ("PUT", "/api/v2/write", 405), ("OPTIONS", "/write", 204), ("OPTIONS", "/nowhere", 404), ("GET", "/nowhere", 404),
        ("GET", "/", 404), ("GET", "/api/v2/buckets?limit=1", 200), ("POST", "/api/v2/query", 400), ("POST", "/api/v3/query_sql", 400),
        ("GET", "/query", 400), ("POST", "/write/", 204), ("GET", "/write/%00", 404),
    ],
)  # fmt: skip
def test_every_other_door(intake: Intake, method: str, target: str, status: int) -> None:
    got = ask(intake, method, target)
    assert got is not None
    assert got.status == status
    if status == 405:
        assert "OPTIONS" in got.headers["allow"]
    if method == "HEAD":
        assert got.body == b""


@pytest.mark.parametrize("target", ["/query?q=SHOW+DATABASES", "/api/v2/buckets", "/api/v2/query", "/api/v3/query_sql"])
def test_doors_that_ask_for_credentials(intake: Intake, target: str) -> None:
    method = "POST" if "query" in target and "/query?" not in target else "GET"
    got = ask(intake, method, target, headers={"authorization": ""})
    assert got is not None
    assert got.status == 401


def test_what_is_asked_before_writing(intake: Intake) -> None:
    made = ask(intake, "POST", "/query", b"q=CREATE%20DATABASE%20%22city%22")
    shown = ask(intake, "GET", "/query?q=SHOW+DATABASES;show+retention+policies+on+nuan;show+measurements;select+1")
    assert made is not None
    assert shown is not None
    assert made.json == {"results": [{"statement_id": 0}]}
    databases, policies, measurements, select = shown.json["results"]
    assert databases["series"] == [{"name": "databases", "columns": ["name"], "values": [["nuan"]]}]
    assert policies["series"][0]["values"][0][0] == "autogen"
    assert measurements == {"statement_id": 2}
    assert "not queried here" in select["error"]
