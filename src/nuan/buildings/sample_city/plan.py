"""Who feeds whom: three banners, five companies, heat sources, substations, loops, buildings and homes, as integer arrays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.sample_city.dice import uniform

IntArray = NDArray[np.int64]

BANNERS = (("999901", "示例旗甲"), ("999902", "示例旗乙"), ("999903", "示例旗丙"))
COMPANIES = (
    ("C01", "示例第一热力公司"),
    ("C02", "示例第二热力公司"),
    ("C03", "示例第三热力公司"),
    ("C04", "示例第四热力公司"),
    ("C05", "示例第五热力公司"),
)
# (company, banner, share of the substations); the planted events stand on these seven districts, see events.py
DISTRICTS = ((0, 0, 15), (0, 0, 15), (1, 0, 10), (1, 1, 10), (2, 1, 20), (3, 2, 15), (4, 2, 15))
SUBSTATIONS_PER_SOURCE = 20
HOMES_PER_SUBSTATION = 300
HOMES_PER_BUILDING = 40
FEWEST_HOMES = 200
MOST_HOMES = 2_000_000


class CitySizeError(ValueError):
    def __init__(self, homes: int) -> None:
        super().__init__(
            f"a sample city has {FEWEST_HOMES} to {MOST_HOMES} homes, not {homes}；示例城市可有 {FEWEST_HOMES} 至 {MOST_HOMES} 户"
        )


def _shares(total: int, weights: IntArray, least: int) -> IntArray:
    """`total` split by weights, each part at least `least`, largest remainders first."""
    spare = total - least * len(weights)
    exact = spare * weights / weights.sum()
    parts = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: spare - int(parts.sum())]] += 1
    return np.asarray(parts + least, dtype=np.int64)


@dataclass(frozen=True)
class CityPlan:
    """Each array is indexed by its own kind; `station_source[i]` is the index of substation i's source, and so on."""

    homes: int
    source_district: IntArray
    station_source: IntArray
    building_station: IntArray
    building_loop: IntArray
    building_first_home: IntArray
    building_entrances: IntArray
    loop_station: IntArray

    @cached_property
    def home_building(self) -> IntArray:
        return np.repeat(np.arange(self.buildings), np.diff(np.append(self.building_first_home, self.homes)))

    @cached_property
    def home_place(self) -> tuple[IntArray, IntArray, IntArray]:
        """(entrance, floor, door on the floor), each from 1. Homes of a building are numbered floor by floor."""
        row = 2 * self.building_entrances[self.home_building]
        at = np.arange(self.homes) - self.building_first_home[self.home_building]
        return at % row // 2 + 1, at // row + 1, at % 2 + 1

    @cached_property
    def building_floors(self) -> IntArray:
        sizes = np.diff(np.append(self.building_first_home, self.homes))
        return -(-sizes // (2 * self.building_entrances))

    @property
    def sources(self) -> int:
        return len(self.source_district)

    @property
    def stations(self) -> int:
        return len(self.station_source)

    @property
    def buildings(self) -> int:
        return len(self.building_station)

    @cached_property
    def source_company(self) -> IntArray:
        return np.array([DISTRICTS[d][0] for d in self.source_district], dtype=np.int64)

    @cached_property
    def source_banner(self) -> IntArray:
        return np.array([DISTRICTS[d][1] for d in self.source_district], dtype=np.int64)

    @cached_property
    def station_district(self) -> IntArray:
        return self.source_district[self.station_source]

    @cached_property
    def home_station(self) -> IntArray:
        return self.building_station[self.home_building]

    @cached_property
    def source_codes(self) -> list[str]:
        return [f"H{i + 1:02d}" for i in range(self.sources)]

    @cached_property
    def station_codes(self) -> list[str]:
        numbers = np.arange(self.stations) - np.searchsorted(self.station_source, self.station_source) + 1
        return [
            f"{self.source_codes[s]}-S{n:02d}"
            for s, n in zip(self.station_source.tolist(), numbers.tolist(), strict=True)
        ]

    @cached_property
    def loop_codes(self) -> list[str]:
        numbers = np.arange(len(self.loop_station)) - np.searchsorted(self.loop_station, self.loop_station) + 1
        return [
            f"{self.station_codes[s]}-L{n}" for s, n in zip(self.loop_station.tolist(), numbers.tolist(), strict=True)
        ]

    @cached_property
    def building_codes(self) -> list[str]:
        width = max(4, len(str(self.buildings)))
        return [f"B{i + 1:0{width}d}" for i in range(self.buildings)]

    @cached_property
    def home_codes(self) -> list[str]:
        entrance, floor, door = self.home_place
        rows = zip(self.home_building.tolist(), entrance.tolist(), floor.tolist(), door.tolist(), strict=True)
        names = self.building_codes
        return [f"{names[b]}-{e}-{f:02d}{d:02d}" for b, e, f, d in rows]

    def stations_in(self, district: int) -> IntArray:
        return np.flatnonzero(self.station_district == district)

    def buildings_of(self, stations: IntArray) -> IntArray:
        return np.flatnonzero(np.isin(self.building_station, stations))

    def homes_of(self, building: int) -> IntArray:
        ends = np.append(self.building_first_home, self.homes)
        return np.arange(ends[building], ends[building + 1])


def make_plan(homes: int, seed: int) -> CityPlan:
    """Every district has at least one source with two substations, every substation at least one building."""
    if not FEWEST_HOMES <= homes <= MOST_HOMES:
        raise CitySizeError(homes)
    weights = np.array([share for _, _, share in DISTRICTS])
    station_count = max(2 * len(DISTRICTS), round(homes / HOMES_PER_SUBSTATION))
    per_district = _shares(station_count, weights, 2)
    source_district: list[int] = []
    station_source: list[int] = []
    for district, count in enumerate(per_district.tolist()):
        plants = -(-count // SUBSTATIONS_PER_SOURCE)
        for plant in range(plants):
            station_source += [len(source_district)] * (count // plants + (plant < count % plants))
            source_district.append(district)
    building_count = max(2 * station_count if homes >= 1000 else station_count, round(homes / HOMES_PER_BUILDING))
    per_station = _shares(building_count, np.ones(station_count, dtype=np.int64), 1)
    building_station = np.repeat(np.arange(station_count), per_station)
    index = np.arange(building_count)
    sizes = _shares(homes, np.round(60 + 80 * uniform(seed, "building size", index)).astype(np.int64), 8)
    tall = np.array([6, 11, 18])[np.searchsorted([0.55, 0.85], uniform(seed, "floors", index))]
    entrances = np.maximum(1, np.round(sizes / (2 * np.minimum(tall, np.maximum(4, sizes // 4))))).astype(np.int64)
    loop_of_station = np.minimum(per_station, 2)
    first_loop = np.concatenate([[0], np.cumsum(loop_of_station)[:-1]])
    order_in_station = index - np.searchsorted(building_station, building_station)
    return CityPlan(
        homes=homes,
        source_district=np.array(source_district),
        station_source=np.array(station_source),
        building_station=building_station,
        building_loop=first_loop[building_station] + order_in_station % loop_of_station[building_station],
        building_first_home=np.concatenate([[0], np.cumsum(sizes)[:-1]]),
        building_entrances=entrances,
        loop_station=np.repeat(np.arange(station_count), loop_of_station),
    )
