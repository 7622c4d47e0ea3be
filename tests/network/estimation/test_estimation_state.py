"""A few sensors tell the whole state; a missing one is missing; a lying one is set apart."""

import numpy as np
import polars as pl
import pytest
from bench.locate_world import World
from bench.network_cases import nuan_network, street_case
from tests.network.estimation.conftest import seen

from nuan.network.estimation.driven import connected_flow, driven
from nuan.network.estimation.measured import measured, predicted
from nuan.network.estimation.observability import next_sensors, sure
from nuan.network.estimation.state import estimate
from nuan.network.estimation.unknowns import Doubts, Unknowns
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays

FEW = [1, 6, 11, 16, 21]


def errors(world: World, hour: int, found: object) -> np.ndarray:
    """Supply and return pressure at the stations that are not measured, against pandapipes."""
    state = found.state  # type: ignore[attr-defined]
    at = {name: i for i, name in enumerate(state.arrays.node_names)}
    others = [k for k in range(len(world.case.at)) if k not in FEW]
    supply = [state.pressure_bar[at[f"s{world.case.at[k]}"]] - world.supply_bar[hour, k] for k in others]
    back = [state.pressure_bar[at[f"r{world.case.at[k]}"]] - world.return_bar[hour, k] for k in others]
    return np.array(supply + back)


def test_five_stations_tell_the_others(small_world: World) -> None:
    hour = 4
    found = estimate(small_world.network, seen(small_world, hour, FEW), ambient_temp_c=8.0)
    blind = estimate(small_world.network, seen(small_world, hour, FEW)[-2:-1], ambient_temp_c=8.0)
    mine, without = errors(small_world, hour, found), errors(small_world, hour, blind)
    assert np.sqrt(np.mean(mine**2)) < 0.03
    assert np.sqrt(np.mean(mine**2)) < 0.2 * np.sqrt(np.mean(without**2)), "the sensors are what tells it"
    assert found.residuals["believed"].all()
    assert not found.findings


def test_what_is_said_to_be_unsure_is_as_unsure_as_said(small_world: World) -> None:
    found = estimate(small_world.network, seen(small_world, 4, FEW), ambient_temp_c=8.0)
    nodes, pipes = sure(found)
    sigma = dict(zip(nodes["node"], nodes["sigma_bar"], strict=True))
    others = [k for k in range(len(small_world.case.at)) if k not in FEW]
    said = np.array(
        [sigma[f"s{small_world.case.at[k]}"] for k in others] + [sigma[f"r{small_world.case.at[k]}"] for k in others]
    )
    assert np.mean(np.abs(errors(small_world, 4, found)) < 3.0 * said + 0.005) > 0.9
    assert (pipes["sigma_kg_per_s"] >= 0).all()


def test_missing_is_absent_and_never_zero(small_world: World) -> None:
    table = seen(small_world, 4, FEW)
    gap = table.with_columns(value=pl.when(pl.int_range(pl.len()) == 3).then(float("nan")).otherwise(pl.col("value")))
    null = table.with_columns(value=pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise(pl.col("value")))
    cut = table.filter(pl.int_range(pl.len()) != 3)
    states = [estimate(small_world.network, one).state.pressure_bar for one in (gap, null, cut)]
    assert states[0] == pytest.approx(states[2], abs=1e-9)
    assert states[1] == pytest.approx(states[2], abs=1e-9)


@pytest.mark.parametrize("lie_bar", [0.4, -0.4])
def test_a_lying_gauge_is_set_apart_and_pulls_nothing(small_world: World, lie_bar: float) -> None:
    honest = seen(small_world, 4, FEW)
    lie = pl.when(pl.int_range(pl.len()) == 6).then(pl.col("value") + lie_bar).otherwise(pl.col("value"))
    found = estimate(small_world.network, honest.with_columns(value=lie))
    apart = found.residuals.with_row_index().filter(~pl.col("believed"))
    assert apart["index"].to_list() == [6]
    assert np.sign(apart["normalised"][0]) == np.sign(lie_bar)
    trusting = estimate(small_world.network, honest.with_columns(value=lie), set_apart=False)
    size, pulled = np.abs(errors(small_world, 4, found)).max(), np.abs(errors(small_world, 4, trusting)).max()
    assert size < 0.5 * pulled, "a check that cannot fail is none: believed, the lie does pull"


def test_unknown_sensors_are_findings(small_world: World) -> None:
    odd = pl.DataFrame(
        {
            "quantity": ["pressure", "colour"],
            "asset_kind": ["node", "node"],
            "asset": ["nowhere", "s1"],
            "value": [1.0, 2.0],
        }
    )
    found = estimate(small_world.network, odd)
    assert [finding.code for finding in found.findings] == ["no_such_sensor", "no_such_sensor"]
    assert not found.stations["observable"].any()


def test_the_answers_are_the_derivatives() -> None:
    """Each column of ∂sensor/∂x against the same sensors at x moved a little."""
    arrays = driven(Arrays.of(nuan_network(street_case(20, 3, seed=2)), ambient_temp_c=8.0))
    names = ["c1", "c7", "c12"]
    table = pl.DataFrame({
        "quantity": ["pressure"] * 3 + ["pressure_difference"] * 3 + ["flow"] * 5,
        "asset_kind": ["substation"] * 6 + ["pipe", "pipe", "substation", "source", "source"],
        "asset": names + names + ["S3", "R5", "c2", "plant", "plant"],
        "side": ["supply", "return", "supply"] + [""] * 7 + ["return"],
        "value": [1.0] * 11, "sigma": [0.01] * 11,
    })  # fmt: skip
    sensors, findings = measured(arrays, table)
    assert not findings
    unknowns = Unknowns.of(arrays, connected_flow(arrays), Doubts())
    state = unknowns.state(unknowns.x, None, 8.0)
    answers = unknowns.answers(Linear.of(state), sensors)
    j = len(connected_flow(arrays))
    for column in [*range(0, j, 5), j, j + 1, j + 3 + 4, j + 3 + 30]:
        step = np.zeros(len(unknowns.x))
        step[column] = 1e-3
        more, less = (predicted(unknowns.state(unknowns.x + sign * step, state, 8.0), sensors) for sign in (1, -1))
        assert answers[:, column] == pytest.approx((more - less) / 2e-3, rel=0.02, abs=2e-3), column


def test_the_next_sensor_takes_away_what_it_says(small_world: World) -> None:
    table = seen(small_world, 4, FEW)
    found = estimate(small_world.network, table)
    best = next_sensors(found, 2, sigma_bar=0.005)
    before = float(sure(found)[0]["sigma_bar"].mean())  # type: ignore[arg-type]
    assert before > best["mean_sigma_bar"][0] > best["mean_sigma_bar"][1]
    value = found.state.pressure_bar[found.state.arrays.node_names.index(best["node"][0])]
    more = pl.DataFrame(
        [("pressure", "node", best["node"][0], "", float(value), 0.005)], schema=table.schema, orient="row"
    )
    after = float(sure(estimate(small_world.network, pl.concat([table, more])))[0]["sigma_bar"].mean())  # type: ignore[arg-type]
    assert after == pytest.approx(best["mean_sigma_bar"][0], rel=0.1)
