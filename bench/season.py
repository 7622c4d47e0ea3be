"""A season's verdicts over 20 000 homes × 183 days × 24 h: our kernels, DuckDB SQL and pandas on the same segments, equal results asserted.

python -m bench.season [--quick]
"""

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from bench.room_hours import DAYS, START_S, home_keys, room_hours

from nuan.telemetry.readings import GAP, UNTRUSTED, ReadingBatch
from nuan.telemetry.rollups.buckets import BucketSeason, city_season, homes_season
from nuan.telemetry.rollups.season import BREACHED, UNDECIDABLE, Demand, Span
from nuan.telemetry.store import Store
from nuan.terms.places import DAY_S, day_start, local_day

RESULTS = Path(__file__).parent / "results" / "season.json"
DEMAND = Demand(threshold_c100=1800, above_c100=2600, min_covered_pct=75, window_days=30)
SPAN = Span.of(START_S, START_S + DAYS * DAY_S)
DAY_COLUMNS = ["series", "day", "covered", "minimum", "mean", "below", "longest", "above"]
SEASON_COLUMNS = [
    "series", "hours_covered", "hours_below", "longest_below_h", "days_breached", "days_undecidable", "worst_window",
    "minimum", "first_day", "last_day",
]  # fmt: skip


@dataclass
class Answer:
    """The same two tables from each engine, sorted; and what they cost."""

    days: dict[str, np.ndarray]
    season: dict[str, np.ndarray]
    cpu_s: float = 0.0
    wall_s: float = 0.0


def build(root: Path, homes: int, buckets: int = 64, noise_c100: float = 5.0) -> None:
    with Store(root, write=True, buckets=buckets) as store:
        keys = [key for bucket in home_keys(homes, buckets).values() for key in bucket]
        values, flags = room_hours(0, homes, noise_c100=noise_c100)
        store.load_dense("room_temp", keys, START_S, 3600, values, flags)


def timed(question: Callable[[], Any]) -> tuple[Any, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    answer = question()
    return answer, time.process_time() - cpu, time.perf_counter() - wall


def with_kernels(root: Path) -> list[BucketSeason]:
    return list(city_season(Store(root), SPAN, DEMAND))


def from_kernels(root: Path, parts: list[BucketSeason]) -> Answer:
    store = Store(root)
    ids = np.concatenate([store.series.in_bucket("room_temp", part.bucket) for part in parts])
    order = np.argsort(ids)
    days = {n: np.concatenate([getattr(p.days, n) for p in parts])[order] for n in DAY_COLUMNS[2:]}
    season = {n: np.concatenate([getattr(p.season, n) for p in parts])[order] for n in SEASON_COLUMNS[1:]}
    known = days["covered"] > 0
    rows, columns = np.nonzero(known)
    table = {"series": ids[order][rows], "day": SPAN.first_day + columns}
    return Answer(table | {n: days[n][known] for n in DAY_COLUMNS[2:]}, {"series": ids[order]} | season)


SQL_DAYS = """
create or replace temp table home_day as
with hours as (
    select series, time_s // 3600 as hour, (time_s + 28800) // 86400 as day, value
    from {source} where value is not null and flags & {untrusted} = 0
),
runs as (
    select series, day, max(n) as longest from (
        select series, day, count(*) as n from (
            select series, day, hour - row_number() over (partition by series, day order by hour) as island
            from hours where value < {threshold}
        ) group by series, day, island
    ) group by series, day
),
days as (
    select series, day, count(*) as covered, min(value) as minimum, sum(value) as total,
           count(*) filter (value < {threshold}) as below, count(*) filter (value > {above}) as above
    from hours group by series, day
)
select series, day, covered, minimum, (2 * total + covered) // (2 * covered) as mean, below,
       coalesce(longest, 0) as longest, above,
       case when below > 0 then 2 when covered * 100 >= {percent} * 24 then 1 else 3 end as verdict
from days left join runs using (series, day)
"""
SQL_SEASON = """
create or replace temp table season as
with runs as (
    select series, max(n) as longest_below_h from (
        select series, count(*) as n from (
            select series, time_s // 3600 - row_number() over (partition by series order by time_s) as island
            from {source} where value < {threshold} and flags & {untrusted} = 0
        ) group by series, island
    ) group by series
),
windows as (
    select series, max(n) as worst_window from (
        select series, count(*) over (
            partition by series order by day range between {window} - 1 preceding and current row
        ) as n
        from home_day where verdict = 2
    ) group by series
),
homes as (
    select series, sum(covered) as hours_covered, sum(below) as hours_below, count(*) filter (verdict = 2) as days_breached,
           {days} - count(*) filter (verdict < 3) as days_undecidable, min(minimum) as minimum,
           max(verdict) filter (day = {first}) as first_day, max(verdict) filter (day = {last}) as last_day
    from home_day group by series
)
select series, hours_covered, hours_below, coalesce(longest_below_h, 0) as longest_below_h, days_breached, days_undecidable,
       coalesce(worst_window, 0) as worst_window, minimum, coalesce(first_day, 3) as first_day, coalesce(last_day, 3) as last_day
from homes left join runs using (series) left join windows using (series)
"""


def with_duckdb(root: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2})
    words = {
        "source": Store(root).duckdb_source("room_temp"), "untrusted": UNTRUSTED, "threshold": DEMAND.threshold_c100,
        "above": DEMAND.above_c100, "percent": DEMAND.min_covered_pct, "window": DEMAND.window_days, "days": DAYS,
        "first": SPAN.first_day, "last": SPAN.first_day + DAYS - 1,
    }  # fmt: skip
    connection.execute(SQL_DAYS.format(**words))
    connection.execute(SQL_SEASON.format(**words))
    return connection


