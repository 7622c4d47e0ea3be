"""平台退款: what a channel gave back and nobody here sent; proposed with a reason, approved by another person, booked."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.approvals import ApprovalError
from nuan.operations.channel_refunds import (
    SURE,
    decide_channel_refund,
    open_refunds,
    propose_channel_refund,
    standing_parts,
    withdraw_channel_refund,
)
from nuan.operations.payment_queue import PlacingError
from nuan.operations.workbooks import Fen
from nuan.records.billing.models import Allocation, ChannelRefund
from nuan.web.guard import Visit
from nuan.web.tables import table_answer
from nuan.web.views.payment_queue import channel_label
from nuan.web.wording import said_by, say

PAGE = 30
COLOURS = {"found": "red", "proposed": "amber", "booked": "green"}
DONE = {
    "propose": "已提请,等另一人审批。",
    "approve": "已同意并入账。",
    "reject": "未同意,留在清单里。",
    "withdraw": "已撤回,留在清单里。",
}


def _rows(request: Visit) -> Any:
    if request.GET.get("all") == "1":
        rows = ChannelRefund.objects.filter(company=request.scope.code)
        return rows.select_related("payment__home__building", "file").order_by("-happened_at", "-id")
    return open_refunds(request.scope.code)


def channel_refunds(request: Visit) -> HttpResponse:
    error = ""
    if request.method == "POST":
        error = _do(request)
        if not error:
            return redirect("channel_refunds")
    pages = Paginator(_rows(request), PAGE).get_page(request.GET.get("page"))
    context = {"pages": pages, "rows": [_row(request, each) for each in pages], "error": error}
    return render(request, "web/money/channel_refunds.html", context, status=422 if error else 200)


def _row(request: Visit, found: ChannelRefund) -> dict[str, Any]:
    """A refund with what booking it would take back."""
    return {
        "found": found,
        "channel": channel_label(found.channel),
        "colour": COLOURS[found.state],
        "unsure": found.channel_state not in SURE,
        "is_mine": found.proposed_by == request.user.username,
        "no_receipt": bool(found.amount_fen) and found.payment is None,
        "frees": _frees(found),
    }


def _frees(found: ChannelRefund) -> list[Allocation]:
    """Placings that would be taken back, in whole or in part."""
    payment = found.payment
    if payment is None or found.state == ChannelRefund.State.BOOKED:
        return []
    missing, frees = found.amount_fen - payment.open_fen, []
    for each in standing_parts(payment):
        if missing <= 0:
            break
        frees.append(each)
        missing -= each.amount_fen
    return frees


def _do(request: Visit) -> str:
    what, why, text = request.POST.get("act", ""), request.POST.get("why", "")[:200], request.POST.get("refund", "")
    pk = int(text) if text.isdecimal() and len(text) < 19 else 0
    if not ChannelRefund.objects.filter(pk=pk, company=request.scope.code).exists() or what not in DONE:
        raise Http404
    try:
        if what == "propose":
            propose_channel_refund(pk, by=request.user, why=why)
        elif what == "withdraw":
            withdraw_channel_refund(pk, by=request.user, why=why)
        else:
            decide_channel_refund(
                pk, by=request.user, seen_hash=request.POST.get("seen", ""), today=timezone.localdate(), approve=what == "approve", why=why,
            )  # fmt: skip
    except (PlacingError, ApprovalError) as refused:
        return said_by(refused)
    messages.success(request, say(DONE[what]))
    return ""


def channel_refunds_table(request: Visit, form: str) -> HttpResponseBase:
    heads = ["渠道", "渠道退款流水号", "原交易号", "种类", "时间", "退款(元)", "退回手续费(元)", "状态", "理由"]
    lines = (
        [
            channel_label(each.channel), each.txn_id, each.of_txn, say(each.get_kind_display()), timezone.localtime(each.happened_at).strftime("%Y-%m-%d %H:%M"),
            Fen(each.amount_fen), Fen(each.fee_fen), say(each.get_state_display()), each.why,
        ]
        for each in _rows(request)
    )  # fmt: skip
    return table_answer(form, "channel-refunds", "平台退款", heads, lines)
