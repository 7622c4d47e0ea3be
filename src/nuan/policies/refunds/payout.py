"""When a refund has to be paid, and what is owed on top where it is paid later (滞退金), in whole fen."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from nuan.rules.pack import Pack
from nuan.terms.calendar import CalendarYearError, last_day_of_period
from nuan.terms.money import mul_div
from nuan.terms.season import Season

SAME_AS_LATE_FEE = "same_as_late_fee"


@dataclass(frozen=True, slots=True)
class Payout:
    """`None` = nobody can say, for the reasons in `why`. `days_late` 0 = in time; `deadline` is the last day on which it is."""

    deadline: date | None
    days_late: int | None
    interest_fen: int | None
    why: tuple[str, ...] = ()


def payout_deadline(
    pack: Pack, season: Season, known_on: date | None = None, at: date | None = None
) -> tuple[date | None, str]:
    """The last day on which a season's refunds are paid in time, by the law of the season's last day (or `at`); else why not.

    A day that the law names (5月31日) stands, working day or not. A period of months after the season (二个月内) is counted as
    the Civil Code counts: its first day is not counted, and an end on a rest day runs on to the next working day.
    """
    day = at or season.last_day
    named = pack.value("payout.deadline_date", day, known_on)
    if named is not None:
        month, number = (int(part) for part in str(named).split("-"))
        found = date(season.last_day.year, month, number)
        return (found if found > season.last_day else date(found.year + 1, month, number)), ""
    months = pack.value("payout.deadline_months", day, known_on)
    if months is None:
        return None, "payout.deadline_date"
    try:
        return last_day_of_period(season.last_day, months=int(months)), ""
    except CalendarYearError:
        return None, "calendar_unknown"


def payout(
    pack: Pack,
    season: Season,
    refund_fen: int | None,
    paid_on: date | None,
    late_rate: Fraction | None = None,
    *,
    late_by_user: bool = False,
    known_on: date | None = None,
    at: date | None = None,
) -> Payout:
    """Days and interest of a refund paid on a day. `late_rate` is the contract's rate for late payment, a share of the amount a day.

    Interest = refund × rate × days after the deadline, rounded once, half up; none where the user held it up. `refund_fen` None
    = the refund itself is undecided. A law that is silent on interest leaves a late payment undecided, never at zero.
    """
    deadline, why = payout_deadline(pack, season, known_on, at)
    if deadline is None:
        return Payout(None, None, None, (why,))
    if paid_on is None:
        return Payout(deadline, None, None, ("paid_on_unknown",))
    late = max((paid_on - deadline).days, 0)
    if not late or late_by_user or refund_fen == 0:
        return Payout(deadline, late, 0)
    rule = pack.value("payout.late_interest", at or season.last_day, known_on)
    if rule != SAME_AS_LATE_FEE:
        return Payout(deadline, late, None, ("payout.late_interest",))
    missing = [
        key
        for key, absent in (("refund_undecided", refund_fen is None), ("late_rate_unknown", late_rate is None))
        if absent
    ]
    if missing or refund_fen is None or late_rate is None:
        return Payout(deadline, late, None, tuple(missing))
    return Payout(deadline, late, int(mul_div(refund_fen, late_rate.numerator * late, late_rate.denominator)))
