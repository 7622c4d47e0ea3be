"""Whom a place feeds."""

import itertools
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.network.topology import CHAIN, SupplyTree, UnknownHomeError


def frame(rows: list[tuple[str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"code": pl.String, "parent": pl.String}, orient="row")


PARENTS = {
    "source": pl.DataFrame({"code": ["H01", "H02"]}),
    "substation": frame([("S1", "H01"), ("S2", "H01"), ("S3", "H02")]),
    "loop": frame([("S1-L1", "S1"), ("S1-L2", "S1"), ("S2-L1", "S2"), ("S3-L1", "S3")]),
    "building": frame([("B1", "S1-L1"), ("B2", "S1-L2"), ("B3", "S2-L1"), ("B4", "S3-L1")]),
    "home": frame([("B1-1", "B1"), ("B2-1", "B2"), ("B3-1", "B3"), ("B1-2", "B1"), ("B4-1", "B4")]),
}


@pytest.mark.parametrize(
    ("level", "code", "homes"),
    [
        pytest.param("source", "H01", ["B1-1", "B2-1", "B3-1", "B1-2"], id="a source feeds all its stations"),
        pytest.param("source", "H02", ["B4-1"], id="the other source"),
        pytest.param("substation", "S1", ["B1-1", "B2-1", "B1-2"], id="a station feeds both loops"),
        pytest.param("loop", "S1-L2", ["B2-1"], id="a loop"),
        pytest.param("building", "B1", ["B1-1", "B1-2"], id="a building"),
        pytest.param("home", "B1-2", ["B1-2"], id="a home feeds itself"),
        pytest.param("building", "B9", [], id="an unknown building feeds nobody"),
        pytest.param("city", "1506", [], id="a level that is no part of the network"),
    ],
)
def test_homes_under(level: str, code: str, homes: list[str]) -> None:
    tree, findings = SupplyTree.from_parents(PARENTS)
    assert findings == []
    assert tree.homes_under(level, code) == homes


def test_the_way_up() -> None:
    tree, _ = SupplyTree.from_parents(PARENTS)
    assert tree.ancestors("B2-1") == {"building": "B2", "loop": "S1-L2", "substation": "S1", "source": "H01"}
    assert tree.knows("loop", "S1-L2")
    assert not tree.knows("loop", "S9-L1")
    with pytest.raises(UnknownHomeError, match="B9-9"):
        tree.ancestors("B9-9")


def test_orphans_are_named_once_and_feed_nobody() -> None:
    broken = PARENTS | {"building": frame([("B1", "S9-L1"), ("B2", "S1-L2"), ("B3", "S9-L1"), ("B4", None)])}
    tree, findings = SupplyTree.from_parents(broken)
    assert [(f.code, f.row, f.value, f.count) for f in findings] == [("orphan", 2, "B1", 2), ("orphan", 5, "B4", 1)]
    assert "S9-L1" in findings[0].sentence()
    assert tree.homes_under("source", "H01") == ["B2-1"]
    assert tree.homes_under("building", "B1") == ["B1-1", "B1-2"]
    assert tree.ancestors("B1-1") == {"building": "B1", "loop": None, "substation": None, "source": None}


def test_a_code_given_twice_stands_once() -> None:
    doubled = PARENTS | {"home": frame([("B1-1", "B1"), ("B2-1", "B2"), ("B1-1", "B3")])}
    tree, findings = SupplyTree.from_parents(doubled)
    assert [(f.code, f.row, f.value, f.count) for f in findings] == [("duplicate_code", 4, "B1-1", 1)]
    assert tree.homes_under("building", "B1") == ["B1-1"]
    assert tree.homes_under("building", "B3") == []


def test_homes_with_gaps_in_their_way_up() -> None:
    ways = {
        "building": ["B1", "B1", None],
        "loop": ["L1", "L1", "L1"],
        "substation": ["S1", "S1", None],
        "source": ["H1", "H1", "H1"],
    }
    tree = SupplyTree.from_homes(pl.DataFrame({"home": ["A", "A", "C"], **ways}))
    assert tree.homes_under("source", "H1") == ["A", "C"]
    assert tree.homes_under("substation", "S1") == ["A"]
    assert tree.ancestors("C") == {"building": None, "loop": "L1", "substation": None, "source": "H1"}


def test_a_tree_without_homes() -> None:
    bare = {level: frame([]) for level in CHAIN}
    tree, findings = SupplyTree.from_parents(bare)
    assert findings == []
    assert tree.homes_under("source", "H01") == []


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_both_ways_of_building_agree_with_a_walk(seed: int, count: int) -> None:
    """Every level by hand: a home is under a place when the walk upwards meets it."""
    random = np.random.default_rng(seed)
    sizes = {"source": 2, "substation": 4, "loop": 6, "building": 9, "home": count}
    parents = {"source": pl.DataFrame({"code": [f"source{i}" for i in range(2)]})}
    above: dict[str, str] = {}
    for upper, lower in itertools.pairwise(CHAIN):
        rows = [(f"{lower}{i}", f"{upper}{random.integers(sizes[upper])}") for i in range(sizes[lower])]
        above |= dict(rows)
        parents[lower] = frame(rows)
    walked: dict[str, list[str]] = {}
    ways: list[dict[str, str]] = []
    for home in parents["home"]["code"]:
        at, way = home, {"home": home}
        walked.setdefault(at, []).append(home)
        for level in reversed(CHAIN[:-1]):
            at = above[at]
            way[level] = at
            walked.setdefault(at, []).append(home)
        ways.append(way)
    from_parents, _ = SupplyTree.from_parents(parents)
    from_homes = SupplyTree.from_homes(pl.DataFrame(ways))
    for tree in (from_parents, from_homes):
        for level in CHAIN:
            for place in range(sizes[level]):
                assert tree.homes_under(level, f"{level}{place}") == walked.get(f"{level}{place}", [])


def test_a_quarter_of_a_million_homes_map_in_a_moment() -> None:
    homes = 250_000
    index = pl.DataFrame({"at": np.arange(homes)})
    table = index.select(
        ("h" + pl.col("at").cast(pl.String)).alias("home"),
        *(
            (level[0] + (pl.col("at") // size).cast(pl.String)).alias(level)
            for level, size in {"building": 40, "loop": 200, "substation": 400, "source": 50_000}.items()
        ),
    )
    started = time.process_time()
    tree = SupplyTree.from_homes(table)
    reached = sum(len(tree.home_indices_under("building", f"b{i}")) for i in range(homes // 40))
    assert reached == homes
    assert time.process_time() - started < 5
