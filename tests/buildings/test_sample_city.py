"""The sample city: what is planted shows, what is not planted is comfortably fine, and nothing in it can be a real place or person."""

from functools import lru_cache

import numpy as np
import polars as pl
import pytest
from stdnum.cn import uscc

from measured import MEASURED, needs
from nuan.buildings.sample_city import City, events, make_city, sensors, stations
from nuan.buildings.sample_city.plan import CitySizeError
from nuan.buildings.weather.epw import read_epw
from nuan.terms.places import HOUR_S

DONGSHENG = MEASURED / "weather" / "dongsheng.epw"


@lru_cache(maxsize=2)
def _city(homes: int = 1000) -> City:
    return make_city(homes)


@lru_cache(maxsize=2)
def _rooms(homes: int = 1000) -> np.ndarray:
    return _city(homes).true_rooms_c(np.arange(homes))


def _under(city: City, level: str, place: str) -> np.ndarray:
    plan = city.plan
    if level == "source":
        return plan.station_source[plan.home_station] == plan.source_codes.index(place)
    if level == "substation":
        return plan.home_station == plan.station_codes.index(place)
    if level == "loop":
        return plan.building_loop[plan.home_building] == plan.loop_codes.index(place)
    if level == "building":
        return plan.home_building == plan.building_codes.index(place)
    return np.array([code == place for code in plan.home_codes])


