"""docs/import.md says what the code does, and the templates are such that they import."""

from pathlib import Path

import pytest

from nuan.operations.import_page import page
from nuan.operations.import_registry import import_registry
from nuan.operations.registry_files import read_registry, write_templates
from nuan.operations.registry_tables import TABLES

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs/import.md").read_text() == page()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_templates_import_as_they_are(tmp_path: Path, kind: str) -> None:
    files = write_templates(tmp_path)
    for file in files:
        if file.suffix != f".{kind}":
            file.unlink()
    frames, findings = read_registry(tmp_path)

    assert findings == []
    assert set(frames) == set(TABLES)
    report = import_registry(frames, actor="小李")
    assert report.findings == []
    assert report.total.created == len(TABLES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_chinese_file_names_and_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "旗区.csv").write_bytes("旗区代码,旗区名称\n150602,东胜区\n".encode(encoding))
    frames, findings = read_registry(tmp_path)

    assert findings == []
    assert frames["banners"].rows() == [("150602", "东胜区")]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "no_tables"),
        ({"letter.csv": "a,b\n"}, "no_tables"),
        ({"homes.csv": "a,b\n1,2\n", "热用户.csv": "a,b\n1,2\n"}, "double_table"),
        ({"homes.csv": ""}, "empty_file"),
        ({"homes.csv": "code,building\nB1,B\nB2\n"}, "half_row"),
        ({"homes.xlsx": "not a workbook"}, "broken_file"),
    ],
    ids=["nothing", "another file", "a table twice", "an empty file", "half a row", "a broken workbook"],
)
def test_faults_of_the_files(tmp_path: Path, files: dict[str, str], code: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    _, findings = read_registry(tmp_path)

    assert code in [finding.code for finding in findings]


def test_the_empty_end_of_a_sheet_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "banners.csv").write_text("code,name\n150602,东胜区\n,\n,\n")
    frames, findings = read_registry(tmp_path)

    assert (frames["banners"].height, findings) == (1, [])
