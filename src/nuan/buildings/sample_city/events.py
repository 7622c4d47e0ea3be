"""What is planted in the sample city, and the truth about it: place, period, kind. Everything else is comfortably fine."""

from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.sample_city import sensors
from nuan.buildings.sample_city.dice import uniform
from nuan.buildings.sample_city.plan import BANNERS, COMPANIES, CityPlan
from nuan.buildings.weather.year import WeatherSpan
from nuan.terms.places import DAY_S, HOUR_S, local_time
from nuan.terms.season import Season

# the districts of plan.DISTRICTS and what goes wrong in each
FAILING_SOURCE, SHORT_OF_FUEL, LATE, UNTROUBLED, THROTTLED, OVERHEATED, EARLY = range(7)
COLD_TOPS = FAILING_SOURCE
BANNER_WITHOUT_VEHICLE = 2
RECOVERY_S = 7 * DAY_S
"""After a cut, rooms need up to a week to come back to where they were."""
THROTTLE, OVERHEAT = 0.80, 1.25
TOP_FLOOR_TARGET_C = 15.4


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted event. `level` and `place` as in the records; `[start_s, end_s)` epoch; `clauses` are those that must notice it.

    `rooms_until_s`: until then rooms under the place may be cold (or warm) because of it.
    """

    kind: str
    clauses: tuple[str, ...]
    level: str
    place: str
    start_s: int
    end_s: int
    rooms_until_s: int
    zh: str
    facts: dict[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"start": _clock(self.start_s), "end": _clock(self.end_s)}


def _clock(moment: int) -> str:
    return local_time(moment).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Cut:
    """Heat that stops at a place: an outage as it is recorded. `counts` says whether it must lead to refunds."""

    code: str
    level: str
    place: str
    start_s: int
    end_s: int
    cause: str
    planned: bool
    zh: str
    refund: str


def cuts(plan: CityPlan, season: Season, weather: WeatherSpan) -> list[Cut]:
    """The source failure and seven smaller cuts around the 24-hour line, all in districts that are otherwise well."""
    first = season.interval.start
    cold_start, _ = weather.coldest_days(7)
    failing = int(np.flatnonzero(plan.source_district == FAILING_SOURCE)[0])
    well = plan.stations_in(SHORT_OF_FUEL)
    buildings = plan.buildings_of(well)
    pick = [int(buildings[i * len(buildings) // 6]) for i in range(6)] if len(buildings) >= 6 else buildings.tolist()
    houses = [plan.building_codes[pick[i % len(pick)]] for i in range(4)]
    lonely = plan.home_codes[int(plan.homes_of(pick[-1])[0])]
    station, loop = plan.station_codes[int(well[-1])], _loop_of(plan, int(well[0]))

    def cut(
        code: str, level: str, place: str, day: int, hour: int, hours: float, cause: str, zh: str, refund: str
    ) -> Cut:
        start = first + day * DAY_S + hour * HOUR_S
        return Cut(code, level, place, start, start + round(hours * HOUR_S), cause, False, zh, refund)

    start = cold_start + 2 * DAY_S + 2 * HOUR_S
    source = plan.source_codes[failing]
    found = [
        Cut("O-01", "source", source, start, start + 31 * HOUR_S, "source", False, "最冷一周热源停运 31 小时", "yes"),
        cut("O-02", "building", houses[0], 25, 9, 23, "supplier", "停热 23 小时，不满 24 小时", "no"),
        cut("O-03", "building", houses[1], 40, 8, 24, "supplier", "停热整 24 小时，未超过 24 小时", "no"),
        cut(
            "O-04", "building", houses[3], 55, 8, 24 + 1 / 3600, "supplier", "停热 24 小时零 1 秒，超过 24 小时", "yes"
        ),
        cut("O-05", "substation", station, 120, 20, 30, "supplier", "换热站停热 30 小时", "yes"),
        cut("O-06", "building", houses[2], 138, 10, 36, "third_party", "第三方挖断管道，停热 36 小时", "no"),
        cut("O-07", "loop", loop, 152, 7, 26, "unknown", "停热 26 小时，原因未查明", "undecidable"),
        cut("O-08", "home", lonely, 98, 9, 40, "user", "用户自行关阀 40 小时", "no"),
    ]
    planned = cut("O-09", "substation", station, 33, 22, 4, "supplier", "夜间计划检修 4 小时", "no")
    return [
        *found,
        Cut(
            planned.code,
            planned.level,
            planned.place,
            planned.start_s,
            planned.end_s,
            "supplier",
            True,
            planned.zh,
            "no",
        ),
    ]


def _loop_of(plan: CityPlan, station: int) -> str:
    return plan.loop_codes[int(np.flatnonzero(plan.loop_station == station)[-1])]


def troubled_stations(plan: CityPlan, district: int) -> list[int]:
    """Where a company starts late, stops early, throttles or over-heats: the first half of its stations in the district."""
    stations = plan.stations_in(district)
    return [int(station) for station in stations[: max(1, len(stations) // 2)]]


def late_until_s(season: Season) -> int:
    return season.interval.start + 2 * DAY_S + 6 * HOUR_S


def early_from_s(season: Season) -> int:
    return season.interval.end - 3 * DAY_S - 6 * HOUR_S


def throttled_period(season: Season) -> tuple[int, int]:
    """About seven weeks around the turn of the year."""
    return season.interval.start + 66 * DAY_S, season.interval.start + 116 * DAY_S


def fuel_dip(season: Season) -> tuple[int, int]:
    """Day of the season on which the last delivery comes, and the day on which deliveries begin again."""
    return 66, 96


def cold_top_buildings(plan: CityPlan) -> list[int]:
    """One building in four of the district, at least two where there are two."""
    buildings = plan.buildings_of(plan.stations_in(COLD_TOPS))
    return [int(b) for b in buildings[: max(2, len(buildings) // 4)]]


def truth(plan: CityPlan, seed: int, season: Season, cut_list: list[Cut]) -> list[Planted]:
    """The events that the clauses must find; measurements add theirs in `reports`.

    A cold top-floor flat binds no clause where nobody can see it: the home stopped heat, or its sensor dies in the season.
    """
    start, end = season.interval.start, season.interval.end
    found: list[Planted] = []
    for cut in cut_list:
        kind = "source_failure" if cut.level == "source" else "outage"
        clauses = ("2.5.3a",) if cut.refund != "no" else ()
        found.append(
            Planted(
                kind, clauses, cut.level, cut.place, cut.start_s, cut.end_s, cut.end_s + RECOVERY_S, cut.zh,
                {"outage_id": cut.code, "refund": cut.refund},
            )
        )  # fmt: skip
    name = dict(COMPANIES)
    for station in troubled_stations(plan, LATE):
        code, until = plan.station_codes[station], late_until_s(season)
        found.append(
            Planted(
                "late_start", ("2.5", "2.5.2"), "substation", code, start, until, until + RECOVERY_S,
                f"{name['C02']}此站晚供 54 小时",
            )
        )  # fmt: skip
    for station in troubled_stations(plan, EARLY):
        code, stop = plan.station_codes[station], early_from_s(season)
        found.append(
            Planted(
                "early_stop", ("2.5", "2.5.2"), "substation", code, stop, end, end, f"{name['C05']}提前停热 78 小时"
            )
        )
    lows, highs = throttled_period(season)
    for station in troubled_stations(plan, THROTTLED):
        code = plan.station_codes[station]
        found.append(
            Planted(
                "throttling", ("2.5", "2.5.2"), "substation", code, lows, highs, highs + RECOVERY_S, f"{name['C03']}压低供水温度"
            )
        )  # fmt: skip
    for station in troubled_stations(plan, OVERHEATED):
        code = plan.station_codes[station]
        found.append(Planted("over_heating", ("2.5",), "substation", code, start, end, end, f"{name['C04']}过量供热"))
    visible = ~sensors.dying(np.arange(plan.homes), seed) & ~stopped(plan, seed)
    for building in cold_top_buildings(plan):
        for home in top_floor(plan, building):
            found.append(
                Planted(
                    "cold_top_floor",
                    ("2.5.2",) if visible[home] else (),
                    "home",
                    plan.home_codes[home],
                    start,
                    end,
                    end,
                    "顶层散热不足，长期偏冷",
                )
            )
    short = int(np.flatnonzero(plan.source_district == SHORT_OF_FUEL)[0])
    dip = fuel_dip(season)
    found.append(
        Planted(
            "fuel_short", ("2.4.2a",), "source", plan.source_codes[short], start + dip[0] * DAY_S, start + (dip[1] + 4) * DAY_S,
            start, "燃煤库存降到 15 天以下",
        )
    )  # fmt: skip
    code, banner = BANNERS[BANNER_WITHOUT_VEHICLE]
    found.append(Planted("no_vehicle", ("2.6.1",), "banner", code, start, end, start, f"{banner}没有移动应急热源车"))
    return found


def stopped(plan: CityPlan, seed: int) -> NDArray[np.bool_]:
    """Homes that stopped heat for the season (报停), 1 %; they have no sensor."""
    return np.asarray(uniform(seed, "stop heat", np.arange(plan.homes)) < 0.01)


def top_floor(plan: CityPlan, building: int) -> list[int]:
    homes = plan.homes_of(building)
    floor = plan.home_place[1][homes]
    return [int(h) for h in homes[floor == floor.max()]]
