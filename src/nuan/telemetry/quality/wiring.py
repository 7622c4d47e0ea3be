"""All that the points of one place suggest about wiring, units and counters. Suspicions in words for a person; nothing is changed.

Values are compared hour by hour. Units are judged from out-of-range readings too: a pressure in kPa is out of the range of bar.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.quality.counters import COUNTERS, Event, differences
from nuan.telemetry.quality.suggestions import energy_unit, plain_unit, power_unit, swapped_pipes
from nuan.telemetry.readings import UNTRUSTED, Flag
from nuan.terms.findings import Finding
from nuan.terms.places import CHINA, HOUR_S, local_day
from nuan.terms.quantities import from_fixed, quantity

PIPES = (("supply_temp", "return_temp"), ("primary_supply_temp", "primary_return_temp"))
LOOKED_AT = COUNTERS | {"pressure", "flow", "heat_power", *(key for pair in PIPES for key in pair)}
BOUND_H = 24
"""运行参数: a counter counts in one hour at most what it counts in so many busy ones: a meter that hung for a day may catch up."""
SETTLED_H = 3
"""运行参数: so many later readings before a fall is told; a drop-out comes back meanwhile."""
LEAST_STEPS = 20
"""运行参数: counted steps below which a counter's rounding hides the ratio to the power."""
LEAST_FULL = 1_000
"""运行参数: a counter that falls from less was set to zero; no meter is full at a hundred."""
_VALUES_EN = (
    (r"^(\S+) 天，相差 (.+)$", r"\1 days, by \2"), (r"^中位数 (.+)$", r"median \1"),
    (r"^功率积分为表计的 (\S+) 倍$", r"the power adds up to \1 times the counter"),
    (r"^流量×温差为功率的 (\S+) 倍$", r"flow × temperature drop is \1 times the power"),
)  # fmt: skip
_REMEDIES_EN = {
    "swapped_pipes": "Check both probes on site; if they are swapped, exchange the two points in the device register.",
    "unit_mistaken": "Check the meter's plate; if it is so, set the unit of the point and correct the readings that are there.",
}
_EVENTS = {
    Event.RESET: (
        "counter_reset", "像是清零", "as if set to zero",
        "问现场是否清过零、断过电；如果换了表，请登记换表。",
        "Ask on site whether it was set to zero or lost its power; if the meter was exchanged, enter the exchange.",
    ),
    Event.ROLL_OVER: (
        "roll_over", "像是计满后从头计数", "as if it was full and began again",
        "核对表计的位数；用量应接着算，不是负数。",
        "Check how many digits the meter has; what was used goes on, it is not negative.",
    ),
    Event.EXCHANGE: (
        "exchanged", "像是换了表", "as if the meter was exchanged",
        "核对表号；换过就登记换表，写明旧表止数和新表起数。",
        "Check the serial number; if it was exchanged, enter the exchange with the last and the first reading.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One series over the time looked at, sorted by time; `value` in the quantity's steps."""

    time_s: NDArray[np.int64]
    value: NDArray[np.int32]
    flags: NDArray[np.uint8]

    def said(self) -> "Column":
        """Without what has no value or no time."""
        return self._where(int(Flag.MISSING | Flag.FUTURE))

    def trusted(self) -> "Column":
        return self._where(UNTRUSTED)

    def _where(self, against: int) -> "Column":
        which = (self.flags & np.uint8(against)) == 0
        return Column(self.time_s[which], self.value[which], self.flags[which])

    def hourly(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Hours and the mean of each."""
        hours, which = np.unique(self.time_s // HOUR_S, return_inverse=True)
        return hours, np.bincount(which, self.value) / np.maximum(np.bincount(which), 1)

    def firsts(self) -> "Column":
        """The first reading of each hour."""
        _, at = np.unique(self.time_s // HOUR_S, return_index=True)
        return Column(self.time_s[at], self.value[at], self.flags[at])


@dataclass(frozen=True, slots=True)
class Suspicion:
    """`key` is what stays the same when the same thing is seen again; `happened`: an event of a moment, not a state that lasts."""

    kind: str
    quantity: str
    position: str
    key: str
    evidence_zh: str
    evidence_en: str
    remedy_zh: str
    remedy_en: str
    since_s: int
    happened: bool = False


Points = Mapping[tuple[str, str], Column]
"""By quantity and position."""


def suspicions(place: str, points: Points, exchanged_days: frozenset[int] = frozenset()) -> list[Suspicion]:
    """`exchanged_days`: local days on which the register knows of an exchange at the place: nobody is asked about it."""
    found: dict[tuple[str, str, str, str], Suspicion] = {}
    for each in _all(place, points, exchanged_days):
        found.setdefault((each.kind, each.quantity, each.position, each.key), each)
    return list(found.values())


def _all(place: str, points: Points, exchanged_days: frozenset[int]) -> Iterator[Suspicion]:
    for (key, position), column in points.items():
        if key == "pressure":
            yield from _told(plain_unit(place, key, column.said().value), key, position, column)
        if key in COUNTERS:
            yield from _happened(key, position, column.trusted().firsts(), exchanged_days)
        for supply, return_ in PIPES:
            if key == supply and (other := _beside(points, return_, position)) is not None:
                yield from _told(_swapped(place, column, other), key, position, column)
        if key == "heat_power":
            mistaken = list(_power(place, points, position, column))
            yield from mistaken
            energy = _beside(points, "heat_energy", position)
            if energy is not None and not mistaken:
                yield from _told(_energy(place, energy, column), "heat_energy", position, energy)


def _beside(points: Points, key: str, position: str) -> Column | None:
    """The quantity at the same position, or the only one of the place."""
    if (key, position) in points:
        return points[key, position]
    others = [column for (other, _), column in points.items() if other == key]
    return others[0] if len(others) == 1 else None


def _swapped(place: str, supply: Column, return_: Column) -> list[Finding]:
    (hours, warm), (others, cool) = supply.trusted().hourly(), return_.trusted().hourly()
    both, here, there = np.intersect1d(hours, others, return_indices=True)
    return swapped_pipes(place, both * HOUR_S, warm[here], cool[there])


def _power(place: str, points: Points, position: str, power: Column) -> Iterator[Suspicion]:
    parts = [_beside(points, key, position) for key in ("flow", "supply_temp", "return_temp")]
    hourly = [power.said().hourly(), *(part.trusted().hourly() for part in parts if part is not None)]
    if len(hourly) < 4:
        return
    common = hourly[0][0]
    for hours, _ in hourly[1:]:
        common = np.intersect1d(common, hours)
    keys = ("heat_power", "flow", "supply_temp", "return_temp")
    values = [
        means[np.searchsorted(hours, common)] * float(quantity(key).resolution)
        for key, (hours, means) in zip(keys, hourly, strict=True)
    ]
    yield from _told(power_unit(place, *values), "heat_power", position, power)


def _energy(place: str, energy: Column, power: Column) -> list[Finding]:
    """What was counted against the power, over those hours for which both are there."""
    counter, (hours, means) = energy.trusted().firsts(), power.trusted().hourly()
    if len(counter.time_s) < 2:
        return []
    counted = differences(counter.time_s, counter.value, _most(counter))
    at = counter.time_s // HOUR_S
    whole = (np.diff(at) == 1) & (counted.event[1:] == 0) & (counted.event[:-1] == 0) & np.isin(at[:-1], hours)
    used = int(counted.used[1:][whole].sum())
    sent = float(means[np.searchsorted(hours, at[:-1][whole])].sum() * float(quantity("heat_power").resolution))
    return energy_unit(place, used, sent) if used >= LEAST_STEPS else []


def _most(counter: Column) -> int | None:
    """What it can count in an hour at most, from what it counted; None where it hardly counted."""
    steps, hours = np.diff(counter.value.astype(np.int64)), np.maximum(np.diff(counter.time_s), HOUR_S) / HOUR_S
    rates = (steps / hours)[steps > 0]
    return int(BOUND_H * np.median(rates)) + 1 if len(rates) >= 6 else None


def _happened(key: str, position: str, counter: Column, exchanged_days: frozenset[int]) -> Iterator[Suspicion]:
    values = counter.value.astype(np.int64)
    most = _most(counter)
    steps = np.diff(values)
    if not ((steps < 0) | (steps > (most or 2**40))).any():
        return
    counted = differences(counter.time_s, values, most)
    last = None
    for i, event in enumerate(counted.event.tolist()):
        if event in _EVENTS and last is not None and len(values) - i > SETTLED_H:
            seen = Event.RESET if event == Event.ROLL_OVER and last < LEAST_FULL else Event(event)
            back = (
                0 < last - values[i] <= (most or 0) and seen is Event.EXCHANGE
            )  # water that flows back is no other meter
            day = local_day(int(counter.time_s[i]))
            if not back and exchanged_days.isdisjoint({day - 1, day, day + 1}):
                yield _event(key, position, seen, int(counter.time_s[i]), last, int(values[i]))
        if event != Event.DROPOUT:
            last = int(values[i])


def _event(key: str, position: str, event: Event, time_s: int, last: int, number: int) -> Suspicion:
    kind, zh, en, remedy_zh, remedy_en = _EVENTS[event]
    what, at = quantity(key), datetime.fromtimestamp(time_s, CHINA).strftime("%Y-%m-%d %H:%M")
    before, after = f"{from_fixed(key, last):,}", f"{from_fixed(key, number):,} {what.unit}"
    return Suspicion(
        kind, key, position, f"{time_s}", f"{what.zh}在 {at} 由 {before} 变为 {after}，{zh}",
        f"{what.en} went from {before} to {after} at {at}, {en}", remedy_zh, remedy_en, time_s, True,
    )  # fmt: skip


def _told(findings: list[Finding], key: str, position: str, column: Column) -> Iterator[Suspicion]:
    for each in findings:
        value_en = each.value or ""
        for pattern, words in _VALUES_EN:
            value_en = re.sub(pattern, words, value_en)
        yield Suspicion(
            each.code, key, position, each.message_en, f"{each.message_zh}（{each.value}）", f"{each.message_en} ({value_en})",
            each.remedy_zh, _REMEDIES_EN[each.code], int(column.time_s[0]),
        )  # fmt: skip
