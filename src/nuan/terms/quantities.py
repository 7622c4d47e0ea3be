"""Quantities: one unit and one resolution each, so that a value stores as a small integer and compares exactly.

Plausible ranges say when a reading is out of range (a flag), not when it is wrong in law. Sources: docs/nomenclature.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured quantity. `jump_per_hour` and `stuck_hours` bound what a healthy sensor shows (None: not checked)."""

    key: str
    zh: str
    en: str
    unit: str
    resolution: Fraction
    low: Fraction
    high: Fraction
    jump_per_hour: Fraction | None = None
    stuck_hours: int | None = None
    zero_is_missing: bool = False

    @property
    def column_suffix(self) -> str:
        """The unit in a column name: `_c100` is hundredths of a degree, `_m2_100` hundredths of a square metre."""
        if self.resolution == 1:
            return _SUFFIX[self.unit]
        return _SUFFIX[self.unit] + ("_" if len(_SUFFIX[self.unit]) > 2 else "") + str(self.resolution.denominator)


_SUFFIX = {
    "°C": "_c", "%": "_pct", "ppm": "_ppm", "m³/h": "_m3h", "m³": "_m3", "bar": "_bar", "kW": "_kw", "kWh": "_kwh",
    "m²": "_m2", "t": "_t", "m/s": "_ms", "W/m²": "_wm2", "Hz": "_hz",
}  # fmt: skip

F = Fraction


def _table(*rows: Quantity) -> Mapping[str, Quantity]:
    return MappingProxyType({row.key: row for row in rows})


QUANTITIES: Mapping[str, Quantity] = _table(
    Quantity("room_temp", "室温", "room temperature", "°C", F(1, 100), F(1), F(45), F(8), 36, True),
    Quantity("room_humidity", "室内相对湿度", "room relative humidity", "%", F(1, 10), F(0), F(100)),
    Quantity("room_co2", "室内二氧化碳", "room CO2", "ppm", F(1), F(200), F(10_000)),
    Quantity("outdoor_temp", "室外温度", "outdoor temperature", "°C", F(1, 100), F(-39), F(45), F(15), 24),
    Quantity(
        "primary_supply_temp",
        "一次侧供水温度",
        "primary supply temperature",
        "°C",
        F(1, 100),
        F(2),
        F(150),
        None,
        24,
        True,
    ),
    Quantity(
        "primary_return_temp",
        "一次侧回水温度",
        "primary return temperature",
        "°C",
        F(1, 100),
        F(2),
        F(110),
        None,
        24,
        True,
    ),
    Quantity("supply_temp", "供水温度", "supply temperature", "°C", F(1, 100), F(2), F(95), None, 24, True),
    Quantity("return_temp", "回水温度", "return temperature", "°C", F(1, 100), F(2), F(90), None, 24, True),
    Quantity("setpoint_temp", "设定供水温度", "supply set point", "°C", F(1, 100), F(2), F(150)),
    Quantity("flow", "流量", "flow", "m³/h", F(1, 1000), F(0), F(20_000)),
    Quantity("make_up_flow", "补水流量", "make-up flow", "m³/h", F(1, 1000), F(0), F(500)),
    Quantity("pressure", "压力", "pressure", "bar", F(1, 1000), F(0), F(25)),
    Quantity("heat_power", "热功率", "heat power", "kW", F(1, 10), F(0), F(200_000)),
    Quantity("heat_energy", "累计热量", "heat energy, cumulative", "kWh", F(1), F(0), F(2_000_000_000)),
    Quantity("water_volume", "累计水量", "water volume, cumulative", "m³", F(1, 100), F(0), F(20_000_000)),
    Quantity("gas_volume", "燃气用量", "gas volume, cumulative", "m³", F(1), F(0), F(2_000_000_000)),
    Quantity("electric_energy", "累计电量", "electric energy, cumulative", "kWh", F(1), F(0), F(2_000_000_000)),
    Quantity("valve_opening", "阀门开度", "valve opening", "%", F(1, 10), F(0), F(100)),
    Quantity("pump_frequency", "水泵频率", "pump frequency", "Hz", F(1, 10), F(0), F(60)),
    Quantity("area", "面积", "area", "m²", F(1, 100), F(1), F(100_000)),
    Quantity("fuel_stock", "燃料库存", "fuel stock", "t", F(1, 1000), F(0), F(2_000_000)),
    Quantity("fuel_burn", "日耗燃料", "fuel burnt a day", "t", F(1, 1000), F(0), F(50_000)),
    Quantity("wind_speed", "风速", "wind speed", "m/s", F(1, 10), F(0), F(60)),
    Quantity("solar", "太阳总辐射", "global horizontal irradiance", "W/m²", F(1), F(0), F(1_400)),
)


class UnknownQuantityError(KeyError):
    def __init__(self, key: str) -> None:
        super().__init__(f"no quantity “{key}”; known: {', '.join(QUANTITIES)}")


class QuantityTextError(ValueError):
    """A text that is not a value of the quantity; says which units are."""


def quantity(key: str) -> Quantity:
    try:
        return QUANTITIES[key]
    except KeyError:
        raise UnknownQuantityError(key) from None


def to_fixed(key: str, value: Fraction | Decimal | int | float | str) -> int:
    """The value in steps of the quantity's resolution, half away from zero.

    >>> to_fixed("room_temp", "17.995")
    1800
    """
    try:
        steps = Fraction(str(value)) / quantity(key).resolution
    except (ValueError, ZeroDivisionError):
        raise QuantityTextError(f"“{value}” is not a number") from None
    magnitude = (2 * abs(steps).numerator + abs(steps).denominator) // (2 * abs(steps).denominator)
    return magnitude if steps >= 0 else -magnitude


