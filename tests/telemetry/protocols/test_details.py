"""Particulars of a dead letter: codes for programs, words for people in both languages."""

import re
import string

import pytest

from nuan.telemetry.protocols import cjt188, mbus, mqtt_json, wmbus
from nuan.telemetry.protocols.details import DETAILS, detail_words, said


@pytest.mark.parametrize("code", DETAILS)
def test_both_languages_name_the_same_particulars(code: str) -> None:
    places = [sum(field is not None for _, field, _, _ in string.Formatter().parse(text)) for text in DETAILS[code]]
    assert places[0] == places[1]
    words = detail_words(said(code, *(f"p{n}" for n in range(places[0]))))
    assert all(f"p{n}" in text for n in range(places[0]) for text in words)


def test_chinese_words_are_chinese() -> None:
    for zh, _ in DETAILS.values():
        assert not re.search(r"[a-z]{3,} [a-z]{2,}", zh.replace("start 和 values", "")), zh


@pytest.mark.parametrize(
    ("problem", "zh", "en"),
    [
        (mbus.parse(bytes.fromhex("681F1F6808")).problems[0], "应有 37 字节，只有 5 字节", "5 of 37 bytes"),
        (mqtt_json.parse("nuan/G/1", b"{").problems[0], "第 1 字节：名称应在双引号内", "at 1: Expecting property name enclosed in double quotes"),
        (cjt188.parse(b"noise").problems[0], "5 字节", "5 bytes"),
        (wmbus.parse(b"\x44").problems[0], "1 字节", "1 bytes"),
    ],
)  # fmt: skip
def test_what_parsers_say(problem: object, zh: str, en: str) -> None:
    assert detail_words(problem.detail) == (zh, en)  # type: ignore[attr-defined]


def test_particulars_within_particulars() -> None:
    detail = said("lines", 3, "ms", 17, ["fault", 12, "NUMBER"])
    assert detail_words(detail)[0] == "3 行，时间精度 ms；第 17 行：第 12 列：数字写法不对"


@pytest.mark.parametrize(
    "detail", ["", "0001: colour", '["cut', '["no such code",1]', '["bytes_of",1]', "[1]", '["bytes",{"a":1}]']
)
def test_what_is_no_code_is_shown_as_it_is(detail: str) -> None:
    assert len(detail_words(detail)) == 2
    if "bytes" not in detail:
        assert detail_words(detail) == (detail, detail)
