"""The dispatcher's pages: what stands on top, what a click does and does not, whose alarms one sees, and that no door is in them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nuan.operations.alarm_settings import add_notice_route
from nuan.records.audit.models import AuditEntry
from nuan.records.monitoring.models import Alarm, AlarmDefinition, LivePoint, LiveValue, Notice, NoticeRoute, QualityDay
from nuan.telemetry.readings import Flag
from nuan.web.wording import english
from small_city import AS_OF
from small_storm import stormy

Cast = Callable[[str | None], Client]


@pytest.fixture(autouse=True)
def quarter_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are looked at when the small city's data end."""
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: AS_OF)


@pytest.fixture
def storm(city: None) -> Alarm:
    return stormy()


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    body = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)) if not path.endswith(".csv") else body


def test_dispatchers_begin_at_their_alarms(as_cast: Cast) -> None:
    assert as_cast("陈调度").get("/")["Location"] == "/alarms/"
    assert as_cast("刘科").get("/")["Location"] == "/board/"


def test_an_outage_is_one_row_with_what_hangs_on_it(as_cast: Cast, storm: Alarm) -> None:
    body = text(as_cast("陈调度"), "/alarms/")
    assert body.count("换热站循环停止") == 1
    assert "牵连 3 条" in body
    assert body.count("室内温度很低") == 1, "the home of the other station stands for itself"
    assert "15 分钟前" in body
    assert "&lt; 0.5 m³/h" in body
    assert "暖城小区1号楼 · 1 单元" in text(as_cast("陈调度"), f"/alarms/{storm.pk}/")


def test_nobody_sees_anothers_alarms(as_cast: Cast, storm: Alarm) -> None:
    assert "没有未了结的告警" in text(as_cast("外人"), "/alarms/")
    assert as_cast("外人").get(f"/alarms/{storm.pk}/").status_code == 404
    assert len(text(as_cast("外人"), "/alarms.csv").splitlines()) == 1
    assert len(text(as_cast("乌主任"), "/alarms.csv").splitlines()) == 3


@pytest.mark.parametrize(
    "path", ["/alarms/", "/alarms.csv", "/alarms/ROOT/", "/live/", "/live/H01-S01/", "/quality/", "/notices/"]
)
def test_no_page_of_alarms_shows_a_door(as_cast: Cast, storm: Alarm, path: str) -> None:
    body = as_cast("刘科").get(path.replace("ROOT", str(storm.pk)))
    raw = (b"".join(body.streaming_content) if body.streaming else body.content).decode()  # type: ignore[attr-defined]
    assert not re.search(r"B00\d-1-\d{4}", raw)
    assert "王秀兰" not in raw


def post(client: Client, alarms: list[Alarm], act: str, **more: str) -> int:
    return client.post(
        "/alarms/act/", {"alarm": [a.pk for a in alarms], "act": act, "next": "/alarms/"} | more
    ).status_code


def test_acknowledging_is_seen_once_and_by_name(as_cast: Cast, storm: Alarm) -> None:
    client = as_cast("陈调度")
    assert [post(client, [storm], "acknowledge", comment="已派老张") for _ in range(2)] == [302, 302]
    storm.refresh_from_db()
    assert (storm.acknowledged_by, storm.comment) == ("陈调度", "已派老张")
    assert AuditEntry.objects.filter(act="acknowledge_alarms").count() == 1
    assert "已派老张" in text(client, f"/alarms/{storm.pk}/")


def test_many_at_once(as_cast: Cast, storm: Alarm) -> None:
    assert post(as_cast("老张"), list(Alarm.objects.filter(parent=None)), "acknowledge") == 302
    assert Alarm.objects.filter(acknowledged=True).count() == 2


@pytest.mark.parametrize(
    ("person", "act", "status", "changed"),
    [
        ("陈调度", "shelve", 302, True),
        ("老张", "shelve", 404, False),
        ("小李", "acknowledge", 404, False),
        ("刘科", "acknowledge", 404, False),
        ("王阿姨", "acknowledge", 404, False),
        (None, "acknowledge", 302, False),
        ("陈调度", "dance", 404, False),
    ],
)
def test_who_may_do_what(as_cast: Cast, storm: Alarm, person: str | None, act: str, status: int, changed: bool) -> None:
    assert post(as_cast(person), [storm], act, hours="4", why="检修") == status
    assert AuditEntry.objects.filter(act__contains="alarms").exists() == changed


