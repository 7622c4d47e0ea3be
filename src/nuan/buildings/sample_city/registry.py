"""The city as the tables of a registry import. Everything is marked as an example; no code, number or name can be a real one.

Banner codes begin with 9999 (no such region), company numbers carry that region and a correct check digit, telephone numbers begin with
100 (no such network).
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from stdnum.cn import uscc

from nuan.buildings.expected import DESIGN_W_PER_M2
from nuan.buildings.sample_city.dice import uniform
from nuan.buildings.sample_city.events import BANNER_WITHOUT_VEHICLE, stopped
from nuan.buildings.sample_city.physics import built_years
from nuan.buildings.sample_city.plan import BANNERS, COMPANIES, CityPlan, IntArray
from nuan.terms.season import Season

PACK = "demo-city"
PRICE_FEN_PER_M2 = 2400
BASE_FEE_SHARE = 0.3
_CENTRES = ((109.990, 39.825), (109.775, 39.605), (109.815, 39.420))
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"


def areas_m2_100(plan: CityPlan, seed: int) -> IntArray:
    """45–140 m² in steps of 0.5 m²; homes above each other have the same plan."""
    entrance, _, door = plan.home_place
    stack = plan.home_building * 64 + entrance * 2 + door
    return (np.round((45 + 95 * uniform(seed, "area", stack) ** 1.3) * 2) * 50).astype(np.int64)


def metered_buildings(plan: CityPlan, seed: int) -> NDArray[np.bool_]:
    return np.asarray((built_years(plan, seed) >= 2015) & (uniform(seed, "metered", np.arange(plan.buildings)) < 0.4))


def station_areas_m2(plan: CityPlan, seed: int) -> NDArray[np.float64]:
    area = np.where(stopped(plan, seed), 0, areas_m2_100(plan, seed)) / 100
    return np.asarray(np.bincount(plan.home_station, weights=area, minlength=plan.stations), dtype=np.float64)


def registry_tables(plan: CityPlan, seed: int, season: Season) -> dict[str, pl.DataFrame]:
    """banners companies sources substations loops buildings homes residents vehicles."""
    return {
        **_organisations(plan, season),
        **_network(plan, seed),
        "buildings": _buildings(plan, seed),
        "homes": _homes(plan, seed, season),
        "residents": _residents(plan, seed),
    }


def _organisations(plan: CityPlan, season: Season) -> dict[str, pl.DataFrame]:
    numbers = []
    for i in range(len(COMPANIES)):
        body = f"91999999MA9TEST{i + 1:02d}".replace("S", "5")
        numbers.append(body + uscc.calc_check_digit(body))
    served = [i for i in range(len(BANNERS)) if i != BANNER_WITHOUT_VEHICLE]
    return {
        "banners": pl.DataFrame(
            {"code": [c for c, _ in BANNERS], "name": [n for _, n in BANNERS], "pack": [PACK] * len(BANNERS)}
        ),
        "companies": pl.DataFrame(
            {
                "code": [c for c, _ in COMPANIES],
                "name": [n for _, n in COMPANIES],
                "uscc": numbers,
                "service_phone": [f"0000-100000{i + 1}" for i in range(len(COMPANIES))],
            }
        ),
        "vehicles": pl.DataFrame(
            {
                "code": [f"示例热源车{i + 1}" for i in range(len(served))],
                "banner": [BANNERS[i][0] for i in served],
                "power_kw": [1400, 2800][: len(served)],
                "available_from": [season.first_day] * len(served),
                "available_to": pl.Series([None] * len(served), dtype=pl.Date),
                "station": ["示例应急基地"] * len(served),
            }
        ),
    }


def _network(plan: CityPlan, seed: int) -> dict[str, pl.DataFrame]:
    banner_codes = np.array([code for code, _ in BANNERS])
    company_codes = np.array([code for code, _ in COMPANIES])
    area = station_areas_m2(plan, seed)
    load_mw = np.bincount(plan.station_source, weights=area, minlength=plan.sources) * DESIGN_W_PER_M2 / 1e6
    longitude, latitude = station_positions(plan)
    x = np.bincount(plan.station_source, weights=longitude) / np.bincount(plan.station_source)
    y = np.bincount(plan.station_source, weights=latitude) / np.bincount(plan.station_source)
    sources, stations, loops = plan.source_codes, plan.station_codes, plan.loop_codes
    return {
        "sources": pl.DataFrame(
            {
                "code": sources,
                "name": [f"示例热源厂{i + 1}号" for i in range(plan.sources)],
                "company": company_codes[plan.source_company],
                "banner": banner_codes[plan.source_banner],
                "fuel": ["coal"] * plan.sources,
                "capacity_mw": np.maximum(1.0, np.round(1.25 * load_mw, 1)),
                "longitude": np.round(x + 0.004, 6),
                "latitude": np.round(y + 0.003, 6),
            }
        ),
        "substations": pl.DataFrame(
            {
                "code": stations,
                "name": [f"示例{code}换热站" for code in stations],
                "source": [sources[s] for s in plan.station_source.tolist()],
                "company": company_codes[plan.source_company[plan.station_source]],
                "banner": banner_codes[plan.source_banner[plan.station_source]],
                "longitude": np.round(longitude, 6),
                "latitude": np.round(latitude, 6),
            }
        ),
        "loops": pl.DataFrame(
            {
                "code": loops,
                "name": ["低区" if code.endswith("L1") else "高区" for code in loops],
                "substation": [stations[s] for s in plan.loop_station.tolist()],
            }
        ),
    }


def station_positions(plan: CityPlan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Stations on a sunflower around the middle of their banner, so that a source's stations lie together."""
    banner = plan.source_banner[plan.station_source]
    longitude, latitude = np.zeros(plan.stations), np.zeros(plan.stations)
    for b, (x, y) in enumerate(_CENTRES):
        here = np.flatnonzero(banner == b)
        at = np.arange(len(here)) + 0.5
        radius = 0.0085 * np.sqrt(at)
        angle = at * np.pi * (3 - np.sqrt(5))
        longitude[here] = x + radius * np.cos(angle) / np.cos(np.deg2rad(y))
        latitude[here] = y + radius * np.sin(angle)
    return longitude, latitude


