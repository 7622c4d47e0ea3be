"""What PostgreSQL itself refuses about money around heating, also when two come at once; with a control that shows the race is real."""

from collections.abc import Callable, Iterator
from datetime import date
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from nuan.records.accounts.models import Role, User
from nuan.records.registry.models import Banner, Company
from nuan.records.support.models import (
    Asset,
    DebtPayment,
    FundAccount,
    FundApplication,
    FundDecision,
    FundingSource,
    FundingUse,
    FundMovement,
    GovernmentDebt,
    NilReport,
    Repair,
)
from small_support import make_asset

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 10)


@pytest.fixture
def fund(db: None) -> FundAccount:
    Banner.objects.create(code="150602", name="东胜区")
    Banner.objects.create(code="150603", name="康巴什区")
    Company.objects.create(code="C01", name="暖阳热力")
    for name, role, banner in (
        ("周会计", Role.FINANCE, None), ("乌主任", Role.BANNER, "150602"), ("刘科", Role.CITY, None), ("别旗", Role.BANNER, "150603"),
    ):  # fmt: skip
        company = "C01" if role == Role.FINANCE else None
        User.objects.create(username=name, role=role, banner_id=banner, company_id=company)
    account = FundAccount.objects.create(code="F", banner_id="150602", name="保障资金", opened_on=date(2025, 1, 1))
    FundMovement.objects.create(code="D", account=account, kind="deposit", amount_fen=1000, on=DAY, recorded_by="刘科")
    return account


def person(name: str) -> User:
    return User.objects.get(username=name)


def application(
    account: FundAccount, code: str = "A", fen: int = 800, eligibility: str = "eligible", by: str = "周会计"
) -> FundApplication:
    return FundApplication.objects.create(
        code=code, account=account, company_id="C01", asset=make_asset(f"G-{code}"), work="repair", amount_fen=fen, reason="腐蚀",
        eligibility=eligibility, branch="outside", applied_on=DAY, applied_by=person(by),
    )  # fmt: skip


def approve(asked: FundApplication, *names: str) -> None:
    for name in names:
        FundDecision.objects.create(application=asked, answer="approved", decided_by=person(name))


def spend(asked: FundApplication, fen: int, code: str) -> FundMovement:
    return FundMovement.objects.create(
        code=code,
        account=asked.account,
        kind="spending",
        amount_fen=-fen,
        on=DAY,
        application=asked,
        recorded_by="刘科",
    )


def refused(write: Callable[[], object], words: str) -> None:
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        write()


def test_two_people_and_then_the_money(fund: FundAccount) -> None:
    asked = application(fund)
    approve(asked, "乌主任", "刘科")
    spend(asked, 800, "S")
    assert fund.movements.aggregate(sum=Sum("amount_fen"))["sum"] == 200


def test_one_approval_is_not_two(fund: FundAccount) -> None:
    asked = application(fund)
    approve(asked, "乌主任")
    refused(lambda: spend(asked, 1, "S"), "two people")
    refused(lambda: approve(asked, "乌主任"), "decided_once")


def test_who_may_not_decide(fund: FundAccount) -> None:
    asked = application(fund, by="刘科")
    refused(lambda: approve(asked, "刘科"), "applied does not decide")
    refused(lambda: approve(asked, "周会计"), "only the bureau")
    refused(lambda: approve(asked, "别旗"), "only the bureau")
    User.objects.filter(username="乌主任").update(is_active=False)
    refused(lambda: approve(asked, "乌主任"), "only the bureau")


def test_what_is_not_eligible_is_neither_approved_nor_paid(fund: FundAccount) -> None:
    asked = application(fund, eligibility="ineligible")
    refused(lambda: approve(asked, "乌主任"), "not eligible")
    refused(lambda: spend(asked, 1, "S"), "does not allow")


def test_what_turns_out_to_lie_inside_is_not_paid(fund: FundAccount) -> None:
    asked = application(fund)
    approve(asked, "乌主任", "刘科")
    Asset.objects.update(position="inside")
    refused(lambda: spend(asked, 1, "S"), "does not lie outside")


def test_one_refusal_is_enough(fund: FundAccount) -> None:
    asked = application(fund)
    approve(asked, "乌主任")
    FundDecision.objects.create(application=asked, answer="refused", decided_by=person("刘科"))
    refused(lambda: spend(asked, 1, "S"), "two people")


