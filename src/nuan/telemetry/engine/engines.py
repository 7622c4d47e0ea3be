"""Engines that run the text: DuckDB in this process, or whatever speaks Spark SQL over the same files.

An engine knows two things that differ between them: how a view over Parquet files is made, and how whole numbers are divided.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import duckdb
import pyarrow as pa

from nuan.telemetry.closing import Closing

ANSWER_S = 20
"""How long a server may take to answer."""


class EngineError(RuntimeError):
    """An engine that cannot be had, or does not answer; says what to do."""


class Engine(Protocol):
    division: str

    def files(self, name: str, paths: Sequence[Path], schema: dict[str, str]) -> None:
        """A view of Parquet files with these columns (name → type); empty where there are none."""

    def table(self, name: str, table: pa.Table) -> None:
        """A view of a small table that is here."""

    def ask(self, text: str) -> pa.Table: ...

    def close(self) -> None: ...


class DuckDb(Closing):
    """In this process. `memory` bounds what it takes, e.g. 4GB; it spills to disk then."""

    division = "//"

    def __init__(self, memory: str = "", threads: int = 2) -> None:
        self._connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
        if memory:
            self._connection.execute("set memory_limit = ?", [memory])

    def files(self, name: str, paths: Sequence[Path], schema: dict[str, str]) -> None:
        columns = ", ".join(schema)
        quoted = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        if paths:
            source = f"select {columns} from read_parquet([{quoted}], hive_partitioning = false, union_by_name = true)"
        else:
            source = f"select {', '.join(f'cast(null as {kind}) as {column}' for column, kind in schema.items())} where false"
        self._connection.execute(f"create or replace temp view {name} as {source}")

    def table(self, name: str, table: pa.Table) -> None:
        self._connection.register(name, table)

    def ask(self, text: str) -> pa.Table:
        return self._connection.sql(text).to_arrow_table()

    def close(self) -> None:
        self._connection.close()


class Spark(Closing):
    """A session of pyspark: Spark Connect (Apache Spark's or Sail's), or a classic one that somebody made.

    `prefix` replaces the store's folder where the cluster sees it elsewhere, e.g. `s3a://heat/readings`.
    """

    division = "div"

    def __init__(self, session: Any, root: Path, prefix: str = "") -> None:
        self._session, self._root, self._prefix = session, root, prefix.rstrip("/")

    @classmethod
    def connect(cls, url: str, root: Path, prefix: str = "") -> Self:
        """Raises EngineError with a sentence that says what is missing."""
        try:
            import grpc
            from pyspark.sql import SparkSession
            from pyspark.sql.connect.client import ChannelBuilder
        except ImportError as error:
            raise EngineError(
                f"没有 pyspark（{error}）：pip install 'pyspark[connect]>=3.5,<4' / pyspark is not installed"
            ) from error
        try:
            # pyspark itself would try for a quarter of an hour
            with ChannelBuilder(url).toChannel() as channel:
                grpc.channel_ready_future(channel).result(timeout=ANSWER_S)
            session = SparkSession.builder.remote(url).getOrCreate()
        except Exception as error:
            raise EngineError(f"{url} 没有应答 / no answer ({type(error).__name__} {error})") from error
        return cls(session, root, prefix)

    def _seen(self, path: Path) -> str:
        return f"{self._prefix}/{path.relative_to(self._root).as_posix()}" if self._prefix else str(path.resolve())

    def files(self, name: str, paths: Sequence[Path], schema: dict[str, str]) -> None:
        if paths:
            frame = self._session.read.parquet(*(self._seen(path) for path in paths)).select(*schema)
        else:
            frame = self._session.createDataFrame([], ", ".join(f"{column} {kind}" for column, kind in schema.items()))
        frame.createOrReplaceTempView(name)

    def table(self, name: str, table: pa.Table) -> None:
        self._session.createDataFrame(table.to_pandas()).createOrReplaceTempView(name)

    def ask(self, text: str) -> pa.Table:
        return pa.Table.from_pandas(self._session.sql(text).toPandas(), preserve_index=False)

    def close(self) -> None:
        self._session.stop()
