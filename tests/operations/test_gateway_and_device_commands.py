"""The commands of gateways and devices as an operator types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nuan.cli.device import device
from nuan.cli.gateway import gateway
from nuan.cli.intake import sentence
from nuan.records.devices.models import Device, Gateway
from small_city import build_city

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _city() -> None:
    build_city()


def run(command: object, *words: str) -> Result:
    return CliRunner().invoke(command, words)  # type: ignore[arg-type]


def test_from_an_empty_register_to_a_verified_meter(tmp_path: Path) -> None:
    opened = run(gateway, "add", "G1", "--company", "C01", "--protocol", "mqtt", "--json")
    assert opened.exit_code == 0
    token = json.loads(opened.output)["token"]
    assert token not in run(gateway, "list").output
    table = tmp_path / "devices.csv"
    table.write_text("gateway,code,profile,kind,place\nG1,001,heat_meter_mbus,heat_meter,B001-1-0101\n", "utf-8")
    assert "可以导入" in run(device, "import", str(table), "--dry-run").output
    assert not Device.objects.exists()
    assert json.loads(run(device, "import", str(table), "--json").output)["created"] == 1
    assert run(device, "exchange", "G1", "001", "002", "--on", "2026-01-05", "--last", "812.5").exit_code == 0
    assert run(device, "verified", "G1", "002", "--on", "2026-01-05", "--valid-until", "2029-01-04").exit_code == 0
    rows = json.loads(run(device, "list", "--gateway", "G1", "--json").output)
    assert [(row["code"], row["removed_on"], row["calibration_valid_until"]) for row in rows] == [
        ("001", "2026-01-05", None), ("002", None, "2029-01-04"),
    ]  # fmt: skip
    rotated = json.loads(run(gateway, "rotate", "G1", "--json").output)["token"]
    assert rotated != token
    assert run(gateway, "close", "G1", "--why", "拆除").exit_code == 0
    assert Gateway.objects.get().closed_why == "拆除"
    assert json.loads(run(gateway, "list", "--json").output) == []


@pytest.mark.parametrize(
    ("command", "words", "says"),
    [
        (gateway, ("add", "a/b", "--company", "C01", "--protocol", "mqtt"), "不能作网关代码"),
        (gateway, ("add", "G1", "--company", "C99", "--protocol", "mqtt"), "没有代码为"),
        (gateway, ("close", "G9", "--why", "x"), "没有代码为"),
        (device, ("verified", "G1", "001", "--on", "2026-01-05", "--valid-until", "2029-01-04"), "没有设备"),
    ],
)
def test_what_is_not_possible_is_said_with_exit_code_2(command: object, words: tuple[str, ...], says: str) -> None:
    done = run(command, *words)
    assert done.exit_code == 2
    assert says in done.output


def test_findings_of_a_table_are_told_with_exit_code_1(tmp_path: Path) -> None:
    table = tmp_path / "devices.csv"
    table.write_text("gateway,code,profile,kind,place\nG9,001,none,heat_meter,nowhere\n", "utf-8")
    done = run(device, "import", str(table), "--json")
    assert done.exit_code == 1
    assert {each["code"] for each in json.loads(done.output)["findings"]} == {
        "closed_gateway",
        "unknown_profile",
        "unknown_place",
    }
    own = tmp_path / "mine.yaml"
    own.write_text("points: 3", "utf-8")
    assert run(device, "profile", str(own)).exit_code == 1


def test_the_status_line_says_what_is_wrong() -> None:
    facts = {
        "readings": 1_000,
        "letters": 2,
        "lane_mib": 0.5,
        "broker_lost": "refused",
        "database_away": 1.0,
        "fold_fault": None,
    }
    assert (
        sentence(50, facts)
        == "50 读数/秒 · 共 1,000 · 死信 2 · 待入库 0.5 MiB · MQTT 断开：refused · 数据库不可用，读数照收"
    )


def test_started_by_root_the_broker_needs_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    """Mosquitto started by root changes to its own account, for which the passwords that were just written are closed."""
    settings.NUAN_HOME = tmp_path  # type: ignore[attr-defined]
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert "--user" in run(gateway, "broker-config", str(tmp_path / "mosquitto")).output
    assert "--user" not in run(gateway, "broker-config", str(tmp_path / "mosquitto"), "--user", "heat").output
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "--user" not in run(gateway, "broker-config", str(tmp_path / "mosquitto")).output
