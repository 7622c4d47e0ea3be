"""政府欠账: debts to companies by kind and age, their settlement plans kept or broken, and the page of one debt."""

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from nuan.operations.support_arrears import agree_settlement_plan, outstanding_fen, settle_debt
from nuan.operations.support_reports import DebtRow, ageing, debt_rows
from nuan.policies.support.arrears import AGES
from nuan.records.accounts.visibility import REFUND_DESK
from nuan.records.billing.models import Entry
from nuan.records.support.models import FundingSource, GovernmentDebt
from nuan.web.forms import AnswerError, actor_of, attempt, day_of, fen_of, needed
from nuan.web.guard import Visit
from nuan.web.stand_day import season_asked, stand_day
from nuan.web.support_files import DEBTS
from nuan.web.support_words import AGE_WORDS, DEBT_STATES, INSTALMENT_STATES
from nuan.web.views.support import BUREAUS, facts_seen
from nuan.web.wording import say

PAGE = 25
MOST_INSTALMENTS = 6


def debts_seen(request: Visit) -> Any:
    return request.scope.of_places(GovernmentDebt.objects.select_related("banner", "company"))


def _rows(request: Visit, season: str, day: date) -> list[DebtRow]:
    facts, book = facts_seen(request, season, day, DEBTS)
    return debt_rows(facts, book, day)


def arrears(request: Visit) -> HttpResponse:
    season, day = season_asked(request), stand_day(request)
    context: dict[str, Any] = {
        "season": season,
        "day": day,
        "states": DEBT_STATES,
        "kinds": GovernmentDebt.Kind.choices,
    }
    if season:
        everything = _rows(request, season, day)
        debts = {debt.code: debt for debt in debts_seen(request)}
        wanted = {name: request.GET.get(name, "") for name in ("banner", "company", "kind", "state")}
        chosen = [
            row
            for row in everything
            if (not wanted["banner"] or row.banner == wanted["banner"])
            and (not wanted["company"] or row.company == wanted["company"])
            and (not wanted["kind"] or row.stands.kind == wanted["kind"])
            and (not wanted["state"] or row.stands.state == wanted["state"])
        ]
        pages = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
        table = ageing(everything)
        context |= {
            "pages": pages,
            "rows": [(row, debts[row.stands.debt], DEBT_STATES[row.stands.state], AGE_WORDS[row.age]) for row in pages],
            "ages": [zh for _, _, zh, _ in AGES],
            "ageing": [
                (label, [(age[2], table.get(kind, {}).get(age[0])) for age in AGES], sum(table.get(kind, {}).values()))
                for kind, label in GovernmentDebt.Kind.choices
            ],
            "owed_fen": sum(row.stands.outstanding_fen for row in everything),
            "late_fen": sum(row.stands.late_fen for row in everything),
            "broken": sum(row.stands.state in {"plan_broken", "unsettled"} for row in everything),
            "banners": request.scope.banners().order_by("code"),
            "companies": request.scope.companies().order_by("code"),
        }
    return render(request, "web/arrears.html", context)


def debt(request: Visit, pk: int) -> HttpResponse:
    found = get_object_or_404(debts_seen(request), pk=pk)
    if request.method == "POST":
        if request.role not in BUREAUS:
            raise Http404
        attempt(request, (lambda: _plan(request, found)) if "plan" in request.POST else (lambda: _pay(request, found)))
        return redirect("debt", pk=found.pk)
    season, day = season_asked(request), stand_day(request)
    row = (
        next((each for each in _rows(request, season, day) if each.stands.debt == found.code), None) if season else None
    )
    plan = found.plans.filter(agreed_on__lte=day).order_by("-id").first()
    states = {each.number: each for each in row.kept} if row else {}
    context = {
        "found": found,
        "row": row,
        "state": DEBT_STATES[row.stands.state] if row else None,
        "age": AGE_WORDS[row.age] if row else "",
        "day": day,
        "plan": plan,
        "parts": [
            (part, states.get(part.number), INSTALMENT_STATES[states[part.number].state] if part.number in states else None)
            for part in (plan.instalments.all() if plan else [])
        ],
        "older": found.plans.count() - (plan is not None),
        "payments": found.payments.select_related("paid_from__source").order_by("-on", "-id"),
        "outstanding": outstanding_fen(found),
        "sources": FundingSource.objects.filter(banner=found.banner_id).order_by("code"),
        "may_write": request.role in BUREAUS,
        "entries": _entries(request, found),
        "numbers": range(1, MOST_INSTALMENTS + 1),
        "today": stand_day(request),
    }  # fmt: skip
    return render(request, "web/debt.html", context)


def _entries(request: Visit, found: GovernmentDebt) -> list[Entry]:
    """The entries of the company's books about a debt, for those who may look into them."""
    if request.role not in REFUND_DESK:
        return []
    keys = [f"debt_payment:{code}" for code in found.payments.values_list("code", flat=True)]
    own = Q(key__startswith=f"government_debt:{found.code}:") | Q(key__in=keys)
    return list(Entry.objects.filter(own, company=found.company_id).order_by("id"))


def _pay(request: Visit, found: GovernmentDebt) -> object:
    source = None
    if request.POST.get("source"):
        source = FundingSource.objects.filter(banner=found.banner_id, pk=request.POST["source"]).first()
        if source is None:
            raise AnswerError(say("没有这个资金来源。"))
    return settle_debt(
        code=needed(request, "code", say("编号")),
        debt=found,
        amount_fen=fen_of(request.POST.get("amount", "")),
        on=day_of(request.POST.get("on", "")),
        reference=request.POST.get("reference", "")[:80],
        actor=actor_of(request),
        source=source,
    )


def _plan(request: Visit, found: GovernmentDebt) -> object:
    parts = []
    for number in range(1, MOST_INSTALMENTS + 1):
        day, amount = request.POST.get(f"due_{number}", ""), request.POST.get(f"amount_{number}", "")
        if day or amount:
            parts.append((day_of(day), fen_of(amount)))
    if not parts:
        raise AnswerError(say("请至少写一期。"))
    return agree_settlement_plan(
        debt=found,
        agreed_on=day_of(request.POST.get("agreed_on", "")),
        signed_by=needed(request, "signed_by", say("签署")),
        document=request.POST.get("document", "")[:120],
        parts=parts,
        actor=actor_of(request),
    )
