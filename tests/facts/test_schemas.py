"""A fact table says all that is wrong with it, by line and column."""

import re
from datetime import date

import polars as pl
import pytest

from nuan.facts.schemas import TABLES, check, empty
from nuan.terms.quantities import QUANTITIES


@pytest.mark.parametrize("name", list(TABLES))
def test_an_empty_table_is_sound_and_every_column_is_documented(name: str) -> None:
    assert check(name, empty(name)) == []
    table = TABLES[name]
    assert set(table.key) <= set(table.schema)
    assert len(table.schema) == len(table.columns), "a column name is used twice"
    for column in table.columns:
        assert column.zh, f"{name}.{column.name} has no Chinese name"
        if column.name.endswith(("_s", "_fen", "_c100", "_h")) or column.name == "day":
            assert column.unit, f"{name}.{column.name} has no unit"


GOOD = {
    "home": "B1-1", "day": 20_377, "hours_due": 24, "hours_covered": 24, "min_c100": 1790, "mean_c100": 1850,
    "hours_below": 3, "longest_below_h": 2, "hours_above": 0,
}  # fmt: skip


def home_day(*changes: dict[str, object]) -> pl.DataFrame:
    rows = [GOOD | {"day": 20_377 + n} | change for n, change in enumerate(changes)]
    return pl.DataFrame(rows, schema=TABLES["home_day"].schema, orient="row")


def test_sound_rows() -> None:
    nothing = {"hours_covered": 0, "min_c100": None, "mean_c100": None, "hours_below": 0, "longest_below_h": 0}
    assert check("home_day", home_day({}, {}, nothing)) == []


@pytest.mark.parametrize(
    ("changes", "code", "field", "row", "count"),
    [
        pytest.param([{}, {"home": None}], "null", "home", 3, 1, id="a row about nobody"),
        pytest.param([{}, {"hours_below": -1, "longest_below_h": -1}], "negative", "hours_below", 3, 1, id="less than no hours"),
        pytest.param([{}, {"day": 20_377}, {"day": 20_377}], "duplicate", "home+day", 3, 2, id="one day three times"),
        pytest.param([{"hours_covered": 25}], "contradiction", "hours_covered", 2, 1, id="25 of 24 hours"),
        pytest.param([{}, {}, {"hours_below": 25}], "contradiction", "hours_below", 4, 1, id="more below than covered"),
        pytest.param([{"longest_below_h": 4}], "contradiction", "longest_below_h", 2, 1, id="a run longer than its hours"),
        pytest.param([{"min_c100": 1900}], "contradiction", "min_c100", 2, 1, id="lowest above mean"),
        pytest.param([{"min_c100": None}], "contradiction", "min_c100", 2, 1, id="covered, but no temperature"),
    ],
)  # fmt: skip
def test_faults_of_rows(changes: list[dict[str, object]], code: str, field: str, row: int, count: int) -> None:
    found = {(f.code, f.field): f for f in check("home_day", home_day(*changes))}
    assert (code, field) in found
    finding = found[(code, field)]
    assert (finding.row, finding.count) == (row, count)
    assert finding.remedy_zh


def test_faults_of_columns_are_all_named() -> None:
    frame = home_day({}).drop("hours_above").with_columns(pl.col("day").cast(pl.String), note=pl.lit("x"))
    found = {(f.code, f.field) for f in check("home_day", frame)}
    assert found == {("missing_column", "hours_above"), ("wrong_type", "day"), ("unknown_column", "note")}


OUTAGE = {
    "outage_id": "O1", "level": "source", "code": "H01", "start_s": 1000, "end_s": None, "planned": False, "cause": "source",
    "attested_by": "乌主任",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        pytest.param({"cause": "weather"}, "unknown_word", "cause", id="a cause nobody defined"),
        pytest.param({"level": "city"}, "unknown_word", "level", id="a level that feeds no one"),
        pytest.param({"end_s": 1000}, "contradiction", "end_s", id="ends as it starts"),
        pytest.param({"start_s": None}, "null", "start_s", id="never started"),
    ],
)
def test_faults_of_outages(change: dict[str, object], code: str, field: str) -> None:
    frame = pl.DataFrame([OUTAGE | change], schema=TABLES["outage"].schema, orient="row")
    assert [(f.code, f.field) for f in check("outage", frame)] == [(code, field)]


def test_an_outage_that_goes_on_is_sound() -> None:
    assert check("outage", pl.DataFrame([OUTAGE], schema=TABLES["outage"].schema, orient="row")) == []


# unit of a column → the quantity whose resolution it must be
MEASURED = {
    "0.01 °C": "room_temp",
    "0.01 m²": "area",
    "0.001 t": "fuel_stock",
    "0.001 m³/h": "flow",
    "0.1 kW": "heat_power",
}


@pytest.mark.parametrize("name", list(TABLES))
def test_columns_carry_the_unit_of_their_quantity_in_their_name(name: str) -> None:
    for column in TABLES[name].columns:
        if column.unit in MEASURED:
            assert column.name.endswith(QUANTITIES[MEASURED[column.unit]].column_suffix), column.name
        if re.search(r"_(c100|m2_100|t1000|m3h_1000|kw_10)$", column.name):
            assert column.unit in MEASURED, column.name


def test_days_are_local_day_numbers() -> None:
    assert date.fromordinal(date(1970, 1, 1).toordinal() + GOOD["day"]) == date(2025, 10, 16)  # type: ignore[operator]
