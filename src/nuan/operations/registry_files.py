"""A registry as files: a folder of CSV or xlsx named after the tables, or one workbook with a sheet for each; and empty templates."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from nuan.operations.registry_tables import TABLES, RegistryTable
from nuan.telemetry.files.mapping import FileMapping, TimeColumns
from nuan.telemetry.files.pieces import pieces
from nuan.telemetry.files.problems import Findings
from nuan.terms.findings import Finding

NAMES = {alias: name for name, table in TABLES.items() for alias in (name, table.zh)}
SPREADSHEETS = (".xlsx", ".xlsm", ".xls")


def read_registry(path: Path) -> tuple[dict[str, pl.DataFrame], list[Finding]]:
    """Tables by name, every cell as text, and findings about the files. File and sheet names may be English or Chinese."""
    frames: dict[str, pl.DataFrame] = {}
    findings: list[Finding] = []
    for name, file, sheet in _parts(path, findings):
        where = f"{file.name} · {sheet}" if sheet else file.name
        found = Findings(where)
        kind = FileMapping(match="*", time=TimeColumns(()), sheet=sheet)
        parts = [piece.frame for piece in pieces(file, kind, found)]
        findings.extend(finding for finding in found.found if finding.code != "cut_end")
        if name in frames:
            findings.append(
                Finding(
                    where, "double_table", "这张表出现了两次", "this table is given twice", "请只保留一份。", value=name
                )
            )
        elif parts:
            frames[name] = _without_blank_end(pl.concat(parts))
        elif not found.found:
            frames[name] = pl.DataFrame(schema={field.name: pl.String for field in TABLES[name].fields})
    return frames, findings


def _without_blank_end(frame: pl.DataFrame) -> pl.DataFrame:
    """Spreadsheets end in empty rows. Empty rows in between stay, so that row numbers in findings are those of the file."""
    blank = frame.select(pl.all_horizontal(pl.all().is_null() | (pl.all() == ""))).to_series()
    filled = (~blank).arg_true()
    return frame.head(int(filled[-1]) + 1 if len(filled) else 0)


def _parts(path: Path, findings: list[Finding]) -> Iterator[tuple[str, Path, str | None]]:
    """(table, file, sheet) of everything that is named after a table."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    seen = False
    for file in files:
        if file.name.startswith((".", "~$")) or not file.is_file():
            continue
        stem = NAMES.get(file.stem.strip())
        if stem is not None and file.suffix.lower() in (".csv", ".txt", *SPREADSHEETS):
            seen = True
            yield stem, file, None
        elif file.suffix.lower() in SPREADSHEETS:
            for sheet in _sheets(file, findings):
                if sheet.strip() in NAMES:
                    seen = True
                    yield NAMES[sheet.strip()], file, sheet
                else:
                    findings.append(
                        Finding(
                            file.name,
                            "unknown_sheet",
                            "不是登记表的工作表，未读取",
                            "no sheet of a registry; left out",
                            f"可用：{'、'.join(table.zh for table in TABLES.values())}。",
                            value=sheet,
                            severity="warning",
                        )
                    )
    if not seen:
        findings.append(
            Finding(
                path.name, "no_tables", "没有找到登记表", "no registry table was found",
                f"请按表名命名文件或工作表：{'、'.join(TABLES)}；模板见 nuan import template。",
            )
        )  # fmt: skip


def _sheets(file: Path, findings: list[Finding]) -> list[str]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return list(CalamineWorkbook.from_path(str(file)).sheet_names)
    except (CalamineError, OSError, ValueError) as error:
        found = Findings(file.name)
        found.add("broken_file", value=str(error)[:80])
        findings.extend(found.found)
        return []


def write_templates(folder: Path) -> list[Path]:
    """One CSV for each table with its headers and an example row, and 登记表.xlsx with all of them; UTF-8 with mark, for Excel."""
    from openpyxl import Workbook

    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    book = Workbook()
    book.remove(book.active)
    for table in TABLES.values():
        header, example = _template(table)
        file = folder / f"{table.name}.csv"
        file.write_bytes(b"\xef\xbb\xbf" + "\n".join([",".join(header), ",".join(example), ""]).encode())
        written.append(file)
        sheet = book.create_sheet(table.zh)
        sheet.append([field.zh[0] for field in table.fields])
        sheet.append(example)
    book.save(folder / "登记表.xlsx")
    return [*written, folder / "登记表.xlsx"]


def _template(table: RegistryTable) -> tuple[list[str], list[str]]:
    return [field.name for field in table.fields], [field.example for field in table.fields]
