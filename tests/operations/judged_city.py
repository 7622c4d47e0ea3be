"""A synthetic town of 200 homes for the stories about judging: its readings are made once, its records in each test anew."""

from datetime import UTC, datetime
from pathlib import Path

from nuan.buildings.sample_city import City, make_city
from nuan.operations.demo_readings import load_readings
from nuan.operations.import_registry import import_registry
from nuan.operations.judging import RunReport, judge_season
from nuan.telemetry.store import Store
from nuan.terms.places import to_epoch

ACTOR = "刘科"
SEASON = "2025-2026"
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def town() -> City:
    return make_city(200)


def write_readings(root: Path) -> Path:
    city = town()
    load_readings(root, city, to_epoch(city.season.end), lambda *_: None)
    return root


def register() -> None:
    import_registry(town().tables(), actor=ACTOR, source="test").required()


def judge(readings: Path, runs: Path, **options: object) -> RunReport:
    with Store(readings, write=not readings.exists()) as store:
        return judge_season(SEASON, actor=ACTOR, store=store, **({"as_of": AS_OF, "runs_root": runs} | options))  # type: ignore[arg-type]
