"""In: tables of nodes, pipes, valves, pumps, sources and substations. Out: one network, or all that is wrong with it."""

from nuan.network.graph.tables import TABLES, Network

__all__ = ["TABLES", "Network"]
