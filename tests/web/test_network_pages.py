"""The network's pages: what a dispatcher reads and does there, what a stranger never sees, and that a drill changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import small_network
from nuan.operations.network_watch import Warned, watch_network
from nuan.records.audit.models import AuditEntry
from nuan.records.emergency.models import Outage
from nuan.records.twin.models import NetworkRun, ValvePosition
from small_city import AS_OF

As = Callable[[str | None], Client]


@pytest.fixture(autouse=True)
def drawn(city: None, settings, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The clock of the pages stands shortly after the small city's moment."""
    settings.NUAN_HOME = tmp_path
    later = AS_OF + timedelta(minutes=5)
    for module in ("network_stage", "views.network_map"):
        monkeypatch.setattr(f"nuan.web.{module}.live_now", lambda now: later)
    small_network.build_network()


def body(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()  # type: ignore[attr-defined]


def cut_off(*valves: str) -> None:
    from nuan.operations.valve_positions import set_valve

    for valve in valves:
        set_valve("C01", valve, is_open=False, since=AS_OF, reason="检修", actor="陈调度", now=AS_OF)


class TestMap:
    def test_every_pipe_and_station_stands_in_the_drawing_with_its_figures(self, as_cast: As) -> None:
        page = body(as_cast("陈调度"), "/network/C01/")
        for pipe in ("P01-G", "P12-G", "P23-G", "P30-G"):
            assert f"<title>{pipe} · " in page
        assert "P01-H ·" not in page, "the return is another layer"
        assert "P01-H ·" in body(as_cast("陈调度"), "/network/C01/?side=return")
        assert "第1换热站 · 够" in page
        assert page.count('class="arrow') == 4
        assert "刚刚" in page or "5 分钟前" in page

    @pytest.mark.parametrize("layer", ["pressure", "temp", "flow", "nonsense"])
    def test_layers(self, as_cast: As, layer: str) -> None:
        assert 'class="pipe' in body(as_cast("陈调度"), f"/network/C01/?layer={layer}")

    @pytest.mark.parametrize(("asked", "shown"), [("P12", "找到 2 个"), ("X1", "热力站 X1"), ("V01a-G", "阀门 V01a-G"), ("第2换热", "第2换热站"), ("zzz", "没有找到“zzz”")])  # fmt: skip
    def test_search(self, as_cast: As, asked: str, shown: str) -> None:
        assert shown in body(as_cast("陈调度"), f"/network/C01/?q={quote(asked)}")

    def test_what_is_searched_is_shown_as_text(self, as_cast: As) -> None:
        page = body(as_cast("陈调度"), "/network/C01/?q=" + quote("<script>alert(1)</script>"))
        assert "<script>alert(1)" not in page

    def test_an_old_run_is_said_to_be_old(self, as_cast: As) -> None:
        NetworkRun.objects.update(at=AS_OF - timedelta(hours=9))
        assert "管网计算已陈旧:9 小时没有重新计算" in body(as_cast("陈调度"), "/network/C01/")

    def test_a_run_that_did_not_settle_shows_no_figures(self, as_cast: As) -> None:
        NetworkRun.objects.update(settled=False, why="x")
        page = body(as_cast("陈调度"), "/network/C01/")
        assert "还没有算过" in page
        assert "<title>P01-G · 没有计算" in page

    def test_a_valve_turned_since_is_said(self, as_cast: As) -> None:
        cut_off("V01a-G")
        assert "算完以后又动过 1 个阀门" in body(as_cast("陈调度"), "/network/C01/")

    def test_the_gis_file_carries_the_results(self, as_cast: As) -> None:
        assert '"pressure_bar"' in body(as_cast("陈调度"), "/network/C01/network.geojson")

    def test_a_network_without_coordinates_says_so(self, as_cast: As) -> None:
        from nuan.operations.network_import import keep_network
        from small_ring import ring

        flat = ring()
        flat = flat.with_table("nodes", flat.nodes.drop("longitude", "latitude"))
        keep_network(flat, [], source="flat", company="C01", actor="陈调度", now=AS_OF)
        NetworkRun.objects.all().delete()
        assert "没有坐标" in body(as_cast("陈调度"), "/network/C01/")


class TestLists:
    @pytest.mark.parametrize(
        ("tab", "words"), [("stations", "第1换热站"), ("pipes", "P12-H"), ("valves", "按图纸"), ("sources", "H01")]
    )
    def test_tabs_and_their_files(self, as_cast: As, tab: str, words: str) -> None:
        assert words in body(as_cast("老张"), f"/network/C01/list/?tab={tab}")
        assert len(body(as_cast("老张"), f"/network/C01/list.csv?tab={tab}").splitlines()) > 1

    def test_the_least_favoured_station_comes_first(self, as_cast: As) -> None:
        page = body(as_cast("老张"), "/network/C01/list/")
        assert page.index("第2换热站") < page.index("第1换热站"), "X2 lies across the ring"


class TestBrokenPipe:
    def test_without_a_pipe_a_form_asks_for_one(self, as_cast: As) -> None:
        assert '<option value="P12-G">' in body(as_cast("老张"), "/network/C01/broken/")

    def test_what_to_close_who_is_hit_and_what_is_needed(self, as_cast: As) -> None:
        cut_off("V12a-G", "V12a-H")
        page = body(as_cast("陈调度"), "/network/C01/broken/?pipe=P01-G")
        for words in ("V01a-G", "第1换热站", "暖城小学", "3 组人关阀", "老张", "m³"):
            assert words in page
        assert "VX" not in page

    def test_an_unknown_pipe_is_404(self, as_cast: As) -> None:
        body(as_cast("陈调度"), "/network/C01/broken/?pipe=P99", 404)

    def test_outages_are_confirmed_before_they_are_written(self, as_cast: As) -> None:
        cut_off("V12a-G", "V12a-H")
        Outage.objects.all().delete()
        client = as_cast("陈调度")
        asked = {"pipe": "P01-G", "cause": "supplier"}
        assert "登记停热:确认" in client.post("/network/C01/broken/outage/", asked).content.decode()
        assert not Outage.objects.exists()
        answer = client.post("/network/C01/broken/outage/", asked | {"confirm": "yes"}, follow=True)
        assert "已登记 1 处停热" in answer.content.decode()
        assert Outage.objects.get().place == "H01-S01"
        answer = client.post("/network/C01/broken/outage/", asked | {"confirm": "yes"}, follow=True)
        assert "都已经登记过" in answer.content.decode()

    @pytest.mark.parametrize("started", ["2031-01-01T00:00", "2020-01-01T00:00", "gestern"])
    def test_a_beginning_that_cannot_be_is_refused(self, as_cast: As, started: str) -> None:
        cut_off("V12a-G", "V12a-H")
        before = Outage.objects.count()
        as_cast("陈调度").post("/network/C01/broken/outage/", {"pipe": "P01-G", "confirm": "yes", "started": started})
        assert Outage.objects.count() == before

    @pytest.mark.parametrize("person", ["老张", "小李", "乌主任", "刘科", "外人", "王阿姨"])
    def test_only_dispatch_opens_outages(self, as_cast: As, person: str) -> None:
        answer = as_cast(person).post("/network/C01/broken/outage/", {"pipe": "P01-G", "confirm": "yes"})
        assert answer.status_code == 404
        assert not AuditEntry.objects.filter(act="record_outage").exists()


class TestDrill:
    def test_a_drill_says_that_it_is_one_and_changes_nothing(self, as_cast: As) -> None:
        client = as_cast("刘科")
        page = client.post(
            "/network/C01/what-if/", {"closed": ["sources:H01"], "load": "100", "outdoor": "-20"}
        ).content.decode()
        assert page.count("演练,不是真的") == 2
        assert "断水" in page
        assert "暖城小学" in page
        assert (Outage.objects.count(), ValvePosition.objects.count(), NetworkRun.objects.count()) == (4, 0, 1)
        assert AuditEntry.objects.get(act="rehearse_network").actor == "刘科"

    @pytest.mark.parametrize(
        "asked", [{}, {"load": "abc"}, {"closed": ["pipes:nein"]}, {"load": "9999"}, {"outdoor": "-99"}]
    )
    def test_what_cannot_be_rehearsed_is_a_sentence(self, as_cast: As, asked: dict[str, object]) -> None:
        answer = as_cast("刘科").post("/network/C01/what-if/", asked)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()


class TestValves:
    def test_a_dispatcher_turns_a_valve_with_a_reason_and_the_history_shows_it(self, as_cast: As) -> None:
        client = as_cast("陈调度")
        asked = {"valve": "V01a-G", "position": "closed", "reason": "更换补偿器"}
        page = client.post("/network/C01/valve/set/", asked, follow=True).content.decode()
        assert "已登记" in page
        assert "更换补偿器" in page
        assert ValvePosition.objects.get().recorded_by == "陈调度"
        assert "更换补偿器" in body(client, "/network/C01/valve/")

    @pytest.mark.parametrize(
        "asked", [{"position": "closed"}, {"reason": "x"}, {"position": "closed", "reason": "x", "since": "?"}]
    )
    def test_half_an_answer_writes_nothing(self, as_cast: As, asked: dict[str, str]) -> None:
        as_cast("陈调度").post("/network/C01/valve/set/", {"valve": "V01a-G"} | asked)
        assert not ValvePosition.objects.exists()

    @pytest.mark.parametrize("person", ["老张", "乌主任", "刘科", "外人"])
    def test_nobody_else_turns_one(self, as_cast: As, person: str) -> None:
        asked = {"valve": "V01a-G", "position": "closed", "reason": "x"}
        assert as_cast(person).post("/network/C01/valve/set/", asked).status_code == 404


def test_the_profile_draws_its_lines_and_says_its_margins(as_cast: As) -> None:
    page = body(as_cast("乌主任"), "/network/C01/profile/?source=H01&station=X2")
    for words in ("静水压线", "汽化线", 'class="supply"', 'class="return"', "离汽化最近"):
        assert words in page


def test_a_banner_sees_the_companies_in_it_only(as_cast: As) -> None:
    page = body(as_cast("乌主任"), "/network/")
    assert "暖阳热力" in page
    assert "远山供热" not in page


def test_a_leak_leads_from_the_alarms_to_the_pipe(as_cast: As) -> None:
    watch_network("C01", [Warned("network_leak", "pipe", "P12-G", value=3.0)], AS_OF)
    page = body(as_cast("陈调度"), "/alarms/")
    assert "/network/C01/broken/?pipe=P12-G" in page or "管网可能泄漏" in page
    assert "管网可能泄漏" in body(as_cast("陈调度"), "/network/C01/")


@pytest.mark.parametrize("key", ["2.5.4", "2.6.1"])
def test_the_clauses_lead_here_but_not_for_residents(as_cast: As, key: str) -> None:
    assert 'href="/network/"' in body(as_cast("刘科"), f"/clauses/{key}/").split('id="content"')[1]
    assert "/network/" not in body(as_cast("王阿姨"), f"/clauses/{key}/")


@pytest.mark.parametrize(
    ("path", "most"), [("/network/", 11), ("/network/C01/", 15), ("/network/C01/list/", 14), ("/network/C01/broken/?pipe=P12-G", 26), ("/network/C01/profile/", 14)]
)  # fmt: skip
def test_queries_are_bounded_on_the_network(as_cast: As, path: str, most: int) -> None:
    client = as_cast("陈调度")
    with CaptureQueriesContext(connection) as caught:
        body(client, path)
    assert len(caught) <= most, "\n".join(query["sql"][:120] for query in caught.captured_queries)
