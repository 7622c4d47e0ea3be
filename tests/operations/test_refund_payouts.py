"""A refund's way to the home: booked at each step, once; failed is payable again; late costs what the law says, or nobody can say."""

from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import localdate
from judged_city import judge
from refund_cast import ON, posted, proposed

from nuan.operations import refund_payouts
from nuan.operations.ledger import account, balance_fen
from nuan.operations.refund_payouts import (
    NoChannelError,
    PayoutStateError,
    credit_payouts,
    send_payouts,
    settle_from_bill,
    settle_payout,
    take_results,
)
from nuan.policies.refunds.payout import Payout
from nuan.records.billing.channels.payment_row import PaymentRow
from nuan.records.billing.models import Entry, LedgerPeriod, RefundBatch, RefundNotice, RefundPayout
from nuan.terms.places import CHINA

pytestmark = pytest.mark.django_db
LATER = date(2026, 5, 25)


@pytest.fixture
def batch(registered: None, tmp_path: Path) -> RefundBatch:
    judge(tmp_path / "readings", tmp_path)
    return posted(proposed())


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def sent(count: int = 3) -> list[RefundPayout]:
    return send_payouts(list(RefundPayout.objects.order_by("id")[:count]), channel="bank", on=ON, actor="周会计")


def test_payable_in_transit_paid(batch: RefundBatch) -> None:
    first, *_ = sent()
    total = sum(each.amount_fen for each in RefundPayout.objects.filter(state="in_transit"))
    assert balance_fen(account("C01", "refund_transit")) == -total
    assert balance_fen(account("C01", "refund_payable", first.home)) == 0
    paid = settle_payout(first, paid=True, on=LATER, actor="周会计", channel_txn="F1")
    settle()
    assert (paid.state, paid.done_on, paid.channel_txn) == ("paid", LATER, "F1")
    assert balance_fen(account("C01", "bank")) == -first.amount_fen
    assert balance_fen(account("C01", "refund_transit")) == first.amount_fen - total
    assert RefundNotice.objects.filter(home=first.home, kind="paid").exists()


def test_sent_and_settled_twice_is_once(batch: RefundBatch) -> None:
    rows = sent()
    assert send_payouts(rows, on=ON, actor="周会计") == []
    for _ in range(2):
        settle_payout(rows[0], paid=True, on=LATER, actor="周会计")
    assert Entry.objects.filter(kind="payout").count() == len(rows) + 1
    with pytest.raises(PayoutStateError):
        settle_payout(rows[0], paid=False, on=LATER, actor="周会计", why="x")


def test_what_failed_is_payable_again(batch: RefundBatch) -> None:
    first, *_ = sent(1)
    settle_payout(first, paid=False, on=LATER, actor="周会计", why="账号不符")
    settle()
    again = RefundPayout.objects.get(home=first.home, state="pending")
    assert (again.attempt, again.amount_fen) == (2, first.amount_fen)
    assert -balance_fen(account("C01", "refund_payable", first.home)) == first.amount_fen
    assert balance_fen(account("C01", "refund_transit")) == 0
    assert Entry.objects.get(key=f"payout:{first.pk}:sent").reversed_by.details["why"] == "账号不符"
    assert "账号不符" in RefundNotice.objects.get(home=first.home, kind="failed").text


def test_against_next_season(batch: RefundBatch) -> None:
    first = RefundPayout.objects.order_by("id")[0]
    assert credit_payouts([first], on=ON, actor="周会计", why="住户选择抵下季") == 1
    assert credit_payouts([first], on=ON, actor="周会计", why="再点一次") == 0
    assert -balance_fen(account("C01", "prepaid", first.home)) == first.amount_fen
    assert balance_fen(account("C01", "refund_payable", first.home)) == 0


def test_no_way_no_payment(batch: RefundBatch) -> None:
    rows = list(RefundPayout.objects.all()[:1])
    for channel in ("", "prepaid", "bitcoin"):
        with pytest.raises(NoChannelError):
            send_payouts(rows, channel=channel, on=ON, actor="周会计")
    assert RefundPayout.objects.get(pk=rows[0].pk).state == "pending"


