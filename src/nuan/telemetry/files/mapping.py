"""The mapping: a small YAML that says which column of which file is which measured point. docs/import.md describes it."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from nuan.terms.findings import Finding
from nuan.terms.quantities import QUANTITIES, UNITS

FORMATS = ("csv", "xlsx", "parquet")
SUFFIXES = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xlsx", ".parquet": "parquet",
}  # fmt: skip
MISSING = ("", "-", "--", "—", "nan", "null", "none", "n/a", "na", "缺测", "无")
TIME_WORDS = ("auto", "excel", "epoch_s", "epoch_ms")


@dataclass(frozen=True, slots=True)
class Point:
    """One column of a wide file, or the fixed part of a long one. value in our unit = (cell × scale) in `unit`, converted."""

    place: str
    quantity: str
    position: str = ""
    unit: str | None = None
    scale: float = 1.0
    zero_is_missing: bool = False


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """Where the time stands; several columns are joined by a blank. `zone` counts for times that carry none."""

    columns: tuple[str, ...]
    format: str = "auto"
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class LongColumns:
    """The columns of a long file. `quantities` turns the file's words into points; `place` has no fixed value there."""

    place: str
    value: str
    quantities: MappingType[str, Point]
    quantity: str | None = None
    position: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class FileMapping:
    """One kind of file."""

    match: str
    time: TimeColumns
    format: str | None = None
    sheet: str | None = None
    header_row: int = 1
    delimiter: str | None = None
    decimal: str = "."
    encoding: str | None = None
    missing: tuple[str, ...] = MISSING
    columns: MappingType[str, Point] = field(default_factory=dict)
    long: LongColumns | None = None
    ignore: tuple[str, ...] = ()

    def format_of(self, path: Path) -> str:
        return self.format or SUFFIXES.get(path.suffix.lower(), "csv")

    def ignores(self, column: str) -> bool:
        return any(fnmatch(column, pattern) for pattern in self.ignore)


@dataclass(frozen=True, slots=True)
class Mapping:
    """All kinds of file that belong together; the first whose `match` fits a file name is taken."""

    files: tuple[FileMapping, ...]

    def of(self, path: Path) -> FileMapping | None:
        return next((each for each in self.files if fnmatch(path.name, each.match)), None)


