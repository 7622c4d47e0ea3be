"""Debts of government: recorded, settled by plan or payment, paid from a named source of money; plans, tasks and nil reports of banners."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum

from nuan.operations.acts import act
from nuan.operations.support_ledger import book_debts
from nuan.records.support.models import (
    DebtPayment,
    FundingSource,
    FundingUse,
    GovernmentDebt,
    Instalment,
    LocalPlan,
    NilReport,
    PlanTask,
    SettlementPlan,
)
from nuan.terms.money import format_yuan


class ArrearsError(ValueError):
    """Why something is not done about a debt, a source of money or a plan."""


class PositiveError(ArrearsError):
    def __init__(self) -> None:
        super().__init__("金额须大于零 / the amount must be positive")


class MoreThanDebtError(ArrearsError):
    def __init__(self, code: str) -> None:
        super().__init__(f"还款合计超过欠账 {code} / more than the debt {code}")


class MoreThanCommittedError(ArrearsError):
    def __init__(self, code: str) -> None:
        super().__init__(f"使用合计超过资金来源 {code} 的承诺金额 / more than was committed by {code}")


class InstalmentsError(ArrearsError):
    def __init__(self, sum_fen: int, outstanding_fen: int) -> None:
        super().__init__(
            f"各期合计 {format_yuan(sum_fen)} 元，与尚欠 {format_yuan(outstanding_fen)} 元不等 / the instalments do not add up to the debt"
        )


class InstalmentOrderError(ArrearsError):
    def __init__(self) -> None:
        super().__init__("各期应付日须在议定日以后、逐期往后 / instalments follow the agreement and one another")


class OtherPlaceError(ArrearsError):
    def __init__(self) -> None:
        super().__init__("资金来源与欠账不在同一旗区 / the source belongs to another banner")


class TaskDoneError(ArrearsError):
    def __init__(self) -> None:
        super().__init__("这项任务已经完成 / the task is done already")


def outstanding_fen(debt: GovernmentDebt) -> int:
    return debt.amount_fen - int(debt.payments.aggregate(sum=Sum("amount_fen"))["sum"] or 0)


def record_debt(values: Mapping[str, Any], *, actor: str) -> GovernmentDebt:
    if values["amount_fen"] <= 0:
        raise PositiveError
    with act(
        "record_debt", actor=actor, subject=str(values["code"]), clause="3.2", details={"fen": values["amount_fen"]}
    ):
        found = GovernmentDebt.objects.create(**values)
        book_debts([found], actor=actor)
    return found


def settle_debt(
    *,
    code: str,
    debt: GovernmentDebt,
    amount_fen: int,
    on: date,
    reference: str,
    actor: str,
    source: FundingSource | None = None,
) -> DebtPayment:
    """A payment, and with a `source` its use of that money, in one transaction.

    Raises PositiveError, MoreThanDebtError, MoreThanCommittedError, OtherPlaceError.
    """
    if amount_fen <= 0:
        raise PositiveError
    if source is not None and source.banner_id != debt.banner_id:
        raise OtherPlaceError
    with act("settle_debt", actor=actor, subject=debt.code, clause="3.2", details={"fen": amount_fen}):
        try:
            with transaction.atomic():
                payment = DebtPayment.objects.create(
                    code=code, debt=debt, amount_fen=amount_fen, on=on, reference=reference, recorded_by=actor
                )
        except IntegrityError as error:
            if "than is owed" in str(error):
                raise MoreThanDebtError(debt.code) from error
            raise
        if source is not None:
            _use(code, source, amount_fen, on, f"偿还欠账 {debt.code}", reference, actor, payment)
        book_debts([debt], actor=actor)
    return payment


def use_funding(
    *, code: str, source: FundingSource, amount_fen: int, on: date, purpose: str, reference: str, actor: str
) -> FundingUse:
    """Raises PositiveError, MoreThanCommittedError."""
    if amount_fen <= 0:
        raise PositiveError
    with act("use_funding", actor=actor, subject=source.code, clause="3.2", why=purpose, details={"fen": amount_fen}):
        return _use(code, source, amount_fen, on, purpose, reference, actor, None)


def _use(
    code: str,
    source: FundingSource,
    fen: int,
    on: date,
    purpose: str,
    reference: str,
    actor: str,
    payment: DebtPayment | None,
) -> FundingUse:
    try:
        with transaction.atomic():
            return FundingUse.objects.create(
                code=code, source=source, amount_fen=fen, on=on, purpose=purpose, reference=reference, recorded_by=actor,
                debt_payment=payment,
            )  # fmt: skip
    except IntegrityError as error:
        if "than is committed" in str(error):
            raise MoreThanCommittedError(source.code) from error
        raise


def agree_settlement_plan(
    *,
    debt: GovernmentDebt,
    agreed_on: date,
    signed_by: str,
    document: str,
    parts: Sequence[tuple[date, int]],
    actor: str,
) -> SettlementPlan:
    """`parts` are (due date, fen). A newer plan takes the place of an older one, which stays.

    Raises PositiveError, InstalmentsError, InstalmentOrderError.
    """
    if any(fen <= 0 for _, fen in parts):
        raise PositiveError
    days = [agreed_on, *(day for day, _ in parts)]
    if any(later < earlier for earlier, later in pairwise(days)):
        raise InstalmentOrderError
    with act("agree_settlement_plan", actor=actor, subject=debt.code, clause="3.2", why=document) as row:
        fresh = GovernmentDebt.objects.select_for_update().get(pk=debt.pk)
        paid_before = fresh.payments.filter(on__lt=agreed_on).aggregate(sum=Sum("amount_fen"))["sum"] or 0
        owed, planned = fresh.amount_fen - int(paid_before), sum(fen for _, fen in parts)
        if owed != planned:
            raise InstalmentsError(planned, owed)
        plan = SettlementPlan.objects.create(
            debt=fresh, agreed_on=agreed_on, signed_by=signed_by, document=document, recorded_by=actor
        )
        Instalment.objects.bulk_create(
            Instalment(plan=plan, number=number, due_on=day, amount_fen=fen)
            for number, (day, fen) in enumerate(parts, 1)
        )
        row.details = {"instalments": len(parts), "fen": planned}
    return plan


def commit_funding(values: Mapping[str, Any], *, actor: str) -> FundingSource:
    with act(
        "commit_funding",
        actor=actor,
        subject=str(values["code"]),
        clause="3.2",
        details={"fen": values["committed_fen"]},
    ):
        return FundingSource.objects.create(**values)


def adopt_plan(values: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], *, actor: str) -> LocalPlan:
    """A banner's plan for a season with its task list."""
    with act("adopt_plan", actor=actor, subject=str(values["code"]), clause="3.1", details={"tasks": len(tasks)}):
        plan = LocalPlan.objects.create(**values)
        PlanTask.objects.bulk_create(PlanTask(plan=plan, number=number, **task) for number, task in enumerate(tasks, 1))
    return plan


