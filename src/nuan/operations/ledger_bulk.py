"""Booking by the hundred thousand: entries and their legs by COPY, under the same triggers as a single one."""

from collections.abc import Sequence

import polars as pl
from django.db import IntegrityError, connection, models, transaction
from psycopg import sql

from nuan.operations.bulk import ROWS_AT_ONCE, copy_in
from nuan.operations.ledger import EntryBookedOtherwiseError, UnbalancedEntryError
from nuan.records.billing.chart import CHART
from nuan.records.billing.models import Entry, Posting

ENTRY_COLUMNS = ("key", "company", "kind", "clause", "on", "memo", "details")
_THERE = """
SELECT e.key, e.id, e.kind IS DISTINCT FROM s.kind OR e."on" <> s."on" OR e.company_id <> s.company_id OR e.clause <> s.clause
    OR e.memo <> s.memo OR e.details <> s.details
FROM stage_billing_entry s JOIN billing_entry e ON e.key = s.key
"""


def post_many(entries: pl.DataFrame, postings: pl.DataFrame, *, actor: str) -> pl.DataFrame:
    """Book many entries at once, inside an act of the caller's; returns `key` and `entry_id`, in the order given.

    `entries`: key, company, kind, clause, on (date), memo, details (JSON text). `postings`: key, account_id, amount_fen. All are new, or
    all are there with the same content and nothing happens; anything between raises EntryBookedOtherwiseError. Raises
    UnbalancedEntryError before anything is written.
    """
    if entries.is_empty():
        return pl.DataFrame(schema={"key": pl.String, "entry_id": pl.Int64})
    postings = postings.filter(pl.col("amount_fen") != 0)
    _balanced(entries, postings)
    rows = entries.select(
        "key", pl.col("company").alias("company_id"), "kind", "clause", "on", pl.col("on").dt.strftime("%Y-%m").alias("period"),
        "memo", "details", pl.lit(actor[:120]).alias("created_by"),
    )  # fmt: skip
    ids = reserve_ids(Entry, entries.height)
    try:
        with transaction.atomic():
            copy_rows(Entry, rows.with_columns(pl.Series("id", ids, dtype=pl.Int64)))
    except IntegrityError:
        # somebody has booked one of the keys: the same batch again, or another that uses them
        there = _there(rows)
        if not there.height:
            raise
        return _same(entries, postings, there)
    booked = entries.select("key").with_columns(pl.Series("entry_id", ids, dtype=pl.Int64))
    # in the order of the entries, so that a page of one lies together
    legs = postings.join(booked, on="key").sort("entry_id", maintain_order=True)
    copy_rows(Posting, legs.select("entry_id", "account_id", "amount_fen"))
    return booked


def _balanced(entries: pl.DataFrame, postings: pl.DataFrame) -> None:
    sums = postings.group_by("key").agg(pl.col("amount_fen").sum(), pl.len().alias("legs"))
    wrong = (
        entries.select("key")
        .join(sums, on="key", how="left")
        .filter((pl.col("amount_fen") != 0) | pl.col("legs").is_null() | (pl.col("legs") < 2))
    )
    if wrong.height:
        key, fen, legs = wrong.row(0)
        raise UnbalancedEntryError(key, fen or 0, legs or 0)


def _there(rows: pl.DataFrame) -> pl.DataFrame:
    copy_in(Entry, rows)
    with connection.cursor() as cursor:
        cursor.execute(_THERE)
        found = cursor.fetchall()
        cursor.execute("DROP TABLE stage_billing_entry")
    return pl.DataFrame(found, schema={"key": pl.String, "entry_id": pl.Int64, "differs": pl.Boolean}, orient="row")


def _same(entries: pl.DataFrame, postings: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    if other := there.filter("differs")["key"].to_list():
        raise EntryBookedOtherwiseError(other[0], ["content"])
    if there.height < entries.height:
        raise EntryBookedOtherwiseError(there["key"][0], ["batch"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, account_id, amount_fen FROM billing_posting WHERE entry_id = ANY(%s)",
            [there["entry_id"].to_list()],
        )
        schema = {"entry_id": pl.Int64, "account_id": pl.Int64, "amount_fen": pl.Int64}
        booked = pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")
    given = postings.join(there, on="key").select(list(schema))
    if not given.sort(list(schema)).equals(booked.sort(list(schema))):
        raise EntryBookedOtherwiseError(there["key"][0], ["postings"])
    return entries.select("key").join(there.select("key", "entry_id"), on="key", maintain_order="left")


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Fresh primary keys, ascending."""
    numbers = f"SELECT nextval(pg_get_serial_sequence('{model._meta.db_table}', 'id')) AS n FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_agg(n ORDER BY n) FROM ({numbers}) AS fresh", [count])
        return list(cursor.fetchone()[0] or ())


def copy_rows(model: type[models.Model], frame: pl.DataFrame) -> None:
    """COPY straight into a table, triggers and constraints on, then fresh statistics for whoever looks in this transaction."""
    table = sql.Identifier(model._meta.db_table)
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, NULL '\\N')").format(table, columns)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as out:
            for start in range(0, frame.height, ROWS_AT_ONCE):
                piece = frame.slice(start, ROWS_AT_ONCE)
                out.write(piece.write_csv(include_header=False, null_value="\\N", quote_style="necessary").encode())
        if frame.height >= ROWS_AT_ONCE // 10:
            cursor.execute(sql.SQL("ANALYZE {}").format(table))


def home_accounts(company: str, role: str, homes: Sequence[int]) -> dict[int, int]:
    """home id → id of its account of a role; those that are missing are opened in one statement."""
    chart = CHART[role]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_account (code, kind, company_id, home_id, name) "
            "SELECT %s || h.code, %s, %s, h.id, %s FROM registry_home h WHERE h.id = ANY(%s) "
            "ON CONFLICT (code) DO NOTHING",
            [f"{company}/{chart.number}/", chart.kind, company, chart.name, list(homes)],
        )
        cursor.execute(
            "SELECT a.home_id, a.id FROM billing_account a JOIN registry_home h ON h.id = a.home_id "
            "WHERE a.code = %s || h.code AND h.id = ANY(%s)",
            [f"{company}/{chart.number}/", list(homes)],
        )
        return dict(cursor.fetchall())
