"""Row by row: from what the points measured to alarms. No look-ahead: an alarm at a row follows from this row and those before it.

`Watch` is plain data and can be copied or pickled between any two rows; a copy goes on alone.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nuan.network.graph.tables import Network
from nuan.network.leaks.alarm import LEAK, LEAK_END, LEAK_UPDATE, SHOWN_PIPES, UPDATE_H, Alarm, confidence
from nuan.network.leaks.duct import DuctWatch
from nuan.network.leaks.expansion import Side, Spreads, spreads
from nuan.network.leaks.locate import Locator, Ranking
from nuan.network.leaks.makeup import MakeUpRow, MakeUpWatch, Suspicion
from nuan.network.leaks.plant import Gathered, Gatherer
from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
HOUR_S = 3600.0
LEARN_AFTER_S, LEARN_CHUNK_S, LEARN_EVERY_S = 30 * HOUR_S, 6 * HOUR_S, 900.0
RANK_ROWS_S = 26 * HOUR_S
OVER_BELOW, OVER_H = 0.4, 12
ABSORB_H = 14 * 24.0
GROWN = 0.25
NEW_AFTER_S = 24 * HOUR_S
BY_STRENGTH = {"big": 3, "medium": 2, "slow": 1}


class Locating(Protocol):
    def learn(self, time_s: NDArray[np.int64], values: Floats) -> None: ...
    def rank(self, time_s: NDArray[np.int64], values: Floats, total_t_h: float = ...) -> Ranking: ...


class Event:
    """A leak that is known: its alarm, and what has been said of it."""

    def __init__(self, number: int, alarm: Alarm, before_t_h: float) -> None:
        self.before_t_h = before_t_h
        self.number, self.alarm, self.first_s = number, alarm, alarm.time_s
        self.said = alarm
        self.due = deque(alarm.time_s + hours * HOUR_S for hours in UPDATE_H)
        self.calm_h = 0.0
        self.judged_s = alarm.time_s


def _or(new: float, old: float) -> float:
    return old if math.isnan(new) else new


class Watch:
    """`push(time_s, values)`: values in canonical units in the order of the points, NaN where nothing was measured."""

    def __init__(
        self, network: Network, points: Sequence[Point], *, locator: Locating | None = None, locate: bool = True
    ) -> None:
        self.network, self.points = network, tuple(points)
        self.gatherer = Gatherer(network, points)
        self.spreads: Spreads = spreads(network)
        self.supply, self.back = Side(self.spreads.supply), Side(self.spreads.back)
        self.make_up = MakeUpWatch()
        self.ducts = DuctWatch(network, points)
        hydraulic = [point for point in points if point.quantity in ("pressure", "pressure_difference", "flow")]
        self.locator: Locating | None = (
            locator if locator is not None else Locator(network, self.points) if locate and hydraulic else None
        )
        self.event: Event | None = None
        self.events = 0
        self.last_s = math.nan
        self.last: Gathered | None = None
        self.past: deque[tuple[float, Floats]] = deque()
        self.learnt_until_s = -math.inf

    def push(self, time_s: float, values: Floats) -> list[Alarm]:
        """The alarms that this row brings. Rows that go back in time are ignored."""
        if time_s <= self.last_s:
            return []
        row = self.gatherer.clean(values)
        seconds = 0.0 if math.isnan(self.last_s) else time_s - self.last_s
        gathered = self._filled(self.gatherer.gather(time_s, row))
        found = self._leaks(time_s, row, gathered, seconds)
        found += self._ducts(time_s, row, gathered)
        self.last_s, self.last = time_s, gathered
        return found

    def _filled(self, now: Gathered) -> Gathered:
        """Temperatures and flow as they last were, where this row has none."""
        last = self.last
        if last is None:
            return now
        return Gathered(
            now.make_up_t_h, _or(now.supply_c, last.supply_c), _or(now.return_c, last.return_c),
            _or(now.flow_m3_per_s, last.flow_m3_per_s), now.back_bar, now.level, now.excused,
        )  # fmt: skip

    def _contents(self, now: Gathered, seconds: float) -> tuple[float, float]:
        flow = self.spreads.flow_m3_per_s if math.isnan(now.flow_m3_per_s) else now.flow_m3_per_s
        passed = min(flow * seconds, 4.0 * max(self.spreads.supply.age_m3[-1], 1.0))
        tonnes = []
        for side, temp_c in ((self.supply, now.supply_c), (self.back, now.return_c)):
            if not math.isnan(temp_c):
                side.push(passed, temp_c)
            tonnes.append(side.content_t())
        return tonnes[0], tonnes[1]

    def _leaks(self, time_s: float, row: Floats, now: Gathered, seconds: float) -> list[Alarm]:
        supply_t, back_t = self._contents(now, seconds)
        if self.locator is not None:
            self._remember(time_s, row)
        if not self.gatherer.sees_make_up:
            return []
        seen = MakeUpRow(time_s, now.make_up_t_h, supply_t, back_t, now.back_bar, now.level, now.excused)
        suspicions = self.make_up.push(seen)
        found: list[Alarm] = []
        if suspicions:
            found += self._suspected(max(suspicions, key=lambda one: BY_STRENGTH[one.by]))
        if self.event is not None and not found:
            found += self._follow(self.event, time_s)
        if self.locator is not None and self.event is None:
            self._teach(time_s)
        return found

    def _suspected(self, more: Suspicion) -> list[Alarm]:
        """A new leak, or, within a day of an alarm, that it is larger than it seemed."""
        event = self.event
        if event is None:
            return [self._alarm(more)]
        if more.time_s - event.first_s < NEW_AFTER_S:
            return self._update(event, more.time_s)
        return [self._alarm(more)] if more.size_t_h > max(GROWN * self.make_up.held_t_h, 1.0) else []

    def _alarm(self, suspicion: Suspicion) -> Alarm:
        self.events += 1
        size = max(suspicion.size_t_h, 0.1)
        alarm = self._ranked(Alarm(
            suspicion.time_s, LEAK, self.events, size_t_h=size, confidence=confidence(suspicion.excess_sigmas), since_s=suspicion.since_s,
            found_by=suspicion.by,
        ))  # fmt: skip
        before = self.make_up.held_t_h
        self.make_up.hold(before + size)
        self.event = Event(self.events, alarm, before)
        return alarm

    def _ranked(self, alarm: Alarm) -> Alarm:
        """The alarm with pipes and side, as far as the sensors know them."""
        rows = [(time_s, row) for time_s, row in self.past if time_s > alarm.since_s - 1.0]
        if self.locator is None or not rows:
            return alarm
        times = np.array([time_s for time_s, _ in rows], np.int64)
        ranking = self.locator.rank(times, np.array([row for _, row in rows]), alarm.size_t_h)
        fields = {name: getattr(alarm, name) for name in Alarm.__dataclass_fields__}
        fields |= {
            "pipes": ranking.pipes[:SHOWN_PIPES], "side": ranking.side, "side_probability": ranking.side_probability,
            "near_confidence": ranking.confidence,
        }  # fmt: skip
        return Alarm(**fields)

    def _follow(self, event: Event, time_s: float) -> list[Alarm]:
        """Updates at their hours, if they say something new; the end, when the make-up is calm again."""
        recent = self.make_up.recent
        if recent and recent[-1][0] > event.judged_s:
            hours, surprise = recent[-1][1], recent[-1][2]
            event.judged_s = recent[-1][0]
            calm = surprise < OVER_BELOW * self.make_up.held_t_h
            event.calm_h = (
                event.calm_h + hours
                if calm
                else 0.0
                if surprise > 0.7 * self.make_up.held_t_h
                else max(event.calm_h - 2.0 * hours, 0.0)
            )
            if event.calm_h >= OVER_H:
                return [self._end(event, time_s)]
        if time_s - event.first_s > ABSORB_H * HOUR_S and self.make_up.holding:
            self.make_up.absorb()
        if not event.due or time_s < event.due[0]:
            return []
        while event.due and time_s >= event.due[0]:
            event.due.popleft()
        return self._update(event, time_s)

    def _end(self, event: Event, time_s: float) -> Alarm:
        self.make_up.release()
        self.event = None
        self.past.clear()
        return Alarm(
            time_s,
            LEAK_END,
            event.number,
            size_t_h=event.said.size_t_h,
            confidence=event.said.confidence,
            since_s=event.said.since_s,
        )

    def _update(self, event: Event, time_s: float) -> list[Alarm]:
        said = event.said
        size = self.make_up.size_since(said.since_s) - event.before_t_h
        size = said.size_t_h if not size > 0.05 else size
        strength = min(1.0 + (time_s - event.first_s) / (12 * HOUR_S), 3.0)
        now = self._ranked(Alarm(
            time_s, LEAK_UPDATE, event.number, size_t_h=size, confidence=max(confidence(strength), said.confidence), since_s=said.since_s,
            found_by=said.found_by,
        ))  # fmt: skip
        moved = now.pipes[:1] != said.pipes[:1] and [pipe for pipe, _ in now.pipes[:1]] != [
            pipe for pipe, _ in said.pipes[:1]
        ]
        surer = bool(now.near_confidence > said.near_confidence + 0.1)
        self.make_up.hold(event.before_t_h + size)
        if not (abs(size - said.size_t_h) > GROWN * said.size_t_h or moved or surer or now.side != said.side):
            return []
        event.said = now
        return [now]

    def _remember(self, time_s: float, row: Floats) -> None:
        """Rows for the locator, at most one in a quarter of an hour: those that wait to be learned, and since the alarm the last day."""
        if self.past and time_s - self.past[-1][0] < LEARN_EVERY_S - 1.0 and self.event is None:
            return
        self.past.append((time_s, row))
        kept = LEARN_AFTER_S + LEARN_CHUNK_S + HOUR_S if self.event is None else RANK_ROWS_S + LEARN_AFTER_S
        while self.past and self.past[0][0] < time_s - kept:
            self.past.popleft()

    def _teach(self, time_s: float) -> None:
        """Hand over what is a day old and was not found to be a leak."""
        assert self.locator is not None
        until = time_s - LEARN_AFTER_S
        if (
            not self.past
            or until < self.past[0][0]
            or until - max(self.learnt_until_s, self.past[0][0] - 1.0) < LEARN_CHUNK_S
        ):
            return
        rows = [(at, row) for at, row in self.past if self.learnt_until_s < at <= until]
        if rows:
            self.locator.learn(np.array([at for at, _ in rows], np.int64), np.array([row for _, row in rows]))
        self.learnt_until_s = until

    def _ducts(self, time_s: float, row: Floats, now: Gathered) -> list[Alarm]:
        found = []
        for alarm in self.ducts.push(time_s, row, now.supply_c):
            self.events += 1
            found.append(
                Alarm(
                    alarm.time_s,
                    alarm.kind,
                    self.events,
                    alarm.pipes,
                    alarm.size_t_h,
                    alarm.side,
                    alarm.side_probability,
                    alarm.confidence,
                    alarm.since_s,
                    alarm.found_by,
                )
            )
        return found
