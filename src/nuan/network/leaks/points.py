"""`points.csv`: which column of `series.csv` measures what, where. A small vocabulary, generously read (docs/leaks.md).

What cannot be understood becomes a finding and is left out; the rest goes on. Inside the package every value is in the unit of
`CANONICAL`: bar, K or °C, kg/s, kW, t/h, t, m, %.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nuan.network.graph.tables import KEYS, Network
from nuan.terms.findings import Finding

Floats = NDArray[np.float64]

CANONICAL: Mapping[str, str] = MappingProxyType({
    "pressure": "bar", "pressure_difference": "bar", "temperature": "C", "flow": "kg/s", "heat": "kW", "make_up_flow": "t/h",
    "make_up_total": "t", "level": "m", "volume": "m3", "water_level": "m", "humidity": "%", "position": "%", "state": "1", "wet": "1",
})  # fmt: skip
"""Every quantity that is known, and the unit in which the package computes with it."""

QUANTITY_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "pressure": ("p", "press", "gauge_pressure", "压力"),
    "pressure_difference": ("dp", "delta_p", "differential_pressure", "diff_pressure", "压差"),
    "temperature": ("t", "temp", "water_temperature", "air_temperature", "outdoor_temperature", "温度", "室外温度"),
    "flow": ("mass_flow", "volume_flow", "volumetric_flow", "flow_rate", "flowrate", "mdot", "v_dot", "m_flow", "流量"),
    "heat": ("power", "heat_power", "heat_flow", "thermal_power", "load", "heat_load", "热功率", "热负荷"),
    "make_up_flow": ("makeup_flow", "make_up", "makeup", "make_up_water", "makeup_water", "make_up_water_flow", "makeup_water_flow", "make_up_rate", "makeup_rate", "补水流量", "补水"),
    "make_up_total": ("makeup_total", "make_up_volume", "makeup_volume", "makeup_counter", "make_up_counter", "makeup_cumulative", "make_up_cumulative", "cumulative_make_up", "cumulative_makeup", "makeup_meter", "make_up_meter", "累计补水量", "补水量"),
    "level": ("tank_level", "vessel_level", "expansion_level", "expansion_vessel_level", "液位", "水箱液位"),
    "volume": ("tank_volume", "vessel_volume", "expansion_volume", "expansion_vessel_volume", "水箱水量"),
    "water_level": ("chamber_level", "duct_level", "pit_level", "sump_level", "flood_level", "井室水位", "水位"),
    "humidity": ("rh", "relative_humidity", "湿度", "相对湿度"),
    "position": ("valve_position", "opening", "speed", "frequency", "阀位", "开度", "频率"),
    "state": ("status", "running", "switch", "on", "open", "mode", "运行状态", "状态"),
    "wet": ("flood", "flooded", "leak_wire", "leakage_wire", "moisture", "水浸", "漏水"),
})  # fmt: skip
KIND_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "source": ("plant", "heat_source", "boiler_house", "circ_pump", "circ_pump_pressure", "circ_pump_mass", "热源", "热源厂"),
    "substation": ("station", "consumer", "heat_consumer", "heat_exchanger", "hex", "换热站", "热力站"),
    "node": ("junction", "point", "节点"),
    "pipe": ("edge", "branch", "segment", "管道", "管段"),
    "valve": ("阀门",),
    "pump": ("泵",),
    "duct": ("chamber", "manhole", "pit", "channel", "vault", "well", "检查室", "管沟", "井室", "井"),
    "tank": ("vessel", "expansion_vessel", "expansion_tank", "make_up_tank", "makeup_tank", "pressure_holding", "膨胀水箱", "水箱"),
    "weather": ("outdoor", "outside", "ambient", "air", "ground", "soil", "meteo", "气象", "室外"),
})  # fmt: skip
SIDE_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "supply": ("s", "flow", "forward", "feed", "sup", "hot", "primary_supply", "供水", "供"),
    "return": ("r", "ret", "back", "cold", "primary_return", "回水", "回"),
    "make_up": ("makeup", "make_up_water", "makeup_water", "补水"),
    "secondary": ("secondary_supply", "secondary_return", "二次", "二网"),
})  # fmt: skip
HEADER_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "column": ("point", "point_id", "series", "name", "tag", "id", "channel", "sensor", "测点", "列"),
    "quantity": ("measurand", "measurement", "variable", "type", "what", "物理量", "量"),
    "unit": ("units", "uom", "单位"),
    "asset_kind": ("asset_type", "kind", "element_type", "element_kind", "object_kind", "object_type", "table", "资产类型", "类型"),
    "asset": ("asset_id", "element", "element_id", "object", "object_id", "place", "location", "node", "资产", "资产编号", "位置"),
    "side": ("position", "line", "supply_return", "supply_or_return", "侧"),
})  # fmt: skip

# factor and offset into the canonical unit: canonical = value · factor + offset
_PRESSURE = {"bar": 1.0, "barg": 1.0, "bar_g": 1.0, "mbar": 1e-3, "kpa": 0.01, "mpa": 10.0, "pa": 1e-5, "hpa": 1e-3, "mh2o": 0.0980665, "mwc": 0.0980665, "mws": 0.0980665, "m": 0.0980665, "kgf/cm2": 0.980665, "at": 0.980665, "atm": 1.01325, "psi": 0.0689476}  # fmt: skip
_MASS_FLOW = {"kg/s": 1.0, "t/h": 1 / 3.6, "kg/h": 1 / 3600.0, "t/d": 1 / 86.4, "kg/min": 1 / 60.0, "t/s": 1000.0}
_VOLUME_FLOW = {"m3/h": 1 / 3600.0, "l/s": 1e-3, "l/h": 1e-3 / 3600.0, "l/min": 1e-3 / 60.0, "m3/s": 1.0, "m3/d": 1 / 86400.0, "m3/min": 1 / 60.0}  # fmt: skip
_HEAT = {"kw": 1.0, "mw": 1000.0, "w": 1e-3, "gj/h": 1000.0 / 3.6, "kj/h": 1 / 3600.0, "mj/h": 1 / 3.6, "gw": 1e6}
_LENGTH = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_VOLUME = {"m3": 1.0, "l": 1e-3, "t": 1.0, "kg": 1e-3}
_SHARE = {"%": 1.0, "percent": 1.0, "1": 100.0, "-": 100.0, "fraction": 100.0, "hz": 2.0, "rpm": 100.0 / 1450.0}
WARM_DENSITY, COOL_DENSITY, COLD_DENSITY = 965.0, 985.0, 998.0
"""kg/m³ of supply, return and make-up water, to turn metered volume into mass; the 2 % that a real temperature would add are far below
what a flow meter knows."""


@dataclass(frozen=True, slots=True)
class Point:
    """A column of the series: what it measures (`CANONICAL`), in which unit it is written, at which thing, on which side.

    `asset_kind`: source, substation, node, pipe, valve, pump, duct, tank or weather. `side`: supply, return, make_up, secondary or empty.
    """

    column: str
    quantity: str
    unit: str
    asset_kind: str
    asset: str
    side: str = ""

    @property
    def scale(self) -> tuple[float, float]:
        """(factor, offset) with canonical = written · factor + offset. KeyError: the unit is none of this quantity.

        >>> Point("x", "pressure", "kPa", "node", "n1").scale
        (0.01, 0.0)
        """
        unit = _plain_unit(self.unit)
        if self.quantity == "temperature":
            return {"": (1.0, 0.0), "c": (1.0, 0.0), "degc": (1.0, 0.0), "k": (1.0, -273.15), "f": (5 / 9, -160 / 9)}[
                unit
            ]
        if self.quantity in ("flow", "make_up_flow"):
            density = (
                COLD_DENSITY
                if self.quantity == "make_up_flow"
                else COOL_DENSITY
                if self.side == "return"
                else WARM_DENSITY
            )
            per_s = {"": 1.0, **_MASS_FLOW, **{name: by * density for name, by in _VOLUME_FLOW.items()}}[unit]
            hourly = self.quantity == "make_up_flow"
            return (1.0 if unit == "" else per_s * 3.6 if hourly else per_s), 0.0
        tables = {
            "pressure": {"": 1.0, **_PRESSURE}, "pressure_difference": {"": 1.0, **_PRESSURE}, "heat": {"": 1.0, **_HEAT},
            "make_up_total": {"": 1.0, **_VOLUME}, "volume": {"": 1.0, **_VOLUME}, "level": {"": 1.0, **_LENGTH, "%": 1.0},
            "water_level": {"": 1.0, **_LENGTH}, "humidity": {"": 1.0, **_SHARE}, "position": {"": 1.0, **_SHARE},
        }  # fmt: skip
        # an absolute pressure is as good as a gauge one: nothing here reads its level, only its changes and differences
        if self.quantity in ("pressure", "pressure_difference"):
            unit = re.sub(r"[_( ]*(abs|gauge|g|a)\)?$", "", unit) if unit not in _PRESSURE else unit
        return tables.get(self.quantity, {unit: 1.0})[unit], 0.0

    def canonical(self, written: Floats) -> Floats:
        """Values as the package computes with them."""
        factor, offset = self.scale
        return np.asarray(written * factor + offset, np.float64)


def read(
    text: str, network: Network | None = None, names: Mapping[str, str] | None = None
) -> tuple[tuple[Point, ...], list[Finding]]:
    """The points that are understood, and a finding for each that is not.

    `network`: asset names are then looked up in it (`names` adds other programs' names of the same things). A point of unknown asset
    stays when it needs none (weather, source with one source in the network).

    >>> read("point,quantity,unit,asset_kind,asset_id,side\\nP1,pressure,kPa,substation,S03,supply\\n")[0]
    (Point(column='P1', quantity='pressure', unit='kPa', asset_kind='substation', asset='S03', side='supply'),)
    """
    lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=_delimiter(text)))
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        return (), [
            _finding(
                "no_points",
                "点表是空的",
                "there are no points",
                "写出每一列是什么：point,quantity,unit,asset_kind,asset_id,side",
            )
        ]
    places, findings = _header(lines[0])
    if findings:
        return (), findings
    known = _assets(network, names) if network is not None else None
    points: dict[str, Point] = {}
    for row, line in enumerate(lines[1:], 2):
        cells = {name: line[i].strip() if i < len(line) else "" for name, i in places.items()}
        point, faults = _point(cells, row)
        if point is not None and known is not None:
            point, fault = _resolved(point, known, row)
            faults += fault
        findings += faults
        if point is not None and point.column in points:
            findings.append(
                _finding(
                    "point_twice",
                    "同一列写了两次，用第一次的",
                    "the column is given twice; the first counts",
                    "删去一行",
                    row,
                    "point",
                    point.column,
                )
            )
        elif point is not None:
            points[point.column] = point
    return tuple(points.values()), findings


def guess(series: bytes, network: Network) -> tuple[tuple[Point, ...], list[Finding]]:
    """Without a points.csv: columns whose name is a quantity (`make_up_flow`, `supply_temperature`, 补水量) are taken as the plant's."""
    first = series[:65536].decode("utf-8-sig", errors="replace").splitlines()[:1]
    columns = next(csv.reader(first, delimiter=_delimiter(first[0])), []) if first else []
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["point", "quantity", "asset_kind", "unit"])
    for column in columns:
        words = re.match(r"(.*?)_(t_h|kg_s|m3_h|t_per_h|kg_per_s|m3_per_h|c|degc|bar|kpa|mpa|kw|mw)$", _plain(column))
        name, unit = (words[1], words[2].replace("_per_", "/").replace("_", "/")) if words else (column, "")
        name = re.sub(r"^(plant|source)_", "", _plain(name))
        quantity = _word(name, QUANTITY_WORDS) or (_with_side(name)[0] and name)
        if quantity:
            rows.writerow([column, name, "weather" if "outdoor" in name else "source", unit])
    points, findings = read(text.getvalue(), network)
    missing = _finding(
        "no_points_file",
        "没有 points.csv，按列名猜",
        "there is no points.csv; columns are taken by their names",
        "写一个 points.csv",
    )
    return points, [missing, *findings]


