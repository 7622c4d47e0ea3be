"""The ledger: accounts with their balances, entries, one entry with the clause, the bill and the evidence behind it."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from nuan.records.billing.models import Account, Allocation, Bill, Entry, LedgerDay, LedgerPeriod, Posting, RefundItem
from nuan.records.support.models import GovernmentDebt
from nuan.web.clause_words import words_of
from nuan.web.guard import Visit
from nuan.web.tables import table_answer
from nuan.web.wording import say

PAGE = 50
KINDS = {"asset": "资产", "liability": "负债", "income": "收入", "expense": "费用", "equity": "权益"}
ENTRY_WORDS = {
    "bill": "账单", "adjustment": "调整单", "cancellation": "冲销单", "late_fee": "违约金单", "payment": "收款", "allocation": "核销",
    "refund": "退费", "payout": "退费付款", "reversal": "冲销", "payment_fee": "手续费", "channel_refund": "平台退款", "payment_return": "原路退回", "refund_interest": "滞退金", "government_debt": "政府欠账", "debt_payment": "政府欠账偿还", "subsidy": "应付取暖补贴", "subsidy_overdue": "取暖补贴逾期",
    "subsidy_payment": "补贴拨付", "refund_setoff": "抵扣多退的热费", "cash_difference": "现金长短款",
}  # fmt: skip


def ledger(request: Visit) -> HttpResponse:
    """Accounts by company and number; those kept home by home come as one line with how many there are."""
    rows = (
        request.scope.books(Posting.objects.all(), "account__company_id")
        .values("account__company_id", "account__kind", "account__name")
        .annotate(fen=Sum("amount_fen"), accounts=Count("account", distinct=True))
        .order_by("account__company_id", "account__kind", "account__name")
    )
    ours = request.scope.books(Account.objects.filter(home=None)).values_list("company_id", "name", "id", "code")
    single = {(company, name): (pk, code) for company, name, pk, code in ours}
    lines = [
        {
            "company": row["account__company_id"], "kind": KINDS[row["account__kind"]], "name": row["account__name"], "fen": row["fen"],
            "accounts": row["accounts"], "own": single.get((row["account__company_id"], row["account__name"])),
        }
        for row in rows
    ]  # fmt: skip
    context = {
        "lines": lines,
        "total_fen": sum(line["fen"] for line in lines),
        "days": LedgerDay.objects.order_by("-day")[:7],
        "periods": request.scope.books(LedgerPeriod.objects.all()).order_by("-period", "company_id")[:12],
    }
    return render(request, "web/money/ledger.html", context)


def ledger_account(request: Visit, pk: int) -> HttpResponse:
    account = get_object_or_404(request.scope.books(Account.objects.select_related("home__building", "company")), pk=pk)
    legs = Posting.objects.filter(account=account).select_related("entry").order_by("-entry__on", "-id")
    balance = legs.aggregate(fen=Sum("amount_fen"))["fen"] or 0
    pages = Paginator(legs, PAGE).get_page(request.GET.get("page"))
    rows = [{"leg": leg, "kind": ENTRY_WORDS.get(leg.entry.kind, leg.entry.kind)} for leg in pages]
    context = {"account": account, "kind": KINDS[account.kind], "balance_fen": balance, "pages": pages, "rows": rows}
    return render(request, "web/money/ledger_account.html", context)


def entry_rows(request: Visit) -> QuerySet[Entry]:
    rows = request.scope.books(Entry.objects.all())
    for key in ("kind", "period", "clause"):
        if value := request.GET.get(key):
            rows = rows.filter(**{key: value})
    if company := request.GET.get("company"):
        rows = rows.filter(company_id=company)
    if key := request.GET.get("key", "").strip():
        rows = rows.filter(key__startswith=key)
    return rows.select_related("company").order_by("-id")


def ledger_entries(request: Visit) -> HttpResponse:
    pages = Paginator(entry_rows(request), PAGE).get_page(request.GET.get("page"))
    sums = {
        row["entry_id"]: row["fen"]
        for row in Posting.objects.filter(entry_id__in=[each.pk for each in pages], amount_fen__gt=0)
        .values("entry_id")
        .annotate(fen=Sum("amount_fen"))
    }
    context = {
        "pages": pages,
        "rows": [
            {"entry": each, "kind": ENTRY_WORDS.get(each.kind, each.kind), "fen": sums.get(each.pk)} for each in pages
        ],
        "kinds": ENTRY_WORDS.items(),
        "companies": request.scope.companies().order_by("code"),
    }
    return render(request, "web/money/ledger_entries.html", context)


def ledger_entries_table(request: Visit, form: str) -> HttpResponseBase:
    """Entries as a file; keys of bills are their numbers, other keys may hold a home's code and are left out."""
    heads = ["凭证", "企业", "类型", "条款", "日期", "期间", "记账时间", "记账人"]
    lines = (
        [
            row.key if row.kind in {"bill", "adjustment", "cancellation", "late_fee"} else row.pk, row.company.name,
            say(ENTRY_WORDS.get(row.kind, row.kind)), row.clause, row.on, row.period, timezone.localtime(row.recorded_at).strftime("%Y-%m-%d %H:%M:%S"),
            row.created_by,
        ]
        for row in entry_rows(request).iterator(chunk_size=2000)
    )  # fmt: skip
    return table_answer(form, "entries", "凭证", heads, lines)


def ledger_entry(request: Visit, pk: int) -> HttpResponse:
    entry = get_object_or_404(request.scope.books(Entry.objects.select_related("company", "reverses")), pk=pk)
    legs = list(entry.postings.select_related("account__home__building").order_by("-amount_fen", "id"))
    item = RefundItem.objects.filter(entry=entry).first()
    context: dict[str, Any] = {
        "entry": entry,
        "kind": ENTRY_WORDS.get(entry.kind, entry.kind),
        "legs": legs,
        "clause": words_of(entry.clause) if entry.clause else None,
        "bill": Bill.objects.filter(entry=entry).first(),
        "item": item,
        "allocation": Allocation.objects.filter(entry=entry).select_related("bill").first(),
        "reversed_by": Entry.objects.filter(reverses=entry).first(),
        "debt": GovernmentDebt.objects.filter(code=entry.details.get("subject")).first()
        if entry.clause == "3.2"
        else None,
        "sealed": LedgerDay.objects.filter(day=entry.recorded_on).first(),
    }
    return render(request, "web/money/ledger_entry.html", context)
