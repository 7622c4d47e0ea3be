"""The clauses as the pages name them, in the language of the request, with their numbers and open points at a date."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.http import Http404

from nuan.operations.city_packs import signed_records
from nuan.policies import catalogue
from nuan.policies.catalogue import NoSuchClauseError
from nuan.rules.clause import Clause
from nuan.rules.interpretation import Interpretation
from nuan.rules.pack import Pack, UnknownKey
from nuan.rules.parameter import DatedValue
from nuan.web.wording import in_english, pick, say

COMPARISONS = {
    ">=": "不低于(含本数)",
    ">": "超过(不含本数)",
    "<=": "不超过(含本数)",
    "<": "低于(不含本数)",
    "=": "等于",
}

# Answers that are words, and units that are not signs.
VALUES = {"outage_start": "自停热开始"}
UNITS = {"h": "小时", "hour": "小时", "day": "天", "month": "个月", "home": "户", "yuan": "元", "yuan/GJ": "元/GJ"}


@dataclass(frozen=True)
class ClauseWords:
    id: str
    title: str
    section: str
    quotation: str
    kind: str
    status: str
    what: str
    is_judged: bool

    @property
    def status_word(self) -> str:
        """What stands in a cell that has no judgement."""
        return "暂无判定" if self.is_judged else "仅录原文"


@dataclass(frozen=True)
class NumberAtDate:
    name: str
    key: str
    words: str
    ground: str
    answer: DatedValue

    @property
    def value(self) -> str:
        if self.answer.value is None:
            return say("未载明")
        value, unit = str(self.answer.value), self.answer.unit or ""
        return (
            f"{say(VALUES[value]) if value in VALUES else value} {say(UNITS[unit]) if unit in UNITS else unit}".strip()
        )

    @property
    def comparison(self) -> str:
        return say(COMPARISONS.get(self.answer.compare, self.answer.compare))


@dataclass(frozen=True)
class OpenPoint:
    question: Interpretation
    touches_zh: str

    @property
    def touches(self) -> str:
        return say(self.touches_zh)

    @property
    def name(self) -> str:
        return pick(self.question.zh, self.question.en)

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        return [
            (key, pick(words["zh"], words["en"]), key == self.question.chosen)
            for key, words in self.question.options.items()
        ]


NUMERALS = "〇一二三四五六七八九十"


def _heading(key: str, title: str) -> str:
    """The section as the text numbers it: part 二 has numbered sections, part 三 numbered items."""
    part, second = key.split(".")[:2]
    title = title or say("标题不在现有文本中(未载明)")
    if part == "2":
        return say("第{part}部分({section}) {title}", part=_numeral(part), section=_numeral(second), title=title)
    return say("第{part}部分 {title}", part=_numeral(part), title=title)


def _numeral(number: str) -> str:
    return number if in_english() else NUMERALS[int(number)]


def _words(found: Clause) -> ClauseWords:
    section = pick(found.section_zh or "", found.section_en or "")
    return ClauseWords(
        id=found.id,
        title=pick(found.short_zh, found.short_en),
        section=_heading(found.id, section),
        quotation=found.quotation,
        kind=found.kind,
        status=pick(found.status_zh, found.status_en),
        what=pick(found.what_zh, found.what_en),
        is_judged=found.rule is not None,
    )


def clause_rows() -> list[ClauseWords]:
    """Every clause in the order of the text."""
    return [_words(each) for each in catalogue.CLAUSES]


def words_of(key: str) -> ClauseWords:
    """The words of a clause; a judgement of a clause that the catalogue no longer has is shown under its number."""
    try:
        return _words(catalogue.clause(key))
    except NoSuchClauseError:
        return ClauseWords(key, key, "", "", "", "", "", False)


def clause_or_404(key: str) -> Clause:
    try:
        return catalogue.clause(key)
    except NoSuchClauseError:
        raise Http404 from None


def numbers_at(clause: Clause, pack: Pack, day: date) -> list[NumberAtDate]:
    found = []
    for use in clause.parameter_uses:
        try:
            parameter = pack.parameter(use.key)
        except UnknownKey:
            continue
        name = pick(parameter.zh, parameter.en)
        found.append(NumberAtDate(name, use.key, use.words or "", use.ground, parameter.at(day)))
    return found


def open_points(clause: Clause, pack: Pack, day: date) -> list[OpenPoint]:
    found: list[OpenPoint] = []
    for use in clause.interpretation_uses:
        try:
            found.append(OpenPoint(pack.interpretation(use.key, day), use.touches_zh))
        except UnknownKey:
            continue
    return found


@cache
def _titles(name: str) -> tuple[str, str]:
    pack = catalogue.pack(name)
    return pack.zh, pack.en


def pack_title(name: str) -> str:
    """A pack by the name that people know it by; one that is no longer there under its key."""
    return pick(*_titles(name)) if name in catalogue.packs() else name


def context_of(clause: Clause, pack_name: str, day: date) -> dict[str, Any]:
    """What the clause page shows besides judgements."""
    pack = catalogue.pack(pack_name, signed_records())
    return {
        "clause": _words(clause),
        "pack": pack,
        "packs": [(name, pack_title(name), name == pack_name) for name in catalogue.packs()],
        "day": day,
        "numbers": numbers_at(clause, pack, day),
        "points": open_points(clause, pack, day),
    }
