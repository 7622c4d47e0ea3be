"""What a worker saw of each gateway since it started: counts, the newest times, the clock. The folder process adds workers up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake.clock_offset import ClockOffsetEstimator
from nuan.telemetry.readings import UNTRUSTED, Flag, ReadingBatch


@dataclass(slots=True)
class GatewayPage:
    """Of one gateway."""

    last_seen_s: int = 0
    newest_s: int = 0
    messages: int = 0
    readings: int = 0
    untrusted: int = 0
    late: int = 0
    letters: int = 0
    clock: ClockOffsetEstimator = field(default_factory=ClockOffsetEstimator)

    def heard(self, arrival_s: int, device_s: int | None) -> None:
        """One message; `device_s` is the newest time in it, None where the device gave none."""
        self.messages += 1
        self.last_seen_s = arrival_s
        if device_s is not None:
            self.newest_s = max(self.newest_s, min(device_s, arrival_s))
            self.clock.add(arrival_s=arrival_s, device_s=device_s)

    def as_dict(self) -> dict[str, Any]:
        clock = self.clock.estimate()
        counts = ("last_seen_s", "newest_s", "messages", "readings", "untrusted", "late", "letters")
        return {name: getattr(self, name) for name in counts} | {
            "clock": None if clock is None else [clock.offset_s, clock.spread_s]
        }


class GatewayBook:
    """Pages by gateway; only gateways of the directory get one, so that strangers cannot make it grow."""

    def __init__(self) -> None:
        self.pages: dict[str, GatewayPage] = {}
        self._numbers: dict[str, int] = {}
        self._owner: NDArray[np.int32] = np.full(1024, -1, np.int32)

    def page(self, gateway: str) -> GatewayPage:
        page = self.pages.get(gateway)
        if page is None:
            page = self.pages[gateway] = GatewayPage()
        return page

    def own(self, gateways: Sequence[str], series: NDArray[np.uint32]) -> None:
        """From now on readings of these series of the lane count for these gateways."""
        most = int(series.max(initial=0)) + 1
        if most > len(self._owner):
            more = np.full(max(most, 2 * len(self._owner)) - len(self._owner), -1, np.int32)
            self._owner = np.concatenate([self._owner, more])
        for gateway, number in zip(gateways, series.tolist(), strict=True):
            self._owner[number] = self._numbers.setdefault(gateway, len(self._numbers))

    def stored(self, batch: ReadingBatch, arrival_s: int) -> None:
        """Readings that are on disk: the hook after the commit, for all ways in alike."""
        if not len(self._numbers) or int(batch.series.max(initial=0)) >= len(self._owner):
            return
        whose = self._owner[batch.series]
        known = whose >= 0
        wrong, late = (batch.flags & np.uint8(UNTRUSTED)) != 0, (batch.flags & np.uint8(Flag.LATE)) != 0
        counts = [np.bincount(whose[known & some], minlength=len(self._numbers)) for some in (known, wrong, late)]
        for gateway, number in list(self._numbers.items()):
            if number < len(counts[0]) and counts[0][number]:
                page = self.page(gateway)
                page.readings += int(counts[0][number])
                page.untrusted += int(counts[1][number])
                page.late += int(counts[2][number])

    def as_dict(self) -> dict[str, Any]:
        return {code: page.as_dict() for code, page in list(self.pages.items())}
