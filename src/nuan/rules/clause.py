"""A clause: the words, the numbers it reads, and, where a program can decide it, the rule."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from nuan.facts.book import FactBook
from nuan.rules.judgement import Judgements
from nuan.rules.pack import Pack
from nuan.rules.trace import Explanation, Trace

Rule = Callable[[FactBook, Pack, Trace | None], pl.DataFrame]


class NoSuchJudgementError(LookupError):
    def __init__(self, clause: str, subject: str, item: str) -> None:
        super().__init__(f"clause {clause} makes no judgement “{item}” on {subject} from these facts")


@dataclass(frozen=True)
class Clause:
    """`scope` says which book the rule wants: one of homes, stations, sources or banners. `reads` names its fact tables."""

    id: str
    short_zh: str
    short_en: str
    kind: str
    quotation: str
    status_zh: str
    status_en: str
    what_zh: str
    scope: str | None = None
    reads: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    interpretations: tuple[str, ...] = ()
    folder: str = ""
    rule: Rule | None = None

    def judge(self, book: FactBook, pack: Pack) -> Judgements:
        """All judgements that the facts allow, vectorised. A clause without a rule makes none."""
        if self.rule is None:
            return Judgements.none(self.id)
        return Judgements.of(self.id, self.rule(book, pack, None))

    def explain(
        self, book: FactBook, pack: Pack, subject: str, item: str = "season", language: str = "zh"
    ) -> Explanation:
        """Run the same rule on one subject's facts with its trace on."""
        if self.rule is None:
            raise NoSuchJudgementError(self.id, subject, item)
        level = {"home": "home", "station": "substation", "source": "source", "banner": "banner"}[self.scope or "home"]
        one = book.for_subject(level, subject)
        frame = Judgements.of(self.id, self.rule(one, pack, None)).frame
        row = frame.filter((pl.col("subject") == subject) & (pl.col("item") == item))
        if row.height == 0:
            raise NoSuchJudgementError(self.id, subject, item)
        found = row.row(0, named=True)
        trace = Trace()
        self.rule(one, pack, trace)
        return Explanation(
            clause=self.id,
            subject=subject,
            item=item,
            language=language,
            verdict=found["verdict"],
            amount_fen=found["amount_fen"],
            sentence=trace.sentences.get(language, ""),
            steps=tuple(trace.steps),
            pack=pack.name,
            pack_version=pack.version,
        )