def test_states_move_one_way_only(batch: RefundBatch) -> None:
    """In the database too."""
    first, *_ = sent(1)
    for statement in (
        "state = 'pending'",
        "state = 'credited'",
        "amount_fen = amount_fen + 1",
        "home_id = home_id + 1",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE billing_refundpayout SET {statement} WHERE id = %s", [first.pk])


def result_file(*lines: str) -> bytes:
    return ("付款编号,结果,完成日期,渠道流水号,原因\n" + "\n".join(lines) + "\n").encode("gb18030")


def test_the_banks_answer(batch: RefundBatch) -> None:
    one, two, three = sent()
    file = result_file(f"{one.number},成功,2026-05-25,F1,", f"{two.number},失败,2026-05-25,,户名不符")
    done = take_results(file, "结果.csv", company="C01", actor="周会计", today=LATER)
    assert (done.paid, done.failed, done.known, done.findings) == (1, 1, 0, [])
    done = take_results(file, "结果.csv", company="C01", actor="周会计", today=LATER)
    assert (done.paid, done.failed, done.known) == (0, 0, 2)
    assert RefundPayout.objects.get(pk=three.pk).state == "in_transit"


def test_one_wrong_row_and_nothing_is_taken(batch: RefundBatch) -> None:
    one, two, _ = sent()
    wrong = [
        f"{two.number},也许,2026-05-25,,",
        "NT0000000000,成功,2026-05-25,,",
        f"{two.number},成功,2027-01-01,,",
        "x,成功,,,",
    ]
    for line in wrong:
        done = take_results(
            result_file(f"{one.number},成功,2026-05-25,F1,", line), "r.csv", company="C01", actor="周会计", today=LATER
        )
        assert [finding.row for finding in done.findings] == [3]
        assert RefundPayout.objects.filter(state="paid").count() == 0
    other = take_results(result_file(f"{one.number},成功,,,"), "r.csv", company="C02", actor="外人", today=LATER)
    assert [finding.code for finding in other.findings] == ["payout_unknown"]


def test_refund_rows_of_a_bill(batch: RefundBatch) -> None:
    """Only a row that says SUCCESS settles; a row never changes, so PROCESSING says nothing at all."""
    one, two, _ = sent()
    at = datetime(2026, 5, 25, 10, tzinfo=CHINA)
    rows = [
        PaymentRow(2, "refund", "50001", at, one.amount_fen, payout=one.number, state="SUCCESS"),
        PaymentRow(3, "refund", "50002", at, two.amount_fen, payout=two.number, state="PROCESSING"),
        PaymentRow(4, "refund", "50003", at, two.amount_fen + 1, payout=two.number, state="SUCCESS"),
        PaymentRow(5, "refund", "50004", at, 5, payout="shop-1", state="SUCCESS"),
    ]
    done, foreign, findings = settle_from_bill(rows, company="C01", actor="周会计", name="b.csv")
    assert done == 1
    assert [finding.row for finding in findings] == [4]
    assert [row.row for row in foreign] == [4, 5]
    assert RefundPayout.objects.get(pk=one.pk).channel_txn == "50001"
    assert RefundPayout.objects.get(pk=two.pk).state == "in_transit"


def test_late_and_nobody_can_say_how_much(batch: RefundBatch) -> None:
    """The town's pack names a deadline and no interest: late is said, and interest is not zero but undecided."""
    first, *_ = sent(1)
    assert first.deadline == date(2026, 5, 31)
    settle_payout(first, paid=True, on=date(2026, 6, 10), actor="周会计")
    first.refresh_from_db()
    assert "滞退金未能认定" in first.why


def test_late_with_a_rate(batch: RefundBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = sent(1)

    def by_law(*_args: object, **_more: object) -> Payout:
        return Payout(date(2026, 5, 31), 10, 123)

    monkeypatch.setattr(refund_payouts, "payout", by_law)
    settle_payout(first, paid=True, on=date(2026, 6, 10), actor="周会计", late_rate=Fraction(5, 10_000))
    settle()
    assert balance_fen(account("C01", "late_refund_interest")) == 123
    assert RefundPayout.objects.get(kind="interest").amount_fen == 123


def test_set_against_next_season_after_the_deadline_is_late_too(
    batch: RefundBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = RefundPayout.objects.order_by("id")[0]
    monkeypatch.setattr(refund_payouts, "payout", lambda *_args, **_more: Payout(date(2026, 5, 31), 10, 123))
    credit_payouts([first], on=date(2026, 6, 10), actor="周会计", why="住户选择")
    settle()
    assert RefundPayout.objects.get(kind="interest").amount_fen == 123
    assert balance_fen(account("C01", "late_refund_interest")) == 123


def test_an_answer_of_a_closed_month_is_booked_today_and_says_so(batch: RefundBatch) -> None:
    good, bad, *_ = sent()
    LedgerPeriod.objects.create(company=batch.company, period="2026-05", closed_by="周会计", approved_by="郑主管")
    settle_payout(good, paid=True, on=LATER, actor="周会计")
    settle_payout(bad, paid=False, on=LATER, actor="周会计", why="户名不符")
    settle()
    entry = Entry.objects.get(key=f"payout:{good.pk}:paid")
    assert (entry.on, entry.details["done_on"]) == (localdate(), LATER.isoformat())
    assert RefundPayout.objects.get(pk=good.pk).done_on == LATER
    assert Entry.objects.get(key=f"reverse:payout:{bad.pk}:sent").on == localdate()
