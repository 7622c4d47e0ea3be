"""A bill run: exceptions first, four eyes, numbers without holes, and lines = bill = ledger."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from billed_city import ISSUED, approved, bill_everybody, card, contract, person, prepare
from nuan.operations.approvals import ContentChangedError, NotApprovedError, SamePersonError
from nuan.operations.bill_runs import NoSuchCompanyError, decide_run, post_run, preview, propose_run
from nuan.records.billing.models import Bill, BillException, BillLine, BillRun, Entry, Posting, RunPosting
from small_city import SEASON


@pytest.fixture
def town(city: None) -> None:
    prepare()


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.usefixtures("town")
def test_a_preview_bills_nobody_and_shows_exceptions_first() -> None:
    run = preview("C01", SEASON, actor="周会计")
    assert (run.bills, run.total_fen) == (4, 217_200 + 230_232 + 238_920 + 43_440)
    assert run.summary["exceptions"] == {"heat_unknown": 1, "area_not_positive": 1}
    assert run.summary["blocked_homes"] == 2
    assert run.summary["by_kind"]["cap"] == {"lines": 1, "fen": -18_240}
    assert BillException.objects.filter(run=run, blocking=True).count() == 2
    assert not Bill.objects.exists()
    assert not Entry.objects.exists()
    assert preview("C01", SEASON, actor="郑主管") == run, "the same content is the same run"


@pytest.mark.usefixtures("town")
def test_posted_bills_are_lines_and_ledger() -> None:
    bill_everybody()
    settle()
    assert Bill.objects.count() == 4 + 6
    for bill in Bill.objects.all():
        assert bill.lines.aggregate(fen=Sum("amount_fen"))["fen"] == bill.total_fen
        home_legs = Posting.objects.filter(entry=bill.entry, account__home=bill.home)
        assert home_legs.aggregate(fen=Sum("amount_fen"))["fen"] == bill.total_fen
        assert bill.entry.clause == "2.5.1"
        assert bill.due_on == date(2025, 12, 31)
    total = Bill.objects.filter(company_id="C01").aggregate(fen=Sum("total_fen"))["fen"]
    receivable = Posting.objects.filter(account__code__startswith="C01/1122/").aggregate(fen=Sum("amount_fen"))["fen"]
    income = Posting.objects.filter(account__company_id="C01", account__kind="income").aggregate(fen=Sum("amount_fen"))
    assert total == receivable == -income["fen"]
    stop = Bill.objects.get(home__code="B002-1-0101")
    assert stop.entry.postings.filter(account__code="C01/6001.02").get().amount_fen == -43_440
    assert sorted(Bill.objects.filter(company_id="C01").values_list("number", flat=True)) == [
        f"C01-2025-000000{n}" for n in (1, 2, 3, 4)
    ]


@pytest.mark.usefixtures("town")
def test_posting_again_writes_nothing_and_a_billed_home_is_not_billed_twice() -> None:
    run = approved()
    assert post_run(run, issued_on=ISSUED, actor="周会计").bills == 4
    assert post_run(run, issued_on=ISSUED, actor="周会计").again
    later = preview("C01", SEASON, actor="周会计")
    assert (later.bills, later.summary["billed_already"]) == (0, 4)


@pytest.mark.usefixtures("town")
def test_the_exception_that_was_cleared_is_billed_by_the_next_run() -> None:
    post_run(approved(), issued_on=ISSUED, actor="周会计")
    contract("B002-1-0301", area_m2_100=9050)
    card("B002-1-0201", heat_1000=5_000_000)
    run = approved()
    assert post_run(run, issued_on=ISSUED, actor="周会计").bills == 2
    assert Bill.objects.order_by("-seq").first().number == "C01-2025-0000006"  # type: ignore[union-attr]


@pytest.mark.usefixtures("town")
def test_four_eyes() -> None:
    run = preview("C01", SEASON, actor="周会计")
    with pytest.raises(NotApprovedError):
        post_run(run, issued_on=ISSUED, actor="周会计")
    propose_run(run, by=person("周会计"))
    with pytest.raises(SamePersonError):
        decide_run(run, by=person("周会计"), seen_hash=run.content_hash)
    with pytest.raises(NotApprovedError):
        post_run(run, issued_on=ISSUED, actor="周会计")
    assert not Bill.objects.exists()


@pytest.mark.usefixtures("town")
def test_a_batch_that_changes_after_it_was_proposed_or_approved_is_not_posted() -> None:
    run = preview("C01", SEASON, actor="周会计")
    propose_run(run, by=person("周会计"))
    contract("B001-1-0101", area_m2_100=9051)
    with pytest.raises(ContentChangedError):
        decide_run(run, by=person("郑主管"), seen_hash=run.content_hash)
    contract("B001-1-0101", area_m2_100=9050)
    decide_run(run, by=person("郑主管"), seen_hash=run.content_hash)
    contract("B001-1-0101", area_m2_100=9051)
    with pytest.raises(ContentChangedError):
        post_run(run, issued_on=ISSUED, actor="周会计")
    assert not RunPosting.objects.exists()
    contract("B001-1-0101", area_m2_100=9050)
    assert post_run(run, issued_on=ISSUED, actor="周会计").bills == 4


@pytest.mark.usefixtures("town")
def test_the_database_refuses_a_posting_without_the_other_person() -> None:
    run = preview("C01", SEASON, actor="周会计")
    proposal = propose_run(run, by=person("周会计"))
    with pytest.raises(IntegrityError, match="four eyes"), transaction.atomic():
        RunPosting.objects.create(
            run=run, proposal=proposal, content_hash=run.content_hash, issued_on=ISSUED, posted_by="x"
        )


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"total_fen": 1}, "lines say"),
        ({"home": "B001-1-0201"}, "the ledger says"),
    ],
    ids=["another sum", "another home"],
)
def test_the_database_refuses_a_bill_that_is_not_its_lines_and_ledger(change: dict[str, Any], said: str) -> None:
    bill_everybody()
    with pytest.raises(IntegrityError, match=said):
        forge(change)


def forge(change: dict[str, Any]) -> None:
    """A bill beside the operations, with lines of 100 fen and an entry on the home's account."""
    from nuan.operations.ledger import account, post
    from nuan.operations.ledger_bulk import reserve_ids
    from nuan.records.registry.models import Home

    home = Home.objects.get(code="B001-1-0101")
    with transaction.atomic():
        legs = [(account("C01", "receivable", home), 100), (account("C01", "heat_income"), -100)]
        entry = post(key="forged", kind="bill", on=ISSUED, postings=legs, actor="x")
        number = reserve_ids(Bill, 1)[0]
        BillLine.objects.create(bill_id=number, position=1, kind="area", amount_fen=100)
        billed = Home.objects.get(code=change.get("home", home.code))
        Bill.objects.create(
            id=number, kind="adjustment", about=Bill.objects.get(home=billed), company_id="C01", home=billed, season=SEASON,
            year=2025, seq=99, number="forged", issued_on=ISSUED, total_fen=change.get("total_fen", 100), entry=entry,
        )  # fmt: skip


@pytest.mark.usefixtures("town")
def test_the_forgery_without_a_change_passes_so_the_refusals_are_for_the_change() -> None:
    bill_everybody()
    forge({})
    with pytest.raises(IntegrityError, match="is complete"), transaction.atomic():
        BillLine.objects.create(bill=Bill.objects.get(number="forged"), position=2, kind="area", amount_fen=5)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Bill.objects.filter(number="forged").update(total_fen=5)


@pytest.mark.usefixtures("city")
def test_without_a_price_nobody_is_billed_and_the_reason_is_said() -> None:
    run = preview("C01", SEASON, actor="周会计")
    assert run.bills == 0
    assert set(run.summary["exceptions"]) == {"tariff.area_kind"}
    with pytest.raises(NoSuchCompanyError):
        preview("C99", SEASON, actor="周会计")
    assert BillRun.objects.count() == 1


@pytest.mark.usefixtures("town")
def test_jumps_and_contracts_that_say_otherwise_are_shown_before_anything_is_posted() -> None:
    contract("B001-1-0101", season_fee_fen=240_000)
    run = preview("C01", SEASON, actor="周会计")
    assert run.summary["exceptions"]["contract_says_otherwise"] == 1
    assert run.bills == 4, "a warning does not keep a bill back"
