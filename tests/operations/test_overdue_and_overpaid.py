"""Late fees that follow what is found out later, for one home as for all; and money that a lowered bill has too much of."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billed_city import approved, bill_everybody, card, contract, person, prepare
from nuan.operations.bill_changes import decide_change, propose_change
from nuan.operations.bill_documents import NewLine, adjust, cancel, standing_fen
from nuan.operations.bill_runs import AllBilledError, post_run, preview
from nuan.operations.billing_cards import record_cards
from nuan.operations.counter import receive_cash
from nuan.operations.ledger import ClosedBooksError, account, balance_fen, post
from nuan.operations.ledger_check import check
from nuan.operations.open_bills import credit_fen, open_of_homes
from nuan.operations.overdue import charge_late_fees, take_dunning_steps
from nuan.operations.overdue_bills import standing_bills
from nuan.operations.payment_queue import pay_from_credit
from nuan.operations.periods import approve_close, propose_close
from nuan.records.billing.models import Bill, BillException, BillRun, DunningNotice, Payment
from nuan.records.registry.models import Home
from nuan.terms.findings import FindingsError
from nuan.terms.places import CHINA
from small_city import SEASON

ON, DUE = date(2025, 11, 3), date(2025, 12, 31)
HOME = "B001-1-0101"


@pytest.fixture
def billed(city: None) -> None:
    prepare()
    bill_everybody()


def of(home: str = HOME) -> Bill:
    return Bill.objects.get(home__code=home, kind="bill")


def home_of(code: str = HOME) -> Home:
    return Home.objects.get(code=code)


def receivable(code: str = HOME) -> int:
    return balance_fen(account("C01", "receivable", home_of(code)))


def cash(fen: int, day: date, key: str, code: str = HOME) -> Payment:
    now = datetime(day.year, day.month, day.day, 10, tzinfo=CHINA)
    return receive_cash(company="C01", reference=code, amount_fen=fen, key=key, now=now, actor="周会计")


def settled() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert check(now=datetime.now(UTC)) == []


def late_fen(code: str = HOME) -> int:
    return sum(Bill.objects.filter(home__code=code, kind="late_fee").values_list("total_fen", flat=True))


def test_what_an_adjustment_adds_is_late_from_its_own_day(billed: None) -> None:
    cash(217_200, DUE, "a")
    made = adjust(of(), [NewLine("adjustment", 100_000, "面积更正")], on=date(2026, 2, 1), why="复核", actor="周会计")
    assert (of().due_on, made.due_on) == (DUE, date(2026, 2, 1))
    assert charge_late_fees([home_of()], "C01", until=date(2026, 2, 1), actor="周会计") == {"charged": 0}
    assert charge_late_fees(None, "C01", until=date(2026, 2, 11), actor="周会计")["charged"] >= 1
    assert late_fen() == 1_000, "ten days at 0.1 % of what was added, none from the bill's own due day on"
    before = adjust(of("B001-1-0201"), [NewLine("adjustment", 1)], on=ON, why="早于截止日", actor="周会计")
    assert before.due_on == DUE


def test_a_payment_of_an_earlier_day_that_comes_to_light_lowers_the_late_fee(billed: None) -> None:
    charge_late_fees(None, "C01", until=date(2026, 1, 20), actor="周会计")
    assert late_fen() == 4_344
    cash(217_200 + 4_344, date(2026, 1, 6), "found")
    said = charge_late_fees([home_of()], "C01", until=date(2026, 1, 20), actor="周会计")
    assert (said["lowered"], said["fen"]) == (1, -(4_344 - 5 * 217 - 1))
    assert late_fen() == 1_086
    assert (receivable(), credit_fen(home_of().pk)) == (0, 4_344 - 1_086), "what was paid for it is the home's credit"
    assert charge_late_fees([home_of()], "C01", until=date(2026, 1, 10), actor="周会计") == {"charged": 0}
    settled()


def test_all_homes_at_once_are_what_each_home_is_alone(billed: None) -> None:
    """Random histories; the company's run and a run a home at a time write the same documents and notices."""
    dice = random.Random(4)
    homes = list(Home.objects.filter(company="C01", bills__kind="bill").order_by("id"))
    for turn, home in enumerate(homes):
        for number in range(dice.randint(0, 3)):
            paid_on = DUE + timedelta(days=dice.randint(-20, 40))
            fen = dice.choice([50_000, 108_600, 217_200])
            legs = [(account("C01", "bank"), fen), (account("C01", "receivable", home), -fen)]
            post(key=f"payment:{turn}:{number}", kind="payment", on=paid_on, postings=legs, actor="周会计")
    until, found = date(2026, 2, 15), []
    for alone in (True, False):
        save = connection.savepoint()
        for which in [[home] for home in homes] if alone else [None]:
            charge_late_fees(which, "C01", until=until, actor="周会计")
            take_dunning_steps(which, "C01", today=until, actor="周会计")
        late = Bill.objects.filter(kind="late_fee").values_list("home", "total_fen", "memo", "lines__words")
        notices = DunningNotice.objects.values_list("bill", "step", "channel", "due_on", "text")
        found.append((sorted(late), sorted(notices)))
        connection.savepoint_rollback(save)
    assert found[0] == found[1]
    assert len(found[0][0]) >= 2
    assert len(found[0][1]) >= 4
    assert {each.home: each.open_fen for each in standing_bills("C01", until)} == {
        home.pk: max(receivable(home.code), 0) for home in homes
    }


