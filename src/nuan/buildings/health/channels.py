"""The channels of a substation: what is measured, in which unit, what is impossible, and how far it wanders without being ill.

`floor_abs` (in the channel's unit) and `floor_rel` (share of the usual value) say how far an honest channel may lie beside its model for
months: exchange between seasons, calibration, the model's own lack. A fault smaller than about three floors is not looked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KELVIN, KILOWATT, CUBIC, BAR, PERCENT = "°C", "kW", "m³/h", "bar", "%"


@dataclass(frozen=True)
class Channel:
    """`low` and `high`: beyond these a value is a broken wire, not a reading. `zero_is_dead`: an exact 0 is what a dead input shows."""

    key: str
    zh: str
    en: str
    unit: str
    low: float
    high: float
    floor_abs: float
    floor_rel: float = 0.0
    zero_is_dead: bool = True
    sensor: bool = True


_ALL: Final = (
    Channel("primary_supply", "一次供水温度", "primary supply", KELVIN, 1.0, 190.0, 0.4),
    Channel("primary_return", "一次回水温度", "primary return", KELVIN, 1.0, 150.0, 0.3),
    Channel("secondary_supply", "二次供水温度", "secondary supply", KELVIN, 1.0, 115.0, 0.3),
    Channel("secondary_return", "二次回水温度", "secondary return", KELVIN, 1.0, 105.0, 0.3),
    Channel("heat", "热功率", "heat", KILOWATT, -1.0, 60_000.0, 0.5, 0.03, zero_is_dead=False),
    Channel("heat_counter", "热量表累计", "heat counter", KILOWATT, -1.0, 60_000.0, 0.5, 0.05, False, sensor=False),
    Channel("primary_flow", "一次流量", "primary flow", CUBIC, -0.5, 20_000.0, 0.05, 0.04, zero_is_dead=False),
    Channel("secondary_flow", "二次流量", "secondary flow", CUBIC, -0.5, 20_000.0, 0.05, 0.04, zero_is_dead=False),
    Channel("primary_supply_bar", "一次供水压力", "primary supply pressure", BAR, 0.01, 40.0, 0.05, 0.02),
    Channel("primary_return_bar", "一次回水压力", "primary return pressure", BAR, 0.01, 40.0, 0.05, 0.02),
    Channel("secondary_supply_bar", "二次供水压力", "secondary supply pressure", BAR, 0.01, 25.0, 0.05, 0.02),
    Channel("secondary_return_bar", "二次回水压力", "secondary return pressure", BAR, 0.01, 25.0, 0.05, 0.02),
    Channel("outdoor", "室外温度", "outdoor", KELVIN, -39.5, 55.0, 1.0, zero_is_dead=False),
    Channel("setpoint", "供温设定", "set point", KELVIN, 1.0, 115.0, 0.3, sensor=False),
    Channel("valve", "阀门开度", "valve position", PERCENT, -1.0, 101.0, 3.0, 0.05, zero_is_dead=False, sensor=False),
)
CHANNELS: Final[Mapping[str, Channel]] = {each.key: each for each in _ALL}

TEMPERATURES: Final = ("primary_supply", "primary_return", "secondary_supply", "secondary_return")
VECTOR: Final = tuple(each.key for each in _ALL if each.key not in ("setpoint", "valve"))
"""What a day's vector may hold, in this order; `setpoint` and the weather explain, they are not explained."""
PAIRS: Final = (
    ("primary_supply", "primary_return"),
    ("secondary_supply", "secondary_return"),
    ("primary_supply_bar", "primary_return_bar"),
    ("secondary_supply_bar", "secondary_return_bar"),
)
"""Supply and return that somebody may have wired the wrong way round."""
