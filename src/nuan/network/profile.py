"""水压图: heads along the way from a source to a substation and back, with the lines that they must keep away from.

Heads are metres of cold water (1 bar = 10.197 m) above the level that elevations count from: head = elevation + 10.197 · gauge pressure.
Lines: the ground; the static line (what stays when the pumps stand: the height that the source's make-up holds); boiling (the head below
which supply water of this temperature turns to steam). Below the ground line a pipe draws air (倒空).
Source: 供热工程, 热水网路的水压图. Saturation pressure: Antoine's equation for water, 1 to 100 and 99 to 374 °C (Reid, Prausnitz, Poling 1987).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nuan.network.solver.arrays import EDGE_TABLES, Arrays
from nuan.network.steady import State

Floats = NDArray[np.float64]
M_PER_BAR = 10.197
AIR_BAR = 1.01325
_THROUGH = 0.1
"""Metres that a valve or pump counts as: a way must cost something."""


class NoWayError(LookupError):
    """No open pipe leads from the source to the substation."""

    def __init__(self, source: str, substation: str) -> None:
        super().__init__(
            f"从热源“{source}”到热力站“{substation}”没有通路 / no open way leads from “{source}” to “{substation}”"
        )


@dataclass(frozen=True)
class Way:
    """One side of the network from the source out: node by node. `metres` from the source; heads in metres, `temp_c` of the water."""

    nodes: list[str]
    pipes: list[str]
    metres: Floats
    elevation_m: Floats
    head_m: Floats
    temp_c: Floats

    @property
    def pressure_bar(self) -> Floats:
        return (self.head_m - self.elevation_m) / M_PER_BAR

    @property
    def boiling_m(self) -> Floats:
        """The head at which the water here would boil; never below the ground."""
        gauge = np.array([max(saturation_bar(float(t)) - AIR_BAR, 0.0) for t in self.temp_c])
        return np.asarray(self.elevation_m + M_PER_BAR * gauge, np.float64)


@dataclass(frozen=True)
class Profile:
    source: str
    substation: str
    supply: Way
    back: Way
    static_m: float

    @property
    def dp_bar(self) -> float:
        """What is left at the substation."""
        return float((self.supply.head_m[-1] - self.back.head_m[-1]) / M_PER_BAR)


def profile(state: State, source: str, substation: str) -> Profile:
    """The shortest open ways out and back. Raises NoWayError, and KeyError for names that the network does not have."""
    arrays = state.arrays
    s = arrays.offsets["sources"] + _index(arrays, "sources", source)
    c = arrays.offsets["substations"] + _index(arrays, "substations", substation)
    a, b = arrays.edges.a, arrays.edges.b
    supply = _way(state, int(b[s]), int(a[c]))
    back = _way(state, int(a[s]), int(b[c]))
    if supply is None or back is None:
        raise NoWayError(source, substation)
    at = int(a[s])
    return Profile(
        source, substation, supply, back, float(arrays.nodes.elevation[at] + M_PER_BAR * state.pressure_bar[at])
    )


def _index(arrays: Arrays, table: str, name: str) -> int:
    names = arrays.edge_names(table)
    if name not in names:
        raise KeyError(name)
    return names.index(name)


def _way(state: State, start: int, end: int) -> Way | None:
    arrays, edges = state.arrays, state.arrays.edges
    passable = np.flatnonzero(edges.is_open & (edges.kind <= 2))
    cost = np.where(edges.kind == 0, np.maximum(edges.length, _THROUGH), _THROUGH)[passable]
    n = len(arrays.node_names)
    link = coo_array((cost, (edges.a[passable], edges.b[passable])), shape=(n, n)).tocsr()
    _, before = dijkstra(link, directed=False, indices=start, return_predecessors=True)
    chain = [end]
    while chain[-1] != start:
        previous = int(before[chain[-1]])
        if previous < 0:
            return None
        chain.append(previous)
    chain.reverse()
    at = np.array(chain)
    names, lengths = _edges_between(arrays, passable, chain)
    head = arrays.nodes.elevation[at] + M_PER_BAR * state.pressure_bar[at]
    return Way(
        [arrays.node_names[i] for i in chain], names, np.concatenate([[0.0], np.cumsum(lengths)]), arrays.nodes.elevation[at].copy(), head,
        state.temp_c[at].copy(),
    )  # fmt: skip


def _edges_between(arrays: Arrays, passable: NDArray[np.int64], chain: list[int]) -> tuple[list[str], Floats]:
    """Names of the pipes and metres from node to node; of two that lie side by side the shorter one."""
    edges = arrays.edges
    steps = {pair: k for k, pair in enumerate(pairwise(chain))}
    best: dict[int, int] = {}
    for e in passable.tolist():
        a, b = int(edges.a[e]), int(edges.b[e])
        k = steps.get((a, b), steps.get((b, a)))
        if k is not None and (k not in best or edges.length[e] < edges.length[best[k]]):
            best[k] = e
    names = {table: arrays.edge_names(table) for table in EDGE_TABLES[:3]}
    found, lengths = [], np.zeros(len(steps))
    for k in range(len(steps)):
        e = best[k]
        if edges.kind[e] == 0:
            found.append(names["pipes"][e])
            lengths[k] = edges.length[e]
    return found, lengths


def saturation_bar(temp_c: float) -> float:
    """Absolute pressure at which water of this temperature boils.

    >>> round(saturation_bar(100.0), 3), round(saturation_bar(130.0), 2)
    (1.019, 2.69)
    """
    a, b, c = (8.07131, 1730.63, 233.426) if temp_c < 100.0 else (8.14019, 1810.94, 244.485)
    return float(10 ** (a - b / (c + temp_c)) * 1.33322e-3)
