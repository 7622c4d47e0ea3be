"""A table of devices comes in whole or not at all; meters are exchanged and verified by acts."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from nuan.operations.device_profiles import define_profiles
from nuan.operations.device_table import read_devices
from nuan.operations.devices import DeviceError, exchange_device, record_calibration, register_devices
from nuan.operations.gateways import close_gateway, register_gateway
from nuan.operations.intake_directory import directory_document, edition
from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import Device
from nuan.telemetry.intake.directory_file import directory_of
from small_city import AS_OF, ROOM_PROFILE, build_city

pytestmark = pytest.mark.django_db
GOOD = {
    "gateway": "G1",
    "code": "0001",
    "profile": "room",
    "kind": "room_sensor",
    "place": "B001-1-0101",
    "position": "living",
}


@pytest.fixture(autouse=True)
def _city() -> None:
    build_city()
    for code in ("G1", "G2"):
        register_gateway(code=code, company="C01", protocol="mqtt", now=AS_OF, actor="陈调度", max_series=3)
    define_profiles({"room": ROOM_PROFILE}, actor="陈调度")


def take(*rows: dict[str, str | None], dry_run: bool = False) -> list[str]:
    report = register_devices(pl.DataFrame(list(rows)), actor="陈调度", source="devices.csv", dry_run=dry_run)
    return [finding.code for finding in report.findings]


def test_a_device_gets_its_level_and_banner_and_is_known_to_the_directory() -> None:
    before = edition()
    assert take(GOOD) == []
    row = Device.objects.get()
    assert (row.level, row.banner_id, row.position) == ("home", "150602", "living")
    point = directory_of(directory_document(AS_OF)).point("G1", "0001", "t")
    assert point is not None
    assert str(point.key) == "B001-1-0101|room_temp|living"
    assert edition() == before + 1


def test_the_same_table_twice_changes_nothing() -> None:
    take(GOOD)
    audit, number = AuditEntry.objects.count(), edition()
    assert take(GOOD) == []
    assert (AuditEntry.objects.count(), edition()) == (audit, number)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"gateway": "G9"}, "closed_gateway"),
        ({"profile": "none"}, "unknown_profile"),
        ({"place": "nowhere"}, "unknown_place"),
        ({"kind": "teapot"}, "unknown_word"),
        ({"code": None}, "empty"),
        ({"installed_on": "soon"}, "not_a_date"),
    ],
)
def test_one_wrong_row_keeps_all_out(change: dict[str, str | None], code: str) -> None:
    assert code in take(GOOD, GOOD | {"code": "0002", "position": "bedroom"} | change)
    assert not Device.objects.exists()


def test_rows_that_contradict_each_other_or_the_records() -> None:
    assert take(GOOD, GOOD) == ["double_device", "double_series"]
    assert take(GOOD, GOOD | {"code": "0002"}) == ["double_series"]
    take(GOOD)
    assert take(GOOD | {"gateway": "G2"}) == ["double_series"]
    rooms = [GOOD | {"code": f"1{n}", "position": f"room{n}"} for n in range(3)]
    assert take(*rooms) == ["too_many_series"]
    close_gateway("G2", now=AS_OF, actor="陈调度", why="拆除")
    assert take(GOOD | {"gateway": "G2", "position": "bath"}) == ["closed_gateway"]


def test_a_dry_run_writes_nothing() -> None:
    assert take(GOOD, dry_run=True) == []
    assert not Device.objects.exists()


def test_a_file_with_chinese_headers(tmp_path: Path) -> None:
    path = tmp_path / "设备.csv"
    path.write_text(
        "网关,表号,模板,类别,地点,位置,检定有效期至\nG1,000123,room,热量表,B001-1-0101,living,2027-08-14\n\n", "utf-8"
    )
    frame, findings = read_devices(path)
    assert findings == []
    assert register_devices(frame, actor="陈调度").counts.created == 1
    row = Device.objects.get()
    assert (row.code, row.kind, row.calibration_valid_until) == ("000123", "heat_meter", date(2027, 8, 14))


def test_an_exchanged_meter_makes_room_for_its_successor() -> None:
    take(GOOD)
    old = Device.objects.get()
    new = exchange_device(
        old.pk,
        code="0002",
        on=date(2026, 1, 5),
        actor="老张",
        last_register=Decimal("812.5"),
        first_register=Decimal("0"),
    )
    assert (new.place, new.position, new.predecessor_id) == (old.place, old.position, old.pk)
    directory = directory_of(directory_document(AS_OF))
    assert directory.point("G1", "0001", "t") is None
    assert str(directory.point("G1", "0002", "t").key) == "B001-1-0101|room_temp|living"  # type: ignore[union-attr]
    with pytest.raises(DeviceError, match="拆除"):
        exchange_device(old.pk, code="0003", on=date(2026, 1, 6), actor="老张")
    with pytest.raises(DeviceError, match="已有"):
        exchange_device(new.pk, code="0001", on=date(2026, 1, 6), actor="老张")
    with pytest.raises(DeviceError, match="早于"):
        exchange_device(new.pk, code="0003", on=date(2026, 1, 4), actor="老张")


def test_a_verification_is_an_act() -> None:
    take(GOOD)
    device = Device.objects.get()
    record_calibration(device.pk, on=date(2026, 1, 5), valid_until=date(2029, 1, 4), actor="老张")
    assert Device.objects.get().calibration_valid_until == date(2029, 1, 4)
    assert AuditEntry.objects.filter(act="record_calibration").count() == 1
    with pytest.raises(DeviceError):
        record_calibration(device.pk, on=date(2026, 1, 5), valid_until=date(2026, 1, 5), actor="老张")
