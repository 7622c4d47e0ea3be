"""The money of support in the companies' ledgers: debts equal their account, subsidies are payable, overdue and paid, and all is reversible."""

from datetime import date

import pytest
from django.db.models import Sum
from django.test import Client

from nuan.operations.ledger import account, balance_fen
from nuan.operations.ledger_check import check
from nuan.operations.support_arrears import settle_debt
from nuan.operations.support_ledger import book_support
from nuan.operations.support_reports import ageing, books, debt_rows
from nuan.operations.support_subsidies import record_subsidy_payment, reverse_subsidy_payment
from nuan.records.accounts.models import User
from nuan.records.billing.models import Entry, Posting
from nuan.records.support.models import Beneficiary, GovernmentDebt, SubsidyPayment, SubsidyProgramme
from small_city import AS_OF
from small_support import SEASON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("support_rows")]
BEFORE, LATE = date(2025, 12, 1), TODAY
EACH = 60_000


def faults() -> list[str]:
    return [each.code for each in check(now=AS_OF) if each.severity == "error"]


def of_company(role: str, company: str = "C01") -> int:
    rows = Posting.objects.filter(account__company=company, account__code__contains=account_number(role))
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def account_number(role: str) -> str:
    from nuan.records.billing.chart import CHART

    return f"/{CHART[role].number}"


def paid(fen: int = EACH, code: str = "BF-1") -> Beneficiary:
    person = Beneficiary.objects.filter(home__company="C01").order_by("pk")[0]
    record_subsidy_payment(
        code=code,
        beneficiary=person,
        programme="P2",
        season=SEASON,
        amount_fen=fen,
        on=LATE,
        reference="拨-1",
        actor="刘科",
    )
    return person


def test_what_government_owes_is_the_balance_of_its_account_by_age_too() -> None:
    book_support(SEASON, LATE, actor="刘科")
    debt = GovernmentDebt.objects.get(company="C01")
    assert balance_fen(account("C01", "government")) == debt.amount_fen
    settle_debt(code="H-1", debt=debt, amount_fen=250_000, on=LATE, reference="", actor="刘科")
    assert balance_fen(account("C01", "government")) == 650_000
    assert balance_fen(account("C01", "support_clearing")) == 250_000
    _, facts, made = books(SEASON, LATE, ("debt", "debt_payment", "instalment"))
    aged = ageing(debt_rows(facts, next(iter(made.values())), LATE))
    assert sum(sum(kind.values()) for kind in aged.values()) == sum(
        of_company("government", each) for each in ("C01", "C02")
    )
    entry = Entry.objects.get(key="debt_payment:H-1")
    assert (entry.clause, entry.details["subject"]) == ("3.2", debt.code)
    assert faults() == []


def test_a_debt_that_is_corrected_is_corrected_by_an_entry() -> None:
    GovernmentDebt.objects.filter(company="C01").update(amount_fen=800_000)
    assert faults() == ["support_is_not_ledger"]
    assert book_support(SEASON, LATE, actor="刘科").debts == 1
    assert balance_fen(account("C01", "government")) == 800_000
    assert faults() == []


def test_payable_then_overdue_then_paid() -> None:
    first = book_support(SEASON, BEFORE, actor="刘科")
    assert (first.subsidies, first.overdue, first.unknown) == (4, 0, 0)
    assert (of_company("subsidy_payable"), of_company("subsidy_receivable")) == (-2 * EACH, 2 * EACH)
    later = book_support(SEASON, LATE, actor="刘科")
    assert (later.subsidies, later.overdue) == (0, 4)
    assert (of_company("subsidy_payable"), of_company("subsidy_overdue")) == (0, -2 * EACH)
    paid()
    assert book_support(SEASON, LATE, actor="刘科").overdue == 1
    assert (of_company("subsidy_overdue"), of_company("subsidy_receivable")) == (-EACH, EACH)
    assert of_company("subsidy_payable") == 0
    assert book_support(SEASON, LATE, actor="刘科").entries == 0
    assert {each.clause for each in Entry.objects.filter(kind__startswith="subsidy")} == {"3.1"}
    assert faults() == []


def test_a_payment_is_taken_back_by_reversing_its_entry() -> None:
    book_support(SEASON, LATE, actor="刘科")
    person = paid()
    payment = person.payments.get()
    book_support(SEASON, LATE, actor="刘科")
    reverse_subsidy_payment(payment, why="退票", today=LATE, actor="刘科")
    book_support(SEASON, LATE, actor="刘科")
    assert of_company("subsidy_overdue") == -2 * EACH
    assert (
        Entry.objects.get(key="subsidy_payment:BF-1").key
        == Entry.objects.get(reverses__key="subsidy_payment:BF-1").details["reverses"]
    )
    assert faults() == []


def test_a_programme_that_changes_is_followed_by_the_difference() -> None:
    book_support(SEASON, BEFORE, actor="刘科")
    old = SubsidyProgramme.objects.get(code="P2")
    old.pk, old.rate, old.recorded_on = None, 70_000, date(2025, 11, 20)
    old.save(force_insert=True)
    assert book_support(SEASON, BEFORE, actor="刘科").subsidies == 2
    assert of_company("subsidy_payable") == -140_000
    keys = Entry.objects.filter(kind="subsidy", company="C01").values_list("key", flat=True)
    assert sorted(key.rpartition(":")[2] for key in keys) == ["0", "0", "1", "1"]


def test_a_payment_that_is_not_booked_is_found() -> None:
    person = Beneficiary.objects.filter(home__company="C01").order_by("pk")[0]
    SubsidyPayment.objects.create(code="BF-9", beneficiary=person, programme="P2", season=SEASON, amount_fen=1, on=LATE)
    assert "subsidy_payment_not_booked" in faults()
    assert book_support(SEASON, LATE, actor="刘科").subsidy_payments == 1
    assert faults() == []


def test_from_a_debt_to_its_entries_and_back(client: Client) -> None:
    client.force_login(User.objects.get(username="周会计"), backend="django.contrib.auth.backends.ModelBackend")
    debt = GovernmentDebt.objects.get(company="C01")
    entry = Entry.objects.get(key=f"government_debt:{debt.code}:0")
    assert f"/ledger/entries/{entry.pk}/" in client.get(f"/support/arrears/{debt.pk}/").content.decode()
    assert f"/support/arrears/{debt.pk}/" in client.get(f"/ledger/entries/{entry.pk}/").content.decode()