def test_a_stranger_changes_nothing_of_ours(as_cast: Cast, storm: Alarm) -> None:
    from nuan.records.accounts.models import Role, User

    User.objects.create(username="远方", display_name="远方", role=Role.DISPATCH, company_id="C02")
    assert post(as_cast("远方"), [storm], "acknowledge") == 302
    storm.refresh_from_db()
    assert not storm.acknowledged


@pytest.mark.parametrize(
    "more", [{"hours": "4"}, {"hours": "9999", "why": "检修"}, {"why": "检修"}, {"hours": "-1", "why": "检修"}]
)
def test_a_shelf_without_reason_or_end_is_refused(as_cast: Cast, storm: Alarm, more: dict[str, str]) -> None:
    client = as_cast("陈调度")
    assert post(client, [storm], "shelve", **more) == 302
    assert 'class="message error"' in client.get("/alarms/").content.decode()
    storm.refresh_from_db()
    assert storm.shelved_until is None


def test_the_shelf_and_back(as_cast: Cast, storm: Alarm) -> None:
    client = as_cast("陈调度")
    post(client, [storm], "shelve", hours="4", why="换泵")
    storm.refresh_from_db()
    assert storm.shelved_until == AS_OF + timedelta(hours=4)
    assert "换热站循环停止" not in text(client, "/alarms/")
    assert "换热站循环停止" in text(client, "/alarms/?show=shelved")
    post(client, [storm], "unshelve")
    assert "换热站循环停止" in text(client, "/alarms/")


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/logout/", ""])
def test_the_way_back_leads_to_the_alarms(as_cast: Cast, storm: Alarm, back: str) -> None:
    answer = as_cast("陈调度").post("/alarms/act/", {"alarm": storm.pk, "act": "acknowledge", "next": back})
    assert answer["Location"] == "/alarms/"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 2),
        ("?priority=1", 1),
        ("?priority=x", 2),
        ("?station=H01-S01", 4),
        ("?show=closed", 0),
        ("?company=C02", 0),
        ("?code=home_cold", 1),
        ("?page=99", 2),
    ],
)
def test_filters(as_cast: Cast, storm: Alarm, query: str, rows: int) -> None:
    assert as_cast("陈调度").get(f"/alarms/{query}").content.decode().count('name="alarm"') == rows


def test_the_number_of_queries_does_not_grow(as_cast: Cast, storm: Alarm) -> None:
    client = as_cast("陈调度")

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(path)
        return len(caught)

    paths = ("/alarms/", f"/alarms/{storm.pk}/", "/live/", "/quality/")
    before = [queries(path) for path in paths]
    Alarm.objects.bulk_create(
        Alarm(
            code="home_cold", kind="low", priority=3, words_zh="冷", words_en="cold", level="home", place=f"B003-1-{n}", quantity="room_temp",
            position="x", company_code="C01", banner_code="150602", station_code="H01-S01", limit_on=1400, limit_off=1500, value=1200,
            since=AS_OF, raised_at=AS_OF, parent=storm if n % 2 else None,
        )
        for n in range(60)
    )  # fmt: skip
    assert [queries(path) for path in paths] == before
    assert max(before) <= 22


