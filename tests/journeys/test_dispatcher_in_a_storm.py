"""陈调度 on duty: a storm comes in, it is one alarm; he acknowledges it, shelves what is being repaired, and sees it pass."""

from datetime import UTC, datetime, timedelta

import pytest

from nuan.operations.alarm_tick import alarm_tick
from nuan.operations.live import push_live
from nuan.telemetry.live import LiveTable
from nuan.telemetry.series import SeriesKey, SeriesTable

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Devices:
    """Station 1 and its three homes, sending now; the past is played so that delays have run out."""

    def __init__(self) -> None:
        self.names, self.table, self.sent = SeriesTable(), LiveTable(), 0
        self.station = SeriesKey("H01-S01", "flow")
        self.homes = [SeriesKey(f"B001-1-0{door}01", "room_temp", "living") for door in (1, 2, 3)]
        self.names.add([self.station, *self.homes])

    def send(self, at: datetime, flow_m3h: float, room_c: float) -> None:
        import numpy as np

        now = int(at.timestamp())
        keys = [self.station, *self.homes]
        self.table.update(
            np.array([self.names.get(key) for key in keys], np.uint32), np.full(len(keys), now - 1),
            np.array([int(flow_m3h * 1000)] + [int(room_c * 100)] * 3, np.int32), np.zeros(len(keys), np.uint8), now,
        )  # fmt: skip
        changes = self.table.changed_since(self.sent)
        push_live(changes, self.names)
        self.sent = changes.tick
        alarm_tick(at)


def test_a_storm_is_acknowledged_shelved_and_passes(visit, live_city: str) -> None:  # type: ignore[no-untyped-def]
    devices, start = Devices(), datetime.now(UTC) - timedelta(hours=2)
    devices.send(start, 40.0, 20.0)
    page = visit("陈调度").new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/")
    assert page.url.endswith("/alarms/")
    assert "没有未了结的告警" in page.inner_text("main")

    devices.send(start + timedelta(minutes=10), 0.0, 12.0)
    devices.send(start + timedelta(minutes=20), 0.0, 12.0)
    devices.send(start + timedelta(minutes=90), 0.0, 12.0)
    # the list renews itself
    page.get_by_role("link", name="换热站循环停止").wait_for(timeout=15_000)
    assert page.locator("tbody tr").count() == 1
    assert "牵连 3 条" in page.inner_text("tbody")

    page.locator("input[name=alarm]").check()
    page.locator("#a-comment").fill("已派老张去看循环泵")
    page.get_by_role("button", name="确认所选").click()
    page.wait_for_load_state()
    assert "已确认 1 条" in page.inner_text("main")
    assert "告警中·已确认" in page.inner_text("tbody")

    page.get_by_role("link", name="换热站循环停止").click()
    page.wait_for_url("**/alarms/*/")
    assert "已派老张去看循环泵" in page.inner_text("main")
    assert page.inner_text("main").count("室内温度很低") == 3
    page.locator("#a-why").fill("换循环泵，两小时")
    page.locator("#a-hours").select_option("4")
    page.get_by_role("button", name="搁置", exact=True).click()
    page.wait_for_load_state()
    assert "已搁置 1 条" in page.inner_text("main")
    page.goto("/alarms/")
    assert "没有未了结的告警" in page.inner_text("main")

    devices.send(start + timedelta(minutes=100), 40.0, 19.0)
    devices.send(start + timedelta(minutes=110), 40.0, 19.0)
    page.goto("/alarms/?show=closed")
    row = page.inner_text("tbody")
    assert "已恢复·已确认" in row
    page.get_by_role("link", name="换热站循环停止").click()
    page.wait_for_url("**/alarms/*/")
    story = page.inner_text("main")
    for word in ("触发", "确认", "搁置", "恢复", "陈调度", "告警引擎", "换循环泵，两小时"):
        assert word in story
    assert troubles == []


@pytest.mark.parametrize(
    "path", ["/alarms/", "/live/", "/live/H01-S01/", "/quality/", "/alarm-definitions/", "/notices/"]
)
def test_the_pages_on_a_phone_without_javascript(visit, path: str) -> None:  # type: ignore[no-untyped-def]
    devices = Devices()
    for minutes in (20, 10, 0):
        devices.send(datetime.now(UTC) - timedelta(minutes=minutes), 0.0, 20.0)
    page = visit("陈调度", width=360, javascript=False).new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if path in {"/alarms/", "/live/H01-S01/"}:
        assert "换热站循环停止" in page.inner_text("main")
        assert "0 m³/h" in page.inner_text("main")
