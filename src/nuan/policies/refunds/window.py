"""30日内3次测温不达标，退还1个月热费: failing tests counted in windows, over columns, in whole fen."""

from dataclasses import dataclass

import numpy as np

from nuan.policies.refunds.columns import Homes, Int64, Measurements, Repairs, mark, share, sum_by
from nuan.policies.refunds.decision import Decision, Options, decide, narrowed, without
from nuan.policies.refunds.law import RefundLaw
from nuan.policies.refunds.outage import missing_fees, payable_base
from nuan.policies.refunds.presumptions import FAILED, PASSED, RETEST, UNCLEAR, Outcomes, outcomes
from nuan.policies.refunds.temperature import in_season

AXES = (
    "same_day_fails",
    "repair_resets",
    "window_days_apart",
    "window_kind",
    "reset_after_refund",
    "month_fee",
    "metered_temperature",
    "season_days",
    "cap",
)
THIRTY = 30


@dataclass(frozen=True)
class Hits:
    """Windows that are refunded: first and last failing test (times), and the local day of the last."""

    home: Int64
    first_s: Int64
    last_s: Int64
    first_day: Int64
    last_day: Int64


@dataclass(frozen=True)
class MonthRefund:
    decision: Decision
    hits: Hits
    tests: Outcomes
    amounts: Int64


def month_numbers(days: Int64) -> Int64:
    """Months since 1970-01 of local day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def hits(tests: Outcomes, repairs: Repairs, law: RefundLaw, options: Options) -> Hits:
    """Windows of `law.fails` failing tests. With `reset` a counted failure is used up; else every window counts.

    Where the law changes, a window is held against the law of the day of its last failing test.
    """
    verdict = tests.verdict
    failing = tests.take(verdict == FAILED)
    home, time_s, day = failing.home, failing.time_s, failing.day
    era: Int64 | None = None
    if options["repair_resets"] == "reset":
        mended = (verdict == PASSED) & (tests.purpose == RETEST)
        who = np.concatenate([tests.home[mended], repairs.home])
        when = np.concatenate([tests.time_s[mended], repairs.repaired_s])
        if len(who):
            marks = np.sort(who * 2**34 + when)
            era = np.searchsorted(marks, home * 2**34 + time_s, side="left")
    if options["same_day_fails"] == "one_per_day" and len(home):
        fresh = np.ones(len(home), np.bool_)
        fresh[1:] = (home[1:] != home[:-1]) | (day[1:] != day[:-1])
        if era is not None:
            fresh[1:] |= era[1:] != era[:-1]
            era = era[fresh]
        home, time_s, day = home[fresh], time_s[fresh], day[fresh]
    if not same_windows(law):
        start, last = _windows_of_pieces(home, time_s, day, era, law, options)
    else:
        start = windows(home, day, era, law, options)
        if options["reset_after_refund"] == "reset":
            start = _greedy(home[start], start, int(law.fails or 0))
        last = start + int(law.fails or 1) - 1
    return Hits(home[start], time_s[start], time_s[last], day[start], day[last])


def same_windows(law: RefundLaw) -> bool:
    """Whether windows are counted alike in the whole season, though other numbers may change."""
    return all((piece.fails, piece.window_days) == (law.fails, law.window_days) for piece in law.later)


def windows(home: Int64, day: Int64, era: Int64 | None, law: RefundLaw, options: Options) -> Int64:
    """Rows of failing tests with which a window of one law begins. `era` counts the repairs before each; None = there were none."""
    if law.fails is None or law.window_days is None:
        return np.zeros(0, np.int64)
    step = law.fails - 1
    n = len(home) - step
    if n <= 0:
        return np.zeros(0, np.int64)
    same = home[step:] == home[:n]
    if era is not None:
        same &= era[step:] == era[:n]
    if options["window_kind"] == "calendar_month":
        near = month_numbers(day[step:]) == month_numbers(day[:n])
    else:
        apart = law.window_days - 1 if options["window_days_apart"] == "at_most_29" else law.window_days
        near = day[step:] - day[:n] <= apart
    return np.flatnonzero(same & near)


def _windows_of_pieces(
    home: Int64, time_s: Int64, day: Int64, era: Int64 | None, law: RefundLaw, options: Options
) -> tuple[Int64, Int64]:
    """First and last rows of the windows under a law that changes; the one that is complete first uses up its tests."""
    starts, lasts = [], []
    for i, piece in enumerate(law.pieces):
        begin = windows(home, day, era, piece, options)
        end = begin + int(piece.fails or 1) - 1
        own = law.piece_of(time_s[end]) == i
        starts.append(begin[own])
        lasts.append(end[own])
    start, last = np.concatenate(starts), np.concatenate(lasts)
    order = np.lexsort((start, last))
    start, last = start[order], last[order]
    if options["reset_after_refund"] != "reset":
        return start, last
    kept, used = [], -1
    for row, (begin, end) in enumerate(zip(start.tolist(), last.tolist(), strict=True)):
        if begin > used:
            kept.append(row)
            used = end
    return start[kept], last[kept]


def _greedy(home: Int64, start: Int64, size: int) -> Int64:
    """Of overlapping windows of one home keep the earliest, then the next that shares no test with it."""
    chosen: list[Int64] = []
    left = np.arange(len(start))
    while len(left):
        heads = np.ones(len(left), np.bool_)
        heads[1:] = home[left[1:]] != home[left[:-1]]
        picked = left[heads]
        chosen.append(picked)
        lead = start[picked][np.cumsum(heads) - 1]
        left = left[start[left] >= lead + size]
    return start[np.sort(np.concatenate(chosen))] if chosen else start


def month_refund(
    homes: Homes, given: Measurements, law: RefundLaw, as_of_s: int, repairs: Repairs | None = None
) -> MonthRefund:
    """One month's fee for every hit. Packs without such a rule owe nothing here."""
    n = len(homes)
    mended = repairs or Repairs()
    tests = outcomes(in_season(given, law, as_of_s), law)
    if all(piece.fails is None or piece.window_days is None for piece in law.pieces):
        nothing = Hits(*(np.zeros(0, np.int64) for _ in range(5)))
        return MonthRefund(decide({}, lambda _: np.zeros(n, np.int64)), nothing, tests, nothing.home)
    axes = month_axes(homes, tests, mended, law)
    memory: dict[tuple[str, ...], Hits] = {}
    due = np.zeros(n, np.bool_)

    def found(options: Options) -> Hits:
        key = tuple(options[name] for name in AXES[:5])
        if key not in memory:
            memory[key] = hits(tests, mended, law, options)
            due[memory[key].home] = True
        return memory[key]

    reckoned: dict[tuple[str, ...], tuple[Hits, Int64]] = {}

    def each(options: Options) -> tuple[Hits, Int64]:
        key = tuple(options.values())
        if key not in reckoned:
            windows = found(options)
            reckoned[key] = windows, month_amounts(homes, windows, law, options)
        return reckoned[key]

    def reckon(options: Options) -> Int64:
        windows, amounts = each(options)
        total = sum_by(windows.home, amounts, n)
        return np.minimum(total, np.maximum(homes.fee, 0)) if options["cap"] == "season_fee" else total

    decision = decide(axes, reckon)
    unclear = tests.verdict == UNCLEAR
    lacking = dict(missing_fees(homes, axes["metered_temperature"], due))
    if unclear.any():
        fewest = min(piece.fails for piece in law.pieces if piece.fails is not None)
        enough = np.bincount(tests.home[(tests.verdict == FAILED) | unclear], minlength=n) >= fewest
        lacking["test_unclear"] = mark(n, tests.home[unclear]) & ~homes.stop_heat & enough
    decision = without(decision, lacking)
    windows, amounts = each({key: options[0] for key, options in axes.items()})
    return MonthRefund(decision, windows, tests, amounts)


