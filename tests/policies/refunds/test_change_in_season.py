"""A law that changes within the season: pieces put together equal a day-by-day reckoning written without them."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.policies.refunds.columns import UNKNOWN, Homes, Measurements, Outages
from nuan.policies.refunds.law import RefundLaw, refund_law
from nuan.policies.refunds.outage import outage_refund
from nuan.policies.refunds.temperature import temperature_refund
from nuan.rules.interpretation import Signed
from nuan.rules.pack import contract_layer, load_pack
from nuan.rules.parameter import ContradictoryAnswersError
from nuan.terms.places import DAY_S, day_number, day_start
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)
FIRST = day_number(SEASON.first_day)
END_S = day_start(FIRST + 183)
OLD_TIERS = [{"low": 16, "high": 18, "percent": 20}, {"high": 16, "percent": 50}]
NEW_TIERS = [{"low": 17, "high": 20, "percent": 30}, {"high": 17, "percent": 100}]


def dated(old: Any, new: Any, day: date, compare: str = ">=") -> list[dict[str, Any]]:
    return [{"value": old, "compare": compare, "to": day}, {"value": new, "compare": compare, "from": day}]


def law(parameters: dict[str, Any], pack: str = "demo-city", **signed: str) -> RefundLaw:
    records = [Signed(key, option) for key, option in signed.items()]
    return refund_law(load_pack(pack, records, above=[contract_layer(parameters)]), SEASON)


def test_the_common_season_is_one_piece() -> None:
    assert refund_law(load_pack("demo-city"), SEASON).later == ()


def test_a_new_edition_with_the_same_numbers_splits_nothing() -> None:
    assert law({"refund_outage.threshold_h": dated(24, 24, date(2026, 1, 15), ">")}).later == ()


@pytest.mark.parametrize(
    ("day", "pieces"),
    [
        pytest.param(SEASON.first_day, 1, id="on the first day"),
        pytest.param(SEASON.first_day + timedelta(1), 2, id="on the second day"),
        pytest.param(SEASON.last_day, 2, id="on the last day"),
        pytest.param(SEASON.last_day + timedelta(1), 1, id="on the day after"),
    ],
)
def test_where_a_change_splits(day: date, pieces: int) -> None:
    assert len(law({"refund_outage.threshold_h": dated(48, 24, day)}).pieces) == pieces


def test_two_answers_to_one_day_are_refused_when_the_pack_is_loaded() -> None:
    twice = [{"value": 48, "from": date(2011, 7, 1)}, {"value": 24, "from": date(2022, 10, 15)}]
    with pytest.raises(ContradictoryAnswersError, match=r"refund_outage\.threshold_h.*48.*24"):
        load_pack("demo-city", above=[contract_layer({"refund_outage.threshold_h": twice})])


outages = st.tuples(st.integers(0, 182 * 24), st.integers(1, 100), st.integers(0, 3599))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(outages, max_size=4), min_size=1, max_size=6), st.integers(1, 182), st.integers(50_000, 900_000)
)
def test_each_outage_by_the_law_of_the_day_it_began(
    homes: list[list[tuple[int, int, int]]], change: int, fee: int
) -> None:
    found = law(
        {"refund_outage.threshold_h": dated(48, 24, SEASON.first_day + timedelta(change))}, outage_day="by_time"
    )
    edge = day_start(FIRST + change)
    rows = [(i, start, start + hours * 3600 + rest) for i, home in enumerate(homes) for start, hours, rest in (
        (day_start(FIRST) + hour * 3600, hours, rest) for hour, hours, rest in home)]  # fmt: skip
    columns = list(zip(*rows, strict=True)) if rows else [[], [], []]
    got = outage_refund(Homes.of([fee] * len(homes)), Outages.of(*columns), found, END_S).decision.amount
    for i in range(len(homes)):
        spans: list[list[int]] = []
        for _, start, end in sorted(row for row in rows if row[0] == i):
            if spans and start <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], min(end, END_S))
            else:
                spans.append([start, min(end, END_S)])
        paid = sum(end - start for start, end in spans if end - start >= (48 if start < edge else 24) * 3600)
        exact = Fraction(fee * paid, 183 * DAY_S)
        assert got[i] == min(fee, int(exact + Fraction(1, 2)))


tests = st.tuples(st.integers(0, 182), st.integers(0, 23), st.integers(1450, 2100))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(tests, max_size=6, unique_by=lambda each: each[0]), min_size=1, max_size=6),
    st.integers(1, 182),
    st.integers(50_000, 900_000),
)
def test_each_failing_day_by_its_own_tiers(homes: list[list[tuple[int, int, int]]], change: int, fee: int) -> None:
    day = SEASON.first_day + timedelta(change)
    found = law(
        {"temperature.bedroom_min": dated(18, 20, day), "refund_temperature.tiers": dated(OLD_TIERS, NEW_TIERS, day)},
        "taian",
        temperature_of_day="last_measured",
    )
    rows = [(i, *test) for i, home in enumerate(homes) for test in sorted(home)]
    asked = Measurements.of(
        [row[0] for row in rows], [day_start(FIRST + row[1]) + row[2] * 3600 for row in rows], [row[3] for row in rows]
    )
    got = temperature_refund(Homes.of([fee] * len(homes)), asked, found, END_S).decision.amount
    for i, home in enumerate(homes):
        taken = {day: temp for day, _, temp in home}
        cold: int | None = None
        units = 0
        for number in range(183):
            ending = False
            if number in taken:
                passes = taken[number] >= (1800 if number < change else 2000)
                ending = passes and cold is not None
                cold = cold if passes else taken[number]
            if cold is not None:
                old = 20 if 1600 <= cold < 1800 else 50 if cold < 1600 else None
                new = 30 if 1700 <= cold < 2000 else 100
                share = old if number < change else new
                assert share is not None
                units += share
            if ending:
                cold = None
        exact = Fraction(fee * units, 183 * 100)
        assert got[i] == min(fee, int(exact + Fraction(1, 2))), (i, units)


def test_open_ends_and_unknown_causes_go_the_same_way_through_pieces() -> None:
    pieces = law({"refund_outage.threshold_h": dated(48, 24, date(2026, 1, 15))})
    start = day_start(day_number(date(2026, 1, 20)))
    rows = Outages.of([0, 1], [start, start], [UNKNOWN, start + 2 * DAY_S], [1, 5])
    decision = outage_refund(Homes.of([183_000, 183_000]), rows, pieces, start + 3 * DAY_S).decision
    assert decision.amount.tolist() == [3_000, UNKNOWN]
    assert decision.why(1) == ("cause_unknown",)
    assert np.asarray(decision.high)[1] == 2_000
