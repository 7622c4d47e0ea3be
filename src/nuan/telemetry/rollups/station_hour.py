"""Station hours: what each substation's points showed, hour by hour, as means of the trusted readings in the hour."""

from collections.abc import Collection

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.telemetry.series import bucket_of
from nuan.telemetry.store import Store

QUANTITIES = {
    "outdoor_c100": "outdoor_temp",
    "supply_c100": "supply_temp",
    "return_c100": "return_temp",
    "flow_m3h_1000": "flow",
    "heat_kw_10": "heat_power",
}
"""Column of `station_hour` → quantity. Where a station has several points of one quantity, the first position by name counts."""
_WIDE = {"flow_m3h_1000", "heat_kw_10"}


def station_hours(store: Store, start_s: int, n_hours: int, only: Collection[str] | None = None) -> pl.DataFrame:
    """`substation hour_s outdoor_c100 supply_c100 return_c100 flow_m3h_1000 heat_kw_10`, null where nothing is known; an hour of which
    nothing is known makes no row. Sorted by substation and hour. `only`: of these substations, reading no others."""
    wanted = None if only is None else {bucket_of(place, store.manifest.buckets) for place in only}
    hour_s = start_s + 3600 * np.arange(n_hours, dtype=np.int64)
    result = pl.DataFrame(schema={"substation": pl.String, "hour_s": pl.Int64})
    for column, quantity in QUANTITIES.items():
        parts = [
            part
            for bucket in store.buckets_of(quantity)
            if wanted is None or bucket in wanted
            for part in _bucket(store, quantity, bucket, hour_s, column, only)
        ]
        schema = pl.Schema(
            {"substation": pl.String, "hour_s": pl.Int64, column: pl.Int64 if column in _WIDE else pl.Int32}
        )
        frame = pl.concat([pl.DataFrame(schema=schema), *(part.cast(schema) for part in parts)])
        result = result.join(frame, on=["substation", "hour_s"], how="full", coalesce=True)
    return result.sort("substation", "hour_s")


def _bucket(
    store: Store, quantity: str, bucket: int, hour_s: NDArray[np.int64], column: str, only: Collection[str] | None
) -> list[pl.DataFrame]:
    series = store.series.in_bucket(quantity, bucket)
    if only is not None:
        names, place_of = store.series.places(series)
        series = series[np.isin(place_of, [row for row, name in enumerate(names) if name in only])]
    tile = store.dense_hours(quantity, bucket, int(hour_s[0]), len(hour_s), reduce="mean", series=series)
    points = sorted((store.series.key(int(series)), row) for row, series in enumerate(tile.series))
    frames: dict[str, pl.DataFrame] = {}
    for key, row in points:
        known = tile.hours[row] != tile.gap
        frames.setdefault(
            key.place, pl.DataFrame({"hour_s": hour_s[known], column: tile.hours[row][known]}).select(
                pl.lit(key.place).alias("substation"), "hour_s", column
            ),
        )  # fmt: skip
    return list(frames.values())
