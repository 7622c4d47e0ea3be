"""Which channel of which station a column is: from a table of points, or from the column's own name. Words are read generously."""

import re
from dataclasses import dataclass
from typing import Final

TEMPERATURE, PRESSURE, FLOW, POWER, ENERGY, VALVE, SETPOINT, OUTDOOR = (
    "temperature", "pressure", "flow", "power", "energy", "valve", "setpoint", "outdoor",
)  # fmt: skip
_QUANTITIES: Final = (
    (SETPOINT, ("setpoint", "set_point", "set point", "target", "t_ref", "tref", "reference", "设定", "给定", "目标")),
    (OUTDOOR, ("outdoor", "outside", "ambient", "t_amb", "tamb", "outdoor_temp", "weather", "t_out", "室外", "气温")),
    (VALVE, ("valve", "opening", "阀", "开度")),
    (ENERGY, ("energy", "heat_meter", "counter", "cumulative", "accumul", "mwh", "kwh", "累计", "热量表")),
    (POWER, ("power", "heat_kw", "heat_power", "heat_load", "heatload", "heat", "load", "thermal", "热功率", "功率", "热负荷", "瞬时热量", "热量")),
    (PRESSURE, ("pressure", "press", "压力", "bar", "kpa", "mpa")),
    (FLOW, ("flow", "流量", "vdot", "mdot", "m3h", "m3_h", "m3_per_h")),
    (TEMPERATURE, ("temperature", "temp", "温度", "温", "t_", "degc", "_c", "temp_c")),
)  # fmt: skip
_EXACT: Final = {
    "t": TEMPERATURE, "p": PRESSURE, "q": POWER, "g": FLOW, "v": FLOW, "m": FLOW, "pe": POWER, "e": ENERGY, "qizm": POWER,
    "tsp": SETPOINT, "ta": OUTDOOR, "toa": OUTDOOR, "sp": SETPOINT,
}  # fmt: skip
_SECONDARY: Final = ("secondary", "second", "sec", "s2", "二次", "二网", "consumer", "building_side")
_PRIMARY: Final = ("primary", "prim", "pri", "一次", "一网", "network_side", "grid")
_RETURN: Final = ("return", "ret", "回", "back", "outlet")
_SUPPLY: Final = ("supply", "sup", "供", "flow_temp", "forward", "inlet", "vorlauf", "feed")
_FACTORS: Final[dict[str, dict[str, float]]] = {
    POWER: {"kw": 1.0, "w": 0.001, "mw": 1000.0, "gj/h": 277.778, "mj/h": 0.277778, "gcal/h": 1163.0, "kcal/h": 0.001163},
    ENERGY: {"mwh": 1.0, "kwh": 0.001, "gj": 0.277778, "mj": 0.000277778, "gcal": 1.163, "wh": 1e-6},
    FLOW: {"m3/h": 1.0, "m³/h": 1.0, "t/h": 1.0, "kg/s": 3.6, "l/s": 3.6, "l/h": 0.001, "kg/h": 0.001, "m3/s": 3600.0, "l/min": 0.06},
    PRESSURE: {"bar": 1.0, "kpa": 0.01, "mpa": 10.0, "pa": 1e-5, "mh2o": 0.0980665, "mwc": 0.0980665, "atm": 1.01325, "kgf/cm2": 0.980665},
    VALVE: {"%": 1.0, "percent": 1.0, "1": 100.0, "share": 100.0, "fraction": 100.0},
}  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """`channel` (`energy` for a counter in MWh): value = raw · factor + offset."""

    channel: str
    factor: float = 1.0
    offset: float = 0.0


class UnknownUnit(ValueError):
    """A unit that is not in the table, with those that are."""

    def __init__(self, unit: str, quantity: str) -> None:
        super().__init__(
            f"unit {unit!r} of {quantity}: known are {', '.join(_FACTORS.get(quantity, {'°C': 1.0, 'K': 1.0, '°F': 1.0}))}"
        )


