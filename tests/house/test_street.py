"""One street: whoever receives the data never knows who sends it. The examples in the docstrings run."""

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import nuan

ROOT = Path(__file__).parents[2]
PURE = ("terms", "telemetry", "network", "buildings", "facts", "rules", "policies")


def pure_modules() -> list[str]:
    """Looked for in their rooms only: walking through a package imports it, and other rooms need Django first."""
    return [
        name
        for room in PURE
        for name in (f"nuan.{room}", *(found.name for found in pkgutil.walk_packages([f"{nuan.__path__[0]}/{room}"], f"nuan.{room}.")))
    ]  # fmt: skip


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_imports_run_one_way() -> None:
    """The contracts of pyproject.toml, typing-only and in-function imports included."""
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_against_the_street_would_be_found(tmp_path: Path) -> None:
    """The same contract on a street of two houses, where the lower one looks up."""
    street = tmp_path / "street"
    for room, text in {"facts": "", "terms": "import street.facts"}.items():
        (street / room).mkdir(parents=True)
        (street / room / "__init__.py").write_text(text)
    (street / "__init__.py").touch()
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = street\n\n"
        "[importlinter:contract:one]\nname = one street\ntype = layers\nlayers =\n    street.facts\n    street.terms\n"
    )
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert "street.terms -> street.facts" in done.stdout


def test_thinking_rooms_load_without_django() -> None:
    """Import every pure module in a fresh interpreter and look for Django among the loaded."""
    lines = [f"import {name}" for name in pure_modules()]
    lines += ["import sys", "sys.exit('django loaded' if 'django' in sys.modules else 0)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", pure_modules())
def test_docstring_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
