"""Every rule of `telemetry.quality` on two real substations (../shared/data/xai4heat, hourly, 2019 to 2023): what it finds there, when, how often.

What the files do not show is said so in docs/quality.md, and is made here from their own rows: sent twice, swapped, in another unit. Where the
files are absent (a plain clone), the transcribed rows of the other tests of this folder stand for them.
"""

import csv
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from measured import MEASURED, needs
from nuan.telemetry.quality import StreamFlags, flag
from nuan.telemetry.quality.counters import Event, differences
from nuan.telemetry.quality.flags import CLOCK_SLACK_S
from nuan.telemetry.quality.suggestions import energy_unit, plain_unit, power_unit, swapped_pipes
from nuan.telemetry.readings import Flag

HOUR = 3600
REAL = MEASURED / "xai4heat"
COLUMNS = {
    "t_amb": "outdoor_temp", "t_sup_prim": "primary_supply_temp", "t_ret_prim": "primary_return_temp", "t_sup_sec": "supply_temp",
    "t_ret_sec": "return_temp",
}  # fmt: skip
MOST_KWH = 3_000
"""More than either substation can deliver in an hour."""

pytestmark = needs(REAL)
Column = tuple[NDArray[np.int64], NDArray[np.int32]]


@cache
def rows(name: str) -> list[dict[str, str]]:
    with (REAL / f"xai4heat_{name}.csv").open() as file:
        return sorted(csv.DictReader(file), key=lambda row: row["datetime"])


@cache
def column(station: str, name: str, per_unit: int = 100, of: str = "scada") -> Column:
    """Times and fixed-point values of the rows that have one."""
    there = [row for row in rows(f"{of}_{station}") if row[name]]
    times = [int(datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC).timestamp()) for row in there]
    return np.array(times, np.int64), np.array([round(float(row[name]) * per_unit) for row in there], np.int32)


