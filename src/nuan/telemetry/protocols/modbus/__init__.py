"""In: registers that a gateway read over Modbus, as JSON or CSV, and a register map. Out: values of named points.

The map says of each point: register, type, order of words and bytes, scale, unit, bit. Without a map every register is a point `r40001`.
"""

from nuan.telemetry.protocols.modbus.reading import parse
from nuan.telemetry.protocols.modbus.registers import RegisterMap, RegisterPoint, load_map

__all__ = ["RegisterMap", "RegisterPoint", "load_map", "parse"]
