"""Refunds paid late, by every place; amounts against exact fractions."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.policies.refunds.payout import payout, payout_deadline
from nuan.rules.pack import contract_layer, load_pack
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(11, 15, 3, 15).season(2025)
HEZE = load_pack("heze")
DUE = date(2026, 5, 31)


@pytest.mark.parametrize(
    ("pack", "deadline", "why"),
    [
        ("qingdao", date(2026, 6, 30), ""),
        ("linyi", date(2026, 6, 30), ""),
        ("binzhou", DUE, ""),
        ("heze", DUE, ""),
        ("weifang", date(2026, 5, 15), ""),
        ("luoyang", date(2026, 5, 15), ""),
        ("taian", None, "payout.deadline_date"),
        ("directive", None, "payout.deadline_date"),
    ],
)
def test_the_deadline_of_each_place(pack: str, deadline: date | None, why: str) -> None:
    assert payout_deadline(load_pack(pack), SEASON) == (deadline, why)


def test_a_named_day_earlier_than_the_end_of_the_season_is_next_years() -> None:
    early = load_pack("heze", above=[contract_layer({"payout.deadline_date": "03-01"})])
    assert payout_deadline(early, SEASON)[0] == date(2027, 3, 1)


@given(
    st.integers(1, 10**9),
    st.integers(-30, 2000),
    st.fractions(min_value=0, max_value=Fraction(1, 100), max_denominator=10**5),
)
def test_interest_is_rounded_once_half_up(fen: int, days: int, rate: Fraction) -> None:
    found = payout(HEZE, SEASON, fen, DUE + timedelta(days), rate)
    late = max(days, 0)
    exact = fen * rate * late
    assert (found.deadline, found.days_late) == (DUE, late)
    assert found.interest_fen == int(exact + Fraction(1, 2))


@pytest.mark.parametrize("pack", ["qingdao", "linyi", "binzhou", "weifang", "luoyang"])
def test_where_the_law_is_silent_a_late_payment_is_undecided_and_one_in_time_owes_nothing(pack: str) -> None:
    deadline, _ = payout_deadline(load_pack(pack), SEASON)
    assert deadline is not None
    rate = Fraction(1, 1000)
    late = payout(load_pack(pack), SEASON, 20_000, deadline + timedelta(1), rate)
    assert (late.interest_fen, late.why) == (None, ("payout.late_interest",))
    assert payout(load_pack(pack), SEASON, 20_000, deadline, rate).interest_fen == 0


def test_everything_that_is_missing_is_named() -> None:
    assert payout(HEZE, SEASON, None, date(2026, 6, 2)).why == ("refund_undecided", "late_rate_unknown")
