"""Which side a node is on, from how the network hangs together: names and the tables' `side` may be empty."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nuan.network.solver.arrays import Arrays

SUPPLY, RETURN, NEITHER = 0, 1, 2


def sides_of(arrays: Arrays) -> NDArray[np.int8]:
    """SUPPLY, RETURN or NEITHER of each node: what hangs on plants' supply and stations' inlets by pipes, valves and pumps."""
    edges, n = arrays.edges, len(arrays.node_names)
    joins = np.flatnonzero(edges.kind <= 2)
    ones = np.ones(len(joins))
    _, part = connected_components(coo_array((ones, (edges.a[joins], edges.b[joins])), shape=(n, n)), directed=False)
    side = np.full(n, NEITHER, np.int8)
    votes = np.zeros(part.max() + 1 if n else 1)
    stations, sources = arrays.edge_slice("substations"), arrays.edge_slice("sources")
    np.add.at(votes, part[edges.a[stations]], 1.0)
    np.add.at(votes, part[edges.b[stations]], -1.0)
    np.add.at(votes, part[edges.b[sources]], 2.0)
    np.add.at(votes, part[edges.a[sources]], -2.0)
    side[votes[part] > 0.0] = SUPPLY
    side[votes[part] < 0.0] = RETURN
    return side
