"""docs/cases.md and docs/jurisdictions.md say what the code does: every example runs, every key and pack is listed."""

import re
from pathlib import Path

import pytest

from nuan.policies.cases import names
from nuan.policies.cases.comparison import differences, read_situations
from nuan.policies.cases.evaluation import evaluate
from nuan.policies.cases.given_facts import HOME, OUTAGE, TEST
from nuan.policies.cases.parsing import TOP
from nuan.rules.pack import load_pack, pack_names

DOCS = Path(__file__).parents[3] / "docs"
CASES = (DOCS / "cases.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", CASES, re.DOTALL)
NOT_FOR_AUTHORS = {"planned", "note"}
OTHER_WORDS = (names.TOP, names.HOME, names.OUTAGE, names.TEST, names.READING, names.FUEL, names.VEHICLE)


@pytest.mark.parametrize("text", EXAMPLES, ids=[f"example {number}" for number in range(1, len(EXAMPLES) + 1)])
def test_every_example_runs(text: str) -> None:
    situations = read_situations(text, "docs/cases.md")
    assert situations
    for situation in situations:
        assert situation.expected
        assert not list(differences(situation, evaluate(situation)))


def test_every_key_is_documented() -> None:
    keys = {*TOP, *HOME, *OUTAGE, *TEST} - NOT_FOR_AUTHORS
    said = set(re.findall(r"[a-z][a-z0-9_]*", CASES))
    assert {key.removesuffix("_fen") for key in keys} <= said


def test_every_other_word_is_documented() -> None:
    said = set(re.findall(r"[a-z][a-z0-9_]*", CASES))
    assert {word for aliases in OTHER_WORDS for word in names.canonical(aliases)} <= said


def test_every_question_and_option_is_listed() -> None:
    for key, question in load_pack("directive").questions.items():
        (row,) = [line for line in CASES.splitlines() if line.startswith(f"| `{key}` |")]
        assert all(f"`{option}`" in row for option in question["options"])


def test_every_pack_is_listed() -> None:
    text = (DOCS / "jurisdictions.md").read_text(encoding="utf-8")
    for name in pack_names():
        if not load_pack(name).synthetic or name == "demo-city":
            assert f"`{name}`" in text, name
