"""What the sensors let one know: the standard deviation of every pressure and flow, and where one more sensor would help most.

From the posterior covariance of the unknowns, P − P Jᵀ S⁻¹ J P with S = J P Jᵀ + R; the next sensor is chosen greedily by how much variance
it takes away in all (A-optimal; Kang & Lansey, J. Water Resour. Plann. Manage. 136 (2010) 37, for water networks).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.estimation.measured import FLOW, PRESSURE, Measured
from nuan.network.estimation.state import Estimate

Floats = NDArray[np.float64]
AT_A_TIME = 400
MOST_CANDIDATES = 1500


def sure(found: Estimate) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(`node pressure_bar sigma_bar`, `pipe flow_kg_per_s sigma_kg_per_s`). Null where no water reaches."""
    state, arrays = found.state, found.state.arrays
    known = np.isfinite(state.pressure_bar)
    nodes = np.arange(len(arrays.node_names))
    posterior = _Posterior.of(found)
    sigma = posterior.sigma(PRESSURE, nodes)
    pipes = arrays.edge_slice("pipes")
    flows = posterior.sigma(FLOW, np.arange(pipes.start, pipes.stop))
    return (
        pl.DataFrame(
            {
                "node": arrays.node_names,
                "pressure_bar": np.where(known, state.pressure_bar, np.nan),
                "sigma_bar": np.where(known, sigma, np.nan),
            }
        ).with_columns(pl.col(pl.Float64).fill_nan(None)),
        pl.DataFrame(
            {"pipe": arrays.edge_names("pipes"), "flow_kg_per_s": state.flow_kg_per_s[pipes], "sigma_kg_per_s": flows}
        ),
    )


def next_sensors(
    found: Estimate, count: int = 3, *, sigma_bar: float = 0.02, among: list[str] | None = None
) -> pl.DataFrame:
    """`node`, `sigma_bar` there now, and `mean_sigma_bar` over all nodes once it is read: the best pressures to add, one after the other.

    `among`: nodes where one may be put (default: stations' nodes).
    """
    arrays = found.state.arrays
    names = {name: i for i, name in enumerate(arrays.node_names)}
    if among is None:
        here = arrays.edge_slice("substations")
        places = np.unique(np.concatenate([arrays.edges.a[here], arrays.edges.b[here]]))
    else:
        places = np.array([names[name] for name in among if name in names], np.int64)
    if len(places) > MOST_CANDIDATES:
        places = places[np.linspace(0, len(places) - 1, MOST_CANDIDATES).astype(int)]
    nodes = np.flatnonzero(np.isfinite(found.state.pressure_bar))
    posterior = _Posterior.of(found)
    chosen = posterior.factor(PRESSURE, places)
    own = chosen @ chosen.T
    cover, variance = np.zeros((len(nodes), len(places))), np.zeros(len(nodes))
    for start, part in zip(range(0, len(nodes), AT_A_TIME), posterior.parts(PRESSURE, nodes), strict=True):
        cover[start : start + AT_A_TIME], variance[start : start + AT_A_TIME] = part @ chosen.T, _variances(part)
    rows = []
    for _ in range(min(count, len(places))):
        diagonal = np.diag(own) + sigma_bar**2
        gain = (cover**2).sum(axis=0) / diagonal
        best = int(np.argmax(gain))
        if gain[best] <= 0.0:
            break
        now = float(np.sqrt(max(own[best, best], 0.0)))
        variance = np.maximum(variance - cover[:, best] ** 2 / diagonal[best], 0.0)
        cover = cover - np.outer(cover[:, best], own[best]) / diagonal[best]
        own = own - np.outer(own[:, best], own[best]) / diagonal[best]
        rows.append((arrays.node_names[int(places[best])], now, float(np.mean(np.sqrt(variance)))))
    return pl.DataFrame(
        rows, schema={"node": pl.String, "sigma_bar": pl.Float64, "mean_sigma_bar": pl.Float64}, orient="row"
    )


@dataclass(frozen=True)
class _Posterior:
    """Root of the posterior covariance, root · (I − Vᵀ diag(shrink) V), V and shrink from the singular values of J · root / σ."""

    found: Estimate
    v: Floats
    shrink: Floats

    @classmethod
    def of(cls, found: Estimate) -> "_Posterior":
        sensors = found.sensors
        weighed = found.unknowns.halved(found.unknowns.answers(found.linear, sensors)) / sensors.sigma[:, None]
        _, s, v = np.linalg.svd(weighed, full_matrices=False)
        return cls(found, v, 1.0 - 1.0 / np.sqrt(1.0 + s**2))

    def factor(self, kind: int, at: NDArray[np.int64]) -> Floats:
        """`[K, X + 2]` with covariance of what is asked = factor · factorᵀ."""
        k = len(at)
        ask = Measured(
            pl.DataFrame(),
            np.arange(k),
            np.full(k, kind, np.int8),
            np.asarray(at, np.int64),
            np.full(k, -1),
            np.zeros(k),
            np.ones(k),
        )
        half = self.found.unknowns.halved(self.found.unknowns.answers(self.found.linear, ask))
        return np.asarray(half - ((half @ self.v.T) * self.shrink) @ self.v, np.float64)

    def parts(self, kind: int, at: NDArray[np.int64]) -> Iterator[Floats]:
        for start in range(0, len(at), AT_A_TIME):
            yield self.factor(kind, at[start : start + AT_A_TIME])

    def sigma(self, kind: int, at: NDArray[np.int64]) -> Floats:
        return np.concatenate([np.sqrt(_variances(part)) for part in self.parts(kind, at)] or [np.zeros(0)])


def _variances(factor: Floats) -> Floats:
    return np.asarray(np.einsum("kx,kx->k", factor, factor), np.float64)