def hour(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H")


# station, column, flag, how many, first hour, what stood there, last hour
FOUND = [
    ("L4", "t_sup_prim", Flag.MISSING, 5665, "2019-08-05 13", 0, "2023-05-29 10"),
    ("L4", "t_sup_sec", Flag.MISSING, 503, "2019-08-06 11", 0, "2023-05-29 10"),
    ("L4", "t_ret_sec", Flag.MISSING, 501, "2019-08-06 11", 0, "2023-05-29 10"),
    ("L12", "t_sup_sec", Flag.MISSING, 2004, "2021-05-25 13", 0, "2023-05-29 10"),
    ("L12", "t_ret_prim", Flag.MISSING, 2005, "2021-05-25 13", 0, "2023-05-29 10"),
    ("L4", "t_amb", Flag.OUT_OF_RANGE, 355, "2019-08-05 14", -3990, "2019-10-04 08"),
    ("L4", "t_sup_sec", Flag.OUT_OF_RANGE, 859, "2019-08-05 13", -3990, "2023-05-29 10"),
    ("L12", "t_amb", Flag.OUT_OF_RANGE, 102, "2021-06-17 17", 4550, "2023-06-30 18"),
    ("L4", "t_amb", Flag.STUCK, 1417, "2019-08-12 10", 0, "2022-05-16 00"),
    ("L4", "t_sup_sec", Flag.STUCK, 142, "2019-09-19 15", 2570, "2019-09-25 12"),
    ("L4", "t_ret_prim", Flag.STUCK, 142, "2019-09-19 15", 2570, "2019-09-25 12"),
    ("L12", "t_amb", Flag.STUCK, 2786, "2021-09-25 01", 1480, "2022-09-14 18"),
    ("L12", "t_sup_sec", Flag.STUCK, 0, "", 0, ""),
    ("L4", "t_amb", Flag.JUMP, 21, "2019-09-17 13", 2570, "2023-05-29 10"),
    ("L12", "t_amb", Flag.JUMP, 13, "2021-05-26 11", 2050, "2023-05-29 10"),
]


@pytest.mark.parametrize(("station", "name", "kind", "count", "first", "value", "last"), FOUND)
def test_flags_at_their_hours(
    station: str, name: str, kind: Flag, count: int, first: str, value: int, last: str
) -> None:
    times, values = column(station, name)
    at = np.flatnonzero(flag(times, values, COLUMNS[name], HOUR) & np.uint8(kind))
    assert len(at) == count
    if count:
        assert (hour(times[at[0]]), values[at[0]], hour(times[at[-1]])) == (first, value, last)


def test_a_season_of_good_flats_has_nothing_against_it() -> None:
    """The winter of 2024: ten rooms by the quarter hour, and not one false alarm in 121 000 readings."""
    readings = 0
    for station in ("L4", "L12"):
        for name in rows(f"2024-25_{station}")[0]:
            if name.startswith("temperature_"):
                times, values = column(station, name, of="2024-25")
                readings += len(times)
                assert not flag(times, values, "room_temp", 900).any(), name
    assert readings > 120_000


@pytest.mark.parametrize("station", ["L4", "L12"])
@pytest.mark.parametrize("name", COLUMNS)
def test_live_and_file_say_the_same(station: str, name: str) -> None:
    """Over all years, one reading after the other: only the beginning of a run at rest is known to the file alone."""
    times, values = column(station, name)
    stream = StreamFlags()
    stream.declare(0, COLUMNS[name], HOUR)
    live = stream.flag(np.zeros(len(times), np.uint32), times, values, int(times[-1]))
    whole, others = flag(times, values, COLUMNS[name], HOUR), ~np.uint8(Flag.STUCK)
    assert ((live & others) == (whole & others)).all()
    assert not (live & ~whole).any()
    assert bool((live & Flag.STUCK).any()) == bool((whole & Flag.STUCK).any())


class TestMadeFromRealRows:
    """Neither file shows these: the rows are real, what was done to them is not."""

    def test_sent_twice(self) -> None:
        times, values = column("L4", "t_sup_sec")
        day = slice(20_000, 20_024)
        twice = np.repeat(times[day], 2), np.repeat(values[day], 2)
        assert ((flag(*twice, "supply_temp", HOUR) & Flag.DUPLICATE) > 0).tolist() == [False, True] * 24
        stream = StreamFlags()
        stream.declare(0, "supply_temp", HOUR)
        assert not stream.flag(np.zeros(48, np.uint32), *twice, int(times[-1])).any(), "the same again is the same"
        twice[1][1::2] += 10
        again = StreamFlags()
        again.declare(0, "supply_temp", HOUR)
        said = again.flag(np.zeros(48, np.uint32), *twice, int(times[-1]))
        assert (said == Flag.DUPLICATE).tolist() == [False, True] * 24

    def test_a_clock_ahead(self) -> None:
        times, values = column("L4", "t_sup_sec")
        arrival = int(times[25_000]) - CLOCK_SLACK_S
        said = flag(times[24_990:25_010], values[24_990:25_010], "supply_temp", HOUR, arrival_s=arrival)
        assert ((said & Flag.FUTURE) > 0).tolist() == [False] * 11 + [True] * 9


# station, what is seen: when, what, the number before it, the number
EVENTS = [
    ("L4", [("2019-09-17 13", Event.EXCHANGE, 0, 168_430), ("2019-10-03 13", Event.RESET, 168_430, 0),
            ("2019-10-04 15", Event.EXCHANGE, 0, 14_204_278)]),
    ("L12", [("2021-05-26 11", Event.EXCHANGE, 0, 7_912_114)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("station", "events", "silences", "silent_hours", "used"), [(*EVENTS[0], 332, 5249, 3_275_970), (*EVENTS[1], 26, 1983, 817_927)]
)  # fmt: skip
def test_counters_over_years(station: str, events: list[object], silences: int, silent_hours: int, used: int) -> None:
    """The meter's own difference from the first number to the last, through all silences; not a kWh is made up or lost."""
    times, counter = column(station, "e", 1000)
    found = differences(times, counter, MOST_KWH)
    changes = [
        (hour(times[i]), Event(int(found.event[i])), int(counter[i - 1]), int(counter[i])) for i in np.flatnonzero(found.event > 1)
    ]  # fmt: skip
    assert changes == events
    assert [kind for _, kind in found.events()].count(Event.DROPOUT) == silences
    assert int((found.event == Event.DROPOUT).sum()) == silent_hours
    last_of_all = counter[counter > 168_430]
    assert found.total == used == last_of_all[-1] - last_of_all[0]


def test_the_same_counter_with_six_digits_rolls_over() -> None:
    """No counter of the files does: here is the one of L12 as a meter of six digits would have shown it."""
    times, counter = column("L12", "e", 1000)
    found = differences(times, counter % 1_000_000, MOST_KWH)
    over = np.flatnonzero(found.event == Event.ROLL_OVER)
    assert [(hour(times[i]), int(counter[i]) // 1_000_000) for i in over] == [("2021-11-24 10", 8)]
    assert found.total == 817_927


class TestSuggestionsFromRealRows:
    def test_the_counter_in_mwh_is_found_out_by_its_power(self) -> None:
        """Real: `e` counts MWh. Read as kWh it counted a thousandth of what the power adds up to."""
        times, counter = column("L12", "e", 1000)
        _, power = column("L12", "pe", 10)
        used_kwh = differences(times, counter, MOST_KWH).total
        (found,) = energy_unit("L12", used_kwh / 1000, float(power.sum()) / 10)
        assert (found.code, "MWh" in found.message_zh) == ("unit_mistaken", True)
        assert energy_unit("L12", used_kwh, float(power.sum()) / 10) == []

    @pytest.mark.parametrize("station", ["L4", "L12"])
    @pytest.mark.parametrize("pair", [("t_sup_sec", "t_ret_sec"), ("t_sup_prim", "t_ret_prim")])
    def test_pipes_are_right_and_seen_when_they_are_not(self, station: str, pair: tuple[str, str]) -> None:
        """Summer days on which the return was the warmer are real (L4, 2022-07-28) and no reason; swapped, every winter is one."""
        times, supply = column(station, pair[0])
        _, back = column(station, pair[1])
        good = (supply > 200) & (back > 200)
        assert swapped_pipes(station, times[good], supply[good], back[good]) == []
        (found,) = swapped_pipes(station, times[good], back[good], supply[good])
        assert found.code == "swapped_pipes"
        assert found.count > 300

    @pytest.mark.parametrize(("station", "weeks", "seen"), [("L4", 116, 116), ("L12", 58, 56)])
    def test_a_week_is_enough_to_see_swapped_pipes(self, station: str, weeks: int, seen: int) -> None:
        """Weeks of heating, each by itself, as `nuan quality` looks at them; nights at rest, when both pipes are alike, do not hide it."""
        (times, supply), (_, back) = column(station, "t_sup_sec"), column(station, "t_ret_sec")
        good = (supply > 200) & (back > 200)
        times, supply, back = times[good], supply[good], back[good]
        week = times // (168 * HOUR)
        heated = [at for at in range(week[0], week[-1]) if np.maximum(supply, back)[week == at].max(initial=0) >= 3500]
        found = [swapped_pipes(station, *(each[week == at] for each in (times, back, supply))) for at in heated]
        wrong = [swapped_pipes(station, *(each[week == at] for each in (times, supply, back))) for at in heated]
        assert (len(heated), sum(map(bool, found)), sum(map(bool, wrong))) == (weeks, seen, 0)

    def test_units_by_size(self) -> None:
        """Real rooms in °F; pressures are not in the files (tests/telemetry/quality/test_counters.py has them)."""
        _, room = column("L12", "temperature_19_2", of="2024-25")
        assert plain_unit("19_2", "room_temp", room) == []
        (found,) = plain_unit("19_2", "room_temp", np.round(room * 1.8 + 3200).astype(np.int32))
        assert " °F " in found.message_zh

    def test_power_in_another_unit(self) -> None:
        """The files have no flow: it is what the real power and the real temperatures ask for."""
        _, power = column("L12", "pe", 10)
        _, supply = column("L12", "t_sup_sec")
        _, back = column("L12", "t_ret_sec")
        drop = (supply - back) / 100
        running = (power > 500) & (drop > 2)
        power_kw, supply_c, back_c = power[running] / 10, supply[running] / 100, back[running] / 100
        flow = power_kw / (1.163 * (supply_c - back_c))
        assert power_unit("L12", power_kw, flow, supply_c, back_c) == []
        (found,) = power_unit("L12", power_kw / 1000, flow, supply_c, back_c)
        assert "MW" in found.message_zh
