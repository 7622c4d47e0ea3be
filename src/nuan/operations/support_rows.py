"""What only shows within or between rows about money and maintenance: a day that is missing, evidence that ends before it begins, doubles."""

import re
from collections.abc import Iterator

import polars as pl

from nuan.operations.registry_cells import rows_at_fault
from nuan.operations.registry_shapes import RegistryTable
from nuan.operations.support_tables import CATEGORIES, SUPPORT_WORDS_ZH
from nuan.terms.findings import Finding


def support_findings(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    if table.name == "assets":
        yield from _pairs(table, frame, "handover", "done", "handed_over_on", "移交日期")
        yield from _pairs(table, frame, "warranty", "until", "warranty_until", "保修期末日")
    elif table.name == "beneficiaries":
        yield from _backwards(table, frame, "valid_from", "valid_to")
        yield from _registered_twice(table, frame)
    elif table.name == "subsidy_programmes":
        yield from _programmes(table, frame)
    elif table.name == "debts":
        yield from _backwards(table, frame, "incurred_on", "due_on")
    elif table.name == "funding":
        yield from _backwards(table, frame, "valid_from", "valid_to")
    for money in ("cost_yuan", "amount_yuan"):
        if money in frame.columns and table.name != "subsidy_programmes":
            yield from rows_at_fault(
                frame[money] == 0,
                table,
                money,
                frame,
                ("zero", "金额为零", "the amount is zero", "没有金额的行请删去。"),
            )


def category_words(text: str | None) -> tuple[list[str], list[str]]:
    """Categories of beneficiaries in a cell, and the words in it that are none.

    >>> category_words("低保、特困"), category_words("low_income; 学生")
    ((['low_income', 'destitute'], []), (['low_income'], ['学生']))
    """
    words = [word for word in re.split(r"[、,，;；\s]+", text or "") if word]
    known = [SUPPORT_WORDS_ZH.get(word, word) for word in words]
    return [word for word in known if word in CATEGORIES], [word for word in known if word not in CATEGORIES]


def _programmes(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    yield from _backwards(table, frame, "valid_from", "valid_to")
    unknown = pl.Series(
        [bool(wrong) or not right for right, wrong in map(category_words, frame["categories"])], dtype=pl.Boolean
    )
    text = ("unknown_word", "不是补贴对象类别", "not a category of beneficiaries", f"可用：{'、'.join(CATEGORIES)}。")
    yield from rows_at_fault(unknown, table, "categories", frame, text)
    share = frame["amount_kind"] == "share"
    for column, needed in (("share_percent", share), ("amount_yuan", ~share)):
        missing = needed & (frame[column].fill_null(0) == 0)
        yield from rows_at_fault(
            missing, table, column, frame, ("empty", "不能为空", "must not be empty", "按计算方式填写标准或比例。")
        )


def _pairs(table: RegistryTable, frame: pl.DataFrame, word: str, value: str, day: str, zh: str) -> Iterator[Finding]:
    wrong = (frame[word] == value) != frame[day].is_not_null()
    text = ("contradiction", f"与“{zh}”不一致", "word and date disagree", f"写明{zh}，或改正前一列。")
    yield from rows_at_fault(wrong, table, day, frame, text)


def _backwards(table: RegistryTable, frame: pl.DataFrame, start: str, end: str) -> Iterator[Finding]:
    text = ("backwards", "结束早于开始", "ends before it begins", "请核对起止日期。")
    yield from rows_at_fault(frame[end] < frame[start], table, end, frame, text)


def _registered_twice(table: RegistryTable, frame: pl.DataFrame) -> Iterator[Finding]:
    """Two registrations of one home whose evidence overlaps: allowed, paid once, and told."""
    again = frame.select(
        (pl.col("valid_from") <= pl.col("valid_to").shift(1).over("home", order_by="valid_from"))
        .fill_null(False)
        .alias("x")
    )["x"]
    text = (
        "double_home",
        "同一户登记了两次，有效期重叠；只补一次",
        "one home registered twice; it is owed once",
        "请核对后删去一行。",
    )
    for finding in rows_at_fault(again, table, "home", frame, text):
        yield Finding(
            finding.where, finding.code, finding.message_zh, finding.message_en, finding.remedy_zh, finding.row, finding.field,
            None, count=finding.count, severity="warning",
        )  # fmt: skip
