"""Make-up water, compensated: the sums, the balance that is learned, and the watch over both."""

import copy
import math
import pickle

import numpy as np
import pytest
from tests.network.leaks.leak_stage import POINTS, network, rows

from nuan.network.leaks.balance import Balance, Block
from nuan.network.leaks.cusum import Cusum, run_length, threshold
from nuan.network.leaks.expansion import Side, density, spreads
from nuan.network.leaks.makeup import MakeUpRow, MakeUpWatch
from nuan.network.leaks.stream import Watch


@pytest.mark.parametrize("k", [0.3, 0.5, 1.0])
def test_the_stated_false_alarm_rate_is_the_one_that_is_counted(k: float) -> None:
    """Siegmund's run length against half a million normal values."""
    h, rng = threshold(k, 500.0), np.random.default_rng(1)
    assert run_length(k, h) == pytest.approx(500.0, rel=1e-6)
    lengths, total, length = [], 0.0, 0
    for value in rng.normal(0, 1, 500_000).tolist():
        total, length = max(0.0, total + value - k), length + 1
        if total > h:
            lengths.append(length)
            total, length = 0.0, 0
    assert np.mean(lengths) == pytest.approx(500.0, rel=0.12)


def test_one_wild_hour_does_not_fill_a_sum() -> None:
    cusum = Cusum(reference_t_h=0.2, least_t=4.0, cap_t_h=0.6, run_length_h=8760.0)
    assert not cusum.push(3600.0, 50.0, 1.0, 0.1, 0.0)
    assert cusum.sum_t == pytest.approx(0.6)


def test_the_contents_follow_what_left_the_plant() -> None:
    """A step of 20 K, long enough: the supply holds its volume times the density; on the way it never holds less."""
    found = spreads(network())
    assert found.solved
    volume = found.supply.total_m3
    pipes = network().pipes
    area = np.pi / 4 * pipes["inner_diameter_m"].to_numpy() ** 2
    assert volume + found.back.total_m3 == pytest.approx(float(np.sum(area * pipes["length_m"].to_numpy())), rel=1e-6)
    side, seen = Side(found.supply), []
    for k in range(4000):
        side.push(found.flow_m3_per_s * 60.0, 90.0 if k < 2000 else 70.0)
        seen.append(side.content_t())
    assert seen[1999] == pytest.approx(volume * density(90.0), rel=1e-6)
    assert seen[-1] == pytest.approx(volume * density(70.0), rel=1e-6)
    assert np.all(np.diff(seen) > -1e-6)


def test_a_network_that_cannot_be_solved_still_has_contents() -> None:
    alone = network()
    nobody = alone.with_table("substations", alone.substations.clear())
    found = spreads(nobody)
    assert not found.solved
    assert found.supply.total_m3 == pytest.approx(spreads(alone).supply.total_m3, rel=0.01)


def _blocks(count: int, seed: int = 0) -> list[Block]:
    rng = np.random.default_rng(seed)
    found = []
    for k in range(count):
        swell, pressure = rng.normal(0, 3), rng.normal(0, 0.1)
        found.append(
            Block(
                k * 3600.0,
                1.0,
                2.0 + 0.9 * swell + 12.0 * pressure + rng.normal(0, 0.1),
                (1.0, swell, 0.0, pressure, 0.0),
            )
        )
    return found


def test_the_balance_learns_what_it_was_not_told() -> None:
    balance = Balance(bound=False)
    for block in _blocks(400):
        balance.learn(block, balance.surprise(block))
    assert balance.coefficients()[[0, 1, 3]] == pytest.approx([2.0, 0.9, 12.0], abs=0.15)
    assert balance.sigma == pytest.approx(0.1, rel=0.5)


def test_what_waits_is_forgotten_when_it_was_a_leak() -> None:
    balance = Balance(bound=False)
    for block in _blocks(200):
        balance.learn(block, balance.surprise(block))
    usual = balance.usual_t_h
    for block in _blocks(30, seed=1):
        late = Block(block.time_s + 200 * 3600.0, 1.0, block.make_up_t_h + 5.0, block.x)
        balance.learn(late, balance.surprise(late))
    balance.forget_waiting()
    assert balance.usual_t_h == pytest.approx(usual, abs=0.3)


def test_a_plant_that_lets_off_what_swells_does_not_seem_to_lose_more() -> None:
    """Make-up never below nought: the bound balance is believed, and finds the usual loss."""
    rng, watch = np.random.default_rng(3), MakeUpWatch()
    content = 3000.0
    for k in range(24 * 30):
        change = 6.0 * math.sin(k / 24 * 2 * math.pi) + rng.normal(0, 0.5)
        content += change
        watch.push(MakeUpRow(k * 3600.0, max(1.2 + change, 0.0) + abs(rng.normal(0, 0.02)), content, 0.0))
    assert watch.believed.bound
    assert watch.believed.usual_t_h == pytest.approx(1.2, abs=0.35)


def _first(watch: Watch, time_s: np.ndarray, values: np.ndarray, kind: str = "leak") -> float:
    for at, row in zip(time_s, values, strict=True):
        for alarm in watch.push(float(at), row):
            if alarm.kind == kind:
                return float(at)
    return math.nan


