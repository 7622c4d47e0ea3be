"""Build the sample city in the records and the store, judge its season, and compare what was found with what was planted.

Every step can be done again: a build that was killed goes on where it stopped when it is asked for with the same parameters.
`demo.json` in NUAN_HOME says that this is a synthetic city; it is written before anything else and never beside a real one.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from nuan.buildings.sample_city import City, make_city
from nuan.buildings.weather.epw import read_epw
from nuan.operations.demo_accounts import create_demo_accounts
from nuan.operations.demo_billing import bill_demo_city
from nuan.operations.demo_findings import Found, beyond, compare
from nuan.operations.demo_hazards import build_hazards, hazards_beyond, hazards_found
from nuan.operations.demo_live import play
from nuan.operations.demo_network import build_networks
from nuan.operations.demo_payments import demo_payments
from nuan.operations.demo_readings import load_readings
from nuan.operations.demo_support import build_support, support_beyond, support_found
from nuan.operations.import_registry import import_registry
from nuan.operations.intake_folding import HANDED_OVER
from nuan.operations.intake_settings import intake_folder
from nuan.operations.intake_supervisor import only_one
from nuan.operations.judging import judge_season
from nuan.operations.support_ledger import book_support
from nuan.records.registry.models import Banner
from nuan.telemetry.store import Store
from nuan.terms.findings import FindingsError
from nuan.terms.places import local_time, to_epoch

Progress = Callable[[str, int, int], None]
CLEARING, BUILDING, DONE = "clearing", "building", "done"


class OtherCityError(RuntimeError):
    """There is a sample city of other parameters already."""

    def __init__(self, there: dict[str, Any]) -> None:
        self.there = there
        super().__init__(
            f"已有一座示例城市（{there.get('homes')} 户，种子 {there.get('seed')}）；要换一座请加 --fresh，旧的示例数据会全部删除。 "
            f"There is a sample city of {there.get('homes')} homes already; --fresh replaces it."
        )


class RealCityError(RuntimeError):
    """The records hold something that `nuan demo` did not make; it is never touched."""

    def __init__(self) -> None:
        super().__init__(
            "数据库里已有登记数据，但没有 demo.json：这不是示例城市，不会改动。请换一个 NUAN_HOME（和 DATABASE_URL）。 "
            "These records are not a sample city and stay untouched; use another NUAN_HOME and DATABASE_URL."
        )


@dataclass(frozen=True)
class DemoReport:
    """`was_there`: nothing had to be done. `found` compares the truth with the judgements."""

    facts: dict[str, Any]
    was_there: bool
    found: list[Found]

    @property
    def as_planted(self) -> bool:
        """Everything planted was found, and nothing else."""
        return all(each.complete for each in self.found) and not self.facts.get("beyond")


def demo_file() -> Path:
    return Path(settings.NUAN_HOME) / "demo.json"


def read_demo_facts() -> dict[str, Any] | None:
    """What `demo.json` says, or None where there is no sample city."""
    try:
        facts = json.loads(demo_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return facts if isinstance(facts, dict) else None


def build_demo_city(
    homes: int,
    *,
    seed: int = 1,
    season_year: int = 2025,
    as_of: datetime | None = None,
    epw: Path | None = None,
    fresh: bool = False,
    actor: str,
    progress: Progress = lambda stage, done, total: None,
) -> DemoReport:
    """Raises OtherCityError, RealCityError, CitySizeError, IntakeSettingsError, and FindingsError for an EPW file that cannot be used."""
    city = _city(homes, seed, season_year, epw)
    until = min(as_of or city.season.end, city.season.end)
    wanted = {
        "synthetic": True,
        "note": "演示数据 · 合成城市",
        "homes": homes,
        "seed": seed,
        "season": city.season.key,
        "weather": city.weather_place,
        "as_of": local_time(to_epoch(until)).isoformat(),
    }
    facts = read_demo_facts()
    if facts is not None and any(facts.get(key) != value for key, value in wanted.items()) and not fresh:
        raise OtherCityError(facts)
    if facts is None:
        _migrate(progress)
        if Banner.objects.exists():
            raise RealCityError
    elif facts.get("state") == DONE and not fresh:
        return DemoReport(facts, True, [Found(**each) for each in facts.get("found", [])])
    planted = [each.as_dict() for each in city.truth]
    if facts is not None and (fresh or facts.get("state") == CLEARING):
        _clear(wanted, progress)
    facts = wanted | {"state": BUILDING, "planted": planted}
    _publish(facts)
    _migrate(progress)
    _write_quickly()
    progress("registry", 0, 1)
    import_registry(city.tables(), actor=actor, source="示例城市").required()
    progress("registry", 1, 1)
    readings = load_readings(settings.READINGS_ROOT, city, to_epoch(until), progress)
    accounts = create_demo_accounts(city.cast_home, actor=actor)
    progress("support", 0, 1)
    build_support(city.season, resident_home=city.cast_home, actor=actor)
    progress("support", 1, 1)
    progress("hazards", 0, 1)
    hazards = build_hazards(city.season, until, actor=actor)
    progress("hazards", 1, 1)
    progress("billing", 0, 1)
    billed = bill_demo_city(city.season.key, local_time(to_epoch(until)).date(), actor=actor)
    progress("billing", 1, 1)
    with Store(settings.READINGS_ROOT) as store:
        run = judge_season(
            city.season.key,
            actor=actor,
            store=store,
            as_of=until,
            progress=lambda said: progress("judging", said.done, said.total),
        )
        live = play(store, city.truth, until, actor=actor, progress=progress)
    progress("network", 0, 1)
    network = build_networks(city, until, actor=actor)
    progress("network", 1, 1)
    demo_payments(city.season.key, until, resident_home=city.cast_home, actor=actor, progress=progress)
    book_support(city.season.key, local_time(to_epoch(until)).date(), actor=actor)
    found = compare(city.truth, to_epoch(until)) + support_found(city.season, to_epoch(until))
    found += hazards_found(city.season, to_epoch(until))
    facts |= {
        "state": DONE,
        "readings": readings,
        "judged": run.as_dict(),
        "billed": billed,
        "accounts": accounts,
        "resident_home": city.cast_home,
        "live": live,
        "network": network,
        "found": [each.as_dict() for each in found],
        "hazards": hazards,
        "beyond": beyond(city.truth) | support_beyond(city.season) | hazards_beyond(city.season, to_epoch(until)),
    }
    _write_durably()
    _publish(facts)
    return DemoReport(facts, False, found)


def _city(homes: int, seed: int, season_year: int, epw: Path | None) -> City:
    if epw is None:
        return make_city(homes, seed, season_year)
    year, findings = read_epw(epw)
    if year is None:
        raise FindingsError(findings)
    return make_city(homes, seed, season_year, year)


def _migrate(progress: Progress) -> None:
    progress("records", 0, 1)
    call_command("migrate", verbosity=0, interactive=False)
    progress("records", 1, 1)


def _write_quickly() -> None:
    """Commits do not wait for the disk while the city is built: a build that is cut off is done again anyhow."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")


