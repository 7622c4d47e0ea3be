"""The matching queue: payments that no rule placed, with candidates and what speaks for them; placing, splitting, taking back."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.approvals import ApprovalError
from nuan.operations.open_bills import open_of_homes
from nuan.operations.payment_queue import REASONS_ZH, PlacingError, candidates, place, place_oldest_first, take_back
from nuan.operations.workbooks import Fen
from nuan.records.billing.channels.cell_values import UnreadableMoneyError, fen_of
from nuan.records.billing.channels.profile import channel_names, profile
from nuan.records.billing.matching import DOUBTS, Part
from nuan.records.billing.models import Allocation, Bill, Payment
from nuan.records.registry.models import Home
from nuan.web.guard import Visit
from nuan.web.masking import known_in, without_persons
from nuan.web.tables import table_answer
from nuan.web.views.payment_returns import do_return, done_words, returns_of, waiting_returns
from nuan.web.wording import pick, said_by, say

PAGE = 50
CHECKED = {
    "place": "已核销。",
    "credit": "已存入住户余额。",
    "oldest": "已从最早的账单起核销。",
    "undo": "已撤销,款项回到队列。",
}


def _queue(request: Visit) -> QuerySet[Payment]:
    rows = Payment.objects.filter(company=request.scope.code)
    if request.GET.get("all") != "1":
        rows = rows.filter(open_fen__gt=0)
    for key in ("doubt", "channel"):
        if value := request.GET.get(key):
            rows = rows.filter(**{key: value})
    return rows.select_related("home__building", "file").order_by("paid_at", "id")


def doubt_words(code: str) -> str:
    return pick(*DOUBTS[code]) if code in DOUBTS else code


def channel_label(name: str) -> str:
    return say(profile(name).label) if name in channel_names() else name


def _row(payment: Payment) -> dict[str, Any]:
    return {"payment": payment, "doubt": doubt_words(payment.doubt), "channel": channel_label(payment.channel)}


def payment_queue(request: Visit) -> HttpResponse:
    pages = Paginator(_queue(request), PAGE).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "rows": [_row(each) for each in pages],
        "doubts": [(code, pick(*words)) for code, words in DOUBTS.items()],
        "channels": [(name, channel_label(name)) for name in channel_names()],
        "returns": waiting_returns(request),
    }
    return render(request, "web/money/payment_queue.html", context)


def payment_queue_table(request: Visit, form: str) -> HttpResponseBase:
    """What is written on a payment may name a door, a phone or a person; in a file that leaves the house all are masked."""
    rows = list(_queue(request)[:20_000])
    homes, names = known_in({text for each in rows for text in each.references})
    heads = ["渠道", "渠道流水号", "付款时间", "金额(元)", "未核销(元)", "为什么要人看", "写的内容", "付款人"]
    lines = (
        [
            channel_label(each.channel), each.txn_id, timezone.localtime(each.paid_at).strftime("%Y-%m-%d %H:%M"), Fen(each.amount_fen),
            Fen(each.open_fen), doubt_words(each.doubt), without_persons(" / ".join(each.references), homes, names), each.payer,
        ]
        for each in rows
    )  # fmt: skip
    return table_answer(form, "payments", "收款", heads, lines)


def payment(request: Visit, pk: int) -> HttpResponse:
    """One payment: what it is, where it may belong, what has been done with it."""
    found = get_object_or_404(
        Payment.objects.select_related("home__building", "file"), pk=pk, company=request.scope.code
    )
    error = ""
    if request.method == "POST":
        error = _do(request, found)
        if not error:
            stays = request.POST.get("act", "").startswith(("undo", "return"))
            return redirect("payment", pk=pk) if stays else redirect("payment_queue")
        found.refresh_from_db()
    rows = found.allocations.select_related("home__building", "bill", "entry", "undone_by").order_by("id")
    context = {
        **_row(found),
        "candidates": _candidates(found),
        "allocations": rows,
        "asked": _asked(request, found),
        "error": error,
        **returns_of(request, found),
    }
    return render(request, "web/money/payment.html", context, status=422 if error else 200)


def _candidates(found: Payment) -> list[dict[str, Any]]:
    if not found.open_fen:
        return []
    return [
        {"bill": each.bill, "home": each.home, "reasons": [say(REASONS_ZH[reason]) for reason in each.reasons], "suggested": min(each.bill.open_fen, found.open_fen)}
        for each in candidates(found)
    ]  # fmt: skip


def _asked(request: Visit, found: Payment) -> dict[str, Any] | None:
    """The home or bill that somebody looks for by its number, with what is open there."""
    words = (request.GET.get("find") or "").strip()
    if not words:
        return None
    homes = Home.objects.filter(company=found.company_id).select_related("building")
    bill = Bill.objects.filter(company=found.company_id, number__iexact=words).first()
    home = homes.filter(pk=bill.home_id).first() if bill else homes.filter(code__iexact=words).first()
    if home is None:
        return {"home": None, "words": words}
    return {"home": home, "bills": [each for each in open_of_homes([home.pk]) if each.open_fen > 0], "words": words}


def _do(request: Visit, found: Payment) -> str:
    what, why = request.POST.get("act", ""), request.POST.get("why", "")[:200]
    actor, today = request.user.username, timezone.localdate()
    try:
        if what == "place":
            place(found.pk, _parts(request), actor=actor, today=today, why=why)
        elif what == "credit":
            home = _home(request, found)
            place(found.pk, [Part(home.pk, None, found.open_fen, "person")], actor=actor, today=today, why=why)
        elif what == "oldest":
            place_oldest_first(found.pk, _home(request, found).pk, actor=actor, today=today, why=why)
        elif what == "undo":
            placed = get_object_or_404(Allocation, pk=_number(request, "allocation"), payment=found)
            take_back(placed.pk, actor=actor, today=today, why=why)
        elif what.startswith("return"):
            do_return(request, found, what, why)
        else:
            raise Http404
    except (PlacingError, ApprovalError, UnreadableMoneyError) as error:
        return said_by(error)
    messages.success(request, say(CHECKED[what]) if what in CHECKED else done_words(what))
    return ""


def _number(request: Visit, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _home(request: Visit, found: Payment) -> Home:
    return get_object_or_404(Home, pk=_number(request, "home"), company=found.company_id)


def _parts(request: Visit) -> list[Part]:
    """`fen-<bill>` fields in yuan; an empty one is not meant."""
    parts: list[Part] = []
    for name, text in request.POST.items():
        if name.startswith("fen-") and name[4:].isdecimal() and text.strip():
            bill = get_object_or_404(Bill, pk=int(name[4:]))
            parts.append(Part(bill.home_id, bill.pk, fen_of(text), "person"))
    return parts
