"""What each substation did each day beside what the weather asked of it: running or not, throttled, over-heated."""

from dataclasses import dataclass

import numpy as np

from nuan.facts.book import FactBook
from nuan.rules.day_grid import DayGrid, any_day, ended_days, runs
from nuan.rules.pack import Pack
from nuan.rules.stance import Stance
from nuan.rules.threshold import ABSENT, Mask, Matrix, Threshold


@dataclass(frozen=True)
class Measures:
    """The pack's operational numbers over the judged days."""

    coverage: Threshold
    season_share: Threshold
    on_heat: Threshold
    low_supply: Threshold
    low_heat: Threshold
    throttle_days: Threshold
    warm_room: Threshold
    warm_days: Threshold
    rooms_min: Threshold
    heat_price: Threshold
    sensors: Stance

    @classmethod
    def of(cls, pack: Pack, days: range) -> "Measures":
        def over(key: str, scale: int = 1) -> Threshold:
            return Threshold.over(pack, key, days, scale=scale)

        return cls(
            coverage=over("coverage.day_percent"),
            season_share=over("coverage.season_percent"),
            on_heat=over("supply.on_heat_percent"),
            low_supply=over("supply.throttle_below_k", 100),
            low_heat=over("supply.throttle_heat_percent"),
            throttle_days=over("supply.throttle_days"),
            warm_room=over("temperature.overheat_above", 100),
            warm_days=over("overheat.days"),
            rooms_min=over("overheat.rooms_min"),
            heat_price=over("tariff.heat_price_gj", 100),
            sensors=Stance.over(pack, "sensor_evidence", days),
        )

    def barred(self, subjects: int) -> dict[str, Mask]:
        """Reasons why rooms say nothing about any day, for `verdicts`."""
        why = self.sensors.why_not("evidence", "sensor_not_evidence")
        return {code: np.full(subjects, code == why) for code in ("interpretation_unsigned", "sensor_not_evidence")}

    def season_decided(self, decided: Matrix, of_days: int) -> Mask:
        """Whether so many decided days carry a verdict on the season; without a signed share all days have to be decided."""
        share = self.season_share.last
        return np.asarray(decided == of_days if share is None else decided * 100 >= share * of_days)


@dataclass(frozen=True)
class StationDays:
    """Masks and columns [stations, days]. Enough hours of supply temperature make a day `trusted`, enough hours of heat `heat_trusted`:
    a standing station often shows the one without the other."""

    stations: list[str]
    days: range
    trusted: Mask
    heat_trusted: Mask
    in_outage: Mask
    judgeable: Mask
    running: Mask
    throttled: Mask
    supply_known: Mask
    rooms_known: Mask
    warm: Mask
    supply: Matrix
    expected_supply: Matrix
    heat: Matrix
    expected_heat: Matrix
    rooms: Matrix


def station_days(book: FactBook, measures: Measures) -> StationDays:
    """`judgeable`: a day of trusted heat on which the weather is known and the weather asked for heat; `running` is a part of it."""
    frame = book["station_day"]
    days = ended_days(book)
    stations = frame["substation"].unique().sort().to_list()
    grid = DayGrid.of(frame, "substation", stations, days)
    lay = grid.lay
    hours = np.array([book.season.hours_due(day) for day in days], dtype=np.int64)
    covered, rooms = lay("hours_covered"), lay("rooms_mean_c100")
    trusted = measures.coverage.share_holds(covered, np.broadcast_to(hours, covered.shape))
    supply, expected = lay("supply_mean_c100"), lay("expected_supply_c100")
    heat, expected_heat = lay("heat_kwh"), lay("expected_heat_kwh")
    in_outage = lay("outage_hours") > 0
    asked = (expected_heat != ABSENT) & (expected_heat > 0)
    heat_trusted = measures.coverage.share_holds(lay("heat_hours"), np.broadcast_to(hours, covered.shape))
    judgeable = heat_trusted & asked & (heat != ABSENT) & measures.on_heat.known
    supply_known = trusted & (supply != ABSENT) & (expected != ABSENT)
    lacking = np.where(supply_known, expected - supply, ABSENT)
    low = supply_known & measures.low_supply.holds(lacking)
    little = judgeable & measures.low_heat.share_holds(heat, np.where(asked, expected_heat, ABSENT))
    rooms_known = (
        measures.sensors.holds("evidence") & (rooms != ABSENT) & measures.rooms_min.holds(lay("rooms_covered"))
    )
    # rooms warmed by the sun while the station gave no more than the weather asked for are not over-heated by it
    excess = (heat == ABSENT) | (expected_heat == ABSENT) | (heat > expected_heat)
    return StationDays(
        stations=stations,
        days=days,
        trusted=trusted,
        heat_trusted=heat_trusted,
        in_outage=in_outage,
        judgeable=judgeable,
        running=judgeable & measures.on_heat.share_holds(heat, expected_heat),
        throttled=(low | little) & ~in_outage,
        supply_known=supply_known,
        rooms_known=rooms_known,
        warm=rooms_known & measures.warm_room.holds(rooms) & excess,
        supply=supply,
        expected_supply=expected,
        heat=heat,
        expected_heat=expected_heat,
        rooms=rooms,
    )


@dataclass(frozen=True)
class Edge:
    """How a season begins (or, read backwards, ends): [stations] counts of the days before heat is first (last) seen.

    `idle` are trusted days without heat, `excused` lie in an outage, `blind` could not be judged. `seen`: heat was seen at all.
    """

    idle: Matrix
    excused: Matrix
    blind: Matrix
    seen: Mask


def edge(found: StationDays, backwards: bool = False) -> Edge:
    order = slice(None, None, -1 if backwards else 1)
    running = found.running[:, order]
    before = np.cumsum(running, axis=1) == 0
    excused = before & found.in_outage[:, order]
    idle = before & found.judgeable[:, order] & ~excused
    # a day on which the weather asks for nothing owes nothing, and is neither late nor blind
    nothing_due = found.heat_trusted[:, order] & (found.expected_heat[:, order] == 0)
    blind = before & ~excused & ~idle & ~nothing_due
    return Edge(idle.sum(axis=1), excused.sum(axis=1), blind.sum(axis=1), any_day(running))


def between_edges(found: StationDays) -> Mask:
    """Days from the first to the last on which the station ran: only there can it be throttled. All days where heat is never known."""
    started = np.cumsum(found.running, axis=1) > 0
    not_over = np.cumsum(found.running[:, ::-1], axis=1)[:, ::-1] > 0
    return np.asarray((started & not_over) | ~found.judgeable.any(axis=1, keepdims=True))


def long_runs(mask: Mask, enough: Threshold) -> Mask:
    """The days of all stretches that reach the number of consecutive days."""
    reached = enough.holds(runs(mask))
    inside = np.zeros(mask.shape, dtype=np.bool_)
    going = np.zeros(mask.shape[0], dtype=np.bool_)
    for day in reversed(range(mask.shape[1])):
        going = mask[:, day] & (going | reached[:, day])
        inside[:, day] = going
    return inside
