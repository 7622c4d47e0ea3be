"""取暖补贴: payable, paid and overdue by banner, what needs somebody first; one beneficiary with payments and, for a reason, the evidence."""

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.support_facts import subsidy_facts
from nuan.operations.support_reports import SubsidyRow, end_of, registered_twice, subsidy_rows, subsidy_sums
from nuan.operations.support_subsidies import (
    masked,
    open_evidence,
    record_subsidy_payment,
    reverse_subsidy_payment,
)
from nuan.records.registry.models import Banner, Home
from nuan.records.support.models import Beneficiary, SubsidyPayment, SubsidyProgramme
from nuan.terms.places import day_date
from nuan.web.forms import actor_of, attempt, day_of, fen_of, needed
from nuan.web.guard import Visit
from nuan.web.journal import masked as masked_home
from nuan.web.stand_day import season_asked, stand_day
from nuan.web.support_words import SUBSIDY_STATES
from nuan.web.views.support import facts_seen
from nuan.web.wording import say

PAGE = 25


def subsidies(request: Visit) -> HttpResponse:
    season, day = season_asked(request), stand_day(request)
    context: dict[str, Any] = {"season": season, "day": day, "states": SUBSIDY_STATES}
    if season:
        facts, _ = facts_seen(request, season, day, ("subsidy",))
        everything = subsidy_rows(facts["subsidy"], day)
        names = dict(Banner.objects.values_list("code", "name"))
        banner, state = request.GET.get("banner", ""), request.GET.get("state", "")
        chosen = [
            row for row in everything if (not banner or row.banner == banner) and (not state or row.state == state)
        ]  # fmt: skip
        pages = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
        programmes = request.scope.of_places(SubsidyProgramme.objects.filter(season=season))
        context |= {
            "pages": pages,
            "rows": _named(list(pages), names),
            "sums": [(names.get(each.banner, each.banner), each) for each in subsidy_sums(everything)],
            "banners": request.scope.banners().order_by("code"),
            "doubles": len(registered_twice({row.home for row in everything})),
            "programmes": programmes.select_related("banner").order_by("banner_id", "code", "-recorded_on"),
        }
    return render(request, "web/subsidies.html", context)


def _named(rows: list[SubsidyRow], banners: dict[str, str]) -> list[dict[str, Any]]:
    """Rows with the masked name of the home and the beneficiary's own page."""
    homes = {h.code: h for h in Home.objects.filter(code__in=[row.home for row in rows]).select_related("building")}
    people = {
        b.home.code: b
        for b in Beneficiary.objects.filter(home__code__in=list(homes)).select_related("home").order_by("-pk")
    }
    return [
        {
            "row": row,
            "name": masked_home(homes[row.home]),
            "banner": banners.get(row.banner, row.banner),
            "beneficiary": people.get(row.home),
            "due": None if row.due_day is None else day_date(row.due_day),
            "state": SUBSIDY_STATES[row.state],
        }
        for row in rows
    ]


def beneficiary(request: Visit, pk: int) -> HttpResponse:
    """One entitled home. The number of the evidence is hidden until somebody says why they need it; that is written down."""
    rows = request.scope.of_homes(Beneficiary.objects.select_related("home__building", "home__banner", "home__company"))
    found = get_object_or_404(rows, pk=pk)
    season, day = season_asked(request), stand_day(request)
    shown = masked(found.evidence_ref)
    if request.method == "POST":
        if "open" in request.POST:
            seen: list[str] = []
            reason = str(request.POST.get("reason", ""))
            if attempt(request, lambda: seen.append(open_evidence(found, reason=reason, actor=actor_of(request)))):
                shown = seen[0]
        else:
            _write(request, found, season)
            return redirect("beneficiary", pk=found.pk)
    payments = SubsidyPayment.objects.filter(beneficiary__home=found.home).order_by("-on", "-id")
    context = {
        "found": found,
        "name": masked_home(found.home),
        "evidence": shown,
        "season": season,
        "day": day,
        "rows": own_subsidies(found.home, season, day),
        "payments": payments.select_related("reversed_by")[:100],
        "others": Beneficiary.objects.filter(home=found.home).exclude(pk=found.pk).count(),
        "today": stand_day(request),
    }
    return render(request, "web/beneficiary.html", context)


def own_subsidies(home: Home, season: str, day: date) -> list[dict[str, Any]]:
    """What each programme owes this one home, with its name; what the resident's own page shows too."""
    rows = subsidy_rows(subsidy_facts(season, end_of(day), home.code), day)
    names = (
        dict(SubsidyProgramme.objects.filter(season=season).order_by("recorded_on").values_list("code", "name"))
        if rows
        else {}
    )
    return [
        {
            "row": row,
            "programme": names.get(row.programme, row.programme),
            "due": None if row.due_day is None else day_date(row.due_day),
            "state": SUBSIDY_STATES[row.state],
        }
        for row in rows
    ]


def _write(request: Visit, found: Beneficiary, season: str) -> None:
    if "reverse" in request.POST:
        payment = get_object_or_404(
            SubsidyPayment.objects.filter(beneficiary__home=found.home), pk=request.POST.get("reverse")
        )
        attempt(
            request,
            lambda: reverse_subsidy_payment(
                payment, why=needed(request, "why", say("理由")), today=timezone.localdate(), actor=actor_of(request)
            ),
        )
        return
    attempt(
        request,
        lambda: record_subsidy_payment(
            code=needed(request, "code", say("编号")),
            beneficiary=found,
            programme=needed(request, "programme", say("补贴项目")),
            season=season,
            amount_fen=fen_of(request.POST.get("amount", "")),
            on=day_of(request.POST.get("on", "")),
            reference=request.POST.get("reference", "")[:80],
            actor=actor_of(request),
        ),
    )
