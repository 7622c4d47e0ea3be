"""`series.csv`: times in whatever form, a column a point; read generously, checked loudly (docs/leaks.md).

Times stay as they were written beside the seconds that are computed with, so that an alarm says the time as the file does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.leaks.points import Point
from nuan.terms.findings import Finding

Floats = NDArray[np.float64]
TIME_WORDS = (
    "time",
    "timestamp",
    "datetime",
    "date_time",
    "date",
    "ts",
    "t",
    "utc",
    "local_time",
    "time_s",
    "时间",
    "日期",
    "",
)
NOTHING = ["", "NaN", "nan", "NAN", "null", "NULL", "None", "none", "NA", "N/A", "n/a", "#N/A", "-", "--", "bad", "Bad"]
YEAR_FIRST = r"^(?<y>\d{4})[-/.年]?(?<m>\d{1,2})[-/.月]?(?<d>\d{1,2})日?[T ]*(?:(?<h>\d{1,2})[:时h]?(?:(?<i>\d{2})分?:?(?<s>\d{2})?)?)?"
DAY_FIRST = r"^(?<d>\d{1,2})[-/.](?<m>\d{1,2})[-/.](?<y>\d{4})[T ]*(?:(?<h>\d{1,2}):(?<i>\d{2}):?(?<s>\d{2})?)?"
ZONE = r"\d{2}(?::?\d{2}(?:\.\d+)?) ?([+-])(\d{2}):?(\d{2})$"
KPA_ABOVE, PA_ABOVE = 60.0, 20_000.0
"""A pressure without a unit whose median is above this is in kPa, or Pa."""


@dataclass(frozen=True)
class Series:
    """`time_s[T]` ascending, `said[T]` as written, `values` one frame column a point of `points`."""

    points: tuple[Point, ...]
    time_s: NDArray[np.int64]
    said: pl.Series
    values: pl.DataFrame

    def rows(self, start: int, count: int) -> Floats:
        """`[count, points]` in canonical units, NaN where nothing was measured."""
        written = self.values.slice(start, count).to_numpy().astype(np.float64, copy=False)
        factor, offset = np.array([point.scale for point in self.points], np.float64).reshape(-1, 2).T
        return np.ascontiguousarray(written * factor + offset)


def read(source: bytes, points: Sequence[Point]) -> tuple[Series, list[Finding]]:
    """The series of the points that have a column. Raises ValueError with a sentence when it is no table at all."""
    head = source[:65536].decode("utf-8-sig", errors="replace").splitlines()
    first = head[0] if head else ""
    separator = max(",;\t", key=first.count)
    comma = separator == ";" and len(head) > 1 and bool(re.search(r";-?\d+,\d", head[1]))
    try:
        frame = pl.read_csv(
            source, separator=separator, decimal_comma=comma, null_values=NOTHING, infer_schema_length=2000, ignore_errors=True,
            truncate_ragged_lines=True, encoding="utf8-lossy",
        )  # fmt: skip
    except pl.exceptions.NoDataError:
        raise ValueError(
            "series.csv：文件是空的，至少要有表头 / the file is empty; it needs a header at least"
        ) from None
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"series.csv：不是表格 / not a table: {str(error).splitlines()[0]}") from None
    frame = frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns})
    column = next((name for name in frame.columns if name.lower().replace(" ", "_") in TIME_WORDS), frame.columns[0])
    seconds, findings = _seconds(frame[column])
    kept, more = _known(frame, column, points)
    return _ordered(frame, column, seconds, kept, findings + more)


def _finding(
    code: str, zh: str, en: str, remedy: str, field: str | None = None, value: str | None = None, count: int = 1
) -> Finding:
    return Finding("series.csv", code, zh, en, remedy, field=field, value=value, count=count, severity="warning")


def _known(frame: pl.DataFrame, time: str, points: Sequence[Point]) -> tuple[list[Point], list[Finding]]:
    there = {name.strip(): name for name in frame.columns}
    lower = {name.lower(): name for name in there}
    kept, absent = [], []
    for point in points:
        name = point.column if point.column in there else lower.get(point.column.lower())
        if name is None or there[name] == time:
            absent.append(point.column)
        else:
            kept.append(replace(point, column=there[name], unit=_unit(point, frame[there[name]])))
    used = {point.column for point in kept} | {time}
    left = [name for name in frame.columns if name not in used]
    findings = []
    if absent:
        findings.append(
            _finding(
                "column_missing",
                "点表里的列这里没有，不用",
                "columns of points.csv are not here and are left out",
                "查对列名",
                value=_some(absent),
                count=len(absent),
            )
        )
    if left:
        findings.append(
            _finding(
                "column_unknown",
                "点表里没有这些列，不用",
                "columns that points.csv does not know are left out",
                "在 points.csv 里补上",
                value=_some(left),
                count=len(left),
            )
        )
    return kept, findings


def _some(names: list[str]) -> str:
    return "、".join(names[:5]) + ("…" if len(names) > 5 else "")


def _unit(point: Point, column: pl.Series) -> str:
    """The unit of a pressure that names none, by its size."""
    if point.unit or point.quantity != "pressure" or not column.dtype.is_numeric():
        return point.unit
    middle = column.cast(pl.Float64).fill_nan(None).abs().median()
    size = float(middle) if isinstance(middle, int | float) else 0.0
    return "Pa" if size > PA_ABOVE else "kPa" if size > KPA_ABOVE else "bar"


def _seconds(column: pl.Series) -> tuple[pl.Series, list[Finding]]:
    """Epoch seconds, null where the time cannot be read."""
    name = column.name.lower()
    if not column.dtype.is_numeric():
        numeric = column.cast(pl.Float64, strict=False) if column.dtype == pl.String else None
        if column.len() and numeric is not None and numeric.null_count() < 0.5 * column.len():
            column = numeric
    if column.dtype.is_numeric():
        return _from_numbers(column.cast(pl.Float64), name)
    if column.dtype in (pl.Datetime, pl.Date):
        return column.cast(pl.Datetime("us")).dt.epoch("s"), []
    if column.dtype != pl.String:
        return pl.Series(column.name, [None] * column.len(), dtype=pl.Int64), []
    return _from_text(column), []


def _from_numbers(column: pl.Series, name: str) -> tuple[pl.Series, list[Finding]]:
    values = column.drop_nulls().to_numpy()
    size = float(np.median(np.abs(values))) if len(values) else 0.0
    if 1.0e13 <= size < 3.0e14 and len(values) and 19_000_101 <= values[0] / 1e6 <= 21_000_101:
        return _from_text(column.cast(pl.Int64).cast(pl.String)), []
    if 1.9e11 < size < 2.2e11 and 190_001 <= values[0] / 1e6 <= 210_012:
        return _from_text(column.cast(pl.Int64).cast(pl.String)), []
    by = 1e-9 if size > 1e17 else 1e-6 if size > 1e14 else 1e-3 if size > 1e11 else 1.0
    step = float(np.median(np.diff(values))) if len(values) > 2 else 600.0
    findings = []
    if by == 1.0 and size < 1e8:
        if re.search(r"hour|_h$|小时", name):
            by = 3600.0
        elif re.search(r"min", name):
            by = 60.0
        elif 0.0 < step <= 2.0 and not re.search(r"_s$|sec", name):
            by = 3600.0
            findings.append(
                _finding(
                    "time_in_hours",
                    "时间是没有单位的小数字，按小时理解",
                    "the time is small numbers without a unit, taken as hours",
                    "写成 2025-01-02 03:04 或 Unix 秒",
                    field=column.name,
                )
            )
    return (column * by).round(0).cast(pl.Int64, strict=False), findings


def _from_text(column: pl.Series) -> pl.Series:
    """Year first with any separators, or day first; a time zone shifts, none leaves the time as it stands."""
    said = pl.col("said").str.strip_chars()
    form = YEAR_FIRST if column.str.contains(r"^\s*\d{4}").sum() * 2 >= column.drop_nulls().len() else DAY_FIRST
    parts = said.str.extract_groups(form).struct
    number = {name: parts.field(name).cast(pl.Int32, strict=False) for name in "ymdhis"}
    zone = said.str.extract_groups(ZONE).struct
    east = zone.field("2").cast(pl.Int64, strict=False) * 3600 + zone.field("3").cast(pl.Int64, strict=False) * 60
    shift = pl.when(zone.field("1") == "-").then(-east).otherwise(east).fill_null(0)
    date = pl.format("{}-{}-{}", *(number[name] for name in "ymd")).str.to_date("%Y-%m-%d", strict=False)
    moment = date.cast(pl.Datetime("us")).dt.epoch("s")
    clock = (
        number["h"].fill_null(0).cast(pl.Int64) * 3600
        + number["i"].fill_null(0).cast(pl.Int64) * 60
        + number["s"].fill_null(0)
    )
    return column.alias("said").to_frame().select((moment + clock - shift).alias(column.name)).to_series()


def _ordered(
    frame: pl.DataFrame, column: str, seconds: pl.Series, kept: list[Point], findings: list[Finding]
) -> tuple[Series, list[Finding]]:
    said = frame[column].cast(pl.String)
    unread = seconds.null_count()
    if unread:
        row = int(seconds.is_null().arg_max() or 0)
        findings.append(
            _finding(
                "time_unreadable",
                "时间读不懂的行不用",
                "rows whose time cannot be read are left out",
                "写成 2025-01-02 03:04:05 或 Unix 秒",
                field=column,
                value=f"row {row + 2}: {said[row]}",
                count=unread,
            )
        )
    values = (
        frame.select(pl.col(point.column).cast(pl.Float64, strict=False) for point in kept) if kept else pl.DataFrame()
    )
    table = pl.DataFrame(
        {"__s": seconds.rename("__s"), "__said": said.rename("__said"), "__row": np.arange(frame.height)}
    ).drop_nulls("__s")
    if not table["__s"].is_sorted():
        findings.append(
            _finding(
                "not_ascending", "时间不是递增的，已排序", "times do not ascend; rows were sorted", "按时间排序后再给"
            )
        )
        table = table.sort("__s", maintain_order=True)
    again = table.height - table["__s"].n_unique()
    if again:
        findings.append(
            _finding(
                "time_twice",
                "同一时间有多行，用最后一行",
                "a time stands twice; the last row counts",
                "每个时间一行",
                count=again,
            )
        )
        table = table.unique("__s", keep="last", maintain_order=True)
    order = table["__row"].to_numpy()
    if values.width and not (len(order) == frame.height and bool(np.all(np.diff(order) == 1))):
        values = values[order]
    return Series(tuple(kept), table["__s"].to_numpy(), table["__said"], values), findings
