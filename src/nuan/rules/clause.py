"""A clause: the words, the numbers it reads, and, where a program can decide it, the rule."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from nuan.facts.book import FactBook
from nuan.rules.judgement import Judgements
from nuan.rules.pack import Pack
from nuan.rules.trace import Explanation, Trace

Rule = Callable[[FactBook, Pack, Trace | None], pl.DataFrame]
SCOPE_LEVEL = {
    "home": "home",
    "station": "substation",
    "source": "source",
    "company": "company",
    "banner": "banner",
}


class NoSuchJudgementError(LookupError):
    def __init__(self, clause: str, subject: str, item: str) -> None:
        self.clause, self.subject, self.item = clause, subject, item
        super().__init__(f"clause {clause} makes no judgement “{item}” on {subject} from these facts")


@dataclass(frozen=True, slots=True)
class ParameterUse:
    """A pack key that the clause reads. `words` is the part of the quotation it comes from, None where the text gives no number."""

    key: str
    ground: str
    words: str | None = None


@dataclass(frozen=True, slots=True)
class InterpretationUse:
    """An open question that the clause meets, and whom the answer touches."""

    key: str
    touches_zh: str


@dataclass(frozen=True)
class Clause:
    """`scopes` says which books the rule wants (homes, stations, sources, companies, banners); `reads` names its fact tables.

    `status` is `working`, `partly` or `text_only`; `status_zh` says the same to the board's reader. `what_zh` is what has to exist
    for the clause to be kept under watch in full.
    """

    id: str
    section_zh: str | None
    section_en: str | None
    short_zh: str
    short_en: str
    kind: str
    status: str
    status_zh: str
    status_en: str
    quotation: str
    what_zh: str
    what_en: str
    folder: str
    scopes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    parameter_uses: tuple[ParameterUse, ...] = ()
    interpretation_uses: tuple[InterpretationUse, ...] = ()
    rule: Rule | None = None

    @property
    def scope(self) -> str | None:
        """The book that the clause is mainly about."""
        return self.scopes[0] if self.scopes else None

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(use.key for use in self.parameter_uses)

    @property
    def interpretations(self) -> tuple[str, ...]:
        return tuple(use.key for use in self.interpretation_uses)

    def judges(self, scope: str) -> bool:
        """Whether the rule makes judgements from a book of `scope`."""
        return self.rule is not None and scope in self.scopes

    def judge(self, book: FactBook, pack: Pack) -> Judgements:
        """All judgements that the facts allow, vectorised. A clause without a rule makes none."""
        if self.rule is None:
            return Judgements.none(self.id)
        return Judgements.of(self.id, self.rule(book, pack, None))

    def explain(
        self, book: FactBook, pack: Pack, subject: str, item: str = "season", language: str = "zh"
    ) -> Explanation:
        """Run the same rule on one subject's facts with its trace on; the result that is explained comes from that very run.

        Raises NoSuchJudgementError when the facts give no such judgement.
        """
        if self.rule is None:
            raise NoSuchJudgementError(self.id, subject, item)
        for scope in self.scopes:
            trace = Trace(item=item)
            one = book.for_subject(SCOPE_LEVEL[scope], subject)
            frame = Judgements.of(self.id, self.rule(one, pack, trace)).frame
            rows = frame.filter((pl.col("subject") == subject) & (pl.col("item") == item))
            if rows.height:
                found = rows.row(0, named=True)
                return Explanation(
                    clause=self.id,
                    subject=subject,
                    item=item,
                    language=language,
                    verdict=found["verdict"],
                    amount_fen=found["amount_fen"],
                    sentence=trace.sentences.get(language, ""),
                    steps=tuple(step.told_in(language) for step in trace.steps),
                    pack=pack.name,
                    pack_version=pack.version,
                )
        raise NoSuchJudgementError(self.id, subject, item)
