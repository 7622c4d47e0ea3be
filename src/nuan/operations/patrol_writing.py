"""Tidy tables about patrols → rows of the records."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from nuan.operations.bulk import Counts, codes_of, upsert
from nuan.records.hazards.models import PatrolPoint, PatrolRoute


def _routes(frame: pl.DataFrame) -> Counts:
    rows = frame.select(
        "code", "name", pl.col("company").alias("company_id"), pl.col("banner").alias("banner_id"), "every_days", "when", "starts_on", "ends_on"
    )  # fmt: skip
    return upsert(PatrolRoute, rows, ["code"])


def _points(frame: pl.DataFrame) -> Counts:
    ids = codes_of(PatrolRoute).select(pl.col("code").alias("route"), pl.col("id").cast(pl.Int64).alias("route_id"))
    rows = frame.join(ids, on="route", how="left", maintain_order="left").select(
        "route_id", "number", "kind", pl.col("place").alias("place_code"), "name", "look_at", "longitude", "latitude", "since", "until"
    )  # fmt: skip
    return upsert(PatrolPoint, rows, ["route_id", "number"])


PATROL_WRITERS: Mapping[str, Callable[[pl.DataFrame], Counts]] = MappingProxyType(
    {"patrol_routes": _routes, "patrol_points": _points}
)