def from_fixed(key: str, steps: int) -> Decimal:
    """
    >>> from_fixed("room_temp", 1799)
    Decimal('17.99')
    """
    exact = int(steps) * quantity(key).resolution
    return Decimal(exact.numerator) / Decimal(exact.denominator)


# kcal, Mcal, Gcal: of the International Table, 4.1868 J a calorie
# (offset added first, then factor): value in our unit = (value + offset) × factor
UNITS: Mapping[str, tuple[str, Fraction, Fraction]] = MappingProxyType({
    "°C": ("°C", F(0), F(1)), "℃": ("°C", F(0), F(1)), "C": ("°C", F(0), F(1)), "degC": ("°C", F(0), F(1)),
    "°F": ("°C", F(-32), F(5, 9)), "K": ("°C", F(-27315, 100), F(1)), "0.1°C": ("°C", F(0), F(1, 10)),
    "%": ("%", F(0), F(1)), "1": ("%", F(0), F(100)), "ppm": ("ppm", F(0), F(1)),
    "m³/h": ("m³/h", F(0), F(1)), "m3/h": ("m³/h", F(0), F(1)), "t/h": ("m³/h", F(0), F(1)),
    "L/s": ("m³/h", F(0), F(36, 10)), "L/h": ("m³/h", F(0), F(1, 1000)), "kg/s": ("m³/h", F(0), F(36, 10)),
    "kg/h": ("m³/h", F(0), F(1, 1000)), "L/min": ("m³/h", F(0), F(6, 100)), "mL/h": ("m³/h", F(0), F(1, 1_000_000)), "mL": ("m³", F(0), F(1, 1_000_000)),
    "m³": ("m³", F(0), F(1)), "m3": ("m³", F(0), F(1)), "立方米": ("m³", F(0), F(1)), "L": ("m³", F(0), F(1, 1000)),
    "Hz": ("Hz", F(0), F(1)), "bar": ("bar", F(0), F(1)), "MPa": ("bar", F(0), F(10)), "kPa": ("bar", F(0), F(1, 100)), "Pa": ("bar", F(0), F(1, 100_000)),
    "kW": ("kW", F(0), F(1)), "W": ("kW", F(0), F(1, 1000)), "MW": ("kW", F(0), F(1000)), "GJ/h": ("kW", F(0), F(10_000, 36)),
    "MJ/h": ("kW", F(0), F(10, 36)), "kJ/h": ("kW", F(0), F(1, 3_600)), "J/h": ("kW", F(0), F(1, 3_600_000)),
    "kWh": ("kWh", F(0), F(1)), "MWh": ("kWh", F(0), F(1000)), "GJ": ("kWh", F(0), F(10_000, 36)), "MJ": ("kWh", F(0), F(10, 36)),
    "Wh": ("kWh", F(0), F(1, 1000)), "J": ("kWh", F(0), F(1, 3_600_000)), "kJ": ("kWh", F(0), F(1, 3_600)),
    "kcal": ("kWh", F(0), F(41_868, 36_000_000)), "Mcal": ("kWh", F(0), F(41_868, 36_000)), "Gcal": ("kWh", F(0), F(41_868, 36)),
    "m²": ("m²", F(0), F(1)), "m2": ("m²", F(0), F(1)), "㎡": ("m²", F(0), F(1)), "平方米": ("m²", F(0), F(1)),
    "t": ("t", F(0), F(1)), "吨": ("t", F(0), F(1)), "kg": ("t", F(0), F(1, 1000)), "万吨": ("t", F(0), F(10_000)),
    "m/s": ("m/s", F(0), F(1)), "km/h": ("m/s", F(0), F(10, 36)), "W/m²": ("W/m²", F(0), F(1)),
})  # fmt: skip


def convert(value: Fraction, unit: str, key: str) -> Fraction:
    """A value with its unit, in the quantity's own unit, exactly. Refuses a unit of another kind."""
    wanted = quantity(key).unit
    if unit not in UNITS or UNITS[unit][0] != wanted:
        fitting = "、".join(name for name, (target, _, _) in UNITS.items() if target == wanted)
        raise QuantityTextError(f"“{unit}” is no unit of {key} ({quantity(key).zh}); use one of {fitting}")
    _, offset, factor = UNITS[unit]
    return (value + offset) * factor


# A unit may begin with neither a comma (18,5 is no number here) nor what would continue the number.
_VALUE = re.compile(r"^\s*([+-]?\d+(?:[.]\d+)?(?:[eE][+-]?\d{1,2})?)(?:\s+(\S+)|([^\s\d,，.]\S*))?\s*$")


def parse_value(text: str, key: str) -> int:
    """Fixed-point steps from a text such as `18.5 ℃`; without a unit the quantity's own is meant.

    >>> parse_value("0.6 MPa", "pressure")
    6000
    """
    match = _VALUE.match(text)
    if match is None:
        raise QuantityTextError(f"“{text}” is not a number with a unit")
    return to_fixed(key, convert(Fraction(match[1]), match[2] or match[3] or quantity(key).unit, key))


KWH_PER_GJ = Fraction(10_000, 36)


def gj_from_kwh(kwh: int | Fraction) -> Fraction:
    """
    >>> gj_from_kwh(10_000)
    Fraction(36, 1)
    """
    return Fraction(kwh) / KWH_PER_GJ
