"""Homes with credit: what their company holds of theirs, used for an open bill by a person, and taken back."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.credits import back_into_credit, credit_accounts, credits_of, uses_of_credit
from nuan.operations.payment_queue import NoReasonError, PlacingError, pay_from_credit
from nuan.operations.workbooks import Fen
from nuan.records.billing.channels.cell_values import UnreadableMoneyError, fen_of
from nuan.records.billing.models import Bill
from nuan.web.guard import Visit
from nuan.web.journal import masked
from nuan.web.tables import table_answer
from nuan.web.wording import said_by, say

PAGE = 50
USES_SHOWN = 20


def home_credits(request: Visit) -> HttpResponse:
    error = ""
    if request.method == "POST":
        error = _do(request)
        if not error:
            return redirect("home_credits")
    accounts = credit_accounts(request.scope.code, request.GET.get("home", "").strip()[:60])
    pages = Paginator(accounts, PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "pages": pages,
        "rows": [
            {
                "credit": each,
                "bills": [
                    {"bill": bill, "most": min(bill.open_fen, each.fen), "key": uuid4().hex} for bill in each.bills
                ],
            }
            for each in credits_of(list(pages))
        ],
        "uses": uses_of_credit(request.scope.code)[:USES_SHOWN],
        "error": error,
    }
    return render(request, "web/money/home_credits.html", context, status=422 if error else 200)


def _number(request: Visit, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _do(request: Visit) -> str:
    what, why = request.POST.get("act", ""), request.POST.get("why", "")[:200]
    company, actor = request.scope.code, request.user.username
    now: datetime = timezone.now()
    try:
        if what == "use":
            bill = get_object_or_404(Bill, pk=_number(request, "bill"), company=company)
            if not why.strip():
                raise NoReasonError
            pay_from_credit(
                bill.pk, fen_of(request.POST.get("yuan", "")), actor=actor, today=timezone.localdate(now), now=now,
                key=request.POST.get("key", "")[:60] or uuid4().hex, why=why,
            )  # fmt: skip
            messages.success(request, say("已用余额抵扣。"))
        elif what == "undo":
            used = get_object_or_404(uses_of_credit(company), pk=_number(request, "allocation"))
            back_into_credit(used.pk, company=company, actor=actor, today=timezone.localdate(now), why=why)
            messages.success(request, say("已撤销抵扣,钱回到这户的余额。"))
        else:
            raise Http404
    except (PlacingError, UnreadableMoneyError) as refused:
        return said_by(refused)
    return ""


def home_credits_table(request: Visit, form: str) -> HttpResponseBase:
    heads = ["户(隐去门牌)", "余额(元)", "未付账单", "未付(元)"]
    accounts = credit_accounts(request.scope.code, request.GET.get("home", "").strip()[:60])
    lines = (
        [masked(each.home), Fen(each.fen), len(each.bills), Fen(each.open_fen)]
        for each in credits_of(list(accounts[:20_000]))
    )
    return table_answer(form, "credits", "住户余额", heads, lines)
