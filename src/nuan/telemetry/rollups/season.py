"""Home-days and a season at a glance, in one pass over dense hours.

An hour is below when its value is below the threshold; a gap is neither below nor above nor covered, and ends a run. A run of hours below
goes on across midnight: `longest` of a day counts the hours of that day only, `longest_below_h` of the season the whole run.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import GAP
from nuan.terms.places import DAY_S, HOUR_S, day_start, local_day

NOT_DUE, MET, BREACHED, UNDECIDABLE = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Span:
    """The hours that are owed: `[first_due, end_due)` counted from 00:00 of local day `first_day`; tiles cover `days` whole days."""

    first_day: int
    days: int
    first_due: int
    end_due: int

    @classmethod
    def of(cls, start_s: int, end_s: int) -> "Span":
        """Of a season `[start_s, end_s)`; an hour that is owed in part is owed."""
        first_day = local_day(start_s)
        origin = day_start(first_day)
        days = -(-(end_s - origin) // DAY_S)
        return cls(first_day, days, (start_s - origin) // HOUR_S, -(-(end_s - origin) // HOUR_S))

    @property
    def start_s(self) -> int:
        return day_start(self.first_day)

    @property
    def hours(self) -> int:
        return self.days * 24


@dataclass(frozen=True, slots=True)
class Demand:
    """What a day is judged by: below `threshold_c100` is cold, over `above_c100` too warm; a day without a cold hour is met only when
    `min_covered_pct` of its hours are covered; cold days are counted in windows of `window_days`. A number that changes within the
    season is given for each day of the span."""

    threshold_c100: int | NDArray[np.int16]
    above_c100: int | NDArray[np.int16]
    min_covered_pct: int
    window_days: int


@dataclass(frozen=True, slots=True)
class HomeDays:
    """Arrays [homes, days]: hours covered, below, longest run below, above; minimum and mean in 0.01 °C (`GAP`: nothing covered)."""

    covered: NDArray[np.uint8]
    minimum: NDArray[np.int16]
    mean: NDArray[np.int16]
    below: NDArray[np.uint8]
    longest: NDArray[np.uint8]
    above: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SeasonRollup:
    """`verdicts` uint8[homes, days]; `first_day`, `last_day` uint8[homes]: the verdicts of the first and last day owed; the rest [homes]:
    `days_breached`, `days_undecidable`, and `worst_window`, the most breached days in any `window_days` in a row."""

    verdicts: NDArray[np.uint8]
    first_day: NDArray[np.uint8]
    last_day: NDArray[np.uint8]
    hours_covered: NDArray[np.int32]
    hours_below: NDArray[np.int32]
    longest_below_h: NDArray[np.int32]
    days_breached: NDArray[np.int32]
    days_undecidable: NDArray[np.int32]
    worst_window: NDArray[np.int32]
    minimum: NDArray[np.int16]
    mean: NDArray[np.int16]


@nb.njit(cache=True, nogil=True)
def _day_of_24(day, threshold, above, gap):  # type: ignore[no-untyped-def]
    cold, warm, gaps = np.int16(0), np.int16(0), np.int16(0)
    low, total = np.int16(32_767), np.int32(0)
    for at in range(24):
        value = day[at]
        cold += np.int16(value < threshold)
        warm += np.int16(value > above)
        gaps += np.int16(value == gap)
        total += np.int32(value)
        low = min(low, value)
    return np.int32(cold), np.int32(warm), np.int32(gaps), low, total


@nb.njit(cache=True, nogil=True)
def _part_of_a_day(day, threshold, above, gap):  # type: ignore[no-untyped-def]
    cold, warm, gaps = np.int32(0), np.int32(0), np.int32(0)
    low, total = np.int16(32_767), np.int32(0)
    for value in day:
        cold += np.int32(value < threshold)
        warm += np.int32(value > above)
        gaps += np.int32(value == gap)
        total += np.int32(value)
        low = min(low, value)
    return cold, warm, gaps, low, total


@nb.njit(cache=True, nogil=True)
def _days(  # type: ignore[no-untyped-def]
    hours,
    first_due,
    end_due,
    thresholds,
    aboves,
    gap,
    covered_d,
    min_d,
    mean_d,
    below_d,
    longest_d,
    above_d,
    longest_s,
    total_s,
):
    """Hours into days; runs are walked only on days with a cold hour."""
    homes, days = covered_d.shape
    for home in range(homes):
        row = hours[home]
        run = 0
        longest = 0
        season_total = np.int64(0)
        for day in range(days):
            threshold = thresholds[day]
            above = aboves[day]
            start = max(day * 24, first_due)
            end = min(day * 24 + 24, end_due)
            owed = max(end - start, 0)
            if owed == 24:
                # 24 is written out, and gaps are counted as numbers and taken out after: the compiler then takes 24 hours in a few steps
                cold, warm, gaps, low, total = _day_of_24(row[start : start + 24], threshold, above, gap)
            else:
                cold, warm, gaps, low, total = _part_of_a_day(row[start : start + owed], threshold, above, gap)
            if gaps > 0:
                cold -= gaps  # a gap is the lowest number there is
                total -= np.int32(gap) * gaps
                low = np.int16(32_767)
                for at in range(start, start + owed):
                    if row[at] != gap:
                        low = min(low, row[at])
            season_total += total
            covered = owed - gaps
            day_longest = 0
            if cold == 0:
                run = 0
            else:
                day_run = 0
                for at in range(start, end):
                    value = row[at]
                    if value < threshold and value != gap:
                        run += 1
                        day_run += 1
                        day_longest = max(day_longest, day_run)
                        longest = max(longest, run)
                    else:
                        run = 0
                        day_run = 0
            covered_d[home, day] = covered
            below_d[home, day] = cold
            longest_d[home, day] = day_longest
            above_d[home, day] = warm
            min_d[home, day] = gap if covered == 0 else low
            mean_d[home, day] = gap if covered == 0 else (2 * total + covered) // (2 * covered)
        longest_s[home] = longest
        total_s[home] = season_total


@nb.njit(cache=True, nogil=True)
def _season(  # type: ignore[no-untyped-def]
    hours_due, covered_d, min_d, below_d, min_covered_pct, window, gap,
    verdict_d, covered_s, below_s, breached_s, undecided_s, window_s, min_s,
):  # fmt: skip
    homes, days = covered_d.shape
    for home in range(homes):
        in_window = 0
        low = np.int16(32_767)
        for day in range(days):
            covered = covered_d[home, day]
            if hours_due[day] == 0:
                verdict = 0
            elif below_d[home, day] > 0:
                verdict = 2
            elif covered * 100 < min_covered_pct * hours_due[day] or covered == 0:
                verdict = 3
            else:
                verdict = 1
            verdict_d[home, day] = verdict
            covered_s[home] += covered
            below_s[home] += below_d[home, day]
            if covered > 0:
                low = min(low, min_d[home, day])
            if verdict == 3:
                undecided_s[home] += 1
            if verdict == 2:
                breached_s[home] += 1
                in_window += 1
            if day >= window and verdict_d[home, day - window] == 2:
                in_window -= 1
            window_s[home] = max(window_s[home], in_window)
        min_s[home] = gap if covered_s[home] == 0 else low


def by_day(number: int | NDArray[np.int16], days: int) -> NDArray[np.int16]:
    """int16[days] of one number for all days, or of one for each."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(number, dtype=np.int16), days))