def month_amounts(homes: Homes, windows: Hits, law: RefundLaw, options: Options) -> Int64:
    """The fee of one month for each window, by the option that holds."""
    months: Int64 | int = int(law.months or 1)
    if law.later:
        months = np.array([int(piece.months or 1) for piece in law.pieces])[law.piece_of(windows.last_s)]
    base = np.maximum(payable_base(homes, options["metered_temperature"]), 0)[windows.home]
    stopped = homes.stop_heat[windows.home]
    season_days = law.span.days(options["season_days"])
    if options["month_fee"] == "season_months":
        numerator, denominator = np.full(len(base), 1, np.int64) * months, law.span.months
    elif options["month_fee"] == "thirty_days":
        numerator, denominator = np.full(len(base), THIRTY, np.int64) * months, season_days
    else:
        number = month_numbers(windows.last_day)
        first = number.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        after = (number + months).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        numerator = np.minimum(after, law.span.last_day + 1) - np.maximum(first, law.span.first_day)
        denominator = season_days
    return share(base, np.where(stopped, 0, numerator), denominator)


def month_axes(homes: Homes, tests: Outcomes, repairs: Repairs, law: RefundLaw) -> dict[str, tuple[str, ...]]:
    axes = {key: law.candidates(key) for key in AXES}
    axes["metered_temperature"] = tuple(key for key in axes["metered_temperature"] if key != "meter_reading") or (
        "season_fee",
    )
    fewest = min(piece.fails for piece in law.pieces if piece.fails is not None)
    many = len(axes["reset_after_refund"]) > 1 and bool(
        (np.bincount(tests.home[tests.verdict == FAILED], minlength=len(homes)) > fewest).any()
    )
    mended = len(axes["repair_resets"]) > 1 and (
        bool(len(repairs.home)) or bool(((tests.verdict == PASSED) & (tests.purpose == RETEST)).any())
    )
    return narrowed(
        axes,
        {
            "reset_after_refund": many,
            "repair_resets": mended,
            "metered_temperature": bool(homes.metered.any()),
            "season_days": law.span.days_inclusive != law.span.days_elapsed,
        },
    )
