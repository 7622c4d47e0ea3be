"""A series is one measured point: place, quantity, position. In the store it is a small number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nuan.terms.quantities import quantity

BUCKETS = 64


class SeriesTextError(ValueError):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"“{text}” is no series; a series is place|quantity|position, e.g. B0042-1-0301|room_temp|living"
        )


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """`place` is a registry code, `quantity` a key of `terms.quantities`, `position` a word such as room, living, supply, return.

    >>> str(SeriesKey("B0042-1-0301", "room_temp", "living"))
    'B0042-1-0301|room_temp|living'
    """

    place: str
    quantity: str
    position: str = "room"

    def __post_init__(self) -> None:
        quantity(self.quantity)
        for part in (self.place, self.position):
            if not part or "|" in part or "\n" in part or "\t" in part:
                raise SeriesTextError(str(self))

    def __str__(self) -> str:
        return f"{self.place}|{self.quantity}|{self.position}"

    @classmethod
    def parse(cls, text: str) -> Self:
        parts = text.split("|")
        if len(parts) != 3:
            raise SeriesTextError(text)
        return cls(*parts)


def bucket_of(place: str, buckets: int = BUCKETS) -> int:
    """The bucket of a place: all series of one home lie together. Stable for ever, because it names folders on disk.

    >>> bucket_of("B0042-1-0301")
    56
    """
    return int.from_bytes(blake2b(place.encode(), digest_size=4).digest(), "little") % buckets


class SeriesTable:
    """Keys ↔ ids, in order of first sight, with the quantity and bucket of each as columns.

    The text index costs about 200 bytes a series and is built only when a key is looked up; reading tiles does not need it.
    """

    def __init__(self, buckets: int = BUCKETS) -> None:
        self.buckets = buckets
        self._texts: list[str] = []
        self._ids: dict[str, int] = {}
        self._quantities: list[str] = []
        self._quantity_code: NDArray[np.int16] = np.empty(0, np.int16)
        self._bucket: NDArray[np.int16] = np.empty(0, np.int16)

    def __len__(self) -> int:
        return len(self._texts)

    def key(self, series_id: int) -> SeriesKey:
        return SeriesKey.parse(self._texts[series_id])

    def get(self, key: SeriesKey) -> int | None:
        self._index()
        return self._ids.get(str(key))

    def add(self, keys: Iterable[SeriesKey | str]) -> int:
        """Ids for those of `keys` (or their texts) that are new, counting on; how many there were."""
        self._index()
        before = len(self._texts)
        for key in keys:
            text = str(key)
            if text not in self._ids:
                self._ids[text] = len(self._texts)
                self._texts.append(text)
        return len(self._texts) - before

    def ids(self, keys: Iterable[SeriesKey | str]) -> NDArray[np.uint32]:
        """Of keys (or their texts) that are all known."""
        self._index()
        return np.array([self._ids[str(key)] for key in keys], np.uint32)

    def cut(self, length: int) -> None:
        """Forget the youngest names down to so many: those that could not be written down."""
        for text in self._texts[length:]:
            self._ids.pop(text, None)
        del self._texts[length:]

    def extend(self, first_id: int, texts: Sequence[str]) -> None:
        """Take over names that the store already gave ids to; those that are known already are passed over."""
        self._texts.extend(texts[max(0, len(self._texts) - first_id) :])

    def texts(self, first_id: int = 0) -> list[str]:
        return self._texts[first_id:]

    def in_bucket(self, quantity_key: str, bucket: int) -> NDArray[np.uint32]:
        """Ids of a quantity in a bucket, ascending."""
        self._columns()
        if quantity_key not in self._quantities:
            return np.empty(0, np.uint32)
        code = self._quantities.index(quantity_key)
        return np.flatnonzero((self._bucket == bucket) & (self._quantity_code == code)).astype(np.uint32)

    def slots(self, ids: NDArray[np.uint32]) -> tuple[NDArray[np.int16], NDArray[np.int16], list[str]]:
        """(quantity code, bucket) of each id, and the names of the codes."""
        self._columns()
        return self._quantity_code[ids], self._bucket[ids], list(self._quantities)

    def find(self, place: str | None = None, quantity_key: str | None = None) -> list[tuple[int, SeriesKey]]:
        """All series of a place, of a quantity, or of both."""
        prefix = "" if place is None else f"{place}|"
        middle = "" if quantity_key is None else f"|{quantity_key}|"
        return [
            (i, SeriesKey.parse(text))
            for i, text in enumerate(self._texts)
            if text.startswith(prefix) and middle in text
        ]

    def places(self, ids: NDArray[np.uint32]) -> tuple[list[str], NDArray[np.int64]]:
        """Distinct places in order of first sight, and for each id the index of its place."""
        index: dict[str, int] = {}
        rows = np.empty(len(ids), np.int64)
        for row, series_id in enumerate(ids.tolist()):
            text = self._texts[series_id]
            rows[row] = index.setdefault(text[: text.index("|")], len(index))
        return list(index), rows

    def _index(self) -> None:
        for series_id in range(len(self._ids), len(self._texts)):
            self._ids[self._texts[series_id]] = series_id

    def _columns(self) -> None:
        done = len(self._bucket)
        if done == len(self._texts):
            return
        codes = {name: code for code, name in enumerate(self._quantities)}
        quantity_code = np.empty(len(self._texts) - done, np.int16)
        bucket = np.empty(len(self._texts) - done, np.int16)
        for row, text in enumerate(self._texts[done:]):
            place, name, _ = text.split("|")
            quantity_code[row] = codes.setdefault(name, len(codes))
            bucket[row] = bucket_of(place, self.buckets)
        # two threads may come here at once: both set the same columns, the length that is tested above last
        self._quantities = list(codes)
        self._quantity_code = np.concatenate([self._quantity_code[:done], quantity_code])
        self._bucket = np.concatenate([self._bucket[:done], bucket])
