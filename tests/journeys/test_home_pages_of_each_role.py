"""The first page of each role in a real browser: no foreign request, no console error, the number without JavaScript, 360 px, glyphs."""

from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# name, path, text that must be readable without JavaScript
FIRST_PAGES = [
    pytest.param(None, "/public/", "格不达标", id="anybody"),
    pytest.param("王阿姨", "/my-home/", "17.1 °C", id="resident"),
    pytest.param("王阿姨", "/my-money/", "我的缴费和退费", id="resident's money"),
    pytest.param("小李", "/today/", "户此刻低于", id="desk"),
    pytest.param("老张", "/stations/", "第1换热站", id="crew"),
    pytest.param("陈调度", "/today/", "户此刻低于", id="dispatcher"),
    pytest.param("周会计", "/finance/", "财务台", id="finance"),
    pytest.param("乌主任", "/board/", "150602 的数", id="banner"),
    pytest.param("刘科", "/board/", "150603 的数", id="city"),
    pytest.param("刘科", "/map/", "第1换热站", id="map"),
    pytest.param("刘科", "/clauses/2.5.2/", "18 °C", id="clause"),
]


@pytest.mark.parametrize(("name", "path", "headline"), FIRST_PAGES)
def test_first_page(visit, live_city: str, name: str | None, path: str, headline: str) -> None:  # type: ignore[no-untyped-def]
    page = visit(name).new_page()
    hosts: set[str] = set()
    troubles: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: troubles.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("response", lambda answer: troubles.append(answer.url) if answer.status >= 400 else None)
    page.goto(path, wait_until="networkidle")
    assert hosts == {urlsplit(live_city).netloc}
    assert troubles == []
    assert headline in page.inner_text("main")


@pytest.mark.parametrize(("name", "path", "headline"), FIRST_PAGES)
def test_on_a_phone_without_javascript(visit, name: str | None, path: str, headline: str) -> None:  # type: ignore[no-untyped-def]
    page = visit(name, width=360, javascript=False).new_page()
    page.goto(path)
    assert headline in page.inner_text("main")


@pytest.mark.parametrize(("name", "path", "headline"), FIRST_PAGES)
def test_360_px_without_sideways_scroll(visit, name: str | None, path: str, headline: str) -> None:  # type: ignore[no-untyped-def]
    page = visit(name, width=360).new_page()
    page.goto(path, wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_chinese_glyphs_are_painted(visit) -> None:  # type: ignore[no-untyped-def]
    """Two different characters give two different pictures; where glyphs are missing both are the same empty box."""
    page = visit(None).new_page()
    page.goto("/public/")
    pictures = page.evaluate(
        """() => ["暖", "冷", "\\u{10FFFE}"].map((character) => {
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 48;
            const pen = canvas.getContext("2d");
            pen.font = "40px " + getComputedStyle(document.body).fontFamily;
            pen.fillText(character, 2, 40);
            return canvas.toDataURL();
        })"""
    )
    assert len(set(pictures)) == 3


def test_one_click_sign_in_and_out(visit, live_city: str, tmp_path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path
    (tmp_path / "demo.json").write_text('{"accounts": [{"username": "王阿姨"}]}', encoding="utf-8")
    page = visit(None).new_page()
    page.goto("/login/")
    assert "演示数据 · 合成城市" in page.inner_text("body")
    page.get_by_role("button", name="王阿姨").click()
    page.wait_for_url("**/my-home/")
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/public/")


def test_keyboard_reaches_the_content_first(visit) -> None:  # type: ignore[no-untyped-def]
    page = visit("刘科").new_page()
    page.goto("/board/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"


def test_english_is_one_click_away(visit) -> None:  # type: ignore[no-untyped-def]
    page = visit("刘科").new_page()
    page.goto("/today/")
    page.get_by_role("button", name="English").click()
    page.wait_for_load_state("networkidle")
    assert "City today" in page.inner_text("h1")
