"""What no rule placed waits here for a person: candidates with their reasons, placing, splitting, taking back by a reversal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from nuan.operations.acts import act
from nuan.operations.ledger import reverse
from nuan.operations.open_bills import books_of, credit_fen, open_of_bills, open_of_homes
from nuan.operations.payment_booking import Receipt, allocate, book_receipts, lock_channel, lock_placing
from nuan.records.billing.matching import Books, OpenBill, Part, by_age, tokens
from nuan.records.billing.models import Allocation, Payment
from nuan.records.registry.models import Home

MOST = 8


class PlacingError(ValueError):
    """Why money is not placed so, as a sentence."""


class MoreThanOpenError(PlacingError):
    def __init__(self, what: str, asked_fen: int, open_fen: int) -> None:
        super().__init__(f"{what}只剩 {open_fen / 100:.2f} 元，不能放 {asked_fen / 100:.2f} 元 / not that much is open")


class StrangeBillError(PlacingError):
    def __init__(self) -> None:
        super().__init__("没有这张账单或住户，或不属于本企业 / no such bill or home of this company")


class KeyUsedError(PlacingError):
    def __init__(self) -> None:
        super().__init__("这张表单已经用过，请重新打开页面 / this form was used for something else")


class NoReasonError(PlacingError):
    def __init__(self) -> None:
        super().__init__("请写明理由 / a reason is needed")


class TakenBackError(PlacingError):
    def __init__(self) -> None:
        super().__init__("这一笔核销已经撤销过 / it was taken back already")


class CreditSpentError(PlacingError):
    def __init__(self, asked_fen: int, credit_fen: int) -> None:
        super().__init__(
            f"这户的余额只剩 {credit_fen / 100:.2f} 元，{asked_fen / 100:.2f} 元已用掉，不能撤销；请先撤销用余额付的那一笔 / the credit is spent"
        )


@dataclass(frozen=True)
class Candidate:
    """A bill that the payment may be for, and what speaks for it."""

    bill: OpenBill
    home: Home
    reasons: tuple[str, ...]


REASONS_ZH = {
    "named_bill": "写了这张账单的号码", "named_home": "写了这户的户号", "same_amount": "金额与未付的相同",
    "paid_before": "同一付款人以前付过这户",
}  # fmt: skip


def candidates(payment: Payment) -> list[Candidate]:
    """The bills that a payment may be for, the best founded first."""
    words = tokens(payment.references)
    books = books_of(payment.company_id, words)
    reasons: dict[int, list[str]] = {}
    bills: dict[int, OpenBill] = {}

    def speak(bill: OpenBill, reason: str) -> None:
        if bill.open_fen > 0:
            bills[bill.id] = bill
            reasons.setdefault(bill.id, []).append(reason)

    for word in words:
        if word in books.bills:
            speak(books.bills[word], "named_bill")
        for bill in books.due(books.homes[word]) if word in books.homes else ():
            speak(bill, "named_home")
    earlier = Payment.objects.filter(
        company=payment.company_id, payer_key=payment.payer_key, home__isnull=False
    ).exclude(payer_key="")
    known = list(earlier.exclude(pk=payment.pk).values_list("home_id", flat=True).distinct()[:MOST])
    for bill in open_of_homes(known) if known else ():
        speak(bill, "paid_before")
    for bill in list(bills.values()):
        if bill.open_fen == payment.open_fen:
            reasons[bill.id].append("same_amount")
    homes = Home.objects.select_related("building").in_bulk({bill.home_id for bill in bills.values()})
    found = [Candidate(bill, homes[bill.home_id], tuple(reasons[bill.id])) for bill in bills.values()]
    return sorted(found, key=lambda each: (-len(each.reasons), each.bill.issued_on, each.bill.id))[:MOST]


def place(payment_id: int, parts: Sequence[Part], *, actor: str, today: date, why: str = "") -> list[Allocation]:
    """A person says what a payment is for: bills, or a home's credit, one or several; never more than is open on either side.

    Raises MoreThanOpenError, StrangeBillError.
    """
    with act("place_payment", actor=actor, why=why) as row, transaction.atomic():
        payment = payment_in_line(payment_id)
        _may_be_placed(payment, parts)
        row.subject = f"payment:{payment.pk}"
        row.details = {"parts": [[part.bill, part.fen] for part in parts], "doubt": payment.doubt}
        return allocate(payment, parts, on=today, actor=actor, why=why)


def payment_in_line(payment_id: int) -> Payment:
    """The payment, held: everybody first stands in the company's line and then takes the row, so that no two wait for each other."""
    lock_placing(Payment.objects.values_list("company_id", flat=True).get(pk=payment_id))
    return Payment.objects.select_for_update().get(pk=payment_id)


