"""Readings as columns, and the flags that travel with them to the pixel."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Self

import numpy as np
from numpy.typing import NDArray


class Flag(IntFlag):
    """What is known against a reading. A reading is *trusted* when none of `UNTRUSTED` is set.

    MISSING: the sender said that it has no value; `value` is then 0 and means nothing.
    """

    NONE = 0
    MISSING = 1
    STUCK = 2
    OUT_OF_RANGE = 4
    JUMP = 8
    DUPLICATE = 16
    LATE = 32
    CORRECTED = 64
    FUTURE = 128

    @property
    def zh(self) -> str:
        return "、".join(_ZH[flag] for flag in Flag if flag and flag in self) or "正常"


_ZH = {
    Flag.MISSING: "缺测", Flag.STUCK: "卡死", Flag.OUT_OF_RANGE: "超量程", Flag.JUMP: "跳变", Flag.DUPLICATE: "重复",
    Flag.LATE: "迟到", Flag.CORRECTED: "更正", Flag.FUTURE: "时钟超前",
}  # fmt: skip

UNTRUSTED = int(Flag.MISSING | Flag.STUCK | Flag.OUT_OF_RANGE | Flag.JUMP | Flag.FUTURE)
"""A reading with one of these is kept and shown, and counts as no coverage."""
GAP = -32768
"""In dense int16 tiles: no trusted reading in this hour."""
UNKNOWN_DELAY = -(2**31)
"""In `ReadingBatch.delay_s`: when this reading came in was not noted. On disk it is null."""


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """n readings: `series` uint32 ids of the store, `time_s` int64 UTC epoch seconds, `value` int32 fixed-point, `flags` uint8.

    Of two readings of one series and time the one with the higher `rank` (uint8, quality: 0 a device's own report) stands, then the
    higher `revision` (uint16, of the source), then the one acknowledged later. None means 0 for all.
    `delay_s` (int32): when it came in, counted from `time_s`; `UNKNOWN_DELAY` or None where nobody noted it.
    """

    series: NDArray[np.uint32]
    time_s: NDArray[np.int64]
    value: NDArray[np.int32]
    flags: NDArray[np.uint8]
    revision: NDArray[np.uint16] | None = None
    rank: NDArray[np.uint8] | None = None
    delay_s: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        wanted = {"series": np.uint32, "time_s": np.int64, "value": np.int32, "flags": np.uint8}
        wanted |= {"rank": np.uint8} if self.rank is not None else {}
        wanted |= {"revision": np.uint16} if self.revision is not None else {}
        wanted |= {"delay_s": np.int32} if self.delay_s is not None else {}
        for name, dtype in wanted.items():
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != (len(self.series),):
                raise ValueError(
                    f"ReadingBatch.{name} is {column.dtype}{column.shape}, wanted {dtype.__name__} ({len(self.series)},)"
                )

    @classmethod
    def of(
        cls,
        series: NDArray[np.uint32] | int,
        time_s: NDArray[np.int64],
        value: NDArray[np.int32],
        flags: NDArray[np.uint8] | int = 0,
        revision: int = 0,
        rank: int = 0,
    ) -> Self:
        """Fill scalars up to columns and hold the types."""
        rows = len(time_s)
        return cls(
            np.full(rows, series, np.uint32) if isinstance(series, int) else series.astype(np.uint32, copy=False),
            time_s.astype(np.int64, copy=False),
            value.astype(np.int32, copy=False),
            np.full(rows, flags, np.uint8) if isinstance(flags, int) else flags.astype(np.uint8, copy=False),
            np.full(rows, revision, np.uint16),
            np.full(rows, rank, np.uint8),
        )

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8))

    @classmethod
    def concat(cls, batches: Iterable["ReadingBatch"]) -> Self:
        """In the order given, which is the order of arrival."""
        parts = list(batches)
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.time_s for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.flags for part in parts]),
            np.concatenate([part.revisions for part in parts]),
            np.concatenate([part.ranks for part in parts]),
            None if all(part.delay_s is None for part in parts) else np.concatenate([part.delays for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.series)

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_] | slice) -> "ReadingBatch":
        return ReadingBatch(
            self.series[which],
            self.time_s[which],
            self.value[which],
            self.flags[which],
            None if self.revision is None else self.revision[which],
            None if self.rank is None else self.rank[which],
            None if self.delay_s is None else self.delay_s[which],
        )

    def arrived(self, arrival_s: int) -> "ReadingBatch":
        """The same readings with the moment at which all of them came in. A clock that is wrong by 68 years is wrong by 68 years."""
        delay = np.clip(arrival_s - self.time_s, UNKNOWN_DELAY + 1, 2**31 - 1).astype(np.int32)
        return replace(self, delay_s=delay)

    @property
    def revisions(self) -> NDArray[np.uint16]:
        return np.zeros(len(self), np.uint16) if self.revision is None else self.revision

    @property
    def ranks(self) -> NDArray[np.uint8]:
        return np.zeros(len(self), np.uint8) if self.rank is None else self.rank

    @property
    def delays(self) -> NDArray[np.int32]:
        return np.full(len(self), UNKNOWN_DELAY, np.int32) if self.delay_s is None else self.delay_s

    @property
    def trusted(self) -> NDArray[np.bool_]:
        """True where the value may count as coverage."""
        return np.asarray((self.flags & np.uint8(UNTRUSTED)) == 0, np.bool_)
