"""How much water stands in what is isolated: what the crew has to drain before it can weld, and to fill again after."""

from collections.abc import Collection

import numpy as np

from nuan.network.isolation import Segments
from nuan.network.steady import State


def segment_pipes(state: State, pipes: Collection[str], segments: Segments | None = None) -> list[str]:
    """The pipes in service of the segments that `pipes` lie in: what no valve divides from them."""
    arrays = state.arrays
    parts = segments or Segments.of(arrays)
    names, edges = arrays.edge_names("pipes"), arrays.edges
    here = arrays.edge_slice("pipes")
    a, b = parts.of_node[edges.a[here]], parts.of_node[edges.b[here]]
    chosen = np.isin(np.array(names), np.array(sorted(pipes)))
    wet = np.unique(np.concatenate([a[chosen], b[chosen]]))
    inside = (np.isin(a, wet) | np.isin(b, wet)) & (edges.is_open[here] | chosen)
    return [names[i] for i in np.flatnonzero(inside)]


def water_m3(state: State, pipes: Collection[str]) -> float:
    """π/4 · d² · length, in m³.

    The clear volume: what is left behind in low points is drained too in the end.
    """
    arrays = state.arrays
    here = arrays.edge_slice("pipes")
    chosen = np.isin(np.array(arrays.edge_names("pipes")), np.array(sorted(pipes)))
    return float((arrays.edges.area[here] * arrays.edges.length[here])[chosen].sum())
