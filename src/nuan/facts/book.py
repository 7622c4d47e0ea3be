"""The facts that a rule is given: tables by name, the season, and the moment up to which things were known."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from nuan.facts.schemas import TABLES, empty
from nuan.terms.season import Season

_SUBJECT_COLUMN = {
    "home": "home",
    "substation": "substation",
    "source": "source",
    "banner": "banner",
    "company": "company",
}


@dataclass(frozen=True)
class FactBook:
    """`book["home_day"]` is that table, without rows where nothing was given. `as_of_s` is "now" for open outages and unended days."""

    season: Season
    as_of_s: int
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    def __getitem__(self, table: str) -> pl.DataFrame:
        if table not in TABLES:
            raise KeyError(f"no fact table “{table}”; known: {', '.join(TABLES)}")
        return self.tables[table] if table in self.tables else empty(table)

    def for_subject(self, level: str, code: str) -> "FactBook":
        """Only the rows about one subject, so that one judgement can be made again with its trace on."""
        column = _SUBJECT_COLUMN[level]
        return replace(
            self,
            tables={
                name: frame.filter(pl.col(column) == code) if column in frame.columns else frame
                for name, frame in self.tables.items()
            },
        )
