"""`nuan judge`, `explain`, `export` from the outside: words for people, JSON for programs, exit codes for scripts."""

import json
import shutil
from pathlib import Path
from typing import Any

import django
import pytest
from click.testing import CliRunner, Result

django.setup()

from nuan.buildings.sample_city import make_city  # noqa: E402 -- Django first
from nuan.cli.main import COMMANDS, main  # noqa: E402
from nuan.operations.demo_readings import load_readings  # noqa: E402
from nuan.operations.import_registry import import_registry  # noqa: E402
from nuan.records.supervision.models import CurrentJudgement  # noqa: E402
from nuan.terms.places import to_epoch  # noqa: E402

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands") / "readings"
    city = make_city(200)
    load_readings(root, city, to_epoch(city.season.end), lambda *_: None)
    return root


@pytest.fixture
def town(readings: Path, tmp_path: Path, settings: Any) -> Path:
    """The town's records, and a house of its own with a copy of its readings."""
    import_registry(make_city(200).tables(), actor="小李", source="test").required()
    settings.NUAN_HOME = tmp_path
    settings.READINGS_ROOT = Path(shutil.copytree(readings, tmp_path / "readings"))
    return tmp_path


def nuan(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_without_contracts_nothing_can_be_judged(tmp_path: Path, settings: Any) -> None:
    settings.NUAN_HOME, settings.READINGS_ROOT = tmp_path, tmp_path / "readings"
    answer = nuan("judge")
    assert answer.exit_code == 2
    assert "import the registry first" in answer.output


def test_judging_explaining_exporting(town: Path) -> None:
    judged = nuan("judge", "--json", "--as-of", "2026-06-01")
    assert judged.exit_code == 0, judged.output
    report = json.loads(judged.stdout)
    assert report["homes_judged"] == report["homes"] > 0
    again = nuan("judge", "--as-of", "2026-06-01")
    assert again.exit_code == 0
    assert "没有变化" in again.stdout

    home = CurrentJudgement.objects.filter(clause="2.5.3a", verdict="breached")[0].subject
    words = nuan("explain", home, "--clause", "2.5.3a")
    assert words.exit_code == 0, words.output
    assert "怎么算的" in words.stdout
    document = json.loads(nuan("explain", home, "--lang", "en", "--json").stdout)
    assert {row["explanation"]["clause"] for row in document} >= {"2.5.2", "2.5.3a"}
    assert all(row["same"] for row in document)
    assert nuan("explain", "B9999-9-9999").exit_code == 2

    written = nuan("export", "refunds", "-o", str(town / "refunds.csv"), "--json")
    assert json.loads(written.stdout)["masked"]
    assert home not in (town / "refunds.csv").read_text("utf-8-sig")
    assert nuan("export", "board", "-o", str(town / "board.doc")).exit_code == 2
    nowhere = nuan("export", "board", "-o", str(town / "no such folder" / "board.csv"))
    assert (nowhere.exit_code, isinstance(nowhere.exception, SystemExit)) == (2, True)
    assert nuan("export", "refunds", "--season", "1999-2000", "-o", str(town / "r.csv")).exit_code == 2
    assert nuan("judge", "--home", "B9999-9-9999").exit_code == 2


def test_other_rules_pay_otherwise(town: Path) -> None:
    """What if the rules of another place held here: the pack is named, and the reason is in the run."""
    own = json.loads(nuan("judge", "--json").stdout)
    other = nuan("judge", "--json", "--pack", "shandong")
    assert other.exit_code in {0, 2}
    if other.exit_code == 0:
        assert json.loads(other.stdout)["refund_fen"] != own["refund_fen"]
    assert nuan("judge", "--pack", "nowhere").exit_code == 2


@pytest.mark.parametrize("season", ["2025", "25-26", "2025-2027"])
def test_a_season_is_written_in_one_way(town: Path, season: str) -> None:
    answer = nuan("judge", "--season", season)
    assert answer.exit_code == 2


@pytest.mark.parametrize("command", ["judge", "explain", "export", "serve"])
def test_help_teaches_by_examples(command: str) -> None:
    words = nuan(command, "--help").stdout
    assert f"nuan {command}" in words
    assert "Exit code" in words


@pytest.mark.parametrize("command", COMMANDS)
def test_the_exit_codes_stand_in_the_documents(command: str) -> None:
    words = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"| `nuan {command}` |" in words


def test_what_a_law_does_not_say_is_not_shown_as_a_range_of_zero(tmp_path: Path) -> None:
    file = tmp_path / "silent.yaml"
    file.write_text(
        "- {id: silent, pack: shandong, season: {start: 2025-11-15, end: 2026-03-15}, home: {area_m2: 100, price: 24},\n"
        "   measurements: [{at: 2026-01-05 10:00, temp_c: 16.0, signed_user: true, signed_company: true}]}\n"
        "- {id: open, pack: directive, season: 2025-2026, home: {area_m2: 100, price: 24},\n"
        "   outages: [{from: 2026-01-01 00:00:00, to: 2026-01-03 00:00:01}]}\n",
        encoding="utf-8",
    )
    silent, unsigned = nuan("cases", str(file)).stdout.split("\nopen ")
    assert "未载明" in silent
    assert "0.00 元" not in silent
    assert "各种口径下 26.23 至 39.34 元" in unsigned


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02 no text", "说明: 国标编码\n".encode("gbk"), b"a: ["], ids=["binary", "gbk", "cut"]
)
def test_a_hand_written_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes) -> None:
    file, rows = tmp_path / "x.yaml", tmp_path / "rows.csv"
    file.write_bytes(content)
    rows.write_text("time\n")
    for answer in (nuan("cases", str(file)), nuan("import", "readings", str(rows), "--mapping", str(file))):
        assert (answer.exit_code, isinstance(answer.exception, SystemExit)) == (2, True), answer.exception
