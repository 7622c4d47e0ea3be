"""A clause: its words, its numbers at a date, its open points and who signed, its judgements and its cases."""

from datetime import date
from importlib.resources import files
from typing import Any

import yaml
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from nuan.policies import catalogue
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.registry.models import Banner, Company
from nuan.records.supervision.models import CurrentJudgement, Judgement
from nuan.rules.clause import Clause
from nuan.web.clause_words import clause_or_404, context_of, pack_title
from nuan.web.context import latest_run
from nuan.web.guard import Visit
from nuan.web.journal import rows_of
from nuan.web.tables import csv_answer, sorted_by
from nuan.web.working import working_of

PAGE = 40
ON_THE_NETWORK = {"2.5.4", "2.6.1"}
SORTS = {"newest": "-judgement_id", "amount": "-amount_fen", "subject": "subject"}


def _current(request: Visit, key: str) -> QuerySet[CurrentJudgement]:
    rows = request.scope.judgements(CurrentJudgement.objects.filter(clause=key))
    if verdict := request.GET.get("verdict"):
        rows = rows.filter(verdict=verdict)
    if banner := request.GET.get("banner"):
        rows = rows.filter(banner_code=banner)
    if company := request.GET.get("company"):
        rows = rows.filter(company_code=company)
    order = sorted_by(request, SORTS, "newest")
    if order == "-amount_fen":
        rows = rows.filter(amount_fen__gt=0)
    return rows.select_related("judgement").order_by(order, "id")


def _day_asked(request: Visit) -> date:
    """`?at=2026-01-15`; without it, or with something else, the day up to which was judged."""
    try:
        return date.fromisoformat(request.GET.get("at", ""))
    except ValueError:
        run = latest_run()
        return run.as_of.date() if run else timezone.localdate()


def _cases(found: Clause) -> list[dict[str, Any]]:
    """The situations that the rule is tested with, as they stand beside it."""
    path = files("nuan.policies.directive") / found.folder / "cases.yaml"
    if not path.is_file():
        return []
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows = content.get("cases", []) if isinstance(content, dict) else content
    return [
        row
        | {
            "title": row.get("title") or row.get("name") or row.get("id"),
            "as_text": yaml.safe_dump(row, allow_unicode=True, sort_keys=False),
        }
        for row in rows or []
    ]


def clause(request: Visit, key: str) -> HttpResponse:
    found = clause_or_404(key)
    applies = Banner.objects.order_by("code").values_list("pack", flat=True).first() or "directive"
    pack = request.GET.get("pack", applies)
    context = context_of(found, pack if pack in catalogue.packs() else applies, _day_asked(request))
    context |= {"sort": request.GET.get("sort", "newest"), "cases": _cases(found)}
    context["leads_to_network"] = key in ON_THE_NETWORK and request.role in MAY_OPEN["networks"]
    if request.scope.kind != "nothing":
        pages = Paginator(_current(request, key), PAGE).get_page(request.GET.get("page"))
        context |= {
            "pages": pages,
            "rows": rows_of([row.judgement for row in pages]),
            "banners": request.scope.banners().order_by("code"),
            "companies": request.scope.companies().order_by("code"),
        }
    return render(request, "web/clause.html", context)


def clause_csv(request: Visit, key: str) -> HttpResponse:
    """The filtered judgements as a file; homes by building and floor only."""
    clause_or_404(key)
    chosen = list(_current(request, key)[:20_000])
    names = dict(Banner.objects.values_list("code", "name")) | dict(Company.objects.values_list("code", "name"))
    heads = ["条款", "对象", "起", "止", "结论", "原因", "数值", "标准", "金额(元)", "企业", "旗区", "分支", "规则包"]
    rows = rows_of([row.judgement for row in chosen])
    lines = (
        [
            key,
            row.subject,
            row.start.strftime("%Y-%m-%d %H:%M"),
            row.end.strftime("%Y-%m-%d %H:%M"),
            stored.judgement.get_verdict_display(),
            row.why,
            row.figure,
            row.threshold,
            None if row.amount_fen is None else f"{row.amount_fen / 100:.2f}",
            names.get(stored.company_code, ""),
            names.get(stored.banner_code, ""),
            row.branch,
            row.pack,
        ]
        for row, stored in zip(rows, chosen, strict=True)
    )
    return csv_answer(f"clause-{key}.csv", heads, lines)


def _has_siblings(found: Judgement) -> bool:
    """Whether the subject has further judgements under the clause that the same working settles together (outages of a season)."""
    rows = CurrentJudgement.objects.filter(
        clause=found.clause, subject_level=found.subject_level, subject=found.subject
    )
    return found.amount_fen is not None and rows.count() > 1


def judgement(request: Visit, pk: int) -> HttpResponse:
    """One judgement with its working; htmx asks for the working alone."""
    found = get_object_or_404(request.scope.judgements(Judgement.objects.select_related("run")), pk=pk)
    alone = bool(request.headers.get("HX-Request"))
    template = "web/working.html" if alone else "web/judgement.html"
    # the rooms of a station are thousands of series: the page does not wait for their working
    later = found.subject_level == "substation" and not alone and "working" not in request.GET
    newer = CurrentJudgement.objects.filter(judgement=found).exists()
    context = {
        "judgement": found,
        "row": rows_of([found])[0],
        "working": None if later else working_of(found),
        "later": later,
    }
    context["is_current"] = newer
    context |= {"pack_title": pack_title(found.pack), "is_one_of_several": _has_siblings(found)}
    return render(request, template, context)
