"""Booking receipts: each payment into the account of its channel against 待查款项, each part of it from there onto a bill or into credit.

Two entries, so that a part can be taken back alone. All rows of a file go in together by COPY; the caller holds transaction and act.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection

from nuan.operations.ledger import account
from nuan.operations.ledger_bulk import home_accounts, post_many
from nuan.records.billing.channels.profile import profile
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, LedgerPeriod, Payment, PaymentFile
from nuan.records.registry.models import Home
from nuan.terms.places import CHINA

ENTRY_SCHEMA = {
    "key": pl.String, "company": pl.String, "kind": pl.String, "clause": pl.String, "on": pl.Date, "memo": pl.String,
    "details": pl.String,
}  # fmt: skip
POSTING_SCHEMA = {"key": pl.String, "account_id": pl.Int64, "amount_fen": pl.Int64}
PAYMENTS_CLAUSE = "2.5.6"
MANY = 500
"""Receipts at once, from which on the database's statistics of before the file say nothing."""


@dataclass
class Receipt:
    """A payment to be booked, with the parts that a rule gives it. `from_credit_of`: it comes out of that home's credit."""

    channel: str
    txn_id: str
    amount_fen: int
    paid_at: datetime
    fee_fen: int = 0
    references: Sequence[str] = ()
    payer: str = ""
    payer_key: str = ""
    file: PaymentFile | None = None
    row: int | None = None
    parts: Sequence[Part] = ()
    doubt: str = ""
    home_id: int | None = None
    from_credit_of: Home | None = None
    why: str = ""


class Legs:
    """Entries and their legs, gathered to be booked at once."""

    def __init__(self, company: str) -> None:
        self.company = company
        self.entries: list[tuple[object, ...]] = []
        self.postings: list[tuple[str, int, int]] = []

    def add(
        self,
        key: str,
        kind: str,
        on: date,
        memo: str,
        details: Mapping[str, object],
        *legs: tuple[int, int],
        clause: str = PAYMENTS_CLAUSE,
    ) -> None:
        """`legs`: account id and fen."""
        told = json.dumps(details, ensure_ascii=False, default=str)
        self.entries.append((key, self.company, kind, clause, on, memo[:200], told))
        self.postings += [(key, number, fen) for number, fen in legs if fen]

    def book(self, actor: str) -> dict[str, int]:
        """Key → entry id."""
        entries = pl.DataFrame(self.entries, schema=ENTRY_SCHEMA, orient="row")
        postings = pl.DataFrame(self.postings, schema=POSTING_SCHEMA, orient="row")
        return dict(post_many(entries, postings, actor=actor).select("key", "entry_id").iter_rows())


def lock_channel(company: str, channel: str) -> None:
    """Whoever takes in money of a channel waits for the one before; until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"payments {company} {channel}"])


def lock_placing(company: str) -> None:
    """Whoever places money on bills of a company waits for the one before: what is open on a bill is then what it was when looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"placing {company}"])