def _delimiter(text: str) -> str:
    first = text.splitlines()[0] if text.strip() else ""
    return max(",;\t", key=first.count)


def _plain(text: str) -> str:
    return re.sub(r"[\s\-]+", "_", text.strip().lower()).strip("_")


def _plain_unit(text: str) -> str:
    plain = (
        text.strip()
        .lower()
        .replace("³", "3")
        .replace("²", "2")
        .replace("℃", "c")
        .replace("°", "")
        .replace("^", "")
        .replace("µ", "u")
    )
    plain = plain.replace("m^3", "m3").replace("cbm", "m3").replace(" ", "").replace("·", "")
    plain = {"celsius": "c", "degc": "c", "deg_c": "c", "kelvin": "k", "tonne/h": "t/h", "tph": "t/h", "kgs": "kg/s", "m3h": "m3/h", "kg_per_s": "kg/s", "t_per_h": "t/h", "m3_per_h": "m3/h", "ton": "t", "tonne": "t", "tonnes": "t", "lps": "l/s", "吨/时": "t/h", "吨": "t", "m3/hr": "m3/h", "t/hr": "t/h", "kg/sec": "kg/s"}.get(plain, plain)  # fmt: skip
    return re.sub(r"/hour$|/hr$", "/h", plain)


def _word(text: str, words: Mapping[str, tuple[str, ...]]) -> str | None:
    plain = _plain(text)
    return next((key for key, others in words.items() if plain == key or plain in others), None)


