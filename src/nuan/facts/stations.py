"""Substation days: what a station did each local day beside what the weather asked of it.

Means and sums are taken over the hours that have both sides, so that a gap in the readings is never compared with a full day.
"""

import polars as pl

from nuan.facts.schemas import TABLES
from nuan.terms.places import CHINA_OFFSET_S, DAY_S, HOUR_S

LOCAL_DAY = ((pl.col("hour_s") + CHINA_OFFSET_S) // DAY_S).cast(pl.Int32).alias("day")


def _rounded(total: pl.Expr, count: pl.Expr) -> pl.Expr:
    """total ÷ count as a whole number, half up; null where there is nothing to count."""
    return pl.when(count > 0).then((2 * total + count) // (2 * count))


def _mean(column: str) -> pl.Expr:
    value = pl.col(column).cast(pl.Int64)
    return _rounded(value.sum(), value.count().cast(pl.Int64))


def room_means(home_day: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """How the rooms of each substation fared: `substation day rooms_covered rooms_mean_c100`; homes that stopped heat are left out."""
    served = homes.filter(~pl.col("stop_heat")).select("home", "substation")
    return (
        home_day.select("home", "day", "mean_c100")
        .drop_nulls("mean_c100")
        .join(served, on="home")
        .group_by("substation", "day")
        .agg(pl.len().cast(pl.Int32).alias("rooms_covered"), _mean("mean_c100").cast(pl.Int32).alias("rooms_mean_c100"))
        .sort("substation", "day")
    )


def station_outage_hours(outages: pl.DataFrame, stations: pl.DataFrame, as_of_s: int) -> pl.DataFrame:
    """Begun hours of each station's day in which it or its source stood still: `substation day outage_hours`.

    `stations` has `substation` and `source`. An outage that goes on counts up to `as_of_s`; each hour counts once, however many
    outages cover it. Outages of a loop or building leave the station running.
    """
    by_source = outages.filter(pl.col("level") == "source").join(stations, left_on="code", right_on="source")
    by_station = outages.filter(pl.col("level") == "substation").with_columns(pl.col("code").alias("substation"))
    spans = pl.concat([part.select("substation", "start_s", "end_s") for part in (by_source, by_station)])
    first_hour = pl.col("start_s") // HOUR_S
    end_hour = -(-pl.col("end_s").fill_null(as_of_s) // HOUR_S)
    return (
        spans.select("substation", pl.int_ranges(first_hour, end_hour).alias("hour"))
        .explode("hour", empty_as_null=False)
        .unique()
        .select("substation", (pl.col("hour") * HOUR_S).alias("hour_s"))
        .group_by("substation", LOCAL_DAY)
        .agg(pl.len().cast(pl.Int32).alias("outage_hours"))
        .sort("substation", "day")
    )


def station_days(
    hours: pl.DataFrame,
    stations: pl.DataFrame,
    expected: pl.DataFrame,
    rooms: pl.DataFrame | None = None,
    outage_hours: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """`station_hour` → `station_day`.

    `stations`: `substation company banner`. `expected`: `substation hour_s expected_supply_c100 expected_heat_kw_10`, each null
    where physics cannot say. Hours of a station that is not in `stations` are left out. `rooms` from `room_means`, `outage_hours` from
    `station_outage_hours`; left out, rooms are uncovered and no hour was out. An hour is covered when its supply temperature is
    known; `heat_hours` counts those with heat, for a standing station may show heat (none) and no water temperature. `heat_kwh` and `expected_heat_kwh` are sums over the hours in which heat was measured, one hour each.
    """
    joined = hours.join(
        expected.select("substation", "hour_s", "expected_supply_c100", "expected_heat_kw_10"),
        on=["substation", "hour_s"],
        how="left",
    )

    def kwh(column: str) -> pl.Expr:
        return pl.when(pl.col(column).count() > 0).then((pl.col(column).cast(pl.Int64).sum() + 5) // 10)

    def beside(measured: str, asked: str, figure: pl.Expr) -> pl.Expr:
        """The figure of what was asked, over the hours that were measured; null when one of these was asked nothing known."""
        return pl.when(~(pl.col(measured).is_not_null() & pl.col(asked).is_null()).any()).then(figure)

    days = (
        joined.with_columns(
            pl.when(pl.col("supply_c100").is_not_null()).then("expected_supply_c100").alias("asked_supply"),
            pl.when(pl.col("heat_kw_10").is_not_null()).then("expected_heat_kw_10").alias("asked_heat"),
        )
        .group_by("substation", LOCAL_DAY)
        .agg(
            pl.col("supply_c100").count().alias("hours_covered"),
            _mean("outdoor_c100").alias("outdoor_mean_c100"),
            _mean("supply_c100").alias("supply_mean_c100"),
            beside("supply_c100", "asked_supply", _mean("asked_supply")).alias("expected_supply_c100"),
            pl.col("heat_kw_10").count().alias("heat_hours"),
            kwh("heat_kw_10").alias("heat_kwh"),
            beside("heat_kw_10", "asked_heat", kwh("asked_heat")).alias("expected_heat_kwh"),
        )
    )
    key = ["substation", "day"]
    if rooms is None:
        rooms = pl.DataFrame(
            schema={name: TABLES["station_day"].schema[name] for name in (*key, "rooms_covered", "rooms_mean_c100")}
        )
    if outage_hours is None:
        outage_hours = pl.DataFrame(
            schema={name: TABLES["station_day"].schema[name] for name in (*key, "outage_hours")}
        )
    full = (
        days.join(stations.select("substation", "company", "banner"), on="substation")
        .join(rooms, on=key, how="left")
        .join(outage_hours, on=key, how="left")
        .with_columns(pl.col("rooms_covered", "outage_hours").fill_null(0))
    )
    return full.select(pl.col(name).cast(dtype) for name, dtype in TABLES["station_day"].schema.items()).sort(key)
