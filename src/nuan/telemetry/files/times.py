"""Time cells → UTC epoch seconds. Vectorised; what cannot be read is a finding, what cannot be known is left out."""

from collections.abc import Callable

import polars as pl

from nuan.telemetry.files.mapping import TimeColumns

DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d.%m.%Y", "%Y%m%d")
CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%H时%M分", "%H时%M分%S秒", "%H%M%S")
AUTO = (*(f"{day}{gap}{clock}" for day in DAYS for gap in (" ", "T", "") for clock in CLOCKS), *DAYS)
ZONED = r"(?i)\d:?\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)$"
EXCEL_DAY_ZERO_S = -25_569 * 86_400
"""1899-12-30, from which spreadsheets count days."""
Report = Callable[[str, pl.Series], None]
"""Takes a problem's code and a mask of rows."""


def epochs(cells: pl.Series, spec: TimeColumns, report: Report) -> pl.Series:
    """Int64 epoch seconds, null where left out. `cells`: text, or dates, times and numbers of a typed file."""
    if isinstance(cells.dtype, pl.Datetime) or cells.dtype == pl.Date:
        if isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None:
            return cells.dt.epoch("s")
        return _localised(cells.cast(pl.Datetime("us")), spec, report)
    text = cells.cast(pl.String).str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if spec.format in ("excel", "epoch_s", "epoch_ms") or (spec.format == "auto" and _all_numbers(numbers, text)):
        return _numeric(numbers, spec, report)
    zoned = text.str.contains(ZONED)
    if zoned.any():
        naive = ~zoned
        if naive.any():
            report("mixed_time_zones", naive if int(naive.sum()) <= int(zoned.sum()) else zoned)
            return _nothing(len(text))
        return _aware(text, spec, report)
    local = _parsed(text, spec.format)
    if spec.format == "auto" and local.null_count():
        local = pl.select(pl.coalesce(pl.lit(local), pl.lit(_excel(numbers)))).to_series()
    report("not_a_time", local.is_null())
    return _localised(local, spec, report)


def _nothing(rows: int) -> pl.Series:
    return pl.Series([None] * rows, dtype=pl.Int64)


def _all_numbers(numbers: pl.Series, text: pl.Series) -> bool:
    return bool(numbers.is_not_null().all()) and not bool(text.str.contains(r"^(19|20)\d{6}(\d{4}|\d{6})?$").any())


def _excel(numbers: pl.Series) -> pl.Series:
    """Local time of serial days between 1954 and 2119; other numbers give null. Rounded to the second."""
    days = pl.when(pl.lit(numbers).is_between(20_000, 80_000)).then(pl.lit(numbers))
    seconds = (days * 86_400).round().cast(pl.Int64) + EXCEL_DAY_ZERO_S
    return pl.select((seconds * 1_000_000).cast(pl.Datetime("us"))).to_series()


def _numeric(numbers: pl.Series, spec: TimeColumns, report: Report) -> pl.Series:
    kind = spec.format
    if kind == "auto":
        middle = numbers.median()
        size = float(middle) if isinstance(middle, int | float) else 0.0
        kind = "epoch_ms" if size > 1e11 else "epoch_s" if size > 1e8 else "excel"
    if kind == "excel":
        local = _excel(numbers)
        report("not_a_time", local.is_null())
        return _localised(local, spec, report)
    seconds = (numbers / 1000 if kind == "epoch_ms" else numbers).floor()
    fits = seconds.is_between(0, 2**33)
    report("not_a_time", ~fits.fill_null(False))
    return pl.select(pl.when(pl.lit(fits)).then(pl.lit(seconds)).cast(pl.Int64)).to_series()


def _parsed(text: pl.Series, form: str) -> pl.Series:
    """Naive local times. With `auto` each format is tried on what is still unread, the one that fits the first cell first."""
    found = pl.Series([None] * len(text), dtype=pl.Datetime("us"))
    first = text.drop_nulls().head(1)
    forms = (form,) if form != "auto" else AUTO
    likely = [each for each in forms if _as_time(first, each).null_count() == 0] if len(first) else []
    for each in (*likely, *(f for f in forms if f not in likely)):
        unread = found.is_null() & text.is_not_null()
        if not unread.any():
            break
        found = pl.select(pl.coalesce(pl.lit(found), pl.lit(_as_time(text, each)))).to_series()
    return found


def _as_time(text: pl.Series, form: str) -> pl.Series:
    if "%H" in form:
        return text.str.to_datetime(form, strict=False, time_unit="us", exact=True)
    return text.str.to_date(form, strict=False, exact=True).cast(pl.Datetime("us"))


def _aware(text: pl.Series, spec: TimeColumns, report: Report) -> pl.Series:
    plain = text.str.replace(r"(?i)Z$", "+0000").str.replace(r"\s*([+-]\d\d):?(\d\d)$", "${1}${2}")
    local = plain.str.replace(r"[+-]\d{4}$", "")
    sign = pl.select(pl.when(pl.lit(plain.str.slice(-5, 1)) == "-").then(-1).otherwise(1)).to_series()
    hours = plain.str.slice(-4, 2).cast(pl.Int64, strict=False)
    minutes = plain.str.slice(-2, 2).cast(pl.Int64, strict=False)
    offset_s = sign * (hours * 3600 + minutes * 60)
    form = spec.format.replace("%z", "").replace("%:z", "").replace("%#z", "").strip()
    moments = _parsed(local, form or "auto").dt.epoch("s") - offset_s
    report("not_a_time", moments.is_null())
    if spec.zone is not None and spec.zone != "UTC":
        there = moments.cast(pl.Int64) * 1_000_000
        zone = there.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(spec.zone)
        expected = zone.dt.base_utc_offset().dt.total_seconds() + zone.dt.dst_offset().dt.total_seconds()
        other = (expected != offset_s).fill_null(False)
        if other.any():
            report("other_time_zone", other)
    return moments


def _localised(local: pl.Series, spec: TimeColumns, report: Report) -> pl.Series:
    """Naive local times in the mapping's zone → epoch seconds."""
    if spec.zone is None:
        report("no_time_zone", local.is_not_null())
        return _nothing(len(local))
    early = local.dt.replace_time_zone(spec.zone, ambiguous="earliest", non_existent="null")
    late = local.dt.replace_time_zone(spec.zone, ambiguous="latest", non_existent="null")
    gone = local.is_not_null() & early.is_null()
    if gone.any():
        report("no_such_time", gone)
    twice = (early != late).fill_null(False)
    if twice.any():
        report("ambiguous_time", twice)
    return early.dt.epoch("s")
