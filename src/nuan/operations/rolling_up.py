"""A season's home-days on an engine of choice, owed what each banner's pack asks for: the table that judging reckons with, by other means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from nuan.operations.judging_basis import Basis
from nuan.operations.judging_homes import groups, owed, span_until
from nuan.telemetry.engine.engines import Engine
from nuan.telemetry.engine.rollup import (
    DAY_SCHEMA,
    SEASON_SCHEMA,
    BucketTables,
    city_tables,
    tables_of_kernels,
    write_tables,
)
from nuan.telemetry.rollups.buckets import homes_season
from nuan.telemetry.rollups.season import Demand, Span
from nuan.telemetry.series import bucket_of
from nuan.telemetry.store import Store


@dataclass(frozen=True)
class RollupReport:
    """`silent` homes have a contract and no series: they are in the table with 0 hours covered."""

    homes: int
    silent: int
    home_days: int
    hours_below: int


def roll_up(
    basis: Basis, store: Store, engine: Engine | None, folder: Path, progress: Callable[[int], None] | None = None
) -> RollupReport:
    """Write `home_days/` and `seasons/` bucket by bucket. `engine` None: the kernels. Raises EngineError."""
    homes = silent = days = below = 0
    for bucket, tables in _by_bucket(_tables(basis, store, engine)):
        write_tables(folder, tables)
        homes += tables.season.height
        silent += int((tables.season["hours_covered"] == 0).sum())
        days += tables.days.height
        below += int(tables.days["hours_below"].sum())
        if progress is not None:
            progress(bucket)
    return RollupReport(homes, silent, days, below)


def _tables(basis: Basis, store: Store, engine: Engine | None) -> Iterator[BucketTables]:
    for pack, residential, homes in groups(basis, basis.homes):
        season = basis.packs.seasons[pack]
        span = span_until(season, basis.as_of_s)
        if span is None:
            continue
        demand = owed(basis.packs.packs[pack], season, span, residential).demand
        wanted = set(homes["home"])
        if engine is None:
            found = (tables_of_kernels(part, span) for part in homes_season(store, wanted, span, demand))
        else:
            found = city_tables(store, engine, span, demand, wanted)
        seen: set[str] = set()
        for tables in found:
            seen |= set(tables.season["home"])
            yield BucketTables(tables.bucket, tables.days.filter(pl.col("hours_due") > 0), tables.season)
        yield from _without_series(sorted(wanted - seen), span, demand, store.manifest.buckets)


def _without_series(homes: list[str], span: Span, demand: Demand, buckets: int) -> Iterator[BucketTables]:
    """Nobody measures there: due, and nothing covered."""
    midnights = 24 * np.arange(span.days)
    due = np.minimum(midnights + 24, span.end_due) - np.maximum(midnights, span.first_due)
    owed_days = np.flatnonzero(due > 0)
    for bucket in sorted({bucket_of(home, buckets) for home in homes}):
        mine = [home for home in homes if bucket_of(home, buckets) == bucket]
        n, none = len(owed_days), pl.lit(None, pl.Int64)
        zeros = ("hours_covered", "hours_below", "longest_below_h", "hours_above")
        days = pl.DataFrame(
            {"home": np.repeat(np.array(mine, object), n), "day": np.tile(span.first_day + owed_days, len(mine)),
             "hours_due": np.tile(due[owed_days], len(mine))}
        ).with_columns(*(pl.lit(0).alias(name) for name in zeros), none.alias("min_c100"), none.alias("mean_c100"))  # fmt: skip
        season = pl.DataFrame({"home": mine}).with_columns(
            *(pl.lit(0).alias(name) for name in ("hours_covered", "hours_below", "longest_below_h", "days_breached")),
            pl.lit(n).alias("days_undecidable"), pl.lit(0).alias("worst_window"),
            none.alias("min_c100"), none.alias("mean_c100"),
        )  # fmt: skip
        yield BucketTables(
            bucket,
            days.select(DAY_SCHEMA.names()).cast(DAY_SCHEMA),
            season.select(SEASON_SCHEMA.names()).cast(SEASON_SCHEMA),
        )


def _by_bucket(parts: Iterator[BucketTables]) -> Iterator[tuple[int, BucketTables]]:
    """Groups of a bucket together: a bucket is one file."""
    held: dict[int, list[BucketTables]] = {}
    for part in parts:
        held.setdefault(part.bucket, []).append(part)
    for bucket, tables in sorted(held.items()):
        days = pl.concat([each.days for each in tables], how="vertical_relaxed").sort("home", "day")
        season = pl.concat([each.season for each in tables], how="vertical_relaxed").sort("home")
        yield bucket, BucketTables(bucket, days, season)
