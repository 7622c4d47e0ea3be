"""Other words for keys, and what is said about words nobody knows."""

import pytest

from nuan.policies.cases import names
from nuan.policies.cases.comparison import differences, read_situations
from nuan.policies.cases.evaluation import evaluate
from nuan.terms.findings import Finding, FindingsError

SPOKEN = [
    pytest.param(
        """
        - id: outage
          jurisdiction: demo-city
          season: 2025-2026
          home: {area: 100, price_per_m2: 24}
          outage: {started_at: 2026-01-01 22:00, ended_at: 2026-01-03 05:00}
          expect: {outage: 39.34}
        """,
        id="an outage",
    ),
    pytest.param(
        """
        - id: tests
          pack: taian
          season: {start: 2025-10-15, end: 2026-04-15}
          home: {season_fee_yuan: 1830}
          tests:
            - {requested_at: 2026-01-01 08:00, measured_at: 2026-01-01 20:00, temperature_c: 16.0}
            - {measured: 2026-01-10 10:00, temp: 18.5, purpose: retest}
          expected: {temperature: 30}
        """,
        id="formal tests",
    ),
    pytest.param(
        """
        - id: hours
          pack: demo-city
          season: 2025-2026
          home: {fee_yuan: 1830}
          outages: [{start: 2026-01-01 00:00, duration_h: 24.5}]
          expectations: {refund: 20}
        """,
        id="a length in hours",
    ),
    *(
        pytest.param(
            f"""
            - id: tariff
              pack: demo-city
              season: 2025-2026
              {given}
              outages: [{{from: 2026-01-01 22:00, to: 2026-01-03 05:00}}]
              expected: {{outage_refund: 39.34}}
            """,
            id=given,
        )
        for given in (
            "tariff: 24\n              home: {area: 100}",
            "tariff: {price: 24}\n              home: {area: 100}",
            "home: {area: 100, tariff: 24}",
            "home: {area: 100, tariff: {unit_price: 24}}",
            "tariff: {fee: 2400}",
        )
    ),
]


def finding(text: str) -> Finding:
    with pytest.raises(FindingsError) as error:
        read_situations(text, "case.yaml")
    (found,) = error.value.findings
    return found


@pytest.mark.parametrize("text", SPOKEN)
def test_other_words_mean_the_same(text: str) -> None:
    (situation,) = read_situations(text, "case.yaml")
    assert not list(differences(situation, evaluate(situation)))


def situation(home: str = "{fee: 100}", outage: str = "{from: 2026-01-01, hours: 30}", more: str = "") -> str:
    return f"- id: x\n  season: 2025-2026\n  home: {home}\n  outages: [{outage}]\n{more}"


@pytest.mark.parametrize(
    ("text", "field", "line", "like"),
    [
        pytest.param(situation(home="{fees: 100}"), "fees", 3, "fee", id="of a home"),
        pytest.param(situation(outage="{from: 2026-01-01, hour: 30}"), "hour", 4, "hours", id="of an outage"),
        pytest.param(situation(outage="{from: 2026-01-01, endd_at: 2026-01-03}"), "endd_at", 4, "to", id="of another word"),
        pytest.param(situation(more="  reading: []"), "reading", 5, "readings", id="of a situation"),
        pytest.param(situation(more="  expected: {outage_refunds: 1}"), "outage_refunds", 5, "outage_refund", id="expected"),
        pytest.param(situation(more="  pack: taiann"), "pack", 5, "taian", id="a pack"),
        pytest.param(
            situation(more="  interpretations: {outage_days: by_time}"), "outage_days", 5, "outage_day", id="a question"
        ),
        pytest.param(
            situation(more="  interpretations: {outage_day: by_times}"), "outage_day", 5, "by_time", id="an option"
        ),
        pytest.param(
            situation(outage="{from: 2026-01-01, hours: 30, cause: suplier}"), "cause", 4, "supplier", id="a cause"
        ),
    ],
)  # fmt: skip
def test_an_unknown_word_names_the_nearest(text: str, field: str, line: int, like: str) -> None:
    found = finding(text)
    assert (found.field, found.row) == (field, line)
    assert found.remedy_zh.startswith(f"是不是 {like}？")


def test_a_word_like_nothing_lists_what_there_is() -> None:
    assert finding(situation(home="{fee: 1, zzz: 2}")).remedy_zh.startswith("可用：area_m2、")


def test_the_same_thing_said_twice() -> None:
    found = finding(situation(home="{fee: 100, season_fee: 200}"))
    assert (found.field, found.value) == ("season_fee", "200")
    assert len(read_situations(situation(home="{fee: 100, season_fee: 100}"), "case.yaml")) == 1


def test_hours_that_are_no_number_are_not_an_open_end() -> None:
    assert finding(situation(outage="{from: 2026-01-01, hours: long}")).field == "hours"


def test_no_other_word_stands_for_two_keys() -> None:
    for aliases in (names.TOP, names.HOME, names.OUTAGE, names.TEST, names.READING, names.FUEL, names.VEHICLE):
        others = [other for group in aliases.values() for other in group]
        assert len(others) == len(set(others))
        assert not set(others) & set(aliases)
