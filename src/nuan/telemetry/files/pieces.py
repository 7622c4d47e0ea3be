"""Files as pieces of a table: text (CSV, xlsx) or typed (Parquet) polars frames, with the row number of their first row.

A file is read as a stream; whoever stops early has read no more than needed.
"""

import codecs
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import BufferedIOBase
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from python_calamine import CalamineError, CalamineWorkbook

from nuan.telemetry.files.mapping import FileMapping
from nuan.telemetry.files.problems import Findings

BLOCK = 8 << 20
ROWS = 200_000
ENCODINGS = ("utf-8-sig", "gb18030", "utf-16")
DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of the table; `rows` are their numbers as a person counts in the file; `read` of `size` bytes are behind us."""

    frame: pl.DataFrame
    rows: NDArray[np.int64]
    read: int
    size: int


def pieces(path: Path, mapping: FileMapping, findings: Findings) -> Iterator[Piece]:
    """The file's rows, all columns that the mapping may need. Faults of the file itself go to `findings` and end the stream."""
    if path.stat().st_size == 0:
        findings.add("empty_file")
        return
    kind = mapping.format_of(path)
    reader = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[kind]
    yield from reader(path, mapping, findings)


def detect_encoding(path: Path) -> str | None:
    """UTF-8 (with or without mark), UTF-16 by its mark, else GB18030, which covers GBK and GB2312; None when no one fits."""
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        for encoding in ("utf-8-sig", "gb18030"):
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                while block := file.read(BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    return None


class _Counted(BufferedIOBase):
    """A file as UTF-8 without mark, skipping the lines before the header, that knows how far it has been read."""

    def __init__(self, path: Path, encoding: str, skip_lines: int) -> None:
        self._file = path.open("rb")
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._plain = encoding == "utf-8"
        if encoding == "utf-8-sig":
            if self._file.read(3) != codecs.BOM_UTF8:
                self._file.seek(0)
            self._plain = True
        self._left = b""
        self.last = b""
        for _ in range(skip_lines):
            while b"\n" not in self._left and self._more(BLOCK):
                pass
            self._left = self._left.partition(b"\n")[2]

    @property
    def position(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def _more(self, size: int) -> bool:
        block = self._file.read(size)
        self._left += block if self._plain else self._decoder.decode(block, final=not block).encode()
        return bool(block)

    def read(self, size: int | None = -1) -> bytes:
        wanted = BLOCK if size is None or size < 0 else size
        while len(self._left) < wanted and self._more(wanted):
            pass
        out, self._left = self._left[:wanted], self._left[wanted:]
        self.last = out[-1:] or self.last
        return out

    def close(self) -> None:
        self._file.close()
        super().close()


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=lambda each: (header.count(each), -DELIMITERS.index(each)))


def _csv(path: Path, mapping: FileMapping, findings: Findings) -> Iterator[Piece]:
    encoding = mapping.encoding or detect_encoding(path)
    if encoding is None:
        findings.add("wrong_encoding")
        return
    encoding = "gb18030" if encoding.lower().replace("-", "") in ("gbk", "gb2312") else encoding
    skip = mapping.header_row - 1
    with path.open(encoding=encoding, newline="") as text:
        try:
            for _ in range(skip):
                text.readline()
            header = text.readline().rstrip("\r\n")
        except UnicodeError:
            findings.add("wrong_encoding", value=encoding)
            return
    if not header.strip():
        findings.add("empty_file")
        return
    skipped: list[int] = []

    def half(row: "pacsv.InvalidRow") -> str:
        number = (row.number or 1) + skip
        skipped.append(number)
        if (row.text or "").strip():
            findings.add("half_row", row=number, value=(row.text or "")[:60])
        return "skip"

    source = _Counted(path, encoding, skip)
    size = path.stat().st_size
    delimiter = mapping.delimiter or _delimiter(header)
    try:
        names = next(
            iter(pl.read_csv(header.encode(), separator=delimiter, has_header=False, infer_schema=False).rows())
        )
        stream = pacsv.open_csv(
            source,
            read_options=pacsv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, invalid_row_handler=half, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types={str(name): pa.string() for name in names if name is not None}, strings_can_be_null=False
            ),
        )
        row = mapping.header_row + 1
        for batch in stream:
            frame = pl.DataFrame(pl.from_arrow(batch))
            numbers = np.arange(row, row + frame.height + len(skipped), dtype=np.int64)
            numbers = numbers[~np.isin(numbers, skipped)][: frame.height]
            yield Piece(frame.select(pl.all().cast(pl.String)), numbers, source.position, size)
            row = int(numbers[-1]) + 1 if len(numbers) else row
        if source.last not in (b"\n", b"\r"):
            findings.add("cut_end")
    except pa.ArrowInvalid as error:
        findings.add("empty_file" if "Empty CSV" in str(error) else "broken_file", value=str(error)[:80])
    except UnicodeError:
        findings.add("wrong_encoding", value=encoding)
    finally:
        source.close()


def _cell(value: object) -> str | None:
    """A spreadsheet's cell as text: whole numbers without a point, times as ISO."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("seconds")
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _xlsx(path: Path, mapping: FileMapping, findings: Findings) -> Iterator[Piece]:
    size = path.stat().st_size
    try:
        book = CalamineWorkbook.from_path(str(path))
        if mapping.sheet is not None and mapping.sheet not in book.sheet_names:
            findings.add("missing_sheet", value=mapping.sheet)
            return
        sheet = book.get_sheet_by_name(mapping.sheet or book.sheet_names[0])
        lines = sheet.iter_rows()
        offset = sheet.start[0] if sheet.start else 0
        header: list[str] | None = None
        kept: list[list[str | None]] = []
        row = offset
        for line in lines:
            row += 1
            if header is None:
                if row >= mapping.header_row:
                    header = _headers([_cell(value) for value in line])
                continue
            kept.append([_cell(value) for value in line])
            if len(kept) == ROWS:
                yield Piece(_frame(header, kept), np.arange(row - ROWS + 1, row + 1), size, size)
                kept = []
    except (CalamineError, BadZipFile, OSError, ValueError, IndexError) as error:
        findings.add("broken_file", value=str(error)[:80])
        return
    if header is None:
        findings.add("empty_file")
        return
    if kept:
        yield Piece(_frame(header, kept), np.arange(row - len(kept) + 1, row + 1), size, size)


def _headers(cells: list[str | None]) -> list[str]:
    names: list[str] = []
    for n, cell in enumerate(cells):
        name = (cell or f"column {n + 1}").strip()
        names.append(name if name not in names else f"{name}_{n + 1}")
    return names


def _frame(header: list[str], rows: list[list[str | None]]) -> pl.DataFrame:
    width = len(header)
    full = [row[:width] + [None] * (width - len(row)) for row in rows]
    return pl.DataFrame(full, schema=dict.fromkeys(header, pl.String), orient="row")


def _parquet(path: Path, mapping: FileMapping, findings: Findings) -> Iterator[Piece]:
    size = path.stat().st_size
    try:
        with pq.ParquetFile(path) as file:
            row, total = 1, max(1, file.metadata.num_rows)
            for batch in file.iter_batches(batch_size=ROWS):
                numbers = np.arange(row, row + batch.num_rows)
                yield Piece(pl.DataFrame(pl.from_arrow(batch)), numbers, size * int(numbers[-1]) // total, size)
                row += batch.num_rows
            if file.metadata.num_rows == 0:
                findings.add("empty_file")
    except (pa.ArrowException, OSError) as error:
        findings.add("broken_file", value=str(error)[:80])
