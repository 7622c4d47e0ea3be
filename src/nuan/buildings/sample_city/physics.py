"""What the homes are made of, and which water each of them gets at every hour."""

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.control import SupplyCurve, smoothed
from nuan.buildings.sample_city import events
from nuan.buildings.sample_city.dice import bell, uniform
from nuan.buildings.sample_city.events import Cut
from nuan.buildings.sample_city.plan import CityPlan, IntArray
from nuan.buildings.thermal import HomePhysics, sized_emission
from nuan.buildings.weather.year import WeatherSpan
from nuan.terms.places import HOUR_S
from nuan.terms.season import Season

WARM_UP_DAYS = 14
CONTROLLER_H = 6.0
NO_HEAT_C = -100.0


def built_years(plan: CityPlan, seed: int) -> IntArray:
    return (1994 + np.floor(28 * uniform(seed, "built", np.arange(plan.buildings)))).astype(np.int64)


def home_physics(plan: CityPlan, seed: int, homes: IntArray, curve: SupplyCurve) -> HomePhysics:
    """The chosen homes. Older buildings cool faster; top floors and gables lose more and are a little cooler; some get more sun."""
    building = plan.home_building[homes]
    entrance, floor, door = (column[homes] for column in plan.home_place)
    top = floor == plan.building_floors[building]
    ground = floor == 1
    gable = ((entrance == 1) & (door == 1)) | ((entrance == plan.building_entrances[building]) & (door == 2))
    age = (built_years(plan, seed)[building] - 1994) / 28
    exposed = 1.0 + 0.16 * top + 0.08 * ground + 0.10 * gable
    tau = (90 + 34 * age + 5 * bell(seed, "mass", homes)) / exposed
    gain = (3.0 + 0.35 * bell(seed, "gain", homes)).clip(2.0, 4.0)
    sun = (0.0066 + 0.0016 * bell(seed, "sun", homes)).clip(0.002, 0.012)
    balance = 0.22 * bell(seed, "balance", building) + 0.22 * bell(seed, "home balance", homes)
    target = (20.9 + balance - 0.25 * top - 0.15 * gable - 0.1 * ground).clip(20.1, 22.0)
    cold = np.isin(building, events.cold_top_buildings(plan)) & top
    target = np.where(cold, events.TOP_FLOOR_TARGET_C + 0.15 * bell(seed, "cold top", homes), target)
    return HomePhysics(
        tau_h=tau,
        gain_k=gain,
        solar_k_per_w_m2=sun,
        emission_k=sized_emission(target, gain, curve),
        windiness=(0.012 + 0.004 * bell(seed, "wind", homes)).clip(0.0, 0.03),
    )


class Supply:
    """Which share of the ordinary drive (water above room) each supply group gets: rows are substations, then one row for each cut below them."""

    def __init__(
        self, plan: CityPlan, season: Season, weather: WeatherSpan, cuts: list[Cut], curve: SupplyCurve
    ) -> None:
        self.curve = curve
        self.seen_c = smoothed(weather.outdoor_c, CONTROLLER_H)
        self.share = np.ones((plan.stations, weather.hours), dtype=np.float32)
        self.row_of_home = plan.home_station.copy()
        self._companies(plan, season, weather)
        for cut in sorted(cuts, key=lambda each: each.level not in {"source", "substation"}):
            self._cut(plan, weather, cut)

    def _companies(self, plan: CityPlan, season: Season, weather: WeatherSpan) -> None:
        def hours(start_s: int, end_s: int) -> slice:
            return slice(weather.index(start_s), weather.index(end_s))

        low, high = events.throttled_period(season)
        self.share[events.troubled_stations(plan, events.LATE), : weather.index(events.late_until_s(season))] = 0.0
        self.share[events.troubled_stations(plan, events.THROTTLED), hours(low, high)] = events.THROTTLE
        self.share[events.troubled_stations(plan, events.OVERHEATED)] = events.OVERHEAT
        self.share[events.troubled_stations(plan, events.EARLY), weather.index(events.early_from_s(season)) :] = 0.0

    def _cut(self, plan: CityPlan, weather: WeatherSpan, cut: Cut) -> None:
        hours = slice(weather.index(cut.start_s), weather.index(cut.end_s + HOUR_S - 1))
        if cut.level in {"source", "substation"}:
            codes = plan.source_codes if cut.level == "source" else plan.station_codes
            of_station = plan.station_source if cut.level == "source" else np.arange(plan.stations)
            self.share[of_station == codes.index(cut.place), hours] = 0.0
            return
        homes = self._homes_below(plan, cut)
        for row in np.unique(self.row_of_home[homes]).tolist():
            fresh = self.share[row].copy()
            fresh[hours] = 0.0
            self.share = np.vstack([self.share, fresh])
            self.row_of_home[homes[self.row_of_home[homes] == row]] = len(self.share) - 1

    @staticmethod
    def _homes_below(plan: CityPlan, cut: Cut) -> IntArray:
        if cut.level == "home":
            building = plan.building_codes.index(cut.place.split("-")[0])
            homes = plan.homes_of(building)
            return homes[[plan.home_codes[int(h)] == cut.place for h in homes]]
        if cut.level == "building":
            return plan.homes_of(plan.building_codes.index(cut.place))
        loop = plan.loop_codes.index(cut.place)
        return np.flatnonzero((plan.building_loop == loop)[plan.home_building])

    def water_c(self) -> NDArray[np.float32]:
        """Mean water temperature, rows × hours; far below any room where no heat comes."""
        excess = self.curve.mean_water_c(self.seen_c) - self.curve.room_c
        water = self.curve.room_c + self.share * excess.astype(np.float32)
        return np.where(self.share > 0, water, np.float32(NO_HEAT_C)).astype(np.float32)

    def station_share(self, stations: int) -> NDArray[np.float32]:
        return self.share[:stations]
