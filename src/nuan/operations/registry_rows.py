"""What only shows between rows: doubles, references to nothing, spans that end before they begin."""

from collections.abc import Iterator, Mapping

import polars as pl
from django.db import models

from nuan.operations.bulk import codes_of
from nuan.operations.patrol_rows import patrol_findings
from nuan.operations.registry_cells import rows_at_fault
from nuan.operations.registry_tables import TABLES, RegistryTable
from nuan.operations.support_rows import support_findings
from nuan.records.hazards.models import PatrolRoute
from nuan.records.registry.models import Banner, Building, Company, HeatSource, Home, Loop, Substation
from nuan.records.support.models import Asset, Beneficiary, GovernmentDebt, LocalPlan, Repair
from nuan.terms.findings import Finding

MODELS: Mapping[str, type[models.Model]] = {
    "banners": Banner,
    "companies": Company,
    "sources": HeatSource,
    "substations": Substation,
    "loops": Loop,
    "buildings": Building,
    "homes": Home,
    "assets": Asset,
    "repairs": Repair,
    "beneficiaries": Beneficiary,
    "debts": GovernmentDebt,
    "plans": LocalPlan,
    "patrol_routes": PatrolRoute,
}
LEVEL_TABLES = {
    "source": "sources",
    "substation": "substations",
    "loop": "loops",
    "building": "buildings",
    "home": "homes",
}
HOME_SHARED = ("building", "entrance", "floor", "door", "home_class")


def check_rows(tables: Mapping[str, pl.DataFrame]) -> list[Finding]:
    """All findings of tidy tables. Places may stand in the tables themselves or already in the records."""
    findings: list[Finding] = []
    known: dict[str, pl.Series] = {}

    def codes(name: str) -> pl.Series:
        if name not in known:
            given = tables[name]["code"] if name in tables else pl.Series("code", [], dtype=pl.String)
            known[name] = pl.concat([given, codes_of(MODELS[name])["code"]]).unique()
        return known[name]

    for name, frame in tables.items():
        table = TABLES[name]
        findings.extend(_doubles(table, frame))
        for field in table.fields:
            if field.refers:
                unknown = frame[field.name].is_not_null() & ~frame[field.name].is_in(codes(field.refers).implode())
                findings.extend(
                    rows_at_fault(unknown, table, field.name, frame, _nowhere(TABLES[field.refers].zh, field.refers))
                )
        if name == "outages":
            for level, above in LEVEL_TABLES.items():
                unknown = (frame["level"] == level) & ~frame["place"].is_in(codes(above).implode())
                findings.extend(
                    rows_at_fault(unknown, table, "place", frame, _nowhere(TABLES[above].zh, above))
                )  # fmt: skip
            findings.extend(_backwards(table, frame, "started_at", "ended_at"))
        if name == "vehicles":
            findings.extend(_backwards(table, frame, "available_from", "available_to"))
        if name == "homes":
            findings.extend(_seasons(table, frame))
        findings.extend(support_findings(table, frame))
        findings.extend(patrol_findings(table, frame, tables))
    return findings


def _nowhere(zh: str, name: str) -> tuple[str, str, str, str]:
    return (
        "unknown_place",
        f"没有这个{zh}",
        f"not among the {name}",
        f"请先登记该{zh}（{name} 表），或改正代码。",
    )


def _doubles(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    if frame.is_empty():
        return
    first = frame.with_row_index("_row").select(pl.col("_row").first().over(*table.key).alias("first"))["first"]
    twice = first < pl.int_range(frame.height, dtype=first.dtype, eager=True)
    example = first.filter(twice).head(1).sum() + 2
    yield from rows_at_fault(
        twice, table, table.key[0], frame,
        ("double", f"重复（首次见第 {example} 行）", f"given twice (first in row {example})", "每个编号只能出现一次；请删去重复的行。"),
    )  # fmt: skip
    if table.name == "homes":
        shape = pl.struct(HOME_SHARED).n_unique().over("code") > 1
        differs = frame.select(shape.alias("differs"))["differs"] & frame["code"].is_not_null() & ~twice
        yield from rows_at_fault(
            differs, table, "code", frame,
            ("contradiction", "同一户在不同采暖季的楼栋、门牌或类别不一致", "one home, two descriptions", "请统一楼栋、单元、楼层、房号与类别。"),
        )  # fmt: skip


def _backwards(table: RegistryTable, frame: pl.DataFrame, start: str, end: str) -> Iterator[Finding]:
    yield from rows_at_fault(
        frame[end] < frame[start], table, end, frame,
        ("backwards", "结束早于开始", "ends before it starts", "请核对起止时间。"),
    )  # fmt: skip


def _seasons(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    years = frame["season"].str.extract_groups(r"^(\d{4})-(\d{4})$")
    first, last = (
        years.struct.field("1").cast(pl.Int64, strict=False),
        years.struct.field("2").cast(pl.Int64, strict=False),
    )
    wrong = frame["season"].is_not_null() & ~(last - first).is_in([0, 1]).fill_null(False)
    yield from rows_at_fault(
        wrong, table, "season", frame,
        ("not_a_season", "不是采暖季", "not a season", "请写成起止年份，如 2025-2026。"),
    )  # fmt: skip
    dear = frame["base_fee_yuan"] > frame["season_fee_yuan"]
    yield from rows_at_fault(
        dear, table, "base_fee_yuan", frame,
        ("implausible", "基本热费大于采暖季热费", "the base fee exceeds the season fee", "请核对两项热费。"),
    )  # fmt: skip
