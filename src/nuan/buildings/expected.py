"""What supply temperature and how much heat the weather asks of a substation, hour by hour.

Three ways, the best that is known first:
1. the station's own set point where its controller reports one (`setpoint_c100`): expected supply is the set point;
2. a supply curve (`control.SupplyCurve`) with the design heat of the station (kW at the design outdoor temperature): for stations whose
   heated area is known, `design_kw(area)`;
3. a signature fitted to the station's own past (`fit_signature`): heat, or supply temperature, against outdoor temperature. A fitted
   expectation is what the station usually does, not what it owes: it shows days that fall out of the station's own line.

What cannot be said is null, never zero.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.buildings.control import SupplyCurve, smoothed

FloatArray = NDArray[np.float64]
DESIGN_W_PER_M2 = 45.0
"""Heat index of dwellings insulated after the 1996 energy code: 40–45 W/m² in CJJ/T 34-2022 table 3.1.2; the upper end is taken."""
CONTROLLER_H = 6.0
_FEWEST_POINTS = 24
_ROUNDS = 30


def design_kw(area_m2: float) -> float:
    """Heat at the design outdoor temperature of a station that serves dwellings of this area."""
    return area_m2 * DESIGN_W_PER_M2 / 1000


@dataclass(frozen=True)
class Signature:
    """value(outdoor) = `level + slope · max(balance_c − outdoor, 0)`; `spread` is the robust standard deviation around it."""

    level: float
    slope: float
    balance_c: float
    spread: float
    points: int

    def at(self, outdoor_c: FloatArray) -> FloatArray:
        """
        >>> Signature(10.0, 2.0, 16.0, 1.0, 100).at(np.array([6.0, 20.0])).tolist()
        [30.0, 10.0]
        """
        drive = np.maximum(self.balance_c - np.asarray(outdoor_c, dtype=np.float64), 0.0)
        return np.asarray(self.level + self.slope * drive, dtype=np.float64)


def fit_signature(outdoor_c: FloatArray, value: FloatArray) -> Signature | None:
    """The line that most points follow, whatever the others do; None when fewer than 24 points or less than 3 K of weather.

    Huber weights by iteration on residuals scaled with the median absolute deviation, the balance temperature by search over 8–22 °C.
    Points with NaN on either side are left out.
    """
    good = np.isfinite(outdoor_c) & np.isfinite(value)
    outdoor, seen = np.asarray(outdoor_c[good], np.float64), np.asarray(value[good], np.float64)
    if len(outdoor) < _FEWEST_POINTS or float(np.ptp(outdoor)) < 3.0:
        return None
    warmest = float(outdoor.max())
    fits = [_huber_line(outdoor, seen, balance) for balance in np.arange(8.0, 22.5, 0.5) if balance <= warmest + 3.0]
    if not fits:
        fits = [_huber_line(outdoor, seen, warmest)]
    return min(fits, key=lambda each: each.spread)


def _huber_line(outdoor: FloatArray, seen: FloatArray, balance: float) -> Signature:
    drive = np.maximum(balance - outdoor, 0.0)
    weights = np.ones(len(drive))
    level = slope = scale = 0.0
    for _ in range(_ROUNDS):
        total = weights.sum()
        mean_x, mean_y = (weights * drive).sum() / total, (weights * seen).sum() / total
        width = (weights * (drive - mean_x) ** 2).sum()
        slope = float((weights * (drive - mean_x) * (seen - mean_y)).sum() / width) if width > 0 else 0.0
        level = float(mean_y - slope * mean_x)
        residual = np.abs(seen - level - slope * drive)
        scale = float(1.4826 * np.median(residual))
        if scale == 0.0:
            break
        weights = np.minimum(1.0, 1.345 * scale / np.maximum(residual, 1e-12))
    return Signature(level, slope, balance, scale, len(drive))


def expected_by_curve(hours: pl.DataFrame, design_heat_kw: pl.DataFrame, curve: SupplyCurve) -> pl.DataFrame:
    """`station_hour` → `substation hour_s expected_supply_c100 expected_heat_kw_10`, as `facts.stations.station_days` takes it.

    `design_heat_kw`: `substation design_kw` (null or absent: heat is not expected). The outdoor temperature goes through the
    controller's filter first; gaps in it are carried over for the filter and stay null in the answer.
    """
    design = {row[0]: row[1] for row in design_heat_kw.select("substation", "design_kw").iter_rows()}
    parts = [
        _by_curve(part, design.get(key[0]), curve) for key, part in hours.group_by("substation", maintain_order=True)
    ]
    return pl.concat([_empty(), *parts])


def expected_by_setpoint(hours: pl.DataFrame, setpoints: pl.DataFrame) -> pl.DataFrame:
    """Expected supply is the controller's own set point (`substation hour_s setpoint_c100`); heat stays null."""
    joined = hours.select("substation", "hour_s").join(setpoints, on=["substation", "hour_s"], how="left")
    return joined.select(
        "substation",
        "hour_s",
        pl.col("setpoint_c100").cast(pl.Int32).alias("expected_supply_c100"),
        pl.lit(None, dtype=pl.Int64).alias("expected_heat_kw_10"),
    )


def expected_by_signature(hours: pl.DataFrame) -> pl.DataFrame:
    """Each station against its own line in this very span of hours, for supply temperature and for heat."""
    parts = [_by_signature(part) for _, part in hours.group_by("substation", maintain_order=True)]
    return pl.concat([_empty(), *parts])


def _empty() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "substation": pl.String(),
            "hour_s": pl.Int64(),
            "expected_supply_c100": pl.Int32(),
            "expected_heat_kw_10": pl.Int64(),
        }
    )


def _answer(part: pl.DataFrame, supply_c: FloatArray | None, heat_kw: FloatArray | None) -> pl.DataFrame:
    def fixed(values: FloatArray | None, factor: int, dtype: pl.DataType) -> pl.Series:
        if values is None:
            return pl.Series([None] * part.height, dtype=dtype)
        return pl.Series(np.round(values * factor)).fill_nan(None).cast(dtype)

    return part.select("substation", "hour_s").with_columns(
        fixed(supply_c, 100, pl.Int32()).alias("expected_supply_c100"),
        fixed(heat_kw, 10, pl.Int64()).alias("expected_heat_kw_10"),
    )


def _floats(part: pl.DataFrame, column: str, factor: int) -> FloatArray:
    return np.asarray(part[column].cast(pl.Float64).fill_null(float("nan")).to_numpy() / factor, dtype=np.float64)


def _by_curve(part: pl.DataFrame, design: float | None, curve: SupplyCurve) -> pl.DataFrame:
    part = part.sort("hour_s")
    outdoor = _floats(part, "outdoor_c100", 100)
    unknown = np.isnan(outdoor)
    if unknown.all():
        return _answer(part, None, None)
    carried = np.asarray(pl.Series(outdoor).fill_nan(None).forward_fill().backward_fill().to_numpy(), dtype=np.float64)
    felt = smoothed(carried, CONTROLLER_H)
    felt[unknown] = np.nan
    return _answer(part, curve.supply(felt), None if design is None else curve.load(felt) * design)


def _by_signature(part: pl.DataFrame) -> pl.DataFrame:
    outdoor = _floats(part, "outdoor_c100", 100)
    supply = fit_signature(outdoor, _floats(part, "supply_c100", 100))
    heat = fit_signature(outdoor, _floats(part, "heat_kw_10", 10))
    expected_heat = None if heat is None else np.maximum(heat.at(outdoor), 0.0)
    return _answer(part, None if supply is None else supply.at(outdoor), expected_heat)
