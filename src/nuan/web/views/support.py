"""保障资金: the overview of the money around heating, and its lists as workbooks."""

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from django.db.models import Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render

from nuan.operations.support_reports import books, bounded, debt_rows, registered_twice, subsidy_rows, subsidy_sums
from nuan.records.accounts.models import Role
from nuan.records.supervision.models import CurrentJudgement
from nuan.records.support.models import FundApplication, FundMovement, Repair
from nuan.web.guard import Visit
from nuan.web.journal import judgement_rows
from nuan.web.stand_day import season_asked, stand_day
from nuan.web.support_files import DEBTS, FILES
from nuan.web.tables import xlsx_answer

CLAUSES = ("2.7.3", "2.7.4", "2.7.5", "3.1", "3.2")
BUREAUS = frozenset({Role.BANNER, Role.CITY})


def sight(request: Visit) -> tuple[list[str] | None, str | None]:
    """(banners, company) that the visitor sees; None where nothing bounds them."""
    if request.scope.kind == "city":
        return None, None
    if request.scope.kind == "banner":
        return [request.scope.code], None
    return None, request.scope.code


def may_write(request: Visit) -> bool:
    """The bureaus write about their banners; a company's finance writes about its own repairs and applications only."""
    return request.role in BUREAUS


def facts_seen(request: Visit, season: str, day: date, only: Collection[str]) -> tuple[dict[str, Any], Any]:
    """The named fact tables as far as the visitor sees, and a book of the season."""
    _, facts, made = books(season, day, only)
    book = next(iter(made.values()))
    seen = bounded(facts, *sight(request))
    return seen, type(book)(book.season, book.as_of_s, seen)


def support(request: Visit) -> HttpResponse:
    season, day = season_asked(request), stand_day(request)
    judged = request.scope.judgements(CurrentJudgement.objects.filter(clause__in=CLAUSES))
    context: dict[str, Any] = {
        "season": season,
        "day": day,
        "judgements": judgement_rows(judged.filter(verdict="breached")),
    }
    if season:
        facts, book = facts_seen(request, season, day, (*DEBTS, "subsidy"))
        debts = debt_rows(facts, book, day)
        context["owed_fen"] = sum(row.stands.outstanding_fen for row in debts)
        context["late_fen"] = sum(row.stands.late_fen for row in debts)
        if request.role in BUREAUS:
            sums = subsidy_sums(subsidy_rows(facts["subsidy"], day))
            context["overdue_fen"] = sum(each.overdue_fen for each in sums)
            context["overdue_homes"] = sum(each.overdue_homes for each in sums)
            context["doubles"] = len(registered_twice(set(facts["subsidy"]["home"])))
    movements = request.scope.of_places(
        FundMovement.objects.all(), banner="account__banner_id", company="application__company_id"
    )
    context["fund_fen"] = movements.aggregate(sum=Sum("amount_fen"))["sum"] if request.role in BUREAUS else None
    waiting = request.scope.of_places(FundApplication.objects.all(), banner="account__banner_id").filter(
        eligibility="eligible"
    )
    context["applications"] = waiting.filter(movements=None).exclude(decisions__answer="refused").distinct().count()
    repairs = request.scope.of_places(Repair.objects.all(), banner="asset__banner_id", company="asset__company_id")
    context["repairs"] = repairs.filter(reverses=None, reversed_by=None).count()
    return render(request, "web/support.html", context)


def support_xlsx(request: Visit, kind: str) -> HttpResponse:
    """One list as a workbook: money summed by formulas, homes masked, what lies outside the visitor's sight left out."""
    made: tuple[Callable[..., Any], frozenset[str]] | None = FILES.get(kind)
    if made is None or request.role not in made[1]:
        raise Http404
    season, day = season_asked(request), stand_day(request)
    if not season:
        raise Http404
    return xlsx_answer(f"{kind}-{season}", made[0](season, day, *sight(request)))
