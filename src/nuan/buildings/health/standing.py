"""A valve that no longer moves: what it lets through stands still while weather and hours ask for something else.

The control valve of a station answers the morning's peak and the afternoon's sun; the spread of ln(flow) over a day's hours of heat is a mark
of the station (0.2–0.3 at those of xai4heat). Where flow, or failing that heat, hardly varies any more (a third of the usual) or where heat comes
in hours in which this station never had any and its peers have none now, the valve stands.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.hours import DAY_H, StationHours

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]
SHARE: Final = 0.35
"""运行参数: a spread below this share of the usual one stands still."""
NIGHT: Final = 0.15
"""An hour of the day in which there was heat on fewer than this share of the heated days."""
LEAST_USUAL: Final = 0.05
"""A station whose flow hardly varies anyhow (no set-back, no peaks) tells nothing by it."""


def passed(station: StationHours, part: slice) -> FloatArray | None:
    """What the valve lets through, up to a factor: measured flow, else heat over the primary spread."""
    values = station.values
    if "primary_flow" in values and np.isfinite(values["primary_flow"][part]).any():
        return values["primary_flow"][part]
    if "heat" in values and "primary_supply" in values and "primary_return" in values:
        gap = values["primary_supply"][part] - values["primary_return"][part]
        wide = np.isfinite(gap) & (gap > 3.0)
        return np.where(wide, values["heat"][part] / np.where(wide, gap, 1.0), np.nan)
    return None


def spreads(station: StationHours, day: int, on: Mask) -> dict[str, float]:
    """Standard deviation over the day's hours of heat of ln(flow) and ln(heat); absent with fewer than six hours."""
    part = slice(day * DAY_H, (day + 1) * DAY_H)
    found = {}
    columns = {
        "flow": passed(station, part),
        "heat": station.values["heat"][part] if "heat" in station.values else None,
    }
    for name, column in columns.items():
        if column is None:
            continue
        used = column[on & np.isfinite(column)]
        used = used[used > 0]
        if len(used) >= 6:
            found[name] = float(np.std(np.log(used)))
    return found


def usual_spreads(station: StationHours, first: int, end: int, on: Mask) -> dict[str, float]:
    """Median over the days of a training span."""
    seen: dict[str, list[float]] = {}
    for day in range(first, end):
        each = spreads(station, day, on[(day - first) * DAY_H : (day - first + 1) * DAY_H])
        for name, value in each.items():
            seen.setdefault(name, []).append(value)
    return {name: float(np.median(values)) for name, values in seen.items() if len(values) >= 7}


def stands(usual: dict[str, float], today: dict[str, float]) -> bool:
    return any(
        usual.get(name, 0.0) >= LEAST_USUAL and value < SHARE * usual[name]
        for name, value in today.items()
        if name in usual
    )


def heats_at_night(night: dict[str, float], on: Mask, peers_on: Mask | None) -> bool:
    """In most of at least three hours that never had heat, while the peers (where there are any) have none."""
    hours = np.array([night.get(str(hour), 1.0) < NIGHT for hour in range(DAY_H)])
    if peers_on is not None:
        hours &= ~peers_on
    return int(hours.sum()) >= 3 and float(on[hours].mean()) >= 0.7
