"""Subsidies: programmes recorded in versions, payments that never exceed what is owed, evidence that is only shown with a reason."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
from django.db.models import Sum

from nuan.operations.acts import act
from nuan.operations.support_facts import subsidy_facts
from nuan.operations.support_ledger import book_subsidy_payments
from nuan.records.support.models import Beneficiary, SubsidyPayment, SubsidyProgramme
from nuan.terms.money import format_yuan
from nuan.terms.places import day_number, day_start


class SubsidyError(ValueError):
    """Why something is not done about a subsidy."""


class MoreThanOwedError(SubsidyError):
    def __init__(self, owed_fen: int | None) -> None:
        said = "应付金额无法计算" if owed_fen is None else f"尚欠 {format_yuan(owed_fen)} 元"
        super().__init__(f"不能这样拨付：{said} / not payable like this")


class ReasonNeededError(SubsidyError):
    def __init__(self) -> None:
        super().__init__("查看证明须写明理由 / seeing evidence needs a reason")


class PaymentGoneError(SubsidyError):
    def __init__(self, code: str) -> None:
        super().__init__(f"{code} 已经冲销过，或本身就是冲销 / {code} is taken back already")


def set_programme(values: Mapping[str, Any], *, actor: str) -> SubsidyProgramme:
    """A new version of a programme; the versions before it stay, and what was known before still follows them."""
    with act("set_subsidy_programme", actor=actor, subject=str(values["code"]), clause="3.1") as row:
        row.details = {key: str(value) for key, value in values.items()}
        return SubsidyProgramme.objects.create(**values, recorded_by=actor)


def owed_fen(home: str, programme: str, season: str, day: date) -> int | None:
    """What is owed to one home under a programme as of a day, less everything ever paid, whatever day it bears; None where it cannot
    be computed."""
    rows = subsidy_facts(season, day_start(day_number(day) + 1), home).filter(pl.col("programme") == programme)
    if not rows.height:
        return 0
    payable = rows["payable_fen"][0]
    payments = SubsidyPayment.objects.filter(beneficiary__home__code=home, programme=programme, season=season)
    paid = int(payments.aggregate(sum=Sum("amount_fen"))["sum"] or 0)
    return None if payable is None else int(payable) - paid


def record_subsidy_payment(
    *,
    code: str,
    beneficiary: Beneficiary,
    programme: str,
    season: str,
    amount_fen: int,
    on: date,
    reference: str,
    actor: str,
) -> SubsidyPayment:
    """Raises MoreThanOwedError. Two payments to one household wait for each other, so that together they cannot exceed what is owed."""
    with act("record_subsidy_payment", actor=actor, subject=code, clause="3.1", details={"fen": amount_fen}):
        # every registration of the home, so that a double one cannot be paid beside the first
        list(Beneficiary.objects.select_for_update().filter(home=beneficiary.home_id).order_by("pk"))
        owed = owed_fen(beneficiary.home.code, programme, season, on)
        if owed is None or not 0 < amount_fen <= owed:
            raise MoreThanOwedError(owed)
        paid = SubsidyPayment.objects.create(
            code=code, beneficiary=beneficiary, programme=programme, season=season, amount_fen=amount_fen, on=on,
            reference=reference, recorded_by=actor,
        )  # fmt: skip
        book_subsidy_payments([paid], actor=actor)
    return paid


def reverse_subsidy_payment(payment: SubsidyPayment, *, why: str, today: date, actor: str) -> SubsidyPayment:
    """A payment that failed or went to the wrong place is taken back by its negative; both rows stay."""
    with act("reverse_subsidy_payment", actor=actor, subject=payment.code, clause="3.1", why=why):
        fresh = SubsidyPayment.objects.select_for_update().get(pk=payment.pk)
        if fresh.reverses_id is not None or SubsidyPayment.objects.filter(reverses=fresh).exists():
            raise PaymentGoneError(payment.code)
        back = SubsidyPayment.objects.create(
            code=f"{fresh.code}-R", beneficiary_id=fresh.beneficiary_id, programme=fresh.programme, season=fresh.season,
            amount_fen=-fresh.amount_fen, on=today, reverses=fresh, recorded_by=actor,
        )  # fmt: skip
        book_subsidy_payments([back], actor=actor)
    return back


def open_evidence(beneficiary: Beneficiary, *, reason: str, actor: str) -> str:
    """The number of the evidence in full; who asked and why stands in the audit log. Raises ReasonNeededError."""
    if not reason.strip():
        raise ReasonNeededError
    with act("open_evidence", actor=actor, subject=beneficiary.code, clause="3.1", why=reason.strip()):
        return beneficiary.evidence_ref


def masked(reference: str) -> str:
    """
    >>> masked("DB-1506-000123"), masked("12")
    ('…0123', '…')
    """
    return f"…{reference[-4:]}" if len(reference) > 8 else "…"
