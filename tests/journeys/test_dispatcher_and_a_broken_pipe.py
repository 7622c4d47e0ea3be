"""陈调度 gets a call: water in the street. He finds the pipe on the map, reads what to close, turns the valves, opens the outage."""

from datetime import UTC, datetime, timedelta

import pytest

import small_network
from nuan.records.emergency.models import Outage
from nuan.records.twin.models import ValvePosition

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def network(live_city: str, settings, tmp_path) -> str:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path
    Outage.objects.all().delete()
    small_network.build_network(datetime.now(UTC) - timedelta(minutes=2))
    return live_city


def test_from_the_map_to_the_outage(visit, network: str) -> None:  # type: ignore[no-untyped-def]
    page = visit("陈调度").new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/network/")
    page.get_by_role("link", name="暖阳热力").click()
    page.wait_for_url("**/network/C01/")
    before = page.locator("svg.network").first.get_attribute("viewBox")
    page.get_by_role("button", name="放大").click()
    assert page.locator("svg.network").first.get_attribute("viewBox") != before
    page.get_by_role("button", name="看全图").click()

    page.goto("/network/C01/valve/?valve=V12a-G")
    for valve in ("V12a-G", "V12a-H"):
        page.goto(f"/network/C01/valve/?valve={valve}")
        page.get_by_label("关", exact=True).check()
        page.locator("#v-reason").fill("补偿器检修")
        page.get_by_role("button", name="登记", exact=True).click()
        page.wait_for_load_state()
        assert "已登记" in page.inner_text("main")
    assert ValvePosition.objects.count() == 2

    page.goto("/network/C01/?q=P01-G")
    page.get_by_role("link", name="这根管坏了").last.click()
    page.wait_for_url("**/broken/?pipe=P01-G")
    text = page.inner_text("main")
    for words in ("依次关这些阀门", "V01a-G", "第1换热站", "暖城小学"):
        assert words in text
    page.get_by_role("button", name="登记停热…").click()
    page.get_by_role("button", name="确认登记").click()
    page.wait_for_load_state()
    assert "已登记 1 处停热" in page.inner_text("main")
    assert Outage.objects.filter(place="H01-S01", ended_at=None).exists()

    page.goto("/network/C01/what-if/")
    page.locator("#w-sources").select_option("sources:H01")
    page.get_by_role("button", name="演练", exact=True).click()
    page.wait_for_load_state()
    assert "演练,不是真的" in page.inner_text("main")
    assert "断水" in page.inner_text("main")
    assert troubles == []


@pytest.mark.parametrize(
    "path", ["", "?layer=temp", "list/", "list/?tab=pipes", "profile/", "broken/?pipe=P12-G", "valve/?valve=V01a-G", "versions/", "what-if/"]
)  # fmt: skip
def test_the_network_on_a_phone_without_javascript(visit, network: str, path: str) -> None:  # type: ignore[no-untyped-def]
    page = visit("陈调度", width=360, javascript=False).new_page()
    page.goto(f"/network/C01/{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert "暖阳热力" in page.inner_text("main")
