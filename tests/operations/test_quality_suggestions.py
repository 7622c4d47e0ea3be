"""What a small store suggests: a pressure in kPa, a meter that counts MWh, swapped pipes, counters that fall; and what a dismissal outlasts."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from nuan.operations.intake_quality import EVERY_S, FIRST_S, LONGEST_S, Hourly
from nuan.operations.quality_suggestions import CHUNK, SuggestionError, compute_suggestions, dismiss_suggestion
from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import Device
from nuan.records.monitoring.models import Suggestion
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.terms.places import day_number, day_start

START = day_start(day_number(date(2026, 1, 14)))
HOURS = 6 * 24
NOW = datetime.fromtimestamp(START + HOURS * 3600, UTC)
LATER = datetime.fromtimestamp(START + HOURS * 3600 + 3600, UTC)
Numbers = np.ndarray
Write = Callable[..., Store]


@pytest.fixture
def write(tmp_path: Path, city: None) -> Write:
    """Hourly readings from START on: `write(("H01-S01", "flow"), values, flags)`; the values in steps."""
    store = Store(tmp_path / "r", write=True)

    def put(place: str, quantity: str, values: Numbers | list[int], flags: int = 0, position: str = "room") -> Store:
        (number,) = store.register([SeriesKey(place, quantity, position)])
        times = START + 3600 * np.arange(len(values), dtype=np.int64)
        store.append(ReadingBatch.of(int(number), times, np.array(values, np.int32), flags))
        return store

    return put


def counter(per_hour: float, begin: int = 40_000) -> Numbers:
    return (begin + per_hour * np.arange(HOURS)).astype(np.int64)


def open_ones() -> set[tuple[str, str, str]]:
    rows = Suggestion.objects.filter(state="open")
    return {(row.place, row.kind, row.quantity) for row in rows}


def healthy(write: Write, place: str, per_hour: int = 800) -> Store:
    """10 m³/h by 34.4 K are 400 kW; the counter follows the power given."""
    write(place, "flow", [per_hour * 25] * HOURS)
    write(place, "supply_temp", [6500] * HOURS)
    write(place, "return_temp", [3061] * HOURS)
    write(place, "pressure", [4000] * HOURS)
    write(place, "heat_power", [per_hour * 10] * HOURS)
    return write(place, "heat_energy", counter(per_hour))


def test_a_healthy_station_suggests_nothing(write: Write) -> None:
    assert compute_suggestions(healthy(write, "H01-S01"), NOW) == 0


def test_a_pressure_in_kpa_is_seen_though_its_readings_are_out_of_range(write: Write) -> None:
    store = write("H01-S01", "pressure", [400_000] * HOURS, int(Flag.OUT_OF_RANGE))
    assert compute_suggestions(store, NOW) == 1
    row = Suggestion.objects.get()
    assert (row.place, row.kind, row.company_code, row.banner_code) == ("H01-S01", "unit_mistaken", "C01", "150602")
    assert row.evidence_zh == "压力可能以 kPa 上报，却按 bar 记录（中位数 400）"
    assert row.evidence_en == "pressure may come in kPa and be read as bar (median 400)"
    assert row.since.timestamp() == START


def test_a_meter_that_counts_mwh(write: Write) -> None:
    store = healthy(write, "H01-S01")
    write("B001", "heat_power", [8_000] * HOURS)
    write("B001", "heat_energy", counter(0.8))
    compute_suggestions(store, NOW)
    assert open_ones() == {("B001", "unit_mistaken", "heat_energy")}
    assert "MWh" in Suggestion.objects.get().evidence_zh


def test_a_power_in_watts_is_not_laid_to_the_counter(write: Write) -> None:
    store = healthy(write, "H01-S01")
    write("H01-S01", "heat_power", [8_000_000] * HOURS)
    compute_suggestions(store, NOW)
    assert open_ones() == {("H01-S01", "unit_mistaken", "heat_power")}


def test_swapped_pipes(write: Write) -> None:
    write("H01-S01", "supply_temp", [3500] * HOURS)
    compute_suggestions(write("H01-S01", "return_temp", [5000] * HOURS), NOW)
    assert open_ones() == {("H01-S01", "swapped_pipes", "supply_temp")}
    row = Suggestion.objects.get()
    assert row.evidence_zh.endswith("（6/6 天，相差 15.0 °C）")
    assert row.evidence_en.endswith(" (6/6 days, by 15.0 °C)")


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (40_000, 3, "counter_reset"),
        (99_999_000 - 70 * 100, 12, "roll_over"),
        (40_000, 14_000_000, "exchanged"),
        (9_000_000, 4_000_000, "exchanged"),
    ],
)
def test_a_counter_that_jumps(write: Write, before: int, after: int, kind: str) -> None:
    values = np.concatenate([counter(100, before)[:80], counter(100, after)[: HOURS - 80]])
    if kind == "roll_over":
        values[:80] += 99_999_960 - values[79]
    store = write("B001", "heat_energy", values)
    assert compute_suggestions(store, NOW) == 1
    row = Suggestion.objects.get()
    assert (row.kind, row.since.timestamp(), row.happened) == (kind, START + 80 * 3600, True)


def test_a_drop_out_that_has_come_back_and_one_that_may_still_are_not_told(write: Write) -> None:
    values = counter(100)
    values[50] = 0
    values[-1] = 0
    assert compute_suggestions(write("B001", "heat_energy", values), NOW) == 0


def test_an_exchange_that_the_register_knows_is_not_asked_about(write: Write) -> None:
    store = write("B001-1-0101", "heat_energy", np.concatenate([counter(100)[:80], counter(100, 9_000_000)[:64]]))
    assert compute_suggestions(store, NOW) == 1
    old = Device.objects.filter(place="B001-1-0101").earliest("pk")
    Device.objects.create(
        gateway=old.gateway, code="new", profile=old.profile, kind=old.kind, level=old.level, place=old.place,
        predecessor=old, installed_on=date(2026, 1, 17),
    )  # fmt: skip
    assert compute_suggestions(store, NOW) == 0, "entered: it goes away by itself"


def test_a_dismissal_outlasts_the_next_count_and_is_an_act(write: Write) -> None:
    store = write("H01-S01", "pressure", [400_000] * HOURS)
    compute_suggestions(store, NOW)
    row = Suggestion.objects.get()
    with pytest.raises(SuggestionError):
        dismiss_suggestion(row.pk, actor="陈调度", why=" ", now=NOW)
    assert dismiss_suggestion(row.pk, actor="陈调度", why="铭牌是 bar，高层", now=NOW)
    assert not dismiss_suggestion(row.pk, actor="陈调度", why="再来", now=NOW)
    assert AuditEntry.objects.filter(act="dismiss_suggestion", actor="陈调度", subject="H01-S01").count() == 1
    write("H01-S01", "pressure", [500_000] * (HOURS + 1))
    assert compute_suggestions(store, LATER) == 0, "another median is the same evidence"
    row.refresh_from_db()
    assert (row.state, row.dismissed_by, row.why) == ("dismissed", "陈调度", "铭牌是 bar，高层")
    write("H01-S01", "pressure", [400_000_000] * (HOURS + 1))
    assert compute_suggestions(store, LATER) == 1, "Pa is another evidence"


def test_nothing_is_dismissed_without_a_reason(write: Write) -> None:
    compute_suggestions(write("H01-S01", "pressure", [400_000] * HOURS), NOW)
    with pytest.raises(IntegrityError):
        Suggestion.objects.update(state="dismissed", dismissed_by="x", dismissed_at=NOW)


def test_what_is_mended_goes_away_and_silence_mends_nothing(write: Write) -> None:
    store = write("H01-S01", "pressure", [400_000] * HOURS)
    write("B001", "heat_energy", np.concatenate([counter(100)[:80], counter(100, 9_000_000)[:64]]))
    assert compute_suggestions(store, NOW) == 2
    assert compute_suggestions(store, datetime.fromtimestamp(START + 90 * 86_400, UTC)) == 2, "a summer of silence"
    write("H01-S01", "pressure", [4_000] * HOURS)
    assert compute_suggestions(store, NOW) == 1


def test_the_number_of_questions_does_not_grow_with_places(write: Write) -> None:
    store = write("H01-S01", "pressure", [400_000] * HOURS)
    counts = []
    for places in (["B001"], ["B002"], ["H01-S02", "H02-S03", "B003", *(f"nowhere-{n}" for n in range(2 * CHUNK))]):
        for place in places:
            write(place, "pressure", [400_000] * 30)
        with CaptureQueriesContext(connection) as asked:
            compute_suggestions(store, NOW)
        counts.append(len(asked))
    assert counts[2] <= counts[1] <= 12
    assert Suggestion.objects.count() == 6, "what the registry does not know has no company to ask"


def test_the_hourly_count_waits_for_nobody_and_runs_once_at_a_time() -> None:
    now = 0.0
    hourly = Hourly(["sleep", "60"], lambda: now)
    assert (hourly.look(), hourly.process) == ("", None)
    now = FIRST_S
    assert hourly.look() == "running"
    first = hourly.process
    now = FIRST_S + LONGEST_S - 1
    assert hourly.look() == "running"
    assert hourly.process is first
    now += 2
    assert hourly.look().startswith("ended after")
    assert first is not None
    assert first.poll() is not None
    now = FIRST_S + EVERY_S
    assert hourly.look() == "running"
    assert hourly.process is not first
    hourly.leave()
    assert hourly.process is None


def test_a_count_that_fails_is_told_in_the_status_line() -> None:
    now = FIRST_S
    hourly = Hourly(["false"], lambda: now)
    hourly.due = now
    hourly.look()
    assert hourly.process is not None
    hourly.process.wait()
    assert hourly.look() == "exit code 1"
