"""The facts that a rule is given: tables by name, the season, and the moment up to which things were known."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from nuan.facts.schemas import TABLES, empty
from nuan.terms.season import Season

_SUBJECTS = {"home", "building", "loop", "substation", "source", "company", "banner"}


class UnknownSubjectError(KeyError):
    def __init__(self, level: str) -> None:
        super().__init__(f"no facts are kept about a “{level}”; known: {', '.join(sorted(_SUBJECTS))}")


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
        """Only the rows about one subject, so that one judgement can be made again with its trace on.

        A table that does not speak of that level is kept whole.
        """
        if level not in _SUBJECTS:
            raise UnknownSubjectError(level)
        tables = {
            name: frame.filter(pl.col(level) == code) if level in frame.columns else frame
            for name, frame in self.tables.items()
        }
        if level == "home" and {"outage", "outage_home"} <= tables.keys():
            own = tables["outage_home"]["outage_id"].unique().to_list()
            tables["outage"] = tables["outage"].filter(pl.col("outage_id").is_in(own))
        return replace(self, tables=tables)

    def for_home(self, code: str) -> "FactBook":
        return self.for_subject("home", code)
