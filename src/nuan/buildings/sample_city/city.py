"""The synthetic city: everything about it from a number of homes, a seed and a weather year. Rooms are made bucket by bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.buildings.control import SupplyCurve
from nuan.buildings.sample_city import events, reports, sensors
from nuan.buildings.sample_city.events import Planted
from nuan.buildings.sample_city.physics import WARM_UP_DAYS, Supply, home_physics
from nuan.buildings.sample_city.plan import CityPlan, IntArray, make_plan
from nuan.buildings.sample_city.registry import registry_tables, station_areas_m2
from nuan.buildings.sample_city.stations import station_points
from nuan.buildings.thermal import simulate
from nuan.buildings.weather.synthetic import synthetic_year
from nuan.buildings.weather.year import WeatherSpan, WeatherYear
from nuan.telemetry.series import BUCKETS, bucket_of
from nuan.terms.places import DAY_S, day_number
from nuan.terms.season import Season, SeasonRule

SEASON = SeasonRule(10, 15, 4, 15)
START_C = 19.0


@dataclass(frozen=True)
class RoomHours:
    """Readings of some homes: `value[i, h]` in 0.01 °C at `start_s + h` hours, `sensors.GAP` where none came."""

    codes: list[str]
    start_s: int
    value: NDArray[np.int16]


@dataclass(frozen=True)
class City:
    """`truth` is all that is planted; whatever is not in it is comfortably fine."""

    seed: int
    plan: CityPlan
    season: Season
    weather: WeatherSpan
    weather_place: str
    curve: SupplyCurve

    @cached_property
    def cuts(self) -> list[events.Cut]:
        return events.cuts(self.plan, self.season, self.weather)

    @cached_property
    def supply(self) -> Supply:
        return Supply(self.plan, self.season, self.weather, self.cuts, self.curve)

    @cached_property
    def truth(self) -> tuple[Planted, ...]:
        _, measured = reports.measurements(self.plan, self.seed, self.season)
        return (*events.truth(self.plan, self.seed, self.season, self.cuts), *measured)

    @property
    def homes(self) -> int:
        return self.plan.homes

    @property
    def first_hour(self) -> int:
        """The hour of the weather span with which the season begins."""
        return self.weather.index(self.season.interval.start)

    @property
    def hours(self) -> int:
        return self.weather.hours - self.first_hour

    def tables(self) -> Mapping[str, pl.DataFrame]:
        """All tables of a registry import."""
        measured, _ = reports.measurements(self.plan, self.seed, self.season)
        tables = registry_tables(self.plan, self.seed, self.season)
        hers = pl.col("home") == self.cast_home
        named = pl.when(hers).then(pl.lit("王阿姨")).otherwise(pl.col("name")).alias("name")
        return {
            **tables,
            "residents": tables["residents"].with_columns(named),
            "outages": reports.outages(self.cuts),
            "fuel": reports.fuel(self.plan, self.seed, self.season, self.weather, self.supply),
            "measurements": measured,
        }

    @property
    def cast_home(self) -> str:
        """王阿姨's: a cold top-floor flat with three failed measurements in thirty days, under the source that fails."""
        return self.plan.home_codes[reports.measured_homes(self.plan, self.seed)[0]]

    @cached_property
    def _bucket_of_home(self) -> IntArray:
        return np.fromiter((bucket_of(code) for code in self.plan.home_codes), dtype=np.int64, count=self.homes)

    def homes_in(self, bucket: int) -> IntArray:
        """Indices of the homes with a sensor that the store keeps in this bucket."""
        return np.flatnonzero((self._bucket_of_home == bucket) & ~self._stopped)

    @cached_property
    def _stopped(self) -> NDArray[np.bool_]:
        return events.stopped(self.plan, self.seed)

    @property
    def buckets(self) -> range:
        return range(BUCKETS)

    def true_rooms_c(self, homes: IntArray) -> NDArray[np.float32]:
        """What the rooms really are over the season's hours, before any sensor."""
        everything = simulate(
            home_physics(self.plan, self.seed, homes, self.curve),
            np.full(len(homes), START_C),
            self.weather.outdoor_c,
            self.weather.wind_m_per_s,
            self.weather.solar_w_per_m2,
            self._water_c,
            self.supply.row_of_home[homes],
        )
        return everything[:, self.first_hour :]

    @cached_property
    def _water_c(self) -> NDArray[np.float32]:
        return self.supply.water_c()

    def room_hours(self, bucket: int) -> RoomHours:
        homes = self.homes_in(bucket)
        value = sensors.read_rooms(self.true_rooms_c(homes), homes, self.seed)
        return RoomHours([self.plan.home_codes[i] for i in homes.tolist()], self.season.interval.start, value)

    def strays(self) -> RoomHours:
        """A day of readings whose clock ran 400 days ahead, from a few sensors."""
        homes = sensors.faulty_clocks(np.flatnonzero(~self._stopped), self.seed)
        value = np.full((len(homes), 24), 2050, dtype=np.int16)
        start = self.season.interval.start + 400 * DAY_S
        return RoomHours([self.plan.home_codes[i] for i in homes.tolist()], start, value)

    def station_hours(self) -> dict[str, NDArray[np.int32]]:
        """By quantity: stations × hours of the season, fixed-point, `stations.GAP` where nothing came."""
        area = station_areas_m2(self.plan, self.seed)
        return station_points(self.supply, self.weather, area, self.seed, self.first_hour)


def make_city(homes: int = 12_000, seed: int = 1, season_year: int = 2025, weather: WeatherYear | None = None) -> City:
    """A city with a season from 15 October of `season_year` to 15 April; the same arguments give the same city to the last bit.

    >>> make_city(200).plan.stations
    14
    """
    season = SEASON.season(season_year)
    year = weather or synthetic_year()
    span = year.over(day_number(season.first_day) - WARM_UP_DAYS, day_number(season.last_day))
    return City(seed, make_plan(homes, seed), season, span, year.place, SupplyCurve())
