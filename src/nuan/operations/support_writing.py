"""Tidy tables about money and maintenance → rows of the records. Money rows are only ever added."""

from collections.abc import Callable, Mapping

import polars as pl

from nuan.operations.bulk import Counts, codes_of, upsert
from nuan.records.registry.models import Home
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    CostEntry,
    DebtPayment,
    FundingSource,
    GovernmentDebt,
    Repair,
    SubsidyPayment,
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


SUPPORT_WRITERS: Mapping[str, Callable[[pl.DataFrame], Counts]] = {
    "assets": _assets,
    "repairs": _repairs,
    "costs": _costs,
    "beneficiaries": _beneficiaries,
    "subsidy_payments": _subsidy_payments,
    "debts": _debts,
    "debt_payments": _debt_payments,
    "funding": _funding,
}
