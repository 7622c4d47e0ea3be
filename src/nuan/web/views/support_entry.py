"""Forms for the records of 保障资金: one page for every kind, made from the columns of its table; looked at, then written."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from nuan.operations.registry_shapes import Field
from nuan.operations.registry_tables import TABLES
from nuan.operations.support_entry import (
    ENTRIES,
    PRIVATE,
    Looked,
    NotLookedAtError,
    ReasonNeededError,
    enter,
    look,
    may_write,
    seen_rows,
    values_of,
    versions_of,
)
from nuan.operations.support_tables import CATEGORIES
from nuan.records.support.models.subsidies import Category
from nuan.terms.findings import Finding, FindingsError
from nuan.web.forms import actor_of
from nuan.web.guard import Visit
from nuan.web.stand_day import stand_day
from nuan.web.wording import in_english, said_by, say

PAGE = 25
BACK = {
    "assets": "repairs", "fund_accounts": "maintenance_funds", "beneficiaries": "subsidies", "subsidy_programmes": "subsidies",
    "debts": "arrears", "funding": "funding",
}  # fmt: skip
HERE = {
    "repairs": "repairs",
    "maintenance_funds": "funds",
    "subsidies": "subsidies",
    "arrears": "arrears",
    "funding": "funding",
}
LABELS = {
    "amount_yuan": "金额(元)",
    "committed_yuan": "承诺(元)",
    "cap_yuan": "每户最多(元)",
    "recorded_on": "登记日",
    "share_percent": "比例(%)",
}


def support_entry(request: Visit, kind: str) -> HttpResponse:
    if not may_write(kind, request.role):
        raise Http404
    looked: Looked | None = None
    error = ""
    if request.method == "POST":
        given = _given(request, kind)
        if request.POST.get("step") == "save":
            try:
                enter(
                    kind, given, request.scope, seen=request.POST.get("seen", ""), why=request.POST.get("why", ""), actor=actor_of(request)
                )  # fmt: skip
            except (NotLookedAtError, ReasonNeededError) as refused:
                error = said_by(refused)
            except FindingsError:
                error = say("还有要改的,见下面。")
            else:
                messages.success(request, say("已登记。"))
                return redirect("support_entry", kind=kind)
        looked = look(kind, given, request.scope)
    context = _context(request, kind, looked) | {"error": error}
    return render(
        request, "web/support_entry.html", context, status=422 if error or (looked and not looked.ok) else 200
    )


def _given(request: Visit, kind: str) -> dict[str, str]:
    given = {each.name: str(request.POST.get(each.name, "")) for each in TABLES[kind].fields}
    if "categories" in given:
        given["categories"] = "、".join(each for each in request.POST.getlist("categories") if each in CATEGORIES)
    return given


def _context(request: Visit, kind: str, looked: Looked | None) -> dict[str, Any]:
    table, entry = TABLES[kind], ENTRIES[kind]
    rows = seen_rows(kind, request.scope)
    changed = None
    if looked is None and (asked := request.GET.get("of", "")):
        changed = get_object_or_404(rows, pk=int(asked) if asked.isdecimal() and len(asked) < 19 else 0)
    values = (
        looked.values
        if looked
        else values_of(kind, changed)
        if changed
        else {each.name: str(each.default or "") for each in table.fields}
    )
    if changed is not None and entry.versions:
        values["recorded_on"] = stand_day(request).isoformat()
    code = changed.code if changed is not None else looked.values["code"] if looked and looked.before else ""
    if words := request.GET.get("q", "").strip()[:60]:
        rows = rows.filter(Q(code__icontains=words) | Q(**{f"{entry.named}__icontains": words}))
    pages = Paginator(rows.order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    wrong = {finding.field: _sentence(finding) for finding in (looked.findings if looked else [])}
    return {
        "kind": kind,
        "title": table.zh,
        "clause": entry.clause,
        "back": BACK[kind],
        "here": HERE[BACK[kind]],
        "is_change": bool(code),
        "fields": [_field(request, each, values.get(each.name, ""), bool(code), kind, wrong) for each in table.fields],
        "others": [words for column, words in wrong.items() if column not in {each.name for each in table.fields}],
        "looked": looked,
        "changes": [(label_of(table.field(name)), *pair) for name, pair in looked.changes.items()] if looked else [],
        "pages": pages,
        "rows": [_listed(kind, each) for each in pages],
        "versions": versions_of(kind, code) if code else [],
    }  # fmt: skip


def label_of(column: Field) -> str:
    return say(LABELS.get(column.name) or column.zh[0])


def _field(
    request: Visit, column: Field, value: str, is_change: bool, kind: str, wrong: dict[str | None, str]
) -> dict[str, Any]:
    """How one column is asked for: a choice, a day, an amount or words."""
    choices = _choices(request, column, kind)
    private = is_change and column.name in PRIVATE
    return {
        "name": column.name,
        "label": label_of(column),
        "value": "" if private else value,
        "private": private,
        "required": column.required and not private,
        "choices": choices,
        "several": column.name == "categories",
        "chosen": value.split("、") if column.name == "categories" else [value],
        "type": "date" if column.kind == "date" else "text",
        "is_number": column.kind == "decimal",
        "fixed": is_change and column.name == "code",
        "example": column.example,
        "wrong": wrong.get(column.name, ""),
    }


def _choices(request: Visit, column: Field, kind: str) -> list[tuple[str, str]]:
    if column.refers == "banners":
        return [(each.code, each.name) for each in request.scope.banners().order_by("code")]
    if column.refers == "companies":
        return [(each.code, each.name) for each in request.scope.companies().order_by("code")]
    if column.name == "categories":
        return [(key, say(str(label))) for key, label in Category.choices]
    if column.allowed:
        found = ENTRIES[kind].model._meta.get_field(column.name)
        return [(str(key), say(str(label))) for key, label in getattr(found, "choices", None) or ()]
    return []


def _listed(kind: str, row: Any) -> dict[str, Any]:
    """A record in the list: its code and what it is called; a beneficiary by what entitles it, never by its home."""
    named = row.get_category_display() if kind == "beneficiaries" else getattr(row, ENTRIES[kind].named)
    season = f" · {row.season} · {row.recorded_on}" if kind == "subsidy_programmes" else ""
    place = getattr(row, "banner", None)
    return {"pk": row.pk, "code": row.code, "named": f"{say(str(named))}{season}", "place": place.name if place else ""}


def _sentence(finding: Finding) -> str:
    return finding.message_en if in_english() else f"{finding.message_zh}。{finding.remedy_zh}"
