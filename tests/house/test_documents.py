"""Documents that could lie: the nomenclature, the fact tables of the architecture page, links, and the commands of make."""

import re
from pathlib import Path

import pytest

from nuan.facts.nomenclature import page
from nuan.facts.schemas import TABLES
from nuan.terms.glossary import GLOSSARY

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("bench/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def test_the_nomenclature_is_up_to_date() -> None:
    assert (DOCS / "nomenclature.md").read_text("utf-8") == page(), "run `make docs`"


def test_a_word_has_one_meaning() -> None:
    for names in ([word.en for word in GLOSSARY], [word.zh for word in GLOSSARY]):
        assert len(names) == len(set(names))


def documented_columns() -> dict[str, list[str]]:
    """The rows of the table under “nuan.facts” in docs/architecture.md; words in brackets are values, not columns."""
    text = (DOCS / "architecture.md").read_text("utf-8")
    section = text.split("### `nuan.facts`")[1].split("###")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
    return {name: re.findall(r"`([a-z]\w*)`", re.sub(r"\([^)]*\)", "", columns)) for name, columns in rows}


def test_the_architecture_page_names_every_column_of_every_fact_table() -> None:
    assert documented_columns() == {name: list(table.schema) for name, table in TABLES.items()}


def dead_links(page: Path) -> list[str]:
    """Relative links and pictures whose file does not exist; addresses and anchors are not followed."""
    targets = [link.split("#")[0] for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    return [target for target in targets if target and not (page.parent / target).exists()]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert dead_links(path) == []


def test_a_dead_link_would_be_found(tmp_path: Path) -> None:
    page_with_links = tmp_path / "a.md"
    page_with_links.write_text("[here](a.md#top) [there](b.md) ![picture](c.png) [world](https://example.com)", "utf-8")
    assert dead_links(page_with_links) == ["b.md", "c.png"]


VARIABLE = re.compile(r"environ(?:\.get|\.setdefault|\.pop)?[(\[]\s*\"([A-Z_]+)\"|getenv\(\s*\"([A-Z_]+)\"")


def test_every_setting_is_on_the_page_of_operations_and_no_other() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")]
    read = {name for text in sources for pair in VARIABLE.findall(text) for name in pair if name}
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE))
    assert documented == read
    assert "DATABASE_URL" in read


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    asked = {
        name for path in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert asked - targets == set()
    assert {"demo", "serve", "check", "test", "bench"} <= targets