@pytest.mark.parametrize(("leak_t_h", "within_h"), [(12.0, 1.0), (2.0, 12.0), (0.5, 72.0)])
@pytest.mark.parametrize("step_s", [600, 3600])
def test_a_leak_is_found_in_time(leak_t_h: float, within_h: float, step_s: int) -> None:
    time_s, values = rows(18, leak_t_h, 14, step_s=step_s)
    found = _first(Watch(network(), POINTS, locate=False), time_s, values)
    assert 14 * 86400 <= found <= 14 * 86400 + within_h * 3600


def test_no_leak_no_alarm() -> None:
    time_s, values = rows(40)
    assert math.isnan(_first(Watch(network(), POINTS, locate=False), time_s, values))


def test_a_fill_that_is_told_is_no_leak_and_untold_it_is() -> None:
    time_s, values = rows(16)
    hours = (time_s >= 12 * 86400) & (time_s < 12 * 86400 + 3 * 3600)
    values[hours, 0] += 20.0
    assert not math.isnan(_first(Watch(network(), POINTS, locate=False), time_s, values))
    values[hours, 5] = 1.0
    assert math.isnan(_first(Watch(network(), POINTS, locate=False), time_s, values))


def test_topping_up_to_the_pressure_is_known_after_it_was_seen() -> None:
    """0.3 bar for 6 t: learned from the first time on; later times are explained."""
    time_s, values = rows(30)
    rng = np.random.default_rng(5)
    wander = np.repeat(rng.normal(0, 0.03, len(time_s) // 6 + 1), 6)[: len(time_s)]
    level = np.cumsum(wander - wander.mean()) * 0.2
    values[:, 4] += level
    values[:, 0] += 20.0 * np.gradient(level, 1 / 6)
    top = (time_s >= 25 * 86400) & (time_s < 25 * 86400 + 3000)
    values[top, 0] += 6.0 / (top.sum() / 6)
    values[:, 4] += 0.3 * np.clip((time_s - 25 * 86400) / 3000, 0, 1)
    assert math.isnan(_first(Watch(network(), POINTS, locate=False), time_s, values))


def test_one_event_is_raised_once_and_ends() -> None:
    time_s, values = rows(24, 4.0, 14)
    values[time_s >= 18 * 86400, 0] -= 4.0
    watch, kinds = Watch(network(), POINTS, locate=False), []
    for at, row in zip(time_s, values, strict=True):
        kinds += [(alarm.kind, alarm.event, alarm.size_t_h) for alarm in watch.push(float(at), row)]
    assert [kind for kind, _, _ in kinds if kind != "leak_update"] == ["leak", "leak_end"]
    assert {event for _, event, _ in kinds} == {1}
    assert kinds[-1][2] == pytest.approx(4.0, rel=0.15)


def test_gaps_stuck_rows_and_a_counter_that_is_exchanged() -> None:
    time_s, values = rows(20, 3.0, 15)
    rng = np.random.default_rng(2)
    total = np.cumsum(values[:, 0]) / 6.0
    total[time_s > 9 * 86400] -= 100.0
    total[rng.random(len(total)) < 0.05] = np.nan
    total[700:760] = np.nan
    values[:, 0] = np.floor(total * 10) / 10
    points = (POINTS[0].__class__("total", "make_up_total", "t", "source", "plant"), *POINTS[1:])
    found = _first(Watch(network(), points, locate=False), time_s, values)
    assert 15 * 86400 <= found <= 15 * 86400 + 12 * 3600


def test_only_make_up_is_enough() -> None:
    time_s, values = rows(18, 5.0, 14)
    found = _first(Watch(network(), POINTS[:1], locate=False), time_s, values[:, :1])
    assert 14 * 86400 <= found <= 14 * 86400 + 12 * 3600


def test_the_future_changes_nothing_and_a_copy_goes_on_alone() -> None:
    time_s, values = rows(17, 6.0, 15)
    watch = Watch(network(), POINTS, locate=False)
    for at, row in zip(time_s[:1500], values[:1500], strict=True):
        watch.push(float(at), row)
    other, pickled = copy.deepcopy(watch), pickle.loads(pickle.dumps(watch))
    rest = time_s[1500:], values[1500:]
    first = _first(watch, *rest)
    assert not math.isnan(first)
    assert _first(other, *rest) == first
    assert _first(pickled, *rest) == first


def test_a_ramp_that_is_let_off_is_no_leak() -> None:
    """A calm plant, then 30 t swell within three hours and go off: nothing was made up, and nothing leaks."""
    rng, watch, content = np.random.default_rng(4), MakeUpWatch(), 3000.0
    found = []
    for k in range(24 * 14):
        ramp = -10.0 if 24 * 12 <= k < 24 * 12 + 3 else 0.0
        change = 0.8 * math.sin(k / 24 * 2 * math.pi) + ramp
        content += change
        found += watch.push(MakeUpRow(k * 3600.0, max(2.0 + change + rng.normal(0, 0.1), 0.0), content, 0.0))
    assert found == []
