"""Device register, a gateway's page, dead letters: who sees whose, and what replaying and discarding say afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import DeadLetter, Device
from nuan.telemetry.store import Store
from nuan.web.views.dead_letters import SHOWN, payload_shown

Cast = Callable[[str | None], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def store_root(tmp_path: Path, settings: object) -> Path:
    settings.READINGS_ROOT = tmp_path / "readings"  # type: ignore[attr-defined]
    return tmp_path / "readings"


@pytest.mark.parametrize(
    ("person", "sees", "hidden"),
    [
        ("小李", "GW-C01", "GW-C02"),
        ("外人", "GW-C02", "GW-C01"),
        ("乌主任", "GW-C01", "GW-C02"),
        ("刘科", "GW-C02", "GW-C09"),
    ],
)
@pytest.mark.parametrize("name", ["devices", "devices_csv", "dead_letters"])
def test_everybody_sees_their_own(as_cast: Cast, person: str, sees: str, hidden: str, name: str) -> None:
    answer = as_cast(person).get(reverse(name))
    text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
    word = {"devices_csv": sees.replace("GW-", "") + " 站群"}.get(name, sees)
    assert word in text
    assert {"devices_csv": hidden.replace("GW-", "") + " 站群"}.get(name, hidden) not in text


def test_meters_due_for_verification_are_counted_and_listed(as_cast: Cast) -> None:
    client = as_cast("小李")
    page = client.get(reverse("devices"))
    assert page.context["counts"] == {"all": 3, "meters": 2, "due": 1, "gateways": 1, "quiet": 1}
    due = client.get(reverse("devices"), {"state": "due"}).context["rows"]
    assert [(device.code, word) for device, _, word in due] == [("001", "检定已过期")]


@pytest.mark.parametrize(
    "query", [{"kind": "heat_meter"}, {"q": "B001"}, {"company": "C02"}, {"state": "removed"}, {"page": "x"}]
)
def test_filters_answer_whatever_is_asked(as_cast: Cast, query: dict[str, str]) -> None:
    assert as_cast("刘科").get(reverse("devices"), query).status_code == 200


def test_a_gateway_page_shows_clock_and_letters(as_cast: Cast) -> None:
    text = as_cast("小李").get(reverse("gateway", args=["GW-C01"])).content.decode()
    assert "快 40 秒 (±1 秒)" in text
    assert "设备未在此网关登记" in text


def test_replaying_asks_first_and_tells_what_became(as_cast: Cast, store_root: Path) -> None:
    client, address = as_cast("陈调度"), reverse("dead_letters_act")
    Device.objects.create(
        gateway_id="GW-C01", code="009", profile_id="room", kind="room_sensor", level="home", place="B001-1-0201"
    )
    form = {"act": "replay", "all": "1", "reason": "unknown_device", "gateway": "GW-C01"}
    asked = client.post(address, form)
    assert asked.status_code == 200
    assert asked.context["count"] == 2
    assert DeadLetter.objects.filter(state="open").count() == 6
    told = client.post(address, form | {"sure": "1"}, follow=True).content.decode()
    assert "已重放 2 封,写入 2 个读数" in told
    assert DeadLetter.objects.filter(state="replayed", decided_by="陈调度").count() == 2
    assert AuditEntry.objects.filter(act="replay_dead_letters").count() == 1
    with Store(store_root) as store:
        assert [str(store.series.key(0))] == ["B001-1-0201|room_temp|room"]


def test_what_still_cannot_be_placed_stays_open_and_is_said(as_cast: Cast, store_root: Path) -> None:
    form = {"act": "replay", "sure": "1", "letter": [str(pk) for pk in DeadLetter.objects.values_list("pk", flat=True)]}
    told = as_cast("陈调度").post(reverse("dead_letters_act"), form, follow=True).content.decode()
    assert "2 封仍不能处理:设备未在此网关登记" in told
    assert DeadLetter.objects.filter(state="open").count() == 6


def test_a_stranger_cannot_touch_letters_of_others(as_cast: Cast, store_root: Path) -> None:
    numbers = [str(pk) for pk in DeadLetter.objects.filter(company="C02").values_list("pk", flat=True)]
    as_cast("陈调度").post(reverse("dead_letters_act"), {"act": "discard", "sure": "1", "why": "x", "letter": numbers})
    as_cast("小李").post(reverse("dead_letters_act"), {"act": "discard", "sure": "1", "why": "x", "letter": numbers})
    assert DeadLetter.objects.filter(state="open").count() == 6


def test_discarding_wants_a_reason(as_cast: Cast) -> None:
    client, address = as_cast("刘科"), reverse("dead_letters_act")
    form = {"act": "discard", "sure": "1", "all": "1", "reason": "checksum", "gateway": "GW-C02"}
    assert client.post(address, form).status_code == 422
    assert client.post(address, form | {"why": "测试帧"}).status_code == 302
    row = DeadLetter.objects.get(state="discarded")
    assert (row.why, row.decided_by, row.gateway) == ("测试帧", "刘科", "GW-C02")


@pytest.mark.parametrize(
    ("payload", "text", "is_hex"),
    [
        (b'{"t": 20}', '{"t": 20}', False),
        ("温度".encode(), "温度", False),
        (b"\x68\x00", "68 00", True),
        (b"\xff\xfe", "ff fe", True),
        (b"", "", False),
        (("温" * SHOWN).encode(), "温" * (SHOWN // 3), False),
    ],
)
def test_payloads_as_people_read_them(payload: bytes, text: str, is_hex: bool) -> None:
    shown = payload_shown(payload)
    assert (shown.text, shown.is_hex) == (text, is_hex)
