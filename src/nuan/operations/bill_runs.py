"""A bill run from preview to posting: made, proposed by one person, approved by another, posted as exactly what both saw.

What is posted is reckoned anew from the records; if its hash is not the approved one, nothing is posted and the run is made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db import connection

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.operations.approvals import ContentChangedError
from nuan.operations.bill_drafts import Draft, draft_bills
from nuan.operations.bill_inputs import MEASURES
from nuan.operations.ledger import account
from nuan.operations.ledger_bulk import copy_rows, home_accounts, post_many, reserve_ids
from nuan.records.accounts.models import User
from nuan.records.billing.models import Bill, BillException, BillLine, BillRun, Proposal, RunPosting
from nuan.records.registry.models import Company, Home

KIND = "bill_run"
CLAUSE = "2.5.1"
INCOME = {"stop": "stop_income", "connection": "connection_income", "late_fee": "late_income"}
"""Kind of line → account of the chart; everything else is income from heat."""


class NothingToBillError(LookupError):
    def __init__(self, company: str, season: str) -> None:
        super().__init__(f"企业 {company} 在 {season} 季没有可出账的住户 / nothing to bill")


class NoSuchCompanyError(LookupError):
    def __init__(self, code: str) -> None:
        super().__init__(f"没有企业 {code!r} / no such company")


@dataclass(frozen=True, slots=True)
class Posted:
    """`again`: the run was posted before and nothing was written."""

    run: BillRun
    bills: int
    total_fen: int
    again: bool


def preview(company: str, season: str, *, actor: str, pack_name: str | None = None) -> BillRun:
    """Reckon a company's bills and keep the run: totals, exceptions first, fingerprint. Equal content is the run that is there."""
    if not Company.objects.filter(code=company).exists():
        raise NoSuchCompanyError(company)
    draft = draft_bills(company, season, pack_name)
    there = BillRun.objects.filter(company_id=company, season=season, content_hash=draft.content_hash).first()
    if there is not None:
        return there
    with act("preview_bills", actor=actor, subject=f"{company}:{season}", clause=CLAUSE) as row:
        run = BillRun.objects.create(
            company_id=company, season=season, content_hash=draft.content_hash, inputs_hash=draft.inputs.digest,
            rules_fingerprint=draft.fingerprint, packs=draft.inputs.packs.versions(), bills=draft.bills.height,
            total_fen=draft.total_fen, summary=draft.summary | {"pack": pack_name}, created_by=actor[:120],
        )  # fmt: skip
        copy_rows(BillException, draft.exceptions.with_columns(pl.lit(run.pk).alias("run_id")))
        row.details = {"run": run.pk, "bills": run.bills, "total_fen": run.total_fen, "content": run.content_hash}
    return run


def current_draft(run: BillRun) -> Draft:
    """The run's bills as they would be now."""
    return draft_bills(run.company_id, run.season, run.summary.get("pack"))


def propose_run(run: BillRun, *, by: User) -> Proposal:
    """Ask another person. Refused where the records have changed since the run was made, and where nothing would be billed."""
    if not run.bills:
        raise NothingToBillError(run.company_id, run.season)
    if current_draft(run).content_hash != run.content_hash:
        raise ContentChangedError(run.subject)
    summary = {"bills": run.bills, "total_fen": run.total_fen, "season": run.season}
    return approvals.propose(
        kind=KIND, subject=run.subject, company=run.company_id, content_hash=run.content_hash, by=by, summary=summary
    )


def decide_run(run: BillRun, *, by: User, seen_hash: str, approve: bool = True, why: str = "") -> None:
    """Another person's answer, to what they saw (`seen_hash`), while it still is so."""
    proposal = approvals.newest(KIND, run.subject)
    if proposal is None:
        raise approvals.NotApprovedError(run.subject, "还没有提请审批 / has not been proposed")
    now = current_draft(run).content_hash if approve else proposal.content_hash
    approvals.decide(proposal, by=by, seen_hash=seen_hash, content_hash=now, approve=approve, why=why)


def post_run(run: BillRun, *, issued_on: date, actor: str) -> Posted:
    """Number, book and write the run's bills in one transaction. Raises NotApprovedError and ContentChangedError."""
    if RunPosting.objects.filter(run=run).exists():
        return Posted(run, run.bills, run.total_fen, again=True)
    draft = current_draft(run)
    if draft.content_hash != run.content_hash:
        raise ContentChangedError(run.subject)
    proposal = approvals.require(kind=KIND, subject=run.subject, content_hash=draft.content_hash)
    with act("post_bills", actor=actor, subject=run.subject, clause=CLAUSE) as row:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '128MB'")  # the triggers join what is added with what is there
        RunPosting.objects.create(
            run=run, proposal=proposal, content_hash=draft.content_hash, issued_on=issued_on, posted_by=actor[:120]
        )
        first = take_numbers(run.company_id, issued_on.year, draft.bills.height)
        _write(run, draft, issued_on, first, actor)
        row.details = {"bills": run.bills, "total_fen": run.total_fen, "first": first, "content": draft.content_hash}
    return Posted(run, draft.bills.height, draft.total_fen, again=False)


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


