"""乌主任 and 周会计 with the money around heating, in a real browser: see the payer, decide on the fund, pay a subsidy, settle a debt."""

import pytest

from small_support import build_support

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATHS = ("/support/", "/support/repairs/", "/support/costs/", "/support/funds/", "/support/subsidies/", "/support/arrears/",
         "/support/funding/", "/support/plans/")  # fmt: skip


@pytest.fixture
def money_city(live_city: str) -> str:
    build_support()
    return live_city


def test_every_money_page_fits_a_phone_and_needs_no_script(money_city: str, visit) -> None:  # type: ignore[no-untyped-def]
    scripted, plain = visit("乌主任", width=360).new_page(), visit("乌主任", width=360, javascript=False).new_page()
    for path in PATHS:
        scripted.goto(path, wait_until="networkidle")
        assert scripted.evaluate("document.documentElement.scrollWidth") <= 360, path
        plain.goto(path)
        assert "保障资金" in plain.inner_text("main"), path


def test_the_payer_shows_itself_when_asset_and_day_are_chosen(money_city: str, visit) -> None:  # type: ignore[no-untyped-def]
    page = visit("周会计").new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type in {"error", "warning"} else None)
    page.goto("/support/repairs/")
    page.select_option("#r-asset", "C01-G2")
    page.fill("#r-on", "2026-04-15")
    page.get_by_text("尚在保修期内：建设单位承担").first.wait_for()
    page.locator("#decision").get_by_text("登记后会被判为列错").wait_for()
    page.fill("#r-on", "2026-04-16")
    page.locator("#decision").get_by_text("不在保修期内：供热企业承担").wait_for()
    page.fill("#r-cost", "88.80")
    page.fill("#r-code", "W-journey")
    page.get_by_role("button", name="登记", exact=True).click()
    page.get_by_text("已登记。").wait_for()
    assert "88.80" in page.inner_text("main")
    assert troubles == []


def test_the_payer_without_script(money_city: str, visit) -> None:  # type: ignore[no-untyped-def]
    page = visit("周会计", javascript=False).new_page()
    page.goto("/support/repairs/")
    page.select_option("#r-asset", "C01-G3")
    page.fill("#r-on", "2026-01-15")
    page.get_by_role("button", name="看由谁承担").click()
    assert "用户承担" in page.inner_text("#decision")


def test_wu_decides_on_an_application_and_sees_that_one_is_not_two(money_city: str, visit) -> None:  # type: ignore[no-untyped-def]
    wu, liu = visit("乌主任").new_page(), visit("刘科").new_page()
    wu.goto("/support/funds/")
    wu.get_by_role("link", name="C01-A1").click()
    assert "位于计量装置或入户端口以外" in wu.inner_text("main")
    wu.fill("#why", "现场核实")
    wu.get_by_role("button", name="同意", exact=True).click()
    wu.get_by_text("待审批").wait_for()
    assert wu.get_by_role("button", name="登记支付").count() == 0
    liu.goto(wu.url)
    liu.fill("#why", "同意")
    liu.get_by_role("button", name="同意", exact=True).click()
    liu.get_by_text("已批准").wait_for()
    wu.reload()
    wu.fill("#s-amount", "6000")
    wu.get_by_role("button", name="登记支付").click()
    wu.get_by_text("已支付").wait_for()


def test_wu_pays_what_is_overdue_and_settles_a_debt(money_city: str, visit) -> None:  # type: ignore[no-untyped-def]
    page = visit("乌主任").new_page()
    page.goto("/support/subsidies/?at=2026-01-20&state=overdue")
    assert "逾期 36 天" in page.inner_text("main")
    page.locator("table a").filter(has_text="暖城小区").first.click()
    page.fill("#p-code", "BF-journey")
    page.fill("#p-amount", "600")
    page.fill("#p-on", "2026-01-20")
    page.get_by_role("button", name="登记拨付").click()
    page.get_by_text("已付清").wait_for()
    page.goto("/support/arrears/")
    page.get_by_role("link", name="住建局").click()
    page.fill("#p-code", "Q-journey")
    page.fill("#p-amount", "4000")
    page.fill("#p-on", "2026-01-20")
    page.select_option("#p-source", label="供热专项预算")
    page.get_by_role("button", name="登记偿还").click()
    page.get_by_text("5,000.00 元").first.wait_for()
    page.goto("/support/funding/")
    assert "偿还欠账 C01-D1" in page.inner_text("main")
