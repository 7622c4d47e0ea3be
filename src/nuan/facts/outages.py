"""An interruption somewhere in the tree becomes an interruption for each home below it."""

import numpy as np
import polars as pl

from nuan.facts.schemas import TABLES
from nuan.network.topology import SupplyTree
from nuan.terms.findings import Finding


def outage_homes(outages: pl.DataFrame, tree: SupplyTree) -> pl.DataFrame:
    """`outage` × tree → `outage_home`, outage by outage.

    Overlaps on several levels are kept apart here and the refund rule merges them; an outage that goes on keeps its null end; nothing
    is cut to the season. An outage of an unknown place reaches nobody: `unplaced` names it.
    """
    reached = [
        tree.home_indices_under(level, code)
        for level, code in zip(outages["level"].to_list(), outages["code"].to_list(), strict=True)
    ]
    counts = np.array([len(homes) for homes in reached], dtype=np.int64)
    which = pl.Series(np.repeat(np.arange(len(reached), dtype=np.uint32), counts))
    homes = np.concatenate([*reached, np.zeros(0, dtype=np.int64)])
    frame = outages.select("outage_id", "start_s", "end_s", "cause")[which].with_columns(
        pl.Series("home", tree.codes["home"], dtype=pl.String).gather(pl.Series(homes, dtype=pl.UInt32)).alias("home")
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in TABLES["outage_home"].schema.items())


def unplaced(outages: pl.DataFrame, tree: SupplyTree) -> list[Finding]:
    """Every outage whose place is not in the tree."""
    return [
        Finding(
            "outage", "unknown_place", "停热地点未登记", "the place of the outage is not registered",
            "请先登记该热源、换热站、环路或楼栋，或改正编号。", row=line, field="code", value=f"{row['level']} {row['code']}",
        )
        for line, row in enumerate(outages.select("level", "code").iter_rows(named=True), start=2)
        if not tree.knows(row["level"], row["code"])
    ]  # fmt: skip
