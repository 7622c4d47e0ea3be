"""Debts of the government to a company: how old, how late, and whether a settlement plan is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

AGES: tuple[tuple[str, int | None, str, str], ...] = (
    ("90", 90, "90天以内", "up to 90 days"),
    ("365", 365, "91天至1年", "91 days to a year"),
    ("1095", 1095, "1至3年", "one to three years"),
    ("older", None, "3年以上", "over three years"),
)
"""Ageing buckets for reading, not for deciding: key, last day in it, Chinese, English."""


def age_of(incurred_day: int, as_of_day: int) -> str:
    """The bucket of a debt by the days since it arose.

    >>> age_of(0, 90), age_of(0, 91), age_of(0, 2000)
    ('90', '365', 'older')
    """
    days = max(0, as_of_day - incurred_day)
    return next(key for key, last, _, _ in AGES if last is None or days <= last)


@dataclass(frozen=True, slots=True)
class Instalment:
    number: int
    due_day: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One instalment against what was paid: `pending`, `kept`, `late` (made up after its day) or `broken`; `short_fen` is missing now."""

    number: int
    state: str
    short_fen: int


def instalments_kept(
    plan: Sequence[Instalment], payments: Sequence[tuple[int, int]], as_of_day: int, agreed_day: int
) -> list[Kept]:
    """`payments` are (day, fen). They count from the day of agreement on, in the order of the instalments; what was paid on the due day
    is in time.

    >>> plan = [Instalment(1, 100, 500), Instalment(2, 200, 500)]
    >>> [each.state for each in instalments_kept(plan, [(90, 500), (210, 200)], 220, 50)]
    ['kept', 'broken']
    """
    counted = [(day, fen) for day, fen in payments if agreed_day <= day <= as_of_day]
    paid_now = sum(fen for _, fen in counted)
    found, owed = [], 0
    for part in sorted(plan, key=lambda each: (each.due_day, each.number)):
        owed += part.amount_fen
        paid_in_time = sum(fen for day, fen in counted if day <= part.due_day)
        if paid_in_time >= owed:
            state = "kept"
        elif part.due_day >= as_of_day:
            state = "kept" if paid_now >= owed else "pending"
        else:
            state = "late" if paid_now >= owed else "broken"
        short = min(part.amount_fen, max(0, owed - paid_now)) if state == "broken" else 0
        found.append(Kept(part.number, state, short))
    return found
