"""Rounds of a patrol route: stretches of `every_days` local days, one after the other, in each of which every point has to be looked at.

Days are numbers since 1970-01-01 in Asia/Shanghai. A round that its route, or the season, cuts short is not asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Round:
    """`first` and `last` are both days of the round."""

    first: int
    last: int

    def holds(self, day: int) -> bool:
        return self.first <= day <= self.last


def rounds(first: int, last: int | None, every_days: int, until: int) -> Iterator[Round]:
    """The rounds that have begun by the day `until`, oldest first; `last` is the last day of the route, None: goes on.

    >>> [(each.first, each.last) for each in rounds(100, None, 7, 115)]
    [(100, 106), (107, 113), (114, 120)]
    >>> [(each.first, each.last) for each in rounds(100, 110, 7, 115)]
    [(100, 106)]
    """
    begin = first
    while begin <= until and (last is None or begin + every_days - 1 <= last):
        yield Round(begin, begin + every_days - 1)
        begin += every_days


def round_of(first: int, last: int | None, every_days: int, day: int) -> Round | None:
    """The round that a day lies in.

    >>> round_of(100, None, 7, 113), round_of(100, None, 7, 99)
    (Round(first=107, last=113), None)
    """
    if day < first:
        return None
    begin = first + (day - first) // every_days * every_days
    end = begin + every_days - 1
    return None if last is not None and end > last else Round(begin, end)


def counts_in(turn: Round, since: int | None, until: int | None) -> bool:
    """Whether a point that stands from one day to another belongs to a round: it must have been there all the while."""
    return (since is None or since <= turn.first) and (until is None or until >= turn.last)
