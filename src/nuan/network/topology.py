"""The supply tree: whom a source, station, loop or building feeds. Integer parents, so that a million homes map in a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.terms.findings import Finding

CHAIN = ("source", "substation", "loop", "building", "home")


class UnknownHomeError(KeyError):
    def __init__(self, home: str) -> None:
        super().__init__(f"no home “{home}” in the supply tree")


@dataclass(frozen=True)
class SupplyTree:
    """`codes[level]` in order of index; `home_ancestors[level][i]` is the index of home i's ancestor on that level (−1: none).

    A place hangs on exactly one place of the level above, so the tree cannot have a cycle.
    """

    codes: Mapping[str, Sequence[str]]
    home_ancestors: Mapping[str, NDArray[np.int32]]
    _index: Mapping[str, Mapping[str, int]]
    _sorted: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def from_parents(cls, parents: Mapping[str, pl.DataFrame]) -> "tuple[SupplyTree, list[Finding]]":
        """Build from frames `code`, `parent` for substation, loop, building and home (source: `code` only).

        Findings name every code that is given twice (the first stands) and every parent that does not exist, with the lines
        counted as in a file. What hangs on nothing is in the tree and under nobody.
        """
        findings: list[Finding] = []
        codes: dict[str, list[str]] = {}
        index: dict[str, dict[str, int]] = {}
        links: dict[str, NDArray[np.int32]] = {}
        for depth, level in enumerate(CHAIN):
            frame = parents[level]
            findings += _repeated(level, frame)
            first = frame.filter(pl.col("code").is_first_distinct())
            codes[level] = first["code"].to_list()
            index[level] = {name: i for i, name in enumerate(codes[level])}
            if depth == 0:
                continue
            above = index[CHAIN[depth - 1]]
            findings += _orphans(level, frame, codes[CHAIN[depth - 1]])
            links[level] = np.fromiter((above.get(p, -1) for p in first["parent"]), dtype=np.int32, count=first.height)
        current = np.arange(len(codes["home"]), dtype=np.int32)
        ancestors = {"home": current}
        for depth in range(len(CHAIN) - 1, 0, -1):
            link = links[CHAIN[depth]]
            current = np.where(current >= 0, link[current] if link.size else -1, -1).astype(np.int32)
            ancestors[CHAIN[depth - 1]] = current
        return cls(codes, ancestors, index), findings

    @classmethod
    def from_homes(cls, homes: pl.DataFrame) -> "SupplyTree":
        """Build from the fact table `homes`, which names the whole way up for each home. Places that feed no home are not in it.

        A home given twice stands once, where it was first given.
        """
        homes = homes.filter(pl.col("home").is_first_distinct())
        codes: dict[str, list[str]] = {}
        ancestors: dict[str, NDArray[np.int32]] = {}
        for level in CHAIN:
            names = homes[level].drop_nulls().unique(maintain_order=True)
            place = pl.DataFrame({level: names, "at": np.arange(len(names), dtype=np.int32)})
            codes[level] = names.to_list()
            found = homes.select(level).join(place, on=level, how="left", maintain_order="left")
            ancestors[level] = found["at"].fill_null(-1).to_numpy()
        return cls(codes, ancestors, {level: {name: i for i, name in enumerate(codes[level])} for level in CHAIN})

    def home_indices_under(self, level: str, code: str) -> NDArray[np.int64]:
        """Indices, ascending, of the homes that a place feeds; empty when the code is not known."""
        if not self.knows(level, code):
            return np.zeros(0, dtype=np.int64)
        at = self._index[level][code]
        if level not in self._sorted:
            above = self.home_ancestors[level]
            order = np.argsort(above, kind="stable").astype(np.int64)
            starts = np.searchsorted(above[order], np.arange(len(self.codes[level]) + 1)).astype(np.int64)
            self._sorted[level] = (order, starts)
        order, starts = self._sorted[level]
        return order[starts[at] : starts[at + 1]]

    def homes_under(self, level: str, code: str) -> list[str]:
        homes = self.codes["home"]
        return [homes[int(i)] for i in self.home_indices_under(level, code)]

    def ancestors(self, home: str) -> dict[str, str | None]:
        """The way up from a home: its building, loop, substation and source; None from where it hangs on nothing."""
        at = self._index["home"].get(home)
        if at is None:
            raise UnknownHomeError(home)
        found: dict[str, str | None] = {}
        for level in reversed(CHAIN[:-1]):
            above = int(self.home_ancestors[level][at])
            found[level] = self.codes[level][above] if above >= 0 else None
        return found

    def knows(self, level: str, code: str) -> bool:
        return level in self._index and code in self._index[level]


def _repeated(level: str, frame: pl.DataFrame) -> list[Finding]:
    again = frame.with_row_index("line", 2).filter(~pl.col("code").is_first_distinct())
    return [
        Finding(
            level, "duplicate_code", "编号重复", "the code is given twice", "每个编号只能出现一次，以首次出现的为准。",
            row=line, field="code", value=code, count=count,
        )
        for code, line, count in again.group_by("code", maintain_order=True)
        .agg(pl.col("line").first(), pl.len().alias("count"))
        .iter_rows()
    ]  # fmt: skip


def _orphans(level: str, frame: pl.DataFrame, above: Sequence[str]) -> list[Finding]:
    """One finding for each parent that is missing, however many hang on it."""
    lost = frame.with_row_index("line", 2).filter(~pl.col("parent").is_in(list(above)).fill_null(False))
    return [
        Finding(
            level, "orphan", f"上级“{parent or '（空）'}”不存在", f"the parent “{parent or ''}” does not exist", "请先登记上级，或改正编号。",
            row=line, field="parent", value=code, count=count,
        )
        for parent, code, line, count in lost.group_by("parent", maintain_order=True)
        .agg(pl.col("code").first(), pl.col("line").first(), pl.len().alias("count"))
        .iter_rows()
    ]  # fmt: skip
