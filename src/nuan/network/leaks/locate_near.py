"""How far pipes are from each other, as a crew walks: along the pipes, or straight where the drawing has coordinates."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nuan.network.solver.arrays import Arrays

Floats = NDArray[np.float64]
EARTH_M = 111_194.9
MOST = 400
"""Candidates that are looked around, the likeliest."""


class Neighbourhood:
    """Middles of candidate pipes and the ways between them."""

    def __init__(self, arrays: Arrays, candidates: NDArray[np.int64]) -> None:
        edges = arrays.edges
        self.a, self.b = edges.a[candidates], edges.b[candidates]
        self.length = np.nan_to_num(edges.length[candidates])
        n = len(arrays.node_names)
        joined = np.flatnonzero(edges.kind <= 2)
        across = np.flatnonzero(edges.kind > 2)
        ends_a = np.concatenate([edges.a[joined], edges.a[across]])
        ends_b = np.concatenate([edges.b[joined], edges.b[across]])
        way = np.concatenate([np.maximum(edges.length[joined], 0.01), np.full(len(across), 0.01)])
        self.graph = coo_array((way, (ends_a, ends_b)), shape=(n, n)).tocsr()
        nodes = arrays.network.nodes
        east = nodes["longitude"].cast(float).fill_null(float("nan")).to_numpy()
        north = nodes["latitude"].cast(float).fill_null(float("nan")).to_numpy()
        self.xy = None
        if (
            len(candidates)
            and np.isfinite(east[np.r_[self.a, self.b]]).all()
            and np.isfinite(north[np.r_[self.a, self.b]]).all()
        ):
            at = np.stack([east * EARTH_M * np.cos(np.radians(np.nanmean(north))), north * EARTH_M], axis=1)
            self.xy = 0.5 * (at[self.a] + at[self.b])

    def best(self, p: Floats, reach_m: float) -> tuple[int, float]:
        """The candidate with most probability within reach, and that probability."""
        chosen = np.argsort(-p, kind="stable")[:MOST]
        mass = np.array([p[near].sum() for near in self._within(chosen, reach_m)])
        top = int(np.lexsort((-p[chosen], -np.round(mass, 6)))[0])
        return int(chosen[top]), float(mass[top])

    def _within(self, chosen: NDArray[np.int64], reach_m: float) -> list[NDArray[np.bool_]]:
        if self.xy is not None:
            return [np.hypot(*(self.xy - self.xy[i]).T) <= reach_m for i in chosen]
        starts = np.unique(np.concatenate([self.a[chosen], self.b[chosen]]))
        row = {int(node): k for k, node in enumerate(starts)}
        far = dijkstra(self.graph, directed=False, indices=starts, limit=reach_m + float(self.length.max(initial=0.0)))
        found = []
        half = 0.5 * self.length
        for i in chosen:
            from_a, from_b = far[row[int(self.a[i])]] + half[i], far[row[int(self.b[i])]] + half[i]
            near = (
                np.minimum(np.minimum(from_a[self.a], from_a[self.b]), np.minimum(from_b[self.a], from_b[self.b]))
                + half
            )
            near[i] = 0.0
            found.append(near <= reach_m)
        return found
