"""What a platform gave back by itself: listed from its file, booked once by two people, with its fee, onto the receipt that it came from."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from payment_samples import ALL, TODAY, wechat

from billed_city import bill_everybody, person, prepare
from nuan.operations.approvals import ContentChangedError, NotInChargeError, SamePersonError
from nuan.operations.channel_refunds import (
    ChannelRefundStateError,
    MoreThanLeftError,
    NoReceiptError,
    decide_channel_refund,
    open_refunds,
    propose_channel_refund,
    withdraw_channel_refund,
)
from nuan.operations.ledger import account, balance_fen
from nuan.operations.ledger_check import check
from nuan.operations.open_bills import open_of_bills
from nuan.operations.payment_files import ImportReport, import_payments
from nuan.operations.payment_queue import NoReasonError, take_back
from nuan.operations.payment_returns import Answer, decide_return, propose_return, send_return, settle_return
from nuan.operations.refund_posting import ways_back
from nuan.records.billing.models import Bill, ChannelRefund, Entry, Payment

pytestmark = pytest.mark.django_db
DAY = date(2025, 11, 3)


@pytest.fixture
def bill(city: None) -> Bill:
    prepare()
    bill_everybody()
    return Bill.objects.get(home__code="B001-1-0101")


def take(text: str, name: str = "f.csv") -> ImportReport:
    return import_payments(text.encode(), name, channel="wechat", company="C01", actor="周会计", today=TODAY)


def with_fee(text: str, refund: str, fee: str) -> str:
    """The file with a fee given back on the row of a refund, and the control total that goes with it."""
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if f"`{refund}," in line)
    cells = lines[at].split(",")
    cells[ALL.split(",").index("手续费")] = f"`{fee}"
    lines[at] = ",".join(cells)
    total = lines[-1].split(",")
    total[4] = f"`{float(total[4].strip('`')) + float(fee):.5f}"
    return "\n".join([*lines[:-1], ",".join(total)]) + "\n"


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def proposed(fen: int, bill: Bill, state: str = "SUCCESS", **how: str) -> ChannelRefund:
    text = wechat([("1", bill.number, bill.total_fen)], [("r1", "1", "shop-9", fen, state)])
    assert take(with_fee(text, "r1", how.get("fee", "0.00"))).state == "imported"
    return propose_channel_refund(ChannelRefund.objects.get().pk, by=person("周会计"), why="平台上退的")


def at_wechat() -> int:
    return balance_fen(account("C01", "wechat"))


def test_a_refund_of_a_part_opens_the_bill_again_for_that_part(bill: Bill) -> None:
    found = proposed(10_000, bill, fee="-0.60")
    before, fees = at_wechat(), balance_fen(account("C01", "bank_fees"))
    done = decide_channel_refund(found.pk, by=person("郑主管"), seen_hash=found.content_hash, today=TODAY)
    settle()
    assert at_wechat() == before - 10_000 + 60
    assert balance_fen(account("C01", "bank_fees")) == fees - 60
    assert open_of_bills([bill.pk])[0].open_fen == 10_000
    assert balance_fen(account("C01", "receivable", bill.home)) == 10_000
    assert balance_fen(account("C01", "suspense")) == 0
    assert Payment.objects.get().open_fen == 0
    assert done.entry is not None
    assert (done.entry.clause, done.entry.on, done.entry.details["payment"]) == ("2.5.6", DAY, Payment.objects.get().pk)
    assert [each.code for each in check(now=done.happened_at) if each.severity == "error"] == []


def test_the_file_says_where_to_go_and_comes_twice_without_effect(bill: Bill) -> None:
    text = wechat([("1", bill.number, 100)], [("r1", "1", "shop-9", 100, "SUCCESS")])
    first, again = take(text), take(text)
    assert [each.code for each in first.findings] == ["refund_unknown"]
    assert "平台退款" in first.findings[0].remedy_zh
    other = take(wechat([("2", bill.number, 1)], [("r1", "1", "shop-9", 100, "SUCCESS")]), "g.csv")
    wrong = take(wechat([("3", bill.number, 1)], [("r1", "1", "shop-9", 99, "SUCCESS")]), "h.csv")
    assert (again.state, [each.code for each in other.findings]) == ("known", [])
    assert [each.code for each in wrong.findings] == ["known_otherwise"]
    assert open_refunds("C01").get().amount_fen == 100


def test_four_eyes_cannot_be_got_round(bill: Bill) -> None:
    found = proposed(bill.total_fen, bill)
    with pytest.raises(SamePersonError):
        decide_channel_refund(found.pk, by=person("周会计"), seen_hash=found.content_hash, today=TODAY)
    with pytest.raises(NotInChargeError):
        decide_channel_refund(found.pk, by=person("吴会计"), seen_hash=found.content_hash, today=TODAY)
    with pytest.raises(ContentChangedError):
        decide_channel_refund(found.pk, by=person("郑主管"), seen_hash="0" * 64, today=TODAY)
    entry = Entry.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        ChannelRefund.objects.filter(pk=found.pk).update(state="booked", entry=entry)
    with pytest.raises(IntegrityError), transaction.atomic():
        ChannelRefund.objects.filter(pk=found.pk).update(amount_fen=1)
    take_back(Payment.objects.get().allocations.get().pk, actor="周会计", today=TODAY, why="重新核销")
    with pytest.raises(ContentChangedError):
        decide_channel_refund(found.pk, by=person("郑主管"), seen_hash=found.content_hash, today=TODAY)
    assert Entry.objects.filter(kind="channel_refund").count() == 0


def test_asked_twice_decided_once(bill: Bill) -> None:
    found = proposed(500, bill)
    assert propose_channel_refund(found.pk, by=person("周会计"), why="平台上退的").pk == found.pk
    with pytest.raises(ChannelRefundStateError):
        propose_channel_refund(found.pk, by=person("周会计"), why="另一个理由")
    decide_channel_refund(found.pk, by=person("郑主管"), seen_hash=found.content_hash, today=TODAY)
    with pytest.raises(ChannelRefundStateError):
        decide_channel_refund(found.pk, by=person("郑主管"), seen_hash=found.content_hash, today=TODAY)
    assert Entry.objects.filter(kind="channel_refund").count() == 1


def test_a_no_and_a_withdrawal_leave_it_in_the_list(bill: Bill) -> None:
    found = proposed(500, bill)
    decide_channel_refund(
        found.pk, by=person("郑主管"), seen_hash=found.content_hash, today=TODAY, approve=False, why="先问平台"
    )
    assert open_refunds("C01").get().answer == "先问平台"
    with pytest.raises(NoReasonError):
        propose_channel_refund(found.pk, by=person("周会计"), why=" ")
    propose_channel_refund(found.pk, by=person("周会计"), why="问过了")
    with pytest.raises(ChannelRefundStateError):
        withdraw_channel_refund(found.pk, by=person("郑主管"), why="x")
    assert withdraw_channel_refund(found.pk, by=person("周会计"), why="再看看").state == "found"
    assert balance_fen(account("C01", "receivable", bill.home)) == 0


def test_without_its_receipt_it_waits_and_finds_it_later(bill: Bill) -> None:
    take(wechat([], [("r1", "1", "shop-9", 100, "SUCCESS")]))
    found = ChannelRefund.objects.get()
    with pytest.raises(NoReceiptError):
        propose_channel_refund(found.pk, by=person("周会计"), why="平台上退的")
    take(wechat([("1", bill.number, 100)]), "earlier.csv")
    assert propose_channel_refund(found.pk, by=person("周会计"), why="平台上退的").payment == Payment.objects.get()


def test_no_more_than_the_receipt_goes_back(bill: Bill) -> None:
    take(wechat([("1", "付错了", 100)], [("r1", "1", "a", 60, "SUCCESS"), ("r2", "1", "b", 60, "SUCCESS")]))
    first, second = ChannelRefund.objects.order_by("id")
    found = propose_channel_refund(first.pk, by=person("周会计"), why="一")
    decide_channel_refund(found.pk, by=person("郑主管"), seen_hash=found.content_hash, today=TODAY)
    with pytest.raises(MoreThanLeftError):
        propose_channel_refund(second.pk, by=person("周会计"), why="二")
    settle()
    assert Payment.objects.get().open_fen == 40


def test_a_refund_that_we_sent_is_none_of_the_platforms(bill: Bill) -> None:
    take(wechat([("1", "付错了", 100)]))
    ours = propose_return(Payment.objects.get().pk, 100, by=person("周会计"), why="付错了")
    decide_return(ours, by=person("郑主管"), seen_hash=ours.content_hash, today=TODAY)
    ours.refresh_from_db()
    send_return(ours, by=person("周会计"), today=TODAY)
    by_number = take(wechat([("2", "x", 1)], [("r1", "1", ours.number, 100, "SUCCESS")]), "g.csv")
    assert "return_waits" in [each.code for each in by_number.findings]
    ours.refresh_from_db()
    settle_return(ours, Answer(True, TODAY, "r2"), by=person("周会计"))
    take(wechat([("3", "x", 1)], [("r2", "1", "by hand", 100, "SUCCESS")]), "h.csv")
    assert not ChannelRefund.objects.exists()


def test_a_revoked_receipt_is_in_the_list(bill: Bill) -> None:
    text = wechat([("1", bill.number, 100)], [("0", "1", "shop-9", 100, "SUCCESS")]).replace("`REFUND", "`REVOKED")
    assert take(text).state == "imported"
    assert (ChannelRefund.objects.get().kind, ChannelRefund.objects.get().amount_fen) == ("revoked", 100)


def test_the_line_of_the_company_comes_before_the_receipt(bill: Bill) -> None:
    """Whoever places money stands in the line first and then takes the receipt; the other way round the two would wait for each other."""
    take(wechat([("1", bill.number, bill.total_fen)], [("r1", "1", "shop", 500, "SUCCESS")]))
    with CaptureQueriesContext(connection) as asked:
        propose_channel_refund(ChannelRefund.objects.get().pk, by=person("周会计"), why="平台上退的")
    locks = [
        one["sql"] for one in asked if "pg_advisory_xact_lock(hashtext" in one["sql"] or "FOR UPDATE" in one["sql"]
    ]
    assert "placing C01" in locks[0]
    assert any("billing_payment" in each for each in locks[1:])


def test_what_a_platform_has_given_back_is_no_way_for_a_refund(bill: Bill) -> None:
    """The platform would refuse it: it gives back no more than came."""
    take(wechat([("1", bill.number, bill.total_fen)]))
    assert ways_back([bill.home_id])[bill.home_id].txn_id == "1"
    take(wechat([], [("r1", "1", "shop", 500, "SUCCESS")]), "next.csv")
    assert ways_back([bill.home_id]) == {}
