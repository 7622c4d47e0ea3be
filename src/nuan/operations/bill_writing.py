"""Bills and documents into the records: numbered without holes, booked, with their lines, all by COPY under every trigger. One writer for a
run of a million bills and for a single adjustment."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl
from django.db import connection

from nuan.operations.ledger import account
from nuan.operations.ledger_bulk import copy_rows, home_accounts, post_many, reserve_ids
from nuan.records.billing.models import Bill, BillLine
from nuan.records.registry.models import Company

CLAUSE = "2.5.1"
INCOME = {"stop": "stop_income", "connection": "connection_income", "late_fee": "late_income"}
"""Kind of line → account of the chart; everything else is income from heat."""
LINES = {
    "bill_id": pl.Int64, "position": pl.Int64, "kind": pl.String, "part": pl.Int64, "quantity": pl.Int64, "amount_fen": pl.Int64,
    "parameter": pl.String, "words": pl.String,
}  # fmt: skip
_DOCUMENTS = {
    "home_id": pl.Int64, "about_id": pl.Int64, "season": pl.String, "due_on": pl.Date, "total_fen": pl.Int64, "pack": pl.String,
    "pack_version": pl.String, "inputs": pl.String, "memo": pl.String, "about": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewLine:
    kind: str
    amount_fen: int
    words: str = ""
    quantity: int = 0
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document about the bill `about` (its key and number), which says the same home, season and rules as the bill."""

    about: tuple[int, str]
    home_id: int
    season: str
    pack: str
    pack_version: str
    lines: Sequence[NewLine]
    memo: str
    due_on: date | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


def lock_company(company: str) -> None:
    """Whoever bills a company, charges it for being late or decides what it will be billed for waits for the one before."""
    Company.objects.select_for_update(no_key=True).get(pk=company)


def take_numbers(company: str, year: int, count: int) -> int:
    """The first of `count` consecutive numbers. The counter's row is locked until the transaction ends, and a rollback gives them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_billcounter AS c (company_id, year, last) VALUES (%s, %s, %s) "
            "ON CONFLICT (company_id, year) DO UPDATE SET last = c.last + excluded.last RETURNING last",
            [company, year, count],
        )
        return int(cursor.fetchone()[0]) - count + 1


def bill_number(company: str, year: int, seq: int) -> str:
    """
    >>> bill_number("C01", 2025, 42)
    'C01-2025-0000042'
    """
    return f"{company}-{year}-{seq:07d}"


def numbered(bills: pl.DataFrame, company: str, year: int) -> pl.DataFrame:
    """The frame with `id`, `seq` and `number`, in its order."""
    first = take_numbers(company, year, bills.height)
    return bills.with_columns(
        pl.int_range(first, first + pl.len()).alias("seq"), pl.Series("id", reserve_ids(Bill, bills.height), dtype=pl.Int64)
    ).with_columns(pl.format(f"{company}-{year}-{{}}", pl.col("seq").cast(pl.String).str.zfill(7)).alias("number"))  # fmt: skip


def write_bills(company: str, kind: str, bills: pl.DataFrame, lines: pl.DataFrame, *, on: date, actor: str) -> None:
    """Book and write what `numbered` has numbered; inside an act and its transaction.

    `bills`: id, seq, number, home_id, season, due_on, total_fen, pack, pack_version, inputs (JSON), entry_memo, entry_details (JSON), and any
    of about_id, run_id, memo. `lines` as `LINES`.
    """
    keyed = bills.with_columns((pl.lit("bill:") + pl.col("number")).alias("key"))
    entries = keyed.select(
        "key", pl.lit(company).alias("company"), pl.lit(kind).alias("kind"), pl.lit(CLAUSE).alias("clause"), pl.lit(on).alias("on"),
        pl.col("entry_memo").alias("memo"), pl.col("entry_details").alias("details"),
    )  # fmt: skip
    booked = post_many(entries, _legs(company, keyed, lines), actor=actor)
    copy_rows(BillLine, lines)
    rows = keyed.join(booked, on="key", maintain_order="left").drop("key", "entry_memo", "entry_details")
    constant = {"kind": kind, "company_id": company, "year": on.year, "issued_on": on}
    copy_rows(Bill, rows.with_columns(*(pl.lit(value).alias(name) for name, value in constant.items())))


def _legs(company: str, keyed: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Debit the home's receivable with the bill, credit each kind of income with its lines."""
    receivable = home_accounts(company, "receivable", keyed["home_id"].unique().to_list())
    ids = pl.DataFrame({"home_id": list(receivable), "account_id": list(receivable.values())}, schema={"home_id": pl.Int64, "account_id": pl.Int64})  # fmt: skip
    debit = keyed.join(ids, on="home_id").select("key", "account_id", pl.col("total_fen").alias("amount_fen"))
    kinds = lines["kind"].unique().to_list()
    income = pl.DataFrame(
        {"kind": kinds, "account_id": [account(company, INCOME.get(kind, "heat_income")).pk for kind in kinds]},
        schema={"kind": pl.String, "account_id": pl.Int64},
    )
    credit = (
        lines.join(income, on="kind").group_by("bill_id", "account_id").agg((-pl.col("amount_fen").sum()).alias("amount_fen"))
        .join(keyed.select("key", pl.col("id").alias("bill_id")), on="bill_id").select("key", "account_id", "amount_fen")
    )  # fmt: skip
    return pl.concat([debit, credit])


def write_documents(
    company: str, kind: str, documents: Sequence[NewDocument], *, on: date, actor: str
) -> list[tuple[int, str]]:
    """Documents about bills of a company, each with its own number; their keys and numbers, in order. Inside an act and its transaction."""
    if not documents:
        return []
    frame = pl.DataFrame(
        [
            (each.home_id, each.about[0], each.season, each.due_on, each.total_fen, each.pack, each.pack_version,
             json.dumps(dict(each.inputs), ensure_ascii=False, default=str), each.memo.strip()[:200], each.about[1])
            for each in documents
        ],
        schema=_DOCUMENTS, orient="row",
    )  # fmt: skip
    frame = numbered(frame, company, on.year)
    lines = pl.DataFrame(
        [
            (number, position, line.kind, 0, line.quantity, line.amount_fen, line.parameter, line.words[:200])
            for number, each in zip(frame["id"].to_list(), documents, strict=True)
            for position, line in enumerate(each.lines, 1)
        ],
        schema=LINES, orient="row",
    )  # fmt: skip
    words = pl.format("{} {}", "memo", "number").str.slice(0, 200).alias("entry_memo")
    details = pl.concat_str(pl.lit('{"bill": "'), "number", pl.lit('", "about": "'), "about", pl.lit('"}')).alias("entry_details")  # fmt: skip
    write_bills(company, kind, frame.with_columns(words, details).drop("about"), lines, on=on, actor=actor)
    return list(frame.select("id", "number").iter_rows())
