"""像是接错了或换过表: what stands first on the page 数据质量, and the form by which a dispatcher puts one away with a reason."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from nuan.operations.place_names import names_of
from nuan.operations.quality_suggestions import SuggestionError, dismiss_suggestion
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.monitoring.models import Suggestion
from nuan.web.forms import actor_of, refused
from nuan.web.guard import Visit
from nuan.web.wording import pick, say

PAGE = 20
LAST_DISMISSED = 10


@dataclass(frozen=True)
class Shown:
    """A suggestion in the language of the page; of a home without its door."""

    row: Suggestion
    name: str
    code: str
    evidence: str
    remedy: str


def _shown(rows: list[Suggestion]) -> list[Shown]:
    names = names_of({(row.level, row.place) for row in rows})
    return [
        Shown(
            row, names[row.level, row.place],
            f"{row.place.rpartition('-')[0]}-••" if row.level == "home" and "-" in row.place else row.place,
            pick(row.evidence_zh, row.evidence_en), pick(row.remedy_zh, row.remedy_en),
        )
        for row in rows
    ]  # fmt: skip


def suggested(request: Visit) -> dict[str, object]:
    """What the template `suggestions.html` needs."""
    rows = request.scope.placed(Suggestion.objects.all())
    pages: Page[Suggestion] = Paginator(
        rows.filter(state=Suggestion.State.OPEN).order_by("-since", "place", "pk"), PAGE
    ).get_page(request.GET.get("page"))
    dismissed = rows.filter(state=Suggestion.State.DISMISSED).order_by("-dismissed_at")[:LAST_DISMISSED]
    return {
        "pages": pages,
        "suggestions": _shown(list(pages)),
        "dismissed": _shown(list(dismissed)),
        "may_dismiss": request.role in MAY_OPEN["suggestion_dismiss"],
    }


def suggestion_dismiss(request: Visit, pk: int) -> HttpResponse:
    if request.method != "POST":
        raise Http404
    row = get_object_or_404(request.scope.placed(Suggestion.objects.all()), pk=pk)
    try:
        done = dismiss_suggestion(
            row.pk, actor=actor_of(request), why=request.POST.get("why", ""), now=timezone.now()
        )  # fmt: skip
    except SuggestionError as error:
        refused(request, error)
    else:
        messages.success(request, say("已排除;证据不变就不再提示。") if done else say("已经排除过了。"))
    return redirect("quality")
