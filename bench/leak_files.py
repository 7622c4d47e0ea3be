"""A season as the files that `nuan leaks replay` reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from bench.leak_seasons import Seen

from nuan.network.formats import nuan_json
from nuan.network.graph import Network
from nuan.network.leaks.points import Point

START_S = 1_767_225_600
"""2026-01-01 00:00 UTC."""


def write(folder: Path, network: Network, what: Seen) -> None:
    """network.json, points.csv, series.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.json").write_text(nuan_json.write(network), encoding="utf-8")
    write_points(folder, what.points)
    stamps = pl.from_epoch(pl.Series("time", what.time_s.astype(np.int64) + START_S), "s").dt.strftime(
        "%Y-%m-%d %H:%M:%S"
    )
    columns = {point.column: what.values[:, i] for i, point in enumerate(what.points)}
    pl.DataFrame({"time": stamps, **columns}).fill_nan(None).write_csv(folder / "series.csv", float_precision=4)


def write_points(folder: Path, points: Sequence[Point]) -> None:
    pl.DataFrame({
        "point": [point.column for point in points], "quantity": [point.quantity for point in points],
        "unit": [point.unit for point in points], "asset_kind": [point.asset_kind for point in points],
        "asset_id": [point.asset for point in points], "side": [point.side for point in points],
    }).write_csv(folder / "points.csv")  # fmt: skip