def season_rollup(hours: NDArray[np.int16], span: Span, demand: Demand) -> tuple[HomeDays, SeasonRollup]:
    """Roll int16[homes, days × 24] up. A day with a cold hour is breached however little of it is covered; a day without one is
    undecidable when less than the demanded part is covered, or nothing."""
    homes, days = hours.shape[0], span.days
    if hours.shape[1] != span.hours:
        raise ValueError(f"{hours.shape[1]} hours are not {span.days} whole days")
    gap = np.int16(GAP)
    covered, below, longest, above, verdicts = (np.zeros((homes, days), np.uint8) for _ in range(5))
    minimum, mean = (np.empty((homes, days), np.int16) for _ in range(2))
    covered_s, below_s, longest_s, breached_s, undecided_s, window_s = (np.zeros(homes, np.int32) for _ in range(6))
    min_s, total_s = np.empty(homes, np.int16), np.zeros(homes, np.int64)
    _days(
        hours, span.first_due, span.end_due, by_day(demand.threshold_c100, days), by_day(demand.above_c100, days), gap,
        covered, minimum, mean, below, longest, above, longest_s, total_s,
    )  # fmt: skip
    midnights = 24 * np.arange(days)
    due = np.minimum(midnights + 24, span.end_due) - np.maximum(midnights, span.first_due)
    _season(
        np.maximum(due, 0), covered, minimum, below, demand.min_covered_pct, demand.window_days, gap,
        verdicts, covered_s, below_s, breached_s, undecided_s, window_s, min_s,
    )  # fmt: skip
    held = np.maximum(covered_s, 1)
    mean_s = np.where(covered_s == 0, GAP, (2 * total_s + held) // (2 * held)).astype(np.int16)
    first, last = span.first_due // 24, (span.end_due - 1) // 24
    return (
        HomeDays(covered, minimum, mean, below, longest, above),
        SeasonRollup(
            verdicts, verdicts[:, first].copy(), verdicts[:, last].copy(), covered_s, below_s, longest_s, breached_s,
            undecided_s, window_s, min_s, mean_s,
        ),
    )  # fmt: skip
