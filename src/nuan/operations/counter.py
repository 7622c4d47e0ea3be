"""柜台现金: a receipt that a person writes down, and the day's close against the cash that was counted."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from nuan.operations.acts import act
from nuan.operations.ledger import account, open_day, post
from nuan.operations.open_bills import books_of
from nuan.operations.payment_booking import Receipt, book_receipts, lock_channel, lock_placing
from nuan.records.billing.matching import match, tokens
from nuan.records.billing.models import CounterDay, Payment
from nuan.terms.places import CHINA


class CounterError(ValueError):
    """Why the counter does not take this, as a sentence."""


class DayClosedError(CounterError):
    def __init__(self, day: date) -> None:
        super().__init__(f"{day} 已经日结，不能再收现金；请记在今天 / the day is closed")


class DifferenceNeedsReasonError(CounterError):
    def __init__(self, difference_fen: int) -> None:
        super().__init__(
            f"实点与应有相差 {difference_fen / 100:+.2f} 元，请写明原因 / say why cash and receipts differ"
        )


class NotThatDayError(CounterError):
    def __init__(self, day: date) -> None:
        super().__init__(f"{day} 还没有到，不能日结 / that day has not come")


class NoAmountError(CounterError):
    def __init__(self) -> None:
        super().__init__("金额要大于 0 / the amount must be positive")


@dataclass(frozen=True)
class DaySums:
    day: date
    receipts: int
    expected_fen: int
    closed: CounterDay | None


def receive_cash(
    *, company: str, reference: str, amount_fen: int, key: str, now: datetime, actor: str, note: str = ""
) -> Payment:
    """One receipt; `key` comes with the form, so that a form sent twice is one receipt. What the reference does not settle waits in
    the queue like any other payment. Raises DayClosedError, NoAmountError."""
    if amount_fen <= 0:
        raise NoAmountError
    with act("receive_cash", actor=actor, subject=company) as row, transaction.atomic():
        lock_channel(company, "counter")
        day = now.astimezone(CHINA).date()
        there = Payment.objects.filter(company=company, channel="counter", txn_id=key).first()
        if there is not None:
            row.nothing_changed = True
            return there
        if CounterDay.objects.filter(company=company, day=day).exists():
            raise DayClosedError(day)
        lock_placing(company)
        found = match([reference], amount_fen, books_of(company, tokens([reference])))
        receipt = Receipt(
            "counter", key, amount_fen, now, references=[reference, note] if note else [reference],
            parts=[part for part in found.parts if part.fen], doubt=found.doubt, home_id=found.home_id,
        )  # fmt: skip
        payment = book_receipts(company, [receipt], today=day, actor=actor)[0]
        row.details = {"payment": payment.pk, "amount_fen": amount_fen}
    return payment


def day_sums(company: str, day: date) -> DaySums:
    found = Payment.objects.filter(company=company, channel="counter", paid_at__date=day).aggregate(
        n=Count("id"), fen=Sum("amount_fen")
    )
    closed = CounterDay.objects.filter(company=company, day=day).first()
    return DaySums(day, int(found["n"]), int(found["fen"] or 0), closed)


def close_counter_day(*, company: str, day: date, counted_fen: int, actor: str, why: str = "") -> CounterDay:
    """Counted cash against the day's receipts; a difference is booked and needs a reason. Closing again changes nothing.

    Raises DifferenceNeedsReasonError, NotThatDayError, NoAmountError for a count below zero, DayClosedError for another count of a closed day.
    """
    if day > timezone.localdate():
        raise NotThatDayError(day)
    if counted_fen < 0:
        raise NoAmountError
    with act("close_counter_day", actor=actor, subject=company, why=why) as row, transaction.atomic():
        lock_channel(company, "counter")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"counter {company}"])
        sums = day_sums(company, day)
        if sums.closed is not None:
            if sums.closed.counted_fen != counted_fen:
                raise DayClosedError(day)
            row.nothing_changed = True
            return sums.closed
        difference = counted_fen - sums.expected_fen
        if difference and not why.strip():
            raise DifferenceNeedsReasonError(difference)
        entry = None
        if difference:
            legs = [(account(company, "cash"), difference), (account(company, "cash_difference"), -difference)]
            entry = post(
                key=f"counter:{company}:{day}", kind="cash_difference", on=open_day(company, day), postings=legs, actor=actor, memo=f"{day} 现金长短款",
                details={"why": why.strip()},
            )  # fmt: skip
        row.details = {"day": day, "expected_fen": sums.expected_fen, "counted_fen": counted_fen}
        return CounterDay.objects.create(
            company_id=company, day=day, expected_fen=sums.expected_fen, counted_fen=counted_fen, receipts=sums.receipts,
            why=why.strip()[:200], entry=entry, closed_by=actor,
        )  # fmt: skip
