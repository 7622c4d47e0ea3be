"""Tidy registry tables → rows of the records. Each table knows its model, its columns and what makes a row the same."""

from collections.abc import Callable

import polars as pl

from nuan.operations.bulk import Counts, codes_of, upsert
from nuan.operations.patrol_writing import PATROL_WRITERS
from nuan.operations.support_writing import SUPPORT_WRITERS
from nuan.records.emergency.models import Outage, Vehicle
from nuan.records.registry.models import (
    Banner,
    Building,
    Company,
    Contract,
    HeatSource,
    Home,
    Loop,
    Resident,
    Substation,
)
from nuan.records.supervision.models import FuelDay, Measurement


def write(name: str, frame: pl.DataFrame) -> Counts:
    """Write one tidy table inside the caller's transaction, after the tables that it refers to."""
    return _WRITERS[name](frame)


def _key_of(*names: str) -> list[pl.Expr]:
    """References by code are columns `<name>_id`."""
    return [pl.col(name).alias(f"{name}_id") for name in names]


def _banners(frame: pl.DataFrame) -> Counts:
    return upsert(Banner, frame, ["code"])


def _companies(frame: pl.DataFrame) -> Counts:
    return upsert(Company, frame, ["code"])


def _sources(frame: pl.DataFrame) -> Counts:
    capacity = pl.col("capacity_mw").cast(pl.Decimal(18, 3)) / 1000
    keep = ["code", "name", "fuel", "longitude", "latitude"]
    return upsert(
        HeatSource, frame.select(*keep, capacity.alias("capacity_mw"), *_key_of("company", "banner")), ["code"]
    )


def _substations(frame: pl.DataFrame) -> Counts:
    keep = ["code", "name", "longitude", "latitude"]
    return upsert(Substation, frame.select(*keep, *_key_of("source", "company", "banner")), ["code"])


def _loops(frame: pl.DataFrame) -> Counts:
    return upsert(Loop, frame.select("code", "name", *_key_of("substation")), ["code"])


def _buildings(frame: pl.DataFrame) -> Counts:
    keep = ["code", "name", "estate", "longitude", "latitude", "built_year", "floors"]
    return upsert(Building, frame.select(*keep, *_key_of("loop", "banner")), ["code"])


def _homes(frame: pl.DataFrame) -> Counts:
    """Homes, then their contracts; a contract counts as the row, a home without a change of contract does not count twice."""
    above = pl.DataFrame(
        list(
            Building.objects.filter(code__in=frame["building"].unique().to_list()).values_list(
                "code", "banner_id", "loop__substation_id", "loop__substation__company_id"
            )
        ),
        schema={"building": pl.String, "banner_id": pl.String, "substation_id": pl.String, "company_id": pl.String},
        orient="row",
    )
    homes = (
        frame.unique(subset="code", keep="last", maintain_order=True)
        .join(above, on="building", how="left", maintain_order="left")
        .select(
            "code", "entrance", "floor", "door", "home_class", *_key_of("building"),
            "substation_id", "company_id", "banner_id",
        )
    )  # fmt: skip
    moved = upsert(Home, homes, ["code"])
    contracts = _with_home_id(frame.rename({"code": "home"})).select(
        "home_id", "season", "stop_heat", "metered",
        pl.col("area_m2").alias("area_m2_100"),
        pl.col("season_fee_yuan").alias("season_fee_fen"),
        pl.col("base_fee_yuan").alias("base_fee_fen"),
    )  # fmt: skip
    counts = upsert(Contract, contracts, ["home_id", "season"])
    changed = max(counts.changed, moved.changed)
    return Counts(counts.created, changed, frame.height - counts.created - changed)


def _with_home_id(frame: pl.DataFrame) -> pl.DataFrame:
    ids = codes_of(Home).select(pl.col("code").alias("home"), pl.col("id").cast(pl.Int64).alias("home_id"))
    return frame.join(ids, on="home", how="left", maintain_order="left")


def _residents(frame: pl.DataFrame) -> Counts:
    return upsert(Resident, _with_home_id(frame).select("home_id", "name", "phone"), ["home_id", "name"])


def _vehicles(frame: pl.DataFrame) -> Counts:
    keep = ["code", "power_kw", "available_from", "available_to", "station"]
    return upsert(Vehicle, frame.select(*keep, *_key_of("banner")), ["code"])


def _outages(frame: pl.DataFrame) -> Counts:
    return upsert(Outage, frame, ["code"])


def _fuel(frame: pl.DataFrame) -> Counts:
    tonnes = [pl.col(f"{name}_t").alias(f"{name}_t1000") for name in ("stock", "burn", "arriving")]
    return upsert(FuelDay, frame.select(*_key_of("source"), "day", *tonnes), ["source_id", "day"])


def _measurements(frame: pl.DataFrame) -> Counts:
    """Measurements are only ever added; the caller has refused rows that contradict what is recorded."""
    plain = [
        "code", "room", "requested_at", "measured_at", "method", "instrument", "signed_user", "signed_company",
        "user_refused", "company_absent", "no_record", "third_party", "purpose",
    ]  # fmt: skip
    rows = _with_home_id(frame).select(
        *plain, "home_id", pl.col("room_area_m2").alias("room_area_m2_100"), pl.col("temp_c").alias("temp_c100")
    )
    return upsert(Measurement, rows, ["code"], add_only=True)


_WRITERS: dict[str, Callable[[pl.DataFrame], Counts]] = {
    "banners": _banners,
    "companies": _companies,
    "sources": _sources,
    "substations": _substations,
    "loops": _loops,
    "buildings": _buildings,
    "homes": _homes,
    "residents": _residents,
    "vehicles": _vehicles,
    "outages": _outages,
    "fuel": _fuel,
    "measurements": _measurements,
    **SUPPORT_WRITERS,
    **PATROL_WRITERS,
}
