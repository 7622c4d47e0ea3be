"""What is open on bills: the bill, its adjustments and late fees, less what has been paid on it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Sum

from nuan.records.billing.chart import CHART
from nuan.records.billing.matching import Books, OpenBill
from nuan.records.billing.models import Posting
from nuan.records.registry.models import Home

_OPEN = """
SELECT b.id, b.number, b.home_id, h.code, b.season, b.issued_on,
       b.total_fen + coalesce((SELECT sum(d.total_fen) FROM billing_bill d WHERE d.about_id = b.id), 0)
                   - coalesce((SELECT sum(a.amount_fen) FROM billing_allocation a WHERE a.bill_id = b.id), 0)
FROM billing_bill b JOIN registry_home h ON h.id = b.home_id WHERE b.kind = 'bill' AND {which}
ORDER BY b.issued_on, b.id
"""
_NAMED = """
SELECT upper(d.number), b.number FROM billing_bill d JOIN billing_bill b ON b.id = d.about_id WHERE b.company_id = %(company)s AND upper(d.number) = ANY(%(words)s)
"""


def _bills(which: str, values: dict[str, Any]) -> list[OpenBill]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN.format(which=which), values)
        return [OpenBill(*row[:6], int(row[6])) for row in cursor.fetchall()]


def open_of_homes(homes: Collection[int]) -> list[OpenBill]:
    """All bills of these homes with what is open, oldest first; settled ones too."""
    return _bills("b.home_id = ANY(%(homes)s)", {"homes": list(homes)})


def open_of_bills(bills: Collection[int]) -> list[OpenBill]:
    return _bills("b.id = ANY(%(bills)s)", {"bills": list(bills)})


def books_of(company: str, words: Collection[str]) -> Books:
    """Everything that these words may name at a company: its bills (by the number of a document about them too), its homes."""
    asked = list(words)
    rows = Home.objects.extra(where=["upper(code) = ANY(%s)"], params=[asked]).values_list("code", "id", "company_id")
    homes = {code.upper(): pk for code, pk, owner in rows if owner == company}
    foreign = {code.upper() for code, _, owner in rows if owner != company}
    which = "b.company_id = %(company)s AND (upper(b.number) = ANY(%(words)s) OR b.home_id = ANY(%(homes)s))"
    bills = {
        bill.number.upper(): bill
        for bill in _bills(which, {"company": company, "words": asked, "homes": list(homes.values())})
    }
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, {"company": company, "words": asked})
        about = dict(cursor.fetchall())
        cursor.execute(
            "SELECT upper(number) FROM billing_bill WHERE company_id <> %s AND upper(number) = ANY(%s)",
            [company, asked],
        )
        foreign |= {number for (number,) in cursor.fetchall()}
    missing = set(about.values()) - set(bills)
    if missing:
        more = _bills("b.number = ANY(%(numbers)s)", {"numbers": sorted(missing)})
        bills |= {bill.number.upper(): bill for bill in more}
    books = Books(bills, homes, frozenset(foreign))
    for word, number in about.items():
        books.bills.setdefault(word, books.bills[number.upper()])
    return books


@dataclass(frozen=True)
class Unpaid:
    """Open bills of one age: `from_days` to `to_days` since they were issued; None = without end."""

    from_days: int
    to_days: int | None
    bills: int
    fen: int


AGES = ((0, 30), (31, 90), (91, 180), (181, None))


def unpaid_by_age(company: str, today: date) -> list[Unpaid]:
    """What is open on a company's bills, by the days since they were issued."""
    statement = f"""
        SELECT width_bucket(%(today)s - x.issued_on, %(edges)s), count(*), sum(x.open)
        FROM ({_OPEN.format(which="b.company_id = %(company)s")}) AS x (id, number, home_id, code, season, issued_on, open)
        WHERE x.open > 0 GROUP BY 1
    """
    values = {"today": today, "company": company, "edges": [start for start, _ in AGES[1:]]}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = {int(place): (int(bills), int(fen)) for place, bills, fen in cursor.fetchall()}
    return [Unpaid(start, end, *found.get(place, (0, 0))) for place, (start, end) in enumerate(AGES)]


def credit_fen(home_id: int) -> int:
    """What a home has with its company beyond its bills."""
    rows = Posting.objects.filter(account__home=home_id, account__code__contains=f"/{CHART['prepaid'].number}/")
    return -int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
