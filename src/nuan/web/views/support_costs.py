"""成本账与供热成本报告: what a company spent by category and asset, and what of it enters the heat price, with the reason for each line."""

from typing import Any

import polars as pl
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.support_costs import enter_into_price_cost
from nuan.operations.support_reports import cost_report, costs_of
from nuan.policies.support.price_cost import GROUNDS
from nuan.records.accounts.models import Role
from nuan.records.registry.models import Banner, Company, Contract
from nuan.records.support.models import Asset, CostEntry
from nuan.terms.places import day_date
from nuan.web.forms import actor_of, attempt
from nuan.web.guard import Visit
from nuan.web.stand_day import season_asked, stand_day
from nuan.web.views.support import sight
from nuan.web.wording import pick

PAGE = 50
FAULTS = ("left_out", "foreign", "doubtful")


def support_costs(request: Visit) -> HttpResponse:
    if request.method == "POST":
        return _enter(request)
    season, day = season_asked(request), stand_day(request)
    banners, company = _chosen(request)
    context: dict[str, Any] = {
        "season": season,
        "day": day,
        "seasons": Contract.objects.order_by("-season").values_list("season", flat=True).distinct(),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "may_enter": request.role == Role.FINANCE,
        "season_only": request.GET.get("span") == "season",
        "with_heat": request.GET.get("heat") == "1",
    }
    if season:
        frame = costs_of(season, day, banners, company, season_only=context["season_only"])
        report = cost_report(season, day, banners, company, frame, with_heat=context["with_heat"])
        lines = _lines(frame)
        only = request.GET.get("only", "")
        pages = Paginator([line for line in lines if not only or line["fault"] == only], PAGE)
        context |= {
            "report": report,
            "report_rows": [
                (str(CostEntry.Category(each.category).label), pick(*GROUNDS[each.ground]), each)
                for each in report.lines
            ],
            "pages": pages.get_page(request.GET.get("page")),
            "faults": {name: sum(line["fault"] == name for line in lines) for name in FAULTS},
        }
    return render(request, "web/support_costs.html", context)


def _chosen(request: Visit) -> tuple[list[str] | None, str | None]:
    """What the visitor sees, narrowed by the filters; a filter never widens it."""
    banners, company = sight(request)
    asked_banner, asked_company = request.GET.get("banner"), request.GET.get("company")
    if asked_banner and (banners is None or asked_banner in banners):
        banners = [asked_banner]
    if asked_company and company is None:
        company = asked_company
    return banners, company


def _lines(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The ledger, what is at fault first."""
    names = dict(Banner.objects.values_list("code", "name")) | dict(Company.objects.values_list("code", "name"))
    assets = dict(
        Asset.objects.filter(code__in=frame["asset"].drop_nulls().unique().to_list()).values_list("code", "name")
    )
    there = dict(CostEntry.objects.filter(code__in=frame["cost"].to_list()).values_list("code", "pk"))
    found = []
    for row in frame.iter_rows(named=True):
        belongs, reported = row["ground"] == "company_bears", row["in_price_cost"]
        fault = ""
        if belongs and not reported:
            fault = "left_out"
        elif row["ground"] in {"builder_bears", "user_bears", "fund_paid"} and reported:
            fault = "foreign"
        elif row["ground"] in {"payer_unknown", "no_asset"}:
            fault = "doubtful"
        found.append(
            row
            | {
                "on": day_date(row["day"]),
                "category_zh": str(CostEntry.Category(row["category"]).label),
                "ground_words": pick(*GROUNDS[row["ground"]]),
                "fault": fault,
                "company_name": names.get(row["company"], row["company"]),
                "banner_name": names.get(row["banner"], row["banner"]),
                "asset_name": assets.get(row["asset"], ""),
                "pk": there.get(row["cost"]),
            }
        )
    order = {name: place for place, name in enumerate((*FAULTS, ""))}
    return sorted(found, key=lambda line: (order[line["fault"]], -line["day"], line["cost"]))


def _enter(request: Visit) -> HttpResponse:
    """A company enters a line that was left out, or takes out one that does not belong."""
    if request.role != Role.FINANCE:
        raise Http404
    own = request.scope.of_places(CostEntry.objects.all())
    found = get_object_or_404(own, pk=request.POST.get("cost"))
    attempt(
        request,
        lambda: enter_into_price_cost(
            found, in_price_cost=request.POST.get("enter") == "yes", today=timezone.localdate(), actor=actor_of(request)
        ),
    )
    return redirect("support_costs")
