"""Booking into the ledger: once each, balanced, never changed. The database refuses the rest, whoever writes."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from nuan.operations.ledger import (
    EntryBookedOtherwiseError,
    NoGroundError,
    SeveralCompaniesError,
    UnbalancedEntryError,
    account,
    balance_fen,
    post,
    reverse,
)
from nuan.records.billing.models import Account, Entry, LedgerDay, LedgerPeriod, Posting
from nuan.records.registry.models import Home

ON = date(2025, 10, 20)


def book(key: str = "bill:1", fen: int = 217_200, on: date = ON, company: str = "C01") -> Entry:
    home = Home.objects.filter(company=company).order_by("code")[0]
    legs = [(account(company, "receivable", home), fen), (account(company, "heat_income"), -fen)]
    return post(key=key, kind="bill", on=on, postings=legs, actor="周会计", clause="2.5.1", details={"home": home.code})


def settle() -> None:
    """What a commit would do: deferred triggers look at the new entries now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.usefixtures("city")
def test_an_entry_is_booked_once_and_said_again() -> None:
    first = book()
    settle()
    assert book() == first
    assert first.period == "2025-10"
    assert Entry.objects.count() == 1
    assert balance_fen(Account.objects.get(code="C01/6001.01")) == -217_200


@pytest.mark.usefixtures("city")
def test_the_same_key_with_other_content_is_refused() -> None:
    book()
    with pytest.raises(EntryBookedOtherwiseError, match="postings"):
        book(fen=1)
    with pytest.raises(EntryBookedOtherwiseError, match="on"):
        book(on=date(2025, 10, 21))


@pytest.mark.usefixtures("city")
def test_unbalanced_and_mixed_entries_never_reach_the_database() -> None:
    home = Home.objects.filter(company="C01")[0]
    ours, theirs = account("C01", "receivable", home), account("C02", "heat_income")
    with pytest.raises(UnbalancedEntryError):
        post(key="a", kind="bill", on=ON, postings=[(ours, 5), (account("C01", "heat_income"), -4)], actor="周会计")
    with pytest.raises(UnbalancedEntryError):
        post(key="a", kind="bill", on=ON, postings=[(ours, 0)], actor="周会计")
    with pytest.raises(SeveralCompaniesError):
        post(key="a", kind="bill", on=ON, postings=[(ours, 5), (theirs, -5)], actor="周会计")


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(
    ("legs", "said"),
    [
        ([("C01/6001.01", 5), ("C01/1001", -4)], "does not balance"),
        ([("C01/6001.01", 5)], "does not balance"),
        ([], "does not balance"),
        ([("C01/6001.01", 5), ("C02/6001.01", -5)], "another company"),
    ],
    ids=["sum", "one leg", "no leg", "foreign account"],
)
def test_the_database_refuses_what_another_program_would_write(legs: list[tuple[str, int]], said: str) -> None:
    for code in ("heat_income", "cash"):
        account("C01", code)
    account("C02", "heat_income")
    with pytest.raises(IntegrityError, match=said):
        write_raw(legs)


