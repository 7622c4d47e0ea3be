"""What a healthy day of a station looks like, learned from its past: expected channels given the weather and the peers, and their spread.

    x = a + B·u + e,   e ~ N(0, S),   u = (set point or outdoor temperature, primary supply of the peers)

robustly (Huber weights on each channel first, then on the Mahalanobis distance of the day), one such model for each way the station is run:
a second circulation pump changes P/(T₃ − T₄) for weeks and is no fault. The spread that a new day is judged by is

    V = (S + F²)·(1 + uᵀ(UᵀWU)⁻¹u)

with the floors F of `channels` on its diagonal, and more where the weather lies outside what was learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.health.channels import CHANNELS, VECTOR
from nuan.buildings.health.days import DayVector, Limits
from nuan.buildings.health.ways import ways_of

FloatArray = NDArray[np.float64]
ALONE: Final = {"primary_supply": "outdoor", "outdoor": "setpoint"}
GIVEN: Final = ("one", "setpoint", "outdoor", "peer")
FEWEST_DAYS: Final = 10
"""运行参数: fewer heating days than this teach nothing."""
FIRST_DAYS: Final = 28
"""运行参数: without anything to learn from before, so many heating days are learned from first."""
POWERS: Final = ("heat", "heat_counter", "primary_flow", "secondary_flow")
_ROUNDS: Final = 12
WHOLE_DAY_H: Final = 8
"""A day with fewer steady hours spreads more, in proportion."""
_MOST_LEVERAGE: Final = 8.0


@dataclass(frozen=True)
class Way:
    """One way of running: `coefficients[channel, given]`, `spread` S, `gram` (UᵀWU)⁻¹ over the columns used, how many days."""

    coefficients: FloatArray
    spread: FloatArray
    gram: FloatArray
    days: int


@dataclass(frozen=True)
class StationModel:
    """`channels`: indices into `VECTOR`; `given`: indices into `GIVEN`. `stuck_after_h` per channel key; `usual`: median of a heating day."""

    station: str
    channels: tuple[int, ...]
    given: tuple[int, ...]
    ways: tuple[Way, ...]
    limits: Limits
    usual: Mapping[str, float]
    stuck_after_h: Mapping[str, float] = field(default_factory=dict)
    night: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)
    approach: Sequence[float] = ()
    days: int = 0
    alone: Mapping[str, float] = field(default_factory=dict)
    """Slope of a shared channel over what explains it without the peers (`ALONE`)."""

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(VECTOR[i] for i in self.channels)

    def floors(self) -> FloatArray:
        return np.array([floor(key, self.usual.get(key, 0.0)) for key in self.keys])

    def residual(self, day: DayVector, way: int) -> tuple[FloatArray, FloatArray] | None:
        """(e, V) of the model's channels, NaN where the day does not know one; None where nothing explains the day."""
        u = explained_by(day, self.given)
        if u is None:
            return None
        model = self.ways[way]
        x = day.x[list(self.channels)]
        leverage = min(float(u @ model.gram @ u), _MOST_LEVERAGE)
        noisy = max(1.0, WHOLE_DAY_H / max(day.steady_h, 1))
        covariance = (model.spread * noisy + np.diag(self.floors() ** 2)) * (1.0 + leverage)
        return x - model.coefficients @ u, covariance

    def to_json(self) -> dict[str, Any]:
        return {
            "station": self.station, "channels": list(self.keys), "given": [GIVEN[i] for i in self.given],
            "ways": [{"coefficients": w.coefficients.tolist(), "spread": w.spread.tolist(), "gram": w.gram.tolist(), "days": w.days}
                     for w in self.ways],
            "limits": self.limits.to_json(), "usual": dict(self.usual), "stuck_after_h": dict(self.stuck_after_h),
            "night": dict(self.night), "spreads": dict(self.spreads), "approach": list(self.approach), "days": self.days, "alone": dict(self.alone),
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "StationModel":
        def array(rows: object) -> FloatArray:
            return np.asarray(rows, dtype=np.float64)

        return cls(
            data["station"], tuple(VECTOR.index(k) for k in data["channels"]), tuple(GIVEN.index(k) for k in data["given"]),
            tuple(Way(array(w["coefficients"]), array(w["spread"]), array(w["gram"]), w["days"]) for w in data["ways"]),
            Limits(**data["limits"]), data["usual"], data["stuck_after_h"], data["night"],
            data["spreads"], data["approach"], data["days"], data["alone"],
        )  # fmt: skip


def floor(key: str, usual: float) -> float:
    """How far an honest channel of this usual value may lie beside its model for a season."""
    channel = CHANNELS[key]
    return max(channel.floor_abs, channel.floor_rel * abs(usual))


def explained_by(day: DayVector, given: Sequence[int]) -> FloatArray | None:
    values = [1.0 if GIVEN[i] == "one" else day.given.get(GIVEN[i], float("nan")) for i in given]
    u = np.array(values)
    return u if np.isfinite(u).all() else None


def fit_ways(
    days: Sequence[DayVector], own_weather: bool
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Way, ...]] | None:
    """Channels, explaining columns and models from these days; None when they are too few.

    `own_weather`: the outdoor temperature that explains comes from the station's own sensor, which then cannot be judged by it.
    """
    heated = [day for day in days if day.steady_h > 0 and np.isfinite(day.x).any()]
    if len(heated) < FEWEST_DAYS:
        return None
    x_all = np.array([day.x for day in heated])
    given = _columns(heated)
    for i, key in enumerate(VECTOR):
        if key in POWERS and float(np.mean(x_all[:, i] > 0)) < 0.5:
            x_all[:, i] = np.nan  # a meter that shows no heat while there is heat is not connected
    share = np.isfinite(x_all).mean(axis=0)
    channels = tuple(
        i
        for i, key in enumerate(VECTOR)
        if share[i] >= 0.6 and not (key == "outdoor" and own_weather and GIVEN.index("setpoint") not in given)
    )
    rows = [explained_by(day, given) for day in heated]
    usable = np.array([row is not None for row in rows]) & np.isfinite(x_all[:, list(channels)]).all(axis=1)
    if usable.sum() < FEWEST_DAYS or not channels:
        return None
    x = x_all[usable][:, list(channels)]
    u = np.array([row for row, use in zip(rows, usable, strict=True) if use and row is not None])
    allowed = _allowed(channels, given, own_weather)
    named = {VECTOR[c]: x[:, j] for j, c in enumerate(channels)}
    ways = [fit_way(x[part], u[part], allowed) for part in ways_of(named)]
    return channels, given, tuple(ways)


