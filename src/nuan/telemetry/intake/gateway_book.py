"""What a worker saw of each gateway since it started: counts, the newest times, the clock. The folder process adds workers up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake.clock_offset import ClockOffsetEstimator
from nuan.telemetry.readings import UNTRUSTED, Flag


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

    def page(self, gateway: str) -> GatewayPage:
        page = self.pages.get(gateway)
        if page is None:
            page = self.pages[gateway] = GatewayPage()
        return page

    def stored(self, origins: Sequence[tuple[str, int]], flags: NDArray[np.uint8]) -> None:
        """Readings that are on disk: (gateway, how many) in the order of their flags."""
        numbers: dict[str, int] = {}
        which = [numbers.setdefault(gateway, len(numbers)) for gateway, _ in origins]
        whose = np.repeat(np.array(which, np.int64), [count for _, count in origins])
        every = np.bincount(whose, minlength=len(numbers))
        untrusted = np.bincount(whose[(flags & np.uint8(UNTRUSTED)) != 0], minlength=len(numbers))
        late = np.bincount(whose[(flags & np.uint8(Flag.LATE)) != 0], minlength=len(numbers))
        for gateway, number in numbers.items():
            page = self.page(gateway)
            page.readings += int(every[number])
            page.untrusted += int(untrusted[number])
            page.late += int(late[number])

    def as_dict(self) -> dict[str, Any]:
        return {code: page.as_dict() for code, page in self.pages.items()}