def add_task(plan: LocalPlan, *, text: str, owner: str, due_on: date | None, actor: str) -> PlanTask:
    with act("add_plan_task", actor=actor, subject=plan.code, clause="3.1", why=text):
        list(LocalPlan.objects.select_for_update().filter(pk=plan.pk))
        last = plan.tasks.order_by("-number").first()
        number = 1 if last is None else last.number + 1
        return PlanTask.objects.create(plan=plan, number=number, text=text, owner=owner, due_on=due_on)


def complete_task(task: PlanTask, *, done_on: date, evidence: str, actor: str) -> PlanTask:
    """Raises TaskDoneError."""
    with act("complete_task", actor=actor, subject=f"{task.plan.code}-{task.number}", clause="3.1", why=evidence):
        fresh = PlanTask.objects.select_for_update().get(pk=task.pk)
        if fresh.done_on is not None:
            raise TaskDoneError
        fresh.done_on, fresh.evidence = done_on, evidence[:200]
        fresh.save(update_fields=["done_on", "evidence"])
    return fresh


def report_nil(
    *, banner: str, subject: str, season: str, on: date, signed_by: str, reference: str = "", actor: str
) -> NilReport:
    """零报告: a banner states that it has none of something. Without it, an empty list decides nothing."""
    clause = {"fund": "2.7.5", "plan": "3.1", "beneficiaries": "3.1"}.get(subject, "3.2")
    with act("report_nil", actor=actor, subject=banner, clause=clause, why=subject):
        return NilReport.objects.create(
            banner_id=banner, subject=subject, season=season, on=on, signed_by=signed_by, reference=reference
        )
