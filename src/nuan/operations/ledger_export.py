"""The ledger as beancount, for an auditor who trusts none of our code: `bean-check` adds everything up again.

Doors are masked unless asked for with a reason: a home's account then carries the row's number in place of its code.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from django.db import connection

from nuan.operations.acts import act

_KINDS = {"asset": "Assets", "liability": "Liabilities", "income": "Income", "expense": "Expenses", "equity": "Equity"}
_ACCOUNTS = """
SELECT a.id, a.code, a.kind, a.home_id, min(e."on"), sum(p.amount_fen) FROM billing_account a
JOIN billing_posting p ON p.account_id = a.id JOIN billing_entry e ON e.id = p.entry_id GROUP BY a.id ORDER BY a.id
"""
_ROWS = """
COPY (SELECT e.id, e."on", e.key, e.kind, e.clause, e.company_id, p.account_id, p.amount_fen
      FROM billing_entry e JOIN billing_posting p ON p.entry_id = e.id ORDER BY e."on", e.id, p.id) TO STDOUT
"""


class DoorsNeedReasonError(ValueError):
    def __init__(self) -> None:
        super().__init__("导出到户的科目要写明理由（--reason） / accounts with doors need a reason")


def beancount_name(code: str, kind: str, home: int | None, *, doors: bool) -> str:
    """
    >>> beancount_name("C01/1122/B0042-1-0301", "asset", 7, doors=False)
    'Assets:C01:A1122:H7'
    >>> beancount_name("C01/6001.01", "income", None, doors=False)
    'Income:C01:A6001-01'
    """
    company, number, *rest = code.split("/")
    parts = [_KINDS[kind], _component(company), "A" + number.replace(".", "-")]
    if home is not None:
        parts.append(_component(rest[0]) if doors and rest else f"H{home}")
    return ":".join(parts)


def _component(text: str) -> str:
    """Beancount's account parts begin with a capital or digit and hold letters, digits and hyphens."""
    clean = re.sub(r"[^A-Za-z0-9-]", "-", text)
    return clean if clean[:1].isupper() or clean[:1].isdigit() else f"X{clean}"


def lines(*, doors: bool = False) -> Iterator[str]:
    """The file, line by line: accounts opened on their first day, entries in order of day, a balance of each account at the end."""
    names: dict[int, str] = {}
    last = date.min
    yield 'option "title" "nuan ledger"'
    yield 'option "operating_currency" "CNY"'
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS)
        accounts = cursor.fetchall()
    for number, code, kind, home, first, _ in accounts:
        names[number] = beancount_name(code, kind, home, doors=doors)
        yield f"{first} open {names[number]} CNY"
    current = None
    with connection.cursor() as cursor, cursor.copy(_ROWS) as rows:
        rows.set_types(["int8", "date", "text", "text", "text", "text", "int8", "int8"])
        for entry, on, key, kind, clause, _company, number, fen in rows.rows():
            if entry != current:
                current, last = entry, max(last, on)
                # a bill's key is its number; other keys may hold a home's code and stay here
                shown = key if doors or kind == "bill" else f"E{entry}"
                yield f'{on} * "{_quoted(kind)}" "{_quoted(shown)}"'
                yield f"  entry: {entry}"
                if clause:
                    yield f'  clause: "{_quoted(clause)}"'
            yield f"  {names[number]}  {_decimal(fen)} CNY"
    for number, *_, fen in accounts:
        yield f"{last + timedelta(days=1)} balance {names[number]}  {_decimal(int(fen))} CNY"


def _decimal(fen: int) -> str:
    sign, magnitude = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{magnitude // 100}.{magnitude % 100:02d}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def export_beancount(path: Path, *, actor: str, doors: bool = False, reason: str = "") -> int:
    """Write the file, whole or not at all; how many lines. With doors it is an act that says why. Raises DoorsNeedReasonError."""
    if doors and not reason.strip():
        raise DoorsNeedReasonError
    part, count = path.with_name(path.name + ".part"), 0
    if doors:
        with act("export_ledger_with_doors", actor=actor, subject="ledger", why=reason.strip()):
            pass
    with part.open("w", encoding="utf-8") as out:
        for line in lines(doors=doors):
            out.write(line + "\n")
            count += 1
    part.replace(path)
    return count
