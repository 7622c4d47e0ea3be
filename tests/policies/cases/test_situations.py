"""Every situation of tests/cases comes out as its author expects; files that cannot be read say all that is wrong, and where."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nuan.cli.cases import cases
from nuan.policies.cases.comparison import Outcome, check_file, read_situations
from nuan.policies.cases.evaluation import evaluate
from nuan.policies.cases.values import moment, yuan_to_fen
from nuan.terms.findings import FindingsError

ROOT = Path(__file__).parents[3]
FILES = sorted(
    [*(ROOT / "tests" / "cases").glob("*.yaml"), *(ROOT / "src/nuan/policies/directive").glob("c2_5_3?/cases.yaml")]
)
PLACES = {
    "directive", "demo-city", "shandong", "qingdao", "weifang", "linyi", "taian", "binzhou", "heze", "luoyang",
}  # fmt: skip
OUTCOMES = [outcome for file in FILES for outcome in check_file(file)]


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(
            each, id=f"{Path(each.situation.where).parent.name}/{Path(each.situation.where).stem}:{each.situation.id}"
        )
        for each in OUTCOMES
    ],
)
def test_situation(outcome: Outcome) -> None:
    assert outcome.situation.expected, "a situation without an expectation checks nothing"
    assert not outcome.differences


def test_every_pack_and_refund_rule_is_told() -> None:
    assert len(OUTCOMES) >= 60
    assert {outcome.situation.pack.name for outcome in OUTCOMES} >= PLACES
    told = {each.target for outcome in OUTCOMES for each in outcome.situation.expected}
    assert told >= {"outage_refund", "temperature_refund", "month_refund", "total_refund", "2.5.3a", "2.5.3b"}


ONE = """
- id: one-night
  pack: demo-city
  season: 2025-2026
  home: {area_m2: 100, price: 24}
  outages: [{from: 2026-01-01 22:00, to: 2026-01-03 05:00}]
  expected: {outage_refund: 39.34}
"""
WRONG = """
- id: one
  pack: hezee
  season: 2025-2026
  home: {area_m2: many, price: 24}
  outages: [{from: 2026-01-41 22:00, cauze: user}]
- id: one
  pack: heze
  season: 2025-2026
  interpretations: {overlap: favour_nobody}
  expected: {outage_refnd: 3}
"""


def run(tmp_path: Path, text: str, *options: str):
    path = tmp_path / "situations.yaml"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cases, [str(path), *options])


def test_as_expected_is_0(tmp_path: Path) -> None:
    result = run(tmp_path, ONE)
    assert result.exit_code == 0
    assert "核对 1 项，不同 0 项" in result.output


def test_a_difference_is_1_with_place_and_both_amounts(tmp_path: Path) -> None:
    result = run(tmp_path, ONE.replace("39.34", "26.23"), "--json")
    assert result.exit_code == 1
    (difference,) = json.loads(result.stdout)["situations"][0]["differences"]
    assert (difference["line"], difference["expected"], difference["got"]) == (7, "26.23 元", "39.34 元")
    table = run(tmp_path, ONE.replace("39.34", "26.23"))
    assert "26.23" in table.output
    assert "39.34" in table.output


def test_a_bad_file_is_2_and_lists_everything_at_once(tmp_path: Path) -> None:
    result = run(tmp_path, WRONG, "--json")
    assert result.exit_code == 2
    found = {(finding["row"], finding["field"]) for finding in json.loads(result.stdout)["findings"]}
    assert found == {(3, "pack"), (5, "area_m2"), (6, "from"), (6, "cauze"), (10, "overlap"), (11, "outage_refnd")}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("- id: [", "not_yaml", id="half a file"),
        pytest.param("", "no_situations", id="empty file"),
        pytest.param("- just words", "not_a_mapping", id="a list of words"),
        pytest.param("- {id: a, id: b, season: 2025}", "repeated_key", id="a key twice"),
        pytest.param(ONE + ONE, "repeated_id", id="an id twice"),
        pytest.param("- {id: a, pack: heze, home: {fee: 1}}", "bad_value", id="no season"),
        pytest.param("- {id: a, pack: taian, season: 2025, home: {fee: 1}}", "bad_value", id="a law without dates"),
    ],
)
def test_what_cannot_be_read(text: str, code: str) -> None:
    with pytest.raises(FindingsError) as caught:
        read_situations(text, "a.yaml")
    assert code in {finding.code for finding in caught.value.findings}
    assert all(finding.remedy_zh for finding in caught.value.findings)


def test_without_expectations_results_are_printed(tmp_path: Path) -> None:
    result = run(tmp_path, ONE.split("  expected")[0])
    assert result.exit_code == 0
    assert "停热退费 outage_refund：39.34 元" in result.output


def test_explain_shows_the_working(tmp_path: Path) -> None:
    result = run(tmp_path, ONE, "--explain")
    assert "2,400.00 元 × 3 日 ÷ 183 日 = 39.34 元" in result.output


def test_the_clause_pays_what_the_refund_rule_pays() -> None:
    (situation,) = read_situations(ONE, "a.yaml")
    results = evaluate(situation, ["2.5.3a"])
    assert results["2.5.3a"].amount_fen == results["outage_refund"].amount_fen == 3934


@pytest.mark.parametrize(
    ("text", "same"),
    [
        pytest.param("2026-01-01 24:00", "2026-01-02", id="end of the day"),
        pytest.param("2026-01-01T08:00:00+08:00", "2026-01-01 08:00", id="our offset"),
        pytest.param("2026-01-01T00:00:00Z", "2026-01-01 08:00", id="universal time"),
        pytest.param("2025-12-31T19:00:00-05:00", "2026-01-01 08:00", id="a western offset"),
    ],
)
def test_moments(text: str, same: str) -> None:
    assert moment(text) == moment(same)


@pytest.mark.parametrize(
    ("text", "fen"),
    [("24", 2400), (24, 2400), ("2,400.50 元", 240050), ("¥0.01", 1)],
    ids=["text", "number", "commas", "sign"],
)
def test_money(text: object, fen: int) -> None:
    assert yuan_to_fen(text) == fen
