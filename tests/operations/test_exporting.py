"""周会计 takes lists away: no door without a reason, no formula that a spreadsheet would run."""

import json
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from nuan.operations.exporting import KINDS, ExportFormatError, export, mask_homes
from nuan.records.audit.models import AuditEntry
from nuan.records.registry.models import Home
from nuan.records.supervision.models import BoardCell, CurrentJudgement
from small_city import SEASON, build_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(db: None) -> None:
    build_city()


def take(kind: str, path: Path, reason: str = "") -> bytes:
    export(kind, path, season=SEASON, format_name=path.suffix[1:], actor="周会计", reason=reason)
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet", "json"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_list_in_every_format(city: None, tmp_path: Path, kind: str, ending: str) -> None:
    path = tmp_path / f"list.{ending}"
    done = export(kind, path, season=SEASON, format_name=ending, actor="周会计")
    assert done.rows > 0
    assert path.stat().st_size > 0
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_doors_are_masked_and_a_reason_is_written_down(city: None, tmp_path: Path) -> None:
    before = AuditEntry.objects.count()
    codes = set(Home.objects.values_list("code", flat=True))
    masked = pl.read_parquet(take("homes", tmp_path / "a.parquet"))["subject"].to_list()
    assert not codes & set(masked)
    assert all(code.endswith("-**") for code in masked)
    assert AuditEntry.objects.count() == before
    plain = pl.read_parquet(take("homes", tmp_path / "b.parquet", "发放退费"))["subject"].to_list()
    assert set(plain) == codes
    row = AuditEntry.objects.latest("id")
    assert (row.actor, row.act, row.why) == ("周会计", "export_with_doors", "发放退费")


def test_no_list_holds_a_person(city: None, tmp_path: Path) -> None:
    for kind in KINDS:
        text = take(kind, tmp_path / "x.json", "核对").decode()
        assert "王秀兰" not in text
        assert "13900001111" not in text


def test_places_keep_their_codes(city: None, tmp_path: Path) -> None:
    rows = json.loads(take("judgements", tmp_path / "x.json"))
    stations = {row["subject"] for row in rows if row["subject_level"] == "substation"}
    assert stations == set(
        CurrentJudgement.objects.filter(subject_level="substation").values_list("subject", flat=True)
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_formula_is_text_in_a_spreadsheet(city: None, tmp_path: Path, text: str) -> None:
    BoardCell.objects.update(number=text)
    sheet = load_workbook(_written(tmp_path / "x.xlsx")).active
    numbers = [row[4].value for row in sheet.iter_rows(min_row=2)]
    assert set(numbers) == {"'" + text}
    assert ("'" + text) in take("board", tmp_path / "x.csv").decode("utf-8-sig")


def _written(path: Path) -> Path:
    take("board", path)
    return path


def test_an_unknown_format_writes_nothing(city: None, tmp_path: Path) -> None:
    with pytest.raises(ExportFormatError):
        export("board", tmp_path / "x.doc", season=SEASON, format_name="doc", actor="周会计")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet", "json"])
@pytest.mark.parametrize("kind", ["judgements", "homes", "refunds"])
def test_a_list_without_rows_is_a_list(city: None, tmp_path: Path, kind: str, ending: str) -> None:
    path = tmp_path / f"list.{ending}"
    assert export(kind, path, season="1999-2000", format_name=ending, actor="周会计").rows == 0
    assert path.stat().st_size > 0


@pytest.mark.parametrize(
    ("code", "shown"), [("B0042-1-0301", "B0042-1-**"), ("B0042-12-3-4", "B0042-12-3-**"), ("F07", "**")]
)
def test_a_code_of_any_shape_loses_its_door(code: str, shown: str) -> None:
    assert mask_homes(pl.DataFrame({"subject": [code]}))["subject"].to_list() == [shown]
