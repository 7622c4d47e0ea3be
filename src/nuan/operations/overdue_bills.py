"""The bills of a company on a day, with what was added to them, what came in for them and when: read set by set, for one home or a million.

What the ledger received on a home without naming a bill goes to the oldest bill that is open.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from nuan.operations.bulk import copy_out
from nuan.records.billing.chart import CHART

NOT_PAYMENTS = ("bill", "adjustment", "cancellation", "late_fee")
Money = tuple[tuple[date, int], ...]
_BILLS = """
SELECT b.id, b.number, b.home_id, b.season, b.pack, b.pack_version, b.issued_on, b.due_on, b.total_fen
FROM billing_bill b WHERE b.company_id = {company} AND b.kind = 'bill' AND b.issued_on <= {until} AND {homes} ORDER BY b.issued_on, b.id
"""
_BILL_COLUMNS = {
    "bill": pl.Int64, "number": pl.String, "home": pl.Int64, "season": pl.String, "pack": pl.String, "pack_version": pl.String,
    "issued_on": pl.Date, "due_on": pl.Date, "total_fen": pl.Int64,
}  # fmt: skip
_DOCUMENTS = """
SELECT b.about_id, greatest(b.issued_on, b.due_on), coalesce(sum(l.amount_fen) FILTER (WHERE l.kind <> 'late_fee'), 0),
    coalesce(sum(l.amount_fen) FILTER (WHERE l.kind = 'late_fee'), 0), max(b.inputs ->> 'until')
FROM billing_bill b JOIN billing_billline l ON l.bill_id = b.id
WHERE b.company_id = {company} AND b.about_id IS NOT NULL AND {homes} GROUP BY b.id
"""
_DOCUMENT_COLUMNS = {"bill": pl.Int64, "since": pl.Date, "fen": pl.Int64, "late_fen": pl.Int64, "until": pl.String}
_PAID = """
SELECT c.home_id, a.bill_id, e."on", -p.amount_fen FROM billing_account c JOIN billing_posting p ON p.account_id = c.id
JOIN billing_entry e ON e.id = p.entry_id LEFT JOIN billing_entry r ON r.id = e.reverses_id
LEFT JOIN billing_allocation a ON a.entry_id = e.id AND a.bill_id IS NOT NULL
WHERE c.company_id = {company} AND c.code LIKE {receivable} AND e."on" <= {until} AND e.kind <> ALL ({bills})
    AND (r.id IS NULL OR r.kind <> ALL ({bills})) AND {homes} ORDER BY e."on", p.id
