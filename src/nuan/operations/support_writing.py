"""Tidy tables about money and maintenance → rows of the records. Money rows are only ever added."""

import json
from collections.abc import Callable, Mapping

import polars as pl

from nuan.operations.bulk import Counts, codes_of, upsert
from nuan.operations.support_rows import category_words
from nuan.records.registry.models import Home
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    CostEntry,
    DebtPayment,
    FundAccount,
    FundingSource,
    GovernmentDebt,
    LocalPlan,
    PlanTask,
    Repair,
    SubsidyPayment,
    SubsidyProgramme,
)

PLACES = [pl.col(name).alias(f"{name}_id") for name in ("company", "banner")]


def _assets(frame: pl.DataFrame) -> Counts:
    keep = [
        "code", "name", "kind", "owner", "position", "handover", "handed_over_on", "warranty", "warranty_until", "builder",
        "contract_ref",
    ]  # fmt: skip
    return upsert(Asset, frame.select(*keep, *PLACES, pl.col("building").alias("building_id")), ["code"])


def _with_id(frame: pl.DataFrame, column: str, model: type) -> pl.DataFrame:
    ids = codes_of(model).select(pl.col("code").alias(column), pl.col("id").cast(pl.Int64).alias(f"{column}_id"))
    return frame.join(ids, on=column, how="left", maintain_order="left")


def _repairs(frame: pl.DataFrame) -> Counts:
    rows = _with_id(frame, "asset", Asset).select(
        "code", "asset_id", "on", "category", pl.col("cost_yuan").alias("cost_fen"), "charged_to", "invoice_ref", "memo"
    )
    return upsert(Repair, rows, ["code"], add_only=True)


def _costs(frame: pl.DataFrame) -> Counts:
    linked = _with_id(_with_id(frame, "asset", Asset), "repair", Repair)
    rows = linked.select(
        "code", *PLACES, "asset_id", "repair_id", "on", "category", pl.col("amount_yuan").alias("amount_fen"), "in_price_cost",
        "invoice_ref", "memo",
    )  # fmt: skip
    return upsert(CostEntry, rows, ["code"], add_only=True)


def _beneficiaries(frame: pl.DataFrame) -> Counts:
    keep = ["code", "category", "institution", "evidence_ref", "evidence_issuer", "valid_from", "valid_to"]
    return upsert(Beneficiary, _with_id(frame, "home", Home).select(*keep, "home_id"), ["code"])


def _subsidy_payments(frame: pl.DataFrame) -> Counts:
    rows = _with_id(frame, "beneficiary", Beneficiary).select(
        "code", "beneficiary_id", "programme", "season", pl.col("amount_yuan").alias("amount_fen"), "on", "reference"
    )
    return upsert(SubsidyPayment, rows, ["code"], add_only=True)


def _debts(frame: pl.DataFrame) -> Counts:
    keep = ["code", "debtor", "kind", "incurred_on", "due_on", "document"]
    return upsert(GovernmentDebt, frame.select(*keep, *PLACES, pl.col("amount_yuan").alias("amount_fen")), ["code"])


def _debt_payments(frame: pl.DataFrame) -> Counts:
    rows = _with_id(frame, "debt", GovernmentDebt).select(
        "code", "debt_id", pl.col("amount_yuan").alias("amount_fen"), "on", "reference"
    )
    return upsert(DebtPayment, rows, ["code"], add_only=True)


def _funding(frame: pl.DataFrame) -> Counts:
    keep = ["code", "name", "kind", "valid_from", "valid_to", "document", pl.col("banner").alias("banner_id")]
    return upsert(FundingSource, frame.select(*keep, pl.col("committed_yuan").alias("committed_fen")), ["code"])


def _programmes(frame: pl.DataFrame) -> Counts:
    """A version that is recorded stands; a change is a row with a later day of recording."""
    rate = pl.when(pl.col("amount_kind") == "share").then(pl.col("share_percent")).otherwise(pl.col("amount_yuan"))
    keep = [
        "code",
        "season",
        "recorded_on",
        "name",
        "amount_kind",
        "reference_day",
        "due_on",
        "payer",
        "instrument",
        "valid_from",
        "valid_to",
    ]
    rows = frame.select(
        *keep, pl.col("banner").alias("banner_id"), rate.alias("rate"), pl.col("cap_yuan").alias("cap_fen"),
        pl.Series("categories", [json.dumps(category_words(text)[0]) for text in frame["categories"]], dtype=pl.String),
        pl.lit(False).alias("demo"), pl.lit("导入").alias("recorded_by"),
    )  # fmt: skip
    return upsert(SubsidyProgramme, rows, ["code", "season", "recorded_on"], add_only=True)


def _fund_accounts(frame: pl.DataFrame) -> Counts:
    return upsert(FundAccount, frame.select("code", "name", "opened_on", pl.col("banner").alias("banner_id")), ["code"])


def _plans(frame: pl.DataFrame) -> Counts:
    keep = ["code", "season", "title", "first_responsible", "approved_on", "document"]
    return upsert(LocalPlan, frame.select(*keep, pl.col("banner").alias("banner_id")), ["code"])


def _plan_tasks(frame: pl.DataFrame) -> Counts:
    """What has been done is told on the page, with its evidence; a list that comes again does not undo it."""
    rows = _with_id(frame, "plan", LocalPlan).select(
        "plan_id", "number", "text", "owner", "due_on", pl.lit("").alias("evidence")
    )
    there = set(PlanTask.objects.exclude(done_on=None).values_list("plan_id", "number"))
    done = pl.Series([key in there for key in rows.select("plan_id", "number").iter_rows()], dtype=pl.Boolean)
    counts = upsert(PlanTask, rows.filter(~done), ["plan_id", "number"])
    return Counts(counts.created, counts.changed, counts.unchanged + int(done.sum()))


SUPPORT_WRITERS: Mapping[str, Callable[[pl.DataFrame], Counts]] = {
    "assets": _assets,
    "repairs": _repairs,
    "costs": _costs,
    "beneficiaries": _beneficiaries,
    "subsidy_payments": _subsidy_payments,
    "debts": _debts,
    "debt_payments": _debt_payments,
    "funding": _funding,
    "subsidy_programmes": _programmes,
    "fund_accounts": _fund_accounts,
    "plans": _plans,
    "plan_tasks": _plan_tasks,
}
