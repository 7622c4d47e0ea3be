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
from nuan.operations.bill_writing import CLAUSE, lock_company, numbered, write_bills
from nuan.operations.ledger import require_open
from nuan.operations.ledger_bulk import copy_rows
from nuan.records.accounts.models import User
from nuan.records.billing.models import BillException, BillRun, Proposal, RunPosting
from nuan.records.registry.models import Company, Home

KIND = "bill_run"


class NothingToBillError(LookupError):
    def __init__(self, company: str, season: str) -> None:
        super().__init__(f"企业 {company} 在 {season} 季没有可出账的住户 / nothing to bill")


class AllBilledError(NothingToBillError):
    """Every home of the company has its bill, and none is kept back: another run would be empty."""

    def __init__(self, company: str, season: str, billed: int) -> None:
        LookupError.__init__(
            self,
            f"企业 {company} 在 {season} 季的 {billed:,} 户都已出账，没有新的账单；更正请调整或冲销原账单 / all homes are billed",
        )


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
    """Reckon a company's bills and keep the run: totals, exceptions first, fingerprint. Equal content is the run that is there.

    Raises NoSuchCompanyError, and NothingToBillError where no home is to be billed and none is kept back.
    """
    if not Company.objects.filter(code=company).exists():
        raise NoSuchCompanyError(company)
    draft = draft_bills(company, season, pack_name)
    if not draft.bills.height and not draft.exceptions.height:
        if billed := draft.summary["billed_already"]:
            raise AllBilledError(company, season, billed)
        raise NothingToBillError(company, season)
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
    """Number, book and write the run's bills in one transaction. Raises NotApprovedError, ContentChangedError, ClosedBooksError.

    Whoever posts the same company, or stops the heat of one of its homes, waits at the company's row: what is reckoned here is what is booked.
    """
    with act("post_bills", actor=actor, subject=run.subject, clause=CLAUSE) as row:
        lock_company(run.company_id)
        if RunPosting.objects.filter(run=run).exists():
            row.nothing_changed = True
            return Posted(run, run.bills, run.total_fen, again=True)
        require_open(run.company_id, issued_on)
        draft = current_draft(run)
        if draft.content_hash != run.content_hash:
            raise ContentChangedError(run.subject)
        proposal = approvals.require(kind=KIND, subject=run.subject, content_hash=draft.content_hash)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '128MB'")  # the triggers join what is added with what is there
        RunPosting.objects.create(
            run=run, proposal=proposal, content_hash=draft.content_hash, issued_on=issued_on, posted_by=actor[:120]
        )
        first = _write(run, draft, issued_on, actor)
        row.details = {"bills": run.bills, "total_fen": run.total_fen, "first": first, "content": draft.content_hash}
    return Posted(run, draft.bills.height, draft.total_fen, again=False)


def _write(run: BillRun, draft: Draft, issued_on: date, actor: str) -> int:
    """The first number given."""
    bills = numbered(draft.bills, run.company_id, issued_on.year)
    inputs = draft.inputs.homes.select("home_id", pl.struct(*_INPUTS).struct.json_encode().alias("inputs"))
    due = pl.DataFrame(
        [(name, each.due_on, version) for name, each in draft.inputs.tariffs.items() if (version := draft.inputs.packs.packs[name].version)],
        schema={"pack": pl.String, "due_on": pl.Date, "pack_version": pl.String}, orient="row",
    )  # fmt: skip
    lines = draft.lines.join(bills.select("home_id", pl.col("id").alias("bill_id")), on="home_id").drop("home_id")
    rows = (
        bills.join(inputs, on="home_id", maintain_order="left").join(due, on="pack", maintain_order="left").drop("home")
        .with_columns(
            pl.lit(run.season).alias("season"), pl.lit(run.pk).alias("run_id"),
            (pl.lit(f"{run.season} 季热费 ") + pl.col("number")).alias("entry_memo"),
            (pl.lit('{"bill": "') + pl.col("number") + pl.lit(f'", "run": {run.pk}}}')).alias("entry_details"),
        )
    )  # fmt: skip
    write_bills(run.company_id, "bill", rows, lines, on=issued_on, actor=actor)
    return int(bills["seq"][0])


_INPUTS = (*MEASURES, "is_dwelling", "metered", "stopped", "in_gj")


def companies_to_bill(season: str) -> Sequence[str]:
    """Companies that have homes with a contract in a season."""
    found = Home.objects.filter(contracts__season=season).values_list("company_id", flat=True).distinct()
    return sorted(set(found))
