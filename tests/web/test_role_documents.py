"""docs/roles says for each role which pages open; the list is the one that the door uses."""

import re
from pathlib import Path

import pytest

from nuan.records.accounts.models import Role
from nuan.web.role_documents import pages_of, with_pages

ROLES = Path(__file__).parents[2] / "docs" / "roles"


def test_every_role_has_its_page() -> None:
    assert {path.stem for path in ROLES.glob("*.md")} == set(Role.values)


@pytest.mark.parametrize("role", Role.values)
def test_the_page_names_what_opens(role: str) -> None:
    text = (ROLES / f"{role}.md").read_text(encoding="utf-8")
    assert re.findall(r"^- `(.*?)`$", text, re.MULTILINE) == pages_of(role), "run `make docs`"
    assert with_pages(text, role) == text
