"""Delay, hysteresis and storms as properties: whatever the values do, nothing is raised too early, nothing flaps, a restart goes on."""

from dataclasses import replace

import numpy as np
from alarm_town import GOOD, OFF, ROWS, Town
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.alarms import phases
from nuan.telemetry.alarms.conditions import BAND, ON, UNKNOWN
from nuan.telemetry.alarms.conditions import OFF as GONE
from nuan.telemetry.alarms.engine import Memory, kept

CONDITIONS = st.lists(st.sampled_from([UNKNOWN, GONE, BAND, ON]), min_size=1, max_size=60)
DELAYS = st.integers(0, 7)


def run(conditions: list[int], delay_on: int, delay_off: int, restart: bool = False) -> list[tuple[int, int]]:
    """(tick, event) of one watch, a tick a second; `restart` puts its state through the records between all ticks."""
    phase, since, found = np.zeros(1, np.int8), np.zeros(1, np.int64), []
    for now, condition in enumerate(conditions):
        if restart:
            kept_state = (int(phase[0]), int(since[0])) if phase[0] else (0, 0)
            phase, since = np.array([kept_state[0]], np.int8), np.array([kept_state[1]], np.int64)
        event = phases.step(
            phase, since, np.array([condition], np.int8), np.array([delay_on]), np.array([delay_off]), np.zeros(1, np.bool_), now
        )[0]  # fmt: skip
        if event:
            found.append((now, int(event)))
    return found


@settings(deadline=None)
@given(CONDITIONS, DELAYS, DELAYS)
def test_nothing_is_raised_unless_the_condition_lasted_its_delay(conditions: list[int], on: int, off: int) -> None:
    for now, event in run(conditions, on, off):
        if event == phases.RAISED:
            assert set(conditions[now - on : now + 1]) == {ON}
        else:
            assert set(conditions[now - off : now + 1]) == {GONE}


@settings(deadline=None)
@given(CONDITIONS, DELAYS, DELAYS)
def test_raising_and_clearing_take_turns(conditions: list[int], on: int, off: int) -> None:
    events = [event for _, event in run(conditions, on, off)]
    assert events == [phases.RAISED, phases.CLEARED] * (len(events) // 2) + [phases.RAISED] * (len(events) % 2)


@settings(deadline=None)
@given(st.lists(st.sampled_from([BAND, UNKNOWN]), max_size=40), DELAYS)
def test_the_band_and_the_unknown_change_nothing(between: list[int], delay: int) -> None:
    assert run(between, 0, 0) == []
    raised = [ON] * (delay + 1)
    assert run(raised + between, delay, 0) == [(delay, phases.RAISED)]


@settings(deadline=None)
@given(CONDITIONS, DELAYS, DELAYS)
def test_a_restart_between_any_two_ticks_goes_on_where_it_was(conditions: list[int], on: int, off: int) -> None:
    assert run(conditions, on, off, restart=True) == run(conditions, on, off)


CHANGES = st.lists(st.tuples(st.sampled_from([(p, q) for p, q, *_ in ROWS]), st.booleans()), min_size=1, max_size=25)


@settings(deadline=None, max_examples=40)
@given(CHANGES)
def test_a_storm_loses_nothing_and_nothing_hangs_in_the_air(changes: list[tuple[tuple[str, str], bool]]) -> None:
    """Every active alarm stands for itself or hangs on one that does; no alarm hangs on itself or on what hangs."""
    town = Town()
    town.at()
    for key, good in changes:
        town.values[key] = GOOD[key[1]] if good else OFF[key[1]]
        outcome = town.at(400)
        under, standing = town.under(), town.standing()
        hanging = {town.name(row) for row in kept(outcome)}
        active = {town.name(row) for row in outcome.active.tolist()}
        assert set(under) | standing == active
        assert all(over in active and over not in under for over in under.values())
        assert all(child != over for child, over in under.items())
        assert hanging <= active


@settings(deadline=None, max_examples=25)
@given(st.permutations([("S1", "pressure"), ("S3", "pressure"), ("B2-1", "room_temp"), ("S2", "flow")]))
def test_the_order_of_independent_events_does_not_matter(order: list[tuple[str, str]]) -> None:
    """What goes wrong in one tick is found whatever the order of the rows that bring it."""
    town = Town()
    town.at()
    for key in order:
        town.values[key] = OFF[key[1]]
    found = []
    for _ in range(5):
        town.at(900)
        found.append((sorted(town.raised()), sorted(town.under().items())))
    assert found == expected_storm()


def expected_storm() -> list[tuple[list[tuple[str, str]], list[tuple[tuple[str, str], tuple[str, str]]]]]:
    pressure = [("station_pressure_low", "S1"), ("station_pressure_low", "S3")]
    home = [(("home_cold", "B2-1"), ("station_flow_none", "S2"))]
    return [
        ([], []),
        ([("station_flow_none", "S2"), *pressure], []),
        ([], []),
        ([], []),
        ([("home_cold", "B2-1")], home),
    ]


def test_a_tick_changes_nothing_that_it_is_given() -> None:
    town = Town()
    town.at()
    town.values["S1", "flow"] = 0
    town.at()
    memory = town.memory
    assert memory is not None
    before = [column.copy() for column in (memory.phase, memory.since_s, memory.raised_s, memory.folded, memory.over_s)]
    town.at(600)
    after = [memory.phase, memory.since_s, memory.raised_s, memory.folded, memory.over_s]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_the_same_moment_again_raises_nothing_again() -> None:
    town = Town()
    town.at()
    town.values["S1", "pressure"] = 300
    town.at()
    town.at()
    assert town.raised() == {("station_pressure_low", "S1")}
    town.again()
    assert town.raised() == set()


def test_a_silent_gateway_explains_missing_data_and_nothing_else() -> None:
    town = Town()
    town.at()
    town.values["S1", "flow"] = 0
    town.at()
    town.at(300)
    assert ("station_flow_none", "S1") in town.standing()
    town.silent = {key for key in town.values if key[0] in {"S1", "S2"}}
    town.at(4000)
    assert town.standing() == {("station_flow_none", "S1"), ("gateway_silent", "G1"), ("gateway_silent", "G2")}
    assert town.under()["station_silent", "S2"] == ("gateway_silent", "G2")


def test_the_source_wins_over_its_stations() -> None:
    town = Town()
    town.at()
    for key in (("H1", "primary_supply_temp"), ("S1", "supply_temp"), ("S2", "flow"), ("S3", "flow")):
        town.values[key] = OFF[key[1]]
    town.at()
    town.at(700)
    assert town.standing() == {("primary_supply_low", "H1"), ("station_flow_none", "S3")}


def test_a_blank_memory_is_quiet() -> None:
    memory = Memory.blank(3)
    assert not memory.phase.any()
    assert replace(memory, phase=np.ones(3, np.int8)).since_s is memory.since_s
