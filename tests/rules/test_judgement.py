"""The shape of judgements, and the words of every reason to stay undecided."""

import polars as pl
import pytest

from nuan.rules.comparison import Comparison
from nuan.rules.judgement import SCHEMA, WHY, Judgements, JudgementShapeError, Verdict

ROW = {
    "subject_level": "home", "subject": "B0042-1-0301", "period_start": 0, "period_end": 1, "verdict": "met",
    "value": 0, "threshold": 0, "amount_fen": 5, "branch": "x",
}  # fmt: skip


def test_what_a_rule_leaves_out_is_filled() -> None:
    row = Judgements.of("2.5.2", pl.DataFrame([ROW])).frame.row(0, named=True)
    assert (row["clause"], row["item"], row["why"], row["facts"]) == ("2.5.2", "season", "", "{}")
    assert list(row) == list(SCHEMA)


def test_the_same_thing_is_not_judged_twice() -> None:
    with pytest.raises(JudgementShapeError, match="B0042-1-0301"):
        Judgements.of("2.5.2", pl.DataFrame([ROW, ROW]))


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(JudgementShapeError, match="colour"):
        Judgements.of("2.5.2", pl.DataFrame([{**ROW, "colour": "red"}]))


def test_parts_add_up() -> None:
    one = Judgements.of("2.5.2", pl.DataFrame([ROW]))
    both = Judgements.concat([one, Judgements.of("2.5.3a", pl.DataFrame([ROW])), Judgements.none("2.5")])
    assert (len(both), both.total_fen) == (2, 10)
    assert Judgements.concat([]).total_fen == 0


@pytest.mark.parametrize("code", [code for code in WHY if code])
def test_every_reason_has_a_sentence_in_both_languages(code: str) -> None:
    zh, en = WHY[code]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
    assert en.isascii()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_chinese_word(verdict: Verdict) -> None:
    assert verdict.zh


@pytest.mark.parametrize(
    ("word", "below", "at", "above"),
    [
        ("以上", False, True, True), ("不低于", False, True, True), ("不少于", False, True, True),
        ("超过", False, False, True), ("以下", True, True, False), ("以内", True, True, False),
        ("不超过", True, True, False), ("不满", True, False, False), ("低于", True, False, False),
    ],
)  # fmt: skip
def test_comparison_words_include_or_exclude_the_figure(word: str, below: bool, at: bool, above: bool) -> None:
    compare = Comparison.from_word(word)
    assert [compare.holds(value, 1800) for value in (1799, 1800, 1801)] == [below, at, above]


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="大约"):
        Comparison.from_word("大约")
