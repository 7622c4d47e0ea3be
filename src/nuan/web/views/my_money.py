"""What a resident sees of their own money: what was paid, what is refunded, why, how it was worked out, how and when it is paid."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from nuan.operations.open_bills import credit_fen, open_of_homes
from nuan.records.billing.models import Payment, RefundItem, RefundNotice, RefundPayout, RefundSetOff
from nuan.web.clause_words import words_of
from nuan.web.guard import Visit
from nuan.web.views.payment_queue import channel_label
from nuan.web.views.refund_batches import PAYOUT_COLOURS

SHOWN = 50


def my_money(request: Visit) -> HttpResponse:
    home = request.scope.homes().select_related("building", "company").first()
    if home is None:
        return render(request, "web/my_home_unknown.html")
    items = (
        RefundItem.objects.filter(home=home, entry__isnull=False)
        .select_related("entry", "batch")
        .order_by("-id")[:SHOWN]
    )
    payouts = RefundPayout.objects.filter(home=home).exclude(state=RefundPayout.State.CANCELLED).order_by("-id")[:SHOWN]
    payments = Payment.objects.filter(home=home).order_by("-paid_at")[:SHOWN]
    context: dict[str, Any] = {
        "home": home,
        "notices": RefundNotice.objects.filter(home=home).order_by("-id")[:SHOWN],
        "refunds": [{"item": each, "clause": words_of(each.clause)} for each in items],
        "set_offs": RefundSetOff.objects.filter(home=home).select_related("entry").order_by("-id")[:SHOWN],
        "payouts": [{"payout": each, "colour": PAYOUT_COLOURS[each.state]} for each in payouts],
        "payments": [{"payment": each, "channel": channel_label(each.channel)} for each in payments],
        "credit_fen": credit_fen(home.pk),
        "open_fen": sum(max(bill.open_fen, 0) for bill in open_of_homes([home.pk])),
    }
    return render(request, "web/money/my_money.html", context)
