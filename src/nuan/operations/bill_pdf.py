"""A bill as PDF, set by typst. What is said goes in as data, so no name and no note can become markup.

Needs a Chinese font: `NUAN_FONTS` names a folder, else the system's fonts are looked through. Without one the PDF would be boxes, so
there is none, and the sentence says what to install.
"""

import json
import os
from datetime import UTC, datetime, time
from functools import lru_cache
from importlib.resources import files
from typing import Any

import typst

from nuan.operations.bill_explaining import ShownBill
from nuan.records.billing.models import Bill
from nuan.terms.money import format_yuan

FAMILIES = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Noto Serif CJK SC", "Source Han Serif SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Microsoft YaHei", "SimSun", "PingFang SC",
)  # fmt: skip
TITLES = {
    "bill": "采暖费账单",
    "adjustment": "采暖费调整单",
    "cancellation": "采暖费冲销单",
    "late_fee": "逾期违约金单",
}


class FontMissingError(RuntimeError):
    def __init__(self, looked: str) -> None:
        super().__init__(
            f"没有可用的中文字体（查找位置：{looked}），不能生成 PDF。请安装 fonts-noto-cjk，或用 NUAN_FONTS 指定字体目录。 "
            "No Chinese font: install fonts-noto-cjk or name a folder in NUAN_FONTS."
        )


@lru_cache(maxsize=4)
def _fonts(folder: str) -> tuple[typst.Fonts, str]:
    """The fonts and the family to set in. Raises FontMissingError."""
    fonts = typst.Fonts(include_system_fonts=not folder, font_paths=[folder] if folder else [])
    there = set(fonts.families())
    for family in FAMILIES:
        if family in there:
            return fonts, family
    raise FontMissingError(folder or "系统字体")


def bill_pdf(shown: ShownBill, *, paid_fen: int | None = None, demo: bool = False) -> bytes:
    """The document as PDF, the same bytes for the same bill. Raises FontMissingError."""
    fonts, family = _fonts(os.environ.get("NUAN_FONTS", ""))
    content = json.dumps(_content(shown, paid_fen, demo) | {"font": family}, ensure_ascii=False)
    source = (files("nuan.operations") / "bill.typ").read_bytes()
    made = typst.Compiler(source, font_paths=fonts, sys_inputs={"bill": content}).compile(
        format="pdf", timestamp=datetime.combine(shown.bill.issued_on, time(), UTC)
    )
    if not isinstance(made, bytes):
        raise TypeError("a bill is one document")
    return made


def _content(shown: ShownBill, paid_fen: int | None, demo: bool) -> dict[str, Any]:
    bill = shown.bill
    home = bill.home
    place = f"{home.building.estate} {home.building.name} {home.entrance} 单元 {home.door}".strip()
    facts = [
        ("编号", bill.number), ("采暖季", bill.season), ("住户", place), ("户号", home.code),
        ("出账日", bill.issued_on.isoformat()), ("交费截止", bill.due_on.isoformat() if bill.due_on else "未载明"),
    ]  # fmt: skip
    if bill.about is not None:
        facts.append(("所说明的账单", bill.about.number))
    notes = []
    if paid_fen is not None and bill.kind == Bill.Kind.BILL:
        notes.append(f"截至制表已交 {format_yuan(paid_fen)} 元。")
    if bill.memo:
        notes.append(f"事由：{bill.memo}")
    sources = list(dict.fromkeys(line.source for line in shown.lines if line.source))
    if sources:
        notes.append("计费依据：" + "；".join(sources))
    notes.append(
        "对账单有异议可向供热企业查询；在登录页面可看到逐项算法。处理期间不催缴、不计违约金，不因欠费擅自停供。"
    )
    return {
        "title": TITLES[bill.kind] + ("（演示数据）" if demo else ""),
        "company": f"{bill.company.name}{f'　客服电话 {bill.company.service_phone}' if bill.company.service_phone else ''}",
        "facts": [list(pair) for pair in facts],
        "heads": ["项目", "怎么算的", "金额（元）"],
        "lines": [
            {"label": line.label_zh, "working": line.working_zh.rsplit(" = ", 1)[0], "amount": format_yuan(line.line.amount_fen)}
            for line in shown.lines
        ],
        "total_word": "合计",
        "total": format_yuan(bill.total_fen),
        "notes": notes,
        "footer": f"{bill.number}　规则包 {bill.pack} {bill.pack_version[:12]}　凭证 {bill.entry.key}",
    }  # fmt: skip
