"""Money that came by mistake goes back: two people, exact postings at each step, and what fails stands in the queue again."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from payment_samples import TODAY, wechat

from billed_city import bill_everybody, person, prepare
from nuan.operations.approvals import ContentChangedError, NotInChargeError, PersonNeededError, SamePersonError
from nuan.operations.ledger import account, balance_fen
from nuan.operations.ledger_check import check
from nuan.operations.payment_files import import_payments
from nuan.operations.payment_queue import MoreThanOpenError, NoReasonError, pay_from_credit, place, take_back
from nuan.operations.payment_returns import (
    Answer,
    AskedOtherwiseError,
    MonthClosedError,
    NotThisFinanceError,
    NoWayBackError,
    ReturnStateError,
    decide_return,
    proposal_of,
    propose_return,
    send_return,
    settle_return,
    withdraw_return,
)
from nuan.records.accounts.models import User
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, Bill, Entry, LedgerPeriod, Payment, PaymentReturn

pytestmark = pytest.mark.django_db
FEN = 10_000
PAID = Answer(True, TODAY, "50001")


@pytest.fixture
def payment(city: None) -> Payment:
    prepare()
    bill_everybody()
    file = wechat([("1", "付错了", FEN)]).encode()
    import_payments(file, "f.csv", channel="wechat", company="C01", actor="周会计", today=TODAY)
    return Payment.objects.get()


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def standing() -> tuple[int, int, int, int]:
    """What the company owes: not known to whom, to be returned, on its way; and what stands at WeChat beside the fee."""
    roles = ("suspense", "return_payable", "refund_transit", "wechat")
    owed = [balance_fen(account("C01", role)) for role in roles]
    return -owed[0], -owed[1], -owed[2], owed[3] + balance_fen(account("C01", "bank_fees"))


def asked(payment: Payment, fen: int = FEN, why: str = "付错了公司") -> PaymentReturn:
    return propose_return(payment.pk, fen, by=person("周会计"), why=why)


def approved(found: PaymentReturn, by: str = "郑主管", approve: bool = True) -> PaymentReturn:
    return decide_return(found, by=person(by), seen_hash=found.content_hash, today=TODAY, approve=approve, why="核对过")


def test_from_the_queue_back_to_the_payer(payment: Payment) -> None:
    found = asked(payment)
    assert asked(payment) == found, "a form sent twice asks once"
    assert standing() == (FEN, 0, 0, FEN)
    found = approved(found)
    settle()
    payment.refresh_from_db()
    assert (payment.open_fen, payment.doubt) == (0, "")
    assert standing() == (0, FEN, 0, FEN)
    for _ in range(2):
        found = send_return(found, by=person("周会计"), today=TODAY)
    assert standing() == (0, 0, FEN, FEN)
    for _ in range(2):
        found = settle_return(found, PAID, by=person("周会计"))
    settle()
    assert standing() == (0, 0, 0, 0)
    assert (found.state, found.channel_txn, found.done_on) == ("paid", "50001", TODAY)
    keys = [f"return:{found.pk}:{step}" for step in ("payable", "sent", "paid")]
    assert list(Entry.objects.filter(kind="payment_return").order_by("id").values_list("key", flat=True)) == keys
    with pytest.raises(ReturnStateError):
        settle_return(found, Answer(False, TODAY, why="晚了"), by=person("周会计"))
    assert check(now=datetime.now(UTC)) == []


def test_a_failure_stands_in_the_queue_again(payment: Payment) -> None:
    found = send_return(approved(asked(payment, 4_000)), by=person("周会计"), today=TODAY)
    assert standing() == (6_000, 0, 4_000, FEN)
    failed = settle_return(found, Answer(False, TODAY, why="账户已注销"), by=person("周会计"))
    settle()
    payment.refresh_from_db()
    assert (failed.state, failed.answer, payment.open_fen) == ("failed", "账户已注销", FEN)
    assert standing() == (FEN, 0, 0, FEN)
    again = approved(asked(payment))
    assert again.pk != found.pk
    settle()
    assert standing() == (0, FEN, 0, FEN)
    assert check(now=datetime.now(UTC)) == []


def test_a_closed_month_takes_no_answer(payment: Payment) -> None:
    found = send_return(approved(asked(payment)), by=person("周会计"), today=TODAY)
    LedgerPeriod.objects.create(company_id="C01", period="2025-12", closed_by="周会计", approved_by="郑主管")
    with pytest.raises(MonthClosedError):
        settle_return(found, Answer(True, date(2025, 12, 31)), by=person("周会计"))
    assert settle_return(found, PAID, by=person("周会计")).state == "paid"


def test_four_eyes(payment: Payment) -> None:
    found = asked(payment)
    with pytest.raises(SamePersonError):
        approved(found, "周会计")
    for stranger in ("小李", "外人", "吴会计"):
        with pytest.raises(NotInChargeError):
            approved(found, stranger)
    withdraw_return(found, by=person("周会计"), why="先撤回")
    with pytest.raises(NotInChargeError):
        propose_return(payment.pk, 1, by=person("吴会计"), why="x")
    with pytest.raises(PersonNeededError):
        propose_return(payment.pk, 1, by=User(username="令牌"), why="x")
    assert standing() == (FEN, 0, 0, FEN)


def test_what_has_changed_since_is_not_approved(payment: Payment) -> None:
    found = asked(payment)
    home = Bill.objects.filter(company="C01").first().home
    place(payment.pk, [Part(home.pk, None, 100, "person")], actor="周会计", today=TODAY)
    with pytest.raises(ContentChangedError):
        approved(found)
    assert proposal_of(found).decisions.count() == 0
    assert standing()[:2] == (FEN - 100, 0)
    rejected = approved(found, approve=False)
    assert (rejected.state, rejected.answer) == ("rejected", "核对过")
    with pytest.raises(ReturnStateError):
        approved(found)
    with pytest.raises(ReturnStateError):
        send_return(found, by=person("周会计"), today=TODAY)


def test_what_cannot_be_asked_for(payment: Payment) -> None:
    with pytest.raises(NoReasonError):
        asked(payment, why=" ")
    for fen in (0, -1, FEN + 1):
        with pytest.raises(MoreThanOpenError):
            asked(payment, fen)
    found = asked(payment)
    with pytest.raises(AskedOtherwiseError):
        asked(payment, 5)
    with pytest.raises(NotThisFinanceError):
        withdraw_return(found, by=person("吴会计"), why="x")
    found = approved(found)
    for by in ("刘科", "吴会计"):
        with pytest.raises(NotThisFinanceError):
            send_return(found, by=person(by), today=TODAY)
    with pytest.raises(MoreThanOpenError):
        asked(payment, 1)


def test_credit_goes_back_into_credit_only(payment: Payment) -> None:
    bill = Bill.objects.select_related("home").get(home__code="B001-1-0101", kind="bill")
    place(payment.pk, [Part(bill.home_id, None, FEN, "person")], actor="周会计", today=TODAY)
    now = datetime(2026, 1, 20, tzinfo=UTC)
    used = pay_from_credit(bill.pk, FEN, actor="周会计", today=TODAY, now=now, key="k", why="抵")
    take_back(Allocation.objects.get(payment=used).pk, actor="周会计", today=TODAY, why="错了")
    with pytest.raises(NoWayBackError):
        asked(used)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_paymentreturn SET state = 'pending'",
        "UPDATE billing_paymentreturn SET state = 'paid'",
        "UPDATE billing_paymentreturn SET amount_fen = 1",
        "UPDATE billing_paymentreturn SET why = 'x'",
        "DELETE FROM billing_paymentreturn",
        "INSERT INTO billing_paymentreturn (payment_id, company_id, amount_fen, why, content_hash, state, proposed_by, proposed_at, answer, "
        "channel_txn) SELECT payment_id, company_id, 1, 'x', 'x', 'pending', 'x', now(), '', '' FROM billing_paymentreturn",
    ],
)
def test_the_database_refuses_what_nobody_approved(payment: Payment, statement: str) -> None:
    asked(payment)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_counts_what_went_back(payment: Payment) -> None:
    approved(asked(payment))
    settle()
    with pytest.raises(IntegrityError, match="but 1 open"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_payment SET open_fen = 1; SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM billing_decision WHERE proposal_id IN (SELECT id FROM billing_proposal WHERE kind = 'payment_return')", "return_without_four_eyes"),
        ("UPDATE billing_paymentreturn SET amount_fen = amount_fen - 1", "payment_does_not_add_up"),
        ("UPDATE billing_payment SET open_fen = 1", "payment_does_not_add_up"),
    ],
)  # fmt: skip
def test_the_check_finds_what_went_round_the_guards(payment: Payment, statement: str, code: str) -> None:
    approved(asked(payment))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")
    assert {each.code for each in check(now=datetime.now(UTC))} == {code}
