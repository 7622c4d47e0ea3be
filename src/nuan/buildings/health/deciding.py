"""From an alarm to a named fault: which hypothesis, since when, as a step or as a ramp, how large, how sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from nuan.buildings.health.hypotheses import SENSOR, Day, Hypothesis

BELIEF = 0.5
"""Share of the log-likelihood that is believed: the residuals of neighbouring days are not independent."""
MARGIN = 2.5
"""运行参数: a verdict is given when it is e^2.5 ≈ 12 times as likely as the next."""
SIMPLER = 4.0
"""Log-likelihood by which an ill process has to explain more than one lying sensor: sensors lie more often, and a process has more freedom."""
_CAP = 6.0
_LOOK_BACK = 12


@dataclass(frozen=True)
class Verdict:
    """`hypothesis` with its profile; `amount` in the channel's unit (or share) now; `gain`: log-likelihood over nothing; `margin` over the next kind;
    `agreed`: share of the days since then that show at least two fifths of it."""

    hypothesis: Hypothesis
    kind: str
    since: int
    amount: float
    gain: float
    margin: float
    confidence: float
    agreed: float = 1.0


_Row = tuple[float, Hypothesis, str, int, float, float]
"""gain, hypothesis, kind, start, amount, share of the days that agree."""


def decide(days: Sequence[Day], candidates: Sequence[Hypothesis], since: int) -> list[Verdict]:
    """Over the days known by now; `since`: where the alarm's rise began. The likeliest first, each kind and channel once."""
    rows = [day for day in days if day.day >= since - _LOOK_BACK]
    if not rows:
        return []
    held = [_held(row, candidates) for row in rows]
    found: list[_Row] = []
    for each in candidates:
        found += _profiles(rows, held, each, since)
    if not found:
        return []
    best_of: dict[tuple[str, str], _Row] = {}
    for row in sorted(found, key=lambda row: -row[0]):
        best_of.setdefault((row[2], row[1].channel), row)
    ranked = sorted(best_of.values(), key=lambda row: -row[0])
    most = ranked[0][0]
    weights = [exp(BELIEF * (row[0] - most)) for row in ranked]
    return [
        Verdict(
            row[1], row[2], row[3], row[4], row[0],
            BELIEF * (row[0] - ranked[i + 1][0]) if i + 1 < len(ranked) else row[0],
            weight / sum(weights), row[5],
        )
        for i, (row, weight) in enumerate(zip(ranked, weights, strict=True))
    ]  # fmt: skip


def _held(row: Day, candidates: Sequence[Hypothesis]) -> float:
    """A wild day counts like one of `_CAP` standard deviations; its direction stays."""
    worst = 0.0
    for each in candidates:
        reached, weight = row.reach(each.direction)
        if weight > 1e-9:
            worst = max(worst, abs(reached) / float(np.sqrt(weight)))
    return min(1.0, _CAP / worst) if worst > 0 else 1.0


def _profiles(rows: Sequence[Day], held: Sequence[float], each: Hypothesis, since: int) -> list[_Row]:
    when = np.array([row.day for row in rows], dtype=np.float64)
    reached, weight, amount = np.zeros(len(rows)), np.zeros(len(rows)), np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        b, g = row.reach(each.direction)
        if g > 1e-9:
            reached[i] = b * held[i]
            weight[i], amount[i] = g, b / g
    found = []
    starts = [int(day) for day in when if since - 2 <= day <= since + 3] or [since]
    step = max((_gain(reached, weight, (when >= s).astype(np.float64), each.one_way), -s) for s in starts)
    slopes = [int(day) for day in when if day <= since + 3] or [since]
    ramp = max((_gain(reached, weight, np.maximum(when - s + 1.0, 0.0), each.one_way), -s) for s in slopes)
    inside = amount[(when >= -step[1]) & np.isfinite(amount)]
    now = amount[np.isfinite(amount)][-3:]
    if not len(inside) or not len(now):
        return []
    if each.family == SENSOR:
        size = float(np.median(inside))
        found.append((step[0], each, "bias", -step[1], size, float(np.mean(inside / size > 0.4)) if size else 0.0))
        found.append((ramp[0], each, "drift", -ramp[1], float(np.median(now)), 1.0))
    else:
        best = max(step, ramp)
        found.append((best[0] - SIMPLER, each, each.kind, -best[1], float(np.median(now)), 1.0))
    return [row for row in found if row[0] > 0.0]


def _gain(reached: np.ndarray, weight: np.ndarray, profile: np.ndarray, one_way: bool) -> float:
    total, scale = float((profile * reached).sum()), float((profile**2 * weight).sum())
    if scale <= 1e-9 or (one_way and total <= 0):
        return 0.0
    return total * total / (2 * scale)
