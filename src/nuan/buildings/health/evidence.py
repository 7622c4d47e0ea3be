"""What the hours say about a verdict that the days have reached: does the valve stand, does the error go with the load?"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.days import heating
from nuan.buildings.health.deciding import Verdict
from nuan.buildings.health.fouled import load_evidence
from nuan.buildings.health.hours import DAY_H, CityHours
from nuan.buildings.health.hypotheses import PROCESS
from nuan.buildings.health.standing import NIGHT, heats_at_night, spreads, stands
from nuan.buildings.health.watch import StationWatch

Mask = NDArray[np.bool_]
STANDING_D: Final = 2
"""运行参数: days on which the valve was seen to stand, at least, and most of those since the fault began."""
ALONE_D: Final = 4
"""运行参数: so many days in a row say it by themselves, whatever the channels say."""
LOAD: Final = 2.0
"""运行参数: log-likelihood by which an error that grows with the flow has to beat a constant one."""
LOAD_AT_ONCE: Final = 40.0
"""运行参数: the same for an error that came at once; scale grows over weeks."""
_MOST_D: Final = 10


@dataclass
class HourEvidence:
    """Of one station; `standing[day]`: the valve was seen to stand on that day."""

    standing: dict[int, bool] = field(default_factory=dict)
    night: dict[int, bool] = field(default_factory=dict)

    def day(
        self,
        city: CityHours,
        index: int,
        day: int,
        watch: StationWatch,
        on: Mask,
        peers_on: Mask | None,
        silent: frozenset[str],
    ) -> None:
        """Looks at the day; with heat or a primary temperature known to lie (`silent`) nothing is said."""
        if silent & {"heat", "primary_flow"} or not on.any():
            return
        seen = stands(dict(watch.model.spreads), spreads(city.stations[index], day, on))
        self.night[day] = heats_at_night(dict(watch.model.night), on, peers_on)
        self.standing[day] = seen or self.night[day]

    def stands_since(self, since: int, today: int) -> bool:
        days = [self.standing[day] for day in range(max(since, today - _MOST_D), today + 1) if day in self.standing]
        return sum(days) >= STANDING_D and 2 * sum(days) > len(days)

    def stands_by_itself(self, today: int) -> bool:
        last = range(today - ALONE_D + 1, today + 1)
        return all(self.standing.get(day, False) for day in last) or all(
            self.night.get(day, False) for day in last[-2:]
        )

    def never_closes(self, since: int, today: int) -> bool:
        return any(self.night.get(day, False) for day in range(max(since, today - _MOST_D), today + 1))


def judged(
    city: CityHours, index: int, watch: StationWatch, hours: HourEvidence, today: int, found: Sequence[Verdict]
) -> Verdict | None:
    """The likeliest verdict that the hours do not speak against."""
    if not found:
        return None
    best = found[0]
    process = next((each for each in found if each.hypothesis.family == PROCESS), None)
    if hours.stands_since(best.since, today) and process is not None and process.gain > 0.6 * best.gain:
        if hours.never_closes(best.since, today) or not closes_daily(watch) or process.kind == "valve_stuck":
            return standing_verdict(watch, best.since, found)
        if process.kind == "flow_loss":
            return replace(process, margin=10.0)  # all that the line still gives, as long as it is asked for
    best = next((each for each in found if each.kind != "valve_stuck"), best)
    if best.hypothesis.channel == "primary_return" and best.amount > 0 and watch.held_fouling is not None:
        days = range(max(best.since, today - _MOST_D), today + 1)
        wanted = LOAD_AT_ONCE if best.kind == "bias" else LOAD
        on = heating(city.stations[index].values, watch.model.limits, slice(days.start * DAY_H, days.stop * DAY_H))
        if load_evidence(city.stations[index], list(watch.model.approach), days, on) > wanted:
            best = replace(
                best,
                hypothesis=watch.held_fouling,
                kind="fouling",
                amount=best.amount / max(watch.model.usual["primary_return"], 1.0),
            )
    return best


def closes_daily(watch: StationWatch) -> bool:
    """There are hours in which this station usually has no heat."""
    return sum(share < NIGHT for share in watch.model.night.values()) >= 3


def standing_verdict(watch: StationWatch, since: int, found: Sequence[Verdict]) -> Verdict | None:
    """The valve, with the size that the nearest process hypothesis has."""
    process = [each for each in found if each.hypothesis.family == PROCESS]
    near = next((each for each in process if each.kind in ("valve_stuck", "flow_loss")), None)
    if near is not None:
        return replace(near, kind="valve_stuck", amount=max(near.amount, 0.1), margin=10.0, confidence=0.9)
    valve = next((each for each in watch.candidates if each.kind == "valve_stuck"), None)
    return None if valve is None else Verdict(valve, "valve_stuck", since, 0.1, 0.0, 10.0, 0.8)