def from_duckdb(connection: duckdb.DuckDBPyConnection) -> Answer:
    days = connection.sql(f"select {', '.join(DAY_COLUMNS)} from home_day order by series, day").fetchnumpy()
    season = connection.sql(f"select {', '.join(SEASON_COLUMNS)} from season order by series").fetchnumpy()
    return Answer(days, season)


def _islands(frame: pd.DataFrame, by: list[str]) -> pd.Series:
    """The longest run of consecutive hours of each group."""
    island = frame["hour"] - frame.groupby(by).cumcount()
    sizes = frame.groupby([*by, island.rename("island")]).size()
    return sizes.groupby(level=by).max()


def with_pandas(root: Path) -> Answer:
    files = [root / segment.path for segment in Store(root).manifest.segments]
    columns = ["series", "time_s", "value", "flags"]
    hours = pd.concat([pd.read_parquet(path, columns=columns) for path in files], ignore_index=True)
    hours = hours[hours["value"].notna() & ((hours["flags"] & UNTRUSTED) == 0)]
    hours = hours.assign(
        value=hours["value"].astype("int32"), hour=hours["time_s"] // 3600, day=(hours["time_s"] + 28_800) // DAY_S
    ).sort_values(["series", "time_s"], kind="stable")
    hours["cold"], hours["warm"] = hours["value"] < DEMAND.threshold_c100, hours["value"] > DEMAND.above_c100
    days = hours.groupby(["series", "day"]).agg(
        covered=("value", "size"),
        minimum=("value", "min"),
        total=("value", "sum"),
        below=("cold", "sum"),
        above=("warm", "sum"),
    )
    days["mean"] = (2 * days["total"] + days["covered"]) // (2 * days["covered"])
    cold = hours[hours["cold"]]
    days["longest"] = _islands(cold, ["series", "day"]).reindex(days.index, fill_value=0)
    met = days["covered"] * 100 >= DEMAND.min_covered_pct * 24
    days["verdict"] = np.where(days["below"] > 0, 2, np.where(met, 1, 3))
    days = days.reset_index()
    grouped = days.groupby("series")
    season = grouped.agg(hours_covered=("covered", "sum"), hours_below=("below", "sum"), minimum=("minimum", "min"))
    breached = days[days["verdict"] == 2]
    season["days_breached"] = breached.groupby("series").size().reindex(season.index, fill_value=0)
    season["days_undecidable"] = DAYS - days[days["verdict"] < 3].groupby("series").size().reindex(
        season.index, fill_value=0
    )
    season["longest_below_h"] = _islands(cold, ["series"]).reindex(season.index, fill_value=0)
    dated = breached.assign(date=pd.to_datetime(breached["day"], unit="D"), one=1).set_index("date")
    rolling = dated.groupby("series")["one"].rolling(f"{DEMAND.window_days}D").sum()
    season["worst_window"] = rolling.groupby(level="series").max().reindex(season.index, fill_value=0).astype("int64")
    for name, day in (("first_day", SPAN.first_day), ("last_day", SPAN.first_day + DAYS - 1)):
        season[name] = (
            days[days["day"] == day].set_index("series")["verdict"].reindex(season.index, fill_value=UNDECIDABLE)
        )
    season = season.reset_index()
    return Answer({n: days[n].to_numpy() for n in DAY_COLUMNS}, {n: season[n].to_numpy() for n in SEASON_COLUMNS})


