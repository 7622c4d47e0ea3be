"""怎么算的: one door for every clause with a rule. Nothing is stored but the judgement; the prose is made again from the facts."""

from nuan.facts.book import FactBook
from nuan.rules.clause import Clause
from nuan.rules.pack import Pack
from nuan.rules.trace import Explanation


def explain(
    clause: Clause, book: FactBook, pack: Pack, subject: str, item: str = "season", language: str = "zh"
) -> Explanation:
    """The steps, the sentence and the amount of one judgement. `book` may hold many subjects; only `subject`'s rows are read."""
    return clause.explain(book, pack, subject, item, language)
