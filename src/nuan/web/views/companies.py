"""Companies side by side: homes, cold home-days, outages, refunds owed."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render

from nuan.records.supervision.models import CurrentJudgement, HomeSeason
from nuan.web.context import latest_run
from nuan.web.guard import Visit
from nuan.web.tables import csv_answer


@dataclass(frozen=True)
class CompanyRow:
    code: str
    name: str
    homes: int
    homes_breached: int
    days_met: int
    days_breached: int
    days_undecidable: int
    refunds: int
    refund_fen: int

    @property
    def days(self) -> int:
        return self.days_met + self.days_breached + self.days_undecidable

    def share(self, days: int) -> float:
        return 100 * days / self.days if self.days else 0.0

    @property
    def met_share(self) -> float:
        return self.share(self.days_met)

    @property
    def breached_share(self) -> float:
        return self.share(self.days_breached)

    @property
    def undecidable_share(self) -> float:
        return self.share(self.days_undecidable)


def company_rows(request: Visit) -> list[CompanyRow]:
    """One row per company within the scope; a banner counts only the homes inside the banner."""
    run = latest_run()
    seasons = request.scope.of_homes(HomeSeason.objects.filter(season=run.season if run else ""))
    counted = {
        row["home__company_id"]: row
        for row in seasons.values("home__company_id").annotate(
            homes=Count("id"),
            cold=Count("id", filter=Q(days_breached__gt=0)),
            met=Sum("days_met"),
            breached=Sum("days_breached"),
            undecidable=Sum("days_undecidable"),
        )
    }
    owed = {
        row["company_code"]: row
        for row in request.scope.judgements(CurrentJudgement.objects.filter(subject_level="home", amount_fen__gt=0))
        .values("company_code")
        .annotate(n=Count("id"), fen=Sum("amount_fen"))
    }
    rows = []
    for company in request.scope.companies().order_by("code"):
        row, money = counted.get(company.code, {}), owed.get(company.code, {})
        rows.append(
            CompanyRow(
                company.code,
                company.name,
                row.get("homes", 0),
                row.get("cold", 0),
                row.get("met", 0),
                row.get("breached", 0),
                row.get("undecidable", 0),
                money.get("n", 0),
                money.get("fen", 0),
            )
        )
    return sorted(rows, key=lambda row: -row.breached_share)


def companies(request: Visit) -> HttpResponse:
    return render(request, "web/companies.html", {"rows": company_rows(request)})


def companies_csv(request: Visit) -> HttpResponse:
    heads = ["企业", "住户", "有不达标的住户", "达标户日", "不达标户日", "无法判定户日", "退费笔数", "应退(元)"]
    lines = (
        [
            row.name,
            row.homes,
            row.homes_breached,
            row.days_met,
            row.days_breached,
            row.days_undecidable,
            row.refunds,
            f"{row.refund_fen / 100:.2f}",
        ]
        for row in company_rows(request)
    )
    return csv_answer("companies.csv", heads, lines)
