"""The finance desk: what is out of order first, then where everything stands; and the counter with its day's close."""

from datetime import date
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.counter import CounterError, close_counter_day, day_sums, receive_cash
from nuan.operations.finance_desk import desk
from nuan.records.billing.channels.cell_values import UnreadableMoneyError, fen_of
from nuan.records.billing.models import CounterDay, Payment
from nuan.web.guard import Visit
from nuan.web.wording import said_by, say

SHOWN = 50


def finance(request: Visit) -> HttpResponse:
    found = desk(request.scope.code, request.user, timezone.localdate())
    return render(request, "web/money/finance.html", {"desk": found})


def counter(request: Visit) -> HttpResponse:
    """Cash at the counter: one receipt, or the close of a day."""
    company, today = request.scope.code, timezone.localdate()
    error = ""
    if request.method == "POST":
        error = _close(request, company) if request.POST.get("act") == "close" else _receive(request, company)
        if not error:
            return redirect("counter")
    receipts = Payment.objects.filter(company=company, channel="counter", paid_at__date=today).select_related(
        "home__building"
    )
    context: dict[str, Any] = {
        "sums": day_sums(company, today),
        "receipts": receipts.order_by("-id")[:SHOWN],
        "closed": CounterDay.objects.filter(company=company).order_by("-day")[:10],
        "key": uuid4().hex,
        "error": error,
        "day": request.GET.get("day") or today.isoformat(),
    }
    return render(request, "web/money/counter.html", context, status=422 if error else 200)


def _receive(request: Visit, company: str) -> str:
    try:
        payment = receive_cash(
            company=company, reference=request.POST.get("reference", "")[:120], amount_fen=fen_of(request.POST.get("amount", "")),
            key=request.POST.get("key", "")[:60] or uuid4().hex, now=timezone.now(), actor=request.user.username,
            note=request.POST.get("note", "")[:120],
        )  # fmt: skip
    except (CounterError, UnreadableMoneyError) as error:
        return said_by(error)
    if payment.open_fen:
        messages.warning(
            request, say("已收 {yuan} 元,但没能对上账单,进了匹配队列。", yuan=f"{payment.amount_fen / 100:,.2f}")
        )
    else:
        messages.success(request, say("已收 {yuan} 元,并核销。", yuan=f"{payment.amount_fen / 100:,.2f}"))
    return ""


def _close(request: Visit, company: str) -> str:
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
        close_counter_day(
            company=company, day=day, counted_fen=fen_of(request.POST.get("counted", "")), actor=request.user.username,
            why=request.POST.get("why", ""),
        )  # fmt: skip
    except (CounterError, ValueError) as error:
        return said_by(error)
    messages.success(request, say("{day} 已日结。", day=day.isoformat()))
    return ""
