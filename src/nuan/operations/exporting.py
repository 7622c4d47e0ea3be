"""Lists for other programs: judgements, homes, refunds, the board. Persons are masked unless a reason is given, which is written down."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from django.db import connection

from nuan.operations.acts import act
from nuan.operations.workbooks import RISKY

FORMATS = ("csv", "xlsx", "parquet", "json")
_SECONDS = "to_char(to_timestamp({0}) AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')"
_JUDGEMENTS = f"""
SELECT j.clause, j.subject_level, j.subject, j.item, j.company_code, j.banner_code, {_SECONDS.format("j.period_start")} AS period_start,
       {_SECONDS.format("j.period_end")} AS period_end, j.verdict, j.why, j.value, j.threshold, j.unit, j.amount_fen, j.branch, j.pack,
       j.run_id AS run
FROM supervision_currentjudgement c JOIN supervision_judgement j ON j.id = c.judgement_id JOIN supervision_run r ON r.id = j.run_id
WHERE r.season = %(season)s {{more}} ORDER BY j.clause, j.subject, j.item
"""
_HOMES = """
SELECT h.code AS subject, h.building_id AS building, h.substation_id AS substation, h.company_id AS company_code,
       h.banner_id AS banner_code, s.days_met, s.days_breached, s.days_undecidable,
       CASE WHEN s.mean_c100 IS NOT NULL THEN s.hours_below END AS hours_below,
       CASE WHEN s.mean_c100 IS NOT NULL THEN s.longest_below_h END AS longest_below_h, s.min_c100, s.mean_c100, s.last_temp_c100
FROM supervision_homeseason s JOIN registry_home h ON h.id = s.home_id WHERE s.season = %(season)s ORDER BY h.code
"""
_BOARD = """
SELECT clause, column_level, "column", colour, number, met, breached, undecidable, amount_fen,
       to_char(computed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') AS computed_at
FROM supervision_boardcell ORDER BY clause, column_level, "column"
"""
_STATEMENTS = {
    "judgements": _JUDGEMENTS.format(more=""),
    "refunds": _JUDGEMENTS.format(more="AND j.amount_fen > 0"),
    "homes": _HOMES,
    "board": _BOARD,
}
KINDS = tuple(_STATEMENTS)


class ExportFormatError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” is no format; known: {', '.join(FORMATS)}")


@dataclass(frozen=True)
class Exported:
    rows: int
    masked: bool
    path: Path


def export(
    kind: str, path: Path, *, season: str, format_name: str, actor: str, reason: str = "", today: date | None = None
) -> Exported:
    """Write one list to `path`. With a `reason` the homes' doors are in it, and the audit log says who asked and why.

    Raises ExportFormatError, KeyError for an unknown kind.
    """
    writer = _WRITERS.get(format_name)
    if writer is None:
        raise ExportFormatError(format_name)
    frame = _read(_STATEMENTS[kind], season)
    masked = not reason.strip() and "subject" in frame.columns
    if masked:
        frame = mask_homes(frame)
    if reason.strip():
        with act("export_with_doors", actor=actor, subject=kind, why=reason.strip()) as record:
            record.details |= {"season": season, "rows": frame.height, "format": format_name}
    part = path.with_name(path.name + ".part")
    part.write_bytes(writer(frame))
    part.replace(path)
    return Exported(frame.height, masked, path)


def _read(statement: str, season: str) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"season": season})
        names = [column.name for column in cursor.description or ()]
        frame = pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
    # a column without any value, or a list without rows, has no type of its own
    return frame.with_columns(pl.col(pl.Null).cast(pl.String))


def mask_homes(frame: pl.DataFrame) -> pl.DataFrame:
    """Homes lose their door: `B0042-1-0301` → `B0042-1-**`, and `F07` → `**`. Places that nobody lives in keep their codes."""
    is_home = pl.col("subject_level") == "home" if "subject_level" in frame.columns else pl.lit(True)
    door = pl.col("subject").str.replace(r"[^-]*$", "**")
    return frame.with_columns(pl.when(is_home).then(door).otherwise("subject").alias("subject"))


_RISKY = "^[" + re.escape("".join(RISKY)) + "]"


def _safe(frame: pl.DataFrame) -> pl.DataFrame:
    """A cell that a spreadsheet would run as a formula is made into text."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    risky = {name: pl.col(name).str.contains(_RISKY) for name in texts}
    return frame.with_columns(
        pl.when(bad).then(pl.lit("'") + pl.col(name)).otherwise(name).alias(name) for name, bad in risky.items()
    )


def _csv(frame: pl.DataFrame) -> bytes:
    return b"\xef\xbb\xbf" + _safe(frame).write_csv().encode()


def spreadsheet(frame: pl.DataFrame) -> bytes:
    """An xlsx of one sheet; texts that a spreadsheet would run are made harmless."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("nuan")
    sheet.append(frame.columns)
    for row in _safe(frame).iter_rows():
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def _json(frame: pl.DataFrame) -> bytes:
    rows: list[dict[str, Any]] = frame.to_dicts()
    return json.dumps(rows, ensure_ascii=False, default=str).encode()


_WRITERS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": _csv,
    "xlsx": spreadsheet,
    "parquet": _parquet,
    "json": _json,
}
