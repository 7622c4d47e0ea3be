"""Records of support → fact tables, as they were known at a moment: assets, repairs, costs, funds, subsidies, plans, debts, funding."""

from collections.abc import Collection
from datetime import date
from typing import Any

import polars as pl
from django.db import connection

from nuan.facts.schemas import TABLES
from nuan.policies.support.subsidy import Programme, evidence_on, known_at, payable_fen
from nuan.records.support.models import SubsidyProgramme
from nuan.terms.places import day_date, day_number, local_day

_EPOCH = "date '1970-01-01'"
_KNOWN = "(to_timestamp(%(as_of)s) AT TIME ZONE 'Asia/Shanghai')::date"
_ASSETS = f"""
SELECT code AS asset, kind, company_id AS company, banner_id AS banner, owner, position, handover,
       handed_over_on - {_EPOCH} AS handed_over_day, warranty, warranty_until - {_EPOCH} AS warranty_until_day,
       contract_ref <> '' AS contract
FROM support_asset ORDER BY code
"""
# a row that was taken back, and the row that takes it back, are no longer facts
_REPAIRS = f"""
SELECT r.code AS repair, a.code AS asset, a.company_id AS company, a.banner_id AS banner, r."on" - {_EPOCH} AS day, r.category,
       r.cost_fen, r.charged_to
FROM support_repair r JOIN support_asset a ON a.id = r.asset_id
WHERE r.reverses_id IS NULL AND NOT EXISTS (SELECT 1 FROM support_repair v WHERE v.reverses_id = r.id) AND r."on" <= {_KNOWN}
ORDER BY r.code
"""
_COSTS = f"""
SELECT c.code AS cost, c.company_id AS company, c.banner_id AS banner, a.code AS asset, r.code AS repair, c."on" - {_EPOCH} AS day,
       c.category, c.amount_fen, c.in_price_cost
FROM support_costentry c LEFT JOIN support_asset a ON a.id = c.asset_id LEFT JOIN support_repair r ON r.id = c.repair_id
WHERE c.reverses_id IS NULL AND NOT EXISTS (SELECT 1 FROM support_costentry v WHERE v.reverses_id = c.id) AND c."on" <= {_KNOWN}
ORDER BY c.code
"""
_ACCOUNTS = f"SELECT code AS account, banner_id AS banner, opened_on - {_EPOCH} AS opened_day FROM support_fundaccount ORDER BY code"
_MOVEMENTS = f"""
SELECT m.code AS movement, f.code AS account, f.banner_id AS banner, m."on" - {_EPOCH} AS day, m.kind, abs(m.amount_fen) AS amount_fen,
       a.code AS asset, a.position
FROM support_fundmovement m JOIN support_fundaccount f ON f.id = m.account_id
LEFT JOIN support_fundapplication p ON p.id = m.application_id LEFT JOIN support_asset a ON a.id = p.asset_id
WHERE m."on" <= {_KNOWN} ORDER BY m.code
"""
_PLANS = f"""
SELECT code AS plan, banner_id AS banner, approved_on - {_EPOCH} AS approved_day FROM support_localplan
WHERE season = %(season)s ORDER BY code
"""
_TASKS = f"""
SELECT p.code AS plan, t.number::int AS number, p.banner_id AS banner, nullif(t.owner, '') AS owner, t.due_on - {_EPOCH} AS due_day,
       t.done_on - {_EPOCH} AS done_day
FROM support_plantask t JOIN support_localplan p ON p.id = t.plan_id WHERE p.season = %(season)s ORDER BY p.code, t.number
"""
_DEBTS = f"""
SELECT code AS debt, banner_id AS banner, company_id AS company, kind, amount_fen, incurred_on - {_EPOCH} AS incurred_day,
       due_on - {_EPOCH} AS due_day
FROM support_governmentdebt WHERE incurred_on <= {_KNOWN} ORDER BY code
"""
_DEBT_PAYMENTS = f"""
SELECT p.code AS payment, d.code AS debt, d.banner_id AS banner, d.company_id AS company, p."on" - {_EPOCH} AS day, p.amount_fen
FROM support_debtpayment p JOIN support_governmentdebt d ON d.id = p.debt_id WHERE p."on" <= {_KNOWN} ORDER BY p.code
"""
_INSTALMENTS = f"""
SELECT d.code AS debt, i.number::int AS number, d.banner_id AS banner, d.company_id AS company, s.agreed_on - {_EPOCH} AS agreed_day,
       i.due_on - {_EPOCH} AS due_day, i.amount_fen
FROM support_instalment i JOIN support_settlementplan s ON s.id = i.plan_id JOIN support_governmentdebt d ON d.id = s.debt_id
WHERE s.id = (SELECT max(n.id) FROM support_settlementplan n WHERE n.debt_id = d.id AND n.agreed_on <= {_KNOWN}) ORDER BY d.code, i.number
"""
_FUNDING = f"""
SELECT s.code AS funding, s.banner_id AS banner, s.kind, s.committed_fen,
       coalesce((SELECT sum(u.amount_fen) FROM support_fundinguse u WHERE u.source_id = s.id AND u."on" <= {_KNOWN}), 0)::bigint AS used_fen,
       s.valid_from - {_EPOCH} AS from_day, s.valid_to - {_EPOCH} AS to_day
FROM support_fundingsource s ORDER BY s.code
"""
_NIL = f"""
SELECT banner_id AS banner, subject, "on" - {_EPOCH} AS day FROM support_nilreport
WHERE season = %(season)s AND "on" <= {_KNOWN} ORDER BY banner_id, subject
"""
_STATEMENTS = {
    "asset": _ASSETS,
    "repair": _REPAIRS,
    "cost": _COSTS,
    "fund_account": _ACCOUNTS,
    "fund_movement": _MOVEMENTS,
    "plan": _PLANS,
    "plan_task": _TASKS,
    "debt": _DEBTS,
    "debt_payment": _DEBT_PAYMENTS,
    "instalment": _INSTALMENTS,
    "funding": _FUNDING,
    "nil_report": _NIL,
}
# personal data stay behind: a home's code, its size and fee, and the dates of its evidence
_BENEFICIARIES = f"""
SELECT b.code AS beneficiary, h.code AS home, h.company_id AS company, h.banner_id AS banner, b.category, b.valid_from, b.valid_to,
       c.area_m2_100, c.season_fee_fen
FROM support_beneficiary b JOIN registry_home h ON h.id = b.home_id
LEFT JOIN registry_contract c ON c.home_id = h.id AND c.season = %(season)s
WHERE b.valid_from <= {_KNOWN} AND (%(home)s::text IS NULL OR h.code = %(home)s) ORDER BY h.code, b.valid_to DESC NULLS LAST, b.code
"""
_SUBSIDIES_PAID = f"""
SELECT h.code AS home, p.programme, sum(p.amount_fen)::bigint AS paid_fen
FROM support_subsidypayment p JOIN support_beneficiary b ON b.id = p.beneficiary_id JOIN registry_home h ON h.id = b.home_id
WHERE p.season = %(season)s AND p."on" <= {_KNOWN} AND (%(home)s::text IS NULL OR h.code = %(home)s) GROUP BY 1, 2
"""


