"""How far pipes are from each other as a crew walks: along the streets, whichever of the two pipes in the duct it is."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nuan.network.solver.arrays import Arrays

Floats = NDArray[np.float64]
MOST, ENOUGH = 200, 0.97
"""Candidates that are looked around: the likeliest, until they hold enough."""
BESIDE_M = 0.01
SAME_PLACE_DEG = 5
"""Decimals: nodes within a metre stand in the same chamber."""


class Neighbourhood:
    """Middles of candidate pipes and the ways between them. Supply and return meet where the drawing says that they lie together: nodes at
    the same place, ends of twins, stations and plants."""

    def __init__(self, arrays: Arrays, candidates: NDArray[np.int64]) -> None:
        edges = arrays.edges
        self.a, self.b = edges.a[candidates], edges.b[candidates]
        self.length = np.nan_to_num(edges.length[candidates])
        n = len(arrays.node_names)
        joined = np.flatnonzero(edges.kind <= 2)
        across = np.flatnonzero(edges.kind > 2)
        beside = _beside(arrays)
        ends_a = np.concatenate([edges.a[joined], edges.a[across], beside[:, 0]])
        ends_b = np.concatenate([edges.b[joined], edges.b[across], beside[:, 1]])
        way = np.full(len(ends_a), BESIDE_M)
        way[: len(joined)] = np.maximum(np.nan_to_num(edges.length[joined]), BESIDE_M)
        low, high = np.minimum(ends_a, ends_b), np.maximum(ends_a, ends_b)
        # of several ways between two nodes the shortest: a sparse matrix would add them up
        order = np.lexsort((way, high, low))
        low, high, way = low[order], high[order], way[order]
        first = np.ones(len(low), np.bool_)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        self.graph = coo_array((way[first], (low[first], high[first])), shape=(n, n)).tocsr()

    def best(self, p: Floats, reach_m: float) -> tuple[int, float]:
        """(candidate that most probability lies near to, probability within `reach_m` of it).

        Near counts less the farther, not at all beyond the reach: of two neighbours that have the same in reach the likelier comes first.
        """
        order = np.argsort(-p, kind="stable")
        chosen = order[: min(MOST, int(np.searchsorted(np.cumsum(p[order]), ENOUGH)) + 1)]
        value, mass = np.zeros(len(chosen)), np.zeros(len(chosen))
        for k, far in enumerate(self._far(chosen, reach_m)):
            value[k] = p @ np.clip(1.0 - far / reach_m, 0.0, 1.0)
            mass[k] = p[far <= reach_m].sum()
        top = int(np.lexsort((-p[chosen], -np.round(value, 6)))[0])
        return int(chosen[top]), float(mass[top])

    def _far(self, chosen: NDArray[np.int64], reach_m: float) -> list[Floats]:
        """Metres from the middle of each chosen pipe to the middles of all, infinite beyond the reach."""
        starts = np.unique(np.concatenate([self.a[chosen], self.b[chosen]]))
        row = {int(node): k for k, node in enumerate(starts)}
        ways = dijkstra(self.graph, directed=False, indices=starts, limit=reach_m + float(self.length.max(initial=0.0)))
        half = 0.5 * self.length
        found = []
        for i in chosen:
            from_a, from_b = ways[row[int(self.a[i])]], ways[row[int(self.b[i])]]
            far = (
                np.minimum(np.minimum(from_a[self.a], from_a[self.b]), np.minimum(from_b[self.a], from_b[self.b]))
                + half
                + half[i]
            )
            # the other pipe in the same duct
            over = np.minimum(np.maximum(from_a[self.a], from_b[self.b]), np.maximum(from_a[self.b], from_b[self.a]))
            far[over <= 1.0] = 0.0
            far[i] = 0.0
            found.append(far)
        return found


def _beside(arrays: Arrays) -> NDArray[np.int64]:
    """Pairs of nodes that are one place: equal coordinates; twins, whose return runs against the supply or with it (nearer names decide
    nothing, so both are taken only where there is no coordinate)."""
    nodes, pipes = arrays.network.nodes, arrays.network.pipes
    east, north = (nodes[name].cast(float).fill_null(float("nan")).to_numpy() for name in ("longitude", "latitude"))
    pairs: list[tuple[int, int]] = []
    at: dict[tuple[float, float], int] = {}
    for i in np.flatnonzero(np.isfinite(east) & np.isfinite(north)):
        key = (round(float(east[i]), SAME_PLACE_DEG), round(float(north[i]), SAME_PLACE_DEG))
        if at.setdefault(key, int(i)) != i:
            pairs.append((at[key], int(i)))
    if not at:
        index = {name: k for k, name in enumerate(pipes["pipe"])}
        edges = arrays.edges
        for k, twin in enumerate(pipes["twin"]):
            if twin in index:
                other = index[twin]
                pairs.append((int(edges.a[k]), int(edges.b[other])))
                pairs.append((int(edges.b[k]), int(edges.a[other])))
    return np.array(pairs, np.int64).reshape(-1, 2)
