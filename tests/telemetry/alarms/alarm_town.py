"""Two sources, three stations, a few homes and gateways as the engine sees them, with values that a test sets."""

from dataclasses import dataclass, field

import numpy as np

from nuan.telemetry.alarms.conditions import Values, longest_ages, with_wholes
from nuan.telemetry.alarms.definitions import Definition, in_force
from nuan.telemetry.alarms.engine import Memory, Outcome, above, tick
from nuan.telemetry.alarms.points import Points, Watches, watch, with_whole_places
from nuan.telemetry.alarms.trend import MOST, per_hour
from nuan.telemetry.live import NEVER

START = 1_000_000
# place, quantity, level, source, station, gateway
ROWS = [
    ("H1", "primary_supply_temp", "source", "H1", "", ""),
    *((f"S{s}", q, "substation", f"H{1 if s < 3 else 2}", f"S{s}", f"G{s}") for s in (1, 2, 3) for q in ("supply_temp", "flow", "pressure", "setpoint_temp")),
    *((f"B{s}-{h}", "room_temp", "home", f"H{1 if s < 3 else 2}", f"S{s}", "") for s in (1, 2, 3) for h in (1, 2)),
]  # fmt: skip
GOOD = {
    "primary_supply_temp": 8000,
    "supply_temp": 4500,
    "setpoint_temp": 4500,
    "flow": 40_000,
    "pressure": 4000,
    "room_temp": 2000,
}
OFF = {
    "primary_supply_temp": 3000,
    "supply_temp": 2000,
    "setpoint_temp": 4500,
    "flow": 0,
    "pressure": 300,
    "room_temp": 1000,
}


def points() -> Points:
    names = [(place, quantity, "room") for place, quantity, *_ in ROWS]
    columns = [[row[i] for row in ROWS] for i in (2, 3, 4, 5)]
    return with_whole_places(np.arange(1, len(ROWS) + 1), names, columns[0], ["C1"] * len(ROWS), *columns[1:])


@dataclass
class Town:
    """`at` sends all values that are not silent and lets the engine tick; what is open is kept like the records keep it."""

    changes: tuple[Definition, ...] = ()
    points: Points = field(default_factory=points)
    values: dict[tuple[str, str], int] = field(default_factory=lambda: {(p, q): GOOD[q] for p, q, *_ in ROWS})
    samples: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=dict)
    seen: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    silent: set[tuple[str, str]] = field(default_factory=set)
    flags: dict[tuple[str, str], int] = field(default_factory=dict)
    now: int = START
    memory: Memory | None = None

    @property
    def watches(self) -> Watches:
        return watch(self.points, in_force(self.changes))

    def at(self, after_s: int = 60) -> Outcome:
        self.now += after_s
        for key, value in self.values.items():
            if key not in self.silent:
                self.seen[key] = (self.now, value)
                self.samples[key] = [*self.samples.get(key, []), self.seen[key]][-MOST:]
        return self.again()

    def again(self) -> Outcome:
        """Tick without new values."""
        watches = self.watches
        memory = self.memory or Memory.blank(len(watches))
        self.outcome = tick(watches, self.points, self.live(), longest_ages(self.points), memory, self.now)
        self.memory = self.outcome.memory
        return self.outcome

    def live(self) -> Values:
        keys = [(p, q) for p, q, *_ in ROWS]
        seen = [self.seen.get(key, (NEVER, 0)) for key in keys]
        samples = [(row, *each) for row, key in enumerate(keys) for each in self.samples.get(key, [])]
        row, when, what = np.array(samples, np.int64).reshape(-1, 3).T
        time_s = np.array([each[0] for each in seen], np.int64)
        values = Values(
            time_s, time_s, np.array([self.flags.get(key, 0) for key in keys], np.int16), time_s, np.array([each[1] for each in seen], np.int64),
            per_hour(row, when, what, len(keys)),
        )  # fmt: skip
        return with_wholes(values, self.points)

    def name(self, row: int) -> tuple[str, str]:
        watches = self.watches
        return watches.definitions[watches.definition[row]].code, self.points.names[watches.point[row]][0]

    def raised(self) -> set[tuple[str, str]]:
        return {self.name(row) for row in self.outcome.raised.tolist()}

    def standing(self) -> set[tuple[str, str]]:
        """Active alarms that stand for themselves."""
        under = above(self.outcome)
        return {self.name(row) for row in self.outcome.active.tolist() if row not in under}

    def under(self) -> dict[tuple[str, str], tuple[str, str]]:
        return {self.name(row): self.name(over) for row, over in above(self.outcome).items()}
