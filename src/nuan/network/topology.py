"""The supply tree: whom a source, station, loop or building feeds. Integer parents, so that a million homes map in a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.terms.findings import Finding

CHAIN = ("source", "substation", "loop", "building", "home")


@dataclass(frozen=True)
class SupplyTree:
    """`codes[level]` in order of index; `home_ancestors[level][i]` is the index of home i's ancestor on that level (−1: none)."""

    codes: Mapping[str, Sequence[str]]
    home_ancestors: Mapping[str, NDArray[np.int32]]
    _index: Mapping[str, Mapping[str, int]]

    @classmethod
    def from_parents(cls, parents: Mapping[str, pl.DataFrame]) -> "tuple[SupplyTree, list[Finding]]":
        """Build from frames `code`, `parent` for substation, loop, building and home (source: `code` only).

        Findings name every place whose parent does not exist and every code that is given twice.
        """
        findings: list[Finding] = []
        codes: dict[str, list[str]] = {}
        index: dict[str, dict[str, int]] = {}
        links: dict[str, NDArray[np.int32]] = {}
        for depth, level in enumerate(CHAIN):
            names = parents[level]["code"].to_list()
            codes[level] = names
            index[level] = {name: i for i, name in enumerate(names)}
            if len(index[level]) < len(names):
                for name in parents[level].filter(pl.col("code").is_duplicated())["code"].unique(maintain_order=True):
                    findings.append(
                        Finding(
                            level,
                            "duplicate_code",
                            "编号重复",
                            "the code is given twice",
                            "每个编号只能出现一次。",
                            field="code",
                            value=name,
                        )
                    )
            if depth == 0:
                continue
            above = index[CHAIN[depth - 1]]
            link = np.fromiter((above.get(p, -1) for p in parents[level]["parent"]), dtype=np.int32, count=len(names))
            links[level] = link
            for i in np.flatnonzero(link < 0):
                findings.append(
                    Finding(
                        level, "orphan", f"上级“{parents[level]['parent'][int(i)]}”不存在", "the parent does not exist",
                        "请先登记上级，或改正编号。", row=int(i) + 2, field="parent", value=names[int(i)],
                    )
                )  # fmt: skip
        ancestors: dict[str, NDArray[np.int32]] = {}
        current = np.arange(len(codes["home"]), dtype=np.int32)
        ancestors["home"] = current
        for depth in range(len(CHAIN) - 1, 0, -1):
            link = links[CHAIN[depth]]
            current = np.where(current >= 0, link[current] if link.size else -1, -1).astype(np.int32)
            ancestors[CHAIN[depth - 1]] = current
        return cls(codes, ancestors, index), findings

    def home_indices_under(self, level: str, code: str) -> NDArray[np.int64]:
        """Indices of the homes that a place feeds; empty when the code is not known."""
        at = self._index[level].get(code)
        if at is None:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.home_ancestors[level] == at)

    def homes_under(self, level: str, code: str) -> list[str]:
        homes = self.codes["home"]
        return [homes[int(i)] for i in self.home_indices_under(level, code)]
