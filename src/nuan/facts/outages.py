"""An interruption somewhere in the tree becomes an interruption for each home below it."""

import polars as pl

from nuan.facts.schemas import empty
from nuan.network.topology import SupplyTree


def outage_homes(outages: pl.DataFrame, tree: SupplyTree) -> pl.DataFrame:
    """`outage` × tree → `outage_home`. Overlaps on several levels are kept apart here; the refund rule merges them."""
    parts = [empty("outage_home")]
    for row in outages.iter_rows(named=True):
        homes = tree.homes_under(row["level"], row["code"])
        parts.append(
            pl.DataFrame(
                {
                    "outage_id": [row["outage_id"]] * len(homes),
                    "home": homes,
                    "start_s": [row["start_s"]] * len(homes),
                    "end_s": [row["end_s"]] * len(homes),
                    "cause": [row["cause"]] * len(homes),
                },
                schema=empty("outage_home").schema,
            )
        )
    return pl.concat(parts)
