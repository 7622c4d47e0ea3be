"""Rows by the hundred thousand into a table of the records: COPY to a staging table, then one upsert that counts itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from django.db import connection, models
from psycopg import sql

ROWS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows of one table."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)

    @property
    def rows(self) -> int:
        return self.created + self.changed + self.unchanged


class RecordedOtherwiseError(ValueError):
    """Rows that may only be added differ from what is recorded under the same key."""

    def __init__(self, table: str, keys: Sequence[str]) -> None:
        self.table, self.keys = table, keys
        super().__init__(f"already recorded with other content: {', '.join(keys[:5])}")


def upsert(model: type[models.Model], frame: pl.DataFrame, key: Sequence[str], *, add_only: bool = False) -> Counts:
    """Insert what is new, update what differs, leave the rest untouched; inside a transaction of the caller's.

    Columns of `frame` are database columns. `add_only`: a difference is refused (RecordedOtherwiseError), for append-only tables.
    """
    if frame.is_empty():
        return Counts()
    table, stage = sql.Identifier(model._meta.db_table), sql.Identifier("stage_" + model._meta.db_table)
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    rest = [name for name in frame.columns if name not in key]
    copy_in(model, frame)
    same = sql.SQL(" AND ").join(
        sql.SQL("old.{0} = new.{0}").format(sql.Identifier(name)) for name in key
    )  # fmt: skip
    changed = 0
    with connection.cursor() as cursor:
        if rest:
            differs = sql.SQL("({}) IS DISTINCT FROM ({})").format(_qualified("old", rest), _qualified("new", rest))
            if add_only:
                cursor.execute(
                    sql.SQL("SELECT {} FROM {} AS old JOIN {} AS new ON {} WHERE {} ORDER BY 1").format(
                        sql.SQL("new.{}::text").format(sql.Identifier(key[0])), table, stage, same, differs
                    )
                )
                if other := [row[0] for row in cursor.fetchall()]:
                    raise RecordedOtherwiseError(model._meta.verbose_name_plural, other)
            sets = sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in rest)
            cursor.execute(
                sql.SQL("UPDATE {} AS old SET {} FROM {} AS new WHERE {} AND {}").format(
                    table, sets, stage, same, differs
                )
            )
            changed = cursor.rowcount
        cursor.execute(
            sql.SQL(
                "INSERT INTO {0} ({1}) SELECT {1} FROM {2} AS new "
                "WHERE NOT EXISTS (SELECT 1 FROM {0} AS old WHERE {3}) ORDER BY new.ctid"
            ).format(table, columns, stage, same)
        )
        created = cursor.rowcount
        cursor.execute(sql.SQL("DROP TABLE {}").format(stage))
    return Counts(created, changed, frame.height - created - changed)


def _qualified(alias: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in names)


def copy_in(model: type[models.Model], frame: pl.DataFrame) -> None:
    """Fill the staging table of `model`, made anew, with the frame."""
    table, stage = sql.Identifier(model._meta.db_table), sql.Identifier("stage_" + model._meta.db_table)
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                stage, columns, table
            )
        )
        with cursor.copy(
            sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, NULL '\\N')").format(stage, columns)
        ) as out:
            for start in range(0, frame.height, ROWS_AT_ONCE):
                piece = frame.slice(start, ROWS_AT_ONCE)
                out.write(piece.write_csv(include_header=False, null_value="\\N", quote_style="necessary").encode())
        cursor.execute(sql.SQL("ANALYZE {}").format(stage))


def change_rows(model: type[models.Model], frame: pl.DataFrame, key: str = "id") -> int:
    """Set the other columns of the rows that `key` names, all in one statement; how many there were. Inside a transaction."""
    if frame.is_empty():
        return 0
    table, stage = sql.Identifier(model._meta.db_table), sql.Identifier("stage_" + model._meta.db_table)
    copy_in(model, frame)
    sets = sql.SQL(", ").join(
        sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in frame.columns if name != key
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("UPDATE {0} AS old SET {1} FROM {2} AS new WHERE old.{3} = new.{3}").format(
                table, sets, stage, sql.Identifier(key)
            )
        )
        changed = cursor.rowcount
        cursor.execute(sql.SQL("DROP TABLE {}").format(stage))
    return int(changed)


def copy_out(query: sql.Composed, columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """What a query says, as a frame of these columns, by COPY: for many rows."""
    data = copied(query)
    if not data:
        return pl.DataFrame(schema=dict(columns))
    return pl.read_csv(data, has_header=False, new_columns=list(columns), schema_overrides=dict(columns))


def copied(query: sql.Composed) -> bytes:
    """What a query says, as CSV without a head."""
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY ({}) TO STDOUT WITH (FORMAT csv)").format(query)) as rows,
    ):
        return b"".join(rows)


def codes_of(model: type[models.Model], column: str = "code") -> pl.DataFrame:
    """All codes of a table with their primary keys, as columns `code` and `id`."""
    key = model._meta.pk.column if model._meta.pk else "id"
    data = copied(
        sql.SQL("SELECT {}, {} FROM {}").format(
            sql.Identifier(column), sql.Identifier(key), sql.Identifier(model._meta.db_table)
        )
    )
    if not data:
        return pl.DataFrame(schema={"code": pl.String, "id": pl.String})
    return pl.read_csv(data, has_header=False, new_columns=["code", "id"], infer_schema=False)
