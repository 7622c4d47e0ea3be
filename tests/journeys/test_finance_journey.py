"""周会计's day in a real browser: a payment file, a doubtful row, a refund, the second person, the resident who sees it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEAD = "交易时间,微信订单号,商户订单号,交易状态,应结订单金额,手续费"
TOTALS = "总交易单数,应结订单总金额,手续费总金额"


def payment_file(folder: Path, rows: list[tuple[str, str, int]], said_fen: int | None = None) -> Path:
    lines = [
        f"`2025-11-03 10:00:00,`{txn},`{reference},`SUCCESS,`{fen / 100:.2f},`0.00000" for txn, reference, fen in rows
    ]
    total = sum(fen for *_, fen in rows) if said_fen is None else said_fen
    path = folder / "20251103ALL.csv"
    path.write_text("\n".join([HEAD, *lines, TOTALS, f"`{len(rows)},`{total / 100:.2f},`0.00000"]) + "\n", "utf-8")
    return path


def judged_again_with_facts() -> None:
    """The small city's judgements have no facts; here is an outage of 王阿姨's station that was judged by the real rule."""
    from nuan.operations.recorded_facts import homes_of
    from nuan.records.emergency.models import Outage
    from nuan.records.registry.models import Banner
    from nuan.records.supervision.models import CurrentJudgement, Judgement, Run
    from nuan.rules.judgement import Verdict

    Banner.objects.update(pack="demo-city")
    Outage.objects.all().delete()
    Outage.objects.create(
        code="O9", level="building", place="B001", started_at=datetime(2026, 1, 2, 2, tzinfo=UTC),
        ended_at=datetime(2026, 1, 3, 20, tzinfo=UTC), cause="supplier", attested_by="乌主任",
    )  # fmt: skip
    run = Run.objects.get()
    assert homes_of(run.season).height
    CurrentJudgement.objects.filter(clause="2.5.3a").delete()
    from nuan.operations.refund_reckoning import reckoned_again

    for code in ("B001-1-0101", "B001-1-0201"):
        row = Judgement.objects.create(
            run=run, clause="2.5.3a", subject_level="home", subject=code, item="O9", company_code="C01", banner_code="150602",
            period_start=1_767_319_200, period_end=1_767_470_400, verdict=Verdict.BREACHED, amount_fen=0, branch="refund_by_day",
            pack="demo-city", pack_version="1", digest=code.ljust(64, "0"),
        )  # fmt: skip
        fen = reckoned_again([row])[row.pk]
        assert fen
        again = Judgement.objects.get(pk=row.pk)
        again.pk, again.amount_fen = None, fen
        again.save(force_insert=True)
        CurrentJudgement.objects.create(
            clause="2.5.3a", subject_level="home", subject=code, item="O9", season=run.season, judgement=again, verdict="breached",
            company_code="C01", banner_code="150602", amount_fen=fen,
        )  # fmt: skip


def test_from_the_file_to_the_resident(visit, tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    from billed_city import bill_everybody, prepare
    from nuan.records.billing.models import Bill

    settings.NUAN_HOME = tmp_path
    prepare()
    bill_everybody()
    judged_again_with_facts()
    bills = {bill.home.code: bill for bill in Bill.objects.filter(company="C01", kind="bill").select_related("home")}
    ours, other = bills["B001-1-0101"], bills["B001-1-0201"]

    page = visit("周会计").new_page()
    page.goto("/")
    assert page.inner_text("h1") == "财务台"
    page.get_by_role("link", name="导入收款文件").click()
    page.select_option("#channel", "wechat")
    rows = [("4200001", ours.number, ours.total_fen), ("4200002", "李家的暖气费", other.total_fen)]
    page.set_input_files("#file", payment_file(tmp_path, rows, said_fen=1))
    page.get_by_role("button", name="检查").click()
    assert "不能导入" in page.inner_text("#report")
    assert "收款金额对不上" in page.inner_text("#report")
    page.set_input_files("#file", payment_file(tmp_path, rows))
    page.select_option("#channel", "wechat")
    page.get_by_role("button", name="检查").click()
    assert "可以导入" in page.inner_text("#report")
    page.get_by_role("button", name="导入这份文件").click()
    assert "待人工 1 笔" in page.inner_text("main")

    page.goto("/payments/")
    page.get_by_role("link", name="处理").click()
    page.fill("#find", other.number)
    page.get_by_role("main").get_by_role("button", name="查找").click()
    page.fill(f"[name='fen-{other.pk}']", f"{other.total_fen / 100:.2f}")
    page.fill("#why-place", "电话核实是李家")
    page.get_by_role("button", name="核销", exact=True).click()
    assert "没有要人看的收款" in page.inner_text("main")

    page.goto("/refunds/")
    page.get_by_role("button", name="提请退费").click()
    assert "您提请的批次要由另一人审批" in page.inner_text("main")
    assert page.get_by_role("button", name="同意").count() == 0
    address = page.url

    second = visit("郑主管").new_page()
    second.goto("/finance/")
    second.get_by_role("link", name="退费批次").first.click()
    second.get_by_role("link", name="怎么算的").first.click()
    assert "连续停热" in second.inner_text("main")
    second.goto(address)
    second.get_by_role("button", name="同意").click()
    assert "已同意" in second.inner_text("main")

    page.goto(address)
    page.get_by_role("button", name="入账", exact=True).click()
    assert "已入账" in page.inner_text("main")
    page.get_by_role("button", name="发出付款").click()
    assert "付款中" in page.inner_text("main")

    resident = visit("王阿姨", width=360, javascript=False).new_page()
    resident.goto("/my-money/")
    told = resident.inner_text("main")
    assert "应退您家热费" in told
    assert "付款中" in told
    assert f"{ours.total_fen / 100:,.2f} 元" in told
    resident.get_by_role("link", name="怎么算的").first.click()
    assert "连续停热超过24小时" in resident.inner_text("main")
    assert resident.evaluate("document.documentElement.scrollWidth") <= 360
