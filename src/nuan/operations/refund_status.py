"""Judged but not paid: by company and season, how much, how long, and against which deadline. What the bureau looks at."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection

from nuan.operations.city_packs import season_of, signed_records
from nuan.operations.refund_reckoning import REFUNDING
from nuan.operations.workbooks import Fen
from nuan.policies import catalogue
from nuan.policies.refunds.payout import payout_deadline
from nuan.records.billing.models import RefundPayout

LIST_HEADS = ("付款编号", "金额(元)", "渠道", "原交易号", "户(隐去门牌)")
"""Of the list that goes to the bank or platform; it answers with `refund_payouts.RESULT_COLUMNS`."""

_HOMES = """
WITH judged AS (
    SELECT c.company_code AS company, c.banner_code AS banner, r.season, c.subject, j.pack,
           sum(c.amount_fen) AS fen, min(j.period_end) AS since_s
    FROM supervision_currentjudgement c JOIN supervision_judgement j ON j.id = c.judgement_id JOIN supervision_run r ON r.id = j.run_id
    WHERE c.subject_level = 'home' AND c.clause = ANY(%(clauses)s) AND c.amount_fen > 0
    GROUP BY 1, 2, 3, 4, 5
), booked AS (
    SELECT h.code AS subject, i.season, sum(i.amount_fen) FILTER (WHERE i.entry_id IS NOT NULL) AS fen,
           sum(i.amount_fen) FILTER (WHERE i.entry_id IS NULL) AS waiting
    FROM billing_refunditem i JOIN registry_home h ON h.id = i.home_id WHERE NOT i.withdrawn GROUP BY 1, 2
), paid AS (
    SELECT h.code AS subject, b.season, sum(p.amount_fen) AS fen
    FROM billing_refundpayout p JOIN billing_refundbatch b ON b.id = p.batch_id JOIN registry_home h ON h.id = p.home_id
    WHERE p.state IN ('paid', 'credited') AND p.kind <> 'interest' GROUP BY 1, 2
), settled AS (
    SELECT subject, season, sum(fen) AS fen FROM (
        SELECT * FROM paid UNION ALL
        SELECT h.code, b.season, s.amount_fen FROM billing_refundsetoff s JOIN billing_refundbatch b ON b.id = s.batch_id
        JOIN registry_home h ON h.id = s.home_id WHERE s.undone_id IS NULL) x GROUP BY 1, 2
)
SELECT j.company, j.banner, j.season, j.subject, j.pack, j.fen, coalesce(b.fen, 0), coalesce(b.waiting, 0), coalesce(p.fen, 0), j.since_s
FROM judged j LEFT JOIN booked b ON (b.subject, b.season) = (j.subject, j.season)
              LEFT JOIN settled p ON (p.subject, p.season) = (j.subject, j.season)
WHERE {which} ORDER BY j.company, j.season, j.subject
"""
_COMPANIES = """
SELECT x.company, c.name, x.season, min(x.pack), count(DISTINCT x.pack), count(*) FILTER (WHERE x.fen > x.paid), count(*),
       sum(x.fen), sum(x.booked), sum(x.waiting), sum(x.paid), sum(greatest(x.fen - x.paid, 0)), min(x.since_s) FILTER (WHERE x.fen > x.paid)
FROM ({homes}) AS x (company, banner, season, subject, pack, fen, booked, waiting, paid, since_s)
JOIN registry_company c ON c.code = x.company GROUP BY 1, 2, 3 ORDER BY sum(greatest(x.fen - x.paid, 0)) DESC, 1, 3
"""


@dataclass(frozen=True)
class CompanyRefunds:
    """`longest_days` waited since the end of what was judged; `deadline` None = 未载明, `overdue` False while nobody can say."""

    company: str
    name: str
    season: str
    homes: int
    homes_waiting: int
    judged_fen: int
    booked_fen: int
    proposed_fen: int
    paid_fen: int
    unpaid_fen: int
    longest_days: int
    deadline: date | None
    overdue_days: int | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class HomeRefund:
    """One home of a company that has not had all of what was judged."""

    home: str
    banner: str
    judged_fen: int
    booked_fen: int
    paid_fen: int
    days: int

    @property
    def unpaid_fen(self) -> int:
        return max(self.judged_fen - self.paid_fen, 0)


def _deadline(pack_name: str, season: str) -> date | None:
    try:
        pack = catalogue.pack(pack_name, signed_records())
        return payout_deadline(pack, season_of(pack, season))[0]
    except LookupError:
        return None


def _waited(since_s: int | None, today: date) -> int:
    from nuan.terms.places import day_date, local_day

    return 0 if since_s is None else max((today - day_date(local_day(since_s))).days, 0)


def by_company(today: date, *, banner: str = "", company: str = "") -> list[CompanyRefunds]:
    """Companies with refunds judged, the most unpaid first; `banner` or `company` bounds what is counted."""
    which = "(%(banner)s = '' OR j.banner = %(banner)s) AND (%(company)s = '' OR j.company = %(company)s)"
    values = {"clauses": list(REFUNDING), "banner": banner, "company": company}
    with connection.cursor() as cursor:
        cursor.execute(_COMPANIES.format(homes=_HOMES.format(which=which)), values)
        rows = cursor.fetchall()
    found: list[CompanyRefunds] = []
    deadlines: dict[tuple[str, str], date | None] = {}
    for code, name, season, pack, packs, waiting, homes, judged, booked, proposed, paid, unpaid, since in rows:
        if (pack, season) not in deadlines:
            deadlines[pack, season] = _deadline(pack, season)
        deadline = deadlines[pack, season] if packs == 1 else None
        overdue = max((today - deadline).days, 0) if deadline is not None and unpaid else None
        found.append(
            CompanyRefunds(
                code, name, season, int(homes), int(waiting), int(judged), int(booked), int(proposed), int(paid), int(unpaid),
                _waited(since, today), deadline, overdue,
            )
        )  # fmt: skip
    return found


def unpaid_homes(company: str, season: str, today: date, *, banner: str = "") -> list[HomeRefund]:
    """Homes of a company that wait, the longest first."""
    which = "j.company = %(company)s AND j.season = %(season)s AND (%(banner)s = '' OR j.banner = %(banner)s) AND j.fen > coalesce(p.fen, 0)"
    values = {"clauses": list(REFUNDING), "company": company, "season": season, "banner": banner}
    with connection.cursor() as cursor:
        cursor.execute(_HOMES.format(which=which), values)
        rows = [
            HomeRefund(r[3], r[1], int(r[5]), int(r[6]), int(r[8]), _waited(r[9], today)) for r in cursor.fetchall()
        ]
    return sorted(rows, key=lambda each: (-each.days, -each.unpaid_fen, each.home))


def list_lines(payouts: Iterable[RefundPayout]) -> list[Sequence[object]]:
    """The list for the bank or platform: our number, yuan, the way, the payment that goes back, and the home without its door."""
    return [
        (
            each.number,
            Fen(each.amount_fen),
            each.channel,
            each.refund_of.txn_id if each.refund_of else "",
            _no_door(each.home.code),
        )
        for each in payouts
    ]


def _no_door(code: str) -> str:
    head, dash, _ = code.rpartition("-")
    return f"{head}{dash}**"
