"""Bytes → rows of text cells: CSV in UTF-8, UTF-16 or GBK, or one sheet of an xlsx. What is no table is told, never guessed at."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from nuan.terms.findings import Finding

MOST_BYTES = 64 * 2**20
MOST_UNPACKED = 512 * 2**20
MOST_ROWS = 300_000
WHOLE_IN_FLOAT = 2**53
"""A longer number in a spreadsheet's cell has lost digits."""


@dataclass(frozen=True)
class Cells:
    """`lines[i]` is row i+1 of the file. Cells are text, stripped of nothing but line ends."""

    lines: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...] = ()


def cells_of(content: bytes, name: str) -> Cells:
    """The table in a file, or why there is none."""
    if not content.strip(b"\x00\xef\xbb\xbf\r\n\t "):
        return Cells((), (_fault(name, "empty", "文件是空的", "the file is empty", "重新从渠道下载整份账单。"),))
    if len(content) > MOST_BYTES:
        return Cells(
            (),
            (
                _fault(
                    name,
                    "too_large",
                    f"文件超过 {MOST_BYTES // 2**20} MiB",
                    "the file is too large",
                    "按日拆开再导入。",
                ),
            ),
        )
    return _sheet(content, name) if content[:4] == b"PK\x03\x04" else _text(content, name)


def _fault(name: str, code: str, zh: str, en: str, remedy: str, **more: Any) -> Finding:
    return Finding(name, code, zh, en, remedy, **more)


def _text(content: bytes, name: str) -> Cells:
    text = decode(content)
    if text is None:
        return Cells(
            (),
            (
                _fault(
                    name, "not_text", "不是文本：既不是 UTF-8 也不是 GBK", "neither UTF-8 nor GBK",
                    "用渠道下载的原文件，不要改后缀名。",
                ),
            ),
        )  # fmt: skip
    lines: list[tuple[str, ...]] = []
    try:
        for line in csv.reader(io.StringIO(text, newline=""), strict=True):
            if len(lines) >= MOST_ROWS:
                return Cells((), (_too_many(name),))
            lines.append(tuple(line))
    except csv.Error as error:
        zh, en = "引号没有配对或这一行写到一半", f"the line is broken off or badly quoted ({error})"
        found = _fault(name, "broken_line", zh, en, "文件可能没有下载完，请重新下载。", row=len(lines) + 1)
        return Cells((), (found,))
    return Cells(tuple(lines))


def decode(content: bytes) -> str | None:
    """UTF-8 with or without BOM, UTF-16 with BOM, else GB18030; `None` where it is none of them, or holds control characters."""
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if any(ord(char) < 32 and char not in "\t\r\n" for char in text) else text
    return None


def _too_many(name: str) -> Finding:
    return _fault(name, "too_many_rows", f"超过 {MOST_ROWS} 行", f"more than {MOST_ROWS} rows", "按日拆开再导入。")


def _sheet(content: bytes, name: str) -> Cells:
    broken = _fault(
        name, "broken_workbook", "打不开的工作簿", "the workbook cannot be opened", "文件可能没有下载完，请重新下载。"
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                return Cells(
                    (), (_fault(name, "too_large", "解开后太大", "too large when unpacked", "按日拆开再导入。"),)
                )
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, EOFError):
        return Cells((), (broken,))
    try:
        sheet = book.worksheets[0]
        lines: list[tuple[str, ...]] = []
        findings: list[Finding] = []
        for number, line in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > MOST_ROWS:
                return Cells((), (_too_many(name),))
            texts, faults = _line(line, name, number)
            lines.append(texts)
            findings += faults
        return Cells(tuple(lines), tuple(findings))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError):
        return Cells((), (broken,))
    finally:
        book.close()


def _line(line: Sequence[Any], name: str, number: int) -> tuple[tuple[str, ...], list[Finding]]:
    texts: list[str] = []
    findings: list[Finding] = []
    for column, value in enumerate(line, 1):
        text, code = _cell(value)
        texts.append(text)
        if code == "digits_lost":
            zh, en = "长号码存成了数字，后几位已丢失", "a long number was stored as a number and has lost digits"
            findings.append(
                _fault(name, code, zh, en, "把该列设为文本再导出。", row=number, field=f"第 {column} 列", value=text)
            )
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts), findings


def _cell(value: Any) -> tuple[str, str]:
    """A cell as text; money that a spreadsheet holds as a binary fraction comes back as the two decimals that it means."""
    if value is None:
        return "", ""
    if isinstance(value, bool):
        return str(value), ""
    if isinstance(value, int):
        return str(value), "digits_lost" if abs(value) > WHOLE_IN_FLOAT else ""
    if isinstance(value, float):
        if abs(value) > WHOLE_IN_FLOAT:
            return repr(value), "digits_lost"
        near = abs(value * 100 - round(value * 100)) < 1e-6
        return (f"{value:.2f}" if near else repr(value)), ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}", ""
    if isinstance(value, date):
        return value.isoformat(), ""
    return str(value), ""


def formulas(name: str, lines: Sequence[Sequence[str]], first_row: int) -> Iterator[Finding]:
    """Cells that a spreadsheet would run. In a file of money there is no reason for one."""
    for number, line in enumerate(lines, first_row):
        for column, text in enumerate(line, 1):
            bare = text.lstrip("`\t ")
            if bare[:1] in {"=", "@"} or (bare[:1] in {"+", "-"} and any(char.isalpha() for char in bare)):
                yield _fault(
                    name, "formula", "单元格里是公式", "the cell holds a formula", "渠道的账单里不会有公式：核对文件来源。",
                    row=number, field=f"第 {column} 列", value=text[:40],
                )  # fmt: skip
