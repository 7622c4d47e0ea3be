"""Values of named points → readings of series, in bulk: whose point it is, in which unit, in whole steps of the quantity.

A value counts exactly: what the device wrote, times scale plus offset, rounded half away from zero at the resolution. That is done in
floats for a whole batch; the few values that lie within rounding's reach of a half are done again in fractions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake.directory import Directory
from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.parsed import Number, PointValue
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.terms.quantities import UNITS, quantity

AHEAD_S, BEHIND_S = 86_400, 400 * 86_400
"""运行参数: a device time further ahead of its arrival, or further behind it, is no time; the message waits among the dead letters."""
DISTRUSTED = frozenset({"sensor_fault", "error_state", "overflow", "empty_pipe"})
"""Statuses that take the value's meaning away: it is stored, and flagged as out of range."""
INT32 = 2**31 - 1


class Refused(NamedTuple):
    """A value that has no series, no unit or no time: code of `REFUSALS` and what it is about."""

    code: str
    detail: str


IGNORED = Refused("ignored", "")
"""A name that the device's profile says nobody keeps."""


@dataclass(slots=True)
class _Line:
    """steps = raw × factor + shift, for one point in one unit; and the quantity, to write sentences."""

    key: SeriesKey
    factor: Fraction
    shift: Fraction


