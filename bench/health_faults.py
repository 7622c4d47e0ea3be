"""Faults put into real hourly data, each with its own physics. Nothing here imports the detection: it shares no model and no number with it.

A lying sensor changes its own column. An ill process changes what the water does: the hour's own capacity flows are read from the data, the
heat exchanger and the buildings behind it are solved with and without the fault, and the difference is added to what was measured, so that the
data's own noise, weather and gaps stay. Columns: `t_sup_prim t_ret_prim t_sup_sec t_ret_sec` °C, `pe` kW, `e` MWh, `t_ref`, `t_amb`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Columns = dict[str, FloatArray]
KINDS = ("bias", "drift", "stuck", "swapped", "fouling", "valve_stuck", "flow_loss")
TEMPERATURES = ("t_sup_prim", "t_ret_prim", "t_sup_sec", "t_ret_sec")


@dataclass(frozen=True)
class Injection:
    """From hour `start` on. `size`: K, K/day, or a share; of `pe` always a share."""

    kind: str
    channel: str
    size: float
    start: int
    variant: str = ""


def inject(columns: Columns, fault: Injection) -> Columns:
    """A changed copy."""
    changed = {key: column.copy() for key, column in columns.items()}
    hours = np.arange(len(changed["pe"]))
    after = hours >= fault.start
    if fault.kind in ("bias", "drift"):
        grown = after * (1.0 if fault.kind == "bias" else (hours - fault.start) / 24.0)
        column = changed[fault.channel]
        column += np.where(after, fault.size * grown * (column if fault.channel == "pe" else 1.0), 0.0)
        changed[fault.channel] = np.round(column, 1)
    elif fault.kind == "stuck":
        seen = changed[fault.channel][fault.start]
        changed[fault.channel] = np.where(after & np.isfinite(changed[fault.channel]), seen, changed[fault.channel])
    elif fault.kind == "swapped":
        other = {"t_sup_prim": "t_ret_prim", "t_sup_sec": "t_ret_sec"}[fault.channel]
        one, two = changed[fault.channel].copy(), changed[other].copy()
        changed[fault.channel], changed[other] = np.where(after, two, one), np.where(after, one, two)
    else:
        _process(changed, fault)
    return changed


def _process(c: Columns, fault: Injection) -> None:
    t1, t2, t3, t4, pe = (c[key] for key in (*TEMPERATURES, "pe"))
    usual = _usual(c)
    held = 0.0
    for h in range(fault.start, len(pe)):
        days = (h - fault.start) / 24.0
        row = np.array([t1[h], t2[h], t3[h], t4[h], pe[h]])
        if not np.isfinite(row).all():
            continue
        on = pe[h] > 0.1 * usual["pe"] and t3[h] - t4[h] > 1.0 and t1[h] - t2[h] > 5.0
        if fault.kind == "valve_stuck" and held == 0.0:
            held = usual["c1"] * fault.size
        if not on and not (fault.kind == "valve_stuck" and np.isfinite(c["t_ref"][h])):
            continue
        c1 = pe[h] / (t1[h] - t2[h]) if on else 1e-3
        c2 = pe[h] / (t3[h] - t4[h]) if on else usual["c2"]
        ua = usual["ua"]
        first = t1[h] if on else max(t1[h], 0.9 * usual["t1"])
        emission = pe[h] / max((t3[h] + t4[h]) / 2 - 20.0, 5.0) if on else usual["emission"]
        before = _solve(first, c1, c2, ua, emission)
        n1, n2, nua = c1, c2, ua
        if fault.kind == "fouling":
            nua = ua * (1 - fault.size * min(days / 10.0, 1.0))
            n1 = _held(
                first, c2, nua, emission, before[1], 1.1 * usual["c1_most"] if fault.variant != "full" else 1.05 * c1
            )
        elif fault.kind == "flow_loss" and fault.variant == "primary":
            n1 = min(c1, usual["c1_most"] * (1 - fault.size))
        elif fault.kind == "flow_loss":
            n2 = c2 * (1 - fault.size)
            n1 = _held(first, n2, ua, emission, before[1], usual["c1_most"])
        else:
            n1 = held
        then = _solve(first, n1, n2, nua, emission)
        if on:
            t2[h] += then[0] - before[0]
            t3[h] += then[1] - before[1]
            t4[h] += then[2] - before[2]
            pe[h] = max(pe[h] + then[3] - before[3], 0.0)
            c["e"][h:] += (then[3] - before[3]) / 1000
        else:
            t1[h], t2[h], t3[h], t4[h], pe[h] = first, then[0], then[1], then[2], then[3]
            c["e"][h:] += then[3] / 1000
    for key in (*TEMPERATURES, "pe"):
        c[key][fault.start :] = np.round(c[key][fault.start :], 1)


def _usual(c: Columns) -> dict[str, float]:
    with np.errstate(all="ignore"):
        on = (
            (c["pe"] > 20)
            & (c["pe"] < 5000)
            & (c["t_sup_sec"] - c["t_ret_sec"] > 1.5)
            & (c["t_sup_prim"] - c["t_ret_prim"] > 10)
        )
        c1 = (c["pe"] / (c["t_sup_prim"] - c["t_ret_prim"]))[on]
        c2 = (c["pe"] / (c["t_sup_sec"] - c["t_ret_sec"]))[on]
        warm = ((c["t_sup_sec"] + c["t_ret_sec"]) / 2)[on]
    return {
        "pe": float(np.median(c["pe"][on])), "c1": float(np.median(c1)), "c1_most": float(np.quantile(c1, 0.85)),
        "c2": float(np.median(c2)), "ua": 4.0 * float(np.median(c1)), "t1": float(np.median(c["t_sup_prim"][on])),
        "emission": float(np.median(c["pe"][on] / (warm - 20.0))),
    }  # fmt: skip


def _solve(t1: float, c1: float, c2: float, ua: float, emission: float) -> tuple[float, float, float, float]:
    """(T2, T3, T4, heat): counter-flow exchanger and buildings at 20 °C, by bisection on T4."""
    ratio = min(c1 / c2, 0.999)
    decay = np.exp(-min(ua / c1, 50.0) * (1 - ratio))
    effect = (1 - decay) / (1 - ratio * decay)
    low, high = 20.0, t1
    for _ in range(50):
        t4 = (low + high) / 2
        heat = effect * c1 * (t1 - t4)
        asked = emission * (t4 + heat / c2 / 2 - 20.0)
        low, high = (t4, high) if heat > asked else (low, t4)
    return float(t1 - heat / c1), float(t4 + heat / c2), float(t4), float(heat)


def _held(t1: float, c2: float, ua: float, emission: float, t3: float, most: float) -> float:
    """The valve's answer: the primary flow that holds T3, at most `most`."""
    low, high = 1e-3, max(most, 1e-2)
    if _solve(t1, high, c2, ua, emission)[1] < t3:
        return high
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _solve(t1, middle, c2, ua, emission)[1] < t3 else (low, middle)
    return high
