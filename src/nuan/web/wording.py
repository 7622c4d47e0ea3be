"""The words of the pages: Chinese is the key, `wording.yaml` has the English. One mechanism for templates and views.

A word without English stays Chinese; a test reads all templates and views and refuses a key that the table lacks.
"""

from functools import cache
from pathlib import Path

import yaml
from django.utils.translation import get_language


@cache
def english() -> dict[str, str]:
    table: dict[str, str] = yaml.safe_load((Path(__file__).parent / "wording.yaml").read_text(encoding="utf-8"))
    return table


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def say(chinese: str, **values: object) -> str:
    """The words in the language of the request, with `{name}` filled in."""
    text = english().get(chinese, chinese) if in_english() else chinese
    return text.format(**values) if values else text


def pick(chinese: str, foreign: str) -> str:
    """One of two texts that come in both languages (titles of clauses, findings)."""
    return foreign if in_english() and foreign else chinese
