"""Stations, heat sources and banners: their facts, and every clause about them."""

from collections.abc import Collection, Iterable

import polars as pl

from nuan.buildings.control import SupplyCurve
from nuan.buildings.expected import design_kw, expected_by_curve, expected_by_setpoint, expected_by_signature
from nuan.facts.schemas import TABLES
from nuan.facts.stations import station_days, station_outage_hours
from nuan.operations.judging_basis import Basis
from nuan.operations.judging_homes import no_rooms
from nuan.policies.catalogue import CLAUSES
from nuan.rules.judgement import SCHEMA
from nuan.telemetry.rollups.station_hour import station_hours
from nuan.telemetry.store import Store

SCOPES = {"station": "substation", "source": "source", "company": "company", "banner": "banner"}
"""Scope of a clause → level of its subjects, which is also the column that names them. A company is judged in each of its banners: the
banner is the item, since two banners may have two packs."""


def room_means_of(sums: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Room sums of pieces → `substation day rooms_covered rooms_mean_c100`, half up."""
    total = pl.concat([no_rooms(), *sums]).group_by("substation", "day").agg(pl.col("rooms", "total_c100").sum())
    schema = TABLES["station_day"].schema
    return total.select(
        "substation",
        "day",
        pl.col("rooms").cast(schema["rooms_covered"]).alias("rooms_covered"),
        ((2 * pl.col("total_c100") + pl.col("rooms")) // (2 * pl.col("rooms")))
        .cast(schema["rooms_mean_c100"])
        .alias("rooms_mean_c100"),
    ).sort("substation", "day")


def expected_supply(hours: pl.DataFrame, setpoints: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """What the weather asks of each station, by the best that is known of it: its set point, its heated area, its own past."""
    area = homes.filter(~pl.col("stop_heat")).group_by("substation").agg(pl.col("area_m2_100").sum())
    steered = setpoints["substation"].unique().to_list()
    sized = area.filter(~pl.col("substation").is_in(steered) & (pl.col("area_m2_100") > 0))
    design = pl.DataFrame(
        {
            "substation": sized["substation"],
            "design_kw": [design_kw(float(m2_100) / 100) for m2_100 in sized["area_m2_100"]],
        },
        schema={"substation": pl.String, "design_kw": pl.Float64},
    )
    by_setpoint = pl.col("substation").is_in(steered)
    by_curve = pl.col("substation").is_in(design["substation"].to_list())
    return pl.concat(
        [
            expected_by_setpoint(hours.filter(by_setpoint), setpoints),
            expected_by_curve(hours.filter(by_curve), design, SupplyCurve()),
            expected_by_signature(hours.filter(~by_setpoint & ~by_curve)),
        ]
    )


def setpoint_hours(store: Store, start_s: int, n_hours: int, places: Collection[str] | None) -> pl.DataFrame:
    """`substation hour_s setpoint_c100` of the stations whose controllers report one."""
    parts = [pl.DataFrame(schema={"substation": pl.String, "hour_s": pl.Int64, "setpoint_c100": pl.Int32})]
    for bucket in store.buckets_of("setpoint_temp"):
        tile = store.dense_hours("setpoint_temp", bucket, start_s, n_hours, reduce="mean")
        for row, series in enumerate(tile.series.tolist()):
            key = store.series.key(series)
            if places is None or key.place in places:
                frame = pl.DataFrame({"setpoint_c100": tile.hours[row]}).with_row_index("hour_s")
                known = frame.filter(pl.col("setpoint_c100") != tile.gap)
                parts.append(
                    known.select(
                        pl.lit(key.place).alias("substation"),
                        (pl.col("hour_s").cast(pl.Int64) * 3600 + start_s).alias("hour_s"),
                        pl.col("setpoint_c100").cast(pl.Int32),
                    )
                )
    return pl.concat(parts).unique(["substation", "hour_s"], keep="first", maintain_order=True)


def silent_days(stations: pl.DataFrame, known: pl.DataFrame, rooms: pl.DataFrame, first_day: int) -> pl.DataFrame:
    """`station_day` rows of stations that sent nothing at all: their rooms where there are any, and one empty day, so that they are
    judged (undecidable) and not forgotten."""
    schema = TABLES["station_day"].schema
    silent = stations.join(known.select("substation").unique(), on="substation", how="anti")
    days = pl.concat(
        [
            silent.select("substation", pl.lit(first_day, dtype=schema["day"]).alias("day")),
            rooms.join(silent, on="substation", how="semi").select("substation", pl.col("day").cast(schema["day"])),
        ]
    ).unique(maintain_order=True)
    nothing = ("hours_covered", "heat_hours", "outage_hours")
    full = (
        days.join(silent, on="substation")
        .join(rooms, on=["substation", "day"], how="left")
        .with_columns(pl.col("rooms_covered").fill_null(0), *(pl.lit(0).alias(name) for name in nothing))
    )
    return full.select(
        (pl.col(name) if name in full.columns else pl.lit(None).alias(name)).cast(dtype)
        for name, dtype in schema.items()
    )


def place_tables(
    basis: Basis, pack: str, store: Store, rooms: pl.DataFrame, only: Collection[str] | None = None
) -> dict[str, pl.DataFrame]:
    """Every fact table about places, in the season of a pack. `only` names stations, when one is to be explained."""
    records = basis.places
    bounds = basis.packs.seasons[pack].interval
    # the controller's filter needs some hours before the first; they are cut away with the days that the season does not touch
    start_s = bounds.start - 24 * 3600
    n_hours = max(0, (min(bounds.end, basis.as_of_s) - start_s) // 3600) if only is None or len(only) else 0
    hours = (
        station_hours(store, start_s, n_hours, only) if n_hours else pl.DataFrame(schema=TABLES["station_hour"].schema)
    )
    days = basis.packs.seasons[pack].day_numbers
    stations = records.stations.select("substation", "company", "banner")
    if only is not None:
        stations = stations.filter(pl.col("substation").is_in(list(only)))
    known = station_days(
        hours,
        stations,
        expected_supply(hours, setpoint_hours(store, start_s, n_hours, only), basis.homes),
        rooms,
        station_outage_hours(basis.outage, records.stations.select("substation", "source"), basis.as_of_s),
    )
    station_day = pl.concat([known, silent_days(stations, known, rooms, days.start)]).filter(
        pl.col("day").is_between(days.start, days.stop - 1)
    )
    return {
        "station_hour": hours.filter(pl.col("hour_s") >= bounds.start),
        "station_day": station_day,
        "homes": basis.homes,
        "outage": basis.outage,
        "fuel_day": records.fuel_day,
        "sources": records.sources,
        "banners": records.banners,
        "vehicle": records.vehicle,
        **basis.support,
        "building_meter": records.building_meter,
    }


def judge_places(basis: Basis, store: Store, rooms: pl.DataFrame) -> pl.DataFrame:
    """All judgements on stations, sources, companies and banners, each by the pack of its banner; columns as `judging_homes` gives them."""
    records = basis.places
    owners = pl.concat(
        [
            records.stations.select(pl.lit("substation").alias("subject_level"), pl.col("substation").alias("subject"), "company", "banner"),
            records.sources.select(pl.lit("source").alias("subject_level"), pl.col("source").alias("subject"), "company", "banner"),
            records.banners.select(
                pl.lit("banner").alias("subject_level"), pl.col("banner").alias("subject"), pl.lit("").alias("company"), "banner"
            ),
        ]
    )  # fmt: skip
    frames = []
    for name, pack in basis.packs.packs.items():
        here = [banner for banner, own in basis.packs.by_banner.items() if own == name]
        tables = place_tables(basis, name, store, rooms)
        own = {
            table: frame.filter(pl.col("banner").is_in(here)) if "banner" in frame.columns else frame
            for table, frame in tables.items()
        }
        own["fuel_day"] = own["fuel_day"].join(own["sources"].select("source"), on="source")
        book = basis.book(name, own)
        for clause in CLAUSES:
            for scope, level in SCOPES.items():
                if clause.judges(scope):
                    frame = clause.judge(book, pack).frame.filter(pl.col("subject_level") == level)
                    frames.append(
                        frame.with_columns(
                            pl.lit(name).alias("pack"), pl.lit(pack.version).alias("pack_version")
                        )
                    )  # fmt: skip
    extra = {"pack": pl.String(), "pack_version": pl.String()}
    found = pl.concat([pl.DataFrame(schema=SCHEMA | extra), *frames])
    of_company = pl.col("subject_level") == "company"
    return (
        found.join(owners, on=["subject_level", "subject"], how="left")
        .with_columns(
            pl.when(of_company).then("subject").otherwise("company").alias("company"),
            pl.when(of_company).then("item").otherwise("banner").alias("banner"),
        )
        .select(*SCHEMA, pl.col("company", "banner").fill_null(""), "pack", "pack_version")
    )
