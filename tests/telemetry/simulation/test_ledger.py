"""The sender's book: no order changes it, one reading less or other does, and a torn one is no book."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.simulation.ledger import Difference, Entry, Ledger, LedgerError, compare, read_book

NAMES = ["B1|room_temp|living", "B2|room_temp|living", "H01-S01|flow|room"]
ENTRIES = st.lists(
    st.builds(Entry, st.integers(0, 2), st.integers(0, 2**33), st.integers(-(2**31), 2**31 - 1)),
    max_size=30,
    unique=True,
)


def ledger_of(entries: list[Entry]) -> Ledger:
    ledger = Ledger(list(NAMES))
    ledger.add(entries)
    return ledger


@settings(max_examples=100, deadline=None)
@given(ENTRIES, st.randoms())
def test_no_order_and_no_batching_changes_it(entries: list[Entry], dice: object) -> None:
    shuffled = list(entries)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    one_by_one = Ledger(list(NAMES))
    for entry in shuffled:
        one_by_one.add([entry])
    assert one_by_one.document() == ledger_of(entries).document()


@settings(max_examples=200, deadline=None)
@given(ENTRIES.filter(bool), st.integers(0, 29), st.sampled_from(["lost", "time", "value", "twice"]))
def test_one_reading_lost_changed_or_twice_is_noticed(entries: list[Entry], which: int, what: str) -> None:
    changed = list(entries)
    entry = changed[which % len(changed)]
    if what == "lost":
        changed.remove(entry)
    elif what == "twice":
        changed.append(entry)
    else:
        other = entry._replace(**{"time_s": entry.time_s + 1} if what == "time" else {"value": entry.value ^ 1})
        if other in changed:
            return
        changed[changed.index(entry)] = other
    assert ledger_of(changed).total != ledger_of(entries).total


def test_values_of_two_readings_exchanged_are_noticed() -> None:
    assert ledger_of([Entry(0, 10, 1), Entry(0, 20, 2)]).total != ledger_of([Entry(0, 10, 2), Entry(0, 20, 1)]).total
    assert ledger_of([Entry(0, 10, 1)]).total != ledger_of([Entry(1, 10, 1)]).total


def test_a_book_comes_back_as_it_was_written(tmp_path: Path) -> None:
    ledger = ledger_of([Entry(0, 10, 2000), Entry(2, 30, -5)])
    ledger.left = 3
    ledger.write(tmp_path / "ledger.json")
    book = read_book(tmp_path / "ledger.json")
    assert book.series == {NAMES[0]: ledger.sums(0), NAMES[2]: ledger.sums(2)}
    assert (book.first_s, book.last_s, book.left) == (10, 30, 3)


def test_a_torn_or_altered_book_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    ledger_of([Entry(0, 10, 2000)]).write(path)
    whole = path.read_text("utf-8")
    document = json.loads(whole)
    document["readings"] = 2
    for text in (whole[:-5], "[]", json.dumps(document)):
        path.write_text(text, "utf-8")
        with pytest.raises(LedgerError):
            read_book(path)


def test_differences_are_told_by_series(tmp_path: Path) -> None:
    ledger = ledger_of([Entry(0, 10, 1), Entry(0, 20, 2), Entry(1, 10, 1), Entry(2, 10, 7)])
    ledger.write(tmp_path / "ledger.json")
    stored = ledger_of([Entry(0, 10, 1), Entry(1, 10, 1), Entry(1, 11, 1), Entry(2, 10, 8)])
    found = compare(read_book(tmp_path / "ledger.json"), {name: stored.sums(n) for n, name in enumerate(NAMES)})
    assert found == [Difference(NAMES[0], 2, 1), Difference(NAMES[1], 1, 2), Difference(NAMES[2], 1, 1)]
    assert "1 of 2 acknowledged readings are missing" in str(found[0])


def test_columns_and_entries_say_the_same() -> None:
    ledger = Ledger(list(NAMES))
    ledger.add_columns(np.array([0, 2]), np.array([10, 30]), np.array([2000, -5]))
    assert ledger.document() == ledger_of([Entry(2, 30, -5), Entry(0, 10, 2000)]).document()
