"""室温不达标退费 by tiers: episodes from the request (or first failure) to the passing retest, per flat or per room."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nuan.policies.refunds.columns import Homes, Int64, Measurements, mark, share, sum_by
from nuan.policies.refunds.decision import Decision, Options, decide, narrowed, without
from nuan.policies.refunds.law import RefundLaw, Tier
from nuan.policies.refunds.presumptions import FAILED, PASSED, PRESUMED_PASS, UNCLEAR, Outcomes, outcomes
from nuan.terms.places import CHINA_OFFSET_S, DAY_S

AXES = (
    "overlap",
    "temperature_start",
    "temperature_end",
    "temperature_of_day",
    "fail_without_temperature",
    "temperature_base",
    "metered_temperature",
    "season_days",
    "cap",
)
NO_TIER = -1


@dataclass(frozen=True)
class Episodes:
    """Stretches of days at one percentage, one for each failing test: `[first_day, end_day)` local days.

    `days` leaves presumed passes out; `room_area_m2_100` is read only where failing rooms count.
    """

    home: Int64
    room_area_m2_100: Int64
    first_day: Int64
    end_day: Int64
    days: Int64
    percent: Int64

    @staticmethod
    def joined(parts: Sequence["Episodes"]) -> "Episodes":
        names = Episodes.__dataclass_fields__
        return Episodes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class TemperatureRefund:
    """`episodes` and `tests` for the options that hold (the first candidates where open)."""

    decision: Decision
    episodes: Episodes
    tests: Outcomes


def percents(temp_sum: Int64, temp_n: Int64, tiers: tuple[Tier, ...], overlap: str) -> Int64:
    """Percent of each temperature `temp_sum / temp_n`; NO_TIER where no tier holds. Two that hold: `overlap` decides.

    >>> percents(np.array([1600]), np.array([1]), (Tier(1600, True, 1800, False, 20), Tier(None, True, 1600, True, 50)), "favour_user")
    array([50])
    """
    found = np.full(len(temp_sum), NO_TIER, np.int64)
    for tier in tiers:
        holds = temp_n > 0
        if tier.low is not None:
            edge = tier.low * temp_n
            holds = holds & (temp_sum >= edge if tier.low_inclusive else temp_sum > edge)
        if tier.high is not None:
            edge = tier.high * temp_n
            holds = holds & (temp_sum <= edge if tier.high_inclusive else temp_sum < edge)
        better = found < tier.percent if overlap == "favour_user" else (found == NO_TIER) | (found > tier.percent)
        found = np.where(holds & better, tier.percent, found)
    return found


def overlapping_tiers(tiers: tuple[Tier, ...]) -> bool:
    """Whether some temperature falls into two tiers: only then does the overlap question matter."""

    def meets(upper: Tier, lower: Tier) -> bool:
        low, high = upper.low, lower.high
        if low is None or high is None:
            return True
        return low < high or (low == high and upper.low_inclusive and lower.high_inclusive)

    return any(meets(a, b) and meets(b, a) for i, a in enumerate(tiers) for b in tiers[i + 1 :])


def visits(tests: Outcomes, per_room: bool) -> tuple[Outcomes, Int64]:
    """Tests of one visit (home, day, request, purpose) become one where the whole flat counts: failed if any room failed,
    at its coldest room. Returns them sorted by unit and time, and the unit numbers."""
    if per_room or not len(tests):
        order = np.lexsort((tests.time_s, tests.room, tests.home))
        sorted_tests = tests.take(order)
        _, unit = np.unique(np.stack([sorted_tests.home, sorted_tests.room], axis=1), axis=0, return_inverse=True)
        return sorted_tests, unit.reshape(-1).astype(np.int64)
    day = tests.day
    beside = (tests.home[1:] == tests.home[:-1]) & (day[1:] == day[:-1])
    if not beside.any():
        return tests, tests.home
    crowded = np.zeros(len(tests), np.bool_)
    crowded[1:] |= beside
    crowded[:-1] |= beside
    rows = np.flatnonzero(crowded)
    severity = np.array([1, 0, 3, 2])[tests.verdict[rows]]
    warmth = np.where(tests.temp_n[rows] > 0, tests.temp_sum[rows] * 1000 // np.maximum(tests.temp_n[rows], 1), 10**9)
    keys = (tests.home[rows], day[rows], tests.requested_s[rows], tests.purpose[rows])
    order = np.lexsort((warmth, -severity, *reversed(keys)))
    head = np.ones(len(order), np.bool_)
    head[1:] = np.logical_or.reduce([np.diff(key[order]) != 0 for key in keys])
    kept = ~crowded
    kept[rows[order[head]]] = True
    if kept.all():
        return tests, tests.home
    chosen = tests.take(kept)
    return chosen, chosen.home


def percents_of(tests: Outcomes, rows: Int64, law: RefundLaw, options: Options) -> Int64:
    """Percents of the failing tests at `rows`; a table over the few temperatures there are saves most comparisons."""
    total, number = tests.temp_sum[rows], tests.temp_n[rows]
    overlap = options["overlap"]
    low, high = int(total.min()), int(total.max())
    if int(number.max()) <= 1 and high - low < len(rows):
        every = np.arange(low, high + 1)
        found = percents(every, np.ones(len(every), np.int64), law.tiers, overlap)[total - low]
    else:
        found = percents(total, number, law.tiers, overlap)
    if int(number.min()) == 0:
        shares = [tier.percent for tier in law.tiers]
        guess = min(shares) if options["fail_without_temperature"] == "smallest_tier" else max(shares)
        found = np.where(number == 0, guess, found)
    return found


def episodes(tests: Outcomes, law: RefundLaw, options: Options, last_known_day: int, as_of_s: int) -> Episodes:
    """Build the stretches. A presumed pass takes only its own day out; a measured pass closes the episode."""
    per_room = options["temperature_base"] == "failing_rooms"
    seen, unit = visits(tests, per_room)
    telling = (seen.verdict == FAILED) | (seen.verdict == PASSED)
    closing, who = seen, unit
    if not telling.all():
        closing, who = seen.take(telling), unit[telling]
    failed = closing.verdict == FAILED
    rows = np.flatnonzero(failed)
    if not len(rows):
        return Episodes(*(np.zeros(0, np.int64) for _ in Episodes.__dataclass_fields__))
    beside = who[1:] == who[:-1]
    after = np.append(beside, False)[rows]
    opens = ~np.append(False, beside & failed[:-1])[rows]
    follows = np.minimum(rows + 1, len(who) - 1)
    day = closing.day
    end = np.where(after, day[follows], last_known_day + 1)
    if options["temperature_end"] == "retest_day_included":
        end += after & ~failed[follows]
    first = day[rows]
    if options["temperature_start"] == "request_day":
        asked = (closing.requested_s[rows] + CHINA_OFFSET_S) // DAY_S
        first = np.where(opens, np.minimum(first, asked), first)
    percent = percents_of(closing, rows, law, options)
    lasting = options["temperature_of_day"]
    if lasting != "last_measured" or law.persist_s:
        heads = np.flatnonzero(opens)
        number = np.cumsum(opens) - 1
        if lasting == "lowest":
            percent = np.maximum.reduceat(percent, heads)[number]
        elif lasting == "first":
            percent = percent[heads][number]
        if law.persist_s:
            tails = np.append(heads[1:], len(rows)) - 1
            stop_s = np.where(after, closing.time_s[follows], min(as_of_s, law.span.end_s))[tails]
            lasted = stop_s - np.minimum(closing.requested_s[rows], closing.time_s[rows])[heads]
            holds = lasted >= law.persist_s if law.persist_inclusive else lasted > law.persist_s
            end = np.where(holds[number], end, first)
    first = np.maximum(first, law.span.first_day)
    end = np.maximum(np.minimum(end, law.span.last_day + 1), first)
    days = end - first
    if (seen.verdict == PRESUMED_PASS).any():
        days = days - _presumed(seen, unit, who[rows], first, end)
    area = closing.room_area_m2_100[rows] if per_room else first
    return Episodes(closing.home[rows], area, first, end, days, percent)


def _presumed(seen: Outcomes, unit: Int64, units: Int64, first: Int64, end: Int64) -> Int64:
    """Days within each stretch that are presumed passed and on which nothing failed."""
    width = 1_000_000
    presumed = np.unique(unit[seen.verdict == PRESUMED_PASS] * width + seen.day[seen.verdict == PRESUMED_PASS])
    failed = np.unique(unit[seen.verdict == FAILED] * width + seen.day[seen.verdict == FAILED])
    presumed = np.setdiff1d(presumed, failed, assume_unique=True)
    return np.searchsorted(presumed, units * width + end) - np.searchsorted(presumed, units * width + first)


def temperature_axes(homes: Homes, tests: Outcomes, law: RefundLaw) -> dict[str, tuple[str, ...]]:
    axes = {key: law.candidates(key) for key in AXES}
    return narrowed(
        axes,
        {
            "overlap": any(overlapping_tiers(piece.tiers) for piece in law.pieces),
            "fail_without_temperature": bool(((tests.verdict == FAILED) & (tests.temp_n == 0)).any()),
            "metered_temperature": bool(homes.metered.any()),
            "season_days": law.span.days_inclusive != law.span.days_elapsed,
        },
    )


def temperature_refund(homes: Homes, given: Measurements, law: RefundLaw, as_of_s: int) -> TemperatureRefund:
    """Refunds by tiers of every home; packs without tiers owe nothing here, packs that leave the kind open are undecided."""
    n = len(homes)
    zero = np.zeros(n, np.int64)
    given_in_season = in_season(given, law, as_of_s)
    tests = outcomes(given_in_season, law)
    none = Episodes(*(np.zeros(0, np.int64) for _ in Episodes.__dataclass_fields__))
    if not law.later and not by_tiers(law):
        failing = mark(n, tests.home[tests.verdict == FAILED])
        lacking = {} if law.temperature_kind == "none" else {"refund_temperature.kind": failing}
        return TemperatureRefund(decide({}, lambda _: zero, lacking), none, tests)
    axes = temperature_axes(homes, tests, law)
    last_known_day = (as_of_s - 1 + CHINA_OFFSET_S) // DAY_S
    memory: dict[tuple[str, ...], Episodes] = {}
    owed = np.zeros(n, np.bool_)
    no_tier = np.zeros(n, np.bool_)
    kind_unknown = np.zeros(n, np.bool_)
    room_area = np.zeros(n, np.bool_)

    def built(options: Options) -> Episodes:
        key = tuple(options[name] for name in AXES[:6])
        if key not in memory:
            parts = by_piece(tests, law, options, last_known_day, as_of_s)
            found = (
                parts[0][1]
                if not law.later
                else Episodes.joined([none, *(cold for piece, cold in parts if by_tiers(piece))])
            )
            memory[key] = found
            for piece, cold in parts:
                if not by_tiers(piece):
                    kind_unknown[cold.home[cold.days > 0]] = True
            owed[found.home[found.days > 0]] = True
            no_tier[found.home[(found.percent == NO_TIER) & (found.days > 0)]] = True
            if options["temperature_base"] == "failing_rooms":
                room_area[found.home[(found.room_area_m2_100 <= 0) & (found.days > 0)]] = True
        return memory[key]

    decision = decide(axes, lambda options: episode_amounts(homes, built(options), law, options))
    owed &= ~homes.stop_heat
    lacking = {
        "test_unclear": mark(n, tests.home[tests.verdict == UNCLEAR]) & ~homes.stop_heat,
        "no_tier": no_tier & ~homes.stop_heat,
        "refund_temperature.kind": kind_unknown & ~homes.stop_heat,
        "fee_unknown": owed & (homes.fee < 0),
    }
    metered_options = axes["metered_temperature"]
    if "base_fee" in metered_options:
        lacking["base_fee_unknown"] = owed & homes.metered & (homes.base_fee < 0)
    if "meter_reading" in metered_options:
        lacking["meter_charge_unknown"] = owed & homes.metered & (homes.meter_charge < 0)
    if "failing_rooms" in axes["temperature_base"]:
        lacking["room_area_unknown"] = owed & (room_area | (homes.area_m2_100 <= 0))
    decision = without(decision, lacking)
    return TemperatureRefund(decision, built({key: options[0] for key, options in axes.items()}), tests)


def by_tiers(law: RefundLaw) -> bool:
    return law.temperature_kind == "tiers" and bool(law.tiers)


def by_piece(
    tests: Outcomes, law: RefundLaw, options: Options, last_known_day: int, as_of_s: int
) -> list[tuple[RefundLaw, Episodes]]:
    """The failing days of each piece of the season by the numbers of that piece; pieces that refund nothing are left out.

    Of a piece that does not say how it refunds, the stretches carry no tier.
    """
    if not law.later:
        return [(law, episodes(tests, law, options, last_known_day, as_of_s))]
    pieces = law.pieces
    last_days = [*(piece.since_day - 1 for piece in pieces[1:]), law.span.last_day]
    found = []
    for piece, last_day in zip(pieces, last_days, strict=True):
        if piece.temperature_kind == "none":
            continue
        span = replace(piece.span, first_day=piece.since_day, last_day=last_day)
        own = replace(piece, span=span, tiers=piece.tiers if by_tiers(piece) else (Tier(None, False, None, False, 0),))
        found.append((piece, episodes(tests, own, options, last_known_day, as_of_s)))
    return found


def episode_amounts(homes: Homes, found: Episodes, law: RefundLaw, options: Options) -> Int64:
    """Fen per home: fee × Σ(days × percent) ÷ (season days × 100), by area share where only failing rooms count."""
    n = len(homes)
    percent = found.percent
    if len(percent) and int(percent.min()) < 0:
        percent = np.maximum(percent, 0)
    weight = found.days * percent
    days = found.days
    by_room = options["temperature_base"] == "failing_rooms"
    if by_room:
        area = np.maximum(found.room_area_m2_100, 0)
        weight, days = weight * area, days * area
    units = sum_by(found.home, weight, n)
    denominator: Int64 | int = law.span.days(options["season_days"]) * 100
    if by_room:
        denominator = denominator * np.maximum(homes.area_m2_100, 1)
    base = np.maximum(homes.fee, 0)
    if homes.metered.any():
        option = options["metered_temperature"]
        if option == "base_fee":
            base = np.where(homes.metered, np.maximum(homes.base_fee, 0), base)
        elif option == "meter_reading":
            base = np.where(homes.metered, np.maximum(homes.meter_charge, 0), base)
            per_day = np.maximum(sum_by(found.home, days, n) * 100, 1)
            denominator = np.where(homes.metered, per_day, denominator)
    amount = share(base, np.where(homes.stop_heat, 0, units) if homes.stop_heat.any() else units, denominator)
    return np.minimum(amount, np.maximum(homes.fee, 0)) if options["cap"] == "season_fee" else amount


def counted_refund(homes: Homes, home: Int64, temp_c100: Int64, days: Int64, law: RefundLaw) -> Decision:
    """The same refund where the failing days are already counted: `days` at one temperature each, no tests to read.

    Days without dates cannot be laid to the pieces of a law that changes; they are decided where all pieces agree.
    """
    n = len(homes)
    if law.later:
        pieces = [counted_refund(homes, home, temp_c100, days, piece) for piece in law.pieces]
        low = np.minimum.reduce([piece.low for piece in pieces])
        high = np.maximum.reduce([piece.high for piece in pieces])
        differs = np.logical_or.reduce([piece.amount != pieces[0].amount for piece in pieces])
        return without(Decision(pieces[0].amount, low, high, pieces[0].open_keys), {"law_changed": differs})
    minimum = law.min_temp_c100
    failing = np.ones(len(home), np.bool_) if minimum is None else temp_c100 < minimum
    owed = mark(n, home[failing & (days > 0)]) & ~homes.stop_heat
    if not by_tiers(law):
        lacking = {} if law.temperature_kind == "none" else {"refund_temperature.kind": owed}
        return decide({}, lambda _: np.zeros(n, np.int64), lacking)
    lasts = days * DAY_S >= law.persist_s if law.persist_inclusive else days * DAY_S > law.persist_s
    counted = np.where(failing & lasts, days, 0)
    names = ("overlap", "metered_temperature", "season_days", "cap")
    axes = narrowed({key: law.candidates(key) for key in names}, {"metered_temperature": bool(homes.metered.any())})
    zero = np.zeros(len(home), np.int64)

    def reckon(options: Options) -> Int64:
        percent = percents(temp_c100, np.ones(len(home), np.int64), law.tiers, options["overlap"])
        found = Episodes(home, zero, zero, counted, counted, percent)
        return episode_amounts(homes, found, law, {**options, "temperature_base": "whole_flat"})

    gaps = percents(temp_c100, np.ones(len(home), np.int64), law.tiers, "favour_user") == NO_TIER
    lacking = {
        "no_tier": mark(n, home[gaps & (counted > 0)]) & ~homes.stop_heat,
        "fee_unknown": owed & (homes.fee < 0),
        "meter_charge_unknown": owed
        & homes.metered
        & (homes.meter_charge < 0)
        & ("meter_reading" in axes["metered_temperature"]),
        "base_fee_unknown": owed & homes.metered & (homes.base_fee < 0) & ("base_fee" in axes["metered_temperature"]),
    }
    return without(decide(axes, reckon), lacking)


def in_season(given: Measurements, law: RefundLaw, as_of_s: int) -> Measurements:
    """Only what was measured in the season and is known by `as_of_s`."""
    time_s = given.time_s
    if not len(time_s) or (
        int(time_s.min()) >= law.span.start_s and int(time_s.max()) < law.span.end_s and int(time_s.max()) <= as_of_s
    ):
        return given
    keep = (time_s >= law.span.start_s) & (time_s < law.span.end_s) & (time_s <= as_of_s)
    return Measurements(*(getattr(given, name)[keep] for name in Measurements.__dataclass_fields__))
