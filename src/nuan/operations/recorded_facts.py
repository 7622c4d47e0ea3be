"""Records → fact tables: contracts, outages, measurements, fuel, vehicles, as they were known at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db import connection

from nuan.facts.schemas import TABLES, empty

_HOMES = """
SELECT h.code AS home, h.building_id AS building, b.loop_id AS loop, h.substation_id AS substation, s.source_id AS source,
       h.company_id AS company, h.banner_id AS banner, c.area_m2_100, h.home_class, c.season_fee_fen, c.stop_heat, c.metered,
       c.base_fee_fen
FROM registry_contract c JOIN registry_home h ON h.id = c.home_id JOIN registry_building b ON b.code = h.building_id
JOIN registry_substation s ON s.code = h.substation_id
WHERE c.season = %(season)s {only} ORDER BY h.code
"""
_OUTAGES = """
SELECT code AS outage_id, level, place AS code, extract(epoch FROM started_at)::bigint AS start_s,
       CASE WHEN ended_at <= to_timestamp(%(as_of)s) THEN extract(epoch FROM ended_at)::bigint END AS end_s,
       planned, cause, attested_by
FROM emergency_outage WHERE started_at < to_timestamp(%(as_of)s) ORDER BY code
"""
_MEASUREMENTS = """
SELECT m.code AS measurement_id, h.code AS home, m.room, m.room_area_m2_100, extract(epoch FROM m.requested_at)::bigint AS requested_s,
       extract(epoch FROM m.measured_at)::bigint AS measured_s, m.temp_c100, m.method, m.signed_user, m.signed_company,
       m.user_refused, m.company_absent, m.no_record, m.third_party, m.purpose
FROM supervision_measurement m JOIN registry_home h ON h.id = m.home_id
WHERE coalesce(m.measured_at, m.requested_at) <= to_timestamp(%(as_of)s) {only} ORDER BY m.code
"""
_FUEL = """
SELECT source_id AS source, (day - date '1970-01-01') AS day, stock_t1000, burn_t1000, arriving_t1000
FROM supervision_fuelday WHERE day <= (to_timestamp(%(as_of)s) AT TIME ZONE 'Asia/Shanghai')::date ORDER BY source_id, day
"""
_VEHICLES = """
SELECT code AS vehicle_id, banner_id AS banner, power_kw, (available_from - date '1970-01-01') AS available_from,
       (available_to - date '1970-01-01') AS available_to
FROM emergency_vehicle ORDER BY code
"""
_BUILDING_METERS = """
SELECT h.building_id AS building, h.banner_id AS banner, min(h.company_id) AS company, h.home_class, b.built_year::bigint AS built_year,
       count(*) AS homes, count(*) FILTER (WHERE c.metered) AS homes_metered,
       count(*) FILTER (WHERE c.metered AND NOT c.stop_heat AND l.home_id IS NOT NULL) AS homes_billed_metered,
       count(*) FILTER (WHERE c.metered AND NOT c.stop_heat AND l.by_heat) AS homes_billed_by_heat
FROM registry_home h JOIN registry_contract c ON c.home_id = h.id AND c.season = %(season)s JOIN registry_building b ON b.code = h.building_id
LEFT JOIN (SELECT x.home_id, bool_or(n.kind = 'metered') AS by_heat FROM billing_bill x JOIN billing_billline n ON n.bill_id = x.id
           WHERE x.season = %(season)s AND x.kind = 'bill' AND x.issued_on <= (to_timestamp(%(as_of)s) AT TIME ZONE 'Asia/Shanghai')::date
           AND NOT EXISTS (SELECT 1 FROM billing_bill d WHERE d.about_id = x.id AND d.kind = 'cancellation')
           GROUP BY x.home_id) l ON l.home_id = h.id
WHERE %(banner)s IN ('', h.banner_id)
GROUP BY h.building_id, h.banner_id, h.home_class, b.built_year ORDER BY h.building_id, h.home_class
"""
_BANNERS = "SELECT code AS banner, name FROM registry_banner ORDER BY code"
_SOURCES = (
    "SELECT code AS source, company_id AS company, banner_id AS banner, fuel FROM registry_heatsource ORDER BY code"
)
_STATIONS = """
SELECT code AS substation, source_id AS source, company_id AS company, banner_id AS banner FROM registry_substation ORDER BY code
"""
STATION_SCHEMA = {
    "substation": pl.String(),
    "source": pl.String(),
    "company": pl.String(),
    "banner": pl.String(),
}


def _frame(statement: str, schema: dict[str, pl.DataType], **values: Any) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        rows = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
    assert names == list(schema), f"{names} are not the columns {list(schema)}"
    return pl.DataFrame(rows, schema=schema, orient="row")


def _table(name: str, statement: str, **values: Any) -> pl.DataFrame:
    return _frame(statement, TABLES[name].schema, **values)


def _only(codes: Sequence[str] | None) -> tuple[str, dict[str, Any]]:
    return ("", {}) if codes is None else ("AND h.code = ANY(%(codes)s)", {"codes": list(codes)})


def homes_of(season: str, codes: Sequence[str] | None = None) -> pl.DataFrame:
    """The fact table `homes`: every home with a contract for the season, or those of `codes`."""
    only, values = _only(codes)
    return _table("homes", _HOMES.format(only=only), season=season, **values)


def outages_at(as_of_s: int) -> pl.DataFrame:
    """Outages that had begun by then; one that ended later was still going."""
    return _table("outage", _OUTAGES, as_of=as_of_s)


def measurements_at(as_of_s: int, codes: Sequence[str] | None = None) -> pl.DataFrame:
    only, values = _only(codes)
    return _table("measurement", _MEASUREMENTS.format(only=only), as_of=as_of_s, **values)


def stations() -> pl.DataFrame:
    """`substation source company banner` of every substation."""
    return _frame(_STATIONS, STATION_SCHEMA)


@dataclass(frozen=True)
class PlaceRecords:
    """What is recorded about places above the homes, as of a moment."""

    stations: pl.DataFrame
    sources: pl.DataFrame
    banners: pl.DataFrame
    fuel_day: pl.DataFrame
    vehicle: pl.DataFrame
    companies: pl.DataFrame
    building_meter: pl.DataFrame


def building_meters(season: str, as_of_s: int, banner: str = "") -> pl.DataFrame:
    """The fact table `building_meter`, of one banner or of all: it reads every contract and bill, so it is asked for where it is needed."""
    return _table("building_meter", _BUILDING_METERS, season=season, as_of=as_of_s, banner=banner)


def place_records(as_of_s: int, meters_of: str | None = None) -> PlaceRecords:
    """`meters_of` names the season whose metering is read; without it that table is empty."""
    return PlaceRecords(
        stations(),
        _table("sources", _SOURCES),
        _table("banners", _BANNERS),
        _table("fuel_day", _FUEL, as_of=as_of_s),
        _table("vehicle", _VEHICLES),
        _frame("SELECT code AS company FROM registry_company ORDER BY code", {"company": pl.String()}),
        empty("building_meter") if meters_of is None else building_meters(meters_of, as_of_s),
    )
