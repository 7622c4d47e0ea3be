"""数据质量 by company, gateway and day: what should have come, what came and could be trusted, how late, and what was wrong with it.

Made from the store at will (every day anew, or a month at once); the same readings give the same rows.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import duckdb
import polars as pl
from django.db import connection, transaction

from nuan.operations.live_places import place_points
from nuan.records.monitoring.models import LivePoint, QualityDay
from nuan.records.registry.models import Company
from nuan.telemetry.live import EXPECTED_EVERY_S
from nuan.telemetry.readings import UNTRUSTED, Flag
from nuan.telemetry.store import Store
from nuan.terms.places import CHINA_OFFSET_S, DAY_S, HOUR_S, day_date, day_start, local_day

FLAGS: Final = tuple(flag for flag in Flag if flag)
LATENESS: Final[Sequence[tuple[str, int]]] = (
    ("1m", 60), ("10m", 600), ("1h", HOUR_S), ("6h", 6 * HOUR_S), ("1d", DAY_S), ("later", 2**31 - 1),
)  # fmt: skip
"""运行参数: how late a reading came, up to so many seconds; by these the page shows when a company's readings arrive."""
HOURLY: Final = tuple(key for key, every in EXPECTED_EVERY_S.items() if every <= HOUR_S)
_OWNERS = """
SELECT code, company_id FROM registry_home UNION ALL SELECT b.code, s.company_id FROM registry_building b
JOIN registry_loop l ON l.code = b.loop_id JOIN registry_substation s ON s.code = l.substation_id
UNION ALL SELECT l.code, s.company_id FROM registry_loop l JOIN registry_substation s ON s.code = l.substation_id
UNION ALL SELECT code, company_id FROM registry_substation UNION ALL SELECT code, company_id FROM registry_heatsource
"""
_SUMS = ("readings", "hours", *(flag.name or "" for flag in FLAGS), *(name for name, _ in LATENESS))


def compute_quality(store: Store, first: date, last: date, now: datetime) -> int:
    """Rows of the local days from `first` to `last`, both included; how many were written. Days after `now` have none."""
    start, end = local_day_of(first), min(local_day_of(last), local_day(int(now.timestamp()) - 1))
    if end < start:
        return 0
    place_points(all_of_them=True)
    points = _points(store)
    parts = [counted for key in HOURLY if (counted := _counted(store, key, start, end)) is not None]
    counted = pl.concat(parts) if parts else _nothing()
    written = 0
    with transaction.atomic():
        QualityDay.objects.filter(day__gte=first, day__lte=last).delete()
        for day in range(start, end + 1):
            rows = _day(day, points, counted.filter(pl.col("day") == day), now)
            QualityDay.objects.bulk_create(rows)
            written += len(rows)
    return written


def local_day_of(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _points(store: Store) -> pl.DataFrame:
    """Every series of the store with its company and gateway; what hangs on nothing has none and is left out."""
    texts = store.series.texts()
    frame = pl.DataFrame(
        {"series": pl.Series(range(len(texts)), dtype=pl.UInt32), "text": pl.Series(texts, dtype=pl.String)}
    )
    parts = pl.col("text").str.split("|")
    frame = frame.with_columns(
        place=parts.list.get(0, null_on_oob=True),
        quantity=parts.list.get(1, null_on_oob=True),
        position=parts.list.get(2, null_on_oob=True),
    )
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS)
        owners = pl.DataFrame(cursor.fetchall(), schema={"place": pl.String, "company": pl.String}, orient="row")
    brought = LivePoint.objects.exclude(gateway_code="").values_list("place", "quantity", "position", "gateway_code")
    schema = {"place": pl.String, "quantity": pl.String, "position": pl.String, "gateway": pl.String}
    gateways = pl.DataFrame(list(brought), schema=schema, orient="row")
    return (
        frame.filter(pl.col("quantity").is_in(HOURLY))
        .join(owners, on="place")
        .join(gateways, on=["place", "quantity", "position"], how="left")
        .select("series", "company", pl.col("gateway").fill_null(""))
    )


