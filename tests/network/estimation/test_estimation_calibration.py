"""Hours of sensors tell how rough the pipes are and which valve is shut."""

import numpy as np
import polars as pl
import pytest
from bench.locate_world import Faults, World, build
from tests.network.estimation.conftest import seen

from nuan.network.estimation.calibration import calibrate
from nuan.network.estimation.suspicions import closed_ways

HALF = list(range(0, 24, 2))


def test_roughness_of_a_group_is_found(small_world: World) -> None:
    hours = [seen(small_world, hour, HALF) for hour in range(len(small_world.hours))]
    found = calibrate(small_world.network, hours, ambient_temp_c=8.0)
    assert found.misfit_after < 0.5 * found.misfit_before
    widest = found.groups.filter(pl.col("sigma_ln") == pl.col("sigma_ln").min())
    assert 0.1 < widest["roughness_mm"][0] < 0.3, "0.16 mm is the truth, 0.1 mm was drawn"
    assert np.abs(found.gauges["offset_bar"]).max() < 0.05  # type: ignore[operator]


def test_without_hours_the_network_comes_back_as_it_was(small_world: World) -> None:
    found = calibrate(small_world.network, [])
    assert found.network.pipes.equals(small_world.network.pipes)
    assert not found.groups["informed"].any()


@pytest.fixture(scope="module")
def shut_world() -> World:
    return build(
        15, stations_count=24, loops=3, learn_hours=9, leaks=0, step_h=3, use_numba=False,
        faults=Faults(closed_street=True, roughness_spread=0.2),
    )  # fmt: skip


def test_a_shut_pipe_is_suspected_and_an_open_one_is_not(shut_world: World, small_world: World) -> None:
    shut = closed_ways(shut_world.network, [seen(shut_world, hour, HALF) for hour in range(3)], ambient_temp_c=8.0)
    assert shut_world.closed in shut["name"][:2].to_list()
    assert shut["probability"].sum() == pytest.approx(1.0)
    quiet = closed_ways(small_world.network, [seen(small_world, hour, HALF) for hour in range(3)], ambient_temp_c=8.0)
    assert quiet["name"][0] == "", "nothing is shut, and that is the likeliest"
