"""A city's stations from the first hour to the last, as if each hour had just come: what is found, and when it could have been told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp
from typing import Final

import numpy as np

from nuan.buildings.health.alone import mine
from nuan.buildings.health.channels import CHANNELS, PAIRS
from nuan.buildings.health.days import heating
from nuan.buildings.health.evidence import HourEvidence, judged, standing_verdict
from nuan.buildings.health.hours import DAY_H, CityHours
from nuan.buildings.health.hypotheses import PROCESS
from nuan.buildings.health.learning import learn
from nuan.buildings.health.models import FEWEST_DAYS, FIRST_DAYS, StationModel
from nuan.buildings.health.peers import SHARED, Corrections, Peers
from nuan.buildings.health.stuck import StuckWatch
from nuan.buildings.health.vectors import day_vector
from nuan.buildings.health.watch import StationWatch, Told

RELEARN_D: Final = 14
ENOUGH_DAYS: Final = 120
"""运行参数: a model that knows so many days is not learned anew while it runs."""
SWAPPED_H: Final = 12
COLD_D: Final = 2
AGAIN_D: Final = 14
"""运行参数: a channel that is stuck now and then is told again only after so many days."""
DOUBT: Final = 0.2
"""运行参数: of two sensors that part, the less likely one is named too when it is to blame with this probability."""


@dataclass(frozen=True)
class Fault:
    """`hour`: when it was told (epoch hours, the end of the hour); `since`: since when it is thought to be there; `size` in `unit`."""

    hour: int
    station: str
    channel: str
    kind: str
    sensor: bool
    size: float
    unit: str
    confidence: float
    since: int
    other: str = ""


@dataclass
class _Station:
    index: int
    watch: StationWatch | None = None
    stuck: StuckWatch | None = None
    crossed: dict[tuple[str, str], int] = field(default_factory=dict)
    swapped: set[tuple[str, str]] = field(default_factory=set)
    told_days: set[int] = field(default_factory=set)
    hours: HourEvidence = field(default_factory=HourEvidence)
    relearn: int = 0
    cold_days: int = 0
    stuck_told: dict[str, int] = field(default_factory=dict)
    heated_yesterday: bool = False
    masked_before: set[str] = field(default_factory=set)


@dataclass
class Walk:
    """A city's days in order. `models`: what was learned before; stations without one learn from their own first weeks."""

    city: CityHours
    models: Mapping[str, StationModel]
    first_day: int = 0
    said: Callable[[int], None] = lambda day: None
    states: list[_Station] = field(init=False)

    def __post_init__(self) -> None:
        self.states = []
        for index, station in enumerate(self.city.stations):
            state = _Station(index)
            if (model := self.models.get(station.station)) is not None:
                _take(state, model)
            self.states.append(state)

    def faults(self) -> Iterator[Fault]:
        """In the order of their hours."""
        for day in range(self.first_day, self.city.days):
            known = _known(self.states)
            peers = Peers(self.city, [None if each.watch is None else each.watch.model.limits for each in self.states])
            for state in self.states:
                yield from _day(peers, self.states, state, day, self.first_day, known)
            self.said(day)

    def model(self, index: int) -> StationModel | None:
        watch = self.states[index].watch
        return None if watch is None else watch.model

    def known(self) -> set[tuple[str, str, str]]:
        """(station, channel, kind) of what is still there."""
        found = set()
        for state in self.states:
            name = self.city.stations[state.index].station
            if state.watch is not None:
                found |= {(name, each.hypothesis.channel, each.kind) for each in state.watch.known}
            if state.stuck is not None:
                found |= {(name, key, "stuck") for key in state.stuck.stuck}
            found |= {(name, pair[0], "swapped") for pair in state.swapped}
            if state.cold_days >= COLD_D:
                found.add((name, "", "flow_loss"))
        return found


def replay(
    city: CityHours,
    models: Mapping[str, StationModel],
    first_day: int = 0,
    said: Callable[[int], None] = lambda day: None,
) -> Iterator[Fault]:
    """`Walk`'s faults."""
    return Walk(city, models, first_day, said).faults()


def _known(states: Sequence[_Station]) -> dict[tuple[int, str], float]:
    """What is known to be wrong with a sensor that other stations look at."""
    found: dict[tuple[int, str], float] = {}
    for state in states:
        if state.watch is None or state.stuck is None:
            continue
        for each in state.watch.known:
            if each.hypothesis.channel in SHARED and len(states) > 2:
                found[state.index, each.hypothesis.channel] = each.amount
        silent = set(state.stuck.stuck) | {key for pair in state.swapped for key in pair}
        for key in silent & set(SHARED):
            found[state.index, key] = float("nan")
    return found


