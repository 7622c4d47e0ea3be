"""Messages of a channel: signed, once, in any order; an answer of 2xx is given for what is in the records, and for nothing else."""

import json
import time
from pathlib import Path

import pytest
from django.test import Client

from nuan.operations.channel_events import WINDOW_S, signature
from nuan.records.billing.models import ChannelEvent, Entry, Payment

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests-0123456789abcdef"


@pytest.fixture(autouse=True)
def secrets(settings, city: None) -> None:  # type: ignore[no-untyped-def]
    settings.WEBHOOK_SECRETS = {"C01/wechat": SECRET}


def event(**more: object) -> dict[str, object]:
    return {
        "id": "e1", "kind": "payment.succeeded", "txn_id": "4200001", "amount_fen": 240_000, "at": "2025-11-03T10:00:00+08:00",
        "reference": "B001-1-0101", "payer": "王秀兰",
    } | more  # fmt: skip


def send(
    found: dict[str, object] | bytes,
    *,
    secret: str = SECRET,
    age_s: int = 0,
    channel: str = "wechat",
    company: str = "C01",
):  # type: ignore[no-untyped-def]
    body = found if isinstance(found, bytes) else json.dumps(found, ensure_ascii=False).encode()
    stamp = str(int(time.time()) - age_s)
    headers = {"X-Nuan-Timestamp": stamp, "X-Nuan-Signature": signature(secret, stamp, body)}
    return Client().post(
        f"/api/payment-events/{channel}/{company}/", body, content_type="application/json", headers=headers
    )


def test_a_payment_comes_as_a_message_and_again_changes_nothing() -> None:
    assert [send(event()).json()["outcome"] for _ in range(3)] == ["applied"] * 3
    assert Payment.objects.get().payer == "王**"
    assert ChannelEvent.objects.count() == 1
    assert Entry.objects.filter(kind="payment").count() == 1
    assert send(event(id="e2")).json()["outcome"] == "known"


@pytest.mark.parametrize(
    ("more", "status"),
    [({"secret": "another"}, 401), ({"age_s": WINDOW_S + 5}, 401), ({"age_s": -WINDOW_S - 5}, 401), ({"channel": "alipay"}, 404), ({"company": "C02"}, 404)],
    ids=["other secret", "replayed", "from the future", "no secret set", "other company"],
)  # fmt: skip
def test_what_is_not_signed_now_is_not_heard(more: dict[str, object], status: int) -> None:
    assert send(event(), **more).status_code == status  # type: ignore[arg-type]
    assert Payment.objects.count() == ChannelEvent.objects.count() == 0


def test_a_body_changed_on_the_way_is_refused() -> None:
    body = json.dumps(event()).encode()
    stamp = str(int(time.time()))
    headers = {"X-Nuan-Timestamp": stamp, "X-Nuan-Signature": signature(SECRET, stamp, body)}
    changed = body.replace(b"240000", b"340000")
    assert (
        Client()
        .post("/api/payment-events/wechat/C01/", changed, content_type="application/json", headers=headers)
        .status_code
        == 401
    )


@pytest.mark.parametrize(
    "broken",
    [b"", b"[]", b"{", b"\xff\xfe", b'{"id": "e1"}', json.dumps(event(amount_fen=1.5)).encode(), json.dumps(event(amount_fen=-1)).encode(),
     json.dumps(event(amount_fen=True)).encode(), json.dumps(event(at="2025-11-03")).encode(), json.dumps(event(kind="x")).encode(),
     json.dumps(event(at="2035-11-03T10:00:00+08:00")).encode(), json.dumps(event(txn_id="x" * 99)).encode()],
)  # fmt: skip
def test_what_is_no_event_is_400(broken: bytes) -> None:
    assert send(broken).status_code == 400
    assert ChannelEvent.objects.count() == 0


def test_the_same_number_with_another_content_is_a_conflict() -> None:
    send(event())
    assert send(event(amount_fen=1)).status_code == 409
    assert send(event(id="e2", amount_fen=1)).status_code == 409
    assert Payment.objects.count() == 1


def test_only_post_and_never_a_page() -> None:
    assert Client().get("/api/payment-events/wechat/C01/").status_code == 405


def test_a_message_and_then_the_bill_file_is_one_payment_with_its_fee() -> None:
    from datetime import date

    from nuan.operations.ledger import account, balance_fen
    from nuan.operations.payment_files import import_payments

    send(event(amount_fen=10_000))
    text = (
        "交易时间,微信订单号,商户订单号,交易状态,应结订单金额,手续费\n"
        "`2025-11-03 10:00:00,`4200001,`B001-1-0101,`SUCCESS,`100.00,`0.60000\n"
        "总交易单数,应结订单总金额,手续费总金额\n`1,`100.00,`0.60000\n"
    )
    for _ in range(2):
        report = import_payments(
            text.encode(), "b.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 1, 20)
        )
    assert (report.state, Payment.objects.count()) == ("known", 1)
    assert balance_fen(account("C01", "bank_fees")) == 60
    assert balance_fen(account("C01", "wechat")) == 9_940
    month = text.replace(
        "`2025-11-03", "`2025-11-04 09:00:00,`4200002,`B001-1-0101,`SUCCESS,`50.00,`0.30000\n`2025-11-03", 1
    )
    month = month.replace("`1,`100.00,`0.60000", "`2,`150.00,`0.90000")
    report = import_payments(
        month.encode(), "m.csv", channel="wechat", company="C01", actor="周会计", today=date(2026, 2, 2)
    )
    assert (report.state, report.new, report.known) == ("imported", 1, 1), (
        "the month's bill after the day's, on another day"
    )
    assert balance_fen(account("C01", "bank_fees")) == 90


def test_results_of_refunds_in_any_order(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    from refund_stage import a_payout

    payout = a_payout()
    told = {
        "txn_id": "5000001",
        "payout": payout.number,
        "amount_fen": payout.amount_fen,
        "at": "2026-01-10T10:00:00+08:00",
    }
    assert send(event(id="r0", kind="refund.succeeded", **told)).status_code == 409, (
        "not sent yet: the channel asks again"
    )
    from nuan.operations.refund_payouts import send_payouts

    send_payouts([payout], channel="wechat", on=payout.created_at.date(), actor="周会计")
    assert send(event(id="r1", kind="refund.succeeded", **told)).json()["outcome"] == "applied"
    assert send(event(id="r2", kind="refund.failed", **told)).json()["outcome"] == "superseded"
    assert send(event(id="r1", kind="refund.succeeded", **told)).json()["outcome"] == "applied"
    assert send(event(id="r3", kind="refund.succeeded", **told)).json()["outcome"] == "known"
    assert (
        send(event(id="r4", kind="refund.succeeded", **(told | {"payout": "NT9999999999"}))).json()["outcome"]
        == "unknown"
    )
    payout.refresh_from_db()
    assert payout.state == "paid"
    assert Entry.objects.filter(key=f"payout:{payout.pk}:paid").count() == 1
