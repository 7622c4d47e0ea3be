"""逾期违约金: what a bill paid late costs, with its dates. Without a rate in the place's rules nothing is charged, and that is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from nuan.policies.tariffs.tariff import exact
from nuan.rules.pack import Pack
from nuan.terms.season import Season

PRINCIPAL, UNCAPPED = "principal", "none"


@dataclass(frozen=True, slots=True)
class LateSpan:
    """Days `[first, last]` on which `open_fen` was owed too late, at one daily rate."""

    first: date
    last: date
    days: int
    open_fen: int
    daily_percent: str
    source: str


@dataclass(frozen=True, slots=True)
class LateFee:
    """`amount_fen` None: not charged, because of `why`. `capped`: the cap took something off."""

    due: date | None
    amount_fen: int | None
    spans: tuple[LateSpan, ...]
    capped: bool
    why: str = ""


def due_day(pack: Pack, season: Season, known_on: date | None = None) -> date | None:
    """The last day to pay; None is 未载明. A season that begins in October is paid by 31 March of the next year where its rule says 03-31."""
    named = pack.value("bill.due_date", season.first_day, known_on)
    return None if named is None else season.day_named(str(named))


def late_fee(
    pack: Pack, due: date | None, principal_fen: int, paid: Sequence[tuple[date, int]], until: date, known_on: date | None = None,
    held: Sequence[tuple[date, date | None]] = (), later: Sequence[tuple[date, int]] = (),
) -> LateFee:  # fmt: skip
    """The fee up to and including `until`. It starts on the day after the due day (and days of grace); a day's fee is on what is open
    at its end, so the day of a payment bears it no more. Σ open × rate × days is rounded once, half up, and never exceeds the cap.

    `paid`: (day, fen). `held`: first and last day (None: still open) of cases about the bill; those days bear no fee. `later`:
    what was added to the bill afterwards, with the last day on which it was in time: it bears a fee from its own next day on. A rate
    that changes counts by its days. Nothing stated → nothing charged, and `why` says what is missing.
    """
    if due is None:
        return LateFee(None, None, (), False, "bill.due_date")
    if pack.value("late_fee.daily_percent", due, known_on) is None:
        return LateFee(due, None, (), False, "late_fee.daily_percent")
    grace = pack.value("late_fee.grace_days", due, known_on) or 0
    cap = pack.value("late_fee.cap", due, known_on)
    if cap not in {PRINCIPAL, UNCAPPED}:
        return LateFee(due, None, (), False, "late_fee.cap")
    owed = [(day + timedelta(days=1 + int(grace)), fen) for day, fen in [(due, principal_fen), *later]]
    start, after = min(day for day, _ in owed), until + timedelta(days=1)
    if after <= start:
        return LateFee(due, 0, (), False)
    rate = pack.parameter("late_fee.daily_percent")
    holds = [(first, date.max if last is None else last) for first, last in held]
    edges = [*rate.changes(), *(day for day, _ in [*paid, *owed]), *(first for first, _ in holds)]
    edges += [last + timedelta(days=1) for _, last in holds if last < date.max]
    inner = {day for day in edges if start < day < after}
    spans, total = [], Fraction(0)
    for first, stop in pairwise([start, *sorted(inner), after]):
        open_fen = max(sum(fen for day, fen in owed if day <= first) - sum(fen for day, fen in paid if day <= first), 0)
        answer = rate.at(first, known_on)
        is_held = any(since <= first <= last for since, last in holds)
        if answer.value is None or not open_fen or is_held:
            continue
        days = (stop - first).days
        total += open_fen * exact("late_fee.daily_percent", answer.value) / 100 * days
        spans.append(LateSpan(first, stop - timedelta(days=1), days, open_fen, str(answer.value), answer.source))
    amount = int(total + Fraction(1, 2))
    limited = min(amount, max(sum(fen for _, fen in owed), 0)) if cap == PRINCIPAL else amount
    return LateFee(due, limited, tuple(spans), limited < amount)
