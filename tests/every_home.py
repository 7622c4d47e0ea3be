"""Every home of a city, one by one, through the resident's own pages: what is read there, beside lines, bills and ledger, summed apart by SQL.

    sum of lines = bill · sum of bills = ledger · the resident's screen = both

The sums come from the tables alone, by statements that no page and no operation uses; the screen is what the resident's pages say, parsed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import RequestFactory
from django.urls import resolve

from nuan.operations.bill_changes import decide_change, propose_change
from nuan.operations.bill_documents import NewLine
from nuan.operations.demo_billing import finance_people
from nuan.operations.overdue import charge_late_fees, take_dunning_steps
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Bill
from nuan.records.registry.models import Company, Home

MONEY = re.compile(r"(-?[\d,]+\.\d\d) 元")
STEPS = re.compile(r'<ol class="steps">(.*?)</ol>', re.DOTALL)
LINE = re.compile(r'<span class="nowrap">(-?[\d,]+\.\d\d) 元')
LINES = "SELECT bill_id, sum(amount_fen) FROM billing_billline GROUP BY bill_id"
BILLS = "SELECT id, home_id, total_fen, entry_id FROM billing_bill ORDER BY id"
LEGS = "SELECT entry_id, sum(p.amount_fen) FROM billing_posting p JOIN billing_account a ON a.id = p.account_id WHERE a.code LIKE '%%/1122/%%' GROUP BY 1"
BALANCES = """
SELECT a.home_id, sum(p.amount_fen) FILTER (WHERE a.code LIKE '%%/1122/%%'), -sum(p.amount_fen) FILTER (WHERE a.code LIKE '%%/2203/%%'),
    sum(p.amount_fen) FILTER (WHERE a.code LIKE '%%/1122/%%' AND e.kind IN ('bill', 'adjustment', 'cancellation', 'late_fee'))
FROM billing_account a JOIN billing_posting p ON p.account_id = a.id JOIN billing_entry e ON e.id = p.entry_id
WHERE a.home_id IS NOT NULL GROUP BY a.home_id
"""
REFUNDS = """
SELECT i.home_id, i.id, p.fen FROM billing_refunditem i JOIN (SELECT p.entry_id, sum(p.amount_fen) AS fen FROM billing_posting p
    JOIN billing_account a ON a.id = p.account_id WHERE a.code LIKE '%%/6001.09' GROUP BY 1) p ON p.entry_id = i.entry_id
"""
PAYMENTS = "SELECT home_id, amount_fen FROM billing_payment WHERE home_id IS NOT NULL"


@dataclass
class Looked:
    """How much was looked at, and every place where two of the three do not say the same."""

    homes: int = 0
    documents: int = 0
    lines: int = 0
    pages: int = 0
    with_credit: int = 0
    with_refund: int = 0
    differs: list[str] = field(default_factory=list)


def stir(season: str, today: date) -> dict[str, int]:
    """What a season brings after the bills: adjustments up and down, cancellations and late fees, each by its own operation and two people."""
    done: dict[str, int] = defaultdict(int)
    for company in Company.objects.order_by("code"):
        one, other = finance_people(company.code)
        bills = Bill.objects.filter(company=company, season=season, kind="bill").order_by("id")
        for number, bill in enumerate(bills):
            lines = {0: [], 7: [NewLine("adjustment", -bill.total_fen // 3, "面积更正")], 11: [NewLine("adjustment", 12_345, "漏计")]}.get(number % 97)  # fmt: skip
            if lines is None or bill.documents.exists():
                continue
            asked = propose_change(bill, lines, why="复核", by=one)
            made = decide_change(bill, by=other, seen_hash=asked.content_hash, on=date(2026, 1, 20 + number % 5))
            assert made is not None
            done[str(made.kind)] += 1
        done["late_fee"] += charge_late_fees(None, company.code, until=today, actor="周会计")["charged"]
        done["notices"] += len(take_dunning_steps(None, company.code, today=today, actor="周会计"))
    return dict(done)


def look_at(homes: Iterable[Home], progress: Callable[[Looked], None] = lambda found: None) -> Looked:
    """Each home's three pages of money against the tables: through the pages' own door as that home's resident, without the session."""
    tables, looked = _Tables(), Looked()
    for home in homes:
        _one(home, User(username="every-home", role=Role.RESIDENT, home=home), tables, looked)
        looked.homes += 1
        progress(looked)
    if (bills := sum(tables.billed.values())) != sum(fen for fen, _ in tables.bills.values()):
        looked.differs.append(f"the ledger has {bills} fen of bills in all")
    return looked


