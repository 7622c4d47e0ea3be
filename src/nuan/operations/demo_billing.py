"""The sample city's season billed: meter readings and high rooms for some homes, a run for each company, proposed by one of its
finance people and approved by another. Every number is synthetic."""

from datetime import date, timedelta
from typing import Any

from django.db import connection

from nuan.operations.acts import act
from nuan.operations.bill_runs import companies_to_bill, decide_run, post_run, preview, propose_run
from nuan.operations.city_packs import season_of
from nuan.policies import catalogue
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import BillingCard, RunPosting

DEMO_PACK = "demo-city"
DAYS_AFTER_START = 5
# Made from the home's code, so that the same city has the same meters: 55 to 94 kWh/m² for metered homes, 3.35 m ceilings for one in 150.
_CARDS = """
INSERT INTO billing_billingcard (home_id, season, heat_1000, heat_unit, ceiling_mm)
SELECT h.id, %(season)s, CASE WHEN c.metered THEN c.area_m2_100 * (55 + abs(hashtext(h.code)) %% 40) * 10 END, 'kWh',
    CASE WHEN abs(hashtext(h.code || 'height')) %% 150 = 0 THEN 3350 ELSE 2800 END
FROM registry_home h JOIN registry_contract c ON c.home_id = h.id AND c.season = %(season)s
ON CONFLICT (home_id, season) DO NOTHING
"""


def bill_demo_city(season: str, until: date, *, actor: str) -> dict[str, Any]:
    """What was billed, by company; nothing before the day of issue. Done again it changes nothing."""
    issued_on = season_of(catalogue.pack(DEMO_PACK), season).first_day + timedelta(days=DAYS_AFTER_START)
    if until < issued_on:
        return {}
    if not BillingCard.objects.filter(season=season).exists():
        with (
            act("record_billing_cards", actor=actor, subject=season, why="示例城市的表计和层高") as row,
            connection.cursor() as cursor,
        ):
            cursor.execute(_CARDS, {"season": season})
            row.details["cards"] = cursor.rowcount
    return {company: _bill(company, season, issued_on) for company in companies_to_bill(season)}


def _bill(company: str, season: str, issued_on: date) -> dict[str, Any]:
    maker, checker = finance_people(company)
    there = RunPosting.objects.filter(run__company_id=company, run__season=season).select_related("run").first()
    if there is not None:
        return {
            "bills": there.run.bills,
            "total_fen": there.run.total_fen,
            "blocked": there.run.summary["blocked_homes"],
        }
    run = preview(company, season, actor=maker.username)
    if run.bills:
        propose_run(run, by=maker)
        decide_run(run, by=checker, seen_hash=run.content_hash, why="演示：与上季、与合同核对无误")
        post_run(run, issued_on=issued_on, actor=maker.username)
    return {"bills": run.bills, "total_fen": run.total_fen, "blocked": run.summary["blocked_homes"]}


def finance_people(company: str) -> tuple[User, User]:
    """Two finance people of a company: those of the cast, and where it has fewer, accounts that nobody can sign in to."""
    there = list(User.objects.filter(role=Role.FINANCE, company_id=company, is_active=True).order_by("id")[:2])
    for number, name in ((1, "演示财务甲"), (2, "演示财务乙")):
        if len(there) < 2:
            user = User(username=f"finance{number}-{company}", display_name=name, role=Role.FINANCE, company_id=company)
            user.set_unusable_password()
            user.save()
            there.append(user)
    return there[0], there[1]
