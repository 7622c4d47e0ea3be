"""Readings as columns, and the flags that travel with them to the pixel."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray


class Flag(IntFlag):
    """What is known against a reading. A reading is *trusted* when none of `UNTRUSTED` is set."""

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
GAP = -32768
"""In dense tiles of int16: no trusted reading in this hour."""


@dataclass(frozen=True)
class ReadingBatch:
    """`series` uint32[n], `time_s` int64[n] (UTC epoch), `value` int32[n] (fixed-point), `flags` uint8[n], `revision` uint8[n].

    `revision` 0 is the first report of a point in time; a correction has a higher one.
    """

    series: NDArray[np.uint32]
    time_s: NDArray[np.int64]
    value: NDArray[np.int32]
    flags: NDArray[np.uint8]
    revision: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        series: NDArray[np.uint32] | int,
        time_s: NDArray[np.int64],
        value: NDArray[np.int32],
        flags: NDArray[np.uint8] | int = 0,
        revision: int = 0,
    ) -> "ReadingBatch":
        """Fill scalars up to columns and hold the types."""
        rows = len(time_s)
        return cls(
            np.full(rows, series, np.uint32) if isinstance(series, int) else series.astype(np.uint32, copy=False),
            time_s.astype(np.int64, copy=False),
            value.astype(np.int32, copy=False),
            np.full(rows, flags, np.uint8) if isinstance(flags, int) else flags.astype(np.uint8, copy=False),
            np.full(rows, revision, np.uint8),
        )

    def __len__(self) -> int:
        return len(self.time_s)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "ReadingBatch":
        return ReadingBatch(*(column[which] for column in self.columns))

    @property
    def columns(
        self,
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint8]]:
        return self.series, self.time_s, self.value, self.flags, self.revision

    @staticmethod
    def concat(batches: "list[ReadingBatch]") -> "ReadingBatch":
        if not batches:
            return ReadingBatch.of(0, np.zeros(0, np.int64), np.zeros(0, np.int32))
        return ReadingBatch(
            np.concatenate([b.series for b in batches]),
            np.concatenate([b.time_s for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.flags for b in batches]),
            np.concatenate([b.revision for b in batches]),
        )

    def newest(self) -> "tuple[ReadingBatch, ReadingBatch]":
        """(the one reading that holds for each series and time, the readings it supersedes), both sorted by series and time.

        A higher revision wins, then a trusted reading over an untrusted one, then the larger value: the result depends on the set
        of readings, never on their order.
        """
        trusted = (self.flags & UNTRUSTED) == 0
        order = np.lexsort((self.value, trusted, self.revision, self.time_s, self.series))
        ordered = self.take(order)
        last = np.ones(len(self), dtype=bool)
        same = (ordered.series[1:] == ordered.series[:-1]) & (ordered.time_s[1:] == ordered.time_s[:-1])
        last[:-1] = ~same
        follower = np.minimum(np.arange(len(self)) + 1, max(len(self) - 1, 0))
        identical = (
            ~last & (ordered.value == ordered.value[follower]) & (ordered.revision == ordered.revision[follower])
        )
        return ordered.take(last), ordered.take(~last & ~identical)
