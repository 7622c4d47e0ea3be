"""老张's files of readings: whole or not at all, once, and nothing lost when the machine dies in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from nuan.operations.import_readings import import_readings
from nuan.records.audit.models import AuditEntry
from nuan.records.supervision.models import ReadingsImport
from nuan.telemetry.files import Mapping, load_mapping, read_file
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db
ARRIVAL_S = 1_770_000_000
PLACES = frozenset({"B1-1-0101", "B1-1-0102"})
MAPPING = """
zone: Asia/Shanghai
files:
  - match: "*.csv"
    time: 时间
    long: {place: 户号, value: 室温, is: {quantity: room_temp}}
"""
GOOD = "时间,户号,室温\n2026-01-10 08:00,B1-1-0101,18.5\n2026-01-10 09:00,B1-1-0101,18.25\n2026-01-10 08:00,B1-1-0102,17.995\n"


@pytest.fixture
def mapping() -> Mapping:
    mapping, findings = load_mapping(MAPPING, "mapping.yaml")
    assert findings == []
    return mapping


def import_text(folder: Path, mapping: Mapping, text: str, store: Store, **more: bool):  # type: ignore[no-untyped-def]
    file = folder / "rooms.csv"
    file.write_text(text)
    return import_readings(
        file, mapping, actor="老张", store=store, arrival_s=ARRIVAL_S, places=PLACES, **more
    )  # fmt: skip


def test_a_file_is_taken_in_with_its_digest_and_one_audit_row(tmp_path: Path, mapping: Mapping) -> None:
    with Store(tmp_path / "store", write=True) as store:
        report = import_text(tmp_path, mapping, GOOD, store)
        readings = store.read(store.series_id(SeriesKey("B1-1-0101", "room_temp", "room")), 0, 2**40)

    assert (report.state, report.rows, report.readings, report.series) == ("imported", 3, 3, 2)
    assert readings.value.tolist() == [1850, 1825]
    assert readings.time_s.tolist() == [1_768_003_200, 1_768_006_800]
    assert [(row.act, row.actor) for row in AuditEntry.objects.all()] == [("import_readings", "老张")]


def test_the_same_file_twice_changes_nothing(tmp_path: Path, mapping: Mapping) -> None:
    with Store(tmp_path / "store", write=True) as store:
        import_text(tmp_path, mapping, GOOD, store)
        offset = store.offset
        report = import_text(tmp_path, mapping, GOOD, store)

        assert (report.state, store.offset) == ("unchanged", offset)
    assert (ReadingsImport.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_a_file_with_one_fault_is_refused_whole(tmp_path: Path, mapping: Mapping) -> None:
    with Store(tmp_path / "store", write=True) as store:
        report = import_text(tmp_path, mapping, GOOD + "2026-01-10 10:00,B9,18\n", store)

        assert (report.state, [finding.code for finding in report.findings]) == ("refused", ["unknown_place"])
        assert store.offset == 0
    assert not ReadingsImport.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_dry_run_writes_nothing(tmp_path: Path, mapping: Mapping) -> None:
    with Store(tmp_path / "store", write=True) as store:
        report = import_text(tmp_path, mapping, GOOD, store, dry_run=True)

        assert (report.state, report.readings, store.offset) == ("checked", 3, 0)
    assert not ReadingsImport.objects.exists()


def test_after_a_death_between_store_and_record_the_import_is_finished_without_doubles(
    tmp_path: Path, mapping: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    def die(*_: object, **__: object) -> None:
        raise PowerCut

    with Store(tmp_path / "store", write=True) as store:
        with monkeypatch.context() as broken:
            broken.setattr("nuan.operations.import_readings.act", die)
            with pytest.raises(PowerCut):
                import_text(tmp_path, mapping, GOOD, store)
        report = import_text(tmp_path, mapping, GOOD, store)
        store.compact()

        assert report.state == "imported"
        assert len(store.read(store.series_id(SeriesKey("B1-1-0101", "room_temp", "room")), 0, 2**40)) == 2
    assert ReadingsImport.objects.count() == 1


def test_a_sensor_that_died_yesterday_is_stuck_in_todays_file(tmp_path: Path, mapping: Mapping) -> None:
    """Files of one day each, as gateways send them: 24 hours say nothing, 36 do."""

    def day(day: int) -> str:
        lines = [f"2026-01-{day:02d} {hour:02d}:00,B1-1-0101,18.5" for hour in range(24)]
        lively = [f"2026-01-{day:02d} {hour:02d}:00,B1-1-0102,18.{hour % 7}" for hour in range(24)]
        return "\n".join(["时间,户号,室温", *lines, *lively, ""])

    with Store(tmp_path / "store", write=True) as store:
        flagged = [import_text(tmp_path, mapping, day(n), store).flagged for n in (10, 11, 12)]

    assert flagged == [{}, {"stuck": 24}, {"stuck": 24}]


CHILD = """
import sys
from pathlib import Path
from nuan.telemetry.files import load_mapping, read_file
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.store import Store

root, file, mapping = map(Path, sys.argv[1:])
read = read_file(file, load_mapping(mapping.read_text(), "m")[0], arrival_s=1_770_000_000)
with Store(root, write=True) as store:
    ids = store.register(read.keys)
    print("ready", flush=True)
    store.append(ReadingBatch.of(ids[read.series], read.time_s, read.value, read.flags))
    print("appended", flush=True)
    store.compact()
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.02], ids=["at once", "20 ms"])
def test_killed_while_writing_the_file_is_there_whole_or_not_at_all(
    tmp_path: Path, mapping: Mapping, delay_s: float
) -> None:
    homes, hours = 200, 500
    start = pl.datetime(2026, 1, 1).dt.epoch("s")
    pl.select(
        (start + pl.int_range(homes * hours) % hours * 3600).alias("时间"),
        ("H" + (pl.int_range(homes * hours) // hours).cast(pl.String)).alias("户号"),
        (18 + (pl.int_range(homes * hours) % 7) / 10).alias("室温"),
    ).write_csv(tmp_path / "rooms.csv")
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    command = [sys.executable, "-c", CHILD, *(str(tmp_path / name) for name in ("store", "rooms.csv", "mapping.yaml"))]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        os.kill(child.pid, signal.SIGKILL)

    with Store(tmp_path / "store", write=True) as store:
        found = sum(len(store.read(number, 0, 2**40)) for number in range(len(store.series)))
        assert found in (0, homes * hours)
        assert store.verify() == []
        read = read_file(tmp_path / "rooms.csv", mapping, arrival_s=ARRIVAL_S)
        store.append(ReadingBatch.of(store.register(read.keys)[read.series], read.time_s, read.value, read.flags))
        assert sum(len(store.read(number, 0, 2**40)) for number in range(len(store.series))) == homes * hours
