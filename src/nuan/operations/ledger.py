"""Booking: entries into the ledger, once each. What may not happen there PostgreSQL itself refuses (billing migration 0002).

Call these inside the act that has the reason: the entry and the act's audit row are then one transaction.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from nuan.operations.acts import act
from nuan.records.billing.chart import CHART, account_code
from nuan.records.billing.models import Account, Entry, LedgerPeriod, Posting
from nuan.records.registry.models import Home

Leg = tuple[Account, int]


class EntryBookedOtherwiseError(ValueError):
    """The key is taken by an entry that says something else."""

    def __init__(self, key: str, differs: Sequence[str]) -> None:
        self.key, self.differs = key, tuple(differs)
        super().__init__(
            f"凭证 {key} 已经入账，内容不同（{'、'.join(differs)}）；更正请另行冲销 / {key} is booked otherwise"
        )


class UnbalancedEntryError(ValueError):
    def __init__(self, key: str, total: int, legs: int) -> None:
        super().__init__(f"凭证 {key} 借贷不平：{legs} 笔，相差 {total} 分 / {key} does not balance by {total} fen")


class SeveralCompaniesError(ValueError):
    def __init__(self, key: str, companies: Sequence[str]) -> None:
        super().__init__(f"凭证 {key} 涉及几家企业的科目：{'、'.join(companies)}；一张凭证只属于一家企业")


class ReversedAlreadyError(ValueError):
    def __init__(self, key: str, by: str) -> None:
        super().__init__(f"凭证 {key} 已被 {by} 冲销")


class NoGroundError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(f"冲销凭证 {key} 要写明理由 / reversing {key} needs a reason")


class ClosedBooksError(ValueError):
    """Something would be booked into a month that is closed."""

    def __init__(self, company: str, period: str) -> None:
        super().__init__(
            f"{company} 的 {period} 已经结账，不能再记入；请用未结账月份的日期 / {period} of {company} is closed"
        )


def account(company: str, role: str, home: Home | None = None) -> Account:
    """The company's account of the chart's `role`; opened when it is used for the first time."""
    chart = CHART.get(role)
    code = account_code(company, role, home.code if home else None)
    found, _ = Account.objects.get_or_create(
        code=code,
        defaults={"kind": chart.kind if chart else "", "company_id": company, "home": home, "name": chart.name if chart else role},
    )  # fmt: skip
    return found


def require_open(company: str, on: date) -> None:
    """Raises ClosedBooksError where the month of `on` is closed: a sentence before the database's own refusal."""
    if LedgerPeriod.objects.filter(company=company, period=f"{on:%Y-%m}").exists():
        raise ClosedBooksError(company, f"{on:%Y-%m}")


def open_day(company: str, on: date) -> date:
    """The day to book under what happened on `on`: that day, or today where its month is closed; the entry's words say which day it was."""
    closed = LedgerPeriod.objects.filter(company=company, period=f"{on:%Y-%m}").exists()
    return timezone.localdate() if closed else on


def post(
    *,
    key: str,
    kind: str,
    on: date,
    postings: Sequence[Leg],
    actor: str,
    clause: str = "",
    memo: str = "",
    details: Mapping[str, Any] | None = None,
    reverses: Entry | None = None,
) -> Entry:
    """Book one entry; asked for again with the same key and content it is the entry that is there.

    Raises EntryBookedOtherwiseError, UnbalancedEntryError, SeveralCompaniesError; and IntegrityError for a closed period or sealed day.
    """
    legs = [(each, fen) for each, fen in postings if fen]
    total = sum(fen for _, fen in legs)
    if total or len(legs) < 2:
        raise UnbalancedEntryError(key, total, len(legs))
    companies = sorted({each.company_id for each, _ in legs})
    if len(companies) > 1:
        raise SeveralCompaniesError(key, companies)
    content = {
        "kind": kind, "clause": clause, "on": on, "memo": memo, "reverses_id": reverses.pk if reverses else None,
        "details": json.loads(json.dumps(dict(details or {}), ensure_ascii=False, default=str)),
    }  # fmt: skip
    there = Entry.objects.filter(key=key).first()
    if there is None:
        try:
            with transaction.atomic():
                entry = Entry.objects.create(
                    key=key, company_id=companies[0], period=f"{on:%Y-%m}", created_by=actor[:120], **content, **_by_database(on)
                )  # fmt: skip
                Posting.objects.bulk_create(Posting(entry=entry, account=each, amount_fen=fen) for each, fen in legs)
            entry.refresh_from_db()
            return entry
        except IntegrityError:
            there = Entry.objects.filter(key=key).first()
            if there is None:
                raise
    _same_or_refuse(there, content, legs)
    return there


def _by_database(on: date) -> dict[str, Any]:
    """Columns that a trigger writes; what is given here is not heard."""
    return {"recorded_at": timezone.now(), "recorded_on": on, "recorded_tx": 0}


def _same_or_refuse(there: Entry, content: Mapping[str, Any], legs: Sequence[Leg]) -> None:
    differs = [name for name, value in content.items() if getattr(there, name) != value]
    booked = sorted(there.postings.values_list("account_id", "amount_fen"))
    if booked != sorted((each.pk, fen) for each, fen in legs):
        differs.append("postings")
    if differs:
        raise EntryBookedOtherwiseError(there.key, differs)


def reverse(entry: Entry, *, why: str, actor: str, on: date | None = None, clause: str = "") -> Entry:
    """A new entry that undoes another leg by leg, on the same day or on `on`. An entry is reversed once; why is never empty."""
    if not why.strip():
        raise NoGroundError(entry.key)
    with act("reverse_entry", actor=actor, subject=entry.key, clause=clause or entry.clause, why=why.strip()) as row:
        by = Entry.objects.filter(reverses=entry).first()
        key = f"reverse:{entry.key}"
        if by is not None and by.key != key:
            raise ReversedAlreadyError(entry.key, by.key)
        legs = [(leg.account, -leg.amount_fen) for leg in entry.postings.select_related("account").order_by("id")]
        reversal = post(
            key=key, kind="reversal", on=on or entry.on, postings=legs, actor=actor, clause=clause or entry.clause,
            memo=f"冲销 {entry.key}"[:200], details={"why": why.strip(), "reverses": entry.key}, reverses=entry,
        )  # fmt: skip
        row.details["entry"] = reversal.key
        row.nothing_changed = by is not None
    return reversal


def balance_fen(of: Account, until: date | None = None) -> int:
    """The sum of an account's postings, up to and including a day."""
    from django.db.models import Sum

    rows = Posting.objects.filter(account=of)
    if until is not None:
        rows = rows.filter(entry__on__lte=until)
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
