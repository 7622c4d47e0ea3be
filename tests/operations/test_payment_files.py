"""Payment files against the bills of the small city: placed where the sums leave no doubt, listed where they do, and nothing twice."""

from datetime import date

import pytest
from django.db import connection
from payment_samples import ALL, REFUND, SUCCESS, TODAY, alipay, bank, wechat

from billed_city import ISSUED, bill_everybody, prepare
from nuan.operations.ledger import account, balance_fen
from nuan.operations.open_bills import open_of_homes
from nuan.operations.payment_files import ImportReport, import_payments
from nuan.operations.payment_queue import (
    MoreThanOpenError,
    NoReasonError,
    StrangeBillError,
    TakenBackError,
    candidates,
    pay_from_credit,
    place,
    place_oldest_first,
    take_back,
)
from nuan.records.billing.channels.profile import NoSuchChannelError
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, Bill, Entry, Payment, PaymentFile
from nuan.records.registry.models import Home

pytestmark = pytest.mark.django_db


@pytest.fixture
def billed(city: None) -> dict[str, Bill]:
    """Home code → bill."""
    prepare()
    bill_everybody()
    return {bill.home.code: bill for bill in Bill.objects.filter(kind="bill").select_related("home")}


def take(text: str | bytes, channel: str = "wechat", company: str = "C01", **more: object) -> ImportReport:
    content = text.encode() if isinstance(text, str) else text
    return import_payments(content, "file.csv", channel=channel, company=company, actor="周会计", today=TODAY, **more)  # type: ignore[arg-type]


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def open_fen(home: str) -> int:
    return sum(bill.open_fen for bill in open_of_homes([Home.objects.get(code=home).pk]))


def test_a_bill_that_is_named_is_paid(billed: dict[str, Bill]) -> None:
    bill = billed["B001-1-0101"]
    report = take(wechat([("4200001", bill.number, bill.total_fen)]))
    settle()
    assert (report.state, report.new, report.placed, report.doubtful) == ("imported", 1, 1, 0)
    assert open_fen("B001-1-0101") == 0
    payment = Payment.objects.get()
    assert (payment.open_fen, payment.home.code, payment.file_id) == (0, "B001-1-0101", report.file_id)
    assert balance_fen(account("C01", "receivable", bill.home)) == 0
    assert balance_fen(account("C01", "suspense")) == 0
    assert balance_fen(account("C01", "wechat")) == bill.total_fen - payment.fee_fen
    assert balance_fen(account("C01", "bank_fees")) == payment.fee_fen > 0
    assert Entry.objects.get(key=f"payment:{payment.pk}").clause == "2.5.6"


def test_every_channel(billed: dict[str, Bill]) -> None:
    homes = [code for code in billed if code.startswith("B00") and billed[code].company_id == "C01"][:3]
    one, two, three = (billed[code] for code in homes)
    files = [
        take(wechat([("4200001", one.number, one.total_fen)], head=SUCCESS)),
        take(alipay([("2025110422", two.number, two.total_fen)]).encode("gb18030"), "alipay"),
        take(bank([("F1", f"{three.home.code} 采暖费", three.total_fen)]).encode("gb18030"), "bank"),
    ]
    assert [(report.state, report.placed) for report in files] == [("imported", 1)] * 3
    assert [file.variant for file in PaymentFile.objects.order_by("id")] == ["SUCCESS", "", ""]
    assert all(open_fen(code) == 0 for code in homes)


def test_less_more_twice_and_unknown(billed: dict[str, Bill]) -> None:
    part, over, twice = (billed[code] for code in ("B001-1-0101", "B001-1-0201", "B001-1-0301"))
    foreign = next(bill for bill in billed.values() if bill.company_id == "C02")
    report = take(
        wechat(
            [
                ("1", part.number, part.total_fen - 100), ("2", over.number, over.total_fen + 250), ("3", twice.number, twice.total_fen),
                ("4", twice.number, twice.total_fen), ("5", "shop order 99", 5000), ("6", foreign.home.code, 5000), ("7", "费", 5000),
            ]
        )
    )  # fmt: skip
    settle()
    assert report.doubts == {"nothing_open": 1, "unknown_reference": 1, "other_company": 1, "no_reference": 1}
    assert open_fen("B001-1-0101") == 100
    assert -balance_fen(account("C01", "prepaid", over.home)) == 250
    assert open_fen("B001-1-0301") == 0
    queue = Payment.objects.filter(open_fen__gt=0)
    assert sorted(payment.txn_id for payment in queue) == ["4", "5", "6", "7"]
    assert -balance_fen(account("C01", "suspense")) == sum(payment.open_fen for payment in queue)