def _buildings(plan: CityPlan, seed: int) -> pl.DataFrame:
    banner_codes = np.array([code for code, _ in BANNERS])
    longitude, latitude = station_positions(plan)
    order = np.arange(plan.buildings) - np.searchsorted(plan.building_station, plan.building_station)
    count = np.bincount(plan.building_station)[plan.building_station]
    columns = np.ceil(np.sqrt(count)).astype(np.int64)
    x = longitude[plan.building_station] + ((order % columns) - (columns - 1) / 2) * 0.0011
    y = latitude[plan.building_station] + ((order // columns) - (columns - 1) / 2) * 0.00062 - 0.0004
    return pl.DataFrame(
        {
            "code": plan.building_codes,
            "name": [f"{i + 1}号楼" for i in order.tolist()],
            "estate": [f"示例{s + 1}小区" for s in plan.building_station.tolist()],
            "loop": [plan.loop_codes[i] for i in plan.building_loop.tolist()],
            "banner": banner_codes[plan.source_banner[plan.station_source[plan.building_station]]],
            "longitude": np.round(x, 6),
            "latitude": np.round(y, 6),
            "built_year": built_years(plan, seed),
            "floors": plan.building_floors,
        }
    )


def _homes(plan: CityPlan, seed: int, season: Season) -> pl.DataFrame:
    entrance, floor, door = plan.home_place
    area = areas_m2_100(plan, seed)
    fee_fen = area * PRICE_FEN_PER_M2 // 100
    metered = metered_buildings(plan, seed)[plan.home_building]
    base_fen = np.round(fee_fen * BASE_FEE_SHARE).astype(np.int64)
    buildings = pl.Series(plan.building_codes)
    frame = pl.DataFrame(
        {
            "code": plan.home_codes,
            "building": buildings.gather(plan.home_building),
            "entrance": entrance,
            "floor": floor,
            "door": floor * 100 + door,
            "area": area,
            "fee": fee_fen,
            "base": base_fen,
            "metered": metered,
            "stop_heat": stopped(plan, seed),
        }
    )
    return frame.select(
        "code",
        "building",
        pl.col("entrance").cast(pl.String),
        "floor",
        pl.col("door").cast(pl.String),
        pl.lit("residential").alias("home_class"),
        _hundredths("area").alias("area_m2"),
        _hundredths("fee").alias("season_fee_yuan"),
        pl.when("metered").then(_hundredths("base")).alias("base_fee_yuan"),
        "stop_heat",
        "metered",
        pl.lit(season.key).alias("season"),
    )


def _hundredths(column: str) -> pl.Expr:
    """A whole number of hundredths as a decimal text, exactly: 214800 → `2148.00`."""
    value = pl.col(column)
    return pl.concat_str((value // 100).cast(pl.String), pl.lit("."), (value % 100).cast(pl.String).str.zfill(2))


def _residents(plan: CityPlan, seed: int) -> pl.DataFrame:
    which = np.floor(uniform(seed, "surname", np.arange(plan.homes)) * len(_SURNAMES)).astype(np.int64)
    names = pl.Series([f"{surname}某某" for surname in _SURNAMES])
    number = pl.Series("n", np.arange(1, plan.homes + 1))
    return pl.DataFrame(
        {
            "home": plan.home_codes,
            "name": names.gather(which),
            "phone": "100" + number.cast(pl.String).str.zfill(8),
        }
    )
