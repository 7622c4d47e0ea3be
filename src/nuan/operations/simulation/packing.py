"""Reports → parcels of a gateway: batches in its language, with the faults that a line has."""

import heapq
from collections.abc import Iterator
from itertools import count

from nuan.operations.simulation.fleet import Fleet, SimDevice
from nuan.operations.simulation.outbox import Parcel
from nuan.telemetry.simulation.faults import Faults, damaged
from nuan.telemetry.simulation.ledger import Entry
from nuan.telemetry.simulation.messages import (
    METER_POINTS,
    Report,
    cjt188_message,
    json_message,
    line_message,
    mbus_message,
    thingsboard_message,
)

BATCH = {"line": 400, "thingsboard": 60}
"""Reports in one message, at most; the other languages send one."""
Pair = tuple[SimDevice, Report]


class Packing:
    """`add` reports as they are measured, `parcels` once in a while. Late ones wait here."""

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        self.fleet, self.faults, self.dice = fleet, faults, faults.dice()
        self._ready: dict[str, list[Pair]] = {gateway: [] for gateway in fleet.companies}
        self._late: list[tuple[float, int, Pair]] = []
        self._number = count()

    def add(self, device: SimDevice, report: Report, elapsed_s: float) -> None:
        chance = self.dice.random
        if chance() < self.faults.share("dropout") or not report.values:
            return
        if chance() < self.faults.share("late"):
            until = elapsed_s + chance() * self.faults.seconds("late")
            heapq.heappush(self._late, (until, next(self._number), (device, report)))
        else:
            self._ready[device.gateway].append((device, report))

    def parcels(self, elapsed_s: float, *, all_late: bool = False) -> Iterator[tuple[str, Parcel]]:
        """(gateway, parcel) of all that is ready; with `all_late` nobody waits any longer."""
        while self._late and (all_late or self._late[0][0] <= elapsed_s):
            pair = heapq.heappop(self._late)[2]
            self._ready[pair[0].gateway].append(pair)
        for gateway, pairs in self._ready.items():
            if not pairs:
                continue
            self._ready[gateway] = []
            if self.dice.random() < self.faults.share("disorder"):
                self.dice.shuffle(pairs)  # type: ignore[arg-type]
            size = BATCH.get(pairs[0][0].form, 1)
            for first in range(0, len(pairs), size):
                yield from self._with_faults(gateway, self._parcel(pairs[first : first + size]))

    def _with_faults(self, gateway: str, parcel: Parcel) -> Iterator[tuple[str, Parcel]]:
        yield gateway, parcel
        if self.dice.random() < self.faults.share("duplicate"):
            yield gateway, Parcel(parcel.topic, parcel.payload)
        if self.dice.random() < self.faults.share("garbage"):
            yield gateway, Parcel(parcel.topic, damaged(parcel.payload, self.dice), is_garbage=True)

    def _parcel(self, pairs: list[Pair]) -> Parcel:
        device, report = pairs[0]
        reports = [each for _, each in pairs]
        entries = [entry for pair in pairs for entry in entries_of(*pair)]
        own = f"nuan/{device.gateway}/{device.code}"
        if device.form == "line":
            return Parcel("", line_message(reports), entries)
        if device.form == "thingsboard":
            return Parcel("v1/gateway/telemetry", thingsboard_message(reports), entries)
        if device.form == "json":
            return Parcel(own, json_message(report), entries)
        if device.form == "mbus":
            return Parcel(f"{own}/mbus", mbus_message(report, report.time_s), entries)
        if all(name in report.values for name in METER_POINTS):
            return Parcel(f"{own}/cjt188", cjt188_message(report, report.time_s), entries)
        return Parcel(own, json_message(report), entries)


def entries_of(device: SimDevice, report: Report) -> Iterator[Entry]:
    for number, (name, _) in zip(device.series, device.points, strict=True):
        if name in report.values:
            yield Entry(number, report.time_s, report.values[name][1])
