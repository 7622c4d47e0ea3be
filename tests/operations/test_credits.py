"""A home's credit pays its bill and is taken back: exact postings, once, and the books hold afterwards."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from payment_samples import TODAY, wechat

from billed_city import bill_everybody, prepare
from nuan.operations.credits import back_into_credit, credit_accounts, credits_of, uses_of_credit
from nuan.operations.ledger import account, balance_fen
from nuan.operations.ledger_check import check
from nuan.operations.open_bills import credit_fen, open_of_bills
from nuan.operations.payment_files import import_payments
from nuan.operations.payment_queue import (
    KeyUsedError,
    NoReasonError,
    StrangeBillError,
    TakenBackError,
    pay_from_credit,
    place,
    take_back,
)
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, Bill, Payment

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 20, tzinfo=UTC)
CREDIT_FEN = 50_000


@pytest.fixture
def bill(city: None) -> Bill:
    """An open bill of a home that has 500 yuan of credit."""
    prepare()
    bill_everybody()
    found = Bill.objects.select_related("home").get(home__code="B001-1-0101", kind="bill")
    file = wechat([("1", "谢谢", CREDIT_FEN)]).encode()
    import_payments(file, "f.csv", channel="wechat", company="C01", actor="周会计", today=TODAY)
    place(Payment.objects.get().pk, [Part(found.home_id, None, CREDIT_FEN, "person")], actor="周会计", today=TODAY)
    return found


def use(bill: Bill, fen: int, key: str = "k1") -> Payment:
    return pay_from_credit(bill.pk, fen, actor="周会计", today=date(2026, 1, 20), now=NOW, key=key, why="住户同意")


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_homes_with_credit_and_their_open_bills(bill: Bill) -> None:
    (credit,) = credits_of(list(credit_accounts("C01")))
    assert (credit.home, credit.fen, credit.open_fen) == (bill.home, CREDIT_FEN, bill.total_fen)
    assert not credit_accounts("C01", "B001-1-0201").exists()
    assert not credit_accounts("C02").exists()
    use(bill, CREDIT_FEN)
    assert not credit_accounts("C01").exists()


def test_used_and_taken_back(bill: Bill) -> None:
    used = use(bill, 20_000)
    assert use(bill, 20_000).pk == used.pk, "a form sent twice pays once"
    with pytest.raises(KeyUsedError):
        use(bill, 100)
    settle()
    assert (credit_fen(bill.home_id), open_of_bills([bill.pk])[0].open_fen) == (30_000, bill.total_fen - 20_000)
    allocation = uses_of_credit("C01").get()
    with pytest.raises(NoReasonError):
        back_into_credit(allocation.pk, company="C01", actor="周会计", today=TODAY, why=" ")
    with pytest.raises(StrangeBillError):
        back_into_credit(allocation.pk, company="C02", actor="周会计", today=TODAY, why="x")
    back_into_credit(allocation.pk, company="C01", actor="周会计", today=TODAY, why="住户反悔")
    settle()
    with pytest.raises(TakenBackError):
        back_into_credit(allocation.pk, company="C01", actor="周会计", today=TODAY, why="再来一次")
    assert (credit_fen(bill.home_id), open_of_bills([bill.pk])[0].open_fen) == (CREDIT_FEN, bill.total_fen)
    assert balance_fen(account("C01", "receivable", bill.home)) == bill.total_fen
    assert balance_fen(account("C01", "suspense")) == 0
    assert not Payment.objects.filter(open_fen__gt=0).exists(), "nothing is left in the queue"
    assert check(now=datetime.now(UTC)) == []


def test_what_was_taken_back_elsewhere_is_not_taken_back_again(bill: Bill) -> None:
    use(bill, 20_000)
    allocation = uses_of_credit("C01").get()
    take_back(allocation.pk, actor="周会计", today=TODAY, why="在收款页撤销")
    with pytest.raises(TakenBackError):
        back_into_credit(allocation.pk, company="C01", actor="周会计", today=TODAY, why="x")
    assert Allocation.objects.filter(undoes=allocation).count() == 1
