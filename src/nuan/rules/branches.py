"""Base rule and labelled exceptions, over columns. Law says "A, unless B, unless C": each unless is a mask with a name.

Two exceptions on one row contradict each other (`Conflict`); a row that nothing covers has no rule (`NoRule`). Both are errors of the
rule's author or of the law, never of the data, and name the clause and the first subjects they met.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class Conflict(ArithmeticError):
    """Two labelled exceptions apply to one subject."""

    def __init__(self, clause: str, labels: Sequence[str], subjects: Sequence[str]) -> None:
        self.clause, self.labels, self.subjects = clause, tuple(labels), tuple(subjects)
        super().__init__(f"clause {clause}: the exceptions {' and '.join(labels)} both apply to {', '.join(subjects)}")


class NoRule(ArithmeticError):
    """Neither the base rule nor an exception applies to a subject."""

    def __init__(self, clause: str, subjects: Sequence[str]) -> None:
        self.clause, self.subjects = clause, tuple(subjects)
        super().__init__(f"clause {clause}: no rule applies to {', '.join(subjects)}")


def choose(
    clause: str, subjects: Sequence[str], base: tuple[str, Mask | None], exceptions: Mapping[str, Mask]
) -> NDArray[np.str_]:
    """The label of the branch that decides each row.

    `base` is the label and where the base rule applies (None: everywhere). Exceptions take precedence over the base, none over another.

    >>> choose("9.9", ["a", "b"], ("base", None), {"stopped": np.array([False, True])}).tolist()
    ['base', 'stopped']
    """
    rows = len(subjects)
    label, base_mask = base
    hits = np.zeros(rows, dtype=np.int64)
    for mask in exceptions.values():
        hits += mask
    if (hits > 1).any():
        at = np.flatnonzero(hits > 1)[:3]
        labels = [name for name, mask in exceptions.items() if mask[at[0]]]
        raise Conflict(clause, labels, [subjects[int(i)] for i in at])
    covered = (hits > 0) | (np.ones(rows, dtype=bool) if base_mask is None else base_mask)
    if not covered.all():
        raise NoRule(clause, [subjects[int(i)] for i in np.flatnonzero(~covered)[:3]])
    longest = max([len(label), *(len(name) for name in exceptions)])
    chosen = np.full(rows, label, dtype=f"<U{longest}")
    for name, mask in exceptions.items():
        chosen[mask] = name
    return chosen