class Placer:
    """Of one worker. Not for several threads: each holds its own, or they take turns.

    `add` values as messages are read; `wanting` are series that have no number yet, `given` their numbers; then `take` the batch. What
    `add` refuses it returns; the rest of the message counts.
    """

    def __init__(self, directory: Directory) -> None:
        self._lines: list[_Line] = []
        self._owners: list[str] = []
        self._same: dict[tuple[str, SeriesKey, Fraction, Fraction], int] = {}
        self._factor: list[float] = []
        self._shift: list[float] = []
        self._known: dict[tuple[str, str, str, str | None], int] = {}
        self.limit: list[float] = []
        """Of each line the largest raw value that can be stored; a NaN is not below it."""
        self._series: NDArray[np.uint32] = np.empty(0, np.uint32)
        self._columns: tuple[NDArray[np.float64], NDArray[np.float64]] = (np.empty(0), np.empty(0))
        self.directory = directory
        self._clear()

    def _clear(self) -> None:
        self._line: list[int] = []
        self._time: list[int] = []
        self._raw: list[Number] = []
        self._flagged: list[tuple[int, int]] = []

    def use(self, directory: Directory) -> None:
        """Another edition: what was known of points is asked again."""
        if directory.version != self.directory.version:
            self._known.clear()
        self.directory = directory

    def __len__(self) -> int:
        return len(self._line)

    def line_of(self, gateway: str, device: str, name: str, unit: str | None = None) -> int | Refused:
        """The number under which values of this point are added, or why there is none."""
        key = (gateway, device, name, unit)
        known = self._known.get(key)
        if known is not None:
            return known
        found = self._find(*key)
        if not isinstance(
            found, Refused
        ):  # names that nobody registered are anybody's: remembering them would be a way to fill memory
            self._known[key] = found
        return found

    def wanting(self) -> list[SeriesKey]:
        """Series of new lines, which need a number before `take`."""
        return [line.key for line in self._lines[len(self._series) :]]

    def owners(self) -> list[str]:
        """The gateways of `wanting`."""
        return self._owners[len(self._series) :]

    def given(self, numbers: NDArray[np.uint32]) -> None:
        """The numbers of `wanting`, in that order."""
        self._series = np.concatenate([self._series, numbers.astype(np.uint32, copy=False)])
        self._columns = np.array(self._factor), np.array(self._shift)

    def put(self, line: int, time_s: int, raw: Number, flags: int = 0) -> None:
        """A value of a line; the caller has looked at the time."""
        if flags:
            self._flagged.append((len(self._line), flags))
        self._line.append(line)
        self._time.append(time_s)
        self._raw.append(raw)

    def add(
        self, gateway: str, points: Iterable[PointValue], arrival_s: int, *, stamp_by_arrival: bool = False
    ) -> list[Refused]:
        """Everything that one message says; what could not be placed comes back, each kind once.

        `stamp_by_arrival`: somebody decided that the device's clock is wrong and the arrival counts; such readings are flagged CORRECTED.
        """
        refused: dict[Refused, None] = {}
        for point in points:
            line = self.line_of(gateway, point.device, point.name, point.unit)
            if isinstance(line, Refused):
                if line is not IGNORED:
                    refused[line] = None
                continue
            time_s = arrival_s if point.time_s is None else point.time_s
            wrong, flags = wrong_time(time_s, arrival_s), 0
            if wrong and stamp_by_arrival:
                time_s, flags = arrival_s, int(Flag.CORRECTED)
            elif wrong:
                refused[Refused(wrong, said("ahead", point.device, f"{time_s - arrival_s:+d}"))] = None
                continue
            if point.status and not DISTRUSTED.isdisjoint(point.status):
                flags |= int(Flag.OUT_OF_RANGE)
            value = point.value
            if value is None:
                self.put(line, time_s, 0, flags | int(Flag.MISSING))
            elif _below(value, self.limit[line]):
                self.put(line, time_s, value, flags)
            else:
                refused[Refused("value_range", f"{point.device} {point.name}: {value}"[:120])] = None
        return list(refused)

    def take(self) -> ReadingBatch:
        """What was added since the last time, in that order, in steps; flags of the quality rules come later."""
        if not self._line:
            return ReadingBatch.empty()
        factor, shift = self._columns
        line = np.array(self._line, np.int64)
        exact = np.array([float(raw) for raw in self._raw]) * factor[line] + shift[line]
        flags = np.zeros(len(line), np.uint8)
        for place, flag in self._flagged:
            flags[place] |= flag
        magnitude = np.abs(exact)
        steps = np.copysign(np.floor(magnitude + 0.5), exact)
        near = np.abs(magnitude - np.floor(magnitude) - 0.5) < 1e-12 * (magnitude + 1e6)
        for row in np.flatnonzero(near).tolist():
            steps[row] = self._steps(self._lines[self._line[row]], self._raw[row])
        steps[(flags & int(Flag.MISSING)) != 0] = 0
        batch = ReadingBatch(self._series[line], np.array(self._time, np.int64), steps.astype(np.int32), flags)
        self._clear()
        return batch

    def drop(self) -> None:
        """Forget what was added and not taken."""
        self._clear()

    def _steps(self, line: _Line, raw: Number) -> int:
        """The value in steps, exactly. A float stands for the decimal text that it prints as, which is what the device sent."""
        value = Fraction(raw) if isinstance(raw, int | Fraction | Decimal) else Fraction(repr(raw))
        steps = value * line.factor + line.shift
        whole = (2 * abs(steps.numerator) + steps.denominator) // (2 * steps.denominator)
        return whole if steps >= 0 else -whole

    def _find(self, gateway: str, device: str, name: str, unit: str | None) -> int | Refused:
        placed = self.directory.device(gateway, device)
        if placed is None:
            code = "unknown_device" if self.directory.gateway(gateway) else "unknown_gateway"
            return Refused(code, device[:80] if code == "unknown_device" else gateway[:80])
        point = placed.point(name)
        if point is None:
            return IGNORED if placed.ignores(name) else Refused("unknown_point", f"{device}: {name}"[:160])
        scale, offset = point.scale, point.offset
        if unit is not None:
            target, before, times = UNITS.get(unit, ("", Fraction(0), Fraction(1)))
            if target != quantity(point.key.quantity).unit:
                return Refused("wrong_unit", f"{device} {name}: {unit}"[:160])
            scale, offset = times, before * times
        step = quantity(point.key.quantity).resolution
        line = _Line(point.key, scale / step, offset / step)
        meaning = gateway, line.key, line.factor, line.shift
        if (known := self._same.get(meaning)) is not None:
            return known  # another edition of the directory that says the same of this point
        self._same[meaning] = len(self._lines)
        self._lines.append(line)
        self._owners.append(gateway)
        self._factor.append(float(line.factor))
        self._shift.append(float(line.shift))
        self.limit.append(max(0.0, float((INT32 - abs(line.shift)) / abs(line.factor))))
        return len(self._lines) - 1


def _below(value: Number, limit: float) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value) < limit
    return bool(-limit < value < limit)


def wrong_time(time_s: int, arrival_s: int) -> str:
    """The reason's code, or nothing."""
    if time_s > arrival_s + AHEAD_S:
        return "clock_ahead"
    return "clock_behind" if time_s < arrival_s - BEHIND_S else ""
