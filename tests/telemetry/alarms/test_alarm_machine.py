"""The table of an alarm's life: complete in what ends it, harmless in what is said twice."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.telemetry.alarms.flood import FLOOD, flood
from nuan.telemetry.alarms.machine import (
    TRANSITIONS,
    Effect,
    Event,
    State,
    after,
    diagram,
    in_document,
    state_of,
    table,
)


def test_two_bits_are_two_bits() -> None:
    assert {state_of(active, seen) for active in (True, False) for seen in (True, False)} == set(State) - {State.NONE}
    for state in set(State) - {State.NONE}:
        assert state_of(state.active, state.acknowledged) == state


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_an_alarm_is_closed_only_when_it_is_cleared(events: list[Event]) -> None:
    """Whatever happens in whatever order: effects and states agree, and what is closed stays closed."""
    state = State.NONE
    for event in events:
        found = after(state, event)
        if found is None:
            continue
        to, effects = found
        assert (Effect.OPEN in effects) == (state is State.NONE)
        assert (Effect.CLOSE in effects) == (to is State.CLOSED)
        assert state is not State.CLOSED
        if event is Event.ACKNOWLEDGE:
            assert to.acknowledged
            assert to.active == state.active
        if event in {Event.CLEAR, Event.CLEAR_FOLDED, Event.WITHDRAW}:
            assert not to.active
        state = to


@pytest.mark.parametrize(
    "event",
    sorted(set(Event) - {Event.SHELVE, Event.UNSHELVE, Event.SHELF_ENDS, Event.FOLD, Event.UNFOLD, Event.ESCALATE}),
)
def test_said_twice_is_said_once(event: Event) -> None:
    for state in State:
        first = after(state, event)
        if first is not None:
            assert after(first[0], event) is None


def test_what_is_hushed_is_not_told() -> None:
    for (state, event), (to, effects) in TRANSITIONS.items():
        assert after(state, event, hushed=True) == (to, tuple(e for e in effects if e is not Effect.TELL))


def test_every_state_can_be_reached_and_left() -> None:
    assert {to for to, _ in TRANSITIONS.values()} == set(State) - {State.NONE}
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.CLOSED}


def test_the_pictures_name_every_state_and_event() -> None:
    assert all(f"{state}: {state.zh}" in diagram() for state in State if state is not State.NONE)
    assert table().count("\n") == len(TRANSITIONS) + 1


def test_the_document_shows_the_table_as_it_is() -> None:
    text = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text("utf-8")
    assert text == in_document(text), "run `make docs`"
    assert in_document(text.replace("确认", "x")) != text.replace("确认", "x")


@pytest.mark.parametrize(
    ("times", "last", "worst", "share"),
    [
        pytest.param([], 0, 0, 0.0, id="quiet"),
        pytest.param([2999] * FLOOD, 0, FLOOD, 0.0, id="as many as a person can read"),
        pytest.param([3599] * (FLOOD + 1), FLOOD + 1, FLOOD + 1, 1 / 6, id="a flood, now"),
        pytest.param([-1, 3600], 0, 0, 0.0, id="outside"),
    ],
)
def test_floods(times: list[int], last: int, worst: int, share: float) -> None:
    found = flood(np.array(times, np.int64), 0, 3600)
    assert (found.last, found.worst, found.share) == (last, worst, share)