def _columns(days: Sequence[DayVector]) -> tuple[int, ...]:
    """Always the constant; then what most days have. Nothing is explained by a column that does not vary."""
    used = [0]
    for i, key in enumerate(GIVEN[1:], start=1):
        known = np.array([day.given[key] for day in days if key in day.given])
        if len(known) >= 0.7 * len(days) and float(np.std(known)) > 0.3:
            used.append(i)
    return tuple(used)


def _allowed(channels: Sequence[int], given: Sequence[int], own_weather: bool) -> NDArray[np.bool_]:
    """Which column may explain which channel: the weather only where no set point is known, and the outdoor sensor never itself."""
    has_setpoint = GIVEN.index("setpoint") in given
    allowed = np.ones((len(channels), len(given)), dtype=bool)
    for row, channel in enumerate(channels):
        outdoor = VECTOR[channel] == "outdoor"
        for column, name in enumerate(GIVEN[i] for i in given):
            if name == "outdoor":
                allowed[row, column] = not own_weather if outdoor else not has_setpoint
            elif name == "peer":
                allowed[row, column] = not outdoor
    return allowed


def fit_way(x: FloatArray, u: FloatArray, allowed: NDArray[np.bool_]) -> Way:
    """Robust: single channels by Huber first, so that one lying sensor does not hide a day; then the day as a whole."""
    weights: FloatArray = np.ones(len(x))
    coefficients: FloatArray = np.zeros(allowed.shape)
    for _ in range(_ROUNDS):
        coefficients = _solve(x, u, weights, allowed)
        error = x - u @ coefficients.T
        scale = np.maximum(1.4826 * np.median(np.abs(error - np.median(error, axis=0)), axis=0), 1e-6)
        worst = np.max(np.abs(error) / scale, axis=1)
        weights = np.minimum(1.0, 3.0 / np.maximum(worst, 1e-9)) ** 2
    spread: FloatArray = np.eye(x.shape[1])
    for _ in range(_ROUNDS):
        coefficients = _solve(x, u, weights, allowed)
        error = x - u @ coefficients.T
        spread = np.asarray((error * weights[:, None]).T @ error / max(weights.sum() - u.shape[1], 1.0), np.float64)
        spread += np.diag(1e-4 * np.maximum(np.diag(spread), 1e-6))
        distance = np.einsum("ij,jk,ik->i", error, np.linalg.inv(spread), error)
        weights = np.minimum(1.0, 2.0 * x.shape[1] / np.maximum(distance, 1e-9))
    weighted = (u * weights[:, None]).T @ u + np.diag([1e-9] + [1e-3] * (u.shape[1] - 1))
    gram = np.asarray(np.linalg.inv(weighted), dtype=np.float64)
    return Way(coefficients, spread, gram, len(x))


def _solve(x: FloatArray, u: FloatArray, weights: FloatArray, allowed: NDArray[np.bool_]) -> FloatArray:
    found = np.zeros(allowed.shape)
    for row in range(x.shape[1]):
        use = np.flatnonzero(allowed[row])
        part = u[:, use]
        ridge = np.diag([1e-9] + [1.0] * (len(use) - 1))  # around a mean below, so it does not pull the level
        middle = np.average(part, axis=0, weights=weights)
        middle[0] = 0.0
        centred = part - middle
        gram = (centred * weights[:, None]).T @ centred + ridge
        solved = np.linalg.solve(gram, (centred * weights[:, None]).T @ x[:, row])
        solved[0] -= solved[1:] @ middle[1:]
        found[row, use] = solved
    return found
