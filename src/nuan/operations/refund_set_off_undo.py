"""A set-off taken back: one asks with a reason, another agrees, the entry is reversed and the home gets a payout for it."""

import hashlib
import json
from datetime import date

from django.db import transaction

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.operations.ledger import reverse
from nuan.operations.refund_batches import RefundError, _one_at_a_time
from nuan.operations.refund_notices import tell_undone
from nuan.operations.refund_posting import _hold_payouts, make_payouts
from nuan.operations.refund_set_off import owed_by_home
from nuan.records.accounts.models import User
from nuan.records.billing.models import Proposal, RefundPayout, RefundSetOff

KIND = "refund_setoff"


class SetOffError(RefundError):
    """Why a set-off is not taken back, as a sentence."""


def content_hash(found: RefundSetOff, why: str) -> str:
    told = [found.pk, found.batch_id, found.home_id, found.amount_fen, why]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def proposal_of(found: RefundSetOff) -> Proposal | None:
    return approvals.newest(KIND, found.subject)


def ask_undo(pk: int, *, by: User, why: str) -> RefundSetOff:
    """Ask another person to agree that the whole refund is paid. Raises SetOffError, ApprovalError."""
    why = why.strip()[:200]
    if not why:
        raise SetOffError("请写明理由 / say why")
    with act("ask_set_off_undo", actor=by.username, why=why) as row, transaction.atomic():
        found = RefundSetOff.objects.select_for_update(of=("self",)).select_related("batch").get(pk=pk)
        if found.undone_id is not None:
            raise SetOffError("这笔抵扣已经撤销 / it is undone already")
        digest = content_hash(found, why)
        found.asked = {"by": by.username, "why": why, "hash": digest}
        found.save(update_fields=["asked"])
        approvals.propose(kind=KIND, subject=found.subject, company=found.batch.company_id, content_hash=digest, by=by)
        row.subject, row.details = found.subject, {"amount_fen": found.amount_fen}
    return found


def decide_undo(pk: int, *, by: User, seen_hash: str, on: date, approve: bool = True, why: str = "") -> RefundSetOff:
    """Another person's yes reverses the entry and makes the payout. Raises SetOffError, ApprovalError."""
    with act("undo_set_off", actor=by.username, why=why) as row, transaction.atomic():
        # as where a batch is booked: nobody books or sends between the look at what is owed and the payout made from it
        _one_at_a_time(RefundSetOff.objects.values_list("batch__company_id", flat=True).get(pk=pk))
        found = RefundSetOff.objects.select_for_update(of=("self",)).select_related("batch", "home", "entry").get(pk=pk)
        _hold_payouts({found.home_id})
        proposal = proposal_of(found)
        if found.undone_id is not None or proposal is None or approvals.standing(proposal):
            raise SetOffError("没有等审批的撤销 / nothing waits for a decision")
        digest = content_hash(found, found.asked.get("why", ""))
        approvals.decide(proposal, by=by, seen_hash=seen_hash, content_hash=digest, approve=approve, why=why)
        row.subject, row.details = found.subject, {"approved": approve, "amount_fen": found.amount_fen}
        if approve:
            found.undone = reverse(found.entry, why=found.asked["why"], actor=by.username, on=on)
            found.save(update_fields=["undone"])
            make_payouts(
                found.batch,
                {found.home_id: found.home},
                owed_by_home(found.batch.company_id, [found.home_id], "refund_payable"),
                RefundPayout.Kind.SET_OFF,
            )
            tell_undone(found, found.asked["why"])
    return found
