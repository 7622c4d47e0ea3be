"""Random numbers by index: the same home gets the same dice whoever asks, in whatever order (splitmix64, Steele et al. 2014)."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MASK = (1 << 64) - 1


@njit(cache=True)
def mix(x: np.uint64) -> np.uint64:
    """One round of splitmix64."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True)
def unit(x: np.uint64) -> float:
    """53 bits of a mixed number as [0, 1)."""
    return float(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


def stream(seed: int, name: str) -> int:
    """A number for a purpose, so that two purposes never share dice."""
    state = seed & _MASK
    for byte in name.encode():
        state = _scalar_mix(state ^ byte)
    return state


def _scalar_mix(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def uniform(seed: int, name: str, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """[0, 1) for every index.

    >>> float(uniform(1, "area", np.array([7]))[0]) == float(uniform(1, "area", np.array([3, 7]))[1])
    True
    """
    x = index.astype(np.uint64) ^ np.uint64(stream(seed, name))
    for _ in range(2):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return np.asarray((x >> np.uint64(11)).astype(np.float64) / 9007199254740992.0, dtype=np.float64)


def bell(seed: int, name: str, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean 0, standard deviation 1, never beyond ±3 (the sum of nine dice)."""
    total = sum(uniform(seed, f"{name}/{i}", index) for i in range(9))
    return np.asarray((total - 4.5) / np.sqrt(9 / 12), dtype=np.float64).clip(-3, 3)