def write_raw(legs: list[tuple[str, int]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO billing_entry (key, company_id, kind, "on", period, details, created_by) '
            "VALUES ('raw', 'C01', 'bill', '2025-10-20', '2025-10', '{}', 'x') RETURNING id"
        )
        entry = cursor.fetchone()[0]
        for code, fen in legs:
            cursor.execute(
                "INSERT INTO billing_posting (entry_id, account_id, amount_fen) SELECT %s, id, %s FROM billing_account WHERE code = %s",
                [entry, fen, code],
            )
        settle()


@pytest.mark.usefixtures("city")
def test_legs_without_entry_or_account_are_refused() -> None:
    """What foreign keys would say row by row a trigger says set by set."""
    cash = account("C01", "cash")
    with pytest.raises(IntegrityError, match="no entry"), transaction.atomic():
        Posting.objects.create(entry_id=999_999, account=cash, amount_fen=1)
    entry = book()
    with pytest.raises(IntegrityError, match="no account"), transaction.atomic():
        Posting.objects.create(entry=entry, account_id=999_999, amount_fen=1)


@pytest.mark.django_db(transaction=True)
def test_a_leg_added_later_is_refused_even_when_it_balances() -> None:
    from small_city import build_city

    build_city()
    with transaction.atomic():
        entry = book()
    cash, income = account("C01", "cash"), account("C01", "heat_income")
    with pytest.raises(IntegrityError, match="is complete"), transaction.atomic():
        Posting.objects.bulk_create(
            [Posting(entry=entry, account=cash, amount_fen=7), Posting(entry=entry, account=income, amount_fen=-7)]
        )


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("model", [Entry, Posting, LedgerDay, LedgerPeriod])
def test_nothing_in_the_ledger_is_changed_or_deleted(model: type) -> None:
    book()
    LedgerDay.objects.create(day=date(2020, 1, 1), entries=0, previous="0" * 64, digest="1" * 64)
    LedgerPeriod.objects.create(company_id="C01", period="2020-01", closed_by="周会计", approved_by="刘科")
    column = model._meta.fields[1].column
    for statement in (
        f'UPDATE {model._meta.db_table} SET "{column}" = "{column}"',
        f"DELETE FROM {model._meta.db_table}",
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.usefixtures("city")
def test_an_account_keeps_its_owner_and_may_be_renamed() -> None:
    book()
    Account.objects.filter(code="C01/6001.01").update(name="热费收入（居民）")
    with pytest.raises(IntegrityError, match="keeps its code"), transaction.atomic():
        Account.objects.filter(code="C01/6001.01").update(company_id="C02")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_account WHERE code = 'C01/6001.01'")


@pytest.mark.usefixtures("city")
def test_a_reversal_mirrors_and_happens_once() -> None:
    entry = book()
    undone = reverse(entry, why="证据撤回", actor="周会计")
    settle()
    assert undone.reverses == entry
    assert {leg.account.code: leg.amount_fen for leg in undone.postings.all()} == {
        leg.account.code: -leg.amount_fen for leg in entry.postings.all()
    }
    assert reverse(entry, why="证据撤回", actor="周会计") == undone
    with pytest.raises(NoGroundError):
        reverse(entry, why=" ", actor="周会计")
    with pytest.raises(EntryBookedOtherwiseError):
        reverse(entry, why="另一个理由", actor="周会计")


@pytest.mark.usefixtures("city")
def test_a_false_reversal_is_refused_by_the_database() -> None:
    entry = book()
    cash, income = account("C01", "cash"), account("C01", "heat_income")
    with transaction.atomic():
        post(key="false", kind="reversal", on=ON, postings=[(cash, 5), (income, -5)], actor="周会计", reverses=entry)
        with pytest.raises(IntegrityError, match="does not mirror"), transaction.atomic():
            settle()
        transaction.set_rollback(True)


@pytest.mark.usefixtures("city")
def test_a_closed_period_and_a_sealed_day_take_nothing_more() -> None:
    book()
    LedgerPeriod.objects.create(company_id="C01", period="2025-10", closed_by="周会计", approved_by="刘科")
    with pytest.raises(IntegrityError, match="is closed"), transaction.atomic():
        book("bill:2")
    assert book() == Entry.objects.get(), "what is booked may be said again"
    book("bill:2", on=date(2025, 11, 1))
    book("bill:3", company="C02")
    LedgerDay.objects.create(day=date(2999, 1, 1), entries=0, previous="0" * 64, digest="1" * 64)
    with pytest.raises(IntegrityError, match="is sealed"), transaction.atomic():
        book("bill:4", on=date(2025, 11, 1))


@pytest.mark.usefixtures("city")
def test_the_database_says_when_something_was_booked() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL nuan.today = '2025-10-21'")
    entry = book()
    assert entry.recorded_on == date(2025, 10, 21)
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'nuan_ledger_today'")
        assert "current_database() LIKE 'test\\_%'" in cursor.fetchone()[0], "a real ledger's day cannot be moved"


@pytest.mark.usefixtures("city")
def test_a_period_is_closed_by_two() -> None:
    with pytest.raises(IntegrityError, match="period_closed_by_two"), transaction.atomic():
        LedgerPeriod.objects.create(company_id="C01", period="2025-10", closed_by="周会计", approved_by="周会计")
