"""2 a.m., 360 px: 老张 walks his round, finds a leak, is cut off from the network; 陈调度 grades it; 老张 puts it right; another person closes."""

from pathlib import Path

import pytest

from small_hazards import another_crew, build_route, picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path


def photo(tmp_path: Path) -> str:
    path = tmp_path / "leak.jpg"
    path.write_bytes(picture(1200, 900))
    return str(path)


def test_from_the_walk_to_the_re_check(visit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from nuan.records.hazards.models import CheckIn, Hazard

    build_route()
    crew = visit("老张", width=360)
    crew.grant_permissions(["geolocation"])
    crew.set_geolocation({"longitude": 109.9312, "latitude": 39.8125, "accuracy": 7})
    page = crew.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/patrols/XL-01/walk/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    # all well at the first point, pressed twice
    page.locator("#next").get_by_role("button", name="用手机定位").click()
    page.get_by_text("已定位,误差约 7 米").wait_for()
    page.locator("#next").get_by_role("button", name="正常").dblclick()
    page.get_by_text("已打卡:第1换热站").wait_for()
    assert CheckIn.objects.get().accuracy_m == 7

    # a finding at the second, with a photo, while there is no network
    form = page.locator("#next")
    form.locator("textarea").fill("井里冒热气,水在涨")
    form.locator("select[name=kind]").select_option("leak")
    form.locator("input[type=file]").set_input_files(photo(tmp_path))
    crew.set_offline(True)
    form.get_by_role("button", name="发现隐患").click()
    page.get_by_text("没有网络。内容已存在手机里").wait_for()
    assert CheckIn.objects.count() == 1
    crew.set_offline(False)
    page.get_by_text("已打卡,并上报隐患").wait_for(timeout=25_000)
    hazard = Hazard.objects.get()
    assert (CheckIn.objects.count(), hazard.photos.count(), hazard.kind) == (2, 1, "leak")

    # what was typed and not sent is there again after the page was lost
    page.locator("#next textarea").fill("写了一半")
    page.reload()
    assert page.locator("#next textarea").input_value() == "写了一半"

    desk = visit("陈调度", width=360).new_page()
    desk.goto("/hazards/")
    desk.get_by_role("link", name=hazard.code).click()
    desk.locator("label", has_text="较大").click()
    desk.locator("select[name=responsible]").first.select_option(label="老张 · 抢修")
    desk.get_by_role("button", name="定级并派人").click()
    desk.get_by_text("待整改").first.wait_for()

    page.goto(f"/hazards/{hazard.code}/")
    page.get_by_role("button", name="我开始整改").click()
    page.get_by_text("整改中").first.wait_for()
    page.locator("textarea").first.fill("换了补偿器垫片,抽干井水")
    page.get_by_role("button", name="整改完成,请复查").click()
    page.get_by_text("复查要请另一人来做").wait_for()
    assert page.get_by_role("button", name="复查通过,销号").count() == 0

    another_crew()
    other = visit("小赵", width=360).new_page()
    other.goto(f"/hazards/{hazard.code}/")
    assert other.evaluate("document.documentElement.scrollWidth") <= 360
    other.locator("textarea").first.fill("到场看过,不漏了")
    other.get_by_role("button", name="复查通过,销号").click()
    other.get_by_text("已销号").first.wait_for()
    assert Hazard.objects.get().state == "closed"
    assert troubles == []


def test_a_report_without_javascript(visit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from nuan.records.hazards.models import Hazard

    page = visit("小李", width=360, javascript=False).new_page()
    page.goto("/hazards/report/")
    page.locator("label", has_text="井盖井室").click()
    page.locator("#r-words").fill("井盖没了")
    page.locator("#r-where").fill("三号站东侧路口")
    page.locator("#r-photos").set_input_files(photo(tmp_path))
    page.get_by_role("button", name="上报", exact=True).click()
    page.get_by_text("已上报,编号").wait_for()
    found = Hazard.objects.get()
    assert (found.kind, found.source, found.photos.count()) == ("cover", "resident", 1)


@pytest.mark.parametrize("path", ["/hazards/", "/patrols/", "/patrols/XL-01/", "/hazards/watch/", "/hazards/report/"])
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_the_pages_fit_a_phone(visit, path: str, javascript: bool) -> None:  # type: ignore[no-untyped-def]
    from small_hazards import build_hazard

    build_hazard()
    page = visit("刘科", width=360, javascript=javascript).new_page()
    assert page.goto(path).status == 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
