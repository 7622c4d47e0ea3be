"""Ledger against store: every acknowledged reading is there, once, with its value."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nuan.telemetry.series import SeriesKey
from nuan.telemetry.simulation.ledger import Difference, Ledger, Sums, compare, read_book
from nuan.telemetry.store import Store

SERIES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class CheckReport:
    """`left`: readings that the sender still held when it stopped; some of them may be in the store all the same."""

    acknowledged: int
    stored: int
    left: int
    series: int
    differences: list[Difference]

    @property
    def missing(self) -> int:
        return sum(max(0, each.acknowledged - each.stored) for each in self.differences)

    @property
    def ok(self) -> bool:
        """Exact when the sender had settled everything. Else a series may hold more than the book knows, but never less."""
        if self.left == 0:
            return not self.differences
        return not any(each.stored <= each.acknowledged for each in self.differences)


def check(ledger: Path, root: Path) -> CheckReport:
    """Reads the store as it stands; lanes that nobody has absorbed yet are not in it."""
    book = read_book(ledger)
    store = Store(root)
    stored: dict[str, Sums] = {}
    names = [name for name in book.series if store.series.get(SeriesKey.parse(name)) is not None]
    by_slot = sorted(names, key=lambda name: (name.split("|")[1], name))
    for first in range(0, len(by_slot), SERIES_AT_ONCE):
        stored |= _sums(store, by_slot[first : first + SERIES_AT_ONCE], book.first_s, book.last_s)
    differences = compare(book, stored)
    acknowledged = sum(each.readings for each in book.series.values())
    there = sum(each.readings for each in stored.values())
    return CheckReport(acknowledged, there, book.left, len(book.series), differences)


def _sums(store: Store, names: list[str], first_s: int, last_s: int) -> dict[str, Sums]:
    ids = store.series.ids([SeriesKey.parse(name) for name in names])
    batch = store.read_many(ids, first_s, last_s + 1)
    order = np.argsort(ids)
    rows = order[np.searchsorted(ids[order], batch.series)]
    ledger = Ledger(names)
    ledger.add_columns(rows.astype(np.int64), batch.time_s, batch.value.astype(np.int64))
    return {name: ledger.sums(number) for number, name in enumerate(names)}
