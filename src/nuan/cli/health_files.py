"""A folder of a season's measurements → hours of stations: `points.csv` and `series.csv`, or the CSV files of a SCADA as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.buildings.health.hours import DAY_H, CityHours, counter_power, station_hours
from nuan.buildings.health.points import Meaning, UnknownUnit, guess, meaning

FloatArray = NDArray[np.float64]
_TIMES: Final = (
    "time",
    "datetime",
    "timestamp",
    "date_time",
    "date",
    "ts",
    "时间",
    "time_s",
    "epoch",
    "utc",
    "local_time",
)
_COLUMN: Final = ("column", "point", "name", "id", "series", "测点", "列")
_QUANTITY: Final = ("quantity", "measure", "kind_of_value", "量", "物理量", "variable")
_UNIT: Final = ("unit", "units", "单位")
_ASSET: Final = ("asset", "station", "substation", "place", "asset_id", "换热站", "站")
_ASSET_KIND: Final = ("asset_kind", "asset kind", "assetkind", "kind", "asset_type", "type", "资产类型")
_SIDE: Final = ("side", "position", "location", "where", "侧")
_STATION_KINDS: Final = ("substation", "station", "heat_station", "consumer", "换热站", "热力站", "站", "")
_SHAPES: Final = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%Y%m%d%H%M%S", "%Y%m%d %H%M", "%Y-%m-%d",
)  # fmt: skip


class Unreadable(ValueError):
    """Which file, what about it, and what to do."""

    def __init__(self, path: Path, what: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}; {remedy}")


@dataclass(frozen=True)
class Clock:
    """How the file wrote its times, so that the answer writes them the same way. `epoch`: 0 text, 1 seconds, 1000 milliseconds."""

    epoch: int = 0
    zoned: bool = False

    def text(self, hour: int) -> str:
        if self.epoch:
            return str(hour * 3600 * self.epoch)
        moment = datetime.fromtimestamp(hour * 3600, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if self.zoned else "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Folder:
    """`names[station, channel]`: the column it came from. `notes`: what was left out, for the reader of the screen."""

    city: CityHours
    names: Mapping[tuple[str, str], str]
    clock: Clock
    notes: list[str] = field(default_factory=list)


@dataclass
class _Column:
    hours: NDArray[np.int64]
    values: FloatArray
    name: str


def read_folder(path: Path) -> Folder:
    """Raises `Unreadable` with the file and a remedy."""
    if path.is_file():
        path = path.parent
    if not path.is_dir():
        raise Unreadable(path, "no such folder", "give the folder that holds series.csv")
    columns: dict[tuple[str, str], _Column] = {}
    notes: list[str] = []
    clock = Clock()
    for file in _series_files(path):
        frame = _table(file)
        table = _long_to_wide(frame)
        time_name, hours, clock = _hours(file, table)
        table = table.with_columns(pl.Series("__hour", hours)).drop(time_name)
        means = _meanings(path, file, table.columns, notes)
        for name, (station, what) in means.items():
            seen = (
                table.select("__hour", pl.col(name).cast(pl.Float64, strict=False).alias("v"))
                .drop_nulls()
                .filter(pl.col("v").is_finite())
            )
            binned = (
                seen.group_by("__hour")
                .agg(pl.col("v").median() if what.channel != "energy" else pl.col("v").last())
                .sort("__hour")
            )
            key = (station, what.channel)
            if key in columns:
                notes.append(f"{file.name}: {name} says the same as {columns[key].name}; it is left out")
            elif binned.height:
                values = binned["v"].to_numpy() * what.factor + what.offset
                columns[key] = _Column(binned["__hour"].to_numpy(), np.asarray(values, np.float64), name)
    if not columns:
        raise Unreadable(
            path,
            "no column that is known",
            "say in points.csv what each column is (column,quantity,unit,asset_kind,asset,side)",
        )
    return Folder(_city(columns), {key: column.name for key, column in columns.items()}, clock, notes)


def _series_files(path: Path) -> list[Path]:
    for pattern in ("series.csv", "series.parquet", "series*.csv", "series*.parquet"):
        if found := sorted(path.glob(pattern)):
            return [*found, *sorted(path.glob("weather.csv"))]
    found = [
        file
        for file in sorted(path.glob("*.csv"))
        if file.name.lower() not in ("points.csv", "truth.csv", "faults.csv")
    ]
    scada = [file for file in found if "scada" in file.name.lower()]
    if not (scada or found):
        raise Unreadable(
            path, "neither series.csv nor any other CSV file", "put the measurements there, one column per point"
        )
    return scada or found


def _table(file: Path) -> pl.DataFrame:
    try:
        if file.suffix == ".parquet":
            return pl.read_parquet(file)
        with file.open(encoding="utf-8-sig") as opened:
            head = opened.readline()
        separator = max(",;\t", key=head.count)
        comma = separator == ";"
        return pl.read_csv(
            file, separator=separator, infer_schema_length=20_000, ignore_errors=False, decimal_comma=comma,
            null_values=["", "NA", "NaN", "nan", "null", "NULL", "None", "-", "n/a"], truncate_ragged_lines=True, encoding="utf8-lossy",
        )  # fmt: skip
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as wrong:
        raise Unreadable(
            file, f"cannot be read ({str(wrong).splitlines()[0]})", "write it as CSV in UTF-8 with one header line"
        ) from wrong


def _long_to_wide(frame: pl.DataFrame) -> pl.DataFrame:
    """Also `time, point, value`, one reading a row."""
    lowered = {column.lower(): column for column in frame.columns}
    point = next((lowered[name] for name in ("point", "column", "series", "name") if name in lowered), None)
    if point is None or "value" not in lowered or len(frame.columns) > 5:
        return frame
    time_name = next((lowered[name] for name in _TIMES if name in lowered), frame.columns[0])
    return frame.pivot(on=point, index=time_name, values=lowered["value"], aggregate_function="last")


def _hours(file: Path, table: pl.DataFrame) -> tuple[str, NDArray[np.int64], Clock]:
    lowered = {column.strip().lower(): column for column in table.columns}
    name = next((lowered[each] for each in _TIMES if each in lowered), table.columns[0])
    column = table[name]
    if column.dtype.is_numeric():
        scale = 1000 if float(column.drop_nulls().max() or 0) > 1e11 else 1  # type: ignore[arg-type]
        seconds = (column.cast(pl.Float64) / scale).fill_null(0).cast(pl.Int64)
        return name, np.asarray(seconds.to_numpy() // 3600, np.int64), Clock(scale)
    if column.dtype in (pl.Datetime, pl.Date):
        moments = column.cast(pl.Datetime("us"))
        return name, np.asarray(moments.dt.epoch("s").to_numpy() // 3600, np.int64), Clock()
    text = column.cast(pl.String).str.strip_chars()
    zoned = bool(text.str.contains(r"(Z|[+-]\d\d:?\d\d)$").fill_null(False).mean() or 0 > 0.5) and bool(
        text.str.contains(r"\d:\d").all()
    )
    bare = text.str.replace(r"(:\d\d)\.\d+", "$1", n=1).str.replace("T", " ", literal=True)
    offsets = np.zeros(len(text), np.int64)
    if zoned:
        sign = text.str.extract(r"([+-])\d\d:?\d\d$").fill_null("+").to_numpy()
        hour = text.str.extract(r"[+-](\d\d):?\d\d$").fill_null("0").cast(pl.Int64).to_numpy()
        offsets = np.where(sign == "-", -1, 1) * hour * 3600
        bare = bare.str.replace(r"(Z|[+-]\d\d:?\d\d)$", "")
    for shape in _SHAPES:
        parsed = bare.str.strip_chars().str.to_datetime(shape.replace("T", " "), strict=False)
        if parsed.null_count() <= 0.01 * len(parsed):
            if parsed.null_count():
                parsed = parsed.fill_null(strategy="forward").fill_null(strategy="backward")
            return name, np.asarray((parsed.dt.epoch("s").to_numpy() - offsets) // 3600, np.int64), Clock(0, zoned)
    bad = text.head(1).to_list()
    raise Unreadable(
        file, f"column {name}: {bad} is not a time", "write times as 2023-01-31 14:00:00 or as epoch seconds"
    )


def _meanings(path: Path, file: Path, names: list[str], notes: list[str]) -> dict[str, tuple[str, Meaning]]:
    told = _points(path / "points.csv") if (path / "points.csv").is_file() else {}
    found: dict[str, tuple[str, Meaning]] = {}
    alone = "" if told else _station_of(file)
    for name in names:
        if name == "__hour":
            continue
        try:
            if name in told:
                row = told[name]
                what = meaning(row["quantity"], row["unit"], row["side"])
                kind = row["asset_kind"].strip().lower()
                outside = what is not None and what.channel == "outdoor" and kind not in _STATION_KINDS
                place = "" if outside else row["asset"]
                judged = (
                    kind in _STATION_KINDS or outside or kind in ("source", "heat_source", "热源", "weather", "气象")
                )
                if what is not None and judged:
                    found[name] = (place, what)
                    continue
                notes.append(f"{name} ({row['quantity']}, {row['asset_kind']}) is not looked at")
                continue
            if told and not file.name.startswith("weather"):
                notes.append(f"{file.name}: {name} does not stand in points.csv; it is left out")
                continue
            guessed = guess(name)
        except UnknownUnit as wrong:
            raise Unreadable(path / "points.csv", f"{name}: {wrong}", "correct the unit") from wrong
        if guessed is None or (
            file.name.startswith("weather") and guessed[1].channel not in ("outdoor", "primary_supply")
        ):
            notes.append(f"{file.name}: {name} is not looked at")
        elif file.name.startswith("weather"):
            found[name] = ("", Meaning("outdoor"))
        else:
            found[name] = (guessed[0] or alone, guessed[1])
    return found


def _station_of(file: Path) -> str:
    """`xai4heat_scada_L12.csv` → L12."""
    return file.stem.split("_")[-1]


def _points(file: Path) -> dict[str, dict[str, str]]:
    frame = _table(file)
    lowered = {column.strip().lower().lstrip("\ufeff"): column for column in frame.columns}

    def pick(words: tuple[str, ...], needed: bool, what: str) -> str | None:
        for word in words:
            if word in lowered:
                return lowered[word]
        if needed:
            raise Unreadable(file, f"no column for the {what} (one of {', '.join(words[:4])})", "add it to the header")
        return None

    wanted = {
        "column": pick(_COLUMN, True, "column's name"), "quantity": pick(_QUANTITY, True, "quantity"), "unit": pick(_UNIT, False, "unit"),
        "asset": pick(_ASSET, True, "asset"), "asset_kind": pick(_ASSET_KIND, False, "kind of asset"), "side": pick(_SIDE, False, "side"),
    }  # fmt: skip
    rows: list[dict[str, Any]] = frame.to_dicts()
    return {
        str(row[wanted["column"]]): {
            key: "" if name is None or row[name] is None else str(row[name]) for key, name in wanted.items()
        }
        for row in rows
    }


def _city(columns: Mapping[tuple[str, str], _Column]) -> CityHours:
    first = min(int(column.hours[0]) for column in columns.values()) // DAY_H * DAY_H
    last = max(int(column.hours[-1]) for column in columns.values())
    count = -(-(last + 1 - first) // DAY_H) * DAY_H

    def on_axis(column: _Column) -> FloatArray:
        values = np.full(count, np.nan)
        values[column.hours - first] = column.values
        return values

    stations: dict[str, dict[str, FloatArray]] = {}
    weather = None
    for (station, channel), column in columns.items():
        if channel == "outdoor" and station == "":
            weather = on_axis(column)
        elif channel == "energy":
            stations.setdefault(station, {})["heat_counter"] = counter_power(on_axis(column))
        else:
            stations.setdefault(station, {})[channel] = on_axis(column)
    return CityHours(first, count, tuple(station_hours(name, each) for name, each in sorted(stations.items())), weather)
