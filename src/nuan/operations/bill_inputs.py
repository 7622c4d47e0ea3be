"""What a bill run reads: homes with contract, billing card and last season's bill, as columns; and their tariffs."""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from nuan.operations.bulk import copied
from nuan.operations.city_packs import CityPacks, city_packs
from nuan.policies.tariffs.columns import ABSENT, GJ, KWH, BilledHomes
from nuan.policies.tariffs.late_fee import due_day
from nuan.policies.tariffs.tariff import Tariff, TariffValueError, tariff

_HOMES = """
    SELECT h.id, h.code, h.banner_id, h.home_class = 'residential', c.area_m2_100, c.season_fee_fen, c.stop_heat, c.metered, c.id IS NULL,
        k.building_m2_100, k.inner_m2_100, k.usable_m2_100, k.ceiling_mm, k.heat_1000, k.heat_unit = 'GJ', k.connection_m2_100,
        last.total_fen, done.home_id IS NOT NULL
    FROM registry_home h
    LEFT JOIN registry_contract c ON c.home_id = h.id AND c.season = {season}
    LEFT JOIN billing_billingcard k ON k.home_id = h.id AND k.season = {season}
    LEFT JOIN (SELECT home_id, sum(total_fen) AS total_fen FROM billing_bill WHERE season = {last} AND kind <> 'late_fee'
               AND company_id = {company} GROUP BY home_id) last ON last.home_id = h.id
    LEFT JOIN (SELECT DISTINCT b.home_id FROM billing_bill b WHERE b.season = {season} AND b.kind = 'bill' AND b.company_id = {company}
               AND NOT EXISTS (SELECT 1 FROM billing_bill x WHERE x.about_id = b.id AND x.kind = 'cancellation')) done ON done.home_id = h.id
    WHERE h.company_id = {company} ORDER BY h.id
"""
_SCHEMA = {
    "home_id": pl.Int64, "home": pl.String, "banner": pl.String, "is_dwelling": pl.String, "area_m2_100": pl.Int64,
    "season_fee_fen": pl.Int64, "stopped": pl.String, "metered": pl.String, "no_contract": pl.String,
    "building_m2_100": pl.Int64, "inner_m2_100": pl.Int64, "usable_m2_100": pl.Int64, "ceiling_mm": pl.Int64, "heat_1000": pl.Int64,
    "in_gj": pl.String, "connection_m2_100": pl.Int64, "last_fen": pl.Int64, "billed_already": pl.String,
}  # fmt: skip
MEASURES = (
    "area_m2_100", "building_m2_100", "inner_m2_100", "usable_m2_100", "ceiling_mm", "heat_1000", "connection_m2_100",
)  # fmt: skip


@dataclass(frozen=True)
class PackTariff:
    """One pack's tariff over its season; `impossible` says why there is none."""

    tariff: Tariff | None
    due_on: date | None
    impossible: str = ""


@dataclass(frozen=True)
class BillInputs:
    """`homes` has a row a home of the company, with its pack; `digest` covers all of it."""

    company: str
    season: str
    homes: pl.DataFrame
    packs: CityPacks
    tariffs: dict[str, PackTariff]
    digest: str


def last_season(season: str) -> str:
    """
    >>> last_season("2025-2026")
    '2024-2025'
    """
    first, last = (int(year) - 1 for year in season.split("-"))
    return f"{first}-{last}"


def bill_inputs(company: str, season: str, pack_name: str | None = None) -> BillInputs:
    packs = city_packs(season, pack_name)
    data = _copy_out(company, season)
    read = pl.read_csv(data, has_header=False, new_columns=list(_SCHEMA), schema_overrides=_SCHEMA) if data else None
    homes = pl.DataFrame(schema=_SCHEMA) if read is None else read
    flags = ("is_dwelling", "stopped", "metered", "no_contract", "in_gj", "billed_already")
    homes = homes.with_columns(pl.col(name).eq("t").fill_null(value=False) for name in flags)
    by_banner = pl.DataFrame({"banner": list(packs.by_banner), "pack": list(packs.by_banner.values())}, schema={"banner": pl.String, "pack": pl.String})  # fmt: skip
    homes = homes.join(by_banner, on="banner", how="left", maintain_order="left")
    tariffs = {name: _tariff(packs, name) for name in packs.packs}
    return BillInputs(company, season, homes, packs, tariffs, hashlib.sha256(data).hexdigest())


def _copy_out(company: str, season: str) -> bytes:
    from psycopg import sql

    statement = sql.SQL(_HOMES).format(
        season=sql.Literal(season), last=sql.Literal(last_season(season)), company=sql.Literal(company)
    )
    return copied(statement)


def _tariff(packs: CityPacks, name: str) -> PackTariff:
    pack, season = packs.packs[name], packs.seasons[name]
    due = due_day(pack, season)
    try:
        return PackTariff(tariff(pack, season), due)
    except TariffValueError as error:
        return PackTariff(None, due, str(error))


def columns(homes: pl.DataFrame) -> BilledHomes:
    """The frame as the tariff's columns: what is empty is ABSENT."""
    given = {name: homes[name].fill_null(ABSENT).to_numpy() for name in MEASURES}
    flags = {name: homes[name].to_numpy() for name in ("is_dwelling", "metered", "stopped")}
    return BilledHomes.of(homes.height, heat_unit=np.where(homes["in_gj"].to_numpy(), GJ, KWH), **given, **flags)
