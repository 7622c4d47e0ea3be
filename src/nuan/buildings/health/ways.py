"""Ways a station is run: days sorted by the capacity flow of the secondary side.

One pump or two, a changed speed: the heat that a kelvin between secondary supply and return carries, P/(T₃ − T₄), then has another value
for weeks. On a logarithmic axis the days stand in heaps; where the density between two heaps falls below half of the lower heap they are two
ways of running.
"""

import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BANDWIDTH: Final = 0.03
FEWEST: Final = 14
"""运行参数: a heap of fewer days is not a way of running."""


def ways_of(x: Mapping[str, FloatArray]) -> list[NDArray[np.bool_]]:
    """Masks over the days, largest heap first; days between heaps are in none. One mask of all days where nothing tells."""
    first = next(iter(x.values()))
    whole = [np.ones(len(first), dtype=bool)]
    level = secondary_capacity(x)
    if level is None:
        return whole
    good = np.isfinite(level)
    if good.sum() < 2 * FEWEST:
        return whole
    edges = valleys(level[good])
    bounds = [-np.inf, *edges, np.inf]
    heaps = [good & (level >= low) & (level < high) for low, high in itertools.pairwise(bounds)]
    large = sorted((heap for heap in heaps if heap.sum() >= FEWEST), key=lambda heap: -int(heap.sum()))
    return large or whole


def secondary_capacity(x: Mapping[str, FloatArray]) -> FloatArray | None:
    """ln of kW/K (or of m³/h where the secondary flow is measured)."""
    if "secondary_flow" in x:
        value = x["secondary_flow"]
    elif "heat" in x and "secondary_supply" in x and "secondary_return" in x:
        gap = x["secondary_supply"] - x["secondary_return"]
        value = np.where(gap > 0.3, x["heat"] / np.where(gap > 0.3, gap, 1.0), np.nan)
    else:
        return None
    return np.where(value > 0, np.log(np.where(value > 0, value, 1.0)), np.nan)


def valleys(level: FloatArray) -> list[float]:
    """Where the density of the days falls below half of the lower of the two heaps beside it."""
    grid = np.arange(level.min() - 0.1, level.max() + 0.1, 0.005)
    density = np.exp(-0.5 * ((grid[:, None] - level[None, :]) / BANDWIDTH) ** 2).sum(axis=1)
    peaks = [i for i in range(1, len(grid) - 1) if density[i] >= density[i - 1] and density[i] > density[i + 1]]
    while len(peaks) > 1:
        lows = [a + int(np.argmin(density[a : b + 1])) for a, b in itertools.pairwise(peaks)]
        ratio = [
            density[low] / min(density[a], density[b]) for low, a, b in zip(lows, peaks[:-1], peaks[1:], strict=True)
        ]
        flattest = int(np.argmax(ratio))
        if ratio[flattest] < 0.5:
            return [float(grid[low]) for low in lows]
        lower = flattest if density[peaks[flattest]] < density[peaks[flattest + 1]] else flattest + 1
        del peaks[lower]
    return []
