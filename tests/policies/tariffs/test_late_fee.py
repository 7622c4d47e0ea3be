"""Late fees: from the day after the due day, on what is open, never above the cap, and nothing where no rate is stated."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.policies.tariffs.late_fee import due_day, late_fee
from nuan.rules.pack import contract_layer, load_pack
from nuan.terms.season import SeasonRule

DEMO, SEASON = load_pack("demo-city"), SeasonRule(10, 15, 4, 15).season(2025)
DUE = date(2025, 12, 31)


def test_the_due_day_is_the_places() -> None:
    assert due_day(DEMO, SEASON) == DUE
    assert due_day(load_pack("qingdao"), SEASON) is None


@pytest.mark.parametrize(
    ("named", "day"),
    [
        ("12-31", date(2025, 12, 31)),
        ("03-31", date(2026, 3, 31)),  # within the season, in the year after it began
        ("10-15", date(2025, 10, 15)),
        ("04-15", date(2026, 4, 15)),
        ("09-30", date(2025, 9, 30)),  # before it
        ("05-31", date(2026, 5, 31)),  # settled after it
        ("02-29", date(2026, 2, 28)),
    ],
)
def test_the_due_day_lies_in_the_season_or_next_to_it(named: str, day: date) -> None:
    pack = load_pack("demo-city", above=[contract_layer({"bill.due_date": named})])
    assert due_day(pack, SEASON) == day


def test_what_was_added_later_bears_a_fee_from_its_own_day_on() -> None:
    added = [(date(2026, 1, 20), 50_000)]
    fee = late_fee(DEMO, DUE, 200_000, [], date(2026, 1, 25), later=added)
    assert [(span.days, span.open_fen) for span in fee.spans] == [(20, 200_000), (5, 250_000)]
    assert late_fee(DEMO, DUE, 200_000, [(DUE, 200_000)], date(2026, 1, 20), later=added).amount_fen == 0
    only = late_fee(DEMO, DUE, 200_000, [(DUE, 200_000)], date(2026, 1, 30), later=added)
    assert [(span.first, span.days, span.open_fen) for span in only.spans] == [(date(2026, 1, 21), 10, 50_000)]


def test_it_starts_on_the_day_after() -> None:
    assert late_fee(DEMO, DUE, 217_200, [], DUE).amount_fen == 0
    first = late_fee(DEMO, DUE, 217_200, [], DUE + timedelta(days=1))
    assert (first.amount_fen, first.spans[0].days) == (217, 1)


def test_the_day_of_payment_bears_none_and_a_part_paid_lowers_it() -> None:
    whole = late_fee(DEMO, DUE, 200_000, [(date(2026, 1, 11), 200_000)], date(2026, 2, 1))
    assert [(span.days, span.open_fen) for span in whole.spans] == [(10, 200_000)]
    assert whole.amount_fen == 2_000
    half = late_fee(DEMO, DUE, 200_000, [(date(2026, 1, 11), 100_000)], date(2026, 1, 20))
    assert [(span.days, span.open_fen) for span in half.spans] == [(10, 200_000), (10, 100_000)]
    assert half.amount_fen == 3_000


def test_never_above_the_principal() -> None:
    capped = late_fee(DEMO, DUE, 1_000, [], date(2030, 1, 1))
    assert (capped.amount_fen, capped.capped) == (1_000, True)
    free = load_pack("demo-city", above=[contract_layer({"late_fee.cap": "none"})])
    assert (late_fee(free, DUE, 1_000, [], date(2030, 1, 1)).amount_fen or 0) > 1_000


def test_what_is_not_stated_is_not_charged_and_said() -> None:
    assert late_fee(load_pack("linyi"), DUE, 200_000, [], date(2026, 3, 1)).why == "late_fee.daily_percent"
    assert late_fee(DEMO, None, 200_000, [], date(2026, 3, 1)).why == "bill.due_date"
    uncapped = load_pack("demo-city", above=[contract_layer({"late_fee.cap": {"value": None}})])
    assert late_fee(uncapped, DUE, 1, [], date(2026, 3, 1)).amount_fen is None


def test_days_of_an_open_case_bear_none_and_it_goes_on_afterwards() -> None:
    case = (date(2026, 1, 6), date(2026, 1, 15))
    fee = late_fee(DEMO, DUE, 200_000, [], date(2026, 1, 20), held=[case])
    assert [(span.first.day, span.days) for span in fee.spans] == [(1, 5), (16, 5)]
    still = late_fee(DEMO, DUE, 200_000, [], date(2026, 1, 20), held=[(date(2026, 1, 6), None)])
    assert still.amount_fen == 1_000


@given(
    st.integers(0, 10**7),
    st.lists(st.tuples(st.integers(-20, 200), st.integers(1, 10**6)), max_size=5),
    st.integers(0, 400),
    st.integers(1, 300),
    st.integers(0, 15),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 10**6)), max_size=3),
)
def test_equal_to_counting_day_by_day(
    principal: int, paid: list[tuple[int, int]], length: int, change: int, grace: int, later: list[tuple[int, int]]
) -> None:
    rates = [
        {"value": "0.1", "from": date(2000, 1, 1), "to": DUE + timedelta(days=change)},
        {"value": "0.05", "from": DUE + timedelta(days=change)},
    ]
    pack = load_pack(
        "demo-city", above=[contract_layer({"late_fee.daily_percent": rates, "late_fee.grace_days": grace})]
    )
    paid_on = [(DUE + timedelta(days=offset), fen) for offset, fen in paid]
    added = [(DUE + timedelta(days=offset), fen) for offset, fen in later]
    total = Fraction(0)
    for number in range(1, length + 1):
        today = DUE + timedelta(days=number)
        owed = (principal if number > grace else 0) + sum(fen for offset, fen in later if number > offset + grace)
        still_open = max(owed - sum(fen for on, fen in paid_on if on <= today), 0)
        if number > grace:
            total += still_open * (Fraction(1, 1000) if number < change else Fraction(1, 2000))
    expected = min(int(total + Fraction(1, 2)), principal + sum(fen for _, fen in later))
    until = DUE + timedelta(days=length)
    assert late_fee(pack, DUE, principal, paid_on, until, later=added).amount_fen == expected
