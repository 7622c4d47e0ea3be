"""Amounts under open questions: every option that may hold is reckoned, home by home.

A home on which all options agree is decided although nobody signed; a home on which they differ is undecidable, and
the questions that make the difference for it are named, with the least and the most it may get.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from nuan.policies.refunds.columns import UNKNOWN, Bool, Int64

Options = Mapping[str, str]


@dataclass(frozen=True)
class Decision:
    """`amount` is UNKNOWN where undecided. `open_keys[key]` marks the homes for which that question (or missing fact) matters."""

    amount: Int64
    low: Int64
    high: Int64
    open_keys: Mapping[str, Bool]

    @property
    def decided(self) -> Bool:
        return np.asarray(self.amount != UNKNOWN)

    def why(self, home: int) -> tuple[str, ...]:
        """The keys that keep this home undecided; empty where it is decided."""
        return tuple(key for key, mask in self.open_keys.items() if mask[home])


def decide(
    axes: Mapping[str, Sequence[str]], reckon: Callable[[Options], Int64], lacking: Mapping[str, Bool] | None = None
) -> Decision:
    """Reckon every combination of `axes`; `lacking` marks homes whose facts or numbers are missing whatever the options."""
    keys = list(axes)
    shape = tuple(len(axes[key]) for key in keys)
    combos = [dict(zip(keys, choice, strict=True)) for choice in product(*(axes[key] for key in keys))]
    if len(combos) == 1:
        amounts = reckon(combos[0])
        low = high = amounts
        open_keys: dict[str, Bool] = {}
        amount = amounts
    else:
        grid = np.stack([reckon(combo) for combo in combos]).reshape(*shape, -1)
        over = tuple(range(len(shape)))
        low, high = grid.min(axis=over), grid.max(axis=over)
        amount = np.where(low == high, low, UNKNOWN)
        open_keys = {}
        for i, key in enumerate(keys):
            if shape[i] > 1:
                differs = grid.max(axis=i) != grid.min(axis=i)
                rest = tuple(range(len(shape) - 1))
                open_keys[key] = differs.any(axis=rest) if rest else differs
    return without(Decision(np.asarray(amount), np.asarray(low), np.asarray(high), open_keys), lacking or {})


def narrowed(axes: Mapping[str, Sequence[str]], relevant: Mapping[str, bool]) -> dict[str, tuple[str, ...]]:
    """Axes that cannot matter for these facts are pinned to their first option; saves reckoning, changes nothing."""
    return {key: tuple(options) if relevant.get(key, True) else (options[0],) for key, options in axes.items()}


def without(decision: Decision, lacking: Mapping[str, Bool]) -> Decision:
    """The same with the homes marked in `lacking` undecided for that reason."""
    amount, open_keys = decision.amount, dict(decision.open_keys)
    for key, mask in lacking.items():
        if mask.any():
            amount = np.where(mask, UNKNOWN, amount)
            open_keys[key] = mask
    return Decision(amount, decision.low, decision.high, open_keys)
