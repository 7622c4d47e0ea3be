"""A small network whose truth is pandapipes', seen through a few sensors."""

import numpy as np
import polars as pl
import pytest
from bench.locate_world import Faults, World, build


@pytest.fixture(scope="session")
def small_world() -> World:
    """24 stations, 3 loops, 60 % rougher pipes than drawn; 12 hours, no leak."""
    return build(
        5,
        stations_count=24,
        loops=3,
        learn_hours=36,
        leaks=0,
        step_h=3,
        use_numba=False,
        faults=Faults(roughness_spread=0.3),
    )


def seen(world: World, hour: int, stations: list[int], seed: int = 0, noise_bar: float = 0.005) -> pl.DataFrame:
    """What these stations and the plant say in an hour, as `nuan.network.estimation.measured` takes it."""
    rng = np.random.default_rng([seed, hour])
    rows: list[tuple[str, str, str, str, float, float]] = []
    for k in stations:
        for side, true in (("supply", world.supply_bar), ("return", world.return_bar)):
            value = float(true[hour, k] + rng.normal(0, noise_bar))
            rows.append(("pressure", "substation", f"c{k}", side, value, max(noise_bar, 0.002)))
        flow = float(world.flow[hour, k])
        rows.append(("flow", "substation", f"c{k}", "", flow * (1 + rng.normal(0, 0.01)), 0.01 * flow))
    plant = world.plant[hour]
    rows += [
        ("pressure", "source", "plant", "supply", float(plant[0]), 0.005),
        ("pressure", "source", "plant", "return", float(plant[1]), 0.005),
        ("flow", "source", "plant", "supply", float(plant[2]), 0.005 * float(plant[2])),
    ]
    return pl.DataFrame(rows, schema=["quantity", "asset_kind", "asset", "side", "value", "sigma"], orient="row")