def _finding(
    code: str, zh: str, en: str, remedy: str, row: int | None = None, field: str | None = None, value: str | None = None
) -> Finding:
    return Finding(
        "points.csv", code, zh, en, remedy, row=row, field=field, value=value, severity="warning" if row else "error"
    )


def _header(cells: list[str]) -> tuple[dict[str, int], list[Finding]]:
    places: dict[str, int] = {}
    for i, cell in enumerate(cells):
        key = _word(cell, HEADER_WORDS)
        # `point,…,name`: the first of two candidates is the column
        if key is not None and key not in places:
            places[key] = i
    missing = [name for name in ("column", "quantity") if name not in places]
    if not missing:
        return places, []
    return places, [
        _finding(
            "header_unknown",
            f"表头缺少 {'、'.join(missing)}",
            f"the header lacks {', '.join(missing)}",
            "第一行写 point,quantity,unit,asset_kind,asset_id,side",
        )
    ]


def _point(cells: Mapping[str, str], row: int) -> tuple[Point | None, list[Finding]]:
    column, side = cells["column"], _word(cells.get("side", ""), SIDE_WORDS) or ""
    kind = _word(cells.get("asset_kind", ""), KIND_WORDS) or ""
    quantity = _word(cells["quantity"], QUANTITY_WORDS)
    if quantity is None:
        quantity, side_said = _with_side(cells["quantity"])
        side = side or side_said
    if not column:
        return None, [
            _finding(
                "column_empty", "没写是哪一列", "the column is not named", "填上 series.csv 里的列名", row, "point"
            )
        ]
    if quantity is None:
        return None, [
            _finding(
                "quantity_unknown",
                "不认识的物理量，这一列不用",
                "the quantity is not known; the column is not used",
                f"写 {'、'.join(CANONICAL)} 之一",
                row,
                "quantity",
                cells["quantity"],
            )
        ]
    if quantity == "flow" and side == "make_up":
        quantity, side = "make_up_flow", ""
    if quantity == "volume" and side == "make_up":
        quantity, side = "make_up_total", ""
    if not kind:
        kind = (
            "source" if quantity.startswith("make_up") else "weather" if "outdoor" in _plain(cells["quantity"]) else ""
        )
    if quantity == "make_up_flow" and _plain_unit(cells.get("unit", "")) in _VOLUME:
        quantity = "make_up_total"
    if quantity == "make_up_total" and _plain_unit(cells.get("unit", "")) in {**_VOLUME_FLOW, **_MASS_FLOW}:
        quantity = "make_up_flow"
    if quantity in ("level", "water_level") and kind in ("duct", "tank"):
        quantity = "water_level" if kind == "duct" else "level"
    point = Point(column, quantity, cells.get("unit", ""), kind, cells.get("asset", ""), side)
    try:
        _ = point.scale
    except KeyError:
        return None, [
            _finding(
                "unit_unknown",
                "不认识的单位，这一列不用",
                "the unit is none of this quantity; the column is not used",
                f"{quantity} 的单位写 {CANONICAL[quantity]}",
                row,
                "unit",
                point.unit,
            )
        ]
    return point, []


