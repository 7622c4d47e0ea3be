"""`nuan rollup`: a season's home-days as Parquet, by this machine's kernels, by DuckDB, or on a Spark cluster."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nuan.cli.main import setup_records
from nuan.terms.places import CHINA

if TYPE_CHECKING:
    from nuan.telemetry.engine.engines import Engine


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--engine", "engine_name", type=click.Choice(["numba", "duckdb", "spark"]), default="duckdb", show_default=True
)
@click.option("--season", required=True, help="such as 2025-2026")
@click.option("--pack", default=None, help="one jurisdiction pack for all banners instead of each banner's own")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), default=None, help="local time  [default: now]"
)
@click.option("--spark", "url", default=None, help="sc://host:port of Spark Connect or Sail  [default: NUAN_SPARK]")
@click.option(
    "--segments", default="", help="where the cluster sees the folder of readings, such as s3a://heat/readings"
)
@click.option("--memory", default="", help="what DuckDB may take, such as 4GB")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def rollup(
    folder: Path, engine_name: str, season: str, pack: str | None, as_of: datetime | None, url: str | None,
    segments: str, memory: str, as_json: bool,
) -> None:  # fmt: skip
    """Roll a season up into FOLDER/home_days and FOLDER/seasons, one file a bucket, with equal results on every engine.

    Works beside a running intake: what was acknowledged when it began is folded first, and stays where it is until it ends.
    Each home is owed what its banner's pack asks for. Judging itself always uses the kernels; this table is for cities whose readings lie
    on a cluster, and for whoever wants to check ours by other means.

    \b
    nuan rollup out --season 2025-2026
    nuan rollup out --season 2025-2026 --engine spark --spark sc://spark.example:15002 --segments s3a://heat/readings

    Exit code 0: written; 2: not possible (no contracts, no answer from Spark).
    """
    setup_records()
    from django.conf import settings

    from nuan.operations.city_packs import SeasonKeyError, SeasonUnknownError, city_packs
    from nuan.operations.intake_settings import intake_folder
    from nuan.operations.judging_basis import basis
    from nuan.operations.rolling_up import roll_up
    from nuan.operations.store_asks import folded_store
    from nuan.rules.pack import UnknownPack
    from nuan.telemetry.engine.engines import EngineError
    from nuan.telemetry.store import StoreError

    moment = as_of.replace(tzinfo=CHINA) if as_of is not None else datetime.now(UTC)
    try:
        packs, hour_s = city_packs(season, pack), int(moment.timestamp()) // 3600 * 3600
        with folded_store(settings.READINGS_ROOT, intake_folder(settings.NUAN_HOME)) as store:
            stand = basis(season, hour_s, packs, store.manifest.buckets)
            if stand.homes.is_empty():
                raise _impossible(f"{season} 没有合同 / no home has a contract")
            engine = _engine(engine_name, url or os.environ.get("NUAN_SPARK", ""), store.root, segments, memory)
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with Progress(*columns, console=Console(stderr=True), disable=as_json) as bar:
                bar.add_task(f"汇总 {season}（{engine_name}）")
                done = roll_up(stand, store, engine, folder)
            if engine is not None:
                engine.close()
    except (EngineError, SeasonKeyError, SeasonUnknownError, StoreError, UnknownPack) as error:
        raise _impossible(str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(done) | {"engine": engine_name}))
        return
    click.echo(
        f"{done.homes:,} 户、{done.home_days:,} 个户日写入 {folder}，低于标准 {done.hours_below:,} 小时；"
        f"{done.silent:,} 户没有任何有效读数。"
    )


def _engine(name: str, url: str, root: Path, segments: str, memory: str) -> "Engine | None":
    from nuan.telemetry.engine.engines import DuckDb, Spark

    if name == "duckdb":
        return DuckDb(memory)
    if name == "numba":
        return None
    if not url:
        raise _impossible("请用 --spark 或 NUAN_SPARK 写明 sc://主机:端口 / say where Spark Connect is")
    return Spark.connect(url, root, segments)


def _impossible(sentence: str) -> click.ClickException:
    error = click.ClickException(sentence)
    error.exit_code = 2
    return error
