"""An interruption of a place is an interruption of each home below it."""

import polars as pl
import pytest

from nuan.facts.outages import outage_homes, unplaced
from nuan.facts.schemas import TABLES, check
from nuan.network.topology import SupplyTree

HOMES = pl.DataFrame(
    {
        "home": ["B1-1", "B1-2", "B2-1", "B3-1"],
        "building": ["B1", "B1", "B2", "B3"],
        "loop": ["L1", "L1", "L2", "L3"],
        "substation": ["S1", "S1", "S1", "S2"],
        "source": ["H1", "H1", "H1", "H1"],
    }
)
TREE = SupplyTree.from_homes(HOMES)


def outage(outage_id: str, level: str, code: str, start_s: int, end_s: int | None) -> dict[str, object]:
    return {
        "outage_id": outage_id, "level": level, "code": code, "start_s": start_s, "end_s": end_s, "planned": False,
        "cause": "supplier", "attested_by": "乌主任",
    }  # fmt: skip


def table(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TABLES["outage"].schema, orient="row")


@pytest.mark.parametrize(
    ("level", "code", "homes"),
    [
        pytest.param("source", "H1", ["B1-1", "B1-2", "B2-1", "B3-1"], id="source"),
        pytest.param("substation", "S1", ["B1-1", "B1-2", "B2-1"], id="substation"),
        pytest.param("loop", "L1", ["B1-1", "B1-2"], id="loop"),
        pytest.param("building", "B2", ["B2-1"], id="building"),
        pytest.param("home", "B3-1", ["B3-1"], id="home"),
        pytest.param("building", "B9", [], id="unknown"),
    ],
)
def test_levels(level: str, code: str, homes: list[str]) -> None:
    found = outage_homes(table(outage("O1", level, code, 0, 90_000)), TREE)
    assert found["home"].to_list() == homes
    assert check("outage_home", found) == []


def test_overlaps_stay_apart_and_open_ends_stay_open() -> None:
    found = outage_homes(
        table(outage("O1", "substation", "S1", 0, 90_000), outage("O2", "building", "B1", 3_600, None)), TREE
    )
    assert found.filter(pl.col("home") == "B1-2").rows() == [
        ("O1", "B1-2", 0, 90_000, "supplier"),
        ("O2", "B1-2", 3_600, None, "supplier"),
    ]


def test_no_outage_no_row() -> None:
    assert outage_homes(table(), TREE).schema == TABLES["outage_home"].schema


def test_an_unknown_place_is_named() -> None:
    found = unplaced(table(outage("O1", "source", "H1", 0, None), outage("O2", "loop", "L9", 0, None)), TREE)
    assert [(f.row, f.value) for f in found] == [(3, "loop L9")]
