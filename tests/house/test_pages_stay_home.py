"""No page asks a foreign host for anything: fonts, scripts, tiles and pictures are ours."""

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "nuan"
ADDRESS = re.compile(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})", re.IGNORECASE)
COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->|\{#.*?#\}", re.DOTALL)
KINDS = {".html", ".css", ".js", ".svg", ".txt", ".json"}

# Names of XML vocabularies: never fetched.
VOCABULARIES = {"www.w3.org"}
# Links that vendored libraries show or mention in their texts; none of them is fetched by a page.
MENTIONED = {"leafletjs.com", "htmx.org", "github.com", "echarts.apache.org", "www.apache.org", "developer.mozilla.org"}


def foreign_hosts(text: str) -> set[str]:
    return {host.lower() for host in ADDRESS.findall(COMMENT.sub("", text))} - VOCABULARIES


def faces() -> list[Path]:
    return sorted(path for path in SOURCES.rglob("*") if path.suffix in KINDS and path.is_file())


@pytest.mark.parametrize("path", faces(), ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_foreign_address(path: Path) -> None:
    found = foreign_hosts(path.read_text("utf-8"))
    assert found - (MENTIONED if "vendor" in path.parts else set()) == set()


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example.com/x.js"></script>',
        "body { background: url(//img.example.com/a.png) }",
        '@import "http://fonts.example.com/css";',
    ],
)
def test_a_foreign_address_would_be_found(text: str) -> None:
    assert foreign_hosts(text)


def test_the_vocabulary_of_svg_is_no_request() -> None:
    assert foreign_hosts('<svg xmlns="http://www.w3.org/2000/svg"></svg>') == set()
