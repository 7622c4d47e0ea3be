"""Rooms follow physics: a closed solution without heating, the design point with it, and no more heat than the water brings."""

import numpy as np
import pytest

from nuan.buildings.control import SupplyCurve, smoothed
from nuan.buildings.thermal import HomePhysics, simulate, sized_emission

CURVE = SupplyCurve()
HOURS = 24 * 30


def _one(**changes: float) -> HomePhysics:
    values = {"tau_h": 90.0, "gain_k": 3.0, "solar_k_per_w_m2": 0.0, "emission_k": 0.0, "windiness": 0.0} | changes
    return HomePhysics(**{name: np.array([value]) for name, value in values.items()})


def _run(home: HomePhysics, outdoor: float, water: float, start: float = 20.0) -> np.ndarray:
    level = np.full(HOURS, outdoor)
    still, dark = np.full(HOURS, 3.0), np.zeros(HOURS)
    return simulate(
        home, np.array([start]), level, still, dark, np.full((1, HOURS), water, np.float32), np.zeros(1, np.int64)
    )[0]


def test_without_heating_a_home_cools_exponentially_towards_outdoors_plus_gains() -> None:
    rooms = _run(_one(), outdoor=-10.0, water=-100.0)
    hours = np.arange(1, HOURS + 1)
    exact = -7.0 + 27.0 * np.exp(-hours / 90.0)
    assert np.abs(rooms - exact).max() < 0.06


@pytest.mark.parametrize("target", [16.0, 18.0, 20.0, 22.0])
def test_a_sized_home_settles_at_its_target_on_the_design_day(target: float) -> None:
    emission = sized_emission(np.array([target]), np.array([3.0]), CURVE)
    rooms = _run(_one(emission_k=float(emission[0])), outdoor=-16.8, water=62.5)
    assert rooms[-1] == pytest.approx(target, abs=0.05)


@pytest.mark.parametrize("outdoor", [-16.8, -10.0, 0.0, 8.0])
def test_the_curve_holds_the_room_at_every_outdoor_temperature(outdoor: float) -> None:
    emission = float(sized_emission(np.array([20.0]), np.array([3.0]), CURVE)[0])
    water = float(CURVE.mean_water_c(np.array([outdoor]))[0])
    assert _run(_one(emission_k=emission), outdoor, water)[-1] == pytest.approx(20.0, abs=0.05)


def test_cold_water_never_cools_a_room() -> None:
    warm = _run(_one(emission_k=0.3), outdoor=15.0, water=10.0)
    assert np.array_equal(warm, _run(_one(), outdoor=15.0, water=-100.0))


def test_open_windows_hold_an_overheated_room_back() -> None:
    home = _one(emission_k=0.4)
    rooms = _run(home, outdoor=0.0, water=60.0)
    sealed = HomePhysics(**{**{k: getattr(home, k) for k in home.__dataclass_fields__}, "window_k": 0.0})
    assert home.opens_at_c < rooms[-1] < _run(sealed, outdoor=0.0, water=60.0)[-1]


def test_the_design_point_and_the_summer_end_of_the_curve() -> None:
    design = np.array([-16.8])
    assert CURVE.supply(design)[0] == pytest.approx(75.0)
    assert CURVE.back(design)[0] == pytest.approx(50.0)
    assert CURVE.load(np.array([30.0]))[0] == 0.0
    assert CURVE.supply(np.array([30.0]))[0] == CURVE.lowest_supply_c
    outdoor = np.linspace(-25, 25, 200)
    assert (np.diff(CURVE.supply(outdoor)) <= 0).all(), "colder outside never means colder water"
    assert (CURVE.back(outdoor) <= CURVE.supply(outdoor)).all()


def test_the_controller_sees_a_step_late() -> None:
    step = np.concatenate([np.zeros(48), np.full(48, 10.0)])
    seen = smoothed(step, 6.0)
    assert seen[47] == 0.0
    assert seen[47 + 6] == pytest.approx(10 * (1 - np.exp(-1)), abs=0.01)
