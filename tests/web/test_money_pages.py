"""Forms of payments and refunds: who may send them, what a direct request gets, what leaves as a file."""

import io
from collections.abc import Callable
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from billed_city import bill_everybody, prepare
from nuan.operations.payment_files import import_payments
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Allocation, Bill, CounterDay, Decision, Payment, PaymentFile, RefundBatch
from nuan.records.registry.models import Company
from refund_stage import a_payment, a_posted_batch, a_proposed_batch, finance

AsCast = Callable[[str | None], Client]
GOOD = "交易时间,微信订单号,商户订单号,交易状态,应结订单金额\n`2025-11-03 10:00:00,`1,`王阿姨家,`SUCCESS,`100.00\n总交易单数,应结订单总金额\n`1,`100.00\n"


def as_cast_again(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def as_second() -> Client:
    client = Client()
    client.force_login(finance("郑主管"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_whoever_proposed_gets_no_button_and_a_direct_request_is_refused(as_cast: AsCast) -> None:
    batch = a_proposed_batch()
    client, address = as_cast("周会计"), f"/refunds/{batch.pk}/"
    assert 'value="approve"' not in client.get(address).content.decode()
    answer = client.post(address, {"act": "approve", "seen": batch.content_hash})
    assert answer.status_code == 422
    assert "须由另一人审批" in answer.content.decode()
    assert client.post(address, {"act": "post"}).status_code == 422
    assert Decision.objects.count() == 0
    batch.refresh_from_db()
    assert batch.state == "proposed"


@pytest.mark.parametrize("name", [None, "王阿姨", "小李", "乌主任", "外人"])
def test_strangers_send_nothing(as_cast: AsCast, name: str | None) -> None:
    batch = a_proposed_batch()
    answer = as_cast(name).post(f"/refunds/{batch.pk}/", {"act": "approve", "seen": batch.content_hash})
    assert answer.status_code == (302 if name is None else 404)
    assert Decision.objects.count() == 0


def test_what_was_not_seen_is_not_approved(as_cast: AsCast) -> None:
    as_cast("周会计")
    batch = a_proposed_batch()
    assert as_second().post(f"/refunds/{batch.pk}/", {"act": "approve", "seen": "0" * 64}).status_code == 422
    assert as_second().post(f"/refunds/{batch.pk}/", {"act": "dance"}).status_code == 404
    assert as_second().post(f"/refunds/{batch.pk}/", {"act": "approve", "seen": batch.content_hash}).status_code == 302
    assert as_second().post(f"/refunds/{batch.pk}/", {"act": "post"}).status_code == 302
    assert RefundBatch.objects.get().state == "posted"


def test_whoever_proposed_may_withdraw_and_propose_anew(as_cast: AsCast) -> None:
    as_cast("周会计")
    batch = a_proposed_batch()
    assert as_cast_again("刘科").post(f"/refunds/{batch.pk}/", {"act": "withdraw", "why": "x"}).status_code == 422
    assert (
        as_cast_again("周会计").post(f"/refunds/{batch.pk}/", {"act": "withdraw", "why": "数错了"}).status_code == 302
    )
    assert a_proposed_batch().items_count == batch.items_count
    assert as_second().post(f"/refunds/{batch.pk}/", {"act": "approve", "seen": batch.content_hash}).status_code == 422


def test_forms_need_the_token_of_the_page(as_cast: AsCast) -> None:
    as_cast("周会计")
    batch = a_proposed_batch()
    client = Client(enforce_csrf_checks=True)
    client.force_login(finance("郑主管"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/refunds/{batch.pk}/", {"act": "approve", "seen": batch.content_hash}).status_code == 403


def test_the_city_looks_and_does_not_pay(as_cast: AsCast) -> None:
    batch = a_posted_batch()
    city = as_cast("刘科")
    assert city.get(f"/refunds/{batch.pk}/").status_code == 200
    assert city.post(f"/refunds/{batch.pk}/", {"act": "send", "channel": "bank"}).status_code == 422
    assert city.post(f"/refunds/{batch.pk}/payouts/", {}).status_code == 422
    assert set(batch.payouts.values_list("state", flat=True)) == {"pending"}


def test_a_payment_of_another_company_is_not_there(as_cast: AsCast) -> None:
    payment = a_payment()
    other = User.objects.create(username="别家财务", role=Role.FINANCE, company=Company.objects.get(code="C02"))
    client = as_cast(None)
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"/payments/{payment.pk}/", f"/payments/files/{payment.file_id}/", f"/refunds/{a_posted_batch().pk}/"):
        assert client.get(path).status_code == 404
    assert client.post(f"/payments/{payment.pk}/", {"act": "credit", "home": "1", "why": "x"}).status_code == 404
    assert Allocation.objects.count() == 0


def upload(client: Client, text: str, **more: str):  # type: ignore[no-untyped-def]
    file = SimpleUploadedFile("20251103ALL.csv", text.encode())
    return client.post("/payments/files/", {"act": "check", "channel": "wechat", "file": file} | more)


def test_a_file_is_checked_and_then_exactly_that_file_is_imported(as_cast: AsCast, settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path
    client = as_cast("周会计")
    assert "可以导入" in upload(client, GOOD).content.decode()
    assert Payment.objects.count() == PaymentFile.objects.count() == 0
    digest = client.session["payment_file"]["digest"]
    assert client.post("/payments/files/", {"act": "import", "digest": "0" * 64}).status_code == 422
    assert client.post("/payments/files/", {"act": "import", "digest": "../../etc/passwd"}).status_code == 422
    assert as_second().post("/payments/files/", {"act": "import", "digest": digest}).status_code == 422
    assert client.post("/payments/files/", {"act": "import", "digest": digest}).status_code == 302
    assert client.post("/payments/files/", {"act": "import", "digest": digest}).status_code == 422
    assert Payment.objects.count() == 1
    bad = upload(client, GOOD.replace("`1,`100.00", "`1,`999.00"))
    assert bad.status_code == 422
    assert "收款金额对不上" in bad.content.decode()
    assert client.post("/payments/files/", {"act": "check", "channel": "wechat"}).status_code == 422
    assert (
        client.post(
            "/payments/files/", {"act": "check", "channel": "x", "file": SimpleUploadedFile("a", b"x")}
        ).status_code
        == 422
    )


def test_placing_and_taking_back_on_the_page(as_cast: AsCast) -> None:
    client = as_cast("周会计")
    prepare()
    bill_everybody()
    payment, bill = a_payment(), Bill.objects.get(home__code="B001-1-0101", kind="bill")
    address = f"/payments/{payment.pk}/"
    assert bill.number in client.get(address, {"find": "b001-1-0101"}).content.decode()
    assert client.post(address, {"act": "place", f"fen-{bill.pk}": "100.01"}).status_code == 422
    assert client.post(address, {"act": "place", f"fen-{bill.pk}": "一百"}).status_code == 422
    assert client.post(address, {"act": "place", f"fen-{bill.pk}": "60", "why": "电话"}).status_code == 302
    assert client.post(address, {"act": "credit", "home": str(bill.home_id), "why": "预存"}).status_code == 302
    placed = Allocation.objects.get(bill=bill)
    assert client.post(address, {"act": "undo", "allocation": str(placed.pk), "why": ""}).status_code == 422
    assert client.post(address, {"act": "undo", "allocation": str(placed.pk), "why": "错了"}).status_code == 302
    assert client.post(address, {"act": "undo", "allocation": "x"}).status_code == 404
    payment.refresh_from_db()
    assert payment.open_fen == 6_000


def test_cash_and_the_close_of_its_day(as_cast: AsCast) -> None:
    from django.utils import timezone

    client, day = as_cast("周会计"), timezone.localdate().isoformat()
    receipt = {"act": "receive", "key": "k1", "reference": "B001-1-0101", "amount": "20"}
    assert [client.post("/finance/counter/", receipt).status_code for _ in range(2)] == [302, 302]
    assert Payment.objects.count() == 1, "a form sent twice is one receipt"
    assert client.post("/finance/counter/", receipt | {"key": "k2", "amount": "-5"}).status_code == 422
    assert client.post("/finance/counter/", {"act": "close", "day": day, "counted": "19"}).status_code == 422
    for wrong in ({"day": "2199-01-01", "counted": "0"}, {"day": day, "counted": "-20", "why": "试"}):
        assert client.post("/finance/counter/", {"act": "close", **wrong}).status_code == 422, wrong
    assert (
        client.post("/finance/counter/", {"act": "close", "day": day, "counted": "19", "why": "少一元"}).status_code
        == 302
    )
    assert client.post("/finance/counter/", receipt | {"key": "k3"}).status_code == 422
    assert CounterDay.objects.get().expected_fen == 2_000


def test_exports_are_masked_and_harmless(as_cast: AsCast) -> None:
    a_posted_batch()
    company = Company.objects.get(code="C01")
    company.name = "=HYPERLINK(1)"
    company.save()
    client = as_cast("刘科")
    book = load_workbook(io.BytesIO(client.get("/refunds/unpaid.xlsx").content))
    cells = [cell.value for row in book.active.iter_rows() for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert "=HYPERLINK(1)" not in cells
    homes = load_workbook(io.BytesIO(client.get("/refunds/unpaid/C01/2025-2026.xlsx").content))
    shown = str([cell.value for row in homes.active.iter_rows() for cell in row])
    assert "暖城小区1号楼 · 1 单元 · 1 层" in shown
    assert "0101" not in shown
    batch = RefundBatch.objects.get()
    for path in (f"/refunds/{batch.pk}/items.csv", f"/refunds/{batch.pk}/payouts.csv", "/refunds/unpaid.csv"):
        body = b"".join(client.get(path).streaming_content).decode()
        assert "0101" not in body
        assert "王秀兰" not in body


def test_a_banner_counts_its_own_homes_only(as_cast: AsCast) -> None:
    a_posted_batch()
    body = as_cast("乌主任").get("/refunds/unpaid/").content.decode()
    assert "暖阳热力" in body
    assert "远山供热" not in body
    assert as_cast("乌主任").get("/refunds/unpaid/C02/2025-2026/").status_code == 404


def test_the_desk_says_what_waits(as_cast: AsCast) -> None:
    a_payment()
    a_proposed_batch()
    assert "等您审批" not in as_cast("周会计").get("/finance/").content.decode()
    body = as_second().get("/finance/").content.decode()
    for words in ("1 笔收款对不上账单", "等您审批"):
        assert words in body


def test_bounded_queries(as_cast: AsCast, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    batch = a_posted_batch()
    a_payment()
    client = as_cast("周会计")
    for path, most in (("/finance/", 30), ("/payments/", 12), (f"/refunds/{batch.pk}/", 22), ("/refunds/unpaid/", 14)):
        with django_assert_max_num_queries(most):
            assert client.get(path).status_code == 200


def test_what_is_written_on_a_payment_leaves_without_door_and_phone(as_cast: AsCast) -> None:
    text = GOOD.replace("王阿姨家", "b001-1-0101 热费 13800138000")
    import_payments(text.encode(), "f.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 1, 1))
    body = b"".join(as_cast("周会计").get("/payments.csv?all=1").streaming_content).decode()
    assert "b001-1-** 热费 138****" in body
    assert "0101" not in body
    assert "13800138000" not in body


def test_a_refund_that_is_not_agreed_is_nobodys_yet(as_cast: AsCast) -> None:
    batch = a_proposed_batch()
    home = User.objects.get(username="王阿姨").home
    item = batch.items.filter(home=home).first()
    assert item is not None
    address = f"/refunds/items/{item.pk}/"
    assert as_cast("王阿姨").get(address).status_code == 404
    assert as_cast("周会计").get(address).status_code == 200


def test_the_hour_in_a_file_is_the_citys(as_cast: AsCast) -> None:
    a_posted_batch()
    body = b"".join(as_cast("周会计").get("/ledger/entries.csv").streaming_content).decode()
    assert "+00:00" not in body
