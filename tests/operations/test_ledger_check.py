"""The ledger looked at from outside: what was forged past the triggers is found, the chain breaks where a day was touched, and an
independent accounting program adds everything up."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from billed_city import ISSUED, bill_everybody, prepare
from nuan.operations.ledger import account, post, reverse
from nuan.operations.ledger_chain import DayNotOverError, broken_days, seal_day, seal_days
from nuan.operations.ledger_check import check
from nuan.operations.ledger_export import DoorsNeedReasonError, export_beancount
from nuan.records.billing.models import Bill, Entry, LedgerDay
from nuan.terms.findings import Finding

TOMORROW = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def billed(city: None) -> None:
    prepare()
    bill_everybody()


def on_day(day: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL nuan.today = '{day}'")


def bypass(*statements: str) -> None:
    """Whoever owns the database can switch triggers off; the check has to see what they did."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")


def codes(found: list[Finding]) -> set[str]:
    return {each.code for each in found}


def test_a_billed_city_cannot_be_faulted(billed: None) -> None:
    assert codes(check(now=datetime.now(UTC))) == set()
    assert codes(check(now=TOMORROW)) == {"day_unsealed"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE billing_posting SET amount_fen = amount_fen + 1 WHERE id = (SELECT min(id) FROM billing_posting)", "entry_unbalanced"),
        ("DELETE FROM billing_posting", "entry_unbalanced"),
        ("UPDATE billing_account SET company_id = 'C02' WHERE code = 'C01/6001.01'", "foreign_account"),
        ("UPDATE billing_entry SET period = '2024-01'", "period_wrong"),
        ("UPDATE billing_billline SET amount_fen = amount_fen + 1 WHERE position = 1", "bill_is_not_its_lines"),
        ("UPDATE billing_bill SET total_fen = total_fen + 1", "bill_is_not_ledger"),
        ("UPDATE billing_bill SET total_fen = total_fen + 1", "run_total_differs"),
        ("UPDATE billing_bill SET seq = seq + 1000 WHERE seq = 2", "bill_number_missing"),
        ("DELETE FROM billing_decision", "run_without_four_eyes"),
        ("UPDATE billing_decision d SET decided_by_id = p.proposed_by_id FROM billing_proposal p WHERE p.id = d.proposal_id", "same_person"),
        ("DELETE FROM billing_runposting", "bill_of_no_posted_run"),
        ("ALTER TABLE billing_entry DISABLE TRIGGER entry_balances", "guard_missing"),
        ("ALTER TABLE billing_posting DISABLE TRIGGER append_only_rows", "guard_missing"),
    ],
)  # fmt: skip
def test_what_was_forged_is_found(billed: None, statement: str, code: str) -> None:
    bypass(statement)
    assert code in codes(check(now=datetime.now(UTC)))


def test_what_was_booked_into_a_closed_period_is_found(billed: None) -> None:
    bypass(
        "INSERT INTO billing_ledgerperiod (company_id, period, closed_at, closed_by, approved_by) "
        "VALUES ('C01', '2025-10', '2025-11-02', '甲', '乙')"
    )
    assert codes(check(now=datetime.now(UTC))) == {"booked_into_closed_period"}


def test_an_uneven_reversal_is_found(billed: None) -> None:
    reverse(Entry.objects.order_by("id")[0], why="试", actor="周会计")
    bypass("UPDATE billing_posting SET account_id = (SELECT max(a.id) FROM billing_account a WHERE a.company_id = 'C01' AND a.id <> account_id) WHERE id = (SELECT max(id) FROM billing_posting)")  # fmt: skip
    assert "reversal_uneven" in codes(check(now=datetime.now(UTC)))


def cash(key: str, fen: int) -> Entry:
    legs = [(account("C01", "cash"), fen), (account("C01", "suspense"), -fen)]
    return post(key=key, kind="payment", on=ISSUED, postings=legs, actor="周会计")


@pytest.mark.usefixtures("city")
def test_days_are_sealed_in_a_chain_and_take_nothing_more() -> None:
    for day, key in (("2025-10-20", "a"), ("2025-10-20", "b"), ("2025-10-22", "c")):
        on_day(day)
        cash(key, 100)
    on_day("2025-10-23")
    now = datetime(2025, 10, 22, 16, 30, tzinfo=UTC)  # half past midnight of the 23rd in China
    sealed = seal_days(now=now, actor="周会计")
    assert [(each.day.day, each.entries) for each in sealed] == [(20, 2), (22, 1)]
    assert sealed[1].previous == sealed[0].digest
    assert seal_days(now=now, actor="周会计") == []
    assert broken_days() == []
    on_day("2025-10-22")
    with pytest.raises(IntegrityError, match="is sealed"), transaction.atomic():
        cash("late", 100)
    on_day("2025-10-23")
    cash("d", 100)
    with pytest.raises(DayNotOverError):
        seal_day(date(2025, 10, 23), now=now)
    assert LedgerDay.objects.count() == 2


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_entry SET memo = 'x' WHERE key = 'a'",
        "UPDATE billing_posting SET amount_fen = amount_fen * 2",
        "DELETE FROM billing_posting WHERE entry_id = (SELECT id FROM billing_entry WHERE key = 'a'); DELETE FROM billing_entry WHERE key = 'a'",
        "UPDATE billing_entry SET recorded_on = '2025-10-21' WHERE key = 'a'",
        "UPDATE billing_ledgerday SET digest = repeat('a', 64) WHERE day = '2025-10-20'",
    ],
    ids=["edited", "balanced edit", "deleted", "moved to another day", "digest forged"],
)  # fmt: skip
def test_a_touched_day_breaks_the_chain(statement: str) -> None:
    for day, key in (("2025-10-20", "a"), ("2025-10-22", "c")):
        on_day(day)
        cash(key, 100)
    seal_days(now=TOMORROW, actor="周会计")
    assert "chain_broken" not in codes(check(now=TOMORROW))
    bypass(statement)
    assert "chain_broken" in codes(check(now=TOMORROW))


def bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("bean-check")), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_independent_program_adds_it_up(billed: None, tmp_path: Path) -> None:
    reverse(Bill.objects.order_by("id")[0].entry, why="试", actor="周会计")
    path = tmp_path / "ledger.beancount"
    export_beancount(path, actor="周会计")
    done = bean_check(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = path.read_text("utf-8")
    assert "B001-1-0101" not in text, "doors stay here"
    assert "C01-2025-0000001" in text
    path.write_text(text.replace("2172.00 CNY", "2172.01 CNY", 1), "utf-8")
    assert bean_check(path).returncode != 0, "the auditor finds a fen"


def test_doors_are_exported_for_a_reason_only(billed: None, tmp_path: Path) -> None:
    with pytest.raises(DoorsNeedReasonError):
        export_beancount(tmp_path / "a", actor="周会计", doors=True)
    export_beancount(tmp_path / "a", actor="周会计", doors=True, reason="年度审计")
    assert "B001-1-0101" in (tmp_path / "a").read_text("utf-8")
    assert bean_check(tmp_path / "a").returncode == 0
