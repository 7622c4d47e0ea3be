"""Closing a month of a company's books: proposed by one, approved by another, and never opened again."""

import hashlib
import re
from datetime import date, datetime

from django.db import connection

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.records.accounts.models import User
from nuan.records.billing.models import LedgerPeriod, Proposal
from nuan.terms.places import CHINA

KIND = "period_close"


class PeriodError(ValueError):
    """A month that cannot be closed, and why."""


def subject(company: str, period: str) -> str:
    return f"{company}:{period}"


def period_hash(company: str, period: str) -> str:
    """Over every leg booked into the month: both people close the same books."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(abs(p.amount_fen)), 0), coalesce(max(p.id), 0), coalesce(max(e.id), 0) "
            "FROM billing_entry e JOIN billing_posting p ON p.entry_id = e.id WHERE e.company_id = %s AND e.period = %s",
            [company, period],
        )
        return hashlib.sha256(repr((company, period, cursor.fetchone())).encode()).hexdigest()


def propose_close(company: str, period: str, *, by: User, now: datetime) -> Proposal:
    """Raises PeriodError for a month that is no month, not over, or closed."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
        raise PeriodError(f"“{period}” 不是月份；请写成 2025-11")
    year, month = (int(part) for part in period.split("-"))
    if now.astimezone(CHINA).date() < date(year + month // 12, month % 12 + 1, 1):
        raise PeriodError(f"{period} 还没有过完，不能结账")
    if LedgerPeriod.objects.filter(company_id=company, period=period).exists():
        raise PeriodError(f"{company} 的 {period} 已经结账")
    return approvals.propose(
        kind=KIND, subject=subject(company, period), company=company, content_hash=period_hash(company, period), by=by
    )


def approve_close(company: str, period: str, *, by: User, seen_hash: str) -> LedgerPeriod:
    """The other person's yes closes the month at once; a leg booked since it was proposed refuses it (ContentChangedError)."""
    proposal = approvals.newest(KIND, subject(company, period))
    if proposal is None:
        raise approvals.NotApprovedError(subject(company, period), "还没有提请审批 / has not been proposed")
    with act("close_period", actor=by.username, subject=subject(company, period)) as row:
        with connection.cursor() as cursor:
            # whoever is booking ends first: what is hashed is what is closed
            cursor.execute("SELECT pg_advisory_xact_lock(1818518119)")
        content = period_hash(company, period)
        approvals.decide(proposal, by=by, seen_hash=seen_hash, content_hash=content)
        row.details = {"proposed_by": proposal.proposed_by.username, "content": content}
        return LedgerPeriod.objects.create(
            company_id=company, period=period, closed_by=proposal.proposed_by.username, approved_by=by.username
        )
