"""One of the questions of 2.5, answered for all subjects at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.rules.branches import choose
from nuan.rules.threshold import Mask, Matrix
from nuan.terms.intervals import Interval

Words = NDArray[np.str_]


@dataclass(frozen=True)
class Item:
    """Arrays [subjects]. `value` and `threshold` count days; `facts` is one mapping a subject."""

    name: str
    verdict: Words
    why: Words
    value: Matrix
    threshold: int | None
    branch: Words
    facts: Sequence[Mapping[str, Any]]

    def frame(self, level: str, subjects: Sequence[str], period: Interval) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "subject": subjects,
                "verdict": self.verdict,
                "why": self.why,
                "value": self.value,
                "branch": self.branch,
                "facts": [json.dumps(each, ensure_ascii=False) for each in self.facts],
            },
            schema_overrides={"subject": pl.String, "facts": pl.String},
        ).with_columns(
            pl.lit(level).alias("subject_level"),
            pl.lit(self.name).alias("item"),
            pl.lit(period.start).alias("period_start"),
            pl.lit(period.end).alias("period_end"),
            pl.lit(self.threshold, dtype=pl.Int64).alias("threshold"),
            pl.lit("day").alias("unit"),
        )


def verdicts(breached: Mask, open_for: Mapping[str, Mask], clause: str, subjects: Sequence[str]) -> tuple[Words, Words]:
    """Verdict and why: a proven breach stands whatever else is unknown; of several reasons to stay open the first named one is told."""
    why = np.full(len(subjects), "", dtype="<U24")
    for code, mask in reversed(list(open_for.items())):
        why[mask & ~breached] = code
    chosen = choose(clause, subjects, ("met", None), {"breached": breached, "undecidable": why != ""})
    return chosen, why
