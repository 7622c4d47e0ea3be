"""No sentence of the directive is left out, and no word is put into its mouth."""

import re
from pathlib import Path

import pytest

from nuan.policies import catalogue
from nuan.policies.catalogue import CLAUSES, DirectiveTextError, clause, directive_text
from nuan.policies.clause_page import page
from nuan.rules.clause import Clause

ROOT = Path(__file__).parents[3]
IDS = [each.id for each in CLAUSES]
# A heading of a part, and the number before an item: they say where a sentence stands, not what is asked.
HEADING = re.compile(r"^[一二三四五六七八九十]+、\S+$", re.MULTILINE)
ITEM_NUMBER = re.compile(r"^\d+\.", re.MULTILINE)


def unbound(text: str, quotations: list[str]) -> list[str]:
    """Sentences of which some word lies in no quotation."""
    bound = bytearray(len(text))
    for quotation in quotations:
        start = text.index(quotation)
        bound[start : start + len(quotation)] = b"\1" * len(quotation)
    for mark in [*HEADING.finditer(text), *ITEM_NUMBER.finditer(text)]:
        bound[mark.start() : mark.end()] = b"\1" * (mark.end() - mark.start())
    loose = []
    for sentence in re.finditer(r"[^。;\n]+", text):
        span = range(sentence.start(), sentence.end())
        if any(not bound[i] and re.match(r"\w", text[i]) for i in span):
            loose.append(sentence.group())
    return loose


def test_every_sentence_is_bound_to_a_clause() -> None:
    assert unbound(directive_text(), [each.quotation for each in CLAUSES]) == []


@pytest.mark.parametrize("left_out", IDS)
def test_a_clause_left_out_would_be_seen(left_out: str) -> None:
    assert unbound(directive_text(), [each.quotation for each in CLAUSES if each.id != left_out]) != []


@pytest.mark.parametrize("each", CLAUSES, ids=IDS)
def test_a_quotation_stands_once_and_literally_in_the_text(each: Clause) -> None:
    assert directive_text().count(each.quotation) == 1


def test_the_clauses_stand_in_the_order_of_the_text() -> None:
    places = [directive_text().index(each.quotation) for each in CLAUSES]
    assert places == sorted(places)


def test_a_changed_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "TEXT_SHA256", "0" * 64)
    with pytest.raises(DirectiveTextError):
        directive_text()


@pytest.mark.parametrize("each", CLAUSES, ids=IDS)
def test_words_of_a_number_are_words_of_its_quotation(each: Clause) -> None:
    for use in each.parameter_uses:
        assert use.words is None or use.words in each.quotation
        assert use.ground in {"文件数值", "运行参数"}


@pytest.mark.parametrize("each", CLAUSES, ids=IDS)
def test_numbers_and_open_points_are_known_to_every_pack(each: Clause) -> None:
    for name in catalogue.packs():
        pack = catalogue.pack(name)
        for key in each.parameters:
            pack.parameter(key)
        for key in each.interpretations:
            assert pack.interpretation(key).options


def test_a_number_of_the_directive_quotes_the_text() -> None:
    pack, text = catalogue.pack("directive"), directive_text()
    quotes = [answer.quote for number in pack.parameters() for answer in number.answers if answer.layer == "directive"]
    quoted = [quote for quote in quotes if quote]
    assert len(quoted) >= 8
    assert [quote for quote in quoted if quote not in text] == []


def test_the_eight_open_decisions_have_a_clause_that_meets_them() -> None:
    pack = catalogue.pack("directive")
    met = {key for each in CLAUSES for key in each.interpretations}
    asked = {one.key for one in pack.interpretations() if one.decision is not None}
    assert {pack.interpretation(key).decision for key in asked} == set(range(1, 9))
    assert asked <= met


def test_operational_numbers_are_signed_in_the_demo_city_and_nowhere_in_the_directive() -> None:
    ours = {use.key for each in CLAUSES for use in each.parameter_uses if use.ground == "运行参数"}
    directive, demo = catalogue.pack("directive"), catalogue.pack("demo-city")
    for key in ours:
        assert directive.parameter(key).answers == ()
        assert demo.parameter(key).answers[0].layer == "demo-city"


@pytest.mark.parametrize("each", CLAUSES, ids=IDS)
def test_status_says_what_is_there(each: Clause) -> None:
    assert (each.status == "text_only") == (each.rule is None)
    assert ("尚无" in each.status_zh) == (each.status != "working")
    assert bool(each.scopes) == (each.rule is not None)
    assert each.kind in {"judged", "recorded", "workflow", "judged + recorded", "recorded + judged"}


def test_the_fully_working_clauses() -> None:
    assert [each.id for each in CLAUSES if each.rule] == [
        "2.4.2a", "2.5", "2.5.1", "2.5.2", "2.5.3a", "2.5.3b", "2.5.4", "2.6.1", "2.7.3", "2.7.4", "2.7.5", "3.1", "3.2",
    ]  # fmt: skip
    assert clause("2.5").judges("station")
    assert clause("2.5").judges("home")
    assert not clause("2.7").judges("home")


def test_the_page_of_clauses_is_up_to_date() -> None:
    assert (ROOT / "docs" / "clauses.md").read_text("utf-8") == page(), "run `make docs`"


def test_an_unknown_clause_is_named() -> None:
    with pytest.raises(catalogue.NoSuchClauseError, match=r"9\.9"):
        clause("9.9")
