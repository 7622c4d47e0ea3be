"""A series is one measured point: place, quantity, position. In the store it is a small number."""

from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

BUCKETS = 64


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """`SeriesKey("B0042-1-0301", "room_temp", "living")`."""

    place: str
    quantity: str
    position: str = ""

    @property
    def text(self) -> str:
        return f"{self.place}|{self.quantity}|{self.position}"

    @classmethod
    def parse(cls, text: str) -> "SeriesKey":
        place, quantity, position = text.split("|")
        return cls(place, quantity, position)


def bucket_of(place: str) -> int:
    """Which of the `BUCKETS` a place falls into; the same on every machine."""
    return crc32(place.encode()) % BUCKETS


class SeriesTable:
    """Keys ↔ ids, in order of first sight."""

    def __init__(self, keys: Iterable[SeriesKey] = ()) -> None:
        self.keys: list[SeriesKey] = []
        self._ids: dict[SeriesKey, int] = {}
        self.add(keys)

    def add(self, keys: Iterable[SeriesKey]) -> list[SeriesKey]:
        """Those of `keys` that were new."""
        new: list[SeriesKey] = []
        for key in keys:
            if key not in self._ids:
                self._ids[key] = len(self.keys)
                self.keys.append(key)
                new.append(key)
        return new

    def get(self, key: SeriesKey) -> int | None:
        return self._ids.get(key)

    def of_place(self, place: str, quantity: str) -> list[int]:
        """Ids of all positions of a place; few places have more than a handful."""
        return [i for i, key in enumerate(self.keys) if key.place == place and key.quantity == quantity]

    def __len__(self) -> int:
        return len(self.keys)