def test_live_values_say_their_age_and_missing_is_not_zero(as_cast: Cast, city: None) -> None:
    now = int(AS_OF.timestamp())
    where = {
        "level": "substation",
        "company_code": "C01",
        "banner_code": "150602",
        "source_code": "H01",
        "station_code": "H01-S01",
    }

    def value(quantity: str, any_age: int, flags: int = 0, **columns: int) -> None:
        point = LivePoint.objects.create(place="H01-S01", quantity=quantity, position="room", **where)
        LiveValue.objects.create(
            point=point,
            any_time_s=now - any_age,
            any_arrival_s=now - any_age,
            any_value=columns.get("value", 999),
            any_flags=flags,
            **columns,
        )

    value("supply_temp", 180, time_s=now - 180, arrival_s=now - 178, value=4510)
    value("return_temp", 5 * 3600, time_s=now - 5 * 3600, arrival_s=now, value=3500)
    value("flow", 60, flags=int(Flag.MISSING))
    value("pressure", 60, flags=int(Flag.OUT_OF_RANGE), time_s=now - 7200, arrival_s=now, before_value=1)
    body = text(as_cast("老张"), "/live/H01-S01/")
    assert "供水温度 45.1 °C 3 分钟前" in body
    assert "回水温度 35 °C 数据已陈旧:5 小时没有来数" in body
    assert "流量 — 没有可信的数 存疑: 缺测" in body
    assert re.search("压力 .*?可信的数 存疑: .*?超量程", body)
    listed = text(as_cast("老张"), "/live/")
    assert "45.1 °C" in listed
    assert "从来没有来数" in listed


def test_a_company_that_sends_nothing_stands_on_top(as_cast: Cast, city: None) -> None:
    for company, share in (("C01", 0), ("C02", 90)):
        QualityDay.objects.create(
            day=AS_OF.date(), company_code=company, points=10, silent_points=0 if share else 10, expected_hours=100,
            covered_hours=share, readings=share, computed_at=AS_OF, flagged={"STUCK": 3} if share else {}, lateness={"1m": 80, "1h": 10} if share else {},
        )  # fmt: skip
    body = text(as_cast("刘科"), "/quality/")
    assert "暖阳热力这段时间什么数也没有送来" in body
    assert body.index("暖阳热力 ") < body.index("远山供热 ")
    assert "90.0%" in body
    assert "卡死 3" in body
    assert "1 分钟内 89%" in body
    assert "远山供热" not in text(as_cast("小李"), "/quality/")
    assert len(text(as_cast("小李"), "/quality.csv").splitlines()) == 2


def test_what_came_and_is_not_counted_yet_is_not_nothing(as_cast: Cast, city: None) -> None:
    """Only whole hours are counted, and by a timer: a company that began to send ten minutes ago has sent something."""
    QualityDay.objects.create(
        day=timezone.now().date(), company_code="C01", points=10, silent_points=10, expected_hours=10, covered_hours=0, readings=0,
        computed_at=timezone.now(), flagged={}, lateness={},
    )  # fmt: skip
    assert "暖阳热力这段时间什么数也没有送来" in text(as_cast("刘科"), "/quality/")
    now = int(timezone.now().timestamp())
    point = LivePoint.objects.create(place="H01-S01", quantity="supply_temp", position="room", company_code="C01")
    LiveValue.objects.create(point=point, any_time_s=now, any_arrival_s=now, any_value=4510, any_flags=0, flags=0)
    body = text(as_cast("刘科"), "/quality/")
    assert "暖阳热力这段时间什么数也没有送来" not in body
    assert "10 个没有来数" not in body


FORM = {
    "limit_on": "7", "limit_off": "6.5", "delay_on_s": "60", "delay_off_s": "120", "recover_s": "0", "priority": "1", "enabled": "on",
    "tell": ["dispatch"], "escalate_min": "15", "reason": "高层小区",
}  # fmt: skip


def test_a_dispatcher_sets_the_limits_of_the_company(as_cast: Cast) -> None:
    client = as_cast("陈调度")
    assert client.post("/alarm-definitions/station_pressure_high/", FORM).status_code == 302
    (change,) = AlarmDefinition.objects.all()
    assert (change.company_code, change.values["limit_on"], change.reason) == ("C01", 7000, "高层小区")
    assert "&gt; 7 bar" in text(client, "/alarm-definitions/")
    assert "&gt; 8 bar" in text(as_cast("外人"), "/alarm-definitions/")
    assert client.post("/alarm-definitions/station_pressure_high/", FORM | {"act": "withdraw"}).status_code == 302
    assert not AlarmDefinition.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"limit_off": "7.5"}, "回差"),
        ({"limit_on": "x"}, "not a number"),
        ({"reason": ""}, "理由"),
        ({"delay_on_s": "1.5"}, "整数"),
        ({"place": "H02-S03"}, "没有编号"),
    ],
)
def test_nonsense_comes_back_with_a_sentence(as_cast: Cast, change: dict[str, str], words: str) -> None:
    answer = as_cast("陈调度").post("/alarm-definitions/station_pressure_high/", FORM | change)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not AlarmDefinition.objects.exists()