def support_facts(season: str, as_of_s: int, only: Collection[str] | None = None) -> dict[str, pl.DataFrame]:
    """Every fact table of support, or those that are named. What is dated after `as_of_s` (its last whole second) is not in them."""
    values = {"season": season, "as_of": as_of_s - 1}
    tables = {
        name: pl.DataFrame(_rows(statement, values), schema=TABLES[name].schema, orient="row")
        for name, statement in _STATEMENTS.items()
        if only is None or name in only
    }
    if only is None or "subsidy" in only:
        tables["subsidy"] = subsidy_facts(season, as_of_s)
    return tables


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def programmes_known(season: str, known_on: date) -> list[tuple[str, Programme]]:
    """(banner, programme) of a season in the version that was known on a day."""
    rows = list(SubsidyProgramme.objects.filter(season=season).order_by("recorded_on", "id"))
    versions = [programme_of(row) for row in rows]
    banners = {row.code: row.banner_id for row in rows}
    return [(banners[each.code], each) for each in known_at(versions, known_on)]


def programme_of(row: SubsidyProgramme) -> Programme:
    return Programme(
        row.code, row.season, frozenset(row.categories), row.amount_kind, row.rate, row.cap_fen, row.reference_day, row.due_on,
        row.valid_from, row.valid_to, row.recorded_on,
    )  # fmt: skip


def subsidy_facts(season: str, as_of_s: int, home: str | None = None) -> pl.DataFrame:
    """One row for each programme and home (or the one `home`) that it names: what is owed to it by its best evidence on the day of reference, what was paid.

    Expired evidence owes nothing. A home that is registered twice under one programme is owed once.
    """
    values = {"season": season, "as_of": as_of_s - 1, "home": home}
    known_on = day_date(local_day(as_of_s - 1))
    paid = {(home, programme): fen for home, programme, fen in _rows(_SUBSIDIES_PAID, values)}
    order = {"valid": 0, "unknown": 1, "expired": 2}
    best: dict[tuple[str, str], tuple[Any, ...]] = {}
    programmes = programmes_known(season, known_on)
    for _, home, company, banner, category, valid_from, valid_to, area, fee in _rows(_BENEFICIARIES, values):
        for own_banner, programme in programmes:
            if own_banner != banner or category not in programme.categories:
                continue
            evidence = evidence_on(valid_from, valid_to, programme.reference_day)
            owed: int | None = payable_fen(programme, area, fee) if evidence == "valid" else 0
            if evidence == "unknown":
                owed = None
            if not programme.covers(programme.reference_day):
                owed = 0
            due = None if programme.due_day is None else day_number(programme.due_day)
            row = (programme.code, home, company, banner, owed, paid.get((home, programme.code), 0), due, evidence)
            key = (programme.code, home)
            if key not in best or order[evidence] < order[best[key][-1]]:
                best[key] = row
    return pl.DataFrame([best[key] for key in sorted(best)], schema=TABLES["subsidy"].schema, orient="row")
