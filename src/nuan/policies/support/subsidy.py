"""What a subsidy programme owes one home for one season, in whole fen, and how late it is. Programmes are dated rules, not constants.

Bitemporal like the parameters of a pack: a programme is recorded again when it changes, and the version that was known on a day decides
what was owed as seen on that day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from nuan.terms.money import mul_div

FIXED, PER_M2, SHARE = "fixed", "per_m2", "share"


@dataclass(frozen=True, slots=True)
class Programme:
    """One recorded version. `rate` is fen, fen per m², or thousandths of the season fee, by `amount_kind`.

    Whose evidence is valid on `reference_day` (the day on which eligibility is settled) is entitled. Days are local dates.
    """

    code: str
    season: str
    categories: frozenset[str]
    amount_kind: str
    rate: int
    cap_fen: int | None
    reference_day: date
    due_day: date | None
    valid_from: date
    valid_to: date | None
    recorded_on: date

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def known_at(versions: Iterable[Programme], known_on: date) -> list[Programme]:
    """Of every programme and season the newest version recorded by `known_on`; later versions of the list win a tie."""
    newest: dict[tuple[str, str], Programme] = {}
    for each in versions:
        before = newest.get((each.code, each.season))
        if each.recorded_on <= known_on and (before is None or before.recorded_on <= each.recorded_on):
            newest[each.code, each.season] = each
    return list(newest.values())


def payable_fen(programme: Programme, area_m2_100: int | None, season_fee_fen: int | None) -> int | None:
    """Rounded half up once, never above the cap; None where the area or fee that it needs is not known.

    >>> a = Programme("P", "2025-2026", frozenset({"low_income"}), PER_M2, 450, 30_000, *[date(2025, 11, 1)] * 3, None, date(2025, 9, 1))
    >>> payable_fen(a, 8_955, None), payable_fen(a, 9_000, None), payable_fen(a, None, 240_000)
    (30000, 30000, None)
    """
    if programme.amount_kind == FIXED:
        amount: int | None = programme.rate
    elif programme.amount_kind == PER_M2:
        amount = None if area_m2_100 is None else mul_div(programme.rate, area_m2_100, 100)
    else:
        amount = None if season_fee_fen is None else mul_div(season_fee_fen, programme.rate, 1000)
    if amount is None or programme.cap_fen is None:
        return amount
    return min(amount, programme.cap_fen)


def evidence_on(valid_from: date, valid_to: date | None, day: date) -> str:
    """`valid`, `expired` or `unknown` (no expiry was recorded); its last day is a valid one."""
    if valid_from > day:
        return "expired"
    if valid_to is None:
        return "unknown"
    return "valid" if day <= valid_to else "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """`unknown`: what is owed cannot be computed. `overpaid` is more than is owed, or money to somebody without valid evidence."""

    state: str
    outstanding_fen: int
    overdue_days: int


def standing(payable: int | None, paid_fen: int, due_day: int | None, as_of_day: int) -> Standing:
    """Day numbers. The due day itself is in time; the day after is one day late.

    >>> standing(1000, 400, 20_000, 20_000), standing(1000, 400, 20_000, 20_003)
    (Standing(state='due', outstanding_fen=600, overdue_days=0), Standing(state='overdue', outstanding_fen=600, overdue_days=3))
    """
    if payable is None:
        return Standing("unknown", 0, 0)
    if paid_fen > payable:
        return Standing("overpaid", 0, 0)
    if paid_fen == payable:
        return Standing("paid", 0, 0)
    late = 0 if due_day is None else max(0, as_of_day - due_day)
    return Standing("overdue" if late else "due", payable - paid_fen, late)
