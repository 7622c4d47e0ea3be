"""Adjusting, cancelling, late fees and dunning: every change is another document, and nobody is cut off."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection

from billed_city import approved, bill_everybody, contract, person, prepare
from nuan.operations.bill_documents import DocumentError, NewLine, adjust, cancel, standing_fen
from nuan.operations.bill_runs import decide_run, post_run, preview, propose_run
from nuan.operations.bill_writing import take_numbers
from nuan.operations.ledger import NoGroundError, account, balance_fen, post
from nuan.operations.overdue import charge_late_fees, place_hold, release_hold, take_dunning_steps
from nuan.operations.overdue_bills import standing_bills
from nuan.policies.dunning.steps import DunningStepError, steps
from nuan.records.billing.models import Bill, BillCounter, DunningNotice
from nuan.records.registry.models import Home
from small_city import SEASON, build_city, seat_the_cast

ON, DUE = date(2025, 11, 3), date(2025, 12, 31)


@pytest.fixture
def billed(city: None) -> None:
    prepare()
    bill_everybody()


def of(home: str = "B001-1-0101") -> Bill:
    return Bill.objects.get(home__code=home, kind="bill")


def receivable(home: str = "B001-1-0101") -> int:
    return balance_fen(account("C01", "receivable", Home.objects.get(code=home)))


def pay(fen: int, on: date, home: str = "B001-1-0101") -> None:
    legs = [(account("C01", "bank"), fen), (account("C01", "receivable", Home.objects.get(code=home)), -fen)]
    post(key=f"payment:{home}:{on}", kind="payment", on=on, postings=legs, actor="周会计")


def test_an_adjustment_is_another_document(billed: None) -> None:
    made = adjust(of(), [NewLine("adjustment", -20_000, "面积更正")], on=ON, why="面积复核", actor="周会计")
    assert (made.number, made.about, made.total_fen) == ("C01-2025-0000005", of(), -20_000)
    assert standing_fen(of()) == 197_200 == receivable()
    with pytest.raises(NoGroundError):
        adjust(of(), [NewLine("adjustment", -1)], on=ON, why=" ", actor="周会计")
    with pytest.raises(DocumentError, match="为负"):
        adjust(of(), [NewLine("adjustment", -200_000)], on=ON, why="试", actor="周会计")
    with pytest.raises(DocumentError, match="不是账单"):
        adjust(made, [NewLine("adjustment", -1)], on=ON, why="试", actor="周会计")


def test_a_cancellation_mirrors_and_the_home_is_billed_anew(billed: None) -> None:
    bill = of("B001-1-0301")
    adjust(bill, [NewLine("adjustment", 500, "补")], on=ON, why="补", actor="周会计")
    made = cancel(bill, on=ON, why="表计有误", actor="周会计")
    assert made.total_fen == -(238_920 + 500)
    assert [(line.kind, line.amount_fen) for line in made.lines.order_by("position")] == [
        ("basic", -65_160), ("metered", -192_000), ("cap", 18_240), ("adjustment", -500),
    ]  # fmt: skip
    assert (receivable("B001-1-0301"), standing_fen(bill)) == (0, 0)
    with pytest.raises(DocumentError, match="已由"):
        cancel(bill, on=ON, why="再来", actor="周会计")
    with pytest.raises(DocumentError, match="已经冲销"):
        adjust(bill, [NewLine("adjustment", 500)], on=ON, why="补", actor="周会计")
    contract("B001-1-0301", metered=False)
    run = preview("C01", SEASON, actor="周会计")
    assert (run.bills, run.total_fen) == (1, 217_200)
    propose_run(run, by=person("周会计"))
    decide_run(run, by=person("郑主管"), seen_hash=run.content_hash)
    post_run(run, issued_on=ON, actor="周会计")
    assert receivable("B001-1-0301") == 217_200


def test_late_fees_have_dates_and_are_charged_once(billed: None) -> None:
    home = Home.objects.get(code="B001-1-0101")
    pay(100_000, date(2026, 1, 11))
    assert charge_late_fees([home], "C01", until=DUE, actor="周会计") == {"charged": 0}
    first = charge_late_fees([home], "C01", until=date(2026, 1, 10), actor="周会计")
    assert first == {"charged": 1, "fen": 2_172}
    assert charge_late_fees([home], "C01", until=date(2026, 1, 10), actor="周会计").get("charged", 0) == 0
    charge_late_fees([home], "C01", until=date(2026, 1, 20), actor="周会计")
    late = list(Bill.objects.filter(kind="late_fee").order_by("id"))
    assert [each.total_fen for each in late] == [2_172, 1_172]
    assert "2026-01-11 至 2026-01-20 10 天" in late[1].lines.get().words
    assert balance_fen(account("C01", "late_income")) == -(2_172 + 1_172)
    assert standing_bills("C01", date(2026, 1, 20), [home.pk])[0].open_fen == 117_200


def test_nothing_is_charged_where_no_rate_is_stated(billed: None) -> None:
    # what a bill of another place would say: the pack has no rate
    from nuan.operations.overdue import reckon_late_fee
    from nuan.policies.catalogue import pack
    from nuan.rules.pack import contract_layer, load_pack

    silent = load_pack("demo-city", above=[contract_layer({"late_fee.daily_percent": {"value": None}})])
    each = standing_bills("C01", date(2026, 3, 1), [Home.objects.get(code="B001-1-0101").pk])[0]
    assert reckon_late_fee(each, date(2026, 3, 1), silent).why == "late_fee.daily_percent"
    assert (reckon_late_fee(each, date(2026, 3, 1), pack("demo-city")).amount_fen or 0) > 0


def test_an_open_case_stops_late_fees_and_dunning(billed: None) -> None:
    home, today = Home.objects.get(code="B001-1-0101"), date(2026, 1, 20)
    hold = place_hold(home, reason="室温争议", since=date(2026, 1, 6), actor="小李")
    assert charge_late_fees([home], "C01", until=today, actor="周会计") == {"held": 1, "charged": 0}
    assert take_dunning_steps([home], "C01", today=today, actor="周会计") == []
    release_hold(hold, until=date(2026, 1, 19), actor="小李")
    assert charge_late_fees([home], "C01", until=today, actor="周会计")["fen"] == 1_303, (
        "five days before the case, one after it"
    )
    made = take_dunning_steps([home], "C01", today=today, actor="周会计")
    assert [each.step for each in made] == ["reminder", "written"]
    assert "2,172.00" in made[0].text
    assert take_dunning_steps([home], "C01", today=today, actor="周会计") == []


def test_who_paid_is_not_reminded(billed: None) -> None:
    pay(217_200, DUE)
    assert (
        take_dunning_steps([Home.objects.get(code="B001-1-0101")], "C01", today=date(2026, 6, 1), actor="周会计") == []
    )
    assert not DunningNotice.objects.exists()


def test_no_step_cuts_anybody_off() -> None:
    assert {step.channel for step in steps()} <= {"sms", "letter", "phone", "visit"}
    with pytest.raises(DunningStepError, match="停供不是催缴步骤"):
        steps("[{key: off, after_days: 90, channel: cut_off, zh: 停供, en: off}]")
    with pytest.raises(DunningStepError, match="只能有"):
        steps("[{key: off, after_days: 90, channel: sms, zh: 停供, en: off, act: close_valve}]")


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_holes_when_many_number_at_once_and_some_give_up() -> None:
    """Eight threads, each adjusts five times and gives up every third; what stands is 1, 2, 3 … without a hole."""
    build_city()
    seat_the_cast()
    prepare()
    bill_everybody()
    bills = list(Bill.objects.filter(company_id="C01", kind="bill").order_by("id"))
    errors: list[BaseException] = []

    def work(worker: int) -> None:
        from django.db import transaction

        try:
            for turn in range(5):
                with transaction.atomic():
                    adjust(bills[worker % 4], [NewLine("adjustment", 1)], on=ON, why=f"{worker}-{turn}", actor="周会计")
                    if (worker + turn) % 3 == 0:
                        transaction.set_rollback(True)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    numbers = sorted(Bill.objects.filter(company_id="C01", year=2025).values_list("seq", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert BillCounter.objects.get(company_id="C01", year=2025).last == len(numbers)
    assert len(numbers) > 4 + 20


@pytest.mark.django_db(transaction=True)
def test_without_the_queue_numbers_would_be_given_twice() -> None:
    """The control: two who only read the last number, as `max + 1` does, get the same one."""
    from django.db.models import Max

    build_city()
    seat_the_cast()
    prepare()
    bill_everybody()
    barrier, found = threading.Barrier(2), []

    def read() -> None:
        last = Bill.objects.filter(company_id="C01", year=2025).aggregate(last=Max("seq"))["last"]
        barrier.wait(10)
        found.append(last + 1)
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1], "the race exists"
    assert take_numbers("C01", 2025, 1) != take_numbers("C01", 2025, 1)


def test_days_of_the_due_date(billed: None) -> None:
    assert of().due_on == DUE
    assert of().issued_on + timedelta(days=72) == DUE


def test_a_bill_issued_after_the_due_day_is_late_from_its_issue(city: None) -> None:
    prepare()
    run = approved()
    post_run(run, issued_on=date(2026, 2, 1), actor="周会计")
    home = Home.objects.get(code="B001-1-0101")
    issued = of()
    assert issued.due_on == DUE
    assert charge_late_fees([home], "C01", until=date(2026, 2, 1), actor="周会计")["charged"] == 0
    assert take_dunning_steps([home], "C01", today=date(2026, 2, 3), actor="周会计") == []
    charge_late_fees([home], "C01", until=date(2026, 2, 2), actor="周会计")
    late = Bill.objects.get(kind="late_fee")
    assert late.total_fen == 217, "one day at 0.1 %"
    assert [each.step for each in take_dunning_steps([home], "C01", today=date(2026, 2, 4), actor="周会计")] == [
        "reminder"
    ]


def test_a_cancelled_bill_leaves_no_late_fee_behind(billed: None) -> None:
    home = Home.objects.get(code="B001-1-0101")
    charge_late_fees([home], "C01", until=date(2026, 1, 10), actor="周会计")
    late = Bill.objects.get(kind="late_fee").total_fen
    assert receivable() == of().total_fen + late
    made = cancel(of(), on=date(2026, 1, 11), why="面积登记错了", actor="周会计")
    assert made.total_fen == -of().total_fen - late
    assert (receivable(), standing_fen(of())) == (0, 0)
    assert balance_fen(account("C01", "late_income")) == 0
    assert charge_late_fees([home], "C01", until=date(2026, 2, 10), actor="周会计")["charged"] == 0
