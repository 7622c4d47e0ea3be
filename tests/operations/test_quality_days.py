"""What came, how complete, how late and with which flaws, by company, gateway and day: counted from readings that the test has written."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from nuan.operations.live_places import place_points
from nuan.operations.quality_days import compute_quality
from nuan.records.devices.models import Device, DeviceProfile, Gateway
from nuan.records.monitoring.models import LivePoint, QualityDay
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.terms.places import day_number, day_start
from small_city import build_city

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 20)
START = day_start(day_number(DAY))
AFTER = datetime.fromtimestamp(START + 2 * 86_400, UTC)
ROOM, FLOW, OTHER = (
    SeriesKey("B001-1-0101", "room_temp"),
    SeriesKey("H01-S01", "flow"),
    SeriesKey("B003-1-0101", "room_temp"),
)


def stored(root: Path, *parts: tuple[SeriesKey, range, int, int]) -> Store:
    """Readings of a series at hours of the day, with their flags and seconds of delay."""
    store = Store(root, write=True)
    for key, hours, flags, delay in parts:
        (number,) = store.register([key])
        times = np.array([START + hour * 3600 for hour in hours], np.int64)
        batch = ReadingBatch.of(int(number), times, np.full(len(times), 2000, np.int32), flags)
        for time in times.tolist():
            store.append(batch.take(batch.time_s == time).arrived(time + delay))
    store.compact()
    return store


def day(company: str, gateway: str = "", on: date = DAY) -> QualityDay:
    return QualityDay.objects.get(day=on, company_code=company, gateway_code=gateway)


def test_what_came_of_what_was_due(tmp_path: Path) -> None:
    build_city()
    with stored(
        tmp_path / "r",
        (ROOM, range(24), 0, 30),
        (FLOW, range(6), 0, 3000),
        (FLOW, range(6, 9), int(Flag.STUCK), 90_000),
    ) as store:
        assert compute_quality(store, DAY, DAY, AFTER) == 2
        ours = day("C01")
        assert (ours.points, ours.silent_points, ours.expected_hours, ours.covered_hours, ours.readings) == (
            2,
            0,
            48,
            30,
            33,
        )
        assert ours.flagged == {"STUCK": 3}
        assert ours.lateness == {"1m": 24, "1h": 6, "later": 3}
        assert (ours.newest_s, ours.newest_arrival_s) == (START + 23 * 3600, START + 8 * 3600 + 90_000)
        nothing = day("C02")
        assert (nothing.points, nothing.expected_hours, nothing.readings, nothing.newest_s) == (0, 0, 0, None)
        again = list(QualityDay.objects.order_by("company_code").values("day", "readings", "flagged", "lateness"))
        compute_quality(store, DAY, DAY, AFTER)
        assert (
            list(QualityDay.objects.order_by("company_code").values("day", "readings", "flagged", "lateness")) == again
        )


def test_a_point_that_is_silent_for_a_day_is_counted(tmp_path: Path) -> None:
    build_city()
    with stored(tmp_path / "r", (ROOM, range(24), 0, 0), (FLOW, range(3), 0, 0), (OTHER, range(24, 30), 0, 0)) as store:
        compute_quality(store, DAY, DAY + timedelta(days=1), AFTER)
    assert (day("C02").silent_points, day("C02").covered_hours, day("C02").expected_hours) == (1, 0, 24)
    tomorrow = DAY + timedelta(days=1)
    assert (day("C01", on=tomorrow).silent_points, day("C02", on=tomorrow).covered_hours) == (2, 6)


def test_a_day_that_is_not_over_owes_its_hours_so_far(tmp_path: Path) -> None:
    build_city()
    with stored(tmp_path / "r", (ROOM, range(6), 0, 0)) as store:
        compute_quality(store, DAY, DAY + timedelta(days=3), datetime.fromtimestamp(START + 6 * 3600, UTC))
    assert (day("C01").expected_hours, day("C01").covered_hours) == (6, 6)
    assert not QualityDay.objects.exclude(day=DAY).exists()


def test_a_gateway_has_its_own_row(tmp_path: Path) -> None:
    build_city()
    gateway = Gateway.objects.create(
        code="GW1", name="一号网关", company_id="C01", protocol="line", digest="d", opened_at=AFTER
    )
    profile = DeviceProfile.objects.create(code="p", name="p", protocol="line", kind="heat_meter", text="")
    Device.objects.create(
        gateway=gateway, code="M1", profile=profile, kind="heat_meter", level="substation", place="H01-S01"
    )
    for key in (FLOW, ROOM):
        LivePoint.objects.create(place=key.place, quantity=key.quantity, position=key.position, level="")
    place_points()
    assert dict(LivePoint.objects.values_list("place", "gateway_code")) == {"H01-S01": "GW1", "B001-1-0101": ""}
    with stored(tmp_path / "r", (ROOM, range(24), 0, 0), (FLOW, range(12), 0, 0)) as store:
        compute_quality(store, DAY, DAY, AFTER)
    assert (day("C01").covered_hours, day("C01", "GW1").covered_hours, day("C01", "GW1").points) == (36, 12, 1)


def test_a_place_behind_two_gateways_belongs_to_neither(db: None) -> None:
    build_city()
    profile = DeviceProfile.objects.create(code="p", name="p", protocol="line", kind="heat_meter", text="")
    for number in (1, 2):
        gateway = Gateway.objects.create(
            code=f"GW{number}", name="网关", company_id="C01", protocol="line", digest=str(number), opened_at=AFTER
        )
        Device.objects.create(
            gateway=gateway, code="M1", profile=profile, kind="heat_meter", level="substation", place="H01-S01"
        )
    LivePoint.objects.create(place="H01-S01", quantity="flow", position="room")
    place_points()
    assert LivePoint.objects.get().gateway_code == ""