def _planted_hours(city: City) -> np.ndarray:
    """homes × hours in which the truth allows a room to be out of order."""
    allowed = np.zeros((city.homes, city.hours), dtype=bool)
    for planted in city.truth:
        if planted.level != "banner" and planted.rooms_until_s > planted.start_s:
            first = (planted.start_s - city.season.interval.start) // HOUR_S
            last = -(-(planted.rooms_until_s - city.season.interval.start) // HOUR_S)
            allowed[_under(city, planted.level, planted.place), first:last] = True
    return allowed


@pytest.mark.parametrize("homes", [200, 1000])
def test_whatever_is_not_planted_is_comfortably_fine(homes: int) -> None:
    fine = _rooms(homes)[~_planted_hours(_city(homes))]
    assert fine.min() > 18.8
    assert fine.max() < 23.5


def test_every_planted_cut_makes_its_homes_colder() -> None:
    city, rooms = _city(), _rooms()
    for cut in city.cuts:
        first = (cut.start_s - city.season.interval.start) // HOUR_S
        last = (cut.end_s - city.season.interval.start) // HOUR_S
        homes = rooms[_under(city, cut.level, cut.place)]
        assert (homes[:, last - 1] < homes[:, first - 1] - 0.4).all(), cut.zh


def test_the_source_fails_for_31_hours_in_the_coldest_week() -> None:
    city = _city()
    start, end = city.weather.coldest_days(7)
    failure = next(planted for planted in city.truth if planted.kind == "source_failure")
    assert failure.end_s - failure.start_s == 31 * HOUR_S
    assert start <= failure.start_s < failure.end_s <= end


def test_late_early_throttled_overheated_and_cold_tops_show_in_the_rooms() -> None:
    city, rooms, plan = _city(), _rooms(), _city().plan

    def under(district: int) -> np.ndarray:
        return np.isin(plan.home_station, events.troubled_stations(plan, district))

    assert (rooms[under(events.LATE), 40] < 18).all()
    assert (rooms[under(events.EARLY), -1] < 18).all()
    low, high = ((moment - city.season.interval.start) // HOUR_S for moment in events.throttled_period(city.season))
    assert (rooms[under(events.THROTTLED), low + 240 : high].mean(axis=1) < 19).all(), "throttled"
    assert np.median(rooms[under(events.OVERHEATED), 60 * 24 : 150 * 24]) > 24.3
    tops = [h for building in events.cold_top_buildings(plan) for h in events.top_floor(plan, building)]
    assert (rooms[tops, 50 * 24 : 140 * 24].mean(axis=1) < 17.5).all()


def test_a_stock_falls_through_fifteen_days_at_one_source_only() -> None:
    city = _city()
    fuel = city.tables()["fuel"].filter(pl.col("burn_t") > 0)
    week = pl.col("burn_t").rolling_mean(7, min_samples=1).over("source")
    cover = fuel.with_columns((pl.col("stock_t") / week).alias("days"))
    short = {planted.place for planted in city.truth if planted.kind == "fuel_short"}
    assert set(cover.filter(pl.col("days") < 15)["source"]) == short
    design = fuel.group_by("source").agg((pl.col("stock_t") / pl.col("burn_t").max()).min().alias("days"))
    assert design.filter((pl.col("days") < 18) & ~pl.col("source").is_in(list(short))).height == 0


def test_one_banner_has_no_vehicle() -> None:
    city = _city()
    without = set(city.tables()["banners"]["code"]) - set(city.tables()["vehicles"]["banner"])
    assert without == {planted.place for planted in city.truth if planted.kind == "no_vehicle"}


def test_cuts_stand_on_both_sides_of_the_24_hours() -> None:
    lengths = {cut.code: cut.end_s - cut.start_s for cut in _city().cuts}
    assert lengths["O-02"] == 23 * HOUR_S
    assert lengths["O-03"] == 24 * HOUR_S
    assert lengths["O-04"] == 24 * HOUR_S + 1


def test_sensors_fail_at_their_rates() -> None:
    homes = np.arange(4000)
    rooms = np.full((4000, 2000), 20.53, dtype=np.float32)
    read = sensors.read_rooms(rooms, homes, 1)
    seen = read[read != sensors.GAP]
    assert set(np.unique(seen % 10).tolist()) == {0}, "0.1 °C steps"
    wild = np.isin(seen, [-3990, 0, 8500])
    assert wild.sum() / read.size == pytest.approx(sensors.WILD_HOME * sensors.WILD_HOUR, rel=0.3)
    assert np.abs(seen[~wild] - 2053).max() <= 30
    assert (read == sensors.GAP).mean() == pytest.approx(0.0012 * 3.5 + 0.02 * 84 / 2000 + 0.0025, rel=0.2)
    dead = (read[:, -200:] == sensors.GAP).all(axis=1)
    assert 5 <= dead.sum() <= 45


def test_the_same_city_twice_is_the_same_to_the_last_bit_and_bucket_by_bucket() -> None:
    one, two = make_city(300, seed=9), make_city(300, seed=9)
    for bucket in (0, 17, 63):
        assert one.room_hours(bucket).codes == two.room_hours(bucket).codes
        assert np.array_equal(one.room_hours(bucket).value, two.room_hours(bucket).value)
    assert all(one.tables()[name].equals(two.tables()[name]) for name in one.tables())
    other = make_city(300, seed=10)
    assert not other.tables()["homes"].equals(one.tables()["homes"])
    everywhere = sorted(code for bucket in one.buckets for code in one.room_hours(bucket).codes)
    with_heat = one.tables()["homes"].filter(~pl.col("stop_heat"))["code"]
    assert everywhere == sorted(with_heat)


@pytest.mark.parametrize("homes", [200, 777, 12_000, 100_000])
def test_every_size_hangs_together(homes: int) -> None:
    plan = make_city(homes).plan
    assert len(set(plan.home_codes)) == homes
    assert np.bincount(plan.home_building, minlength=plan.buildings).min() >= 1
    assert np.bincount(plan.station_source).min() >= 2
    assert np.bincount(plan.station_source).max() <= 20 or homes > 2_000_000
    assert (plan.home_place[1] <= plan.building_floors[plan.home_building]).all()
    assert len(set(plan.source_company.tolist())) == 5
    assert set(plan.source_banner.tolist()) == {0, 1, 2}


def test_the_default_city_is_of_the_promised_size() -> None:
    plan = make_city().plan
    assert (plan.homes, plan.stations, plan.buildings) == (12_000, 40, 300)


@pytest.mark.parametrize("homes", [0, 199, 3_000_000])
def test_a_size_that_cannot_be_is_refused_in_words(homes: int) -> None:
    with pytest.raises(CitySizeError, match=str(homes)):
        make_city(homes)


def test_no_code_number_or_name_can_be_a_real_one() -> None:
    tables = _city().tables()
    assert tables["banners"]["code"].str.starts_with("9999").all()
    for table in ("banners", "companies", "sources", "substations"):
        assert tables[table]["name"].str.contains("示例").all()
    assert tables["buildings"]["estate"].str.starts_with("示例").all()
    assert all(uscc.is_valid(number) and number[2:8] == "999999" for number in tables["companies"]["uscc"])
    assert tables["residents"]["phone"].str.contains(r"^100\d{8}$").all()


def test_meters_agree_with_the_plan_of_the_stations() -> None:
    points = _city().station_hours()
    assert set(points) == set(stations.POINTS)
    seen = {name: np.where(values == stations.GAP, np.nan, values.astype(float)) for name, values in points.items()}
    running = seen["flow"] > 0
    assert (seen["supply_temp"][running] >= seen["return_temp"][running]).all()
    heat = seen["flow"] / 1000 * 1.163 * (seen["supply_temp"] - seen["return_temp"]) / 100
    assert np.nanmax(np.abs(heat - seen["heat_power"] / 10) / np.maximum(heat, 20)) < 0.02
    assert np.nanmax(seen["supply_temp"]) < 9500


@needs(DONGSHENG)
def test_under_the_real_weather_of_dongsheng_the_quiet_rest_is_fine_too() -> None:
    year, _ = read_epw(DONGSHENG)
    city = make_city(400, weather=year)
    assert city.weather_place == "Dongsheng"
    fine = city.true_rooms_c(np.arange(400))[~_planted_hours(city)]
    assert fine.min() > 18.5
    assert fine.max() < 23.8


@pytest.mark.parametrize(
    ("seed", "year"), [(2, 2025), (3, 2027), (11, 2023)], ids=["other dice", "leap season", "past"]
)
def test_other_dice_and_years_are_fine_too(seed: int, year: int) -> None:
    city = make_city(300, seed=seed, season_year=year)
    assert city.hours == city.season.days * 24
    fine = city.true_rooms_c(np.arange(300))[~_planted_hours(city)]
    assert fine.min() > 18.5
    assert fine.max() < 23.8
