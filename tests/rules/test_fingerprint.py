"""One hash over everything that decides, the same on every machine."""

from pathlib import Path

import pytest

from nuan.rules import fingerprint as module
from nuan.rules.fingerprint import fingerprint


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set of rules on its own."""
    (tmp_path / "c2_5_2").mkdir()
    (tmp_path / "c2_5_2" / "rule.py").write_bytes(b"limit\n= 1\n")
    (tmp_path / "c2_5_2" / "cases.yaml").write_bytes(b"cases: []\n")
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    return tmp_path


def test_it_is_stable() -> None:
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 64


def test_line_endings_do_not_matter(rules: Path) -> None:
    before = fingerprint("x")
    (rules / "c2_5_2" / "rule.py").write_bytes(b"limit\r\n= 1\r\n")
    assert fingerprint("x") == before


def test_cases_and_byte_code_do_not_decide(rules: Path) -> None:
    before = fingerprint("x")
    (rules / "c2_5_2" / "cases.yaml").write_bytes(b"cases: [1]\n")
    (rules / "c2_5_2" / "rule.pyc").write_bytes(b"0")
    assert fingerprint("x") == before


@pytest.mark.parametrize("name", ["rule.py", "clause.yaml", "text.txt"])
def test_everything_that_decides_changes_it(rules: Path, name: str) -> None:
    before = fingerprint("x")
    (rules / "c2_5_2" / name).write_bytes(b"limit = 2\n")
    assert fingerprint("x") != before
