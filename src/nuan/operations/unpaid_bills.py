"""未付账单: which bills of a company have something open, how long, what was done about it. Finance's list of whom to ask.

What is open is what `open_bills` says; a bill whose home has a case open is listed and marked, because nobody asks for it meanwhile.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from nuan.operations.open_bills import AGES
from nuan.records.billing.models import Bill, DunningNotice

STATES = ("overdue", "waiting", "held", "unstated")
"""Past its due day; before it; a case of the home is open; no due day is stated (未载明)."""
_LISTED = """
SELECT x.id, x.fen, x.age, x.late, x.state FROM (
    SELECT b.id, %(today)s - b.issued_on AS age, greatest(%(today)s - greatest(b.due_on, b.issued_on), 0) AS late,
           b.total_fen + coalesce((SELECT sum(d.total_fen) FROM billing_bill d WHERE d.about_id = b.id), 0)
                       - coalesce((SELECT sum(a.amount_fen) FROM billing_allocation a WHERE a.bill_id = b.id), 0) AS fen,
           CASE WHEN EXISTS (SELECT 1 FROM billing_billinghold h WHERE h.home_id = b.home_id AND h.since <= %(today)s
                             AND (h.until IS NULL OR h.until >= %(today)s)) THEN 'held'
                WHEN b.due_on IS NULL THEN 'unstated' WHEN greatest(b.due_on, b.issued_on) < %(today)s THEN 'overdue' ELSE 'waiting' END AS state
    FROM billing_bill b JOIN registry_home r ON r.id = b.home_id
    WHERE b.kind = 'bill' AND b.company_id = %(company)s AND (%(place)s = '' OR r.building_id = %(place)s OR upper(r.code) = upper(%(place)s))
) x WHERE x.fen > 0 AND x.age BETWEEN %(first)s AND %(last)s AND (%(state)s = '' OR x.state = %(state)s)
ORDER BY {order}, x.id
"""
ORDERS = {"latest": "x.late DESC NULLS LAST, x.fen DESC", "largest": "x.fen DESC", "oldest": "x.age DESC"}
FOREVER = 1_000_000


@dataclass(frozen=True, slots=True)
class UnpaidBill:
    """An open bill by its key; `late` days past the due day, None where no due day is stated."""

    bill: int
    open_fen: int
    age: int
    late: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The same with its record, and the last step of dunning that was taken."""

    row: UnpaidBill
    bill: Bill
    step: DunningNotice | None


def unpaid_bills(
    company: str, today: date, *, age: int | None = None, state: str = "", place: str = "", order: str = "latest"
) -> list[UnpaidBill]:
    """Open bills of a company; `age` is an index of `AGES`, `place` a building or home by its code, `order` a key of `ORDERS`."""
    first, last = AGES[age] if age is not None and 0 <= age < len(AGES) else (0, None)
    values = {
        "company": company, "today": today, "place": place, "state": state if state in STATES else "", "first": first if first else -FOREVER,
        "last": FOREVER if last is None else last,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LISTED.format(order=ORDERS.get(order, ORDERS["latest"])), values)
        return [UnpaidBill(pk, int(fen), days, late, said) for pk, fen, days, late, said in cursor.fetchall()]


def with_records(rows: Sequence[UnpaidBill]) -> list[Shown]:
    """The rows of a page or file with what is shown of them, in their order."""
    wanted: Collection[int] = [row.bill for row in rows]
    bills = Bill.objects.select_related("home__building").in_bulk(wanted)
    steps: dict[int, DunningNotice] = {}
    for notice in DunningNotice.objects.filter(bill__in=wanted).order_by("id"):
        steps[notice.bill_id] = notice
    return [Shown(row, bills[row.bill], steps.get(row.bill)) for row in rows]
