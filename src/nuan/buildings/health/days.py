"""One day of a station as a vector: medians over the hours in which it heats steadily.

Around starts, stops and set-backs nothing is in balance; between them the relations between the channels are tight (on the two stations of
the xai4heat data 0.3 K from day to day). Whether a station heats is asked of several channels and decided by the majority, because one of
them may be lying.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.hours import StationHours

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]
FEWEST_STEADY_H: Final = 3
"""运行参数: a day with fewer steady hours has no vector."""


COLDEST_HEATING_C: Final = 26.0
"""No heating water of a building is colder than this while it heats; floor heating runs at 28 °C and more."""


@dataclass(frozen=True)
class Limits:
    """Beyond which a channel says that heat is on; learned from the station's own past. Absent: the channel is not asked."""

    above: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    """Least |supply − return| by side."""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def learn_limits(station: StationHours, upto: int) -> Limits:
    """From the hours before `upto`. Where heat is never off the limits lie below everything that was seen."""
    values = {key: column[:upto] for key, column in station.values.items()}
    above: dict[str, float] = {}
    spread: dict[str, float] = {}
    warm = np.ones(upto, dtype=bool)
    for key in ("secondary_supply", "secondary_return"):
        column = values.get(key)
        if column is None or np.isfinite(column).sum() < 48:
            continue
        low, high = np.nanquantile(column, [0.05, 0.85])
        above[key] = max(float((low + high) / 2 if high - low > 12.0 else low - 3.0), COLDEST_HEATING_C)
        with np.errstate(invalid="ignore"):
            warm &= ~(column < above[key])
    for key in ("heat", "heat_counter", "primary_flow"):
        column = values.get(key)
        if column is not None and np.isfinite(column[warm]).sum() >= 48:
            typical = float(np.nanmedian(column[warm & (column > 0)])) if (warm & (column > 0)).any() else 0.0
            if typical > 0:
                above[key] = 0.1 * typical
    for side in ("primary", "secondary"):
        supply, back = values.get(f"{side}_supply"), values.get(f"{side}_return")
        if supply is not None and back is not None:
            gap = np.abs(supply - back)[warm]
            if np.isfinite(gap).sum() >= 48:
                spread[side] = max(0.35 * float(np.nanmedian(gap)), 0.5)
    if "secondary" in spread and "primary" in spread:
        del spread["primary"]  # a closed valve keeps its primary side warm: that says nothing
    if "heat" in above:
        above.pop("heat_counter", None)
    return Limits(above, spread)


def heating(values: Mapping[str, FloatArray], limits: Limits, part: slice) -> Mask:
    """Hours in which most of the channels that say something say that heat is on, or both those that carry it do (a cold station heats too)."""
    first = next(iter(values.values()))[part]
    yes, asked = np.zeros(len(first)), np.zeros(len(first))
    columns = [(values[key][part], limit) for key, limit in limits.above.items() if key in values]
    for side, limit in limits.spread.items():
        if f"{side}_supply" in values and f"{side}_return" in values:
            columns.append((np.abs(values[f"{side}_supply"][part] - values[f"{side}_return"][part]), limit))
    for column, limit in columns:
        known = np.isfinite(column)
        asked += known
        with np.errstate(invalid="ignore"):
            yes += known & (column > limit)
    found: Mask = (asked > 0) & (yes > 0.6 * asked)
    if "heat" in limits.above and "heat" in values and "secondary" in limits.spread:
        gap = np.abs(values["secondary_supply"][part] - values["secondary_return"][part])
        with np.errstate(invalid="ignore"):
            found |= (values["heat"][part] > limits.above["heat"]) & (gap > limits.spread["secondary"])
    return found


def steady(on: Mask) -> Mask:
    """On for the hour before and after too; the edge of the span counts as its neighbour."""
    before = np.concatenate([on[:1], on[:-1]])
    after = np.concatenate([on[1:], on[-1:]])
    quiet: Mask = on & before & after
    return quiet


@dataclass(frozen=True)
class DayVector:
    """`x`: the channels of `VECTOR` (NaN: not known); `given`: what explains them: `setpoint`, `outdoor`, `peer` (other stations' primary supply)."""

    day: int
    steady_h: int
    on_h: int
    x: FloatArray
    given: Mapping[str, float]


def median_of(column: FloatArray) -> float:
    known = column[np.isfinite(column)]
    return float(np.median(known)) if len(known) >= FEWEST_STEADY_H else float("nan")
