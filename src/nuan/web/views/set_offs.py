"""The part of a batch's page about claims set off against it: what would be or was taken, and taking that back by two people."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nuan.operations import approvals
from nuan.operations.refund_set_off_undo import ask_undo, decide_undo, proposal_of
from nuan.records.accounts.models import Role
from nuan.records.billing.models import RefundBatch, RefundSetOff
from nuan.records.registry.models import Home
from nuan.web.guard import Visit

SHOWN = 50
ACTS = ("setoff_ask", "setoff_yes", "setoff_no")


def set_offs_of(request: Visit, batch: RefundBatch) -> dict[str, Any]:
    """Before it is booked: what the batch says; then what was booked, what waits for a decision first."""
    context: dict[str, Any] = {"set_off_fen": sum(batch.set_off.values()), "set_off_homes": len(batch.set_off)}
    if batch.state == RefundBatch.State.POSTED:
        rows = batch.set_offs.select_related("home__building", "entry").order_by("-asked", "-amount_fen", "id")[:SHOWN]
        return context | {"set_offs": [_row(request, each) for each in rows]}
    homes = Home.objects.filter(code__in=list(batch.set_off)[:SHOWN]).select_related("building")
    return context | {"set_offs_asked": [(home, batch.set_off[home.code]) for home in homes]}


def _row(request: Visit, found: RefundSetOff) -> dict[str, Any]:
    proposal = proposal_of(found) if found.asked else None
    waits = proposal is not None and found.undone_id is None and not approvals.standing(proposal)
    return {
        "found": found,
        "waits": waits,
        "is_mine": waits and proposal is not None and proposal.proposed_by_id == request.user.pk,
    }


def do_set_off(request: Visit, batch: RefundBatch, what: str, why: str) -> None:
    """Raises RefundError, ApprovalError, Http404."""
    text = request.POST.get("setoff", "")
    found = get_object_or_404(batch.set_offs, pk=int(text) if text.isdecimal() and len(text) < 19 else 0)
    if what == "setoff_ask":
        if request.role != Role.FINANCE:
            raise Http404
        ask_undo(found.pk, by=request.user, why=why)
    else:
        seen = request.POST.get("seen", "")
        decide_undo(
            found.pk, by=request.user, seen_hash=seen, on=timezone.localdate(), approve=what == "setoff_yes", why=why
        )
