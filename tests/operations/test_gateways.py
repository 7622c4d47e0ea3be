"""Gateways are opened, given new tokens and closed by acts; the directory follows, and says nothing of tokens."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from nuan.operations.device_profiles import define_profiles, define_shipped_profiles
from nuan.operations.gateways import GRACE, GatewayError, close_gateway, register_gateway, rotate_gateway
from nuan.operations.intake_directory import DirectoryKeeper, edition
from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import DeviceProfile, Gateway
from nuan.telemetry.intake.directory_file import read_directory
from nuan.terms.findings import FindingsError
from small_city import AS_OF as NOW
from small_city import ROOM_PROFILE, build_city

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _city() -> None:
    build_city()


def opened(code: str = "G1", **more: object) -> str:
    wanted = {"company": "C01", "protocol": "line", "now": NOW, "actor": "陈调度"} | more
    return register_gateway(code=code, **wanted).token  # type: ignore[arg-type]


def test_a_token_is_shown_once_and_kept_as_digests_only() -> None:
    token = opened()
    row = Gateway.objects.get()
    assert token.startswith("nuan_gw_")
    assert token not in str(Gateway.objects.values())
    assert token not in str(list(AuditEntry.objects.values()))
    assert row.broker_hash.startswith("$7$101$")


@pytest.mark.parametrize(
    "wrong",
    [{"code": "a/b"}, {"code": "a+"}, {"code": ""}, {"code": "网关"}, {"protocol": "ftp"}, {"company": "C99"}, {"timezone": "Mars"},
     {"max_series": 0}],
)  # fmt: skip
def test_what_cannot_be_opened_is_a_sentence(wrong: dict[str, object]) -> None:
    with pytest.raises(GatewayError):
        opened(**({"code": "G1"} | wrong))  # type: ignore[arg-type]
    assert not Gateway.objects.exists()


def test_codes_are_never_used_again() -> None:
    opened()
    close_gateway("G1", now=NOW, actor="陈调度", why="拆除")
    with pytest.raises(GatewayError, match="已经用过"):
        opened()


def test_the_directory_follows_every_change(tmp_path: Path) -> None:
    keeper = DirectoryKeeper(tmp_path)
    old = opened()
    keeper.keep(NOW)
    first = read_directory(tmp_path)
    assert first.authenticate("G1", old) is not None
    assert oct((tmp_path / "directory.json").stat().st_mode)[-3:] == "600"
    new = rotate_gateway("G1", now=NOW, actor="陈调度").token
    keeper.keep(NOW)
    second = read_directory(tmp_path)
    assert second.version > first.version
    assert [bool(second.authenticate("", token)) for token in (old, new)] == [True, True]
    keeper.keep(NOW + GRACE + timedelta(seconds=1))
    third = read_directory(tmp_path)
    assert [bool(third.authenticate("", token)) for token in (old, new)] == [False, True]
    close_gateway("G1", now=NOW, actor="陈调度", why="拆除")
    keeper.keep(NOW)
    assert read_directory(tmp_path).authenticate("", new) is None


def test_a_lost_token_opens_nothing_at_once(tmp_path: Path) -> None:
    old = opened()
    rotate_gateway("G1", now=NOW, actor="陈调度", at_once=True)
    DirectoryKeeper(tmp_path).keep(NOW)
    assert read_directory(tmp_path).authenticate("", old) is None


def test_numbers_of_gateways_never_change() -> None:
    from nuan.operations.intake_directory import directory_document

    for n, code in enumerate(("A", "B", "C")):
        opened(code, protocol="mqtt", now=NOW + timedelta(seconds=n))
    before = {row[0]: row[7] for row in directory_document(NOW)["gateways"]}
    close_gateway("A", now=NOW, actor="陈调度", why="拆除")
    opened("AA", protocol="mqtt", now=NOW + timedelta(seconds=9))
    after = {row[0]: row[7] for row in directory_document(NOW)["gateways"]}
    assert (before, after) == ({"A": 0, "B": 1, "C": 2}, {"B": 1, "C": 2, "AA": 3})


def test_profiles_are_checked_when_defined() -> None:
    two = "protocol: mqtt_json\nkind: other\npoints: {a: {quantity: room_temp}, b: {quantity: room_temp}}\n"
    for text in ("", "points: 3", ROOM_PROFILE.replace("room_temp", "warmth"), two):
        with pytest.raises(FindingsError):
            define_profiles({"mine": text}, actor="陈调度")
    before = edition()
    assert define_profiles({"mine": ROOM_PROFILE}, actor="陈调度") == 1
    assert define_profiles({"mine": ROOM_PROFILE}, actor="陈调度") == 0
    assert edition() == before + 1


def test_profiles_that_come_with_nuan_do_not_overwrite_a_citys_own() -> None:
    define_profiles({"room_sensor_json": ROOM_PROFILE}, actor="陈调度")
    assert define_shipped_profiles(actor="陈调度") > 3
    assert DeviceProfile.objects.get(pk="room_sensor_json").text == ROOM_PROFILE
    assert json.dumps(list(DeviceProfile.objects.values_list("code", flat=True)))