def test_neither_more_than_there_is_nor_more_than_was_asked(fund: FundAccount) -> None:
    asked = application(fund, fen=5000)
    approve(asked, "乌主任", "刘科")
    refused(lambda: spend(asked, 1001, "S"), "below zero")
    small = application(fund, "B", fen=300)
    approve(small, "乌主任", "刘科")
    spend(small, 200, "S1")
    refused(lambda: spend(small, 101, "S2"), "asked for")
    spend(small, 100, "S2")
    spend(asked, 700, "S3")
    refused(lambda: spend(asked, 1, "S4"), "below zero")


def test_more_than_owed_or_committed(fund: FundAccount) -> None:
    debt = GovernmentDebt.objects.create(
        code="Q", banner_id="150602", debtor="住建局", company_id="C01", kind="works", amount_fen=100, incurred_on=DAY
    )
    source = FundingSource.objects.create(
        code="Z", name="预算", banner_id="150602", kind="budget", committed_fen=100, valid_from=DAY
    )

    def pay(code: str, fen: int) -> object:
        return DebtPayment.objects.create(code=code, debt=debt, amount_fen=fen, on=DAY)

    def use(code: str, fen: int) -> object:
        return FundingUse.objects.create(code=code, source=source, amount_fen=fen, on=DAY, purpose="x", recorded_by="x")

    for write, words in ((pay, "than is owed"), (use, "than is committed")):
        write("1", 60)
        refused(lambda write=write: write("2", 41), words)  # type: ignore[misc]
        write("2", 40)
    refused(lambda: GovernmentDebt.objects.filter(pk=debt.pk).update(amount_fen=99), "paid already")
    refused(lambda: FundingSource.objects.filter(pk=source.pk).update(committed_fen=99), "used already")


def test_money_rows_are_never_edited_or_deleted(fund: FundAccount) -> None:
    asked = application(fund)
    approve(asked, "乌主任", "刘科")
    repair = Repair.objects.create(
        code="W", asset=asked.asset, on=DAY, category="repair", cost_fen=5, charged_to="company", recorded_by="x"
    )
    nil = NilReport.objects.create(banner_id="150602", subject="fund", season="2025-2026", on=DAY, signed_by="x")
    rows = [FundMovement.objects.get(), asked, FundDecision.objects.first(), repair, nil]
    for row in rows:
        assert row is not None
        refused(lambda row=row: type(row).objects.filter(pk=row.pk).update(id=row.pk), "append-only")  # type: ignore[misc, union-attr]
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])


class Race:
    """Two spendings of 800 out of 1 000 at the same moment, each on its own connection."""

    def __init__(self, account: FundAccount) -> None:
        self.account = account
        self.start = Barrier(2)
        self.errors: list[str] = []

    def run(self) -> int:
        asked = []
        for code in ("A", "B"):
            each = application(self.account, code)
            approve(each, "乌主任", "刘科")
            asked.append(each)
        threads = [Thread(target=self._spend, args=(each,)) for each in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return int(self.account.movements.aggregate(sum=Sum("amount_fen"))["sum"] or 0)

    def _spend(self, asked: FundApplication) -> None:
        try:
            with transaction.atomic():
                balance = self.account.movements.aggregate(sum=Sum("amount_fen"))["sum"] or 0
                self.start.wait(10)
                if balance < 800:
                    self.errors.append("too little")
                    return
                spend(asked, 800, f"S-{asked.code}")
        except IntegrityError as error:
            self.errors.append(str(error))
        finally:
            connection.close()


@pytest.fixture
def without_guard(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE support_fundmovement DISABLE TRIGGER fund_guard")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE support_fundmovement ENABLE TRIGGER fund_guard")


@pytest.mark.django_db(transaction=True)
def test_control_a_check_in_the_program_alone_is_overtaken(without_guard: None, fund: FundAccount) -> None:
    """Both looked at the balance, both saw enough: without the database's lock the fund falls below zero."""
    assert Race(fund).run() == -600


@pytest.mark.django_db(transaction=True)
def test_two_at_once_cannot_overdraw(fund: FundAccount) -> None:
    race = Race(fund)
    assert race.run() == 200
    assert len(race.errors) == 1
    assert "below zero" in race.errors[0]
