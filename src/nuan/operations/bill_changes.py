"""Adjusting and cancelling by two: one proposes, another's yes makes the document at once, exactly as proposed.

A run needs two people before a home owes anything; without this one of them alone could undo what both have posted.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction

from nuan.operations import approvals
from nuan.operations.bill_documents import DocumentError, NewLine, adjust, cancel, standing_fen
from nuan.operations.bill_writing import lock_company
from nuan.operations.ledger import NoGroundError
from nuan.operations.payment_booking import lock_placing
from nuan.records.accounts.models import User
from nuan.records.billing.models import Bill, Decision, Proposal

KIND = "bill_document"


def subject(bill: Bill) -> str:
    return f"bill:{bill.number}"


def _content(bill: Bill, asked: dict[str, Any]) -> str:
    """Of what is asked, and of the bill as it stands: after another document about it the same words are another content."""
    stands = [bill.number, standing_fen(bill), bill.documents.count()]
    return hashlib.sha256(json.dumps([stands, asked], ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def propose_change(bill: Bill, lines: Sequence[NewLine], *, why: str, by: User) -> Proposal:
    """Ask another person for an adjustment, or, without lines, for the cancellation. Raises DocumentError, NoGroundError, ApprovalError."""
    if bill.kind != Bill.Kind.BILL:
        raise DocumentError(f"{bill.number} 不是账单；请更正它所说明的账单 {bill.about.number if bill.about else ''}")
    if not why.strip():
        raise NoGroundError(bill.number)
    if bill.documents.filter(kind=Bill.Kind.CANCELLATION).exists():
        raise DocumentError(f"账单 {bill.number} 已经冲销")
    if lines and not sum(line.amount_fen for line in lines):
        raise DocumentError(f"{bill.number}：没有金额可记")
    asked = {"why": why.strip(), "lines": [[line.kind, line.amount_fen, line.words] for line in lines]}
    return approvals.propose(
        kind=KIND, subject=subject(bill), company=bill.company_id, content_hash=_content(bill, asked), by=by, summary=asked
    )  # fmt: skip


def waiting_change(bill: Bill) -> Proposal | None:
    """The newest proposal about a bill that nobody has decided on."""
    found = approvals.newest(KIND, subject(bill))
    return found if found is not None and not found.decisions.exists() else None


def decide_change(
    bill: Bill, *, by: User, seen_hash: str, on: date, approve: bool = True, why: str = ""
) -> Bill | None:
    """The other person's answer; with a yes the document is there. Raises ApprovalError, DocumentError."""
    proposal = approvals.newest(KIND, subject(bill))
    if proposal is None:
        raise approvals.NotApprovedError(bill.number, "还没有提请审批 / has not been proposed")
    asked = {"why": proposal.summary["why"], "lines": proposal.summary["lines"]}
    with transaction.atomic():
        if approve:
            # the lines of the company before the line of the audit log, as everybody else stands in them: numbers, then money on bills
            lock_company(bill.company_id)
            lock_placing(bill.company_id)
        Bill.objects.select_for_update(no_key=True).get(pk=bill.pk)
        now = _content(bill, asked) if approve else proposal.content_hash
        said = approvals.decide(proposal, by=by, seen_hash=seen_hash, content_hash=now, approve=approve, why=why)
        if said.answer != Decision.Answer.APPROVED:
            return None
        actor = f"{proposal.proposed_by.username}、{by.username}"
        if not asked["lines"]:
            return cancel(bill, on=on, why=asked["why"], actor=actor)
        return adjust(bill, [NewLine(*line) for line in asked["lines"]], on=on, why=asked["why"], actor=actor)
