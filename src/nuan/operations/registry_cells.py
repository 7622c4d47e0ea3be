"""Cells of a registry table → columns of the kind that the table asks for, and all that is wrong with them. Vectorised."""

from collections.abc import Iterator

import polars as pl

from nuan.operations.registry_tables import Field, RegistryTable, words_of
from nuan.terms.findings import Finding

SHOWN = 5
"""So many rows of one kind of fault are shown one by one; the rest are counted in the last."""
TRUE = ("true", "1", "yes", "y", "是", "有", "√", "t")
FALSE = ("false", "0", "no", "n", "否", "无", "×", "f")
EXCEL_EPOCH = pl.lit("1899-12-30").str.to_date()
DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S")
MOMENT_FORMATS = tuple(
    f"{day}{gap}{clock}"
    for day in DATE_FORMATS[:4]
    for gap in (" ", "T")
    for clock in ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f")
)


def rows_at_fault(
    mask: pl.Series, table: RegistryTable, field: str, frame: pl.DataFrame, text: tuple[str, str, str, str]
) -> Iterator[Finding]:
    """Findings for the rows where `mask` is true; `text` = code, Chinese, English, remedy. Row 1 of a file is its header."""
    rows = mask.fill_null(False).arg_true()
    code, zh, en, remedy = text
    cells = frame[field] if field in frame.columns else None
    for n, row in enumerate(rows[:SHOWN].to_list()):
        last = n == SHOWN - 1
        value = None if cells is None or cells[row] is None else str(cells[row])
        count = len(rows) - n if last else 1
        yield Finding(table.name, code, zh, en, remedy, row=row + 2, field=field, value=value, count=count)


def tidy(table: RegistryTable, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    """The frame with the table's columns and kinds, and its findings. Cells at fault are null in the result."""
    findings: list[Finding] = []
    headers = table.headers
    names: dict[str, str] = {}
    for header in frame.columns:
        name = headers.get(header.strip().lstrip("\ufeff"))
        if name is None:
            findings.append(
                Finding(
                    table.name,
                    "unknown_column",
                    "多出此列，未读取",
                    "the column is not known and was left out",
                    f"规定的列：{'、'.join(headers)}。",
                    field=header,
                    severity="warning",
                )
            )
        elif name in names:
            findings.append(
                Finding(
                    table.name,
                    "double_column",
                    f"与“{names[name]}”是同一列",
                    f"the same column as “{names[name]}”",
                    "请只保留一列。",
                    field=header,
                )
            )
        else:
            names[name] = header
    frame = frame.select(pl.col(header).alias(name) for name, header in names.items())
    columns: list[pl.Series] = []
    for field in table.fields:
        if field.name not in frame.columns:
            if field.required:
                findings.append(
                    Finding(
                        table.name,
                        "missing_column",
                        "缺少此列",
                        "the column is missing",
                        f"请补上“{field.zh[0]}”（{field.name}）列。",
                        field=field.name,
                    )
                )
            columns.append(_default(field, pl.Series(field.name, [None] * frame.height, dtype=dtype_of(field))))
            continue
        column, wrong, text = _kinds(field, frame[field.name])
        findings.extend(rows_at_fault(wrong, table, field.name, frame, text))
        empty = column.is_null() & ~wrong
        if field.required:
            findings.extend(
                rows_at_fault(
                    empty, table, field.name, frame, ("empty", "不能为空", "must not be empty", "请填写，或删去该行。")
                )
            )
        findings.extend(_bounds(table, field, column, frame))
        columns.append(_default(field, column))
    return pl.DataFrame(columns), findings


def dtype_of(field: Field) -> pl.DataType:
    return {
        "text": pl.String(), "int": pl.Int64(), "float": pl.Float64(), "decimal": pl.Int64(), "bool": pl.Boolean(),
        "date": pl.Date(), "moment": pl.Datetime("us", "UTC"),
    }[field.kind]  # fmt: skip


def _default(field: Field, column: pl.Series) -> pl.Series:
    if field.default is not None:
        column = column.fill_null(field.default)
    return column.cast(dtype_of(field)).alias(field.name)


def _bounds(table: RegistryTable, field: Field, column: pl.Series, frame: pl.DataFrame) -> Iterator[Finding]:
    if field.allowed:
        known = column.is_null() | column.is_in(list(field.allowed))
        yield from rows_at_fault(
            ~known,
            table,
            field.name,
            frame,
            ("unknown_word", "不是规定的取值", "not one of the allowed words", f"可用：{'、'.join(field.allowed)}。"),
        )
    if field.low is not None and field.high is not None:
        outside = (column < field.low * field.scale) | (column > field.high * field.scale)
        yield from rows_at_fault(
            outside,
            table,
            field.name,
            frame,
            (
                "implausible",
                "超出合理范围",
                "outside the plausible range",
                f"应在 {field.low} 与 {field.high} 之间；请核对单位（面积为平方米，金额为元，燃料为吨）。",
            ),
        )


Kinds = tuple[pl.Series, pl.Series, tuple[str, str, str, str]]


def _text(column: pl.Series) -> pl.Series:
    """As text, trimmed; empty is null. 42.0 from a spreadsheet is 42."""
    if column.dtype.is_float():
        whole = (column == column.floor()).all()
        column = column.cast(pl.Int64, strict=False) if whole else column
    return pl.select(pl.lit(column.cast(pl.String)).str.strip_chars().replace("", None)).to_series()


def _kinds(field: Field, column: pl.Series) -> Kinds:
    kind = field.kind
    if kind == "text":
        text = _text(column)
        if field.allowed:
            text = text.replace(words_of(field))
        return text, pl.repeat(False, len(column), eager=True), ("", "", "", "")
    if kind in ("int", "float", "decimal"):
        return _numbers(field, column)
    if kind == "bool":
        return _booleans(column)
    return _dates(column) if kind == "date" else _moments(column)


def _numbers(field: Field, column: pl.Series) -> Kinds:
    empty = column.is_null()
    if column.dtype == pl.String:
        text = _text(column).str.replace_all("[,，\\s]", "")
        empty = text.is_null() | (text == "")
        number = text.cast(pl.Float64, strict=False)
    else:
        number = column.cast(pl.Float64)
    number = number.replace(float("nan"), None)
    if field.kind == "float":
        wrong = number.is_null() & ~empty
        return number, wrong, ("not_a_number", "不是数字", "not a number", "请只填数字，不带单位。")
    steps = (number * field.scale).round()
    coarse = (number * field.scale - steps).abs() > 1e-4
    wrong = (number.is_null() | number.is_infinite() | coarse | (steps.abs() > 2**53)).fill_null(True) & ~empty
    exact = pl.select(pl.when(pl.lit(wrong)).then(None).otherwise(pl.lit(steps)).cast(pl.Int64)).to_series()
    decimals = len(str(field.scale)) - 1
    remedy = "请填整数。" if decimals == 0 else f"请只填数字，不带单位，最多 {decimals} 位小数。"
    return exact, wrong, ("not_a_number", "不是规定精度的数字", "not a number of the asked precision", remedy)


def _booleans(column: pl.Series) -> Kinds:
    empty = column.is_null()
    if column.dtype != pl.Boolean:
        text = _text(column).str.to_lowercase()
        empty = text.is_null()
        words = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)
        column = text.replace_strict(words, default=None, return_dtype=pl.Boolean)
    return column, column.is_null() & ~empty, ("not_yes_no", "不是“是”或“否”", "neither yes nor no", "请填 是 或 否。")