def test_a_cancelled_bill_that_was_paid_leaves_the_money_as_credit(billed: None) -> None:
    payment = cash(217_200, ON, "a")
    asked = propose_change(of(), [], why="房屋已拆除", by=person("周会计"))
    decide_change(of(), by=person("郑主管"), seen_hash=asked.content_hash, on=date(2025, 12, 1))
    payment.refresh_from_db()
    assert (payment.open_fen, receivable(), credit_fen(home_of().pk)) == (0, 0, 217_200)
    rules = list(payment.allocations.order_by("id").values_list("rule", "amount_fen"))
    assert rules == [("exact", 217_200), ("undo", -217_200), ("overpaid", 217_200)]
    settled()


def test_who_decides_on_a_bill_stands_in_the_lines_of_the_company_before_the_audit_log(billed: None) -> None:
    """An import holds the company's line and takes the log's at its end: with the log in hand one would wait for it, and it for us."""
    asked = propose_change(of(), [], why="房屋已拆除", by=person("周会计"))
    with CaptureQueriesContext(connection) as queries:
        decide_change(of(), by=person("郑主管"), seen_hash=asked.content_hash, on=date(2025, 12, 1))
    first = next(each["sql"] for each in queries if "pg_advisory_xact_lock" in each["sql"])
    assert "placing C01" in first


def test_a_lowered_bill_keeps_what_it_needs_and_the_rest_is_credit(billed: None) -> None:
    cash(100_000, ON, "a")
    cash(117_200, ON, "b")
    adjust(of(), [NewLine("adjustment", -150_000, "面积更正")], on=date(2025, 12, 1), why="复核", actor="周会计")
    assert [each.open_fen for each in open_of_homes([home_of().pk])] == [0]
    assert (standing_fen(of()), receivable(), credit_fen(home_of().pk)) == (67_200, 0, 150_000)
    settled()
    now = datetime(2025, 12, 2, 10, tzinfo=CHINA)
    adjust(of(), [NewLine("adjustment", 20_000)], on=date(2025, 12, 2), why="又多了", actor="周会计")
    pay_from_credit(of().pk, 20_000, actor="周会计", today=ON, now=now, key="c", why="抵")
    cancel(of(), on=date(2025, 12, 3), why="冲销", actor="周会计")
    assert (receivable(), credit_fen(home_of().pk)) == (0, 217_200), "what credit had paid is credit again"
    settled()


def test_nothing_is_billed_into_a_closed_month_and_that_is_said(city: None) -> None:
    prepare()
    run = approved()
    now = datetime(2026, 1, 5, tzinfo=UTC)
    closing = propose_close("C01", "2025-11", by=person("周会计"), now=now)
    approve_close("C01", "2025-11", by=person("郑主管"), seen_hash=closing.content_hash)
    with pytest.raises(ClosedBooksError, match="2025-11 已经结账"):
        post_run(run, issued_on=date(2025, 11, 20), actor="周会计")
    assert not Bill.objects.exists()
    post_run(run, issued_on=date(2025, 12, 1), actor="周会计")
    with pytest.raises(ClosedBooksError):
        charge_late_fees(None, "C01", until=date(2025, 11, 30), actor="周会计")


def test_a_company_that_is_billed_gets_no_empty_run(billed: None) -> None:
    runs = BillRun.objects.count()
    with pytest.raises(AllBilledError, match="6 户都已出账"):
        preview("C02", SEASON, actor="周会计")
    assert BillRun.objects.count() == runs
    kept_back = preview("C01", SEASON, actor="周会计")
    assert (kept_back.bills, kept_back.summary["blocked_homes"]) == (0, 2), "what is kept back is still shown"


def test_one_absurd_value_keeps_one_home_back(city: None) -> None:
    prepare()
    contract(HOME, area_m2_100=9_000_000_000_000_000_000)
    card("B002-1-0201", heat_1000=9_000_000_000_000_000_000)
    run = preview("C01", SEASON, actor="周会计")
    assert run.bills == 3
    absurd = BillException.objects.filter(run=run, code="value_absurd", blocking=True)
    assert sorted(each.home.code for each in absurd) == [HOME, "B002-1-0201"]
    with pytest.raises(FindingsError, match="大得不可能"):
        record_cards("户号,层高\nB001-1-0201,2800\n".encode(), "卡.csv", season=SEASON, actor="周会计")
