"""热价: what each place's rules say about prices, with dates and sources; what they do not say is 未载明 and not billed."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from nuan.policies import catalogue
from nuan.policies.tariffs.stop_heat import GROUNDS
from nuan.records.registry.models import Banner
from nuan.rules.pack import Pack
from nuan.rules.parameter import DatedValue
from nuan.web.guard import Visit
from nuan.web.wording import pick, say

GROUPS = ("tariff.", "stop_heat.", "bill.", "late_fee.")
UNITS = {
    "yuan/m2.season": "元/m²·季", "yuan/m2.month": "元/m²·月", "yuan/m2": "元/m²", "yuan/GJ": "元/GJ", "yuan/unit of heat": "元/计量单位",
    "day": "天", "month": "月", "month-day": "月-日",
}  # fmt: skip
VALUES = {
    "per_m2_season": "按平方米、按季", "per_m2_month": "按平方米、按月", "building": "建筑面积", "inner": "套内建筑面积", "usable": "使用面积",
    "whole": "满一档才算", "begun": "不足一档按一档", "principal": "不超过所欠热费", "heat_is_supplied": "照常供热", "True": "是",
    "on_application": "用户申请的", "new_dwellings": "新建住宅", "none": "没有上限",
    "last_year_continues_unless_paid_by_11-10": "沿用上年状态,11月10日前交清的恢复供热",
}  # fmt: skip


@dataclass(frozen=True)
class PriceRow:
    key: str
    words: str
    unit: str
    answers: list[tuple[DatedValue, str]]


def value_words(answer: DatedValue) -> str:
    """A value as people read it: codes in words, grounds in words, a month and day as they are."""
    if isinstance(answer.value, list):
        return "、".join(pick(*GROUNDS[each]) if each in GROUNDS else str(each) for each in answer.value)
    text = str(answer.value)
    return say(VALUES[text]) if text in VALUES else text


def price_rows(pack: Pack) -> list[PriceRow]:
    """Every parameter of money that the pack answers, and the prices that it should and does not."""
    found = []
    for parameter in pack.parameters():
        if not parameter.key.startswith(GROUPS):
            continue
        heard = [answer for answer in parameter.answers if answer.layer == parameter.answers[0].layer]
        if heard or parameter.key in {"tariff.unit", "tariff.area_kind", "tariff.price_home"}:
            unit = UNITS.get(parameter.unit or "", parameter.unit or "")
            found.append(
                PriceRow(
                    parameter.key,
                    pick(parameter.zh, parameter.en),
                    say(unit) if unit else "",
                    [(answer, value_words(answer)) for answer in heard],
                )
            )
    return found


def tariffs(request: Visit) -> HttpResponse:
    """Those of the packs that banners use here; any other by `?pack=`."""
    used = sorted(set(Banner.objects.values_list("pack", flat=True))) or ["directive"]
    asked = request.GET.get("pack", "")
    names = [asked] if asked in catalogue.packs() else [name for name in used if name in catalogue.packs()]
    packs = [catalogue.pack(name) for name in names]
    context = {
        "packs": [{"pack": pack, "title": pick(pack.zh, pack.en), "rows": price_rows(pack)} for pack in packs],
        "all": [(name, name == asked) for name in catalogue.packs()],
    }
    return render(request, "web/money/tariffs.html", context)
