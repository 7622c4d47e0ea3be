"""Homes whose company holds money of theirs beyond their bills: how much, which of their bills are open, and a use taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import QuerySet, Sum

from nuan.operations.acts import act
from nuan.operations.open_bills import open_of_homes
from nuan.operations.payment_queue import NoReasonError, StrangeBillError, TakenBackError, place, take_back
from nuan.records.billing.chart import CHART
from nuan.records.billing.matching import OpenBill, Part
from nuan.records.billing.models import Account, Allocation
from nuan.records.registry.models import Home


@dataclass(frozen=True)
class Credit:
    """A home's credit, and the bills that it could pay, oldest first."""

    home: Home
    fen: int
    bills: Sequence[OpenBill]

    @property
    def open_fen(self) -> int:
        return sum(bill.open_fen for bill in self.bills)


def credit_accounts(company: str, home: str = "") -> QuerySet[Account]:
    """The accounts of 预收热费 on which something stands, the most first; `fen` is negative: the company owes it."""
    rows = Account.objects.filter(company=company, code__startswith=f"{company}/{CHART['prepaid'].number}/")
    if home:
        rows = rows.filter(home__code__iexact=home)
    return rows.annotate(fen=Sum("postings__amount_fen")).filter(fen__lt=0).order_by("fen", "id")


def credits_of(accounts: Sequence[Account]) -> list[Credit]:
    """`accounts`: of `credit_accounts`."""
    numbers = [each.home_id for each in accounts if each.home_id is not None]
    homes = Home.objects.select_related("building").in_bulk(numbers)
    bills: dict[int, list[OpenBill]] = {}
    for bill in open_of_homes(numbers) if numbers else ():
        if bill.open_fen > 0:
            bills.setdefault(bill.home_id, []).append(bill)
    return [
        Credit(homes[each.home_id], -int(each.fen), bills.get(each.home_id, []))
        for each in accounts
        if each.home_id is not None
    ]


def uses_of_credit(company: str) -> QuerySet[Allocation]:
    """What credit has paid, the newest first, taken back or not."""
    rows = Allocation.objects.filter(
        payment__company=company, payment__channel="prepaid", bill__isnull=False, undoes=None
    )
    return rows.select_related("payment", "home__building", "bill", "undone_by").order_by("-id")


def back_into_credit(allocation_id: int, *, company: str, actor: str, today: date, why: str) -> Allocation:
    """A use of credit undone: off the bill by a reversal, and into the same home's credit again, so that nothing is left in the queue.

    Raises TakenBackError, StrangeBillError, NoReasonError.
    """
    if not why.strip():
        raise NoReasonError
    with act("back_into_credit", actor=actor, why=why.strip()) as row, transaction.atomic():
        used = uses_of_credit(company).filter(pk=allocation_id).first()
        if used is None:
            raise StrangeBillError
        if Allocation.objects.filter(undoes=used).exists():
            raise TakenBackError
        take_back(used.pk, actor=actor, today=today, why=why)
        parts = [Part(used.home_id, None, used.amount_fen, "person")]
        (made,) = place(used.payment_id, parts, actor=actor, today=today, why=why)
        row.subject, row.details = f"payment:{used.payment_id}", {"amount_fen": used.amount_fen}
    return made
