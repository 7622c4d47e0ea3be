"""Money around heating is written by acts only: each leaves one audit row, refuses with a sentence, and takes back by a further row."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db.models import Sum

from nuan.operations.support_arrears import (
    ArrearsError,
    InstalmentOrderError,
    InstalmentsError,
    MoreThanCommittedError,
    MoreThanDebtError,
    OtherPlaceError,
    TaskDoneError,
    agree_settlement_plan,
    complete_task,
    outstanding_fen,
    report_nil,
    settle_debt,
    use_funding,
)
from nuan.operations.support_costs import (
    AlreadyReversedError,
    AmountError,
    CodeTakenError,
    FutureError,
    cancel_repair,
    enter_into_price_cost,
    payer_of,
    record_repair,
)
from nuan.operations.support_facts import subsidy_facts, support_facts
from nuan.operations.support_funds import (
    AlreadyDecidedError,
    NotApprovedError,
    NotEligibleError,
    NotYoursError,
    OtherBannerError,
    OverdrawnError,
    OwnApplicationError,
    apply_fund,
    balance_fen,
    decide_fund_application,
    spend_fund,
    state_of,
)
from nuan.operations.support_reports import end_of, registered_twice, subsidy_rows
from nuan.operations.support_subsidies import (
    MoreThanOwedError,
    PaymentGoneError,
    ReasonNeededError,
    open_evidence,
    record_subsidy_payment,
    reverse_subsidy_payment,
    set_programme,
)
from nuan.records.accounts.models import ApiToken, User
from nuan.records.audit.models import AuditEntry
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    CostEntry,
    FundAccount,
    FundApplication,
    FundingSource,
    GovernmentDebt,
    PlanTask,
    Repair,
    SubsidyProgramme,
)
from small_support import TODAY, build_support, make_asset

pytestmark = pytest.mark.django_db
SEASON = "2025-2026"


@pytest.fixture(autouse=True)
def rows(city: None) -> None:
    build_support()


def person(name: str) -> User:
    return User.objects.get(username=name)


def leaves_one_row(name: str, write: Callable[[], object], *then: str) -> None:
    """Of its own; `then`: what it brings with it, in the ledger, leaves a row too."""
    before = AuditEntry.objects.count()
    write()
    rows = list(AuditEntry.objects.order_by("id").values_list("act", flat=True))[before:]
    assert sorted(rows) == sorted([name, *then])


def repair(code: str = "W9", asset: str = "C01-G1", **changes: object) -> Repair:
    usual = {
        "on": date(2026, 1, 12),
        "category": "repair",
        "cost_fen": 5_000,
        "charged_to": "company",
        "today": TODAY,
        "actor": "周会计",
    }
    return record_repair(code=code, asset=Asset.objects.get(code=asset), **(usual | changes))  # type: ignore[arg-type]


def test_a_repair_that_the_company_bears_enters_its_price_cost() -> None:
    leaves_one_row("record_repair", repair)
    assert CostEntry.objects.get(code="W9").in_price_cost is True
    repair("W10", "C01-G2")
    assert CostEntry.objects.get(code="W10").in_price_cost is False
    repair("W11", "C01-G3", charged_to="user")
    assert not CostEntry.objects.filter(code="W11").exists()


def test_who_bears_it_is_known_before_anything_is_saved() -> None:
    fresh = Asset.objects.get(code="C01-G2")
    assert payer_of(fresh, date(2026, 4, 15)).payer == "builder"
    assert payer_of(fresh, date(2026, 4, 16)).payer == "company"
    assert payer_of(Asset.objects.get(code="C01-G3"), TODAY).payer == "user"


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"cost_fen": 0}, AmountError), ({"on": date(2026, 1, 21)}, FutureError), ({"code": "C01-W1"}, CodeTakenError)],
    ids=["nothing", "tomorrow", "twice"],
)
def test_a_repair_that_is_none(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        repair(**changes)  # type: ignore[arg-type]


def test_a_repair_is_taken_back_with_its_cost() -> None:
    made = repair()
    leaves_one_row("cancel_repair", lambda: cancel_repair(made, why="重复登记", today=TODAY, actor="周会计"))
    assert Repair.objects.filter(code__startswith="W9").aggregate(sum=Sum("cost_fen"))["sum"] == 0
    assert CostEntry.objects.filter(code__startswith="W9").aggregate(sum=Sum("amount_fen"))["sum"] == 0
    facts = support_facts(SEASON, end_of(TODAY))
    assert "W9" not in facts["repair"]["repair"].to_list()
    assert "W9" not in facts["cost"]["cost"].to_list()
    with pytest.raises(AlreadyReversedError):
        cancel_repair(made, why="再来一次", today=TODAY, actor="周会计")


def test_a_cost_that_was_left_out_is_entered() -> None:
    left_out = CostEntry.objects.get(code="C01-W2")
    made = enter_into_price_cost(left_out, in_price_cost=True, today=TODAY, actor="周会计")
    assert made.in_price_cost
    facts = support_facts(SEASON, end_of(TODAY))["cost"]
    assert facts["cost"].to_list().count("C01-W2-N") == 1
    assert "C01-W2" not in facts["cost"].to_list()


def ask(asset: str = "C01-G1", by: str = "周会计", fen: int = 500_000, code: str = "A9") -> FundApplication:
    account = FundAccount.objects.get(banner="150602")
    return apply_fund(
        code=code,
        account=account,
        asset=Asset.objects.get(code=asset),
        work="repair",
        amount_fen=fen,
        reason="漏水",
        on=TODAY,
        by=person(by),
    )


def test_an_application_inside_the_meter_is_refused_in_the_words_of_the_clause() -> None:
    asked = ask("C01-G3")
    assert (asked.eligibility, state_of(asked)) == ("ineligible", "ineligible")
    assert "以外供热设施、设备维修、养护、更新" in AuditEntry.objects.latest("id").why
    with pytest.raises(NotEligibleError, match="以外"):
        decide_fund_application(asked, by=person("刘科"), approve=True)
    with pytest.raises(NotApprovedError):
        spend_fund(code="S", application=asked, amount_fen=1, on=TODAY, reference="", actor="刘科")


def test_two_people_decide_and_then_it_is_paid() -> None:
    asked = ask()
    with pytest.raises(NotApprovedError):
        spend_fund(code="S", application=asked, amount_fen=1, on=TODAY, reference="", actor="刘科")
    leaves_one_row(
        "approve_fund_application", lambda: decide_fund_application(asked, by=person("乌主任"), approve=True)
    )
    assert state_of(asked) == "waiting"
    with pytest.raises(AlreadyDecidedError):
        decide_fund_application(asked, by=person("乌主任"), approve=True)
    decide_fund_application(asked, by=person("刘科"), approve=True)
    assert state_of(asked) == "approved"
    spend_fund(code="S", application=asked, amount_fen=500_000, on=TODAY, reference="", actor="刘科")
    assert balance_fen(asked.account) == 500_000
    with pytest.raises(OverdrawnError):
        spend_fund(code="S2", application=asked, amount_fen=1, on=TODAY, reference="", actor="刘科")


def test_an_asset_that_turns_out_to_lie_inside_is_not_paid_for() -> None:
    asked = ask()
    decide_fund_application(asked, by=person("乌主任"), approve=True)
    Asset.objects.filter(code="C01-G1").update(position="inside")
    with pytest.raises(NotEligibleError):
        decide_fund_application(asked, by=person("刘科"), approve=True)
    Asset.objects.filter(code="C01-G1").update(position="outside")
    decide_fund_application(asked, by=person("刘科"), approve=True)
    Asset.objects.filter(code="C01-G1").update(position="inside")
    with pytest.raises(NotEligibleError):
        spend_fund(code="S", application=asked, amount_fen=1, on=TODAY, reference="", actor="刘科")


def test_who_may_apply_and_decide() -> None:
    token = ApiToken(name="t", role="city")
    for by in (person("王阿姨"), person("小李"), person("乌主任"), token):
        with pytest.raises(NotYoursError):
            apply_fund(
                code="X", account=FundAccount.objects.get(banner="150602"), asset=Asset.objects.get(code="C01-G1"), work="repair",
                amount_fen=1, reason="x", on=TODAY, by=by,  # type: ignore[arg-type]
            )  # fmt: skip
    with pytest.raises(NotYoursError):
        ask("C02-G1")
    with pytest.raises(OtherBannerError):
        ask("C02-G1", by="刘科")
    asked = ask(by="刘科", code="A10")
    with pytest.raises(OwnApplicationError):
        decide_fund_application(asked, by=person("刘科"), approve=True)
    for by in (person("周会计"), token):
        with pytest.raises(NotYoursError):
            decide_fund_application(asked, by=by, approve=True)  # type: ignore[arg-type]


def pay(fen: int, code: str = "B1", beneficiary: Beneficiary | None = None) -> object:
    chosen = beneficiary or Beneficiary.objects.filter(home__banner="150602").order_by("code")[0]
    return record_subsidy_payment(
        code=code,
        beneficiary=chosen,
        programme="P2",
        season=SEASON,
        amount_fen=fen,
        on=TODAY,
        reference="",
        actor="乌主任",
    )


def test_a_subsidy_is_never_paid_beyond_what_is_owed() -> None:
    leaves_one_row("record_subsidy_payment", lambda: pay(40_000))
    with pytest.raises(MoreThanOwedError, match="200"):
        pay(20_001, "B2")
    second = pay(20_000, "B2")
    with pytest.raises(MoreThanOwedError):
        pay(1, "B3")
    reverse_subsidy_payment(second, why="退汇", today=TODAY, actor="乌主任")  # type: ignore[arg-type]
    with pytest.raises(PaymentGoneError):
        reverse_subsidy_payment(second, why="退汇", today=TODAY, actor="乌主任")  # type: ignore[arg-type]
    pay(20_000, "B4")


def test_a_payment_with_an_earlier_date_does_not_open_the_door_again() -> None:
    pay(60_000)
    chosen = Beneficiary.objects.filter(home__banner="150602").order_by("code")[0]
    with pytest.raises(MoreThanOwedError):
        record_subsidy_payment(
            code="early",
            beneficiary=chosen,
            programme="P2",
            season=SEASON,
            amount_fen=1,
            on=date(2025, 12, 1),
            reference="",
            actor="乌主任",
        )


def test_a_home_that_is_registered_twice_is_owed_once() -> None:
    first = Beneficiary.objects.filter(home__banner="150602").order_by("code")[0]
    again = Beneficiary.objects.create(
        code="again",
        home=first.home,
        category="low_income",
        evidence_ref="other",
        valid_from=date(2025, 8, 1),
        valid_to=date(2026, 7, 1),
    )
    pay(60_000)
    with pytest.raises(MoreThanOwedError):
        pay(1, "B2", again)
    own = subsidy_facts(SEASON, end_of(TODAY), first.home.code)
    assert own.select("payable_fen", "paid_fen").rows() == [(60_000, 60_000)]


def test_registrations_that_follow_one_another_are_no_double() -> None:
    first = Beneficiary.objects.filter(home__banner="150602").order_by("code")[0]
    usual = {"home": first.home, "category": "destitute", "evidence_ref": "x"}
    Beneficiary.objects.create(code="before", valid_from=date(2024, 7, 1), valid_to=date(2025, 6, 30), **usual)
    Beneficiary.objects.create(code="after", valid_from=date(2026, 7, 1), valid_to=None, **usual)
    assert registered_twice() == []
    Beneficiary.objects.create(code="beside", valid_from=date(2026, 6, 30), valid_to=date(2026, 6, 30), **usual)
    assert registered_twice() == [first.home.code]
    assert registered_twice(set()) == []


def test_expired_evidence_owes_nothing_and_a_later_version_of_the_programme_counts_from_its_day() -> None:
    Beneficiary.objects.filter(home__banner="150602").update(valid_to=date(2025, 10, 31))
    own = [row for row in subsidy_rows(subsidy_facts(SEASON, end_of(TODAY)), TODAY) if row.banner == "150602"]
    assert {(row.state, row.payable_fen) for row in own} == {("expired", 0)}
    old = SubsidyProgramme.objects.filter(banner="150603").values().get()
    new = {key: value for key, value in old.items() if key not in {"id", "recorded_by"}} | {
        "rate": 80_000,
        "recorded_on": date(2026, 1, 15),
    }
    set_programme(new, actor="刘科")
    for day, owed in ((date(2026, 1, 14), 60_000), (date(2026, 1, 15), 80_000)):
        known = subsidy_facts(SEASON, end_of(day))
        assert set(known.filter(known["banner"] == "150603")["payable_fen"]) == {owed}


def test_evidence_is_shown_for_a_reason_that_is_written_down() -> None:
    first = Beneficiary.objects.order_by("code")[0]
    with pytest.raises(ReasonNeededError):
        open_evidence(first, reason=" ", actor="乌主任")
    leaves_one_row("open_evidence", lambda: open_evidence(first, reason="核对", actor="乌主任"))
    assert first.evidence_ref not in str(AuditEntry.objects.latest("id").details)


def debt(code: str = "C01-D1") -> GovernmentDebt:
    return GovernmentDebt.objects.get(code=code)


def settle(fen: int, code: str = "Q1", source: FundingSource | None = None) -> object:
    return settle_debt(code=code, debt=debt(), amount_fen=fen, on=TODAY, reference="", actor="乌主任", source=source)


def test_a_debt_is_settled_from_a_named_source() -> None:
    source = FundingSource.objects.get(banner="150602")
    leaves_one_row("settle_debt", lambda: settle(400_000, source=source), "book_government_debts")
    assert outstanding_fen(debt()) == 500_000
    with pytest.raises(MoreThanCommittedError):
        settle(100_001, "Q2", source)
    assert outstanding_fen(debt()) == 500_000, "a payment whose source refuses is not half written"
    with pytest.raises(MoreThanDebtError):
        settle(500_001, "Q3")
    with pytest.raises(OtherPlaceError):
        settle(1, "Q4", FundingSource.objects.get(banner="150603"))
    with pytest.raises(MoreThanCommittedError):
        use_funding(code="U", source=source, amount_fen=100_001, on=TODAY, purpose="管网", reference="", actor="刘科")


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([(date(2026, 6, 30), 899_999)], InstalmentsError),
        ([(date(2026, 6, 30), 900_000), (date(2026, 7, 30), 0)], ArrearsError),
        ([(date(2026, 12, 30), 400_000), (date(2026, 6, 30), 500_000)], InstalmentOrderError),
        ([(date(2025, 12, 30), 900_000)], InstalmentOrderError),
    ],
    ids=["does not add up", "nothing", "backwards", "before the agreement"],
)
def test_a_plan_that_is_none(parts: list[tuple[date, int]], error: type[Exception]) -> None:
    with pytest.raises(error):
        agree_settlement_plan(debt=debt(), agreed_on=TODAY, signed_by="双方", document="", parts=parts, actor="乌主任")


def test_a_newer_plan_takes_the_place_of_the_older() -> None:
    agree_settlement_plan(
        debt=debt(), agreed_on=TODAY, signed_by="双方", document="", parts=[(date(2026, 9, 1), 900_000)], actor="乌主任"
    )
    facts = support_facts(SEASON, end_of(TODAY))["instalment"]
    assert facts.filter(facts["debt"] == "C01-D1")["amount_fen"].to_list() == [900_000]
    assert debt().plans.count() == 2


def test_a_task_is_done_once_and_a_nil_report_is_said_once() -> None:
    task = PlanTask.objects.filter(plan__banner="150602").get()
    complete_task(task, done_on=TODAY, evidence="会议纪要", actor="乌主任")
    with pytest.raises(TaskDoneError):
        complete_task(task, done_on=TODAY, evidence="会议纪要", actor="乌主任")
    leaves_one_row(
        "report_nil",
        lambda: report_nil(
            banner="150602", subject="arrears", season=SEASON, on=TODAY, signed_by="乌主任", actor="乌主任"
        ),
    )


def test_an_asset_of_another_banner_has_its_own_rule() -> None:
    here = make_asset("X1", handover="unknown", handed_over_on=None)
    assert payer_of(here, TODAY).branch == "handover_unknown"