def _take(state: _Station, model: StationModel) -> None:
    if state.watch is None:
        state.watch = StationWatch(model)
        state.stuck = StuckWatch(dict(model.stuck_after_h))
    else:
        state.watch.take(model)
        assert state.stuck is not None
        state.stuck.after_h = dict(model.stuck_after_h)


def _day(
    peers: Peers, states: Sequence[_Station], state: _Station, day: int, first_day: int, known: Corrections
) -> Iterator[Fault]:
    city = peers.city
    if state.watch is None or state.watch.model.days < ENOUGH_DAYS:
        _learn(city, state, day, first_day)
    watch = state.watch
    if watch is None or state.stuck is None:
        return
    station = city.stations[state.index]
    part = slice(day * DAY_H, (day + 1) * DAY_H)
    on = heating(station.values, watch.model.limits, part)
    lately = state.heated_yesterday
    state.heated_yesterday = bool(on.any())
    for hour in range(DAY_H):
        at = day * DAY_H + hour
        for key, since, value in state.stuck.hour(station, at, bool(on[hour]), lately or bool(on[: hour + 1].any())):
            again = day - state.stuck_told.get(key, -AGAIN_D) < AGAIN_D
            state.stuck_told[key] = day
            if again:
                continue
            yield Fault(
                city.start_h + at + 1,
                station.station,
                key,
                "stuck",
                True,
                value,
                CHANNELS[key].unit,
                0.95,
                city.start_h + since,
            )
    yield from _pairs(city, state, day, on)
    masked = set(state.stuck.stuck)
    for pair in state.swapped:
        masked |= set(pair)
    if new := masked - state.masked_before:
        for each in states if new & set(SHARED) else [state]:
            if each.watch is not None:
                each.watch.forget()  # what has been summed up had this reason
    state.masked_before = set(masked)
    peers_on = _peers_on(city, states, state, part)
    state.hours.day(city, state.index, day, watch, on, peers_on, frozenset(masked))
    if (lost := _no_heat(state, on, peers_on)) is not None:
        yield Fault(
            city.start_h + (day + 1) * DAY_H,
            station.station,
            "",
            lost,
            False,
            1.0,
            "share",
            0.7,
            city.start_h + (day - 1) * DAY_H,
        )
    told = watch.day(
        day_vector(peers, state.index, day, watch.model.limits, known),
        frozenset(masked),
        lambda found: judged(city, state.index, watch, state.hours, day, found),
    )
    told = told or _standing(state, watch, day)
    if watch.known or watch.pending_since is not None:
        state.told_days.add(day)
    if told is not None:
        for blamed, said in _arbitrate(city, states, state, told):
            yield _fault(city, city.stations[blamed.index].station, said)


def _peers_on(city: CityHours, states: Sequence[_Station], state: _Station, part: slice) -> np.ndarray | None:
    """Hours in which most of the other stations heat."""
    votes = [
        heating(city.stations[each.index].values, each.watch.model.limits, part)
        for each in states
        if each is not state and each.watch is not None
    ]
    return np.mean(votes, axis=0) >= 0.5 if votes else None


def _no_heat(state: _Station, on: np.ndarray, peers_on: np.ndarray | None) -> str | None:
    """A station that stays cold while the others heat: nothing flows. Told once, on the second such day."""
    if peers_on is None or int(peers_on.sum()) < 6:
        return None
    cold = float(on[peers_on].mean()) < 0.2
    state.cold_days = state.cold_days + 1 if cold else 0
    return "flow_loss" if state.cold_days == COLD_D else None


def _standing(state: _Station, watch: StationWatch, day: int) -> Told | None:
    if any(each.hypothesis.family == PROCESS for each in watch.known) or not state.hours.stands_by_itself(day):
        return None
    verdict = standing_verdict(watch, day - 2, [])
    return None if verdict is None else Told(day, verdict)