class _Reader:
    """Walks the YAML and collects what is wrong with it."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.findings: list[Finding] = []

    def wrong(self, field: str, zh: str, en: str, remedy: str, value: object = None) -> None:
        shown = None if value is None else str(value)
        self.findings.append(Finding(self.where, "mapping", zh, en, remedy, field=field, value=shown))

    def keys(self, node: Any, at: str, known: tuple[str, ...], needed: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(node, dict):
            self.wrong(at, "应为一组“键: 值”", "should be a group of “key: value”", f"可用的键：{'、'.join(known)}。")
            return {}
        for key in node:
            if key not in known:
                self.wrong(f"{at}.{key}", "没有这个键", "no such key", f"可用的键：{'、'.join(known)}。")
        for key in needed:
            if node.get(key) in (None, ""):
                self.wrong(f"{at}.{key}", "缺少这个键", "the key is missing", "请补上。")
        return {str(key): value for key, value in node.items()}

    def mapping(self, node: Any) -> Mapping:
        top = self.keys(node, "mapping", ("files", "zone", "note"), ("files",))
        files = top.get("files")
        if not isinstance(files, list) or not files:
            self.wrong("files", "至少要有一种文件", "at least one kind of file is needed", "请写一个列表。")
            return Mapping(())
        return Mapping(tuple(self.file(each, f"files[{n}]", top.get("zone")) for n, each in enumerate(files)))

    def file(self, node: Any, at: str, zone: str | None) -> FileMapping:
        known = (
            "match", "format", "sheet", "header_row", "delimiter", "decimal", "encoding", "missing", "time", "columns",
            "long", "ignore", "note",
        )  # fmt: skip
        keys = self.keys(node, at, known, ("match", "time"))
        if keys.get("format") not in (None, *FORMATS):
            self.wrong(
                f"{at}.format", "没有这种格式", "no such format", f"可用：{'、'.join(FORMATS)}。", keys["format"]
            )
        if keys.get("decimal", ".") not in (".", ","):
            self.wrong(f"{at}.decimal", "小数点应为 . 或 ,", "should be . or ,", "请改正。", keys["decimal"])
        if ("columns" in keys) == ("long" in keys):
            self.wrong(
                at, "columns（宽表）与 long（长表）必须且只能有一个", "either columns or long", "请只写其中一个。"
            )
        columns = {
            str(name): self.point(point, f"{at}.columns.{name}")
            for name, point in (keys.get("columns") or {}).items()
        }  # fmt: skip
        return FileMapping(
            match=str(keys.get("match", "")),
            time=self.time(keys.get("time"), f"{at}.time", zone),
            format=keys.get("format"),
            sheet=keys.get("sheet"),
            header_row=int(keys.get("header_row", 1)),
            delimiter=keys.get("delimiter"),
            decimal=str(keys.get("decimal", ".")),
            encoding=keys.get("encoding"),
            missing=(*MISSING, *(str(word).lower() for word in keys.get("missing") or ())),
            columns=columns,
            long=self.long(keys["long"], f"{at}.long") if "long" in keys else None,
            ignore=tuple(str(name) for name in keys.get("ignore") or ()),
        )

    def time(self, node: Any, at: str, zone: str | None) -> TimeColumns:
        if isinstance(node, str):
            node = {"column": node}
        keys = self.keys(node or {}, at, ("column", "columns", "format", "zone"))
        columns = keys.get("columns") or ([keys["column"]] if keys.get("column") else [])
        if not columns:
            self.wrong(f"{at}.column", "缺少时间列", "the time column is missing", "请写明时间列的表头。")
        zone = keys.get("zone", zone)
        if zone is not None:
            try:
                ZoneInfo(str(zone))
            except (KeyError, ValueError, OSError):
                self.wrong(f"{at}.zone", "没有这个时区", "no such time zone", "如 Asia/Shanghai、UTC。", zone)
                zone = None
        return TimeColumns(tuple(map(str, columns)), str(keys.get("format", "auto")), zone)

    def point(self, node: Any, at: str, *, needs_place: bool = True) -> Point:
        known = ("place", "quantity", "position", "unit", "scale", "zero", "note")
        keys = self.keys(node, at, known, ("place", "quantity") if needs_place else ("quantity",))
        name = str(keys.get("quantity", ""))
        if name and name not in QUANTITIES:
            self.wrong(f"{at}.quantity", "没有这种量", "no such quantity", f"可用：{'、'.join(QUANTITIES)}。", name)
            name = ""
        unit = keys.get("unit")
        if unit is not None and name and (unit not in UNITS or UNITS[unit][0] != QUANTITIES[name].unit):
            fitting = "、".join(each for each, (kind, _, _) in UNITS.items() if kind == QUANTITIES[name].unit)
            self.wrong(f"{at}.unit", "不是该量的单位", "no unit of this quantity", f"可用：{fitting}。", unit)
            unit = None
        if keys.get("zero", "value") not in ("value", "missing"):
            self.wrong(f"{at}.zero", "应为 value 或 missing", "should be value or missing", "请改正。", keys["zero"])
        scale = keys.get("scale", 1)
        if not isinstance(scale, int | float) or isinstance(scale, bool) or scale == 0:
            self.wrong(f"{at}.scale", "应为不等于零的数", "should be a number other than zero", "请改正。", scale)
            scale = 1
        return Point(
            str(keys.get("place", "")), name or "room_temp", str(keys.get("position", "")), unit, float(scale),
            keys.get("zero") == "missing",
        )  # fmt: skip

    def long(self, node: Any, at: str) -> LongColumns:
        known = ("place", "quantity", "value", "position", "unit", "quantities", "is")
        keys = self.keys(node, at, known, ("place", "value"))
        if ("quantities" in keys) != ("quantity" in keys) or ("is" in keys) == ("quantities" in keys):
            self.wrong(
                at, "写 is（整个文件是同一种量），或写 quantity 列与 quantities 对照表", "either is, or quantity with quantities",
                "请见 docs/import.md。",
            )  # fmt: skip
        words = keys.get("quantities") or ({"": keys["is"]} if "is" in keys else {})
        points = {str(word): self.point(p, f"{at}.{word}", needs_place=False) for word, p in dict(words).items()}
        return LongColumns(
            str(keys.get("place", "")), str(keys.get("value", "")), points, keys.get("quantity"), keys.get("position"),
            keys.get("unit"),
        )  # fmt: skip


def load_mapping(text: str, where: str) -> tuple[Mapping, list[Finding]]:
    """The mapping in a YAML text and all that is wrong with it; use the mapping only when nothing is."""
    reader = _Reader(where)
    try:
        node = yaml.safe_load(text)
    except yaml.YAMLError as error:
        reader.wrong("", "不是 YAML", "not YAML", "请检查缩进与冒号。", str(error).splitlines()[0])
        return Mapping(()), reader.findings
    mapping = reader.mapping(node)
    return mapping, reader.findings
