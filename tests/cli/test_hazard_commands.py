"""`nuan hazard` and `nuan patrol` from the outside."""

import json
from pathlib import Path

import django
import pytest
from click.testing import CliRunner, Result

django.setup()

from nuan.cli.main import main  # noqa: E402
from nuan.records.hazards.models import Hazard  # noqa: E402
from small_hazards import build_hazard, person  # noqa: E402

pytestmark = pytest.mark.django_db
LEAK = (
    "--key",
    "leak:P-17",
    "--source",
    "leak_warning",
    "--company",
    "C01",
    "--banner",
    "150602",
    "--place-level",
    "pipe",
    "--place",
    "P-17",
)


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch, city: None) -> None:
    """The test's own records: the command's own preparation would look for others."""
    import nuan.cli.hazard
    import nuan.cli.patrol

    for command in (nuan.cli.hazard, nuan.cli.patrol):
        monkeypatch.setattr(command, "setup_records", lambda: None)


def nuan(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_report_is_once_for_each_key_and_a_wrong_one_is_a_sentence() -> None:
    first, again = (
        nuan("hazard", "report", *LEAK, "--words", "漏水"),
        nuan("hazard", "report", *LEAK, "--words", "漏水"),
    )
    code = Hazard.objects.get().code
    assert (first.exit_code, first.output.strip(), again.output.strip()) == (0, f"{code} 已上报", f"{code} 已在台账")
    wrong = nuan("hazard", "report", "--key", "x", "--words", "漏水", "--place-level", "substation", "--place", "NONE")
    assert (wrong.exit_code, "登记册中没有 NONE" in wrong.output) == (2, True)
    assert (
        nuan("hazard", "report", "--key", "x", "--words", "w", "--company", "C9", "--banner", "150602").exit_code == 2
    )
    listed = json.loads(nuan("hazard", "list", "--json").output)
    assert [(each["code"], each["state"], each["place"]) for each in listed] == [(code, "reported", "P-17")]


def test_a_step_needs_the_password_and_the_right_person(monkeypatch: pytest.MonkeyPatch) -> None:
    hazard, dispatch = build_hazard(), person("陈调度")
    dispatch.set_password("a-long-word")
    dispatch.save()
    words = (
        "hazard",
        "step",
        hazard.code,
        "confirm",
        "--as",
        "陈调度",
        "--level",
        "major",
        "--responsible",
        "老张",
        "--deadline",
        "2099-01-01 12:00",
    )
    monkeypatch.setenv("NUAN_PASSWORD", "wrong")
    assert nuan(*words).exit_code != 0
    monkeypatch.setenv("NUAN_PASSWORD", "a-long-word")
    assert nuan(*words).output.strip() == f"{hazard.code} 待整改"
    assert nuan(*words).exit_code == 2
    assert nuan("hazard", "escalate").output.strip() == hazard.code
    assert "没有要上报" in nuan("hazard", "escalate").output


def test_routes_are_imported_and_listed(tmp_path: Path) -> None:
    (tmp_path / "patrol_routes.csv").write_text(
        "code,name,company,banner,every_days,when,starts_on\nXL-1,东线,C01,150602,7,year,2026-01-01\n", "utf-8"
    )
    (tmp_path / "patrol_points.csv").write_text("route,number,kind,name\nXL-1,1,chamber,12号井\n", "utf-8")
    assert json.loads(nuan("patrol", "import", str(tmp_path), "--dry-run", "--json").output)["ok"]
    assert nuan("patrol", "list", "--json").output.strip() == "[]"
    assert nuan("patrol", "import", str(tmp_path)).exit_code == 0
    listed = json.loads(nuan("patrol", "list", "--json").output)
    assert [(each["route"], each["missing"]) for each in listed] == [("XL-1", [1])]
    (tmp_path / "patrol_points.csv").write_text("route,number,kind,name\nXL-2,1,chamber,12号井\n", "utf-8")
    assert nuan("patrol", "import", str(tmp_path)).exit_code == 1
