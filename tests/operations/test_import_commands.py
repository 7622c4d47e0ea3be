"""`nuan import` as it is typed: exit codes, JSON, dry runs, findings on the error channel."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nuan.cli.importing import import_group
from nuan.records.audit.models import AuditEntry
from nuan.records.registry.models import Home

pytestmark = pytest.mark.django_db
MAPPING = "zone: Asia/Shanghai\nfiles: [{match: '*.csv', time: 时间, long: {place: 户号, value: 室温, is: {quantity: room_temp}}}]\n"


@pytest.fixture(autouse=True)
def _house(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    settings.READINGS_ROOT = tmp_path / "readings"
    monkeypatch.setattr("nuan.cli.main.setup_records", lambda: None)


def run(*words: object) -> Result:
    return CliRunner().invoke(import_group, [str(word) for word in words])


def a_city(folder: Path) -> Path:
    """The templates, as they are written, are a small city."""
    assert run("template", folder).exit_code == 0
    (folder / "登记表.xlsx").unlink()
    return folder


def test_template_registry_readings_one_after_another(tmp_path: Path) -> None:
    city = a_city(tmp_path / "city")
    (tmp_path / "m.yaml").write_text(MAPPING)
    (tmp_path / "rooms.csv").write_text("时间,户号,室温\n2026-01-10 08:00,B0042-1-0301,18.5\n")

    first = run("registry", city, "--actor", "小李", "--json")
    assert (first.exit_code, json.loads(first.stdout)["tables"]["homes"]) == (
        0, {"created": 1, "changed": 0, "unchanged": 0},
    )  # fmt: skip
    again = json.loads(run("registry", city, "--actor", "小李", "--json").stdout)
    assert {each["created"] + each["changed"] for each in again["tables"].values()} == {0}

    command = ("readings", tmp_path / "rooms.csv", "--mapping", tmp_path / "m.yaml", "--actor", "小李", "--json")
    states = [json.loads(run(*command).stdout)["files"][0]["state"] for _ in range(2)]
    assert states == ["imported", "unchanged"]
    rows = [(row.act, row.actor) for row in AuditEntry.objects.order_by("id")]
    acts = (
        "book_government_debts",
        "import_registry",
        "import_readings",
    )  # a debt of the templates goes into the ledger too
    assert rows == [(act, "小李") for act in acts]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    result = run("registry", a_city(tmp_path / "city"), "--dry-run")

    assert result.exit_code == 0
    assert "未写入" in result.stdout
    assert not Home.objects.exists()


def test_faults_are_told_in_both_languages_and_stop_the_import(tmp_path: Path) -> None:
    city = a_city(tmp_path / "city")
    (city / "homes.csv").write_text("code,building,area_m2,season\nB1,B9999,abc,2025-2026\n")
    result = run("registry", city)

    assert result.exit_code == 1
    assert "不是规定精度的数字" in result.stderr
    assert "not a number of the asked precision" in result.stderr
    assert not Home.objects.exists()


@pytest.mark.parametrize(
    ("mapping", "text", "code"),
    [
        (MAPPING, "时间,户号,室温\n2026-01-10 08:00,B1,18.5\n", 1),
        ("files: []", "", 2),
    ],
    ids=["an unknown home", "a mapping without files"],
)
def test_exit_codes(tmp_path: Path, mapping: str, text: str, code: int) -> None:
    (tmp_path / "m.yaml").write_text(mapping)
    (tmp_path / "rooms.csv").write_text(text)

    assert run("readings", tmp_path / "rooms.csv", "--mapping", tmp_path / "m.yaml").exit_code == code


@pytest.mark.parametrize("words", [(), ("registry",), ("readings",), ("template",)])
def test_help_shows_how(words: tuple[str, ...]) -> None:
    assert "nuan import " in run(*words, "--help").stdout
