"""What a set of readings suggests about its wiring and units. Suggestions only: nothing is changed until a person agrees.

Each is a finding with its evidence in `value` and what to do in `remedy_zh`; none is made from less than `FEWEST` readings.
"""

import numpy as np
from numpy.typing import NDArray

from nuan.terms.findings import Finding
from nuan.terms.places import local_day
from nuan.terms.quantities import quantity

FEWEST = 24
HOT_C = 30
"""Below, a pipe stands and either end may be the warmer."""
APART_C = 1
"""Two probes in one pipe differ by so much."""
TOLERANCE = 0.08
"""How close a ratio must come to a unit's factor: meters and sums of hours differ by some per cent."""
ENERGY_UNITS = {"MWh": 1000.0, "GJ": 277.778, "MJ": 0.277_778, "Wh": 0.001}
"""kWh in one of them."""

Numbers = NDArray[np.int32] | NDArray[np.int64] | NDArray[np.float64]


def swapped_pipes(
    where: str, time_s: NDArray[np.int64], supply_c100: Numbers, return_c100: Numbers, days: int = 3
) -> list[Finding]:
    """Supply colder than return while hot, on at least `days` days and on nearly all of them. Trusted readings at the same times.

    Hours in which the two hardly differ say nothing: a substation that rests at night has many.
    """
    hot = (np.maximum(supply_c100, return_c100) > HOT_C * 100) & (np.abs(supply_c100 - return_c100) > APART_C * 100)
    if hot.sum() < FEWEST:
        return []
    day, colder = local_day(time_s[hot]), supply_c100[hot] < return_c100[hot]
    each, which = np.unique(day, return_inverse=True)
    share = np.bincount(which, colder) / np.bincount(which)
    turned = share >= 0.9
    if turned.sum() < days or turned.mean() < 0.8:
        return []
    gap = float(np.median(return_c100[hot].astype(np.float64) - supply_c100[hot])) / 100
    return [
        Finding(
            where, "swapped_pipes", "回水比供水热，供、回水温度测点可能接反", "return is hotter than supply: the two may be swapped",
            "到现场核对两支探头；确认后在设备台账中互换两个测点。",
            value=f"{int(turned.sum())}/{len(each)} 天，相差 {gap:.1f} °C", severity="warning", count=int(turned.sum()),
        )
    ]  # fmt: skip


def energy_unit(where: str, used_kwh: float, power_kwh: float) -> list[Finding]:
    """`used_kwh`: what the counter says it counted, read as kWh; `power_kwh`: the power over the same time."""
    if used_kwh <= 0 or power_kwh <= 0:
        return []
    ratio = power_kwh / used_kwh
    unit = _near(ratio, ENERGY_UNITS)
    return [] if unit is None else [_unit(where, "heat_energy", unit, "kWh", f"功率积分为表计的 {ratio:.4g} 倍")]


def power_unit(where: str, power_kw: Numbers, flow_m3h: Numbers, supply_c: Numbers, return_c: Numbers) -> list[Finding]:
    """Against flow × temperature drop × 1.163 kWh/(m³·K)."""
    expected = 1.163 * flow_m3h * (supply_c - return_c)
    running = (expected > 1) & (power_kw > 0)
    if running.sum() < FEWEST:
        return []
    ratio = float(np.median(expected[running] / power_kw[running]))
    unit = _near(ratio, {"MW": 1000.0, "GJ/h": 277.778, "W": 0.001})
    return [] if unit is None else [_unit(where, "heat_power", unit, "kW", f"流量×温差为功率的 {ratio:.4g} 倍")]


def plain_unit(where: str, key: str, values: Numbers) -> list[Finding]:
    """From the size of the values alone (in the quantity's fixed steps): °F for °C; kPa or MPa for bar."""
    if len(values) < FEWEST:
        return []
    what = quantity(key)
    low, middle, high = (float(q) * float(what.resolution) for q in np.quantile(values, [0.05, 0.5, 0.95]))
    seen = f"中位数 {middle:.4g}"
    if what.unit == "°C" and key == "room_temp" and low >= 50 and high <= 95:
        return [_unit(where, key, "°F", "°C", seen)]
    if key == "pressure" and middle > 5 * float(what.high):
        return [_unit(where, key, "kPa", "bar", seen)] if middle < 2600 else [_unit(where, key, "Pa", "bar", seen)]
    if key == "pressure" and low >= 0.1 and high <= 2.5 and middle < 0.9:
        # 0.6 bar is possible at the top of a tall building, 0.6 MPa is usual: said as a question
        return [_unit(where, key, "MPa", "bar", seen)]
    return []


def _near(ratio: float, factors: dict[str, float]) -> str | None:
    return next((unit for unit, factor in factors.items() if abs(ratio / factor - 1) <= TOLERANCE), None)


def _unit(where: str, key: str, unit: str, ours: str, seen: str) -> Finding:
    what = quantity(key)
    return Finding(
        where, "unit_mistaken", f"{what.zh}可能以 {unit} 上报，却按 {ours} 记录", f"{what.en} may come in {unit} and be read as {ours}",
        f"核对表计铭牌；确认后把该点的单位改为 {unit}，并更正已有读数。", field=key, value=seen, severity="warning",
    )  # fmt: skip