def assert_equal(ours: Answer, theirs: Answer, who: str) -> None:
    for name in DAY_COLUMNS:
        np.testing.assert_array_equal(ours.days[name], theirs.days[name], err_msg=f"{who}: home_day.{name}")
    for name in SEASON_COLUMNS:
        np.testing.assert_array_equal(ours.season[name], theirs.season[name], err_msg=f"{who}: season.{name}")


def rejudge_one(root: Path) -> dict[str, Any]:
    """A late cold reading for one home: only that home is read and rolled up again."""
    with Store(root, write=True) as store:
        before, seen = {part.bucket: part for part in city_season(store, SPAN, DEMAND)}, store.offset
        series = int(store.series.in_bucket("room_temp", store.buckets_of("room_temp")[0])[0])
        home = store.series.key(series).place
        moment = np.array([day_start(SPAN.first_day + 100) + 7200])
        store.append(ReadingBatch.of(series, moment, np.array([1200], np.int32), revision=1))

        def judge_again() -> list[BucketSeason]:
            homes = {store.series.key(int(i)).place for i in store.touched_since(seen)["series"]}
            assert homes == {home}, homes
            return list(homes_season(store, homes, SPAN, DEMAND))

        again, cpu, wall = timed(judge_again)
    assert [part.homes for part in again] == [[home]]
    assert again[0].season.verdicts[0, 100] == BREACHED
    part = before[again[0].bucket]
    changed = np.flatnonzero(part.season.verdicts[part.homes.index(home)] != again[0].season.verdicts[0])
    assert set(changed.tolist()) <= {100}
    assert local_day(int(moment[0])) == SPAN.first_day + 100
    return {"homes_rejudged": 1, "wall_ms": round(wall * 1000, 1), "cpu_ms": round(cpu * 1000, 1)}


def machine() -> dict[str, str]:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "",
    )
    return {"cpu": model, "python": platform.python_version(), "duckdb": duckdb.__version__, "pandas": pd.__version__}


def run(quick: bool = False) -> dict[str, Any]:
    """Times are CPU seconds of the process over all its threads; each engine starts from the files."""
    homes = 2_000 if quick else 20_000
    with tempfile.TemporaryDirectory(prefix="nuan-bench-") as folder:
        warm_up, root = Path(folder) / "warm", Path(folder) / "city"
        build(warm_up, 200)
        with_kernels(warm_up)
        build(root, homes)
        stats = Store(root).stats()
        best: Answer | None = None
        for _ in range(3):
            parts, cpu, wall = timed(lambda: with_kernels(root))
            if best is None or cpu < best.cpu_s:
                best = from_kernels(root, parts)
                best.cpu_s, best.wall_s = cpu, wall
        assert best is not None
        best_duckdb: tuple[float, float] | None = None
        for _ in range(2):
            connection, cpu, wall = timed(lambda: with_duckdb(root))
            if best_duckdb is None:
                assert_equal(best, from_duckdb(connection), "DuckDB")
            best_duckdb = min(best_duckdb or (cpu, wall), (cpu, wall))
            connection.close()
        assert best_duckdb is not None
        theirs, pandas_cpu, pandas_wall = timed(lambda: with_pandas(root))
        assert_equal(best, theirs, "pandas")
        del theirs
        late = rejudge_one(root)
    return {
        "homes": homes, "readings": stats.readings, "bytes_per_reading": round(stats.bytes_per_reading, 3),
        "kernels": {"cpu_s": round(best.cpu_s, 3), "wall_s": round(best.wall_s, 3)},
        "duckdb": {"cpu_s": round(best_duckdb[0], 3), "wall_s": round(best_duckdb[1], 3)},
        "pandas": {"cpu_s": round(pandas_cpu, 3), "wall_s": round(pandas_wall, 3)},
        "duckdb_over_kernels_cpu": round(best_duckdb[0] / best.cpu_s, 1),
        "pandas_over_kernels_cpu": round(pandas_cpu / best.cpu_s, 1),
        "equal_results": True, "late_reading": late, "gap": GAP, "machine": machine(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 000 homes, nothing kept")
    quick = parser.parse_args().quick
    result = run(quick)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
