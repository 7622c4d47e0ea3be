"""Whatever leaves the money pages as a file: text that stays text, money that adds up, and nobody's name, phone or door in it."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from openpyxl import load_workbook

from billed_city import bill_everybody, prepare
from nuan.operations.counter import receive_cash
from nuan.operations.payment_files import import_payments
from nuan.operations.workbooks import RISKY, Fen, Formula, workbook
from nuan.records.billing.models import Bill, BillRun, RefundBatch
from nuan.records.registry.models import Company, Resident
from nuan.records.support.models import Asset, FundAccount, GovernmentDebt
from nuan.web import tables
from nuan.web.tables import sheet
from refund_stage import a_posted_batch

AsCast = Callable[[str | None], Client]
NAME, PHONE, DOOR = "王秀兰", "13900001111", "0101"
TRICKS = ("=HYPERLINK(1)", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "＝1+1")
PAID = f"交易时间,微信订单号,商户订单号,交易状态,应结订单金额\n`2025-11-03 10:00:00,`1,`b001-1-{DOOR} {NAME}交热费 {PHONE} 1单元{DOOR}室,`SUCCESS,`100.00\n总交易单数,应结订单总金额\n`1,`100.00\n"
FORMULAS_OF_OURS = ("=SUM(", "=D", "=E", "=F")


def lists() -> list[str]:
    """Every list of finance and the city that leaves as a file."""
    run, batch = BillRun.objects.filter(company="C01").latest("id"), RefundBatch.objects.latest("id")
    names = [
        "bills",
        "bills/unpaid",
        "bills/stop-heat",
        "payments",
        "payments/credits",
        "ledger/entries",
        "refunds/unpaid",
    ]
    names += [f"billing/runs/{run.pk}/exceptions", f"refunds/{batch.pk}/items", f"refunds/{batch.pk}/payouts"]
    return [*names, "refunds/unpaid/C01/2025-2026"]


@pytest.fixture
def a_full_desk(as_cast: AsCast) -> Client:
    as_cast("周会计")
    prepare()
    bill_everybody()
    a_posted_batch()
    import_payments(PAID.encode(), "f.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 1, 1))
    return as_cast("周会计")


def cells(client: Client, path: str) -> list[object]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    book = load_workbook(io.BytesIO(answer.content))
    return [cell.value for page in book for row in page.iter_rows() for cell in row if cell.value is not None]


def test_no_list_of_the_desk_names_anybody(a_full_desk: Client) -> None:
    for name in lists():
        written = " ".join(map(str, cells(a_full_desk, f"/{name}.xlsx?all=1")))
        streamed = b"".join(a_full_desk.get(f"/{name}.csv?all=1").streaming_content).decode()
        for text in (written, streamed):
            assert NAME not in text, name
            assert PHONE not in text, name
            assert f"1-{DOOR}" not in text, name
            assert f"{DOOR}室" not in text, name


def test_whatever_a_name_begins_with_it_is_text(a_full_desk: Client) -> None:
    for trick in TRICKS:
        Company.objects.filter(code="C01").update(name=trick)
        for name in ("bills", "ledger/entries", "refunds/unpaid"):
            found = cells(a_full_desk, f"/{name}.xlsx")
            assert "'" + trick in found, (name, trick)
            risky = [each for each in found if isinstance(each, str) and each.startswith(RISKY)]
            assert [each for each in risky if not each.startswith(FORMULAS_OF_OURS)] == []
            rows = csv.reader(io.StringIO(b"".join(a_full_desk.get(f"/{name}.csv").streaming_content).decode()))
            assert any("'" + trick in row for row in rows)


def test_what_is_written_on_a_payment_cannot_run_or_break_the_file(a_full_desk: Client) -> None:
    now = datetime(2026, 1, 2, 10, tzinfo=UTC)
    receive_cash(
        company="C01", reference="=cmd|' /C calc'!A0\x07", amount_fen=100, key="k", now=now, actor="周会计", note=""
    )
    assert any(str(each).startswith("'=cmd|") for each in cells(a_full_desk, "/payments.xlsx?all=1"))


@pytest.mark.usefixtures("support_rows")
def test_the_lists_of_support_are_workbooks_too(as_cast: AsCast) -> None:
    for trick in TRICKS:
        Asset.objects.filter(company="C01").update(name=trick)
        FundAccount.objects.update(name=trick)
        GovernmentDebt.objects.update(debtor=trick)
        client = as_cast("刘科")
        for kind in ("repairs", "costs", "subsidies", "arrears", "funding", "funds"):
            found = cells(client, f"/support/files/{kind}.xlsx")
            assert trick not in found
            if kind in {"repairs", "arrears", "funds"}:
                assert "'" + trick in found
            assert not {NAME, PHONE, DOOR} & set(map(str, found))


@pytest.mark.usefixtures("support_rows")
def test_a_company_takes_its_own_debts_and_applications_away_only(as_cast: AsCast) -> None:
    for kind in ("arrears", "funds"):
        ours = " ".join(map(str, cells(as_cast("周会计"), f"/support/files/{kind}.xlsx")))
        assert "C01-" in ours
        assert "C02-" not in ours


def test_money_adds_up_by_a_formula_and_a_payment_list_has_no_total(a_full_desk: Client) -> None:
    total = sum(bill.total_fen for bill in Bill.objects.filter(company="C01"))
    book = load_workbook(io.BytesIO(a_full_desk.get("/bills.xlsx").content))
    column = [cell.value for cell in book.active["H"]]
    assert column[0] == "金额(元)"
    assert column[-1] == f"=SUM(H2:H{len(column) - 1})"
    assert round(sum(column[1:-1]) * 100) == total
    batch = RefundBatch.objects.latest("id")
    assert "合计" not in cells(a_full_desk, f"/refunds/{batch.pk}/payouts.xlsx")


def test_a_list_that_is_too_long_for_a_workbook_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "XLSX_ROWS", 3)
    made = sheet("账单", ["编号", "金额(元)"], ((str(n), Fen(n)) for n in range(10)))
    assert len(made.rows) == 3
    assert made.notes == ["只有前 3 行,完整的清单请导出 CSV。"]
    assert sheet("账单", ["编号"], [("1",)] * 3).notes == ()


def test_a_formula_of_ours_knows_its_rows() -> None:
    made = sheet(
        "账单", ["谁", "甲", "乙", "差"], [("张", Fen(300), Fen(None), Formula("=B{row}-C{row}"))], notes=["说明"]
    )
    page = load_workbook(io.BytesIO(workbook([made]))).active
    assert [cell.value for cell in page[3]] == ["张", 3, None, "=B3-C3"]
    assert [cell.value for cell in page[4]] == ["合计", "=SUM(B3:B3)", "=SUM(C3:C3)", "=SUM(D3:D3)"]


def test_the_unpaid_are_listed_by_age_place_and_state(a_full_desk: Client) -> None:
    body = a_full_desk.get("/bills/unpaid/").content.decode()
    assert "暖城小区1号楼 · 1 单元 · 2 层" in body
    assert "C02-" not in body
    only = a_full_desk.get("/bills/unpaid/?place=B001-1-0201").content.decode()
    assert only.count('class="code"') == 1
    assert "没有未付的账单" in a_full_desk.get("/bills/unpaid/?age=0").content.decode()
    assert "没有未付的账单" in a_full_desk.get("/bills/unpaid/?state=held").content.decode()
    assert a_full_desk.get("/bills/unpaid/?age=99&state=x&sort=;drop&page=-3").status_code == 200
    assert Resident.objects.filter(name=NAME).exists()
