"""换热站健康: who sees whose, empty states, what is put away, and the causes on a home's page."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from nuan.records.monitoring.models import StationFinding, StationHealth
from nuan.records.registry.models import Home
from nuan.records.supervision.models import HomeSeason
from small_city import AS_OF

Cast = Callable[[str | None], Client]
pytestmark = pytest.mark.django_db
DAY = 86_400


def finding(
    station: str, company: str, banner: str, channel: str = "secondary_return", kind: str = "bias"
) -> StationFinding:
    return StationFinding.objects.create(
        station_code=station, company_code=company, banner_code=banner, channel=channel, kind=kind, size=2.3, unit="°C",
        confidence=0.9, since=AS_OF, told_at=AS_OF, seen_at=AS_OF,
    )  # fmt: skip


@pytest.fixture
def ours(city: None) -> StationFinding:
    finding("H02-S03", "C02", "150603", "primary_supply", "drift")
    start = int(AS_OF.timestamp()) - 30 * DAY
    StationHealth.objects.create(
        station_code="H01-S01", company_code="C01", banner_code="150602", model={}, learned_days=90, computed_at=AS_OF,
        days=[{"day_s": start + i * DAY, "channels": {"secondary_return": [42.0 + (i > 20) * 2.3, 42.0, 0.4]}} for i in range(30)],
        signature={"points": [[t, 300.0 - 10 * t] for t in range(-10, 15)], "level": 100.0, "slope": 10.0, "balance_c": 20.0,
                   "spread": 5.0, "changed_s": start},
    )  # fmt: skip
    return finding("H01-S01", "C01", "150602")


def test_everybody_sees_their_own(as_cast: Cast, ours: StationFinding) -> None:
    for person, sees, hidden in (("陈调度", "二次回水温度", "一次供水温度"), ("外人", "一次供水温度", "二次回水温度")):
        text = as_cast(person).get(reverse("station_health")).content.decode()
        assert sees in text
        assert hidden not in text
    both = as_cast("刘科").get(reverse("station_health")).content.decode()
    assert "二次回水温度" in both
    assert "一次供水温度" in both


def test_filters_and_the_file(as_cast: Cast, ours: StationFinding) -> None:
    client = as_cast("刘科")
    assert "二次回水温度" not in client.get(reverse("station_health"), {"kind": "drift"}).content.decode()
    assert "没有这样的发现" in client.get(reverse("station_health"), {"what": "station"}).content.decode()
    answer = client.get(reverse("station_health_csv"), {"company": "C01"})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "读数偏移" in text
    assert "+2.3" in text
    assert "H02-S03" not in text


def test_a_station_shows_measured_beside_expected(as_cast: Cast, ours: StationFinding) -> None:
    text = as_cast("陈调度").get(reverse("one_station_health", args=["H01-S01"])).content.decode()
    for words in ("实测", "应有", "能耗特征线", "<svg", "读数偏移"):
        assert words in text
    assert "要 28 个供热日" in as_cast("陈调度").get(reverse("one_station_health", args=["H01-S02"])).content.decode()
    assert "换热站健康" in as_cast("陈调度").get(reverse("station", args=["H01-S01"])).content.decode()


def test_before_the_first_run_the_page_says_so(as_cast: Cast, city: None) -> None:
    assert "还没有算过" in as_cast("陈调度").get(reverse("station_health")).content.decode()


def test_who_may_put_one_away(as_cast: Cast, ours: StationFinding) -> None:
    path = reverse("station_finding_dismiss", args=[ours.pk])
    assert as_cast("刘科").post(path, {"why": "x"}).status_code == 404
    assert as_cast("外人").post(path, {"why": "x"}).status_code == 404
    as_cast("陈调度").post(path, {"why": ""})
    ours.refresh_from_db()
    assert ours.state == "open"
    as_cast("陈调度").post(path, {"why": "已换传感器"})
    ours.refresh_from_db()
    assert (ours.state, ours.why) == ("dismissed", "已换传感器")


def test_a_homes_page_says_why_it_is_cold(as_cast: Cast, city: None) -> None:
    home = Home.objects.get(code="B001-1-0101")
    text = as_cast("小李").get(reverse("home", args=[home.pk])).content.decode()
    assert "为什么冷" in text
    assert "停热中" in text


def test_a_home_that_is_warm_again_is_looked_at_when_it_was_cold(as_cast: Cast, city: None) -> None:
    home = Home.objects.get(code="B001-1-0101")
    HomeSeason.objects.filter(home=home).update(last_temp_c100=2050)
    text = as_cast("小李").get(reverse("home", args=[home.pk])).content.decode()
    assert "为什么冷" in text
    assert "2026-01-19 00:00" in text  # the end of its last cold day


def test_in_english(as_cast: Cast, ours: StationFinding) -> None:
    client = as_cast("陈调度")
    client.post("/i18n/setlang/", {"language": "en", "next": "/station-health/"})
    text = client.get(reverse("station_health")).content.decode()
    assert "Health of substations" in text
    assert "secondary return" in text