@pytest.mark.parametrize("person", ["老张", "小李", "乌主任", "外人"])
def test_who_only_looks_changes_no_limit(as_cast: Cast, person: str) -> None:
    assert as_cast(person).post("/alarm-definitions/station_pressure_high/", FORM).status_code == 404


def test_who_is_told_and_what_could_not_be_sent(as_cast: Cast, storm: Alarm) -> None:
    client = as_cast("陈调度")
    assert (
        client.post(
            "/notices/",
            {"act": "add", "channel": "email", "address": "chen@heat.example.cn", "role": "dispatch", "least": "2"},
        ).status_code
        == 302
    )
    assert (
        client.post(
            "/notices/",
            {"act": "add", "channel": "webhook", "address": "http://127.0.0.1/", "role": "dispatch", "least": "2"},
        ).status_code
        == 404
    )
    route = NoticeRoute.objects.get()
    assert route.place_code == "C01"
    notice = Notice.objects.create(
        key="1-1", alarm=storm, event="raise", channel="email", address="chen@heat.example.cn", role="dispatch", company_code="C01",
        content={"words_zh": "换热站循环停止", "words_en": "no flow", "place": "第1换热站"}, state="dead", attempts=8, next_try_at=AS_OF,
        created_at=AS_OF, error="邮件没有发出 / mail was not sent",
    )  # fmt: skip
    body = text(client, "/notices/")
    assert "1 条通知没有发出去" in body
    assert "c…@heat.example.cn" in body
    assert "chen@heat" not in body
    assert client.post("/notices/", {"act": "retry", "number": notice.pk}).status_code == 302
    notice.refresh_from_db()
    assert notice.state == "pending"
    assert client.post("/notices/", {"act": "remove", "number": route.pk}).status_code == 302
    assert not NoticeRoute.objects.exists()


def test_a_company_touches_no_route_of_another(as_cast: Cast) -> None:
    route = add_notice_route(
        channel="email", address="a@heat.example.cn", role="dispatch", place_code="C02", least_priority=2, actor="刘科", now=AS_OF
    )  # fmt: skip
    assert as_cast("陈调度").post("/notices/", {"act": "remove", "number": route.pk}).status_code == 404
    assert "heat.example.cn" not in text(as_cast("陈调度"), "/notices/")
    assert NoticeRoute.objects.exists()


def test_words_that_come_from_other_rooms_have_english() -> None:
    from nuan.operations.notify.channels import CHANNELS
    from nuan.telemetry.alarms.definitions import Kind
    from nuan.telemetry.alarms.machine import Event, State
    from nuan.web.views.quality import LATENESS_WORDS

    words = {each.zh for table in (Kind, Event, State) for each in table} | {flag.zh for flag in Flag if flag}
    words |= {
        *Alarm.Priority.labels,
        *Notice.State.labels,
        *LATENESS_WORDS.values(),
        *(each.zh for each in CHANNELS.values()),
    }
    assert words - set(english()) == set()


def test_english_alarms_are_english(as_cast: Cast, storm: Alarm) -> None:
    client = as_cast("陈调度")
    client.post("/i18n/setlang/", {"language": "en", "next": "/alarms/"})
    for path in (
        "/alarms/",
        f"/alarms/{storm.pk}/",
        "/live/H01-S01/",
        "/quality/",
        "/alarm-definitions/",
        "/alarm-definitions/home_cold/",
        "/notices/",
    ):
        main = client.get(path).content.decode().split("<main")[1].split("</main>")[0]
        left = re.sub(r"<[^>]+>|第\d换热站|暖城小区|暖阳热力|\d号楼|H01 热源厂|东胜区", "", main)
        assert not re.search(r"[\u4e00-\u9fff]", left), (path, re.findall(r"[^\n]*[\u4e00-\u9fff]+[^\n]*", left)[:5])
