"""One street: whoever receives the data never knows who sends it. The examples in the docstrings run."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import nuan

ROOT = Path(__file__).parents[2]
PURE = ("terms", "telemetry", "network", "buildings", "facts", "rules", "policies")


def pure_modules() -> list[str]:
    return [
        module.name
        for module in pkgutil.walk_packages(nuan.__path__, "nuan.")
        if module.name.split(".")[1] in PURE
    ]  # fmt: skip


def test_imports_run_one_way() -> None:
    """The contracts of pyproject.toml, typing-only and in-function imports included."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
