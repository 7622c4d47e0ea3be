"""The environment is locked twice, for uv and for pip, and both say the same."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def in_requirements(text: str) -> set[tuple[str, str]]:
    return {(canonical(name), version) for name, version in PINNED.findall(text)}


def in_lock(text: str) -> set[tuple[str, str]]:
    packages = tomllib.loads(text)["package"]
    return {(canonical(each["name"]), each["version"]) for each in packages if "editable" not in each["source"]}


def test_requirements_agree_with_the_lock() -> None:
    requirements = in_requirements((ROOT / "requirements-peers.txt").read_text("utf-8"))
    lock = in_lock((ROOT / "uv.lock").read_text("utf-8"))
    assert requirements == lock, "run `make lock`"
    assert in_requirements((ROOT / "requirements.txt").read_text("utf-8")) < lock
    assert len(lock) > 30


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-peers.txt"])
def test_every_requirement_is_pinned_by_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text("utf-8").strip())
    assert [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = project["project"]["dependencies"] + [
        each for group in project["dependency-groups"].values() for each in group
    ]
    names = {canonical(re.split(r"[\[<>=~! ;]", each, maxsplit=1)[0]) for each in asked}
    assert names - {name for name, _ in in_lock((ROOT / "uv.lock").read_text("utf-8"))} == set()


@pytest.mark.parametrize("line", ["numpy==2.4.6 ; python_full_version < '3.12' \\", "Django==5.2.1 \\"])
def test_a_pin_is_read(line: str) -> None:
    assert len(in_requirements(line)) == 1