class _Tables:
    def __init__(self) -> None:
        self.lines = dict(_rows(LINES))
        legs = dict(_rows(LEGS))
        self.of_home: dict[int, list[int]] = defaultdict(list)
        self.bills: dict[int, tuple[int, int]] = {}
        for number, home, fen, entry in _rows(BILLS):
            self.of_home[home].append(number)
            self.bills[number] = fen, legs.get(entry, 0)
        self.owed: dict[int, int] = {}
        self.credit: dict[int, int] = {}
        self.billed: dict[int, int] = {}
        for home, owed, credit, billed in _rows(BALANCES):
            self.owed[home], self.credit[home], self.billed[home] = owed or 0, credit or 0, billed or 0
        self.refunds: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for home, item, fen in _rows(REFUNDS):
            self.refunds[home].append((item, fen))
        self.paid: dict[int, list[int]] = defaultdict(list)
        for home, fen in _rows(PAYMENTS):
            self.paid[home].append(fen)


def _rows(statement: str) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [])
        return [tuple(int(each) if isinstance(each, Decimal) else each for each in row) for row in cursor.fetchall()]


def _fen(text: str) -> int:
    return int(Decimal(text.replace(",", "")) * 100)


def _one(home: Home, resident: User, tables: _Tables, looked: Looked) -> None:
    def same(what: str, *said: object) -> None:
        if len({repr(each) for each in said}) > 1:
            looked.differs.append(f"{home.code} {what}: {' / '.join(map(repr, said))}")

    def page(address: str) -> str:
        looked.pages += 1
        request: Any = RequestFactory().get(address)
        door = request.resolver_match = resolve(address)
        request.user = resident
        answer = door.func(request, **door.kwargs)
        same(f"{address} answers", answer.status_code, 200)
        return str(answer.content.decode())

    owed, numbers = tables.owed.get(home.pk, 0), tables.of_home[home.pk]
    mine = page("/my-bills/")
    shown = [_fen(text) for text in MONEY.findall(mine)]
    same("owes", shown[0] if shown else None, owed)
    same("ledger's bills and bills", tables.billed.get(home.pk, 0), sum(tables.bills[number][0] for number in numbers))
    for number in numbers:
        total, legs = tables.bills[number]
        body = page(f"/bills/{number}/")
        steps = STEPS.search(body)
        lines = [_fen(text) for text in LINE.findall(steps[1] if steps else "")]
        headline = [_fen(text) for text in MONEY.findall(body)][:1]
        same(f"bill {number}", total, tables.lines.get(number), legs, sum(lines), *headline)
        same(f"bill {number} in the list", f"{total / 100:,.2f} 元" in mine, True)
        same(f"bill {number} reckoned again", "结果和已出的账单不同" in body, False)
        looked.documents += 1
        looked.lines += len(lines)
    _my_money(page("/my-money/"), home, owed, tables, looked, same)


def _my_money(body: str, home: Home, owed: int, tables: _Tables, looked: Looked, same: Callable[..., None]) -> None:
    credit, refunds, paid = tables.credit.get(home.pk, 0), tables.refunds[home.pk], tables.paid[home.pk]

    def after(words: str) -> int:
        found = re.search(words + r"(-?[\d,]+\.\d\d) 元", body)
        return _fen(found[1]) if found else 0

    same("credit", after("余额:"), credit)
    same("still owes", after("还没付的热费:"), owed)
    for item, fen in refunds:
        found = re.search(rf'<strong>(-?[\d,]+\.\d\d) 元</strong>(?:(?!<strong>).)*?/refunds/items/{item}/"', body)
        same(f"refund {item}", _fen(found[1]) if found else None, fen)
    section = body.rsplit("<h2>", 1)[-1]
    same("paid", sorted(_fen(text) for text in re.findall(r"<strong>(-?[\d,]+\.\d\d) 元", section)), sorted(paid))
    looked.with_credit += credit > 0
    looked.with_refund += bool(refunds)
