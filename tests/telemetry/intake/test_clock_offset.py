"""The offset of a clock, through late messages, wild devices and network delay."""

import random

import pytest

from nuan.telemetry.intake.clock_offset import LEAST, ClockOffsetEstimator


@pytest.mark.parametrize("offset", [-7_200, -3, 0, 40, 28_800])
@pytest.mark.parametrize("late_share", [0.0, 0.3])
def test_the_lower_edge_is_the_offset(offset: int, late_share: float) -> None:
    dice = random.Random(offset)
    clock = ClockOffsetEstimator()
    for second in range(600):
        delay = dice.randrange(600, 7_200) if dice.random() < late_share else dice.choice([0, 0, 1, 1, 2])
        clock.add(arrival_s=second + delay, device_s=second + offset)
    found = clock.estimate()
    assert found is not None
    assert abs(found.offset_s - offset) <= 1
    assert found.spread_s <= 3


def test_one_wild_clock_does_not_move_it() -> None:
    clock = ClockOffsetEstimator()
    for second in range(400):
        clock.add(arrival_s=second, device_s=second + (50_000 if second % 100 == 0 else 5))
    found = clock.estimate()
    assert found is not None
    assert found.offset_s == 5


def test_too_few_messages_say_nothing() -> None:
    clock = ClockOffsetEstimator()
    for second in range(LEAST - 1):
        clock.add(arrival_s=second, device_s=second)
    assert clock.estimate() is None
    clock.extend([0])
    assert clock.estimate() is not None
