"""A device is a table of points: name in its protocol → quantity, unit or scale, position at its place.

Profiles of common shapes come with Nuan (`profiles/*.yaml`); a new make of meter is a new file, not new code.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from typing import Any

import yaml

from nuan.telemetry.files.mapping import FileMapping, TimeColumns
from nuan.telemetry.files.mapping import Mapping as FilesMapping
from nuan.telemetry.files.mapping import Point as FilePoint
from nuan.telemetry.protocols.modbus.registers import FIELDS as REGISTER_FIELDS
from nuan.telemetry.protocols.modbus.registers import RegisterMap, load_map
from nuan.terms.findings import Finding
from nuan.terms.quantities import QUANTITIES, UNITS

PROTOCOLS = ("mqtt_json", "thingsboard", "mbus", "wmbus", "cjt188", "modbus", "line_protocol")
KEYS = ("name", "name_en", "protocol", "kind", "points", "ignore", "note")
POINT_KEYS = ("quantity", "position", "unit", "scale", "offset", "below", "note")


@dataclass(frozen=True, slots=True)
class ProfilePoint:
    """A row of the table: quantity's value = raw × scale + offset, unless the frame itself names the unit."""

    name: str
    quantity: str
    position: str = ""
    unit: str | None = None
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    below: str = ""

    def in_own_unit(self) -> tuple[Fraction, Fraction]:
        """(scale, offset) that lead from the raw value to the quantity's unit."""
        if self.unit is None:
            return self.scale, self.offset
        _, before, factor = UNITS[self.unit]
        return self.scale * factor, (self.offset + before) * factor


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """`ignore`: names that such a device also sends and nobody keeps; they are no problem."""

    code: str
    name: str
    name_en: str
    protocol: str
    kind: str
    points: tuple[ProfilePoint, ...]
    ignore: tuple[str, ...] = ()
    registers: RegisterMap | None = None

    def rows(self) -> dict[str, dict[str, str]]:
        """As the records keep it (`operations.device_profiles`): name → quantity, position, scale, offset, below as text."""
        rows = {}
        for point in self.points:
            # a register map has scaled its values already, and names their unit
            scale, offset = (Fraction(1), Fraction(0)) if self.registers else point.in_own_unit()
            rows[point.name] = {
                key: text
                for key, text, usual in (
                    ("quantity", point.quantity, ""), ("position", point.position, ""), ("scale", str(scale), "1"),
                    ("offset", str(offset), "0"), ("below", point.below, ""),
                )
                if text != usual
            }  # fmt: skip
        return rows

    def file_mapping(
        self, place: str, header: Collection[str], match: str = "*.csv", time: str = "time", zone: str = "Asia/Shanghai"
    ) -> FilesMapping:
        """The same table as the mapping of a wide file of one device, one column a point (docs/import.md).

        `header`: the columns that the file has. Those that the profile does not name are ignored. A point with an offset
        cannot be told to a file and is left out.
        """
        columns = {}
        for point in self.points:
            if point.name in header and not point.offset:
                where = f"{place}-{point.below}" if point.below else place
                scale = float(point.scale)
                columns[point.name] = FilePoint(where, point.quantity, point.position or "room", point.unit, scale)
        ignored = tuple(sorted(set(header) - set(columns) - {time}))
        return FilesMapping((FileMapping(match, TimeColumns((time,), zone=zone), columns=columns, ignore=ignored),))


def load_profile(text: str, code: str) -> tuple[DeviceProfile | None, list[Finding]]:
    """The profile in a YAML text, and all that is wrong with it."""
    found: list[Finding] = []
    try:
        node = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, [
            Finding(code, "profile", "不是 YAML", "not YAML", "请检查缩进与冒号。", value=str(error).splitlines()[0])
        ]
    if not isinstance(node, dict) or not isinstance(node.get("points"), dict) or not node["points"]:
        return None, [
            Finding(code, "profile", "缺少测点表 points", "no table of points", "请照 profiles/ 中的例子写。")
        ]
    for key in node:
        if key not in KEYS:
            found.append(
                Finding(code, "profile", "没有这个键", "no such key", f"可用的键：{'、'.join(KEYS)}。", field=str(key))
            )
    protocol = str(node.get("protocol", ""))
    if protocol not in PROTOCOLS:
        found.append(
            Finding(
                code, "profile", "没有这种协议", "no such protocol", f"可用：{'、'.join(PROTOCOLS)}。", field="protocol"
            )
        )
    points = tuple(_point(code, str(name), row, protocol, found) for name, row in node["points"].items())
    registers = None
    if protocol == "modbus":
        registers, wrong = load_map(node["points"], code)
        found += wrong
    if found:
        return None, found
    name = str(node.get("name", code))
    ignore = tuple(map(str, node.get("ignore") or ()))
    return DeviceProfile(
        code, name, str(node.get("name_en", name)), protocol, str(node.get("kind", "other")), points, ignore, registers
    ), []


def _point(code: str, name: str, row: Any, protocol: str, found: list[Finding]) -> ProfilePoint:
    row = row if isinstance(row, dict) else {}
    known = (*POINT_KEYS, *(REGISTER_FIELDS if protocol == "modbus" else ()))

    def wrong(field: str, zh: str, en: str, remedy: str, value: object = None) -> None:
        found.append(
            Finding(
                code,
                "profile",
                zh,
                en,
                remedy,
                field=f"points.{name}.{field}",
                value=None if value is None else str(value),
            )
        )

    for key in row:
        if key not in known:
            wrong(str(key), "没有这个键", "no such key", f"可用的键：{'、'.join(known)}。")
    quantity, unit = str(row.get("quantity", "")), row.get("unit")
    if quantity not in QUANTITIES:
        wrong("quantity", "没有这种量", "no such quantity", f"可用：{'、'.join(QUANTITIES)}。", quantity)
    elif unit is not None and UNITS.get(unit, ("",))[0] != QUANTITIES[quantity].unit:
        wrong("unit", "不是该量的单位", "no unit of this quantity", "见 docs/nomenclature.md。", unit)
    scale, offset = Fraction(1), Fraction(0)
    try:
        scale, offset = Fraction(str(row.get("scale", 1))), Fraction(str(row.get("offset", 0)))
    except (ValueError, ZeroDivisionError):
        wrong("scale", "倍率和偏移应为数", "scale and offset should be numbers", "如 0.1 或 1/10。")
    if scale == 0:
        wrong("scale", "倍率不能为零", "scale cannot be zero", "请改正。")
    return ProfilePoint(name, quantity, str(row.get("position", "")), unit, scale, offset, str(row.get("below", "")))


def shipped_texts() -> Mapping[str, str]:
    """The profiles that come with Nuan as they are written, by code."""
    folder = files("nuan.telemetry.protocols") / "profiles"
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".yaml")), key=lambda each: each.name)
    return {path.name.removesuffix(".yaml"): path.read_text("utf-8") for path in paths}


def shipped() -> Mapping[str, DeviceProfile]:
    """The profiles that come with Nuan, by code."""
    found: dict[str, DeviceProfile] = {}
    for code, text in shipped_texts().items():
        profile, findings = load_profile(text, code)
        if profile is None:
            raise ProfileError(findings)
        found[code] = profile
    return found


class ProfileError(ValueError):
    """A profile that comes with Nuan is wrong."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(finding.sentence() for finding in findings))