def _with_side(text: str) -> tuple[str | None, str]:
    """`supply_pressure`, `return temperature`, `回水温度`: quantity and side in one word."""
    plain = _plain(text)
    for side, words in SIDE_WORDS.items():
        for word in sorted(
            (side, *(word for word in words if len(word) > 1 or not word.isascii())), key=len, reverse=True
        ):
            if (plain.startswith(word) and len(plain) > len(word)) or plain.endswith("_" + word):
                quantity = _word(plain.removeprefix(word).removesuffix("_" + word), QUANTITY_WORDS)
                if quantity is not None:
                    return quantity, side
    return None, ""


_TABLE_OF = {
    "source": "sources",
    "substation": "substations",
    "node": "nodes",
    "pipe": "pipes",
    "valve": "valves",
    "pump": "pumps",
}


def _assets(network: Network, names: Mapping[str, str] | None) -> dict[tuple[str, str], str]:
    """(kind, any way to write it) → the name in the network. pandapipes' indices stand for the names made of them."""
    found: dict[tuple[str, str], str] = {}
    for kind, table in _TABLE_OF.items():
        for name in network.table(table)[KEYS[table]].to_list():
            found.setdefault((kind, re.sub(r"^[a-z]{1,2}(?=\d+$)", "", name)), name)
            found.setdefault((kind, name.lower()), name)
        for name in network.table(table)[KEYS[table]].to_list():
            found[kind, name] = name
    for other, name in (names or {}).items():
        kind, _, said = other.partition(":")
        found.setdefault((kind, said), name)
    return found


def _resolved(point: Point, known: Mapping[tuple[str, str], str], row: int) -> tuple[Point | None, list[Finding]]:
    kinds: Iterable[str] = (
        (point.asset_kind,) if point.asset_kind in _TABLE_OF else () if point.asset_kind else _TABLE_OF
    )
    for kind in kinds:
        for said in (point.asset, point.asset.lower()):
            if (kind, said) in known:
                return replace(point, asset_kind=kind, asset=known[kind, said]), []
    sources = sorted({name for (kind, _), name in known.items() if kind == "source"})
    if point.asset_kind == "source" and len(sources) == 1:
        return replace(point, asset=sources[0]), []
    if not kinds or point.quantity.startswith("make_up") or point.quantity in ("level", "volume"):
        return point, []
    return None, [
        _finding(
            "asset_unknown",
            "管网里没有这个资产，这一列不用",
            "the network has no such asset; the column is not used",
            "改正 asset_kind 和 asset_id",
            row,
            "asset_id",
            f"{point.asset_kind} {point.asset}".strip(),
        )
    ]
