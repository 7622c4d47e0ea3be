"""Verdicts of the money clauses: one row each for a company or banner and item, and how their traces are told."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from nuan.facts.book import FactBook
from nuan.rules.judgement import SCHEMA, WHY
from nuan.rules.trace import Trace
from nuan.terms.calendar import add_months
from nuan.terms.places import day_date, day_number, local_day

Branches = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Found:
    """`steps` and `sentence` are (Chinese, English); a step is (label, English label, working, English working)."""

    subject: str
    item: str
    branch: str
    verdict: str
    why: str = ""
    value: int | None = None
    threshold: int | None = None
    unit: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[tuple[str, str, str, str]] = ()
    sentence: tuple[str, str] = ("", "")


def frame_of(
    found: Iterable[Found], level: str, book: FactBook, branches: Branches, trace: Trace | None
) -> pl.DataFrame:
    """Rows of the judgement columns; with a trace, the row of its item tells itself."""
    rows = list(found)
    if not rows:
        return pl.DataFrame(schema=SCHEMA)
    if trace is not None:
        for each in rows:
            if each.item == trace.item:
                _tell(each, branches, trace)
                break
    names = ("subject", "item", "branch", "verdict", "why", "value", "threshold", "unit")
    frame = pl.DataFrame(
        {name: [getattr(each, name) for each in rows] for name in names}
        | {"facts": [json.dumps(dict(each.facts), ensure_ascii=False) for each in rows]},
        schema_overrides={"value": pl.Int64, "threshold": pl.Int64},
    )
    return frame.with_columns(
        pl.lit(level).alias("subject_level"),
        pl.lit(book.season.interval.start).alias("period_start"),
        pl.lit(book.season.interval.end).alias("period_end"),
    )


def _tell(each: Found, branches: Branches, trace: Trace) -> None:
    for label_zh, label_en, working, working_en in each.steps:
        trace.step(label_zh, label_en, working, working_en=working_en)
    trace.branch(
        branches[each.branch][0], {zh: key == each.branch for key, (zh, _) in branches.items()}, dict(branches.values())
    )
    zh, en = each.sentence
    if each.verdict == "undecidable" and each.why:
        zh, en = f"{zh}（{WHY[each.why][0]}）", f"{en} ({WHY[each.why][1]})"
    trace.sentence(zh, en)


def year_days(book: FactBook) -> range:
    """The twelve months that end with the season: summer repairs belong to the season they are made for. Cut at what is known."""
    last = book.season.last_day
    first = add_months(last, -12) + timedelta(days=1)
    return range(day_number(first), min(day_number(last), as_of_day(book)) + 1)


def as_of_day(book: FactBook) -> int:
    """The last local day of which something is known."""
    return local_day(book.as_of_s - 1)


def date_text(day: int | None) -> str:
    return "—" if day is None else str(day_date(day))