def test_several_bills_only_when_the_sums_are_exact(billed: dict[str, Bill]) -> None:
    one, two = billed["B001-1-0101"], billed["B001-1-0201"]
    both = one.total_fen + two.total_fen
    off = take(wechat([("1", f"{one.number} {two.number}", both - 1)]))
    assert off.doubts == {"sums_differ": 1}
    exact = take(wechat([("2", f"{one.number} {two.number}", both)]))
    assert exact.placed == 1
    assert [row.rule for row in Allocation.objects.order_by("id")] == ["split", "split"]


def test_the_same_file_again_changes_nothing(billed: dict[str, Bill]) -> None:
    bill = billed["B001-1-0101"]
    text = wechat([("4200001", bill.number, bill.total_fen)])
    first, again = take(text), take(text)
    assert (again.state, again.file_id, again.new) == ("known", first.file_id, 0)
    longer = take(wechat([("4200001", bill.number, bill.total_fen), ("4200002", "x y z", 100)]))
    assert (longer.state, longer.new, longer.known) == ("imported", 1, 1)
    assert Payment.objects.count() == 2
    assert Entry.objects.filter(kind="payment").count() == 2


def test_known_with_another_amount_refuses_the_file(billed: dict[str, Bill]) -> None:
    take(wechat([("1", "x", 100)]))
    report = take(wechat([("1", "x", 200), ("2", "y", 5)]))
    assert report.state == "refused"
    assert [(finding.code, finding.row) for finding in report.findings] == [("known_otherwise", 2)]
    assert Payment.objects.count() == 1


def test_a_refused_file_is_kept_for_somebody_to_look_after(billed: dict[str, Bill]) -> None:
    report = take(wechat([("1", "x", 100)]).replace("`1.00,`0.00,`0.00,`0.01", "`2.00,`0.00,`0.00,`0.01"))
    assert report.state == "refused"
    file = PaymentFile.objects.get()
    assert (file.state, file.findings[0]["code"]) == ("refused", "totals_differ")
    assert Payment.objects.count() == Entry.objects.filter(kind="payment").count() == 0


def test_a_dry_run_writes_nothing(billed: dict[str, Bill]) -> None:
    bill = billed["B001-1-0101"]
    report = take(wechat([("1", bill.number, bill.total_fen), ("2", "x y z", 5)]), dry_run=True)
    assert (report.state, report.placed, report.doubtful) == ("checked", 1, 1)
    assert report.examples[0]["row"] == 3
    bad = take("x", dry_run=True)
    assert bad.state == "refused"
    assert PaymentFile.objects.count() == Payment.objects.count() == 0


def test_wrong_month_and_wrong_channel(billed: dict[str, Bill]) -> None:
    text = wechat([("1", "x", 100)], day="2025-11-03")
    assert [f.code for f in take(text, month="2025-12").findings] == ["wrong_month"]
    assert take(text, month="2025-11").state == "imported"
    assert take(text, "alipay").state == "refused"
    for channel in ("counter", "prepaid", "paypal"):
        with pytest.raises(NoSuchChannelError):
            take(text, channel)


def test_a_closed_month_takes_the_money_today(billed: dict[str, Bill]) -> None:
    from nuan.records.billing.models import LedgerPeriod

    LedgerPeriod.objects.create(company_id="C01", period="2025-11", closed_by="周会计", approved_by="郑主管")
    take(wechat([("1", "x", 100)]))
    entry = Entry.objects.get(kind="payment")
    assert (entry.on, entry.details["paid_on"]) == (TODAY, "2025-11-03")


def test_a_person_places_what_waits(billed: dict[str, Bill]) -> None:
    bill, other = billed["B001-1-0101"], billed["B001-1-0201"]
    take(wechat([("1", "王阿姨家的暖气", bill.total_fen + 300)]))
    payment = Payment.objects.get()
    parts = [Part(bill.home_id, bill.pk, bill.total_fen, "person"), Part(other.home_id, other.pk, 300, "person")]
    with pytest.raises(MoreThanOpenError):
        place(payment.pk, [Part(bill.home_id, bill.pk, bill.total_fen + 1, "person")], actor="周会计", today=TODAY)
    with pytest.raises(MoreThanOpenError):
        place(payment.pk, [*parts, Part(other.home_id, None, 1, "person")], actor="周会计", today=TODAY)
    with pytest.raises(StrangeBillError):
        place(payment.pk, [Part(other.home_id, bill.pk, 1, "person")], actor="周会计", today=TODAY)
    place(payment.pk, parts, actor="周会计", today=TODAY, why="电话核实")
    settle()
    payment.refresh_from_db()
    assert (payment.open_fen, payment.doubt) == (0, "")
    assert open_fen("B001-1-0101") == 0
    assert open_fen("B001-1-0201") == other.total_fen - 300


