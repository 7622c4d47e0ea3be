"""Tables as an xlsx workbook with real formulas for their sums. Text that a spreadsheet would run is made into text; money is in yuan."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With one of these a text begins that some spreadsheet runs as a formula; the wide ones where its language is Chinese."""
MONEY = "#,##0.00"


@dataclass(frozen=True, slots=True)
class Fen:
    """Money in a cell: shown and summed as yuan with two decimals. None is an empty cell, not a zero."""

    fen: int | None

    def __str__(self) -> str:
        return "" if self.fen is None else f"{self.fen / 100:.2f}"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of our own; `{row}` is the row it stands in, `{first}` and `{last}` the rows of the table."""

    text: str
    number_format: str = MONEY


@dataclass(frozen=True)
class Sheet:
    """`sums` names the heads under which a SUM stands after the rows; `notes` are lines above the table, `tail` lines under its sums."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    sums: Sequence[str] = ()
    notes: Sequence[str] = ()
    tail: Sequence[Sequence[Any]] = ()
    total: str = "合计"


def harmless(text: str) -> str:
    """Text that stays text, whatever it begins with; a number may keep its sign.

    >>> harmless("=1+1"), harmless("普通文字"), harmless("-5"), harmless("－1＋cmd")
    ("'=1+1", '普通文字', '-5', "'－1＋cmd")
    """
    if not text.startswith(RISKY):
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text


def workbook(sheets: Sequence[Sheet]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _write(book.create_sheet(sheet.title[:31]), sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write(page: Any, sheet: Sheet) -> None:
    for line, note in enumerate(sheet.notes, 1):
        _put(page.cell(line, 1), note, 0, 0)
    head = len(sheet.notes) + 1
    first, last = head + 1, head + len(sheet.rows)
    for column, words in enumerate(sheet.heads, 1):
        _put(page.cell(head, column), words, 0, 0)
        page.cell(head, column).font = Font(bold=True)
        page.column_dimensions[get_column_letter(column)].width = 18
    for line, row in enumerate(sheet.rows, first):
        for column, value in enumerate(row, 1):
            _put(page.cell(line, column), value, first, last)
    if sheet.rows and sheet.sums:
        _put(page.cell(last + 1, 1), sheet.total, first, last)
        for column, words in enumerate(sheet.heads, 1):
            if words in sheet.sums:
                letter = get_column_letter(column)
                _put(page.cell(last + 1, column), Formula(f"=SUM({letter}{{first}}:{letter}{{last}})"), first, last)
            page.cell(last + 1, column).font = Font(bold=True)
    for line, row in enumerate(sheet.tail, last + 2):
        for column, value in enumerate(row, 1):
            _put(page.cell(line, column), value, first, last)
    page.freeze_panes = page.cell(first, 1)


def _put(cell: Cell, value: Any, first: int, last: int) -> None:
    if isinstance(value, Fen):
        cell.value, cell.number_format = (None if value.fen is None else Decimal(value.fen) / 100), MONEY
    elif isinstance(value, Formula):
        cell.value = value.text.format(row=cell.row, first=first, last=last)
        cell.number_format = value.number_format
    else:
        cell.value = harmless(ILLEGAL_CHARACTERS_RE.sub("", value)) if isinstance(value, str) else value