def book_receipts(company: str, receipts: Sequence[Receipt], *, today: date, actor: str) -> list[Payment]:
    """New payments with their entries and allocations. A day of a closed month is booked today, and the entry says when it was paid."""
    if not receipts:
        return []
    payments = Payment.objects.bulk_create(
        [
            Payment(
                company_id=company, channel=each.channel, txn_id=each.txn_id, file=each.file, row=each.row, amount_fen=each.amount_fen,
                fee_fen=each.fee_fen, paid_at=each.paid_at, references=list(each.references), payer=each.payer, payer_key=each.payer_key, doubt=each.doubt,
                open_fen=each.amount_fen - sum(part.fen for part in each.parts), home_id=each.home_id, created_by=actor,
            )
            for each in receipts
        ],
        batch_size=2000,
    )  # fmt: skip
    closed = set(LedgerPeriod.objects.filter(company=company).values_list("period", flat=True))
    days = [each.paid_at.astimezone(CHINA).date() for each in receipts]
    legs = Legs(company)
    suspense, fees = account(company, "suspense").pk, account(company, "bank_fees").pk
    channels = {
        role: account(company, role).pk
        for role in {profile(each.channel).account for each in receipts if not each.from_credit_of}
    }
    placed: list[tuple[Payment, Receipt, Part, date]] = []
    for payment, each, paid_on in zip(payments, receipts, days, strict=True):
        own = profile(payment.channel)
        on = today if f"{paid_on:%Y-%m}" in closed else paid_on
        details = {"payment": payment.pk, "channel": own.name, "txn_id": payment.txn_id, "paid_on": paid_on.isoformat()}
        into = account(company, own.account, each.from_credit_of).pk if each.from_credit_of else channels[own.account]
        legs.add(
            f"payment:{payment.pk}", "payment", on, f"{own.label}收款 {payment.txn_id}", details,
            (into, payment.amount_fen - payment.fee_fen), (fees, payment.fee_fen), (suspense, -payment.amount_fen),
        )  # fmt: skip
        placed += [(payment, each, part, on) for part in each.parts]
    keys = _add_parts(legs, company, suspense, [(payment, part, on) for payment, _, part, on in placed], {})
    booked = legs.book(actor)
    Allocation.objects.bulk_create(
        [
            _allocation(payment, part, booked[key], actor, each.why)
            for key, (payment, each, part, _) in zip(keys, placed, strict=True)
        ],
        batch_size=2000,
    )
    if len(payments) >= MANY:
        # so that the look at each payment at the commit goes by its index
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE billing_payment, billing_allocation")
    return payments


def _add_parts(
    legs: Legs, company: str, suspense: int, placed: Sequence[tuple[Payment, Part, date]], before: Mapping[int, int]
) -> list[str]:
    """An entry for each part, under a key that counts the payment's parts; `before`: how many it has already."""
    into = {
        True: home_accounts(
            company, "receivable", sorted({part.home_id for _, part, _ in placed if part.bill is not None})
        ),
        False: home_accounts(company, "prepaid", sorted({part.home_id for _, part, _ in placed if part.bill is None})),
    }
    times = dict(before)
    keys: list[str] = []
    for payment, part, on in placed:
        number = times.get(payment.pk, 0)
        times[payment.pk] = number + 1
        key = f"allocation:{payment.pk}:{number}"
        details = {"payment": payment.pk, "bill": part.bill, "rule": part.rule}
        owner = into[part.bill is not None][part.home_id]
        legs.add(key, "allocation", on, f"核销 {payment.txn_id}", details, (suspense, part.fen), (owner, -part.fen))
        keys.append(key)
    return keys


def _allocation(payment: Payment, part: Part, entry: int, actor: str, why: str) -> Allocation:
    return Allocation(
        payment=payment, home_id=part.home_id, bill_id=part.bill, amount_fen=part.fen, rule=part.rule, entry_id=entry, why=why[:200],
        made_by=actor,
    )  # fmt: skip


def allocate(payment: Payment, parts: Sequence[Part], *, on: date, actor: str, why: str = "") -> list[Allocation]:
    """Place parts of a payment that the caller has locked; what is left open stays in the queue."""
    company = payment.company_id
    legs = Legs(company)
    before = {payment.pk: payment.allocations.filter(undoes=None).count()}
    keys = _add_parts(legs, company, account(company, "suspense").pk, [(payment, part, on) for part in parts], before)
    booked = legs.book(actor)
    rows = [_allocation(payment, part, booked[key], actor, why) for key, part in zip(keys, parts, strict=True)]
    made = Allocation.objects.bulk_create(rows)
    payment.open_fen -= sum(part.fen for part in parts)
    owners = {part.home_id for part in parts}
    if payment.home_id is None and len(owners) == 1:
        payment.home_id = owners.pop()
    payment.doubt = payment.doubt if payment.open_fen else ""
    payment.save(update_fields=["open_fen", "doubt", "home"])
    return made