def _counted(store: Store, quantity: str, first: int, last: int) -> pl.DataFrame | None:
    """Counts by series and day; None where the store has nothing of the quantity."""
    if not any(segment.quantity == quantity for segment in store.manifest.segments):
        return None
    source = store.duckdb_source(quantity)
    with duckdb.connect() as duck:
        columns = {row[0] for row in duck.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        delay = "delay_s" if "delay_s" in columns else "NULL::INTEGER"
        late = ", ".join(
            f'count(*) FILTER (late <= {most} AND late > {least}) AS "{name}"' for name, least, most in _bins()
        )
        flags = ", ".join(f"count(*) FILTER (flags & {int(flag)} > 0) AS {flag.name}" for flag in FLAGS)
        return (
            duck.sql(
                f"""
            SELECT series, day, count(*) AS readings, count(DISTINCT time_s // {HOUR_S}) FILTER (flags & {UNTRUSTED} = 0) AS hours,
                   {flags}, {late}, max(time_s) FILTER (flags & {int(Flag.FUTURE)} = 0) AS newest, max(time_s + late) AS newest_arrival
            FROM (SELECT series, time_s, flags, {delay} AS late, (time_s + {CHINA_OFFSET_S}) // {DAY_S} AS day FROM {source}
                  WHERE time_s >= {day_start(first)} AND time_s < {day_start(last + 1)} AND (value IS NOT NULL OR flags & {int(Flag.MISSING)} > 0))
            GROUP BY series, day
            """
            )
            .pl()
            .cast(
                {"series": pl.UInt32, "day": pl.Int64, "newest": pl.Int64, "newest_arrival": pl.Int64}
                | dict.fromkeys(_SUMS, pl.Int64)
            )
        )


def _bins() -> list[tuple[str, int, int]]:
    edges = [-(2**31), *(most for _, most in LATENESS)]
    return [(name, edges[i], most) for i, (name, most) in enumerate(LATENESS)]


def _nothing() -> pl.DataFrame:
    columns = dict.fromkeys(("day", *_SUMS, "newest", "newest_arrival"), pl.Int64)
    return pl.DataFrame(schema={"series": pl.UInt32, **columns})


def _day(day: int, points: pl.DataFrame, counted: pl.DataFrame, now: datetime) -> list[QualityDay]:
    hours = min(max((int(now.timestamp()) - day_start(day)) // HOUR_S, 0), 24)
    joined = points.join(counted, on="series", how="left")
    sums = [pl.col(name).sum() for name in _SUMS]
    figures = [
        pl.len().alias("points"),
        pl.col("readings").is_null().sum().alias("silent"),
        *sums,
        pl.col("newest").max(),
        pl.col("newest_arrival").max(),
    ]
    whole = joined.group_by("company").agg(figures).with_columns(gateway=pl.lit(""))
    brought = joined.filter(pl.col("gateway") != "").group_by("company", "gateway").agg(figures)
    rows = pl.concat([whole, brought.select(whole.columns)]).to_dicts()
    known = {row["company"] for row in rows}
    blank = dict.fromkeys(("points", "silent", *_SUMS), 0) | {"newest": None, "newest_arrival": None, "gateway": ""}
    rows += [blank | {"company": code} for code in Company.objects.values_list("code", flat=True) if code not in known]
    return [
        QualityDay(
            day=day_date(day), company_code=row["company"], gateway_code=row["gateway"], points=row["points"], silent_points=row["silent"],
            expected_hours=row["points"] * hours, covered_hours=row["hours"], readings=row["readings"],
            flagged={flag.name: row[flag.name or ""] for flag in FLAGS if row[flag.name or ""]},
            lateness={name: row[name] for name, _ in LATENESS if row[name]}, newest_s=row["newest"],
            newest_arrival_s=row["newest_arrival"], computed_at=now,
        )
        for row in rows
    ]  # fmt: skip
