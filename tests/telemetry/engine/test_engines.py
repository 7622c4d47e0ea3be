"""One text, several engines: DuckDB, Apache Spark with two executors, Sail's local cluster; each row equals what the kernels say."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from city_for_engines import DEMAND, HOUR, SPAN, START, build
from polars.testing import assert_frame_equal

from nuan.telemetry.engine.engines import DuckDb, Engine, EngineError, Spark
from nuan.telemetry.engine.rollup import city_tables, station_tables, tables_of_kernels, write_tables
from nuan.telemetry.engine.text import HOME_DAYS, SEASON, STATION_HOURS, written_for
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.rollups.buckets import city_season, homes_season
from nuan.telemetry.rollups.station_hour import station_hours
from nuan.telemetry.store import Store
from nuan.telemetry.store.policy import load_policy
from nuan.telemetry.store.retention import retain


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("engines") / "readings"
    build(root)
    return root


@pytest.fixture(scope="module")
def one_bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same city in one bucket: a cluster on two cores takes its seconds for each question, whatever the number of rows."""
    root = tmp_path_factory.mktemp("one") / "readings"
    build(root, buckets=1)
    return root


def equal_to_the_kernels(root: Path, engine: Engine) -> None:
    store = Store(root)
    wanted = [tables_of_kernels(part, SPAN) for part in city_season(store, SPAN, DEMAND)]
    found = list(city_tables(store, engine, SPAN, DEMAND))
    assert [tables.bucket for tables in found] == [tables.bucket for tables in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert_frame_equal(one.days, other.days)
        assert_frame_equal(one.season, other.season)
    whole = pl.concat(tables.season for tables in found)
    assert whole.height == 40
    assert whole["days_breached"].sum() > 20
    assert whole["days_undecidable"].sum() > 20
    assert whole["min_c100"].min() < 0
    hours = station_tables(store, engine, START - HOUR, 90)
    assert_frame_equal(hours, station_hours(store, START - HOUR, 90).cast(hours.schema))
    assert hours.height > 300


def test_duckdb(root: Path) -> None:
    with DuckDb() as engine:
        equal_to_the_kernels(root, engine)


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Sail in local-cluster mode: a driver and workers that speak to each other over the network, in one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("sail")
    server = subprocess.Popen(
        [program, "spark", "server", "--ip", "127.0.0.1", "--port", str(port)],
        env=os.environ | {"SAIL_MODE": "local-cluster", "RUST_LOG": "error"},
        cwd=tmp_path_factory.mktemp("sail"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


ASK = """
import os, sys, time
from pathlib import Path
from test_engines import equal_to_the_kernels
from nuan.telemetry.engine.engines import Spark

root, url = Path(sys.argv[1]), sys.argv[2]
if url.startswith("sc:"):
    engine = Spark.connect(url, root)
else:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master(url).appName("nuan")
        .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "512m").config("spark.executor.extraJavaOptions", os.environ["QUICK_JVM"]).config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.codegen.wholeStage", "false").config("spark.sql.adaptive.enabled", "false").config("spark.sql.autoBroadcastJoinThreshold", "100000")
        .getOrCreate()
    )
    session.range(2).count()  # waits for the first of them
    for _ in range(300):
        deployed = session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1  # the driver is one of them
        if deployed == 2:
            break
        time.sleep(0.2)
    assert deployed == 2, f"{deployed} executors"
    engine = Spark(session, root)
with engine:
    equal_to_the_kernels(root, engine)
print("equal")
"""


QUICK_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""Three JVMs that live for seconds on two cores: to compile for the long run would take most of them."""


def ask(root: Path, url: str) -> None:
    """In a process of its own: a session of pyspark is one for its process, and the classic one brings a JVM."""
    import pyspark

    # workers write into their home: a folder of links keeps that out of the installed package
    home = root.parent / "spark"
    home.mkdir(exist_ok=True)
    for part in Path(pyspark.__file__).parent.iterdir():
        if not (home / part.name).exists():
            (home / part.name).symlink_to(part)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]), "PYSPARK_PYTHON": sys.executable,
        # without a whole distribution of Spark its workers do not know where they are and for which Scala
        "SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.12", "SPARK_LOCAL_IP": "127.0.0.1",
        "QUICK_JVM": QUICK_JVM, "PYSPARK_SUBMIT_ARGS": f"--driver-java-options '{QUICK_JVM}' pyspark-shell",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK, str(root), url],
        env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[:3000]
    assert done.stdout.endswith("equal\n")


def test_sails_local_cluster(one_bucket: Path, sail: str) -> None:
    ask(one_bucket, sail)


def test_apache_spark_with_two_executors(one_bucket: Path) -> None:
    ask(one_bucket, "local-cluster[2,1,1024]")


def test_only_some_homes(root: Path) -> None:
    store, some = Store(root), ["B0002-1-0101", "B0011-1-0101", "nobody"]
    with DuckDb() as engine:
        found = [tables.season for tables in city_tables(store, engine, SPAN, DEMAND, some)]
    wanted = [tables_of_kernels(part, SPAN).season for part in homes_season(store, some, SPAN, DEMAND)]
    assert_frame_equal(pl.concat(found), pl.concat(wanted))
    assert sum(frame.height for frame in found) == 2


def test_readings_in_no_segment_are_not_passed_over(root: Path, tmp_path: Path) -> None:
    build(tmp_path / "readings")
    with Store(tmp_path / "readings", write=True) as store, DuckDb() as engine:
        store.append(ReadingBatch.empty())
        list(city_tables(store, engine, SPAN, DEMAND))
        batch = store.read(0, START, START + HOUR)
        store.append(batch)
        with pytest.raises(EngineError, match="nuan store compact"):
            list(city_tables(store, engine, SPAN, DEMAND))
        store.compact()
        list(city_tables(store, engine, SPAN, DEMAND))
        policy = load_policy("supply_temp: {raw_days: 30, steps: {1h: forever}}")
        retain(store, policy, START + 100 * 86_400)
        with pytest.raises(EngineError, match="only steps"):
            station_tables(store, engine, START, 48)


def test_what_engines_spell_differently_is_one_word() -> None:
    for text in (HOME_DAYS, SEASON, STATION_HOURS):
        numbers = {"percent": 75, "before": 4, "start_s": 0, "end_s": 1}
        duck, spark = (written_for(text, word, numbers) for word in (DuckDb.division, Spark.division))
        assert duck.replace("//", "div") == spark
        assert ":" not in spark


def test_nobody_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c",
         "from pathlib import Path\nfrom nuan.telemetry.engine import engines\nfrom nuan.telemetry.engine.engines import Spark, EngineError\n"
         "engines.ANSWER_S = 2\n"
         "try: Spark.connect('sc://127.0.0.1:9', Path('.'))\nexcept EngineError as error: print(error)"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "no answer" in done.stdout, done.stderr[-2000:]


def test_the_tables_are_written_bucket_by_bucket(root: Path, tmp_path: Path) -> None:
    with DuckDb() as engine:
        for tables in city_tables(Store(root), engine, SPAN, DEMAND):
            write_tables(tmp_path, tables)
    assert pl.read_parquet(tmp_path / "home_days" / "*.parquet").height == 40 * SPAN.days
    assert pl.read_parquet(tmp_path / "seasons" / "*.parquet").height == 40
