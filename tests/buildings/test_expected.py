"""What the weather asks of a station: from its set point, a curve, or its own past; never from nothing."""

import numpy as np
import polars as pl
import pytest

from nuan.buildings.control import SupplyCurve
from nuan.buildings.expected import (
    design_kw,
    expected_by_curve,
    expected_by_setpoint,
    expected_by_signature,
    fit_signature,
)

HOURS = 24 * 20


def _hours(outdoor: np.ndarray, supply: np.ndarray, heat: np.ndarray, code: str = "H01-S01") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "substation": [code] * len(outdoor),
            "hour_s": 3600 * np.arange(len(outdoor), dtype=np.int64),
            "outdoor_c100": pl.Series(np.round(outdoor * 100)).fill_nan(None).cast(pl.Int32),
            "supply_c100": pl.Series(np.round(supply * 100)).fill_nan(None).cast(pl.Int32),
            "heat_kw_10": pl.Series(np.round(heat * 10)).fill_nan(None).cast(pl.Int64),
        }
    )


def _winter() -> np.ndarray:
    return -2.0 + 12.0 * np.sin(np.arange(HOURS) / 37.0)


@pytest.mark.parametrize("share_wild", [0.0, 0.1, 0.25], ids=["clean", "a tenth wild", "a quarter wild"])
def test_a_signature_is_found_through_wild_points(share_wild: float) -> None:
    random = np.random.default_rng(7)
    outdoor = random.uniform(-20, 20, 2000)
    heat = 30 + 12 * np.maximum(15.0 - outdoor, 0) + random.normal(0, 4, 2000)
    wild = random.random(2000) < share_wild
    heat[wild] = random.choice([0.0, 8_000_001.0, -39.9], wild.sum())
    heat[::97] = np.nan
    found = fit_signature(outdoor, heat)
    assert found is not None
    assert found.slope == pytest.approx(12, rel=0.08)
    assert found.at(np.array([-15.0]))[0] == pytest.approx(390, rel=0.05)
    assert found.points == np.isfinite(heat).sum()


@pytest.mark.parametrize(
    ("outdoor", "points"),
    [pytest.param(np.full(500, 3.0), 500, id="no weather"), pytest.param(np.linspace(-10, 10, 20), 20, id="too few")],
)
def test_no_signature_from_too_little(outdoor: np.ndarray, points: int) -> None:
    assert fit_signature(outdoor, np.linspace(0, 1, points)) is None


def test_the_curve_expects_what_a_station_on_the_curve_does() -> None:
    curve, outdoor = SupplyCurve(), np.full(HOURS, -16.8)
    hours = _hours(outdoor, np.full(HOURS, 75.0), np.full(HOURS, 450.0))
    design = pl.DataFrame({"substation": ["H01-S01"], "design_kw": [design_kw(10_000)]})
    answer = expected_by_curve(hours, design, curve)
    assert answer["expected_supply_c100"].unique().to_list() == [7500]
    assert answer["expected_heat_kw_10"].unique().to_list() == [4500]


def test_an_unknown_outdoor_temperature_or_area_expects_nothing() -> None:
    outdoor = _winter()
    outdoor[10:13] = np.nan
    hours = _hours(outdoor, np.full(HOURS, 50.0), np.full(HOURS, 100.0))
    nobody = pl.DataFrame(schema={"substation": pl.String, "design_kw": pl.Float64})
    answer = expected_by_curve(hours, nobody, SupplyCurve())
    assert answer["expected_supply_c100"].is_null().arg_true().to_list() == [10, 11, 12]
    assert answer["expected_heat_kw_10"].null_count() == HOURS
    blind = _hours(np.full(HOURS, np.nan), np.full(HOURS, 50.0), np.full(HOURS, 1.0))
    assert expected_by_curve(blind, nobody, SupplyCurve())["expected_supply_c100"].null_count() == HOURS


def test_the_set_point_is_taken_as_it_stands() -> None:
    hours = _hours(_winter(), np.full(HOURS, 50.0), np.full(HOURS, 1.0))
    points = pl.DataFrame({"substation": ["H01-S01"], "hour_s": [3600], "setpoint_c100": [5250]})
    answer = expected_by_setpoint(hours, points)
    assert answer["expected_supply_c100"].drop_nulls().to_list() == [5250]
    assert answer["expected_heat_kw_10"].null_count() == HOURS


def test_a_day_that_falls_out_of_the_stations_own_line_stands_out() -> None:
    outdoor = _winter()
    supply = 40 + 1.2 * np.maximum(16 - outdoor, 0)
    supply[200:224] -= 15
    answer = expected_by_signature(_hours(outdoor, supply, 10 * supply))
    missed = supply - answer["expected_supply_c100"].to_numpy() / 100
    assert missed[200:224].max() < -14
    assert np.abs(np.delete(missed, np.s_[200:224])).max() < 0.5
