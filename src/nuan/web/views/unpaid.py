"""未付账单: open bills of the company, the most overdue first; a file of them without doors."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.open_bills import AGES
from nuan.operations.unpaid_bills import Shown, UnpaidBill, unpaid_bills, with_records
from nuan.operations.workbooks import Fen
from nuan.policies.dunning.steps import CHANNELS
from nuan.web.guard import Visit
from nuan.web.journal import masked
from nuan.web.tables import table_answer
from nuan.web.wording import pick, say

PAGE = 50
CHUNK = 2000
STATES = {
    "overdue": ("red", "逾期"),
    "waiting": ("grey", "未到期"),
    "held": ("amber", "争议中,不催"),
    "unstated": ("grey", "截止日未载明"),
}
ORDERS = {"latest": "逾期久的在前", "largest": "金额大的在前", "oldest": "出账早的在前"}


def _rows(request: Visit) -> list[UnpaidBill]:
    age = request.GET.get("age", "")
    return unpaid_bills(
        request.scope.code, timezone.localdate(), age=int(age) if age.isdecimal() and len(age) < 3 else None,
        state=request.GET.get("state", ""), place=request.GET.get("place", "").strip()[:60], order=request.GET.get("sort", ""),
    )  # fmt: skip


def age_words(place: int) -> str:
    first, last = AGES[place]
    return say("{a} 天以上", a=first) if last is None else say("{a} 到 {b} 天", a=first, b=last)


def _step(shown: Shown) -> str:
    return pick(*CHANNELS[shown.step.channel]) if shown.step else ""


def unpaid(request: Visit) -> HttpResponse:
    rows = _rows(request)
    pages = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "pages": pages,
        "rows": [{"shown": each, "state": STATES[each.row.state], "step": _step(each)} for each in with_records(list(pages))],
        "open_fen": sum(row.open_fen for row in rows),
        "late_fen": sum(row.open_fen for row in rows if row.state == "overdue"),
        "ages": [(str(place), age_words(place)) for place in range(len(AGES))],
        "states": STATES.items(),
        "orders": ORDERS.items(),
    }  # fmt: skip
    return render(request, "web/money/unpaid.html", context)


def unpaid_table(request: Visit, form: str) -> HttpResponseBase:
    heads = [
        "编号",
        "户(隐去门牌)",
        "采暖季",
        "出账日",
        "交费截止",
        "未付(元)",
        "逾期(天)",
        "状态",
        "最近一次催缴",
        "催缴日",
    ]
    return table_answer(form, "unpaid-bills", "未付账单", heads, _lines(_rows(request)))


def _lines(rows: list[UnpaidBill]) -> Iterator[list[object]]:
    for start in range(0, len(rows), CHUNK):
        for each in with_records(rows[start : start + CHUNK]):
            bill, made = each.bill, each.step.made_at if each.step else None
            yield [
                bill.number, masked(bill.home), bill.season, bill.issued_on, bill.due_on, Fen(each.row.open_fen), each.row.late,
                say(STATES[each.row.state][1]), _step(each), timezone.localtime(made).date() if made else None,
            ]  # fmt: skip
