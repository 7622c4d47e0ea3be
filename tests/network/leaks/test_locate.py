"""Where the leak is: truth from pandapipes, drawings and sensors as wrong as they are; and odd input, which says less and never raises."""

import numpy as np
import pytest
from bench.locate_world import Faults, Sensed, World, build, sense

from nuan.network.graph import Network
from nuan.network.leaks.locate import Locator, Ranking
from nuan.network.leaks.points import Point

CITY = Faults(liars=0)


@pytest.fixture(scope="module")
def world() -> World:
    return build(
        7,
        stations_count=24,
        loops=3,
        learn_hours=96,
        leaks=4,
        step_h=4,
        sizes_t_h=(10.0,),
        use_numba=False,
        faults=CITY,
    )


@pytest.fixture(scope="module")
def told(world: World) -> Sensed:
    return sense(world, 1.0, 1, faults=CITY)


def locator(world: World, told: Sensed, learn: bool = True) -> Locator:
    made = Locator(world.network, [Point(*column) for column in told.columns])
    if learn:
        quiet = world.leak_of < 0
        made.learn(told.time_s[quiet], told.values[quiet])
    return made


def leak_rows(world: World, told: Sensed, k: int) -> tuple[np.ndarray, np.ndarray]:
    mine = world.leak_of == k
    return told.time_s[mine], told.values[mine].copy()


def away_m(world: World, ranking: Ranking, k: int) -> float:
    pipe = int(ranking.pipes[0][0][1:])
    middle = 0.5 * (world.xy[world.case.a[pipe]] + world.xy[world.case.b[pipe]])
    return float(np.hypot(*(middle - np.array(world.leaks[k].at))))


def whole(ranking: Ranking, world: World) -> None:
    names, p = zip(*ranking.pipes, strict=True)
    assert sorted(names) == sorted(world.network.pipes["pipe"])
    assert sum(p) == pytest.approx(1.0)
    assert all(0.0 <= one <= 1.0 for one in p)
    assert 0.0 <= ranking.confidence <= 1.0 + 1e-9


def test_leaks_are_found_nearby_and_on_the_right_side(world: World, told: Sensed) -> None:
    made = locator(world, told)
    near = 0
    for k, leak in enumerate(world.leaks):
        ranking = made.rank(*leak_rows(world, told, k), leak.t_h)
        whole(ranking, world)
        near += away_m(world, ranking, k) <= 300.0
        assert ranking.size_t_h == pytest.approx(leak.t_h, rel=0.4)
        assert ranking.side == leak.side or ranking.side_probability < 0.9
    assert near >= 2, "of three"


def test_a_gauge_that_begins_to_lie_does_not_lead_to_itself(world: World, told: Sensed) -> None:
    made = locator(world, told)
    times, values = leak_rows(world, told, 0)
    honest = made.rank(times, values, 10.0)
    far = max(
        range(len(world.case.at)),
        key=lambda i: float(np.hypot(*(world.xy[world.case.at[i]] - np.array(world.leaks[0].at)))),
    )
    column = [name for name, *_ in told.columns].index(f"P{far}s")
    values[:, column] -= 0.4
    lied_to = made.rank(times, values, 10.0)
    assert away_m(world, lied_to, 0) <= away_m(world, honest, 0) + 300.0


def test_dropped_sensors_and_short_records_say_less_and_never_raise(world: World, told: Sensed) -> None:
    made = locator(world, told)
    times, values = leak_rows(world, told, 1)
    values[:, ::3] = np.nan
    whole(made.rank(times, values, 10.0), world)
    whole(made.rank(times[:1], values[:1], 10.0), world)
    whole(made.rank(times, np.full_like(values, np.nan), 10.0), world)
    whole(made.rank(times, values, float("nan")), world)
    whole(made.rank(times, values, -3.0), world)
    whole(made.rank(np.zeros(0, np.int64), np.zeros((0, values.shape[1])), 10.0), world)
    whole(made.rank(times, values[:, :3], 10.0), world)
    whole(locator(world, told, learn=False).rank(times, values, 10.0), world)
    flat = Locator(world.network, []).rank(times, np.zeros((len(times), 0)), 10.0)
    whole(flat, world)
    assert flat.side == ""
    assert flat.confidence < 0.7
    assert Locator(Network.of(nodes={"node": ["a"]}), []).rank(times, values, 1.0).pipes == ()


def test_a_drawing_without_loads_still_serves(world: World, told: Sensed) -> None:
    """No connected loads and no return temperatures in the file: the total is shared out evenly."""
    bare = world.network.with_table(
        "substations", world.network.substations.drop("heat_kw", "return_temp_c", "delta_t_k", "flow_kg_per_s")
    )
    made = Locator(bare, [Point(*column) for column in told.columns])
    quiet = world.leak_of < 0
    made.learn(told.time_s[quiet], told.values[quiet])
    near = sum(
        away_m(world, made.rank(*leak_rows(world, told, k), leak.t_h), k) <= 300.0 for k, leak in enumerate(world.leaks)
    )
    assert near >= 2