def _write_durably() -> None:
    """All that was built is on the disk before `demo.json` says that it is done: a commit that waits takes those before along."""
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
        cursor.execute("SELECT pg_current_xact_id()")


def _clear(wanted: dict[str, Any], progress: Progress) -> None:
    """Remove the sample city: its records, readings and runs. `demo.json` says so meanwhile, so that a killed clearing is done again. Raises
    IntakeSettingsError while `nuan intake` runs: it would acknowledge what goes into files that are no more."""
    folder = intake_folder(Path(settings.NUAN_HOME))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(folder):
        _publish(wanted | {"state": CLEARING})
        progress("clearing", 0, 1)
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
        clear_folders()
        progress("clearing", 1, 1)


def clear_folders() -> None:
    """New lanes count from one again: what is remembered of the old ones would hide the first dead letters of the new."""
    home = Path(settings.NUAN_HOME)
    for folder in (Path(settings.READINGS_ROOT), home / "runs", home / "photos", home / "network"):
        shutil.rmtree(folder, ignore_errors=True)
    (intake_folder(home) / HANDED_OVER).unlink(missing_ok=True)


def _publish(facts: dict[str, Any]) -> None:
    """`demo.json` in one rename: it is there whole or not at all."""
    path = demo_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(facts, file, ensure_ascii=False, indent=1, default=str)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