def _arbitrate(city: CityHours, states: Sequence[_Station], state: _Station, told: Told) -> list[tuple[_Station, Told]]:
    """With two stations each is the other's only peer. When they part, the one that left its own past is to blame; where that cannot be
    seen, both are named, each with its share of the doubt."""
    assert state.watch is not None
    verdict = told.verdict
    channel = verdict.hypothesis.channel
    if channel in SHARED and len(states) > 2 and _mirrored(states, state, verdict.hypothesis.name):
        state.watch.forget()  # the others' median moved, because one of them did
        return []
    other = next((each for each in states if each is not state and each.watch is not None), None)
    if (
        channel not in SHARED
        or len(states) != 2
        or other is None
        or other.watch is None
        or (city.weather is not None and channel == "outdoor")
    ):
        state.watch.tell(verdict)
        return [(state, told)]
    twin = next((each for each in other.watch.candidates if each.name == verdict.hypothesis.name), None)
    said = mine(state.watch, other.watch, channel, verdict.since)
    share = 1 / (1 + exp(-said)) if twin is not None else 1.0
    sides = [(state, replace(verdict, confidence=verdict.confidence * share), share)]
    if twin is not None:
        mirrored = replace(
            verdict, hypothesis=twin, amount=-verdict.amount, confidence=verdict.confidence * (1 - share)
        )
        sides.append((other, mirrored, 1 - share))
    sides.sort(key=lambda side: -side[2])
    for who, each, _ in sides:
        assert who.watch is not None
        who.watch.tell(each)  # seen from each side it is the same distance
    return [(who, Told(told.day, each)) for who, each, part in sides if part >= DOUBT]


def _mirrored(states: Sequence[_Station], state: _Station, name: str) -> bool:
    """Another station has left the other way, and further: with few stations its error stands in everybody's median."""

    def lately(watch: StationWatch) -> float:
        at = [i for i, each in enumerate(watch.candidates) if each.name == name]
        z = [
            watch.residuals[day][at[0]]
            for day in sorted(watch.residuals)[-4:]
            if at and len(watch.residuals[day]) > at[0]
        ]
        known = [float(each) for each in z if np.isfinite(each)]
        return float(np.mean(known)) if known else 0.0

    assert state.watch is not None
    own = lately(state.watch)
    others = [lately(each.watch) for each in states if each is not state and each.watch is not None]
    return any(other * own < 0 and abs(other) > 1.3 * abs(own) for other in others)


def _learn(city: CityHours, state: _Station, day: int, first_day: int) -> None:
    state.relearn -= 1
    if state.relearn > 0 or day - first_day < FEWEST_DAYS:
        return
    model = learn(city, state.index, first_day, day, tuple(state.told_days))
    if model is None or model.days < FIRST_DAYS:
        state.relearn = 1
        return
    state.relearn = RELEARN_D
    _take(state, model)


def _pairs(city: CityHours, state: _Station, day: int, on: np.ndarray) -> Iterator[Fault]:
    """Supply below return for most of the hours with heat: they are the wrong way round."""
    station = city.stations[state.index]
    for pair in PAIRS:
        supply, back = station.values.get(pair[0]), station.values.get(pair[1])
        lying = (
            {each.hypothesis.channel for each in state.watch.known} | set(state.stuck.stuck)
            if state.watch and state.stuck
            else set()
        )
        if supply is None or back is None or not on.any() or lying & set(pair):
            continue
        part = slice(day * DAY_H, (day + 1) * DAY_H)
        gap = (supply[part] - back[part])[on]
        gap = gap[np.isfinite(gap)]
        least = 1.0 if CHANNELS[pair[0]].unit == "°C" else 0.02
        wrong, right = int((gap < -least).sum()), int((gap > least).sum())
        count = state.crossed.get(pair, 0)
        count = count + wrong if wrong > 4 * right else 0
        state.crossed[pair] = count
        if pair in state.swapped:
            if right > 2 * wrong:
                state.swapped.discard(pair)
        elif count >= SWAPPED_H:
            state.swapped.add(pair)
            hour = city.start_h + (day + 1) * DAY_H
            yield Fault(hour, station.station, pair[0], "swapped", True, float(np.median(gap)), CHANNELS[pair[0]].unit, 0.97,
                        city.start_h + day * DAY_H, pair[1])  # fmt: skip


def _fault(city: CityHours, station: str, told: Told) -> Fault:
    verdict = told.verdict
    sensor = verdict.hypothesis.family == "sensor"
    return Fault(
        city.start_h + (told.day + 1) * DAY_H, station, verdict.hypothesis.channel, verdict.kind, sensor, verdict.amount,
        CHANNELS[verdict.hypothesis.channel].unit if sensor else "share", verdict.confidence,
        city.start_h + verdict.since * DAY_H,
    )  # fmt: skip
