"""A season bucket by bucket on an engine, in the columns of `facts`; and the same tables from the kernels, to compare with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from nuan.telemetry.engine.engines import Engine, EngineError
from nuan.telemetry.engine.text import HOME_DAYS, SEASON, STATION_HOURS, written_for
from nuan.telemetry.readings import GAP
from nuan.telemetry.rollups.buckets import ROOM, BucketSeason
from nuan.telemetry.rollups.season import Demand, Span, by_day
from nuan.telemetry.rollups.station_hour import QUANTITIES
from nuan.telemetry.store import Store
from nuan.terms.places import HOUR_S
from nuan.terms.quantities import quantity

READINGS = {"series": "bigint", "time_s": "bigint", "value": "int", "flags": "int"}
DAY_SCHEMA = pl.Schema(
    {"home": pl.String, "day": pl.Int32, "hours_due": pl.Int64, "hours_covered": pl.Int64, "min_c100": pl.Int64,
     "mean_c100": pl.Int64, "hours_below": pl.Int64, "longest_below_h": pl.Int64, "hours_above": pl.Int64}
)  # fmt: skip
SEASON_SCHEMA = pl.Schema(
    {"home": pl.String}
    | dict.fromkeys(
        ("hours_covered", "hours_below", "longest_below_h", "days_breached", "days_undecidable", "worst_window",
         "min_c100", "mean_c100"), pl.Int64,
    )
)  # fmt: skip
STATION_SCHEMA = pl.Schema({"substation": pl.String, "hour_s": pl.Int64} | dict.fromkeys(QUANTITIES, pl.Int64))


@dataclass(frozen=True, slots=True)
class BucketTables:
    """Sorted by home and day. Null where nothing is covered."""

    bucket: int
    days: pl.DataFrame
    season: pl.DataFrame


def city_tables(
    store: Store, engine: Engine, span: Span, demand: Demand, homes: Collection[str] | None = None
) -> Iterator[BucketTables]:
    """All buckets in order, or those of some homes. Raises EngineError when readings are in no segment yet: an engine sees only files."""
    _only_folded(store)
    days = _days(span, demand)
    numbers = {"percent": demand.min_covered_pct, "before": demand.window_days - 1}
    for bucket in store.buckets_of(ROOM):
        ids = store.series.in_bucket(ROOM, bucket)
        names, home_of = store.series.places(ids)
        if homes is not None:
            asked = np.array([name in homes for name in names], np.bool_)
            ids = ids[asked[home_of]]
            names, home_of = store.series.places(ids)
        if not names:
            continue
        engine.files(
            "readings", store.segment_files(ROOM, bucket, span.start_s, span.start_s + span.hours * HOUR_S), READINGS
        )
        engine.table("days", days)
        engine.table("rooms", pa.table({"series": ids.astype(np.int64), "home": np.array(names, object)[home_of]}))
        engine.table("homes", pa.table({"home": names, "rooms": np.bincount(home_of, minlength=len(names))}))
        asked_for = (
            _frame(engine.ask(written_for(text, engine.division, numbers)), schema)
            for text, schema in ((HOME_DAYS, DAY_SCHEMA), (SEASON, SEASON_SCHEMA))
        )
        yield BucketTables(bucket, *asked_for)


def station_tables(store: Store, engine: Engine, start_s: int, n_hours: int) -> pl.DataFrame:
    """As `rollups.station_hour.station_hours`, over months whose readings are kept."""
    _only_folded(store)
    end_s = start_s + n_hours * HOUR_S
    rolled = {file.month for file in store.manifest.steps if file.quantity in QUANTITIES.values()}
    if any(first < end_s and last > start_s for first, last in map(store.month_bounds, rolled)):
        raise EngineError("有的月份只剩统计值，用 --engine numba / of some months only steps are kept; use the kernels")
    parts = [pl.DataFrame(schema=STATION_SCHEMA)]
    buckets = sorted({bucket for name in QUANTITIES.values() for bucket in store.buckets_of(name)})
    for bucket in buckets:
        files = [f for name in QUANTITIES.values() for f in store.segment_files(name, bucket, start_s, end_s)]
        engine.files("readings", files, READINGS)
        engine.table("points", _points(store, bucket))
        text = written_for(STATION_HOURS, engine.division, {"start_s": start_s, "end_s": end_s})
        parts.append(_frame(engine.ask(text), STATION_SCHEMA))
    return pl.concat(parts).sort("substation", "hour_s")


def tables_of_kernels(part: BucketSeason, span: Span) -> BucketTables:
    """What the kernels say, in the same columns and order."""
    order = np.argsort(np.array(part.homes, object), kind="stable")
    days, season, homes = part.days, part.season, np.array(part.homes, object)[order]
    n = span.days
    midnights = 24 * np.arange(n)
    due = np.maximum(np.minimum(midnights + 24, span.end_due) - np.maximum(midnights, span.first_due), 0)
    columns = {
        "home": np.repeat(homes, n), "day": np.tile(span.first_day + np.arange(n), len(homes)),
        "hours_due": np.tile(due, len(homes)), "hours_covered": days.covered[order].ravel(),
        "min_c100": days.minimum[order].ravel(), "mean_c100": days.mean[order].ravel(),
        "hours_below": days.below[order].ravel(), "longest_below_h": days.longest[order].ravel(),
        "hours_above": days.above[order].ravel(),
    }  # fmt: skip
    whole = {
        "home": homes, "hours_covered": season.hours_covered, "hours_below": season.hours_below,
        "longest_below_h": season.longest_below_h, "days_breached": season.days_breached,
        "days_undecidable": season.days_undecidable, "worst_window": season.worst_window,
        "min_c100": season.minimum, "mean_c100": season.mean,
    }  # fmt: skip
    whole = {name: column if name == "home" else column[order] for name, column in whole.items()}

    def as_facts(table: dict[str, Any], schema: pl.Schema) -> pl.DataFrame:
        frame = pl.DataFrame(table).cast(schema)
        return frame.with_columns(
            pl.when(pl.col("hours_covered") > 0).then(pl.col(name)).alias(name) for name in ("min_c100", "mean_c100")
        )

    return BucketTables(part.bucket, as_facts(columns, DAY_SCHEMA), as_facts(whole, SEASON_SCHEMA))


def _only_folded(store: Store) -> None:
    if store.tail.readings:
        raise EngineError(
            f"还有 {store.tail.readings:,} 条读数未归并：先运行 nuan store compact / fold the journal first: an engine sees only segments"
        )


def _days(span: Span, demand: Demand) -> pa.Table:
    days = np.arange(span.days)
    start = span.start_s // HOUR_S
    first = np.maximum(24 * days, span.first_due) + start
    end = np.minimum(24 * days + 24, span.end_due) + start
    return pa.table(
        {
            "day": span.first_day + days,
            "first_hour": first,
            "end_hour": end,
            "due": np.maximum(end - first, 0),
            "threshold": by_day(demand.threshold_c100, span.days).astype(np.int64),
            "above": by_day(demand.above_c100, span.days).astype(np.int64),
        }
    )


def _points(store: Store, bucket: int) -> pa.Table:
    rows: list[tuple[int, str, str, int, int]] = []
    for name in QUANTITIES.values():
        what = quantity(name)
        wide = not -32_767 <= what.low / what.resolution <= what.high / what.resolution <= 32_767
        high = 2**31 - 1 if wide else -GAP - 1
        taken: set[str] = set()
        for key, series in sorted((store.series.key(int(i)), int(i)) for i in store.series.in_bucket(name, bucket)):
            if key.place not in taken:
                taken.add(key.place)
                rows.append((series, key.place, name, -high, high))
    columns = list(zip(*rows, strict=True)) or [(), (), (), (), ()]
    kinds = (pa.int64(), pa.string(), pa.string(), pa.int64(), pa.int64())
    names = ("series", "substation", "quantity", "low", "high")
    return pa.table({n: pa.array(list(c), kind) for n, c, kind in zip(names, columns, kinds, strict=True)})


def _frame(table: pa.Table, schema: pl.Schema) -> pl.DataFrame:
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.with_columns(
        pl.col(name).fill_nan(None) for name, kind in frame.schema.items() if kind.is_float()
    ).cast(schema)


def write_tables(folder: Path, tables: BucketTables) -> None:
    """`home_days/bucket=NN.parquet` and `seasons/bucket=NN.parquet`."""
    for kind, frame in (("home_days", tables.days), ("seasons", tables.season)):
        path = folder / kind / f"bucket={tables.bucket:02d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path)
