"""A register map: which registers hold a point, and how its bits are to be read."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any

from nuan.telemetry.protocols.parsed import Number
from nuan.terms.findings import Finding
from nuan.terms.quantities import UNITS

WORDS: Mapping[str, int] = {
    "int16": 1, "uint16": 1, "bcd16": 1, "bit": 1, "int32": 2, "uint32": 2, "float32": 2, "bcd32": 2, "int64": 4, "uint64": 4,
    "float64": 4,
}  # fmt: skip
"""type → how many registers."""
ORDERS = ("big", "little")
FIELDS = (
    "register",
    "type",
    "words",
    "bytes",
    "scale",
    "offset",
    "unit",
    "bit",
    "missing",
    "quantity",
    "position",
    "below",
    "note",
)


@dataclass(frozen=True, slots=True)
class RegisterPoint:
    """`word_order`, `byte_order`: big = the high one first. value = raw × scale + offset in `unit`. `missing`: the raw number that means none.

    >>> RegisterPoint("t", 40001, "int32", word_order="little").value({40001: 0x0001, 40002: 0x0002})
    131073
    """

    name: str
    register: int
    type: str = "uint16"
    word_order: str = "big"
    byte_order: str = "big"
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    unit: str | None = None
    bit: int | None = None
    missing: int | None = None

    @property
    def registers(self) -> range:
        return range(self.register, self.register + WORDS[self.type])

    def value(self, registers: Mapping[int, int]) -> Number | None:
        """None: the device has no value. KeyError when a register is not there."""
        raw = [registers[number] for number in self.registers]
        if self.word_order == "little":
            raw.reverse()
        data = b"".join(word.to_bytes(2, "big" if self.byte_order == "big" else "little") for word in raw)
        if self.type == "bit":
            return int.from_bytes(data, "big") >> (self.bit or 0) & 1
        number = self._number(data)
        if number is None or number == self.missing:
            return None
        if self.scale == 1 and self.offset == 0:
            return number
        return Fraction(number) * self.scale + self.offset

    def _number(self, data: bytes) -> Number | None:
        if self.type.startswith("float"):
            (real,) = struct.unpack(">f" if len(data) == 4 else ">d", data)
            if not isfinite(real) or abs(real) > 1e15:
                return None
            return Decimal(f"{real:.7g}") if len(data) == 4 else float(real)
        if self.type.startswith("bcd"):
            return int(data.hex()) if data.hex().isdecimal() else None
        return int.from_bytes(data, "big", signed=self.type.startswith("int"))


@dataclass(frozen=True, slots=True)
class RegisterMap:
    points: tuple[RegisterPoint, ...] = ()


def load_map(points: Mapping[str, Mapping[str, Any]], where: str) -> tuple[RegisterMap, list[Finding]]:
    """From the points of a device profile (name → register, type, word_order, byte_order, scale, offset, unit, bit, missing), and all that is wrong."""
    found: list[Finding] = []
    made = []
    for name, row in points.items():
        point = _point(str(name), row, where, found)
        if point is not None:
            made.append(point)
    return RegisterMap(tuple(made)), found


def _point(name: str, row: Mapping[str, Any], where: str, found: list[Finding]) -> RegisterPoint | None:
    before = len(found)

    def wrong(field: str, zh: str, en: str, remedy: str, value: object = None) -> None:
        found.append(
            Finding(
                where,
                "register_map",
                zh,
                en,
                remedy,
                field=f"{name}.{field}",
                value=None if value is None else str(value),
            )
        )

    for field in row:
        if field not in FIELDS:
            wrong(str(field), "没有这个键", "no such key", f"可用的键：{'、'.join(FIELDS)}。")
    register, kind = row.get("register"), str(row.get("type", "bit" if "bit" in row else "uint16"))
    if not isinstance(register, int) or isinstance(register, bool) or not 0 <= register < 500_000:
        wrong("register", "应为寄存器号", "should be a register number", "如 40001 或 0。", register)
    if kind not in WORDS:
        wrong("type", "没有这种类型", "no such type", f"可用：{'、'.join(WORDS)}。", kind)
    for field in ("word_order", "byte_order"):
        if row.get(field, "big") not in ORDERS:
            wrong(field, "应为 big 或 little", "should be big or little", "big：高位在前。", row[field])
    if row.get("unit") is not None and row["unit"] not in UNITS:
        wrong("unit", "没有这种单位", "no such unit", "见 docs/nomenclature.md。", row["unit"])
    bit = row.get("bit")
    if (kind == "bit") != (bit is not None) or (bit is not None and bit not in range(16)):
        wrong(
            "bit", "bit 类型要写 0–15 的位号，其他类型不写", "type bit wants a bit 0–15, others none", "请改正。", bit
        )
    scale, offset = _fraction(row.get("scale", 1)), _fraction(row.get("offset", 0))
    if not scale or offset is None:
        wrong(
            "scale",
            "倍率应为不等于零的数，偏移应为数",
            "scale is a number other than zero, offset a number",
            "请改正。",
        )
    missing = row.get("missing")
    if missing is not None and not isinstance(missing, int):
        wrong("missing", "应为整数", "should be a whole number", "如 -32768。", missing)
    if len(found) > before or not isinstance(register, int) or scale is None or offset is None:
        return None
    return RegisterPoint(
        name,
        register,
        kind,
        row.get("word_order", "big"),
        row.get("byte_order", "big"),
        scale,
        offset,
        row.get("unit"),
        bit,
        missing,
    )


def _fraction(value: object) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 20:
        return None
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
