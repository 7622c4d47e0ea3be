"""Judgements: a verdict on a subject and period, with the value, the threshold, the money and the branch that decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Verdict(StrEnum):
    MET = "met"
    BREACHED = "breached"
    UNDECIDABLE = "undecidable"

    @property
    def zh(self) -> str:
        return {"met": "达标", "breached": "不达标", "undecidable": "无法判定"}[self.value]


WHY: dict[str, tuple[str, str]] = {
    "": ("", ""),
    "undercovered": ("有效读数不足，不能算达标，也不能算不达标", "too few trusted readings to decide either way"),
    "no_readings": ("没有读数", "no readings"),
    "parameter_unknown": ("规定的数值未载明", "the law does not state the number"),
    "interpretation_unsigned": (
        "解释口径未签署，各种口径结果不同",
        "an open interpretation would change the result and nobody has signed it",
    ),
    "fee_unknown": ("热费未载明，金额无法计算", "the fee is not known, so the amount cannot be computed"),
    "fact_missing": ("缺少事实记录", "a fact is missing"),
    "cause_unknown": ("停热原因未查明", "the cause of the outage is not established"),
    "not_ended": ("事件尚未结束", "the event has not ended"),
    "in_outage": ("当时处于停热事件之中，按停热条款处理", "it fell into an outage, which its own clause judges"),
    "no_design_weather": ("没有天气对应的应供水温或应供热量", "what the weather asked for is not known"),
    "sensor_not_evidence": ("传感器读数仅作预警，不作证据", "sensor readings are a warning only, not evidence"),
}

SCHEMA: dict[str, pl.DataType] = {
    "clause": pl.String(),
    "subject_level": pl.String(),
    "subject": pl.String(),
    "item": pl.String(),
    "period_start": pl.Int64(),
    "period_end": pl.Int64(),
    "verdict": pl.String(),
    "why": pl.String(),
    "value": pl.Int64(),
    "threshold": pl.Int64(),
    "unit": pl.String(),
    "amount_fen": pl.Int64(),
    "branch": pl.String(),
    "facts": pl.String(),
}


class JudgementShapeError(TypeError):
    def __init__(self, clause: str, detail: str) -> None:
        super().__init__(f"clause {clause}: {detail}")


@dataclass(frozen=True)
class Judgements:
    """Rows of the columns in `SCHEMA`; (clause, subject_level, subject, item) is unique. `facts` is a JSON text of figures and references."""

    frame: pl.DataFrame

    @classmethod
    def of(cls, clause: str, frame: pl.DataFrame) -> "Judgements":
        """Fill the columns that a rule left out, and refuse what is not of the shape."""
        unknown = set(frame.columns) - set(SCHEMA)
        if unknown:
            raise JudgementShapeError(clause, f"unknown columns {sorted(unknown)}")
        fills: dict[str, pl.Expr] = {
            "clause": pl.lit(clause), "why": pl.lit(""), "item": pl.lit("season"), "facts": pl.lit("{}"), "unit": pl.lit(""),
        }  # fmt: skip
        missing = [name for name in SCHEMA if name not in frame.columns]
        full = frame.with_columns([fills.get(name, pl.lit(None)).alias(name) for name in missing])
        full = full.select([pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()])
        key = ["clause", "subject_level", "subject", "item"]
        if full.select(pl.struct(key).is_duplicated().any()).item() if full.height else False:
            first = full.filter(pl.struct(key).is_duplicated()).row(0, named=True)
            raise JudgementShapeError(clause, f"judged twice: {first['subject']} {first['item']}")
        return cls(full)

    @classmethod
    def none(cls, clause: str) -> "Judgements":
        return cls.of(clause, pl.DataFrame(schema=SCHEMA))

    @classmethod
    def concat(cls, parts: Iterable["Judgements"]) -> "Judgements":
        return cls(pl.concat([pl.DataFrame(schema=SCHEMA), *(part.frame for part in parts)]))

    def __len__(self) -> int:
        return self.frame.height

    @property
    def total_fen(self) -> int:
        return int(self.frame["amount_fen"].sum() or 0)