def _excel_serial(text: pl.Series) -> pl.Series:
    """Days since 1899-12-30 as spreadsheets count them; only what falls between 1982 and 2119."""
    serial = text.cast(pl.Float64, strict=False)
    return pl.select(pl.when(pl.lit(serial).is_between(30_000, 80_000)).then(pl.lit(serial))).to_series()


def _dates(column: pl.Series) -> Kinds:
    says = ("not_a_date", "不是日期", "not a date", "请写成 2025-10-15。")
    if column.dtype == pl.Date:
        return column, pl.repeat(False, len(column), eager=True), says
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.date(), pl.repeat(False, len(column), eager=True), says
    text = _text(column)
    frame = pl.DataFrame({"text": text, "serial": _excel_serial(text)})
    tries = [pl.col("text").str.to_date(form, strict=False) for form in DATE_FORMATS]
    serial = (EXCEL_EPOCH + pl.duration(days=pl.col("serial").floor().cast(pl.Int64))).cast(pl.Date)
    dates = frame.select(pl.coalesce(*tries, serial)).to_series()
    return dates, dates.is_null() & text.is_not_null(), says


def _moments(column: pl.Series) -> Kinds:
    says = ("not_a_moment", "不是时间", "not a moment", "请写成 2026-01-10 08:00（北京时间）。")
    sure = pl.repeat(False, len(column), eager=True)
    if isinstance(column.dtype, pl.Datetime):
        local = column if column.dtype.time_zone else column.dt.replace_time_zone("Etc/GMT-8")
        return local.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")), sure, says
    if column.dtype == pl.Date:
        moment = column.cast(pl.Datetime("us")).dt.replace_time_zone("Etc/GMT-8").dt.convert_time_zone("UTC")
        return moment, sure, says
    text = _text(column)
    frame = pl.DataFrame({"text": text, "serial": _excel_serial(text)})
    zoned = [
        pl.col("text").str.to_datetime(form + "%#z", strict=False, time_unit="us", time_zone="UTC")
        for form in MOMENT_FORMATS
    ]
    naive = [pl.col("text").str.to_datetime(form, strict=False, time_unit="us") for form in MOMENT_FORMATS]
    days = [pl.col("text").str.to_date(form, strict=False).cast(pl.Datetime("us")) for form in DATE_FORMATS[:5]]
    serial = EXCEL_EPOCH.cast(pl.Datetime("us")) + pl.duration(
        seconds=(pl.col("serial") * 86_400).round().cast(pl.Int64)
    )
    local = pl.coalesce(*naive, *days, serial).dt.replace_time_zone("Etc/GMT-8").dt.convert_time_zone("UTC")
    moments = frame.select(pl.coalesce(*zoned, local)).to_series()
    return moments, moments.is_null() & text.is_not_null(), says
