"""A refund explained alone comes to the same fen as the refund posted among many."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.facts.book import FactBook
from nuan.facts.schemas import CAUSES, TABLES
from nuan.policies.catalogue import clause, pack
from nuan.rules.explain import explain
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)
START = SEASON.interval.start
HOUR = 3_600
HOMES = [f"B0042-1-0{floor}01" for floor in range(1, 6)]
HOME = st.sampled_from(HOMES)
OUTAGE = st.tuples(HOME, st.integers(-30, 4_400), st.integers(1, 90), st.sampled_from(CAUSES))
TEST = st.tuples(HOME, st.integers(0, 4_391), st.sampled_from([None, 1600, 1799, 1800, 1900]))


def book(outages: list[tuple[str, int, int, str]], tests: list[tuple[str, int, int | None]]) -> FactBook:
    homes = pl.DataFrame(
        [
            {
                "home": home, "building": "B0042", "loop": "H01-S03-L1", "substation": "H01-S03", "source": "H01", "company": "C01",
                "banner": "150602", "area_m2_100": 9_000 + 7 * i, "home_class": "residential", "season_fee_fen": 240_000 + 331 * i,
                "stop_heat": i == 4, "metered": False, "base_fee_fen": None,
            }
            for i, home in enumerate(HOMES)
        ],
        TABLES["homes"].schema,
    )  # fmt: skip
    interruptions = pl.DataFrame(
        [
            {"outage_id": f"O-{n}", "home": home, "start_s": START + begin * HOUR, "end_s": START + (begin + hours) * HOUR, "cause": cause}
            for n, (home, begin, hours, cause) in enumerate(outages)
        ],
        TABLES["outage_home"].schema,
    )  # fmt: skip
    measurements = pl.DataFrame(
        [
            {
                "measurement_id": f"M-{n}", "home": home, "room": "living", "requested_s": START + at * HOUR, "measured_s": START + at * HOUR,
                "temp_c100": temp, "method": "", "signed_user": True, "signed_company": True, "user_refused": False,
                "company_absent": False, "no_record": False, "third_party": False, "purpose": "complaint",
            }
            for n, (home, at, temp) in enumerate(tests)
        ],
        TABLES["measurement"].schema,
    )  # fmt: skip
    return FactBook(
        SEASON, SEASON.interval.end, {"homes": homes, "outage_home": interruptions, "measurement": measurements}
    )


@pytest.mark.parametrize("place", ["demo-city", "directive", "qingdao"])
@settings(max_examples=25, deadline=None)
@given(st.lists(OUTAGE, max_size=12), st.lists(TEST, max_size=12))
def test_the_fen_explained_are_the_fen_posted(
    place: str, outages: list[tuple[str, int, int, str]], tests: list[tuple[str, int, int | None]]
) -> None:
    facts, rules = book(outages, tests), pack(place)
    for key in ("2.5.3a", "2.5.3b"):
        for row in clause(key).judge(facts, rules).frame.iter_rows(named=True):
            told = explain(clause(key), facts, rules, row["subject"], row["item"])
            assert (told.amount_fen, told.verdict) == (row["amount_fen"], row["verdict"])
            assert told.sentence
            assert told.steps
