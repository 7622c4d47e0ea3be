"""Counters through everything that happens to meters. Rows marked so are transcribed from two real substations; the whole files are read in
`test_real_faults`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.telemetry.quality.counters import Event, differences
from nuan.telemetry.quality.suggestions import energy_unit, plain_unit, power_unit, swapped_pipes

HOUR = 3600
N, DROP, ROLL, RESET, NEW = Event.NONE, Event.DROPOUT, Event.ROLL_OVER, Event.RESET, Event.EXCHANGE


def counted(values: list[int], most: int | None = 500, exchanged: tuple[int, ...] = ()) -> tuple[int, list[int]]:
    times = np.arange(len(values), dtype=np.int64) * HOUR
    found = differences(times, np.array(values, np.int64), most, exchanged)
    return found.total, found.event.tolist()


@pytest.mark.parametrize(
    ("values", "total", "events"),
    [
        pytest.param([100, 150, 150, 180], 80, [N, N, N, N], id="a quiet meter"),
        pytest.param([7949_840, 0, 7950_162], 322, [N, DROP, N], id="real: an hour of zero"),
        pytest.param([8367_636, 0, 0, 0, 8367_636], 0, [N, DROP, DROP, DROP, N], id="real: summer zeros"),
        pytest.param(
            [168_430, 0, 0, 14_204_278, 14_204_439], 161, [N, RESET, N, NEW, N], id="real: another meter after silence"
        ),
        pytest.param(
            [168_430, 0, 0, 14_204_278, 14_204_439, 0, 14_204_500],
            222,
            [N, RESET, N, NEW, N, DROP, N],
            id="real: another meter after silence, and an hour of zero again",
        ),
        pytest.param([99_990, 99_998, 5, 12], 22, [N, N, ROLL, N], id="five digits roll over"),
        pytest.param([40_000, 40_010, 8, 30], 40, [N, N, RESET, N], id="set to zero by a technician"),
        pytest.param([40_000, 40_010, 12_000, 12_020], 30, [N, N, NEW, N], id="exchanged for a used one"),
        pytest.param([1000, 1010, 9_000_000, 1020], 20, [N, N, DROP, N], id="a leap and back"),
    ],
)
def test_what_was_used(values: list[int], total: int, events: list[int]) -> None:
    assert counted(values) == (total, [int(event) for event in events])


def test_the_register_knows_of_an_exchange_that_the_numbers_hide() -> None:
    assert counted([1000, 1010, 1200, 1210], None, (2 * HOUR,))[0] == 20
    assert counted([1000, 1010, 1200, 1210], None)[0] == 210


def test_without_a_limit_a_fall_is_an_exchange_and_nothing_is_invented() -> None:
    assert counted([500, 510, 3, 9], None) == (16, [N, N, NEW, N])


@given(steps=st.lists(st.integers(0, 90), min_size=2, max_size=60), data=st.data())
def test_drop_outs_change_no_sum(steps: list[int], data: st.DataObject) -> None:
    counter = 50_000 + np.cumsum(steps)
    silent = data.draw(st.sets(st.integers(1, len(steps) - 1)))
    shown = [0 if at in silent and at != len(steps) - 1 else int(value) for at, value in enumerate(counter)]
    assert counted(shown)[0] == counter[-1] - counter[0]


@given(steps=st.lists(st.integers(0, 90), min_size=3, max_size=60), start=st.integers(99_000, 99_999))
def test_a_roll_over_changes_no_sum(steps: list[int], start: int) -> None:
    counter = start + np.cumsum(steps)
    assert counted((counter % 100_000).tolist())[0] == counter[-1] - counter[0]


class TestSuggestions:
    def test_a_counter_of_mwh_read_as_kwh(self) -> None:
        """Real: e rose by 322 (MWh × 1000 in the file's third decimal) while pe said 330 kW for an hour."""
        (found,) = energy_unit("L12", used_kwh=0.322, power_kwh=330.0)
        assert (found.code, "MWh" in found.message_zh) == ("unit_mistaken", True)
        assert "GJ" in energy_unit("x", 100, 27_500)[0].message_zh
        assert energy_unit("x", 100, 104) == energy_unit("x", 0, 5) == energy_unit("x", 100, 5000) == []

    def test_pipes_that_are_swapped(self) -> None:
        times = 1_767_196_800 + HOUR * np.arange(24 * 6, dtype=np.int64)
        hot, cold = np.full(len(times), 5200), np.full(len(times), 4100)
        (found,) = swapped_pipes("H01-S03", times, cold, hot)
        assert "6/6 天，相差 11.0 °C" in found.sentence()
        assert swapped_pipes("H01-S03", times, hot, cold) == []
        assert swapped_pipes("H01-S03", times, np.full(len(times), 1900), np.full(len(times), 2100)) == [], (
            "standing pipes"
        )
        one_day = np.where(np.arange(len(times)) < 24, 6000, 3000)
        assert swapped_pipes("H01-S03", times, cold, one_day) == [], "a day of works"

    @pytest.mark.parametrize(
        ("key", "value", "unit"),
        [("room_temp", 6980, "°F"), ("room_temp", 2100, None), ("pressure", 600_000, "kPa"), ("pressure", 600, "MPa"),
         ("pressure", 6000, None), ("pressure", 600_000_000, "Pa")],
    )  # fmt: skip
    def test_units_by_size(self, key: str, value: int, unit: str | None) -> None:
        found = plain_unit("x", key, np.full(50, value, np.int32))
        assert [f" {unit} " in each.message_zh for each in found] == ([] if unit is None else [True])
        assert plain_unit("x", key, np.full(5, value, np.int32)) == [], "too few to say"

    def test_power_against_flow_and_drop(self) -> None:
        flow, supply, back = np.full(30, 20.0), np.full(30, 50.0), np.full(30, 40.0)
        assert "MW" in power_unit("x", np.full(30, 0.2326), flow, supply, back)[0].message_zh
        assert power_unit("x", np.full(30, 240.0), flow, supply, back) == []