def meaning(quantity: str, unit: str, side: str) -> Meaning | None:
    """None where the words say nothing that is looked at here. Raises `UnknownUnit`.

    >>> meaning("temperature", "°C", "secondary_return").channel
    'secondary_return'
    >>> meaning("流量", "kg/s", "一次供").factor
    3.6
    """
    kind = _kind(quantity) or _kind(side)
    if kind is None:
        return None
    where = _where(f"{side} {quantity}")
    if kind in (TEMPERATURE, SETPOINT, OUTDOOR):
        factor, offset = _temperature(unit)
        if kind == TEMPERATURE and _kind(side) in (OUTDOOR, SETPOINT):
            kind = _kind(side) or kind
        if kind == TEMPERATURE and where is None:
            return None
        channel = {OUTDOOR: "outdoor", SETPOINT: "setpoint"}.get(kind) or f"{where[0]}_{where[1]}" if where else kind
        return Meaning(channel, factor, offset)
    factor = _factor(kind, unit)
    loop, direction = where or ("primary", "supply")
    channel = {POWER: "heat", ENERGY: "energy", VALVE: "valve", FLOW: f"{loop}_flow"}.get(
        kind
    ) or f"{loop}_{direction}_bar"
    return Meaning(channel, factor)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^0-9a-zA-Z\u4e00-\u9fff³%]+", text.lower()) if word]


def _kind(text: str) -> str | None:
    lowered = text.strip().lower()
    if not lowered:
        return None
    if lowered in _EXACT:
        return _EXACT[lowered]
    found = next((kind for kind, words in _QUANTITIES if any(word in lowered for word in words)), None)
    if found is not None:
        return found
    return next((_EXACT[word] for word in _words(lowered) if word in _EXACT), None)


def _where(text: str) -> tuple[str, str] | None:
    lowered = text.lower()
    loop = "secondary" if any(word in lowered for word in _SECONDARY) else "primary"
    back = any(word in lowered for word in _RETURN)
    ahead = any(word in lowered for word in _SUPPLY)
    if back and not (ahead and lowered.find("sup") > lowered.find("ret") >= 0):
        return loop, "return"
    if ahead:
        return loop, "supply"
    named = any(word in lowered for word in (*_SECONDARY, *_PRIMARY))
    return (loop, "supply") if named else None


def _factor(kind: str, unit: str) -> float:
    cleaned = unit.strip().lower().replace(" ", "").replace("^3", "3").replace("m³", "m3").replace("ton", "t")
    cleaned = cleaned.replace("_per_", "/").replace("m3h", "m3/h")
    if not cleaned:
        return 1.0
    if cleaned not in _FACTORS[kind]:
        raise UnknownUnit(unit, kind)
    return _FACTORS[kind][cleaned]


def _temperature(unit: str) -> tuple[float, float]:
    cleaned = unit.strip().lower().replace("°", "").replace("deg", "").replace("celsius", "c").replace("℃", "c")
    if cleaned in ("", "c", "摄氏度"):
        return 1.0, 0.0
    if cleaned in ("k", "kelvin"):
        return 1.0, -273.15
    if cleaned in ("f", "fahrenheit"):
        return 5 / 9, -160 / 9
    raise UnknownUnit(unit, TEMPERATURE)


_PARTS: Final = re.compile(
    r"(?P<place>.*?)[\s._:/|-]*(?P<what>(?:t_amb|t_ref|t_sup_prim|t_ret_prim|t_sup_sec|t_ret_sec|qizm|pe|e)"
    r"|(?:(?:primary|secondary|prim|sec|supply|return|sup|ret|temp|temperature|flow|pressure|power|heat|energy|outdoor|ambient|valve|setpoint|"
    r"t|p|c|kw|mwh|bar|m3|h|per|position|load|设定|室外|一次|二次|供水|回水|供|回|温度|压力|流量|功率|热量|累计|阀门|开度)[\s._:/-]*)+)$",
    re.IGNORECASE,
)


def guess(column: str) -> tuple[str, Meaning] | None:
    """(station, meaning) from a name such as `L4.t_sup_prim`, `S01_secondary_return_c`, `东站_一次供水温度`; the station may be empty.

    >>> guess("L4.t_ret_sec")
    ('L4', Meaning(channel='secondary_return', factor=1.0, offset=0.0))
    """
    matched = _PARTS.match(column.strip())
    if matched is None:
        return None
    what = matched["what"]
    unit = next(
        (
            u
            for end, u in (("_kw", "kW"), ("_mw", "MW"), ("_mwh", "MWh"), ("_kwh", "kWh"), ("_bar", "bar"))
            if what.lower().endswith(end)
        ),
        "",
    )
    found = meaning(what, unit, what)
    return None if found is None else (matched["place"].strip(" ._:/|-"), found)
