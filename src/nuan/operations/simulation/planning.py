"""When which device reports. Two ways: each kind at its own interval at a chosen speed, or everybody in turn at a chosen rate."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from nuan.operations.simulation.fleet import Fleet, SimDevice

INTERVAL_S = {"room": 1200, "station": 60, "meter": 900}
"""What is usual: rooms every 20 minutes, stations every minute, meters every quarter of an hour."""


class PaceError(ValueError):
    """A rate that the fleet cannot play."""


@dataclass
class AtSpeed:
    """Simulated time runs `speed` times as fast, from `start_s` on; a device reports at its own second of its interval."""

    fleet: Fleet
    start_s: int
    speed: float
    _due: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for device in self.fleet.devices:
            interval = INTERVAL_S[device.kind]
            heapq.heappush(self._due, (self.start_s + device.number * 7_919 % interval, device.number))

    def due(self, elapsed_s: float) -> Iterator[tuple[SimDevice, int]]:
        """(device, its time) up to now, in the order of time."""
        now_s = self.start_s + elapsed_s * self.speed
        while self._due[0][0] <= now_s:
            time_s, number = self._due[0]
            device = self.fleet.devices[number]
            heapq.heapreplace(self._due, (time_s + INTERVAL_S[device.kind], number))
            yield device, time_s


@dataclass
class AtRate:
    """So many readings a second, all devices in turn, each at the true time and never twice in one second."""

    fleet: Fleet
    start_s: int
    rate: float
    _at: int = 0
    _given: float = 0.0

    def __post_init__(self) -> None:
        points = len(self.fleet.series)
        if self.rate * 1.05 > points:
            raise PaceError(
                f"这个车队有 {points} 个测点，每个每秒最多一条：最多 {int(points / 1.05)} 条/秒；请增加 --homes"
            )
        self._last = [0] * len(self.fleet.devices)

    def due(self, elapsed_s: float) -> Iterator[tuple[SimDevice, int]]:
        now_s = int(self.start_s + elapsed_s)
        # after a pause (the machine slept) what was not sent is not made up for
        self._given = max(self._given, (elapsed_s - 1.0) * self.rate)
        looked = 0
        while self._given < elapsed_s * self.rate and looked < len(self.fleet.devices):
            device = self.fleet.devices[self._at]
            self._at = (self._at + 1) % len(self.fleet.devices)
            looked += 1
            if self._last[device.number] < now_s:
                self._last[device.number] = now_s
                self._given += len(device.points)
                yield device, now_s


Plan = AtSpeed | AtRate
