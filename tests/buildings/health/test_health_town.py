"""A town that is well, and the same town with one thing wrong at a time."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from health_stage import START_H, Raw, raw_town, town

from nuan.buildings.health.learning import learn_city
from nuan.buildings.health.models import StationModel
from nuan.buildings.health.replay import Fault, replay

LEARNED = 60
AT = 70 * 24 + 9


@cache
def models() -> dict[str, StationModel]:
    return learn_city(town(raw_town()), 0, LEARNED)


def told(change: Callable[[Raw], None] | None = None, station: str = "S2") -> list[Fault]:
    raw = raw_town()
    if change is not None:
        change(raw[station])
    return list(replay(town(raw), models(), LEARNED))


def shift(channel: str, by: float) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        raw[channel][AT:] += by

    return change


def test_a_town_that_is_well_is_left_alone() -> None:
    assert told() == []


@pytest.mark.parametrize("channel", ["primary_supply", "primary_return", "secondary_supply", "secondary_return"])
@pytest.mark.parametrize("by", [-2.0, 2.0])
def test_two_kelvin_are_found_within_a_week_and_named(channel: str, by: float) -> None:
    found = told(shift(channel, by))
    assert [(f.station, f.channel, f.kind, f.sensor) for f in found] == [("S2", channel, "bias", True)]
    assert found[0].hour - START_H - AT <= 7 * 24
    assert found[0].size == pytest.approx(by, abs=0.5)


def test_half_of_a_kelvin_is_no_fault() -> None:
    assert told(shift("secondary_return", 0.4)) == []


def test_a_drift_is_told_from_a_step() -> None:
    def change(raw: Raw) -> None:
        raw["secondary_return"][AT:] += 0.3 * np.arange(len(raw["heat"]) - AT) / 24

    assert [(f.channel, f.kind) for f in told(change)] == [("secondary_return", "drift")]


def test_a_sensor_that_stands_still() -> None:
    def change(raw: Raw) -> None:
        raw["primary_return"][AT:] = raw["primary_return"][AT]

    found = told(change)
    assert [(f.channel, f.kind) for f in found] == [("primary_return", "stuck")]
    assert found[0].hour - START_H - AT <= 37


def test_supply_and_return_the_wrong_way_round() -> None:
    def change(raw: Raw) -> None:
        one, two = raw["primary_supply"].copy(), raw["primary_return"].copy()
        raw["primary_supply"][AT:], raw["primary_return"][AT:] = two[AT:], one[AT:]

    found = told(change)
    assert [(f.channel, f.other, f.kind) for f in found] == [("primary_supply", "primary_return", "swapped")]


def test_less_water_moves_several_channels_and_is_the_stations_fault() -> None:
    def change(raw: Raw) -> None:
        on = raw["heat"] > 0
        on[:AT] = False
        gap = raw["secondary_supply"] - raw["secondary_return"]
        raw["secondary_return"][on] -= 0.6 * gap[on]
        raw["primary_return"][on] -= 0.6 * gap[on]
        raw["heat"][on] *= 0.94

    found = told(change)
    assert [(f.channel, f.kind, f.sensor) for f in found] == [("", "flow_loss", False)]


def test_a_valve_that_stands_lets_the_same_through_day_and_night() -> None:
    def change(raw: Raw) -> None:
        later = np.arange(len(raw["heat"])) >= AT
        raw["primary_supply"][later] = 80.0 + 0.1 * np.arange(later.sum()) % 3
        raw["secondary_supply"][later] = 50.0 + 0.1 * (np.arange(later.sum()) % 5)
        raw["secondary_return"][later] = 42.0 + 0.1 * (np.arange(later.sum()) % 7)
        raw["primary_return"][later] = 43.0 + 0.1 * (np.arange(later.sum()) % 4)
        raw["heat"][later] = 430.0 + np.arange(later.sum()) % 6

    assert ("", "valve_stuck") in {(f.channel, f.kind) for f in told(change)}


def test_nothing_that_comes_later_is_looked_at() -> None:
    """What is told by day 90 is the same whether the data end there or not."""
    raw = raw_town()
    shift("secondary_return", 2.0)(raw["S2"])
    raw["S1"]["heat"][95 * 24 :] = 0.0
    short = list(replay(town(raw, 90), models(), LEARNED))
    whole = [f for f in replay(town(raw), models(), LEARNED) if f.hour <= START_H + 90 * 24]
    assert short == whole
    assert short


def test_without_anything_to_learn_from_the_first_weeks_teach() -> None:
    raw = raw_town()
    shift("secondary_return", 2.5)(raw["S2"])
    found = list(replay(town(raw), {}))
    assert ("S2", "secondary_return", "bias") in {(f.station, f.channel, f.kind) for f in found}
    assert all(f.hour >= START_H + 28 * 24 for f in found)


def test_gaps_zeros_and_wild_values_are_no_faults() -> None:
    raw = raw_town()
    dice = np.random.default_rng(3)
    for each in raw.values():
        for column in each.values():
            column[dice.random(len(column)) < 0.03] = np.nan
        each["primary_supply"][dice.random(len(each["heat"])) < 0.01] = 0.0
        each["outdoor"][dice.random(len(each["heat"])) < 0.01] = -39.9
        each["heat"][dice.random(len(each["heat"])) < 0.003] = 8_000_001.0
    for each in raw.values():
        for key in each:
            each[key][80 * 24 : 84 * 24] = 0.0
    assert list(replay(town(raw), models(), LEARNED)) == []


def test_models_are_the_same_after_a_file() -> None:
    import json

    back = {name: StationModel.from_json(json.loads(json.dumps(model.to_json()))) for name, model in models().items()}
    raw = raw_town()
    shift("heat", 60.0)(raw["S3"])
    assert list(replay(town(raw), back, LEARNED)) == list(replay(town(raw), models(), LEARNED))
