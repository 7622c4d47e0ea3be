"""The tree of the sources: names that say what is inside, files of one subject, rooms that introduce themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "nuan"
MODULES = sorted(path for path in SOURCES.rglob("*.py") if "migrations" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PURE = ("terms", "telemetry", "network", "buildings", "facts", "rules", "policies")
ATTIC = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "base", "manager", "managers"}
LONGEST = 400

# file → why one subject needs more lines than the rest of the house
LONGER: dict[str, str] = {}


def attic_names(paths: list[Path]) -> list[str]:
    """Modules and folders named after nothing; a template called base.html is Django's word for a layout and not meant."""
    return [str(path) for path in paths if ATTIC & {*path.parent.parts, path.stem.lstrip("_")}]


def test_no_attic() -> None:
    assert attic_names([path.relative_to(SOURCES) for path in MODULES]) == []


@pytest.mark.parametrize("name", ["web/utils.py", "rules/common/tiers.py", "facts/_helpers.py"])
def test_an_attic_would_be_found(name: str) -> None:
    assert attic_names([Path(name)]) == [name]


def test_files_hold_one_subject() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in [*MODULES, *TESTS]}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST and name not in LONGER} == {}
    outdated = {name for name in LONGER if lengths.get(name, 0) <= LONGEST}
    assert outdated == set(), "an exception that nobody needs any more"


@pytest.mark.parametrize("room", sorted(path.parent.name for path in SOURCES.glob("*/__init__.py")))
def test_a_room_says_what_comes_in_and_what_goes_out(room: str) -> None:
    words = ast.get_docstring(ast.parse((SOURCES / room / "__init__.py").read_text("utf-8")))
    assert words, f"{room} does not introduce itself"
    assert len(words.splitlines()) <= 3
    assert room in {"site", "terms"} or ("In:" in words and "Out:" in words), f"{room}: say In: … Out: …"


def test_every_module_has_a_docstring() -> None:
    """Why it exists. An apps.py and an empty __init__.py are what Django demands and have nothing to say."""
    silent = [
        str(path.relative_to(SOURCES))
        for path in MODULES
        if path.name != "apps.py"
        and path.read_text("utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def unfinished(text: str) -> bool:
    return any(word in text for word in ("TODO", "FIXME", "NotImplementedError", "pdb.set_trace", "breakpoint()"))


def test_nothing_is_left_for_later() -> None:
    kinds = {".py", ".html", ".css", ".js", ".yaml", ".svg", ".txt"}
    found = [
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*")
        if path.suffix in kinds and "vendor" not in path.parts and unfinished(path.read_text("utf-8"))
    ]
    assert found == []
    assert unfinished("# TODO: later")


IMPURE = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"), ("time", "time_ns"),
    ("time", "sleep"), ("os", "environ"), ("os", "getenv"), ("random", "random"),
}  # fmt: skip
FOREIGN = {"socket", "requests", "httpx", "urllib", "subprocess", "random"}


def impurities(source: str) -> list[str]:
    """Clocks, prints, environment and sockets in a module's text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}:
            found.append(node.func.id)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in IMPURE
        ):
            found.append(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FOREIGN]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FOREIGN:
            found.append(node.module or "")
    return found


def test_thinking_rooms_take_values_and_return_values() -> None:
    impure = {
        str(path.relative_to(SOURCES)): impurities(path.read_text("utf-8"))
        for path in MODULES
        if path.relative_to(SOURCES).parts[0] in PURE and impurities(path.read_text("utf-8"))
    }
    assert impure == {}


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "from datetime import datetime\ndatetime.now()",
        "import urllib.request",
        "import os\nos.environ['X']",
    ],
)
def test_an_impure_module_would_be_found(source: str) -> None:
    assert impurities(source)


def test_test_files_have_names_of_their_own() -> None:
    """Without packages pytest knows a test file by its bare name."""
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_tests_mirror_the_street() -> None:
    rooms = {path.parent.name for path in SOURCES.glob("*/__init__.py")}
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in TESTS if path.parent != ROOT / "tests"}
    assert folders - rooms - {"house", "cases", "journeys", "walkthrough"} == set()


def test_no_path_of_one_machine() -> None:
    kinds = {".py", ".md", ".toml", ".yaml", ".html", ".txt", ".css", ".lock"}
    folders = [ROOT / name for name in ("src", "tests", "docs", "bench", "examples", ".ci")]
    files = [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.suffix in kinds]
    files += [path for path in ROOT.iterdir() if path.suffix in kinds]
    markers = ("/work" + "/", "/root" + "/", "/home" + "/")
    assert [str(path.relative_to(ROOT)) for path in files if any(m in path.read_text("utf-8") for m in markers)] == []
