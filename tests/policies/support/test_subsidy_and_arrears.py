"""What is owed to households and companies: exact to the fen, and late by the right number of days."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.policies.support.arrears import AGES, Instalment, age_of, instalments_kept
from nuan.policies.support.fund import OUTCOME, WORDS, branch_of
from nuan.policies.support.subsidy import Programme, evidence_on, known_at, payable_fen, standing

FEN = st.integers(1, 10**9)


def programme(
    kind: str = "fixed", rate: int = 60_000, cap: int | None = None, recorded: date = date(2025, 9, 1)
) -> Programme:
    day = date(2025, 11, 1)
    return Programme("P", "2025-2026", frozenset({"low_income"}), kind, rate, cap, day, day, day, None, recorded)


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


@given(
    st.sampled_from(["fixed", "per_m2", "share"]),
    st.integers(1, 10**6),
    st.none() | FEN,
    st.none() | st.integers(1, 10**7),
    st.none() | FEN,
)
def test_payable_against_fractions(kind: str, rate: int, cap: int | None, area: int | None, fee: int | None) -> None:
    exact = {
        "fixed": Fraction(rate),
        "per_m2": None if area is None else Fraction(rate * area, 100),
        "share": None if fee is None else Fraction(fee * rate, 1000),
    }[kind]
    expected = None if exact is None else half_up(exact)
    if expected is not None and cap is not None:
        expected = min(expected, cap)
    assert payable_fen(programme(kind, rate, cap), area, fee) == expected


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(20_000, 20_100), st.integers(20_000, 20_100))
def test_what_is_paid_and_outstanding_adds_up(payable: int, paid: int, due: int, today: int) -> None:
    found = standing(payable, paid, due, today)
    assert found.outstanding_fen == max(0, payable - paid)
    assert (found.overdue_days > 0) == (found.state == "overdue") == (paid < payable and today > due)
    assert (found.state == "overpaid") == (paid > payable)


@pytest.mark.parametrize(
    ("today", "days"),
    [(20_000, 0), (20_001, 1), (20_031, 31)],
    ids=["on the due day", "the day after", "a month after"],
)
def test_days_overdue_leave_out_the_due_day(today: int, days: int) -> None:
    assert standing(100, 0, 20_000, today).overdue_days == days


@pytest.mark.parametrize(
    ("day", "word"),
    [
        (date(2025, 6, 30), "expired"),
        (date(2025, 7, 1), "valid"),
        (date(2026, 6, 30), "valid"),
        (date(2026, 7, 1), "expired"),
    ],
    ids=["before it begins", "its first day", "its last day", "the day after"],
)
def test_evidence_is_valid_on_both_its_ends(day: date, word: str) -> None:
    assert evidence_on(date(2025, 7, 1), date(2026, 6, 30), day) == word
    assert evidence_on(date(2025, 7, 1), None, date(2025, 12, 1)) == "unknown"


def test_what_was_known_then_is_reckoned_by_the_version_of_then() -> None:
    old, new = programme(rate=50_000), programme(rate=60_000, recorded=date(2025, 12, 1))
    assert [each.rate for each in known_at([old, new], date(2025, 11, 30))] == [50_000]
    assert [each.rate for each in known_at([new, old], date(2025, 12, 1))] == [60_000]
    assert known_at([old, new], date(2025, 8, 31)) == []


@st.composite
def settlements(draw: st.DrawFn) -> tuple[list[Instalment], list[tuple[int, int]], int]:
    days = sorted(draw(st.lists(st.integers(101, 200), min_size=1, max_size=5)))
    plan = [Instalment(number, day, draw(st.integers(1, 1000))) for number, day in enumerate(days, 1)]
    payments = draw(st.lists(st.tuples(st.integers(90, 210), st.integers(1, 1000)), max_size=6))
    return plan, payments, draw(st.integers(100, 210))


@given(settlements())
def test_instalments_against_one_written_down_plainly(
    case: tuple[list[Instalment], list[tuple[int, int]], int],
) -> None:
    plan, payments, today = case
    found = instalments_kept(plan, payments, today, 100)
    now = sum(fen for day, fen in payments if 100 <= day <= today)
    for place, (part, said) in enumerate(zip(plan, found, strict=True)):
        owed = sum(each.amount_fen for each in plan[: place + 1])
        in_time = sum(fen for day, fen in payments if 100 <= day <= min(part.due_day, today))
        assert (said.state == "kept") == (in_time >= owed)
        assert (said.state == "broken") == (part.due_day < today and now < owed)
        assert (said.state == "late") == (part.due_day < today and in_time < owed <= now)
    due = sum(part.amount_fen for part in plan if part.due_day < today)
    assert sum(each.short_fen for each in found) == max(0, due - now)


def test_ages_meet_without_a_gap() -> None:
    edges = [age_of(0, day) for day in range(1200)]
    assert [edges.index(key) for key, _, _, _ in AGES] == [0, 91, 366, 1096]


@pytest.mark.parametrize(
    ("position", "option", "outcome"),
    [
        ("outside", None, "eligible"), ("inside", "included", "ineligible"), ("boundary", "included", "eligible"),
        ("boundary", "excluded", "ineligible"), ("boundary", None, "open"), ("unknown", "included", "open"), (None, None, "open"),
    ],
)  # fmt: skip
def test_the_fund_is_for_what_lies_outside(position: str | None, option: str | None, outcome: str) -> None:
    branch = branch_of(position, option)
    assert OUTCOME[branch] == outcome
    if outcome != "eligible":
        assert WORDS[branch][0]
