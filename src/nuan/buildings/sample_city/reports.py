"""What people report: outages, formal measurements on both sides of the line, and the daily stock of every heat source."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from nuan.buildings.control import EMISSION_EXPONENT
from nuan.buildings.expected import DESIGN_W_PER_M2
from nuan.buildings.sample_city import events
from nuan.buildings.sample_city.events import Cut, Planted, stopped
from nuan.buildings.sample_city.physics import Supply
from nuan.buildings.sample_city.plan import CityPlan
from nuan.buildings.sample_city.registry import metered_buildings, station_areas_m2
from nuan.buildings.weather.year import WeatherSpan
from nuan.terms.places import CHINA, DAY_S, day_date, local_time, to_epoch
from nuan.terms.season import Season

KWH_PER_T_COAL = 4760.0
STOCK_LOW_DAYS, STOCK_FULL_DAYS = 22.0, 29.0
ABSENT, REFUSED = "absent", "refused"


@dataclass(frozen=True)
class Visit:
    """One measuring visit: day counted from the first of its series, clock hour, and what came out (°C as text, or who was missing)."""

    day: int
    result: str
    hour: int = 14
    purpose: str = "complaint"


@dataclass(frozen=True)
class Series:
    zh: str
    months: int
    visits: tuple[Visit, ...]


SERIES = (
    Series("30 日内 3 次不达标（首末相隔 29 日）", 1, (Visit(0, "16.40"), Visit(14, "16.90"), Visit(29, "17.20"))),
    Series("首末相隔 30 日，不在 30 日之内", 0, (Visit(0, "16.80"), Visit(15, "16.60"), Visit(30, "17.10"))),
    Series("只有 2 次不达标", 0, (Visit(0, "16.50"), Visit(9, "17.30"))),
    Series("其中一次正好 18.00 ℃，达标", 0, (Visit(0, "17.10"), Visit(10, "18.00"), Visit(20, "17.40"))),
    Series("三次都是 17.99 ℃", 1, (Visit(0, "17.99"), Visit(7, "17.99"), Visit(14, "17.99"))),
    Series("一天测两次只算一次", 0, (Visit(0, "17.00", 9), Visit(0, "17.10", 16), Visit(12, "16.90"))),
    Series(
        "中间复测合格，重新计数",
        0,
        (Visit(0, "16.70"), Visit(6, "17.20"), Visit(12, "18.60", purpose="retest"), Visit(20, "17.30")),
    ),
    Series("第三次企业未到，推定不达标", 1, (Visit(0, "17.20"), Visit(10, "16.90"), Visit(20, ABSENT))),
    Series("第三次用户拒绝，推定达标", 0, (Visit(0, "17.20"), Visit(10, "16.90"), Visit(20, REFUSED))),
)


def measured_homes(plan: CityPlan, seed: int) -> list[int]:
    """One home for every series: the first a cold top-floor flat (王阿姨's), the others under throttled stations."""
    free = ~stopped(plan, seed) & ~metered_buildings(plan, seed)[plan.home_building]
    tops = [h for building in events.cold_top_buildings(plan) for h in events.top_floor(plan, building)]
    first = next((h for h in tops if free[h]), tops[0])
    throttled = np.flatnonzero(free & np.isin(plan.home_station, events.troubled_stations(plan, events.THROTTLED)))
    others = throttled[np.linspace(0, len(throttled) - 1, len(SERIES) - 1).astype(np.int64)]
    return [first, *others.tolist()]


def measurements(plan: CityPlan, seed: int, season: Season) -> tuple[pl.DataFrame, list[Planted]]:
    rows: list[dict[str, object]] = []
    found: list[Planted] = []
    low, _ = events.throttled_period(season)
    for number, (series, home) in enumerate(zip(SERIES, measured_homes(plan, seed), strict=True), 1):
        first = low + (28 if number == 1 else 10 + number % 4) * DAY_S
        code = plan.home_codes[home]
        moments = [first + visit.day * DAY_S + visit.hour * 3600 for visit in series.visits]
        for step, (visit, moment) in enumerate(zip(series.visits, moments, strict=True), 1):
            rows.append(_visit_row(f"M-{number:02d}-{step}", code, visit, local_time(moment)))
        found.append(
            Planted(
                "month_refund" if series.months else "no_month_refund", ("2.5.3b",) if series.months else (), "home", code,
                moments[0], moments[-1] + 1, 0, series.zh, {"months": series.months},
            )
        )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None), found


def _visit_row(code: str, home: str, visit: Visit, at: datetime) -> dict[str, object]:
    missing = visit.result in {ABSENT, REFUSED}
    return {
        "code": code,
        "home": home,
        "room": "bedroom",
        "room_area_m2": "14.50",
        "requested_at": at - timedelta(hours=5),
        "measured_at": at,
        "temp_c": None if missing else visit.result,
        "method": "房间中央，离地 1.4 米",
        "instrument": "示例测温仪 1 号",
        "signed_user": not missing,
        "signed_company": visit.result != ABSENT,
        "user_refused": visit.result == REFUSED,
        "company_absent": visit.result == ABSENT,
        "no_record": False,
        "third_party": False,
        "purpose": visit.purpose,
    }


def outages(cuts: list[Cut]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "code": cut.code,
                "level": cut.level,
                "place": cut.place,
                "started_at": local_time(cut.start_s),
                "ended_at": local_time(cut.end_s),
                "planned": cut.planned,
                "cause": cut.cause,
                "attested_by": "" if cut.cause == "unknown" else "示例市供热主管部门",
                "note": f"演示数据：{cut.zh}",
            }
            for cut in cuts
        ]
    )


def fuel(plan: CityPlan, seed: int, season: Season, weather: WeatherSpan, supply: Supply) -> pl.DataFrame:
    """Coal of every source, day by day. Deliveries keep 22–29 design days in stock, except where they stay out (`events.fuel_dip`)."""
    area = station_areas_m2(plan, seed)
    share = supply.station_share(plan.stations).astype(np.float64) ** EMISSION_EXPONENT
    load = share * supply.curve.load(supply.seen_c)[None, :]
    kw = area[:, None] * DESIGN_W_PER_M2 / 1000 * load
    daily_kwh = kw.reshape(plan.stations, -1, 24).sum(axis=2)[:, weather.index(season.interval.start) // 24 :]
    first_day = (season.interval.start - to_epoch(datetime(1970, 1, 1, tzinfo=CHINA))) // DAY_S
    dry_from, dry_to = events.fuel_dip(season)
    parts = []
    for source, code in enumerate(plan.source_codes):
        mine = plan.station_source == source
        burn = daily_kwh[mine].sum(axis=0) / KWH_PER_T_COAL
        design = float(burn.max())
        short = source == int(np.flatnonzero(plan.source_district == events.SHORT_OF_FUEL)[0])
        stock, level, arriving = [], STOCK_FULL_DAYS * design, []
        for day, burnt in enumerate(burn.tolist()):
            level -= burnt
            dry = short and dry_from <= day < dry_to
            if level < STOCK_LOW_DAYS * design and not dry:
                level += min(STOCK_FULL_DAYS * design - level, 8 * design)
            stock.append(level)
            arriving.append(0.0 if dry else 2 * burnt)
        parts.append(
            pl.DataFrame(
                {
                    "source": [code] * len(burn),
                    "day": [day_date(first_day + i) for i in range(len(burn))],
                    "stock_t": np.round(stock, 3),
                    "burn_t": np.round(burn, 3),
                    "arriving_t": np.round(arriving, 3),
                }
            )
        )
    return pl.concat(parts)
