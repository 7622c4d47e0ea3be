"""The page of one device: its line of meters, its verifications, and the two forms of the dispatcher."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import Device
from nuan.records.monitoring.models import LivePoint, LiveValue

Cast = Callable[[str | None], Client]
pytestmark = pytest.mark.django_db
EXCHANGE = {"code": "777", "on": "2026-01-05", "last": "812.5", "first": "0", "why": "到期", "sure": "1"}


def meter(company: str = "C01") -> Device:
    return Device.objects.get(gateway_id=f"GW-{company}", code="001")


def test_it_shows_what_is_measured_and_no_door(as_cast: Cast) -> None:
    point = LivePoint.objects.create(place=meter().place, quantity="heat_energy", position="room", level="home")
    LiveValue.objects.create(
        point=point, any_time_s=1, any_arrival_s=1, any_value=812, time_s=1, arrival_s=1, value=812
    )
    text = as_cast("小李").get(reverse("device", args=[meter().pk])).content.decode()
    assert "812 kWh" in text
    assert "B001-1-••" in text
    assert "B001-1-0101" not in text
    assert "登记换表" not in text, "the desk does not write"


def test_an_exchange_is_entered_and_both_meters_are_told(as_cast: Cast) -> None:
    client, old = as_cast("陈调度"), meter()
    text = client.post(reverse("device_exchange", args=[old.pk]), EXCHANGE, follow=True).content.decode()
    new = Device.objects.get(code="777")
    old.refresh_from_db()
    assert (old.removed_on, old.last_register, new.predecessor_id, new.first_register) == (
        date(2026, 1, 5), Decimal("812.5"), old.pk, Decimal(0),
    )  # fmt: skip
    assert "812.500" in text
    assert ">0.000<" in text, "zero is a reading, a dash is none"
    assert AuditEntry.objects.get(act="exchange_device").actor == "陈调度"
    assert reverse("device", args=[new.pk]) in client.get(reverse("device", args=[old.pk])).content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sure": ""}, "请先勾选已核对"),
        ({"code": " "}, "请填写"),
        ({"code": "002"}, "已有表号"),
        ({"code": "7" * 61}, "最多 60"),
        ({"on": "2099-01-01"}, "不能晚于今天"),
        ({"on": "x"}, "日期写成"),
        ({"last": "viel"}, "表底数写成数字"),
        ({"last": "NaN"}, "表底数写成数字"),
        ({"first": "-1"}, "表底数写成数字"),
        ({"first": "1e30"}, "表底数写成数字"),
        ({"valid_until": "bald"}, "日期写成"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_nothing_is_written(
    as_cast: Cast, wrong: dict[str, str], sentence: str
) -> None:
    before = Device.objects.count()
    answer = as_cast("陈调度").post(reverse("device_exchange", args=[meter().pk]), EXCHANGE | wrong, follow=True)
    assert sentence in answer.content.decode()
    assert Device.objects.count() == before
    assert meter().removed_on is None


def test_a_verification_is_entered_and_stands_in_the_history(as_cast: Cast) -> None:
    client, address = as_cast("陈调度"), reverse("device_verified", args=[meter().pk])
    assert (
        "须晚于"
        in client.post(address, {"on": "2026-01-05", "valid_until": "2026-01-05"}, follow=True).content.decode()
    )
    text = client.post(address, {"on": "2026-01-05", "valid_until": "2099-01-04"}, follow=True).content.decode()
    assert "检定有效" in text
    assert "2026-01-05 → 2099-01-04" in text
    assert meter().calibration_valid_until == date(2099, 1, 4)


@pytest.mark.parametrize("person", ["小李", "老张", "乌主任", "刘科", "外人"])
@pytest.mark.parametrize("name", ["device_exchange", "device_verified"])
def test_nobody_else_writes(as_cast: Cast, person: str, name: str) -> None:
    assert as_cast(person).post(reverse(name, args=[meter().pk]), EXCHANGE).status_code == 404


@pytest.mark.parametrize("name", ["device", "device_exchange", "device_verified"])
def test_another_companys_device_is_not_there(as_cast: Cast, name: str) -> None:
    assert as_cast("陈调度").post(reverse(name, args=[meter("C02").pk]), EXCHANGE).status_code == 404
