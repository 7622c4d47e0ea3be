"""Documents that could lie: the nomenclature and the fact tables of the architecture page."""

import re
from pathlib import Path

from nuan.facts.nomenclature import page
from nuan.facts.schemas import TABLES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_nomenclature_is_up_to_date() -> None:
    assert (DOCS / "nomenclature.md").read_text("utf-8") == page(), "run `make docs`"


def documented_columns() -> dict[str, list[str]]:
    """The rows of the table under “nuan.facts” in docs/architecture.md; words in brackets are values, not columns."""
    text = (DOCS / "architecture.md").read_text("utf-8")
    section = text.split("### `nuan.facts`")[1].split("###")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
    return {name: re.findall(r"`([a-z]\w*)`", re.sub(r"\([^)]*\)", "", columns)) for name, columns in rows}


def test_the_architecture_page_names_every_column_of_every_fact_table() -> None:
    assert documented_columns() == {name: list(table.schema) for name, table in TABLES.items()}
