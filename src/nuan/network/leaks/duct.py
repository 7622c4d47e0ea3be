"""Flooded or soaked ducts: from sensors in chambers, and from branches that lose more heat than they used to."""

from collections.abc import Sequence

import numpy as np

from nuan.network.graph.tables import Network
from nuan.network.leaks.alarm import Alarm
from nuan.network.leaks.points import Point


class DuctWatch:
    def __init__(self, network: Network, points: Sequence[Point]) -> None:
        self.points = tuple(points)

    def push(self, time_s: float, row: np.ndarray, supply_c: float) -> list[Alarm]:
        return []
