"""What a VIF says: name, unit and power of ten of a value. EN 13757-3, primary table and the extensions FBh and FDh.

The unit is chosen so that most powers are not negative: a value stays a whole number (Wh, L, L/h, W).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Kind = Literal["number", "bits", "date", "text"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """value = data × 10^exponent + 10^plus (when `plus` is given) in `unit`."""

    name: str
    unit: str | None = None
    exponent: int = 0
    kind: Kind = "number"
    plus: int | None = None
    status: tuple[str, ...] = ()
    missing: bool = False


# (first code, last code, name, unit, exponent of the first code); the exponent rises by one a code
_PRIMARY = (
    (0x00, 0x07, "energy", "Wh", -3), (0x08, 0x0F, "energy", "J", 0), (0x10, 0x17, "volume", "L", -3), (0x18, 0x1F, "mass", "kg", -3),
    (0x28, 0x2F, "power", "W", -3), (0x30, 0x37, "power", "J/h", 0), (0x38, 0x3F, "flow", "L/h", -3), (0x40, 0x47, "flow", "L/min", -4),
    (0x48, 0x4F, "flow", "L/s", -6), (0x50, 0x57, "mass_flow", "kg/h", -3), (0x58, 0x5B, "supply_temp", "°C", -3),
    (0x5C, 0x5F, "return_temp", "°C", -3), (0x60, 0x63, "temp_difference", "ΔK", -3), (0x64, 0x67, "external_temp", "°C", -3),
    (0x68, 0x6B, "pressure", "bar", -3), (0x6E, 0x6E, "allocation", None, 0), (0x7A, 0x7A, "bus_address", None, 0),
)  # fmt: skip
_FB = (
    (0x00, 0x01, "energy", "kWh", 2), (0x02, 0x03, "reactive_energy", "kvarh", 0), (0x04, 0x05, "apparent_energy", "kVAh", 0),
    (0x08, 0x09, "energy", "MJ", 2), (0x0C, 0x0F, "energy", "kcal", 2), (0x10, 0x11, "volume", "m³", 2),
    (0x14, 0x17, "reactive_power", "kvar", -3), (0x18, 0x19, "mass", "t", 2), (0x1A, 0x1B, "humidity", "%", -1),
    (0x28, 0x29, "power", "kW", 2), (0x2C, 0x2F, "frequency", "Hz", -3), (0x30, 0x31, "power", "MJ/h", 2),
    (0x34, 0x37, "apparent_power", "kVA", -3), (0x58, 0x5B, "supply_temp", "°F", -3), (0x5C, 0x5F, "return_temp", "°F", -3),
    (0x60, 0x63, "temp_difference", "Δ°F", -3), (0x64, 0x67, "external_temp", "°F", -3), (0x70, 0x73, "tariff_limit_temp", "°F", -3),
    (0x74, 0x77, "tariff_limit_temp", "°C", -3), (0x78, 0x7F, "counted_max_power", "W", -3),
)  # fmt: skip
_FD = (
    (0x00, 0x03, "credit", None, -3), (0x04, 0x07, "debit", None, -3), (0x08, 0x08, "access_no", None, 0), (0x1C, 0x1C, "baud", None, 0),
    (0x20, 0x20, "first_storage", None, 0), (0x21, 0x21, "last_storage", None, 0), (0x22, 0x22, "storages", None, 0),
    (0x28, 0x28, "storage_interval", "month", 0), (0x29, 0x29, "storage_interval", "year", 0), (0x3A, 0x3A, "count", None, 0),
    (0x40, 0x4F, "voltage", "V", -9), (0x50, 0x5F, "current", "A", -12), (0x60, 0x60, "resets", None, 0), (0x61, 0x61, "cumulations", None, 0),
    (0x71, 0x71, "rssi", "dBm", 0), (0x74, 0x74, "battery_life", "d", 0),
)  # fmt: skip
_DURATIONS = {
    0x20: "on_time", 0x24: "operating_time", 0x70: "averaging_duration", 0x74: "actuality_duration",
}  # fmt: skip
_FD_DURATIONS = {
    0x24: "storage_interval",
    0x2C: "since_readout",
    0x34: "tariff_period",
    0x68: "since_cumulation",
    0x6C: "battery_time",
}
_FD_TEXTS = {
    0x09: "medium", 0x0A: "manufacturer", 0x0B: "parameter_set", 0x0C: "model", 0x0D: "hardware", 0x0E: "firmware", 0x0F: "software",
    0x10: "location", 0x11: "customer",
}  # fmt: skip
_FD_BITS = {0x17: "error_flags", 0x18: "error_mask", 0x1A: "digital_output", 0x1B: "digital_input"}
_TIME_UNITS = ("s", "min", "h", "d")

# VIFE behind the first: another thing is meant, so the name says it and no profile takes it for the plain value
_QUALIFIERS = {
    0x20: "per_s", 0x21: "per_min", 0x22: "per_h", 0x23: "per_day", 0x24: "per_week", 0x25: "per_month", 0x26: "per_year",
    0x2B: "per_l", 0x2D: "per_m3", 0x39: "start_of", 0x3A: "uncorrected", 0x3B: "forward", 0x3C: "backward", 0x40: "lower_limit",
    0x41: "exceeds_lower", 0x48: "upper_limit", 0x49: "exceeds_upper", 0x7E: "future",
}  # fmt: skip


def _search(table: tuple[tuple[int, int, str, str | None, int], ...], code: int) -> Meaning | None:
    for first, last, name, unit, exponent in table:
        if first <= code <= last:
            return Meaning(name, unit, exponent + code - first)
    return None


def _duration(table: dict[int, str], code: int) -> Meaning | None:
    name = table.get(code & 0x7C)
    return None if name is None else Meaning(name, _TIME_UNITS[code & 3])


def _primary(code: int) -> Meaning:
    if code in (0x6C, 0x6D):
        return Meaning("time", kind="date")
    if code in (0x78, 0x79):
        return Meaning("fabrication_no" if code == 0x78 else "identification", kind="text")
    return _search(_PRIMARY, code) or _duration(_DURATIONS, code) or Meaning(f"vif_{code:02x}")


def _second(code: int) -> Meaning:
    if code in _FD_TEXTS:
        return Meaning(_FD_TEXTS[code], kind="text")
    if code in _FD_BITS:
        return Meaning(_FD_BITS[code], kind="bits")
    if code in (0x30, 0x70):
        return Meaning("tariff_start" if code == 0x30 else "battery_change", kind="date")
    return _search(_FD, code) or _duration(_FD_DURATIONS, code) or Meaning(f"vif_fd{code:02x}")


@lru_cache(maxsize=4096)
def meaning(vib: bytes, plain_text: str | None = None) -> Meaning:
    """Of a whole value information block (VIF and its VIFEs, without the letters of a plain-text VIF).

    >>> meaning(b"\\x06")
    Meaning(name='energy', unit='Wh', exponent=3, kind='number', plus=None, status=(), missing=False)
    >>> meaning(b"\\xfb\\x0e").unit, meaning(b"\\xfb\\x0e").exponent
    ('kcal', 4)
    """
    code, rest = vib[0], vib[1:]
    if plain_text is not None:
        base = Meaning(f"text_{plain_text}"[:40], plain_text)
    elif code == 0xFB and rest:
        base, rest = _search(_FB, rest[0] & 0x7F) or Meaning(f"vif_fb{rest[0] & 0x7F:02x}"), rest[1:]
    elif code == 0xFD and rest:
        base, rest = _second(rest[0] & 0x7F), rest[1:]
    elif code == 0xEF and rest:
        base, rest = Meaning(f"vif_ef{rest[0] & 0x7F:02x}"), rest[1:]
    elif code & 0x7F == 0x7F:
        return Meaning("manufacturer_specific")
    else:
        base = _primary(code & 0x7F)
    for vife in rest:
        base = _extended(base, vife & 0x7F)
        if vife & 0x7F == 0x7F:
            return base
    return base


def _extended(base: Meaning, code: int) -> Meaning:
    """The orthogonal VIFE: record errors, corrections, qualifiers."""
    if code == 0:
        return base
    if code < 0x20:
        return replace(base, missing=True, status=("overflow" if code in (0x16, 0x17) else "any_error",))
    if 0x70 <= code <= 0x77:
        return replace(base, exponent=base.exponent + code - 0x76)
    if 0x78 <= code <= 0x7B:
        return replace(base, plus=base.exponent + code - 0x7B)
    if code == 0x7D:
        return replace(base, exponent=base.exponent + 3)
    kind: Kind = "date" if code == 0x39 or 0x6A <= code <= 0x6F else base.kind
    return replace(base, name=f"{base.name}.{_QUALIFIERS.get(code, f'x{code:02x}')}", kind=kind)
