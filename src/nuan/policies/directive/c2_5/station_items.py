"""推迟供热、提前停热、人为限热、过量供热: the four questions to each substation."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nuan.policies.directive.c2_5.item import Item, verdicts
from nuan.policies.directive.c2_5.station_days import Edge, Measures, StationDays, between_edges, edge, long_runs
from nuan.rules.day_grid import any_day, first_true, runs
from nuan.rules.threshold import ABSENT, Mask, Matrix, Threshold
from nuan.terms.money import mul_div
from nuan.terms.places import day_date

CLAUSE = "2.5"
MJ_PER_KWH_10 = 36


def date_of(days: range, column: int) -> str | None:
    return None if column == ABSENT else str(day_date(days[int(column)]))


def late_start(found: StationDays, measures: Measures) -> Item:
    """Trusted days from the season's first on which no heat came although the weather asked for it."""
    return _edge_item("late_start", found, measures, edge(found), {})


def early_stop(found: StationDays, measures: Measures, season_over: bool) -> Item:
    """The same, counted back from the season's last day; only when that day has ended."""
    unended = np.full(len(found.stations), not season_over)
    return _edge_item("early_stop", found, measures, edge(found, backwards=True), {"not_ended": unended})


def _edge_item(name: str, found: StationDays, measures: Measures, at: Edge, unended: Mapping[str, Mask]) -> Item:
    blocked = next(iter(unended.values()), np.zeros(len(found.stations), dtype=np.bool_))
    # a station that never ran has started late; it has not stopped early
    proven = (at.idle > 0) & ~blocked & (at.seen if name == "early_stop" else True)
    unknown = not (measures.on_heat.known.all() and measures.coverage.known.all())
    open_for = {
        **unended,
        "parameter_unknown": np.full(len(found.stations), unknown),
        "no_readings": ~any_day(found.heat_trusted),
        "in_outage": at.excused > 0,
        "no_design_weather": ~any_day(found.judgeable),
        "undercovered": (at.blind > 0) | ~at.seen,
    }
    verdict, why = verdicts(proven, open_for, CLAUSE, found.stations)
    facts: list[dict[str, Any]] = [
        {"idle_days": int(idle), "in_outage_days": int(excused), "undecidable_days": int(blind)}
        for idle, excused, blind in zip(at.idle, at.excused, at.blind, strict=True)
    ]
    return Item(name, verdict, why, np.where(proven, at.idle, 0), 0, _named(name, verdict), facts)


def throttling(found: StationDays, measures: Measures) -> Item:
    """The longest stretch of days with too little supply temperature or heat for the weather, outside outages."""
    mask = found.throttled & between_edges(found)
    long = long_runs(mask, measures.throttle_days)
    longest, first = _longest(mask), first_true(long)
    days_long, lacking = long.sum(axis=1), found.expected_supply - found.supply
    decided = found.supply_known.sum(axis=1)
    unknown = _unknown(measures.low_supply, measures.low_heat, measures.throttle_days, measures.coverage)
    open_for = {
        "parameter_unknown": np.full(len(longest), unknown),
        "no_readings": ~any_day(found.trusted),
        "no_design_weather": ~any_day(found.supply_known),
        "undercovered": ~measures.season_decided(decided, len(found.days)),
    }
    verdict, why = verdicts(any_day(long), open_for, CLAUSE, found.stations)
    facts: list[dict[str, Any]] = []
    for i in range(len(longest)):
        low = long[i] & found.supply_known[i]
        facts.append(
            {
                "throttled_days": int(days_long[i]),
                "longest_days": int(longest[i]),
                "first_day": date_of(found.days, first[i]),
                "mean_below_expected_c100": int(lacking[i][low].mean().round()) if low.any() else None,
                "rooms_mean_c100": _mean(found.rooms[i], long[i] & found.rooms_known[i]),
                "days_decided": int(decided[i]),
            }
        )
    return Item("throttling", verdict, why, longest, measures.throttle_days.last, _named("throttling", verdict), facts)


def over_heating(found: StationDays, measures: Measures) -> Item:
    """The longest stretch of days with rooms too warm, and the heat beyond what the weather asked for in all such stretches."""
    hot = long_runs(found.warm, measures.warm_days)
    longest, first = _longest(found.warm), first_true(hot)
    wasted = wasted_kwh(found, hot)
    decided = found.rooms_known.sum(axis=1)
    count = len(longest)
    unknown = _unknown(measures.warm_room, measures.warm_days, measures.rooms_min, measures.coverage)
    open_for = {
        "parameter_unknown": np.full(count, unknown),
        **measures.barred(count),
        "no_readings": ~any_day(found.rooms_known),
        "undercovered": ~measures.season_decided(decided, len(found.days)),
    }
    verdict, why = verdicts(any_day(hot), open_for, CLAUSE, found.stations)
    fen = wasted_fen(wasted, measures.heat_price)
    facts: list[dict[str, Any]] = [
        {
            "over_heated_days": int(hot[i].sum()),
            "longest_days": int(longest[i]),
            "first_day": date_of(found.days, first[i]),
            "rooms_mean_c100": _mean(found.rooms[i], hot[i]),
            "wasted_kwh": int(wasted[i].sum()),
            "wasted_gj_1000": mul_div(int(wasted[i].sum()), MJ_PER_KWH_10, 10),
            "wasted_fen": None if fen is None else int(fen[i]),
            "days_without_heat_reading": int((hot[i] & (found.heat[i] == ABSENT)).sum()),
            "days_decided": int(decided[i]),
        }
        for i in range(count)
    ]
    return Item("over_heating", verdict, why, longest, measures.warm_days.last, _named("over_heating", verdict), facts)


def wasted_kwh(found: StationDays, hot: Mask) -> Matrix:
    """int64[stations, days] in kWh: heat given beyond heat asked for on over-heated days; nothing where either is unknown."""
    known = hot & found.heat_trusted & (found.heat != ABSENT) & (found.expected_heat != ABSENT)
    return np.where(known, np.maximum(np.where(known, found.heat - found.expected_heat, 0), 0), 0)


def wasted_fen(wasted: Matrix, price: Threshold) -> Matrix | None:
    """kWh at the price of the day (fen per GJ), one rounding for each stretch of one price; None where a price is 未载明."""
    if not price.known.all():
        return None
    total = np.zeros(wasted.shape[0], dtype=np.int64)
    for part in price.parts:
        assert part.number is not None
        kwh = wasted[:, part.start : part.stop].sum(axis=1)
        total += mul_div(kwh, MJ_PER_KWH_10 * part.number, 10_000)
    return total


def _longest(mask: Mask) -> Matrix:
    return np.asarray(runs(mask).max(axis=1))


def _unknown(*thresholds: Threshold) -> bool:
    return not all(each.known.all() for each in thresholds)


def _mean(values: Matrix, mask: Mask) -> int | None:
    return int(values[mask].mean().round()) if mask.any() else None


def _named(name: str, verdict: Any) -> Any:
    """The branch taken: the question's own name where it is breached, `as_due` where it is not, else `open`."""
    return np.where(verdict == "breached", name, np.where(verdict == "met", "as_due", "open"))
