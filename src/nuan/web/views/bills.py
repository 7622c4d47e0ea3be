"""Bills: the list, one with its working, the PDF, and the page a resident sees of their own."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.approvals import ApprovalError
from nuan.operations.bill_changes import decide_change, waiting_change
from nuan.operations.bill_documents import DocumentError
from nuan.operations.bill_explaining import explain_bill
from nuan.operations.bill_pdf import FontMissingError, bill_pdf
from nuan.operations.ledger import NoGroundError
from nuan.operations.open_bills import open_of_homes
from nuan.operations.workbooks import Fen
from nuan.records.accounts.models import Role
from nuan.records.billing.models import Bill, StopHeatApplication
from nuan.web.guard import Visit
from nuan.web.tables import sorted_by, table_answer
from nuan.web.views.bill_acts import Answer, answer, forms_of
from nuan.web.views.stop_heat import STATES, state_of
from nuan.web.wording import said_by, say

PAGE = 50
SORTS = {"newest": "-id", "largest": "-total_fen", "smallest": "total_fen", "number": "seq"}
KIND_WORDS = {"bill": "账单", "adjustment": "调整单", "cancellation": "冲销单", "late_fee": "违约金单"}
WHOLE = ("home__building", "home__company", "company", "entry", "about", "run")


def bill_rows(request: Visit) -> QuerySet[Bill]:
    """The bills of the scope, filtered and sorted as the address asks."""
    rows = request.scope.bills(Bill.objects.all())
    for key, column in (
        ("season", "season"),
        ("kind", "kind"),
        ("company", "company_id"),
        ("run", "run_id"),
        ("home", "home_id"),
    ):
        value = request.GET.get(key, "")
        if value and (key not in {"run", "home"} or value.isdecimal()):
            rows = rows.filter(**{column: value})
    if number := request.GET.get("number", "").strip():
        rows = rows.filter(number__startswith=number)
    return rows.select_related("home__building", "company").order_by(sorted_by(request, SORTS, "newest"), "id")


def bills(request: Visit) -> HttpResponse:
    rows = bill_rows(request)
    context = {
        "pages": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "companies": request.scope.companies().order_by("code"),
        "kinds": KIND_WORDS.items(),
        "seasons": sorted(set(request.scope.bills(Bill.objects.all()).values_list("season", flat=True).distinct())),
        "sort": request.GET.get("sort", "newest"),
    }
    return render(request, "web/money/bills.html", context)


def bills_table(request: Visit, form: str) -> HttpResponseBase:
    """Number, building and money; no door and no name."""
    heads = ["编号", "单据", "采暖季", "企业", "楼栋", "出账日", "交费截止", "金额(元)"]
    lines = (
        [
            row.number, say(KIND_WORDS[row.kind]), row.season, row.company.name, row.home.building.name, row.issued_on, row.due_on,
            Fen(row.total_fen),
        ]
        for row in bill_rows(request).iterator(chunk_size=2000)
    )  # fmt: skip
    return table_answer(form, "bills", "账单", heads, lines)


def _whole(bill: Bill) -> Bill:
    """The bill that a document is about."""
    return bill.about if bill.about is not None else bill


def _money(bill: Bill) -> dict[str, Any]:
    """What is due by a bill with all that was written about it, and what of it is still open."""
    main = _whole(bill)
    due = main.total_fen + sum(main.documents.values_list("total_fen", flat=True))
    open_fen = {each.id: each.open_fen for each in open_of_homes([main.home_id])}.get(main.pk)
    return {"due_fen": due, "open_fen": open_fen, "paid_fen": None if open_fen is None else due - open_fen}


def _one(request: Visit, pk: int) -> Bill:
    return get_object_or_404(request.scope.bills(Bill.objects.select_related(*WHOLE)), pk=pk)


def _decided(request: Visit, found: Bill) -> Answer:
    """The other person's answer to a proposed adjustment or cancellation."""
    if request.role not in {Role.FINANCE, Role.CITY}:
        raise Http404
    approve, seen, why = (
        request.POST["act"] == "approve",
        request.POST.get("seen", ""),
        request.POST.get("why", "")[:200],
    )
    try:
        decide_change(found, by=request.user, seen_hash=seen, on=timezone.localdate(), approve=approve, why=why)
    except (ApprovalError, DocumentError, NoGroundError) as refused:
        return Answer(error=said_by(refused))
    messages.success(request, say("已同意。") if approve else say("已退回。"))
    return Answer(done=True)


def _waiting(request: Visit, found: Bill) -> dict[str, Any] | None:
    """What another person has to decide about a bill."""
    proposal = waiting_change(found)
    if proposal is None:
        return None
    lines = proposal.summary["lines"]
    return {
        "proposal": proposal,
        "fen": sum(fen for _, fen, _ in lines) if lines else None,
        "is_mine": proposal.proposed_by_id == request.user.pk,
    }


def bill(request: Visit, pk: int) -> HttpResponse:
    """One document with its working; finance of the company acts on it here."""
    found = _one(request, pk)
    main = _whole(found)
    came = Answer()
    if request.method == "POST":
        came = _decided(request, found) if request.POST.get("act") in {"approve", "reject"} else answer(request, found)
        if came.done:
            return redirect("bill", pk=found.pk)
    may_decide = request.role in {Role.FINANCE, Role.CITY} and found.kind == Bill.Kind.BILL
    context: dict[str, Any] = {
        "waiting": _waiting(request, found) if may_decide else None,
        "bill": found,
        "kind": KIND_WORDS[found.kind],
        "shown": explain_bill(found),
        "documents": [{"bill": each, "kind": KIND_WORDS[each.kind]} for each in main.documents.order_by("id")],
        "cancelled": main.documents.filter(kind=Bill.Kind.CANCELLATION).exists(),
        "is_resident": request.scope.kind == "home",
        "came": came,
        **_money(found),
        **forms_of(request, found),
    }
    return render(request, "web/money/bill.html", context, status=422 if came.error else 200)


def bill_file(request: Visit, pk: int) -> HttpResponse:
    """The PDF; where no Chinese font is installed the page says which one is missing."""
    found = _one(request, pk)
    demo = (settings.NUAN_HOME / "demo.json").is_file()
    try:
        content = bill_pdf(explain_bill(found), paid_fen=_money(found)["paid_fen"], demo=demo)
    except FontMissingError as error:
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    file = HttpResponse(content, content_type="application/pdf")
    file["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
    return file


def my_bills(request: Visit) -> HttpResponse:
    home = request.scope.homes().select_related("building", "company").first()
    if home is None:
        return render(request, "web/my_home_unknown.html")
    mine = Bill.objects.filter(home=home).order_by("-id")
    open_by = {each.id: each.open_fen for each in open_of_homes([home.pk])}
    rows = [
        {"bill": each, "kind": KIND_WORDS[each.kind], "open_fen": open_by.get(each.pk) if each.kind == "bill" else None}
        for each in mine
    ]
    applications = StopHeatApplication.objects.filter(home=home).order_by("-id")
    context = {
        "home": home,
        "rows": rows,
        "open_fen": sum(max(fen, 0) for fen in open_by.values()),
        "stops": [(each, STATES[state_of(each.accepted)]) for each in applications],
    }
    return render(request, "web/money/my_bills.html", context)