def test_taking_back_is_a_reversal(billed: dict[str, Bill]) -> None:
    bill = billed["B001-1-0101"]
    take(wechat([("1", bill.number, bill.total_fen)]))
    placed = Allocation.objects.get()
    with pytest.raises(NoReasonError):
        take_back(placed.pk, actor="周会计", today=TODAY, why=" ")
    take_back(placed.pk, actor="周会计", today=TODAY, why="付的是邻居家的")
    settle()
    payment = Payment.objects.get()
    assert payment.open_fen == payment.amount_fen
    assert open_fen("B001-1-0101") == bill.total_fen
    assert balance_fen(account("C01", "receivable", bill.home)) == bill.total_fen
    with pytest.raises(TakenBackError):
        take_back(placed.pk, actor="周会计", today=TODAY, why="再来一次")
    place(payment.pk, [Part(bill.home_id, bill.pk, bill.total_fen, "person")], actor="周会计", today=TODAY)
    settle()
    assert open_fen("B001-1-0101") == 0


def test_candidates_say_what_speaks_for_them(billed: dict[str, Bill]) -> None:
    one, two = billed["B001-1-0101"], billed["B001-1-0201"]
    take(wechat([("1", f"{one.number} {two.home.code}", two.total_fen)]))
    payment = Payment.objects.get()
    assert payment.doubt == "several_homes"
    found = candidates(payment)
    assert [(each.bill.number, set(each.reasons)) for each in found] == [
        (two.number, {"named_home", "same_amount"}),
        (one.number, {"named_bill"}),
    ]


def test_credit_pays_a_bill_once(billed: dict[str, Bill]) -> None:
    from datetime import UTC, datetime

    (over,) = (billed["B001-1-0101"],)
    take(wechat([("1", over.number, over.total_fen + 500)]))
    now = datetime(2026, 1, 20, tzinfo=UTC)
    with pytest.raises(MoreThanOpenError):
        pay_from_credit(over.pk, 500, actor="周会计", today=TODAY, now=now, key="k1", why="抵")
    take_back(Allocation.objects.filter(bill=over).get().pk, actor="周会计", today=TODAY, why="试")
    for _ in range(2):
        pay_from_credit(over.pk, 500, actor="周会计", today=TODAY, now=now, key="k1", why="抵")
    settle()
    assert balance_fen(account("C01", "prepaid", over.home)) == 0
    assert open_fen("B001-1-0101") == over.total_fen - 500


def test_oldest_first_is_chosen_on_purpose(billed: dict[str, Bill]) -> None:
    bill = billed["B001-1-0101"]
    take(wechat([("1", "不知道", bill.total_fen + 7)]))
    payment = Payment.objects.get()
    place_oldest_first(payment.pk, bill.home_id, actor="周会计", today=TODAY, why="住户要求先还最早的")
    settle()
    assert [(row.bill_id, row.amount_fen, row.rule) for row in Allocation.objects.order_by("id")] == [
        (bill.pk, bill.total_fen, "oldest_first"),
        (None, 7, "oldest_first"),
    ]


def test_the_database_holds_payments_to_their_parts(billed: dict[str, Bill]) -> None:
    from django.db import IntegrityError, transaction

    bill = billed["B001-1-0101"]
    take(wechat([("1", bill.number, bill.total_fen), ("2", "x", 5)]))
    statements = [
        "UPDATE billing_payment SET amount_fen = amount_fen + 1",
        "UPDATE billing_payment SET open_fen = 1 WHERE txn_id = '1'",
        "DELETE FROM billing_payment",
        "UPDATE billing_allocation SET amount_fen = 1",
        "DELETE FROM billing_allocation",
        "UPDATE billing_paymentfile SET total_fen = 1",
    ]
    for statement in statements:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")


def test_bills_are_issued_before_they_are_paid() -> None:
    assert date(2025, 11, 3) > ISSUED
    assert len(ALL.split(",")) == 27
    assert len(SUCCESS.split(",")) == 20
    assert len(REFUND.split(",")) == 29
