"""The part of a payment's page that sends money back the way it came: asked for, decided by another person, sent, answered by the channel."""

from datetime import date
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nuan.operations.payment_queue import PlacingError
from nuan.operations.payment_returns import (
    Answer,
    decide_return,
    live_returns,
    proposal_of,
    propose_return,
    send_return,
    settle_return,
    withdraw_return,
)
from nuan.operations.refund_payouts import ACCOUNT_OF
from nuan.records.billing.channels.cell_values import fen_of
from nuan.records.billing.models import Payment, PaymentReturn
from nuan.web.guard import Visit
from nuan.web.wording import say

COLOURS = {
    "proposed": "amber", "rejected": "grey", "pending": "amber", "in_transit": "amber", "paid": "green", "failed": "red",
}  # fmt: skip
DONE = {
    "return": "已提请,等另一人审批。",
    "return_yes": "已同意,款项待付。",
    "return_no": "未同意,款项留在队列。",
    "return_withdraw": "已撤回,款项留在队列。",
    "return_send": "已发出,请在渠道原路退款。",
    "return_paid": "已记为退回成功。",
    "return_failed": "已记为失败,款项回到队列。",
}
SHOWN = 50


class UnreadableDayError(PlacingError):
    def __init__(self) -> None:
        super().__init__("日期看不懂，或在将来 / a day that cannot be read, or in the future")


def returns_of(request: Visit, found: Payment) -> dict[str, Any]:
    """For the payment's page: what has been asked for and done, and whether more may be asked for."""
    rows = [_row(request, each) for each in found.returns.order_by("-id")]
    waits = any(row["found"].state == PaymentReturn.State.PROPOSED for row in rows)
    return {
        "returns": rows,
        "may_return": found.open_fen > 0 and found.channel in ACCOUNT_OF and not waits,
        "returned_fen": sum(row["found"].amount_fen for row in rows if row["found"].state in ("pending", "in_transit", "paid")),
        "today": timezone.localdate(),
    }  # fmt: skip


def _row(request: Visit, each: PaymentReturn) -> dict[str, Any]:
    proposal = proposal_of(each)
    decision = proposal.decisions.select_related("decided_by").order_by("-id").first() if proposal else None
    return {
        "found": each,
        "colour": COLOURS[each.state],
        "is_mine": proposal is not None and proposal.proposed_by_id == request.user.pk,
        "decided_by": (decision.decided_by.display_name or decision.decided_by.username) if decision else "",
    }


def waiting_returns(request: Visit) -> list[dict[str, Any]]:
    """For the queue: those that somebody has to do something about."""
    return [{"found": each, "colour": COLOURS[each.state]} for each in live_returns(request.scope.code)[:SHOWN]]


def do_return(request: Visit, found: Payment, what: str, why: str) -> None:
    """Raises PlacingError, UnreadableMoneyError, ApprovalError, Http404."""
    today = timezone.localdate()
    if what == "return":
        propose_return(found.pk, fen_of(request.POST.get("yuan", "")), by=request.user, why=why)
        return
    text = request.POST.get("return", "")
    asked = get_object_or_404(found.returns, pk=int(text) if text.isdecimal() and len(text) < 19 else 0)
    if what in {"return_yes", "return_no"}:
        seen = request.POST.get("seen", "")
        decide_return(asked, by=request.user, seen_hash=seen, today=today, approve=what == "return_yes", why=why)
    elif what == "return_withdraw":
        withdraw_return(asked, by=request.user, why=why)
    elif what == "return_send":
        send_return(asked, by=request.user, today=today)
    elif what in {"return_paid", "return_failed"}:
        txn = request.POST.get("channel_txn", "")
        settle_return(asked, Answer(what == "return_paid", _day(request, today), txn, why), by=request.user)
    else:
        raise Http404


def _day(request: Visit, today: date) -> date:
    try:
        day = date.fromisoformat(request.POST.get("on", ""))
    except ValueError:
        raise UnreadableDayError from None
    if day > today:
        raise UnreadableDayError
    return day


def done_words(what: str) -> str:
    return say(DONE[what])
