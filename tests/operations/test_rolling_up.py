"""The season's home-days by any engine are those that judging reckons with."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from judged_city import SEASON, judge
from polars.testing import assert_frame_equal

from nuan.operations.city_packs import city_packs
from nuan.operations.judging_basis import basis
from nuan.operations.rolling_up import roll_up
from nuan.telemetry.engine.engines import DuckDb
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db


def test_equals_what_was_judged(registered: None, town_readings: Path, tmp_path: Path) -> None:
    report = judge(town_readings, tmp_path / "runs")
    store = Store(town_readings)
    moment = int(min(report.as_of, datetime.now(UTC)).timestamp())
    stand = basis(SEASON, moment, city_packs(SEASON, None), store.manifest.buckets)
    kernels = roll_up(stand, store, None, tmp_path / "numba")
    with DuckDb() as engine:
        assert roll_up(stand, store, engine, tmp_path / "duckdb") == kernels
    frames = {
        name: pl.read_parquet(tmp_path / name / "home_days" / "*.parquet").sort("home", "day")
        for name in ("numba", "duckdb")
    }
    assert_frame_equal(frames["numba"], frames["duckdb"])
    seasons = [pl.read_parquet(tmp_path / name / "seasons" / "*.parquet").sort("home") for name in ("numba", "duckdb")]
    assert_frame_equal(*seasons)
    judged = pl.read_parquet(f"{tmp_path}/runs/{report.run_id:06d}/home_days/*.parquet").sort("home", "day")
    common = [name for name in frames["duckdb"].columns if name in judged.columns]
    assert_frame_equal(
        frames["duckdb"].select(common), judged.select(common).cast(frames["duckdb"].select(common).schema)
    )
    assert (kernels.homes, kernels.home_days) == (report.homes, judged.height)