def _write(run: BillRun, draft: Draft, issued_on: date, first: int, actor: str) -> None:
    company, year = run.company_id, issued_on.year
    bills = draft.bills.with_columns(
        pl.int_range(first, first + pl.len()).alias("seq"), pl.Series("id", reserve_ids(Bill, draft.bills.height))
    ).with_columns(pl.format(f"{company}-{year}-{{}}", pl.col("seq").cast(pl.String).str.zfill(7)).alias("number"))
    booked = post_many(_entries(run, bills, issued_on), _legs(company, draft, bills), actor=actor)
    inputs = draft.inputs.homes.select("home_id", pl.struct(*_INPUTS).struct.json_encode().alias("inputs"))
    due = pl.DataFrame(
        [(name, each.due_on, version) for name, each in draft.inputs.tariffs.items() if (version := draft.inputs.packs.packs[name].version)],
        schema={"pack": pl.String, "due_on": pl.Date, "pack_version": pl.String}, orient="row",
    )  # fmt: skip
    lines = draft.lines.join(bills.select("home_id", pl.col("id").alias("bill_id")), on="home_id")
    copy_rows(BillLine, lines.drop("home_id"))
    rows = (
        bills.with_columns((pl.lit("bill:") + pl.col("number")).alias("key"))
        .join(booked, on="key", maintain_order="left").join(inputs, on="home_id", maintain_order="left").join(due, on="pack", maintain_order="left")
    )  # fmt: skip
    constant = {"kind": "bill", "run_id": run.pk, "company_id": company, "season": run.season, "year": year}
    copy_rows(
        Bill,
        rows.select(
            "id", "home_id", "seq", "number", "due_on", "total_fen", "entry_id", "pack", "pack_version", "inputs",
            pl.lit(issued_on).alias("issued_on"), *(pl.lit(value).alias(name) for name, value in constant.items()),
        ),
    )  # fmt: skip


_INPUTS = (*MEASURES, "is_dwelling", "metered", "stopped", "in_gj")


def _entries(run: BillRun, bills: pl.DataFrame, issued_on: date) -> pl.DataFrame:
    return bills.select(
        (pl.lit("bill:") + pl.col("number")).alias("key"),
        pl.lit(run.company_id).alias("company"),
        pl.lit("bill").alias("kind"),
        pl.lit(CLAUSE).alias("clause"),
        pl.lit(issued_on).alias("on"),
        (pl.lit(f"{run.season} 季热费 ") + pl.col("number")).alias("memo"),
        (pl.lit('{"bill": "') + pl.col("number") + pl.lit(f'", "run": {run.pk}}}')).alias("details"),
    )


def _legs(company: str, draft: Draft, bills: pl.DataFrame) -> pl.DataFrame:
    """Debit the home's receivable with the bill, credit each kind of income with its lines."""
    receivable = home_accounts(company, "receivable", bills["home_id"].to_list())
    ids = pl.DataFrame({"home_id": list(receivable), "account_id": list(receivable.values())}, schema={"home_id": pl.Int64, "account_id": pl.Int64})  # fmt: skip
    keyed = bills.with_columns((pl.lit("bill:") + pl.col("number")).alias("key"))
    debit = keyed.join(ids, on="home_id").select("key", "account_id", pl.col("total_fen").alias("amount_fen"))
    roles = draft.lines["kind"].unique().to_list()
    income = pl.DataFrame(
        {"kind": roles, "account_id": [account(company, INCOME.get(kind, "heat_income")).pk for kind in roles]},
        schema={"kind": pl.String, "account_id": pl.Int64},
    )
    credit = (
        draft.lines.join(income, on="kind").group_by("home_id", "account_id").agg((-pl.col("amount_fen").sum()).alias("amount_fen"))
        .join(keyed.select("home_id", "key"), on="home_id").select("key", "account_id", "amount_fen")
    )  # fmt: skip
    return pl.concat([debit, credit])


def companies_to_bill(season: str) -> Sequence[str]:
    """Companies that have homes with a contract in a season."""
    found = Home.objects.filter(contracts__season=season).values_list("company_id", flat=True).distinct()
    return sorted(set(found))
