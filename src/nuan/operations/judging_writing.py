"""Judgements into the records: only what came out otherwise than before is added; what no longer comes out is no longer current."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from django.db import connection

from nuan.operations.bulk import copy_in
from nuan.records.supervision.models import HomeSeason, Judgement, Run

_RESULT = (
    "clause", "subject_level", "subject", "item", "company_code", "banner_code", "period_start", "period_end", "verdict", "why",
    "value", "threshold", "unit", "amount_fen", "branch", "pack", "facts",
)  # fmt: skip
_WRITTEN = (*_RESULT, "pack_version", "digest")
_SAME = """c.clause = f.clause AND c.subject_level = f.subject_level AND c.subject = f.subject AND c.item = f.item"""
_ADD = f"""
WITH added AS (
    INSERT INTO supervision_judgement (run_id, {", ".join(_WRITTEN)})
    SELECT %(run)s, {", ".join(f"f.{name}" for name in _WRITTEN)} FROM stage_supervision_judgement f
    WHERE NOT EXISTS (
        SELECT 1 FROM supervision_currentjudgement c JOIN supervision_judgement j ON j.id = c.judgement_id
        WHERE {_SAME} AND c.season = %(season)s AND j.digest = f.digest)
    ORDER BY f.clause, f.subject, f.item
    RETURNING id, clause, subject_level, subject, item, verdict, company_code, banner_code, amount_fen)
INSERT INTO supervision_currentjudgement
    (judgement_id, clause, subject_level, subject, item, verdict, company_code, banner_code, amount_fen, season)
SELECT added.*, %(season)s FROM added
ON CONFLICT (clause, subject_level, subject, item, season) DO UPDATE SET judgement_id = excluded.judgement_id, verdict = excluded.verdict,
    company_code = excluded.company_code, banner_code = excluded.banner_code, amount_fen = excluded.amount_fen
"""
_DROP = f"""
DELETE FROM supervision_currentjudgement c
WHERE c.subject_level = ANY(%(levels)s) AND c.subject = ANY(%(subjects)s)
  AND c.season = %(season)s AND NOT EXISTS (SELECT 1 FROM stage_supervision_judgement f WHERE {_SAME})
"""
_SEASON_FIGURES = (
    "days", "days_met", "days_breached", "days_undecidable", "hours_below", "longest_below_h", "min_c100", "mean_c100", "first_day",
    "last_day", "last_temp_c100", "last_time_s", "threshold_c100",
)  # fmt: skip
_UPSERT_SEASONS = f"""
INSERT INTO supervision_homeseason AS old (home_id, season, run_id, {", ".join(_SEASON_FIGURES)})
SELECT home_id, season, run_id, {", ".join(_SEASON_FIGURES)} FROM stage_supervision_homeseason ORDER BY home_id
ON CONFLICT (home_id, season) DO UPDATE SET run_id = excluded.run_id, {", ".join(f"{n} = excluded.{n}" for n in _SEASON_FIGURES)}
WHERE ({", ".join(f"old.{n}" for n in _SEASON_FIGURES)}) IS DISTINCT FROM ({", ".join(f"excluded.{n}" for n in _SEASON_FIGURES)})
"""
# Pieces are small beside the tables, whatever the statistics of a table that is just being filled may say.
_BY_INDEX = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"


def as_recorded(frame: pl.DataFrame, season: str) -> pl.DataFrame:
    """Rule columns → columns of the records, with the digest of the result. The version of the pack is not part of the result."""
    renamed = frame.with_columns(
        pl.when(pl.col("item") == "season").then(pl.lit(season)).otherwise("item").alias("item"),
        pl.col("why").fill_null(""),
        pl.col("unit").fill_null(""),
    ).rename({"company": "company_code", "banner": "banner_code"})
    lines = renamed.select(_RESULT).write_csv(include_header=False, null_value="\\N").splitlines()
    digests = [hashlib.sha256(line.encode()).hexdigest() for line in lines]
    return renamed.with_columns(pl.Series("digest", digests, dtype=pl.String)).select(_WRITTEN)


def write_judgements(run: Run, recorded: pl.DataFrame, levels: Sequence[str], subjects: Sequence[str]) -> int:
    """How many rows were added; inside a transaction. `recorded` is everything that is now judged of `subjects`."""
    copy_in(Judgement, recorded)
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX ON stage_supervision_judgement (clause, subject_level, subject, item)")
        cursor.execute(_BY_INDEX)
        cursor.execute(_ADD, {"run": run.pk, "season": run.season})
        added = cursor.rowcount
        cursor.execute(_DROP, {"levels": list(levels), "subjects": list(subjects), "season": run.season})
        cursor.execute("DROP TABLE stage_supervision_judgement")
    return int(added)


def write_home_seasons(run: Run, seasons: pl.DataFrame, homes: Sequence[str]) -> None:
    """One row a home; a row whose figures are the same stays as it is. Before the season begins the `homes` have none."""
    codes = seasons["home"].to_list()
    if not codes:
        HomeSeason.objects.filter(season=run.season, home__code__in=list(homes)).delete()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, id FROM registry_home WHERE code = ANY(%s)", [codes])
        ids = pl.DataFrame(cursor.fetchall(), schema={"home": pl.String, "home_id": pl.Int64}, orient="row")
    frame = seasons.join(ids, on="home").select(
        "home_id", pl.lit(run.season).alias("season"), pl.lit(run.pk).alias("run_id"), *_SEASON_FIGURES
    )
    copy_in(HomeSeason, frame)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT_SEASONS)
        cursor.execute("DROP TABLE stage_supervision_homeseason")


def write_parquet(folder: Path, kind: str, name: str, frame: pl.DataFrame) -> None:
    """`folder/<kind>/<name>.parquet`, complete or not there."""
    path = folder / kind / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    frame.write_parquet(part, compression="zstd", compression_level=1)
    part.replace(path)
