"""Stored judgements as the pages show them: clause title, period, value against threshold in words, masked subject."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from nuan.records.registry.models import Banner, Company, HeatSource, Home, Substation
from nuan.records.supervision.models import CurrentJudgement, Judgement
from nuan.rules.judgement import WHY
from nuan.terms.places import CHINA
from nuan.web.clause_words import ClauseWords, words_of
from nuan.web.wording import pick, say

# What one clause judges separately.
WORDS = {
    "late_start": "推迟供热", "early_stop": "提前停热", "throttling": "人为限热", "over_heating": "过量供热", "subsidy": "补贴发放",
    "plan": "实施方案", "arrears": "历史欠账", "funding": "资金安排",
}  # fmt: skip


@dataclass(frozen=True)
class JudgementRow:
    id: int
    clause: ClauseWords
    item: str
    subject: str
    subject_address: str
    verdict: str
    why: str
    figure: str
    threshold: str
    amount_fen: int | None
    start: datetime
    end: datetime
    branch: str
    pack: str


def masked(home: Home) -> str:
    """Building, entrance and floor; never the door."""
    building = home.building
    named = building.estate and building.estate not in building.name
    parts = [f"{building.estate} {building.name}" if named else building.name]
    if home.entrance:
        parts.append(say("{n} 单元", n=home.entrance))
    if home.floor is not None:
        parts.append(say("{n} 层", n=home.floor))
    return " · ".join(parts)


def reason(code: str) -> str:
    """Why nothing can be decided, in words."""
    words = WHY.get(code)
    return pick(*words) if words else code


def in_unit(value: int | None, unit: str) -> str:
    """A stored integer in words. The unit names its resolution: `0.01 °C`, `s`, `day_10`, `fen`, a count."""
    if value is None:
        return "—"
    head, _, rest = unit.partition(" ")
    if rest and head.replace(".", "", 1).isdigit():
        decimals = len(head.partition(".")[2])
        return f"{value * float(head):.{decimals}f} {rest}"
    if unit == "s":
        hours, rest_s = divmod(value, 3600)
        minutes, seconds = divmod(rest_s, 60)
        words = say("{n} 小时", n=hours)
        if minutes or seconds:
            words += f" {minutes:02d}:{seconds:02d}"
        return words
    if unit == "day_10":
        return say("{n} 天", n=f"{value / 10:.1f}")
    if unit in {"day", "days"}:
        return say("{n} 天", n=value)
    if unit == "fen":
        return f"{value / 100:,.2f} {say('元')}"
    return f"{value:,} {say(unit)}".strip()


def _subjects(judgements: Iterable[Judgement]) -> dict[tuple[str, str], tuple[str, str]]:
    """Names and addresses of the subjects, one query per level that occurs."""
    codes: dict[str, set[str]] = {}
    for judgement in judgements:
        codes.setdefault(judgement.subject_level, set()).add(judgement.subject)
    found: dict[tuple[str, str], tuple[str, str]] = {}
    if "home" in codes:
        for home in Home.objects.filter(code__in=codes["home"]).select_related("building"):
            found["home", home.code] = (masked(home), f"/homes/{home.pk}/")
    for level, model, address in (
        ("substation", Substation, "/stations/{}/"),
        ("source", HeatSource, ""),
        ("company", Company, ""),
        ("banner", Banner, ""),
    ):
        if level in codes:
            for code, name in model.objects.filter(code__in=codes[level]).values_list("code", "name"):
                found[level, code] = (name, address.format(code))
    return found


def rows_of(judgements: Iterable[Judgement]) -> list[JudgementRow]:
    kept = list(judgements)
    subjects = _subjects(kept)
    companies = any(judgement.subject_level == "company" for judgement in kept)
    # a company is judged banner by banner; the item says which
    banners = dict(Banner.objects.values_list("code", "name")) if companies else {}
    result = []
    for judgement in kept:
        name, address = subjects.get((judgement.subject_level, judgement.subject), ("—", ""))
        if judgement.subject_level == "company":
            name = f"{name} · {banners.get(judgement.item, judgement.item)}"
        result.append(
            JudgementRow(
                judgement.pk,
                words_of(judgement.clause),
                say(WORDS[judgement.item]) if judgement.item in WORDS else "",
                name,
                address,
                judgement.verdict,
                reason(judgement.why),
                in_unit(judgement.value, judgement.unit),
                in_unit(judgement.threshold, judgement.unit),
                judgement.amount_fen,
                datetime.fromtimestamp(judgement.period_start, CHINA),
                datetime.fromtimestamp(judgement.period_end, CHINA),
                judgement.branch,
                judgement.pack,
            )
        )
    return result


def judgement_rows(current: QuerySet[CurrentJudgement], most: int = 200) -> list[JudgementRow]:
    chosen = current.select_related("judgement").order_by("clause", "-judgement__period_start", "-id")[:most]
    return rows_of([row.judgement for row in chosen])
