"""The stories beside each rule: what an officer reads there is what the rule does, and what it explains."""

import json
import re
from typing import Any

import polars as pl
import pytest
from situations import Case, cases

from nuan.policies.catalogue import clause
from nuan.rules.clause import NoSuchJudgementError

CHINESE = re.compile("[\u4e00-\u9fff]")
FOLDERS = ["c2_4_2a", "c2_5", "c2_5_2", "c2_5_4", "c2_6_1", "c2_7_3", "c2_7_4", "c2_7_5", "c3_1", "c3_2"]
ALL = [pytest.param(case, id=f"{case.clause} {case.name}") for folder in FOLDERS for case in cases(folder)]


def judged(case: Case) -> dict[str, Any] | None:
    frame = clause(case.clause).judge(case.book, case.pack).frame
    rows = frame.filter((pl.col("subject") == case.code) & (pl.col("item") == case.item))
    return rows.row(0, named=True) if rows.height else None


@pytest.mark.parametrize("case", ALL)
def test_a_case_is_judged_as_it_says(case: Case) -> None:
    found = judged(case)
    if case.expect == "nothing":
        assert found is None
        return
    assert found is not None
    assert found["subject_level"] == case.level
    shown = {**json.loads(found["facts"]), **found}
    assert {key: shown[key] for key in case.expect} == case.expect


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("case", ALL)
def test_the_explanation_is_of_the_very_judgement(case: Case, language: str) -> None:
    found = judged(case)
    if found is None:
        with pytest.raises(NoSuchJudgementError):
            clause(case.clause).explain(case.book, case.pack, case.code, case.item, language)
        return
    told = clause(case.clause).explain(case.book, case.pack, case.code, case.item, language)
    assert (told.verdict, told.amount_fen, told.item) == (found["verdict"], found["amount_fen"], found["item"])
    assert told.sentence
    assert len(told.steps) >= 3
    assert told.pack_version == case.pack.version
    assert any(step.kind == "branch" for step in told.steps)
    if language == "en":
        prose = [step.working for step in told.steps] + [told.sentence]
        assert [text for text in prose if CHINESE.search(text.replace("未载明", ""))] == []


def test_a_wrong_expectation_would_be_seen() -> None:
    case = next(cases("c2_5_2"))
    found = judged(case)
    assert found is not None
    assert found["verdict"] != "breached"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_verdict_has_its_case(folder: str) -> None:
    expected = {case.expect["verdict"] for case in cases(folder) if case.expect != "nothing"}
    assert {"met", "breached"} <= expected
    assert folder == "c2_6_1" or "undecidable" in expected
