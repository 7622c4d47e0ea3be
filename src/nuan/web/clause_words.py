"""The clauses as the pages name them: number, title, section, quotation, and what stands in an empty cell."""

from dataclasses import dataclass

from django.http import Http404

from nuan.records.supervision.models import BoardCell


@dataclass(frozen=True)
class ClauseWords:
    id: str
    title: str
    section: str
    quotation: str
    kind: str
    status_word: str


def clause_rows() -> list[ClauseWords]:
    """Every clause in the order of the text."""
    return [words_of(key) for key in sorted(set(BoardCell.objects.values_list("clause", flat=True)))]


def words_of(key: str) -> ClauseWords:
    return ClauseWords(key, key, "", "", "", "暂无判定")


def words_or_404(key: str) -> ClauseWords:
    for words in clause_rows():
        if words.id == key:
            return words
    raise Http404
