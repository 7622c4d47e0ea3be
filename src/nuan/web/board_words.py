"""The figure of a board cell in the language of the page. It is stored in Chinese, in the few forms that `operations.board` writes."""

import re

from nuan.web.wording import in_english

NOTHING = "暂无判定"
_UNITS = {"户": "homes", "站": "substations", "处热源": "heat sources", "家企业": "firms", "旗区": "banners"}
_ITEMS = {
    "推迟供热": "late start", "提前停热": "early stop", "限热": "throttling", "过量供热": "over-heating", "补贴拖欠": "subsidies overdue",
    "方案或任务": "plan or tasks", "欠账未清": "debts unsettled", "没有预算": "no budget",
}  # fmt: skip
_PHRASES = {"全部达标": "all met", "均达标": "met", "没有应退的户": "no refunds due", "按旗区判定": "judged by banner"}
_FORMS = (
    (r"^应退 ([\d,.]+) 元$", r"\1 yuan owed"),
    (r"^([\d,]+) 户金额无法判定$", r"amount undecidable for \1 homes"),
    (r"^最低可用 ([\d.]+) 天$", r"lowest cover \1 days"),
    (r"^([\d,]+) 个旗区不足$", r"missing in \1 banners"),
    (r"不达标（([\d.]+%)）$", r"below standard (\1)"),
    (r"不达标$", "below standard"),
    (r"无法判定$", "undecidable"),
)


def _part(chinese: str) -> str:
    """
    >>> _part("420 户不达标（79.4%）"), _part("1 户、2 站无法判定"), _part("过量供热 61 户")
    ('420 homes below standard (79.4%)', '1 home, 2 substations undecidable', 'over-heating: 61 homes')
    """
    if chinese in _PHRASES:
        return _PHRASES[chinese]
    text = chinese
    for form, english in _FORMS:
        text = re.sub(form, english, text)
    for item, english in _ITEMS.items():
        text = re.sub(f"^{item} ", f"{english}: ", text)
    for unit, english in _UNITS.items():
        text = re.sub(rf"(?<=\d) {unit}(?=\S)", f" {english} ", text)
        text = re.sub(rf"(?<=\d) {unit}", f" {english}", text)
    text = text.replace(" 、", ", ").replace("、", ", ")
    return re.sub(r"(?<![\d,.])1 (\w+ ?\w+?)s\b", r"1 \1", text)


def figure(stored: str) -> str:
    """Empty where the coloured word beside it says the same."""
    if stored == NOTHING:
        return ""
    return ", ".join(_part(each) for each in stored.split("，")) if in_english() else stored
