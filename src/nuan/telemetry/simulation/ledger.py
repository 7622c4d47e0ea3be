"""The sender's own book: of each series how many readings were acknowledged, and a sum that no order changes.

A reading is hashed to 128 bits from its series' name, its time and its value in steps; the sum is taken modulo 2⁶⁴ in two halves. Equal
counts and equal sums say that the store holds exactly what was acknowledged, each once; the book itself carries a digest of its text.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

VERSION = 1


class LedgerError(ValueError):
    """A book that is torn, or was written by something else."""


class Entry(NamedTuple):
    """An acknowledged reading: number of its series in the book, UTC epoch seconds, value in steps of the quantity."""

    series: int
    time_s: int
    value: int


class Sums(NamedTuple):
    """Of one series."""

    readings: int
    low: int
    high: int

    @property
    def text(self) -> str:
        return f"{self.high:016x}{self.low:016x}"


@nb.njit(cache=True, nogil=True)
def _mix(x):  # type: ignore[no-untyped-def]
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@nb.njit(cache=True, nogil=True)
def _add(counts, sums, hashes, series, time_s, value):  # type: ignore[no-untyped-def]
    for row in range(series.shape[0]):
        k = series[row]
        t = np.uint64(time_s[row]) * np.uint64(0x9E3779B97F4A7C15)
        v = np.uint64(np.int64(value[row])) * np.uint64(0xD1B54A32D192ED03)
        counts[k] += 1
        for half in range(2):
            sums[k, half] += _mix(_mix(hashes[k, half] ^ t) ^ v)


def name_hash(series: str) -> tuple[int, int]:
    digest = blake2b(series.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


@dataclass
class Ledger:
    """Of the series named. `add` what was acknowledged; `left` is what the sender still held when it stopped.

    >>> one, other = Ledger(["B1|room_temp|living"]), Ledger(["B1|room_temp|living"])
    >>> one.add([Entry(0, 10, 2000), Entry(0, 20, 2010)]); other.add([Entry(0, 20, 2010), Entry(0, 10, 2000)])
    >>> one.total == other.total, one.total.readings
    (True, 2)
    """

    names: list[str]
    first_s: int | None = None
    last_s: int | None = None
    left: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._hashes = np.array([name_hash(name) for name in self.names], np.uint64).reshape(len(self.names), 2)
        self._counts = np.zeros(len(self.names), np.int64)
        self._sums = np.zeros((len(self.names), 2), np.uint64)

    def add(self, entries: Sequence[Entry]) -> None:
        if entries:
            table = np.array(entries, np.int64)
            self.add_columns(table[:, 0], table[:, 1], table[:, 2])

    def add_columns(self, series: NDArray[np.int64], time_s: NDArray[np.int64], value: NDArray[np.int64]) -> None:
        if len(series):
            _add(self._counts, self._sums, self._hashes, series, time_s, value)
            low, high = int(time_s.min()), int(time_s.max())
            self.first_s = low if self.first_s is None else min(self.first_s, low)
            self.last_s = high if self.last_s is None else max(self.last_s, high)

    def sums(self, series: int) -> Sums:
        return Sums(int(self._counts[series]), int(self._sums[series, 0]), int(self._sums[series, 1]))

    @property
    def total(self) -> Sums:
        low, high = self._sums.sum(axis=0, dtype=np.uint64)
        return Sums(int(self._counts.sum()), int(low), int(high))

    def document(self) -> dict[str, Any]:
        series = {
            name: [self.sums(number).readings, self.sums(number).text]
            for number, name in enumerate(self.names)
            if self._counts[number]
        }
        body = {
            "version": VERSION, "readings": self.total.readings, "sum": self.total.text, "first_s": self.first_s, "last_s": self.last_s,
            "left": self.left, **self.facts, "series": series,
        }  # fmt: skip
        return {**body, "digest": _digest(body)}

    def write(self, path: Path) -> None:
        """Whole or not at all: a book that was being written when the lights went out is the one before."""
        new = path.with_name(f".{path.name}.new")
        new.write_text(json.dumps(self.document(), ensure_ascii=False), "utf-8")
        new.replace(path)


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Book:
    """A ledger as it lies on disk."""

    series: Mapping[str, Sums]
    first_s: int
    last_s: int
    left: int
    facts: Mapping[str, Any]


def read_book(path: Path) -> Book:
    try:
        document = json.loads(path.read_text("utf-8"))
        digest = document.pop("digest")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise LedgerError(f"{path.name} is no ledger: {error}") from None
    if digest != _digest(document) or document.get("version") != VERSION:
        raise LedgerError(f"{path.name}: the text does not fit its digest")
    series = {
        name: Sums(count, int(text[16:], 16), int(text[:16], 16)) for name, (count, text) in document["series"].items()
    }
    facts = {key: value for key, value in document.items() if key not in ("series", "version")}
    return Book(series, document["first_s"] or 0, document["last_s"] or 0, document["left"], facts)


@dataclass(frozen=True, slots=True)
class Difference:
    """A series whose readings in the store are not those of the book."""

    series: str
    acknowledged: int
    stored: int

    def __str__(self) -> str:
        if self.stored < self.acknowledged:
            return f"{self.series}: {self.acknowledged - self.stored} of {self.acknowledged} acknowledged readings are missing"
        if self.stored > self.acknowledged:
            return f"{self.series}: {self.stored} readings, {self.acknowledged} were acknowledged"
        return f"{self.series}: as many readings as acknowledged ({self.stored}), but others"


def compare(book: Book, stored: Mapping[str, Sums]) -> list[Difference]:
    """`stored` by series name, of the book's span of time."""
    found = []
    for name, wanted in book.series.items():
        there = stored.get(name, Sums(0, 0, 0))
        if there != wanted:
            found.append(Difference(name, wanted.readings, there.readings))
    return found
