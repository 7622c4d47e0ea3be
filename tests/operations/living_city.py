"""The small city with devices: readings go in by the live table, the clock goes on by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from nuan.operations.alarm_tick import TickReport, alarm_tick
from nuan.operations.live import push_live
from nuan.records.monitoring.models import Alarm
from nuan.telemetry.live import LiveTable
from nuan.telemetry.series import SeriesKey, SeriesTable
from nuan.terms.quantities import to_fixed
from small_city import AS_OF

HOMES = [f"B00{building}-1-0{door}01" for building in (1, 2, 3, 4) for door in (1, 2, 3)]
STATIONS = ["H01-S01", "H01-S02", "H02-S03", "H02-S04"]


@dataclass
class Living:
    """Values by (place, quantity); a `minute` sends all of them and lets the engine tick."""

    now: datetime = AS_OF
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    flags: dict[tuple[str, str], int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    names: SeriesTable = field(default_factory=SeriesTable)
    table: LiveTable = field(default_factory=LiveTable)
    sent: int = 0

    @classmethod
    def warm(cls) -> "Living":
        city = cls()
        for station in STATIONS:
            city.values |= {(station, "supply_temp"): 45.0, (station, "flow"): 40.0, (station, "pressure"): 4.0}
        city.values |= {(home, "room_temp"): 20.5 for home in HOMES}
        return city

    def minute(self, minutes: int = 1) -> TickReport:
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            self.send()
            report = alarm_tick(self.now)
        return report

    def jump(self, hours: float) -> TickReport:
        """Time passes, everybody who is not silent reports once at its end."""
        self.now += timedelta(hours=hours)
        self.send()
        return alarm_tick(self.now)

    def send(self) -> None:
        keys = [key for key in self.values if key[0] not in self.silent]
        if not keys:
            return
        series = [SeriesKey(*key) for key in keys]
        self.names.add(series)
        now = int(self.now.timestamp())
        self.table.update(
            np.array([self.names.get(each) for each in series], np.uint32),
            np.full(len(keys), now - 2),
            np.array([to_fixed(quantity, self.values[place, quantity]) for place, quantity in keys], np.int32),
            np.array([self.flags.get(key, 0) for key in keys], np.uint8),
            now,
        )
        changes = self.table.changed_since(self.sent)
        push_live(changes, self.names)
        self.sent = changes.tick

    def open(self, **which: object) -> list[tuple[str, str, str]]:
        """(code, place, state) of what is open and stands for itself."""
        rows = Alarm.objects.filter(closed_at=None, parent=None, **which).order_by("place", "code")
        return [
            (a.code, a.place, f"{'active' if a.active else 'cleared'}{' ack' if a.acknowledged else ''}") for a in rows
        ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
