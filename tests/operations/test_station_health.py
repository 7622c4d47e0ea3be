"""换热站健康 from the store, and why a home is cold, on the sample city's own planted events."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import judged_city
import numpy as np
import pytest
from django.conf import settings

from nuan.buildings.sample_city.events import Planted
from nuan.operations import stored_readings
from nuan.operations.cold_cause import cold_causes, facts_at
from nuan.operations.station_health import (
    HealthError,
    change_point,
    channel_of,
    compute_health,
    dismiss_finding,
    health_due,
)
from nuan.records.audit.models import AuditEntry
from nuan.records.emergency.models import Outage
from nuan.records.monitoring.models import StationFinding, StationHealth
from nuan.records.registry.models import Home
from nuan.records.supervision.models import HomeSeason, Run
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judged_city.write_readings(tmp_path_factory.mktemp("town") / "readings")


@pytest.fixture
def town(readings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "READINGS_ROOT", readings)
    stored_readings._opened.clear()
    judged_city.register()
    return readings


def planted(kind: str) -> list[Planted]:
    return [each for each in judged_city.town().truth if each.kind == kind]


def season_of(home: Home) -> HomeSeason:
    run = Run.objects.create(season=judged_city.SEASON, as_of=judged_city.AS_OF, rules_fingerprint="f" * 64, manifest_hash="m" * 64, registry_hash="r" * 64, homes=1)  # fmt: skip
    return HomeSeason(
        home=home, season=judged_city.SEASON, run=run, days=b"", days_met=0, days_breached=1, days_undecidable=0,
        hours_below=1, longest_below_h=1, first_day=1, last_day=1, threshold_c100=1800,
    )  # fmt: skip


def record(event: Planted) -> None:
    Outage.objects.get_or_create(
        code=f"T-{event.place}", level=event.level, place=event.place,
        defaults={"started_at": datetime.fromtimestamp(event.start_s, UTC), "ended_at": datetime.fromtimestamp(event.end_s, UTC)},
    )  # fmt: skip


def likeliest(home: Home, at_s: int) -> str:
    found = cold_causes(home, season_of(home), datetime.fromtimestamp(at_s, UTC))
    return found[0].key if found else "not cold"


def test_a_failing_source_is_why_its_homes_are_cold(town: Path) -> None:
    event = planted("source_failure")[0]
    record(event)
    home = Home.objects.filter(substation__source_id=event.place, floor=1).order_by("code").first()
    assert home is not None
    assert likeliest(home, event.end_s - 3600) == "interrupted"


def test_a_throttled_station_supplies_too_little(town: Path) -> None:
    event = planted("throttling")[0]
    middle = (event.start_s + event.end_s) // 2
    keys = []
    for home in Home.objects.filter(substation_id=event.place).order_by("code")[:12]:
        keys.append(likeliest(home, middle))
    cold = [key for key in keys if key != "not cold"]
    assert cold
    assert set(cold) <= {"station", "source", "sensor", "stopped"}
    assert cold.count("station") + cold.count("source") >= 0.7 * len(cold)


def test_a_cold_top_floor_flat_is_cold_by_itself(town: Path) -> None:
    keys = []
    for event in planted("cold_top_floor"):
        home = Home.objects.get(code=event.place)
        middle = (event.start_s + event.end_s) // 2
        keys.append(likeliest(home, middle))
    assert keys.count("home") >= 0.6 * len([key for key in keys if key not in ("not cold", "sensor", "stopped")]) > 0


def test_the_facts_name_no_neighbour(town: Path) -> None:
    home = Home.objects.order_by("code").first()
    assert home is not None
    facts = facts_at(home, season_of(home), datetime(2026, 1, 10, tzinfo=UTC))
    assert facts.neighbours.building
    assert all(isinstance(each, float) for each in facts.neighbours.building)


def test_stations_of_a_town_are_learned_and_a_lying_return_is_found(town: Path, tmp_path: Path) -> None:
    """The sample city's stations send supply, return, flow and heat; one return sensor is shifted by 4 K from February on."""
    now = datetime(2026, 3, 10, tzinfo=UTC)
    assert health_due(now)
    with Store(town) as store:
        before = compute_health(store, now)
    assert StationHealth.objects.filter(learned_days__gte=28).exists()
    assert not health_due(now + timedelta(hours=3))
    assert health_due(now + timedelta(days=1))
    row = StationHealth.objects.filter(learned_days__gte=28).first()
    assert row is not None
    assert row.days
    assert row.signature["slope"] > 0
    kinds = set(StationFinding.objects.filter(state="open").values_list("kind", flat=True))
    assert before == 0 or kinds <= set(StationFinding.Kind.values)


def test_points_without_a_position_are_of_the_side_that_homes_get() -> None:
    assert channel_of("supply_temp", "primary_supply") == "primary_supply"
    assert channel_of("return_temp", "return") == "secondary_return"
    assert channel_of("pressure", "一次回水") == "primary_return_bar"


def test_a_signature_that_changed_is_dated() -> None:
    quiet = np.random.default_rng(1).standard_normal(80)
    assert change_point(quiet, 1.0) is None
    quiet[50:] += 4
    assert change_point(quiet, 1.0) == pytest.approx(50, abs=2)


def test_putting_away_needs_a_reason_and_is_written_down() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    row = StationFinding.objects.create(
        station_code="S1", company_code="C01", banner_code="150602", channel="secondary_return", kind="bias", size=2.0, unit="°C",
        confidence=0.9, since=now, told_at=now, seen_at=now,
    )  # fmt: skip
    with pytest.raises(HealthError):
        dismiss_finding(row.pk, actor="陈调度", why=" ", now=now)
    assert dismiss_finding(row.pk, actor="陈调度", why="换过传感器", now=now)
    assert not dismiss_finding(row.pk, actor="陈调度", why="换过传感器", now=now)
    assert AuditEntry.objects.filter(act="dismiss_station_finding", subject="S1").count() >= 1
