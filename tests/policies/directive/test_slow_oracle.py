"""The vectorised rules against plain loops that read like the law, on generated homes, stations and yards."""

import json
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.facts.book import FactBook
from nuan.facts.schemas import TABLES
from nuan.policies.catalogue import clause, pack
from nuan.terms.places import day_start
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)
DEMO = pack("demo-city")
DAYS = list(SEASON.day_numbers)[:12]
AS_OF = day_start(DAYS[-1] + 1)
HOUR_COUNTS = st.sampled_from([0, 5, 17, 18, 24])
Day = dict[str, Any]


def book(table: str, rows: list[Day], **others: pl.DataFrame) -> FactBook:
    return FactBook(SEASON, AS_OF, {table: pl.DataFrame(rows, TABLES[table].schema), **others})


def only_row(key: str, given_book: FactBook, item: str = "season") -> tuple[dict[str, Any], dict[str, Any]]:
    frame = clause(key).judge(given_book, DEMO).frame.filter(pl.col("item") == item)
    row = frame.row(0, named=True)
    return row, json.loads(row["facts"])


HOME_DAY = st.one_of(
    st.none(),
    st.fixed_dictionaries({"hours_covered": HOUR_COUNTS, "min_c100": st.sampled_from([1500, 1799, 1800, 1801, 2500])}),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(HOME_DAY, min_size=12, max_size=12))
def test_rooms(days: list[Day | None]) -> None:
    met = breached = 0
    rows = []
    for day, told in zip(DAYS, days, strict=True):
        if told is None:
            continue
        covered = told["hours_covered"]
        minimum = told["min_c100"] if covered else None
        rows.append({"home": "B1-1", "day": day, "hours_due": 24, "hours_covered": covered, "min_c100": minimum})
        if minimum is not None and minimum < 1800:
            breached += 1
        elif minimum is not None and Fraction(covered, 24) >= Fraction(75, 100):
            met += 1
    home = {"home": "B1-1", "home_class": "residential", "stop_heat": False}
    row, facts = only_row("2.5.2", book("home_day", rows, homes=pl.DataFrame([home], TABLES["homes"].schema)))
    enough = met > 0 and Fraction(met, 12) >= Fraction(80, 100)
    assert row["verdict"] == ("breached" if breached else "met" if enough else "undecidable")
    assert (facts["days_met"], facts["days_breached"], facts["days_undecidable"]) == (
        met,
        breached,
        12 - met - breached,
    )


STATION_DAY = st.fixed_dictionaries(
    {
        "hours_covered": HOUR_COUNTS,
        "heat_hours": HOUR_COUNTS,
        "supply_mean_c100": st.sampled_from([2000, 3900, 3999, 4000, 4500]),
        "heat_kwh": st.sampled_from([0, 4999, 5000, 6000, 10_000, 13_001]),
        "outage_hours": st.sampled_from([0, 0, 0, 5]),
        "rooms_mean_c100": st.sampled_from([2100, 2400, 2401, 2500]),
    }
)


def station_book(days: list[Day]) -> FactBook:
    same = {
        "substation": "H01-S01", "company": "C01", "banner": "150602", "outdoor_mean_c100": -500, "expected_supply_c100": 4500,
        "expected_heat_kwh": 10_000, "rooms_covered": 30,
    }  # fmt: skip
    return book("station_day", [{**same, **told, "day": day} for day, told in zip(DAYS, days, strict=True)])


@settings(max_examples=150, deadline=None)
@given(st.lists(STATION_DAY, min_size=12, max_size=12))
def test_stations(days: list[Day]) -> None:
    given_book = station_book(days)
    idle = excused = blind = 0
    for told in days:
        trusted = told["heat_hours"] >= 18
        if trusted and told["heat_kwh"] >= 5000:
            break
        if told["outage_hours"]:
            excused += 1
        elif trusted:
            idle += 1
        else:
            blind += 1
    row, facts = only_row("2.5", given_book, "late_start")
    assert (facts["idle_days"], facts["in_outage_days"], facts["undecidable_days"]) == (idle, excused, blind)
    assert row["verdict"] == ("breached" if idle else "undecidable" if excused or blind else "met")
    assert (row["why"] == "") == (row["verdict"] != "undecidable")

    hot_days = wasted = longest = 0
    stretch: list[Day] = []
    for told in [*days, None]:
        if told and told["rooms_mean_c100"] > 2400 and told["heat_kwh"] > 10_000:
            stretch.append(told)
            longest = max(longest, len(stretch))
            continue
        if len(stretch) >= 5:
            hot_days += len(stretch)
            wasted += sum(each["heat_kwh"] - 10_000 for each in stretch if each["heat_hours"] >= 18)
        stretch = []
    row, facts = only_row("2.5", given_book, "over_heating")
    assert (row["value"], facts["over_heated_days"], facts["wasted_kwh"]) == (longest, hot_days, wasted)
    assert row["verdict"] == ("breached" if hot_days else "met")
    price = Fraction(wasted) * Fraction(36, 10_000) * 4444
    assert facts["wasted_fen"] == int(price + Fraction(1, 2))


FUEL_DAY = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "stock_t1000": st.one_of(st.none(), st.integers(0, 40_000)),
            "burn_t1000": st.one_of(st.none(), st.integers(0, 2_000)),
        }
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FUEL_DAY, min_size=12, max_size=12).filter(lambda days: any(days)))
def test_yards(days: list[Day | None]) -> None:
    told = [
        {"source": "H01", "day": day, "arriving_t1000": 0, **each}
        for day, each in zip(DAYS, days, strict=True)
        if each is not None
    ]
    row, facts = only_row("2.4.2a", book("fuel_day", told))
    below = decided = 0
    lowest: Fraction | None = None
    for at, today in enumerate(days):
        window = [
            each["burn_t1000"] for each in days[max(at - 6, 0) : at + 1] if each and each["burn_t1000"] is not None
        ]
        if today is None or today["stock_t1000"] is None or len(window) < 4:
            continue
        decided += 1
        mean = Fraction(sum(window), len(window))
        if mean == 0:
            continue
        cover = today["stock_t1000"] / mean
        lowest = cover if lowest is None else min(lowest, cover)
        below += cover < 15
    assert (facts["days_below"], facts["days_undecidable"]) == (below, 12 - decided)
    assert row["value"] == (None if lowest is None else int(lowest * 10))
    enough = Fraction(decided, 12) >= Fraction(80, 100)
    assert row["verdict"] == ("breached" if below else "met" if enough else "undecidable")
