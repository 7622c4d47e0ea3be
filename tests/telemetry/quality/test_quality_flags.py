"""Faults that real substations and flats show, as small rows: zeros, −39.9 °C, stuck days, spikes, newest-first files."""

import numpy as np
import pytest

from nuan.telemetry.quality import flag, flag_series
from nuan.telemetry.readings import UNTRUSTED, Flag

QUARTER, HOUR = 900, 3600
OUT, STUCK, JUMP, DOUBLE, FUTURE, MISSING = (
    Flag.OUT_OF_RANGE, Flag.STUCK, Flag.JUMP, Flag.DUPLICATE, Flag.FUTURE, Flag.MISSING,
)  # fmt: skip

# quantity, step, values in 0.01 °C (or the quantity's step), expected flags
CASES = [
    ("a quiet room", "room_temp", HOUR, [2110, 2100, 2110, 2120], [0, 0, 0, 0]),
    ("a controller that dropped out writes zeros", "supply_temp", HOUR, [4520, 0, 0, 4510], [0, MISSING | OUT, MISSING | OUT, 0]),
    ("a room of zero degrees is a dead sensor", "room_temp", HOUR, [2110, 0, 2110], [0, MISSING | OUT, 0]),
    ("an outdoor zero is weather", "outdoor_temp", HOUR, [110, 0, -90], [0, 0, 0]),
    ("-39.9 is an open sensor wire", "outdoor_temp", HOUR, [560, -3990, 540], [0, OUT, 0]),
    ("8 000 001 kW", "heat_power", HOUR, [2336, 80_000_010, 2310], [0, OUT, 0]),
    ("1 000 % humidity", "room_humidity", HOUR, [455, 10_000, 460], [0, OUT, 0]),
    ("46 °C of sun on the outdoor sensor", "outdoor_temp", HOUR, [3400, 4600, 3300], [0, OUT, 0]),
    ("a spike, and back", "room_temp", QUARTER, [2110, 3300, 2120], [0, JUMP, 0]),
    ("an opened window is no spike", "room_temp", QUARTER, [2110, 1650, 1500, 1900], [0, 0, 0, 0]),
    ("a fall to 20 degrees less within the hour", "outdoor_temp", HOUR, [2400, 0, 2390], [0, JUMP, 0]),
    ("a lasting step is believed after a while", "room_temp", HOUR, [2100, 3200, 3200, 3210], [0, JUMP, 0, 0]),
    ("the edges of the range belong to it", "room_temp", HOUR, [100, 100, 4500], [0, 0, JUMP]),
    ("just outside", "room_temp", HOUR, [99, 4501], [OUT, OUT]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "step_s", "values", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_values(key: str, step_s: int, values: list[int], expected: list[int]) -> None:
    times = np.arange(len(values), dtype=np.int64) * step_s
    assert flag(times, np.array(values, np.int32), key, step_s).tolist() == [int(each) for each in expected]


@pytest.mark.parametrize(
    ("hours", "step_s", "gap_after", "stuck"),
    [
        pytest.param(35, QUARTER, None, False, id="a day and a half less an hour is a quiet room"),
        pytest.param(36, QUARTER, None, True, id="36 hours to the minute"),
        pytest.param(36, HOUR, None, True, id="hourly readings"),
        pytest.param(60, QUARTER, 30, False, id="a gap in the middle ends the run"),
        pytest.param(72, 24 * HOUR, None, False, id="four daily readings are too few to say"),
    ],
)
def test_a_value_that_stands_still(hours: int, step_s: int, gap_after: int | None, stuck: bool) -> None:
    times = np.arange(0, hours * HOUR + 1, step_s, dtype=np.int64)
    if gap_after is not None:
        times[times > gap_after * HOUR] += 5 * 24 * HOUR
    lively = times[-1] + step_s * np.arange(1, 5)
    values = np.concatenate((np.full(len(times), 2150), [2160, 2150, 2140, 2150])).astype(np.int32)

    flags = flag(np.concatenate((times, lively)), values, "room_temp", step_s)

    assert (flags[: len(times)] & Flag.STUCK > 0).tolist() == [stuck] * len(times)
    assert not flags[len(times) :].any()


def test_a_slow_room_in_tenths_of_a_degree_is_not_stuck() -> None:
    """Three days within two tenths, as a well-kept flat shows: each tenth rests for hours, none for 36."""
    times = np.arange(0, 72 * HOUR, QUARTER, dtype=np.int64)
    values = (2200 + 10 * np.round(1.2 * np.sin(times / 86_400 * 2 * np.pi))).astype(np.int32)

    assert len(np.unique(values)) == 3
    assert not flag(times, values, "room_temp", QUARTER).any()


@pytest.mark.parametrize(("hours", "stuck"), [(48, False), (72, True)])
def test_a_sensor_of_half_degrees_may_rest_twice_as_long(hours: int, stuck: bool) -> None:
    times = np.arange(0, (hours + 10) * HOUR, HOUR, dtype=np.int64)
    values = np.where(times <= hours * HOUR, 2150, 2200).astype(np.int32)

    assert bool((flag(times, values, "room_temp", HOUR) & Flag.STUCK).any()) is stuck


def test_the_order_of_the_file_does_not_matter() -> None:
    times = np.arange(0, 48 * HOUR, HOUR, dtype=np.int64)
    values = np.full(len(times), 2150, np.int32)
    values[3] = 9900

    newest_first = flag(times[::-1].copy(), values[::-1].copy(), "room_temp", HOUR)

    assert newest_first[::-1].tolist() == flag(times, values, "room_temp", HOUR).tolist()
    assert newest_first[::-1][3] & Flag.OUT_OF_RANGE


def test_series_do_not_speak_for_each_other() -> None:
    series = np.array([7, 3, 7, 3], np.uint32)
    times = np.array([0, 0, HOUR, HOUR], np.int64)
    values = np.array([1000, 3500, 1010, 3510], np.int32)

    assert not flag_series(series, times, values, "room_temp", HOUR).any()


def test_doubles_and_clocks() -> None:
    times = np.array([0, 0, HOUR, 2 * HOUR, 2 * HOUR + 301], np.int64)
    values = np.array([2100, 2110, 2100, 2100, 2100], np.int32)

    flags = flag(times, values, "room_temp", HOUR, arrival_s=2 * HOUR)

    assert flags.tolist() == [0, DOUBLE, 0, 0, FUTURE]
    assert not flags[1] & UNTRUSTED
    assert flags[4] & UNTRUSTED


def test_nothing_in_nothing_out() -> None:
    assert len(flag(np.zeros(0, np.int64), np.zeros(0, np.int32), "room_temp", HOUR)) == 0


@pytest.mark.parametrize(
    ("celsius", "stuck"), [(62, True), (19, False)], ids=["a hot pipe", "a standing pipe in summer"]
)
def test_a_pipe_that_stands_takes_the_temperature_of_its_cellar(celsius: int, stuck: bool) -> None:
    times = np.arange(0, 200 * HOUR, HOUR, dtype=np.int64)
    values = np.full(len(times), celsius * 100, np.int32)

    assert bool((flag(times, values, "supply_temp", HOUR) & Flag.STUCK).any()) is stuck