def _may_be_placed(payment: Payment, parts: Sequence[Part]) -> None:
    total = sum(part.fen for part in parts)
    if not parts or any(part.fen <= 0 for part in parts) or total > payment.open_fen:
        raise MoreThanOpenError("这笔收款", total, payment.open_fen)
    wanted = {part.bill for part in parts if part.bill is not None}
    bills = {bill.id: bill for bill in open_of_bills(wanted)} if wanted else {}
    ours = set(
        Home.objects.filter(company=payment.company_id, pk__in={part.home_id for part in parts}).values_list(
            "pk", flat=True
        )
    )
    for part in parts:
        if part.home_id not in ours or (
            part.bill is not None and (part.bill not in bills or bills[part.bill].home_id != part.home_id)
        ):
            raise StrangeBillError
    for bill_id, bill in bills.items():
        asked = sum(part.fen for part in parts if part.bill == bill_id)
        if asked > bill.open_fen:
            raise MoreThanOpenError(f"账单 {bill.number} ", asked, bill.open_fen)


def place_oldest_first(payment_id: int, home_id: int, *, actor: str, today: date, why: str) -> list[Allocation]:
    """By the rule that somebody chooses on purpose: the home's bills in the order of their dates, the rest into its credit."""
    payment = Payment.objects.get(pk=payment_id)
    bills = open_of_homes([home_id])
    books = Books({bill.number: bill for bill in bills}, {})
    return place(payment_id, by_age(home_id, payment.open_fen, books), actor=actor, today=today, why=why)


def take_back(allocation_id: int, *, actor: str, today: date, why: str) -> Allocation:
    """Undo one allocation by its mirror; the money is open again and stands in the queue. Raises TakenBackError, NoReasonError, and
    CreditSpentError for credit that has paid a bill since."""
    if not why.strip():
        raise NoReasonError
    with act("take_back_payment", actor=actor, why=why.strip()) as row, transaction.atomic():
        found = Allocation.objects.select_related("entry", "payment").get(pk=allocation_id)
        payment = payment_in_line(found.payment_id)
        if found.undoes_id is not None or Allocation.objects.filter(undoes=found).exists():
            raise TakenBackError
        if found.bill_id is None and (credit := credit_fen(found.home_id)) < found.amount_fen:
            raise CreditSpentError(found.amount_fen, credit)
        reversal = reverse(found.entry, why=why.strip(), actor=actor, on=today)
        mirror = Allocation.objects.create(
            payment=payment, home_id=found.home_id, bill_id=found.bill_id, amount_fen=-found.amount_fen, rule="undo", entry=reversal,
            undoes=found, why=why.strip()[:200], made_by=actor,
        )  # fmt: skip
        payment.open_fen += found.amount_fen
        payment.doubt = payment.doubt or "nothing_open"
        payment.save(update_fields=["open_fen", "doubt"])
        row.subject, row.details = f"payment:{payment.pk}", {"allocation": found.pk, "amount_fen": found.amount_fen}
    return mirror


def pay_from_credit(bill_id: int, fen: int, *, actor: str, today: date, now: object, key: str, why: str) -> Payment:
    """Use a home's credit for one of its bills. `key` says it once. Raises MoreThanOpenError, StrangeBillError, KeyUsedError."""
    from datetime import datetime

    from nuan.operations.ledger import account, balance_fen

    assert isinstance(now, datetime)
    with act("pay_from_credit", actor=actor, why=why) as row, transaction.atomic():
        bill = next(iter(open_of_bills([bill_id])), None)
        if bill is None:
            raise StrangeBillError
        home = Home.objects.get(pk=bill.home_id)
        lock_channel(home.company_id, "prepaid")
        lock_placing(home.company_id)
        there = Payment.objects.filter(company=home.company_id, channel="prepaid", txn_id=key).first()
        if there is not None:
            if (there.references, there.amount_fen) != ([bill.number], fen):
                raise KeyUsedError
            row.nothing_changed = True
            return there
        bill = open_of_bills([bill_id])[0]
        credit = -balance_fen(account(home.company_id, "prepaid", home))
        if not 0 < fen <= min(credit, bill.open_fen):
            raise MoreThanOpenError("余额或账单", fen, max(min(credit, bill.open_fen), 0))
        receipt = Receipt(
            "prepaid", key, fen, now, references=[bill.number], parts=[Part(home.pk, bill.id, fen, "person")], home_id=home.pk,
            from_credit_of=home, why=why,
        )  # fmt: skip
        row.subject, row.details = bill.number, {"amount_fen": fen}
        return book_receipts(home.company_id, [receipt], today=today, actor=actor)[0]