"""
_PAID_COLUMNS = {"home": pl.Int64, "bill": pl.Int64, "on": pl.Date, "fen": pl.Int64}


@dataclass(frozen=True, slots=True)
class StandingBill:
    """A bill as it stands. `base_fen` is the bill less what was taken off it; `later` what was added, with the last day on which that was in
    time; `late_fen` the late fees by document, reckoned up to `late_until`; `paid` what came in, what was taken back being negative."""

    bill: int
    number: str
    home: int
    season: str
    pack: str
    pack_version: str
    issued_on: date
    due_on: date | None
    base_fen: int
    later: Money
    late_fen: int
    late_until: date | None
    paid: Money

    @property
    def open_fen(self) -> int:
        """Late fees are apart."""
        return self.base_fen + sum(fen for _, fen in self.later) - sum(fen for _, fen in self.paid)

    def owed_since(self, due: date | None) -> date | None:
        """The last day on which the bill is in time: nobody is late with a bill that was not there yet."""
        return None if due is None else max(due, self.issued_on)


def standing_bills(company: str, until: date, homes: Collection[int] | None = None) -> list[StandingBill]:
    """All bills of these homes (None: of the company), the oldest first."""
    frames = _frames(company, until, homes)
    return list(_built(*frames, set(frames[0]["bill"].to_list())))


def bills_to_look_at(company: str, until: date, homes: Collection[int] | None = None) -> list[StandingBill]:
    """Those of the bills that could bear a late fee or a reminder: not the many that were paid in time and never touched again."""
    bills, documents, paid = _frames(company, until, homes)
    by_bill = (
        paid.join(bills.select("bill", pl.max_horizontal("due_on", "issued_on").alias("since")), on="bill")
        .group_by("bill").agg(
            pl.col("fen").filter(pl.col("on") <= pl.col("since")).sum().alias("in_time"), (pl.col("on") > pl.col("since")).any().alias("moved")
        )
    )  # fmt: skip
    about = documents.group_by("bill").agg(pl.col("fen").sum().alias("changed"))
    looked = bills.join(by_bill, on="bill", how="left").join(about, on="bill", how="left").filter(
        pl.col("moved").fill_null(value=False) | pl.col("changed").is_not_null()
        | (pl.col("total_fen") > pl.col("in_time").fill_null(0))
    )  # fmt: skip
    return list(_built(bills, documents, paid, set(looked["bill"].to_list())))


def _frames(
    company: str, until: date, homes: Collection[int] | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    from psycopg import sql

    def read(statement: str, home: str, columns: dict[str, type[pl.DataType]]) -> pl.DataFrame:
        which = sql.SQL("true") if homes is None else sql.SQL(home + " = ANY ({})").format(sql.Literal(list(homes)))
        receivable = f"{company}/{CHART['receivable'].number}/%"
        query = sql.SQL(statement).format(
            company=sql.Literal(company), until=sql.Literal(until), homes=which, receivable=sql.Literal(receivable),
            bills=sql.Literal(list(NOT_PAYMENTS)),
        )  # fmt: skip
        return copy_out(query, columns)

    bills = read(_BILLS, "b.home_id", _BILL_COLUMNS)
    documents = read(_DOCUMENTS, "b.home_id", _DOCUMENT_COLUMNS)
    # what was added after the day is not owed on it; what was taken off never was
    documents = documents.filter((pl.col("fen") <= 0) | (pl.col("since") <= until) | (pl.col("late_fen") != 0))
    return bills, documents, _named(bills, documents, read(_PAID, "c.home_id", _PAID_COLUMNS))


def _named(bills: pl.DataFrame, documents: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """The payments with a bill each; of homes that have received something without a bill, in the order of the ledger."""
    strays = paid.filter(pl.col("bill").is_null())["home"].unique()
    if strays.is_empty():
        return paid
    totals = documents.group_by("bill").agg(pl.col("fen").sum().alias("changed"))
    mine = bills.filter(pl.col("home").is_in(strays.implode())).join(
        totals, on="bill", how="left", maintain_order="left"
    )
    left: dict[int, dict[int, int]] = defaultdict(dict)
    for home, bill, fen, changed in mine.select("home", "bill", "total_fen", "changed").iter_rows():
        left[home][bill] = fen + (changed or 0)
    rows: list[tuple[int, int, date, int]] = []
    for home, bill, on, fen in paid.filter(pl.col("home").is_in(strays.implode())).iter_rows():
        shares = [(bill, fen)] if bill is not None else _oldest_first(left[home], fen)
        for own, share in shares:
            left[home][own] = left[home].get(own, 0) - share
            rows.append((home, own, on, share))
    named = pl.DataFrame(rows, schema=_PAID_COLUMNS, orient="row")
    return pl.concat([paid.filter(~pl.col("home").is_in(strays.implode())), named])


def _oldest_first(left: dict[int, int], fen: int) -> Iterable[tuple[int, int]]:
    found = []
    for bill, still in left.items():
        share = min(fen, still)
        if share > 0:
            found.append((bill, share))
            fen -= share
    return found


def _built(
    bills: pl.DataFrame, documents: pl.DataFrame, paid: pl.DataFrame, which: set[int]
) -> Iterator[StandingBill]:  # fmt: skip
    wanted = pl.Series(list(which), dtype=pl.Int64).implode()
    taken: dict[int, int] = defaultdict(int)
    later: dict[int, list[tuple[date, int]]] = defaultdict(list)
    late: dict[int, int] = defaultdict(int)
    reckoned: dict[int, date] = {}
    for bill, since, fen, late_fen, until in documents.filter(pl.col("bill").is_in(wanted)).iter_rows():
        if fen > 0:
            later[bill].append((since, fen))
        taken[bill] += min(fen, 0)
        late[bill] += late_fen
        if until:
            reckoned[bill] = max(reckoned.get(bill, date.min), date.fromisoformat(until))
    came: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for bill, on, fen in paid.filter(pl.col("bill").is_in(wanted)).select("bill", "on", "fen").iter_rows():
        came[bill].append((on, fen))
    for row in bills.filter(pl.col("bill").is_in(wanted)).iter_rows():
        bill = row[0]
        yield StandingBill(
            *row[:8], row[8] + taken[bill], tuple(sorted(later[bill])), late[bill], reckoned.get(bill), tuple(came[bill])
        )  # fmt: skip
