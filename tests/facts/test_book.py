"""A book of facts, opened at one subject."""

import polars as pl
import pytest

from nuan.facts.book import FactBook, UnknownSubjectError
from nuan.facts.schemas import TABLES, empty
from nuan.terms.season import SeasonRule


def rows(table: str, *given: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=TABLES[table].schema, orient="row")


OUTAGE = {"start_s": 0, "end_s": 90_000, "cause": "source"}
BOOK = FactBook(
    SeasonRule(10, 15, 4, 15).season(2025),
    1_776_000_000,
    {
        "outage_home": rows("outage_home", {"outage_id": "O1", "home": "A"} | OUTAGE, {"outage_id": "O2", "home": "B"} | OUTAGE),
        "outage": rows(
            "outage",
            *(
                {"outage_id": i, "level": "home", "code": c, "planned": False, "attested_by": "乌主任"} | OUTAGE
                for i, c in (("O1", "A"), ("O2", "B"))
            ),
        ),
        "vehicle": rows("vehicle", {"vehicle_id": "V1", "banner": "150602", "power_kw": 700, "available_from": 1}),
    },
)  # fmt: skip


def test_a_table_that_was_not_given_has_no_rows() -> None:
    assert BOOK["home_day"].equals(empty("home_day"))


def test_one_home() -> None:
    one = BOOK.for_home("B")
    assert one["outage_home"]["home"].to_list() == ["B"]
    assert one["outage"]["outage_id"].to_list() == ["O2"]
    assert one["vehicle"].height == 1, "a table that does not speak of homes is kept"
    assert one.season == BOOK.season


def test_one_banner() -> None:
    assert BOOK.for_subject("banner", "150603")["vehicle"].height == 0
    assert BOOK.for_subject("banner", "150602")["vehicle"].height == 1


def test_words_nobody_knows() -> None:
    with pytest.raises(KeyError, match="no fact table"):
        BOOK["rooms"]
    with pytest.raises(UnknownSubjectError, match="street"):
        BOOK.for_subject("street", "x")
