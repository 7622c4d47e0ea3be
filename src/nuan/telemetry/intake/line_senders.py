"""Lines of one gateway → readings of its series, and what could not be placed as dead letters.

The device is the tag that the gateway's `device_tag` names; the point is `measurement.field` where the device's profile has such a
name, else `field`. Text is resolved in Python once for each new measurement-and-tags, and in machine code ever after.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.intake.directory import Directory, Gateway, Placed, Point
from nuan.telemetry.intake.line_steps import CODES, IGNORED, OK, SLOW, place_fields
from nuan.telemetry.intake.placing import AHEAD_S, BEHIND_S, INT32
from nuan.telemetry.intake.reasons import REASONS
from nuan.telemetry.protocols.details import Particular, said
from nuan.telemetry.protocols.line_protocol.columns import Columns, columns
from nuan.telemetry.protocols.line_protocol.keys import MISS, KeyTable
from nuan.telemetry.protocols.line_protocol.parser import LineProblem, head_of, name_of
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.lanes import PAYLOAD_LIMIT, DeadLetter
from nuan.terms.quantities import quantity

Register = Callable[[Sequence[SeriesKey]], Awaitable[NDArray[np.uint32]]]
Particulars = list[Particular]
_DIGITS = Context(prec=400, traps=[])
"""No float64 has more digits before the point; what stands behind so many changes no step, and costs no time."""
MOST_AT_FAULT = 100_000
"""Lines of one body."""
_EXACT = 1 << 31
"""Numerators and denominators of a scale that the fast path multiplies in int64."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken, or not wholly: its number in the body, why (as a sentence for the sender, and as a code with its
    particulars for the letter), and its bytes."""

    number: int
    code: str
    detail: str
    particulars: Particulars
    payload: bytes

    def __str__(self) -> str:
        return f"line {self.number}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a body holds: readings by lane number, and the lines at fault (in the order of the body)."""

    batch: ReadingBatch
    refused: list[Refused]


class TooManyAtFault(Exception):
    """A body with more lines at fault, or more unknown devices, than are worth keeping one by one. Nothing of it was taken."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} lines are at fault or of devices not seen before; send smaller batches")


class LineSender:
    """What one worker knows of one gateway at one version of the directory; a new version starts a new sender.

    `resolve` first; then `take`, which never waits. Between the two another body of the same gateway may be taken.
    """

    def __init__(self, gateway: Gateway, directory: Directory) -> None:
        self.gateway, self.directory = gateway, directory
        self._table = KeyTable()
        self._most_heads = 4 * gateway.max_series + 10_000
        self._points_by_target: list[Point] = []
        self._targets: dict[Point, int] = {}
        self._series: dict[SeriesKey, int] = {}
        self._columns: NDArray[np.int64] = np.zeros((4, 64), np.int64)
        """By target: number of the series, multiplier, summand, divisor."""
        self._unnumbered: list[Point] = []
        """Points in the table whose series have no number yet: nobody takes a body while there are any."""
        self._learning = asyncio.Lock()

    async def resolve(self, lines: Columns, register: Register) -> NDArray[np.int32]:
        """For each field the number of its point, or a refusal (below −1). New points get their series' numbers from `register`.
        Raises TooManyAtFault."""
        targets = self._table.resolve(lines)
        if not self._unnumbered and not (targets == MISS).any():
            return targets
        async with self._learning:
            await self._learn(lines, self._table.resolve(lines))
            if points := self._unnumbered[:]:
                numbers = await register([point.key for point in points])
                for point, number in zip(points, numbers.tolist(), strict=True):
                    self._series[point.key] = number
                    self._columns[0, self._targets[point]] = number
                self._unnumbered = []
            return self._table.resolve(lines)

    async def _learn(self, lines: Columns, targets: NDArray[np.int32]) -> None:
        """Look up what is unknown, and let others be served meanwhile."""
        if len(self._table) > self._most_heads:
            self._table = KeyTable()  # forgotten, not wrong: the next look-up costs Python's time again
            targets = self._table.resolve(lines)
        unknown = np.unique(lines.line[targets == MISS])
        if len(unknown) > MOST_AT_FAULT:
            raise TooManyAtFault(len(unknown))
        for count, line in enumerate(unknown.tolist()):
            if count % 500 == 499:
                await asyncio.sleep(0)
            head = lines.span(int(lines.head[line]), int(lines.head_end[line]))
            fields = range(int(lines.first_field[line]), int(lines.first_field[line + 1]))
            # in the order sent, in which the next line of this device will come too
            keys = dict.fromkeys(lines.span(int(lines.key[field]), int(lines.key_end[field])) for field in fields)
            self._table.put(head, self._points(head, keys))

    def take(self, lines: Columns, targets: NDArray[np.int32], arrival_s: int) -> Taken:
        """Raises TooManyAtFault."""
        status = np.empty(len(targets), np.uint8)
        series, time_s = np.empty(len(targets), np.uint32), np.empty(len(targets), np.int64)
        value = np.empty(len(targets), np.int32)
        window = arrival_s - BEHIND_S, arrival_s + AHEAD_S
        kept = place_fields(
            lines.line, lines.kind, lines.mantissa, lines.power, lines.time_ns, lines.timed, targets, self._columns,
            arrival_s, *window, status, series, time_s, value,
        )  # fmt: skip
        if kept == len(status) and not len(lines.problems):
            return Taken(ReadingBatch(series, time_s, value, np.zeros(kept, np.uint8)), [])
        for field in np.flatnonzero(status == SLOW).tolist():
            steps = self._exactly(lines, field, int(targets[field]))
            status[field] = OK if steps is not None else CODES.index("value_range")
            value[field] = steps or 0
            kept += steps is not None
        at_fault = len(lines.problems) + len(np.unique(lines.line[status > IGNORED]))
        if at_fault > MOST_AT_FAULT:
            raise TooManyAtFault(at_fault)
        if kept < len(status):
            good = status == OK
            series, time_s, value = series[good], time_s[good], value[good]
        return Taken(
            ReadingBatch(series, time_s, value, np.zeros(len(series), np.uint8)),
            _in_order(self._misplaced(lines, status), map(_broken, lines.line_problems())),
        )

    def _points(self, head: bytes, keys: Iterable[bytes]) -> dict[bytes, int]:
        measurement, tags = head_of(head)
        device = tags.get(self.gateway.device_tag)
        if device is None:
            return dict.fromkeys(keys, -CODES.index("no_device"))
        placed = self.directory.device(self.gateway.code, device)
        if placed is None:
            return dict.fromkeys(keys, -CODES.index("unknown_device"))
        return {key: self._target(placed, f"{measurement}.{name_of(key)}", name_of(key)) for key in keys}

    def _target(self, placed: Placed, full: str, field: str) -> int:
        point = placed.point(full) or placed.point(field)
        if point is None:
            return -IGNORED if placed.ignores(full) or placed.ignores(field) else -CODES.index("unknown_point")
        if point in self._targets:
            return self._targets[point]
        if point.key not in self._series and len(self._series) + len(self._unnumbered) >= self.gateway.max_series:
            return -CODES.index("cardinality")
        target = self._targets[point] = len(self._targets)
        self._points_by_target.append(point)
        if target >= self._columns.shape[1]:
            self._columns = np.concatenate([self._columns, np.zeros_like(self._columns)], axis=1)
        factor, shift = _steps_of(point)
        divisor = math.lcm(factor.denominator, shift.denominator)
        exact = (int(factor * divisor), int(shift * divisor), divisor)
        # a divisor of zero tells the fast path to leave the value to `_exactly`
        self._columns[1:, target] = exact if max(map(abs, exact)) < _EXACT else (0, 0, 0)
        self._unnumbered.append(point)
        return target

    def _exactly(self, lines: Columns, field: int, target: int) -> int | None:
        """A value in steps from its text, where int64 is too small on the way; None where int32 is too small at the end."""
        raw = _DIGITS.create_decimal(
            lines.span(int(lines.text[field]), int(lines.text_end[field])).rstrip(b"iu").decode()
        )
        factor, shift = _steps_of(self._points_by_target[target])
        steps = (Fraction(raw) if raw.adjusted() > -400 else Fraction(0)) * factor + shift
        whole = (2 * abs(steps.numerator) + steps.denominator) // (2 * steps.denominator)
        return None if whole > INT32 else (whole if steps >= 0 else -whole)

    def _misplaced(self, lines: Columns, status: NDArray[np.uint8]) -> list[Refused]:
        """One for each line with a field at fault, by its first one."""
        wrong = np.flatnonzero(status > IGNORED)
        refused = []
        for line, fields in groupby(wrong.tolist(), lambda field: int(lines.line[field])):
            field = next(fields)
            code = CODES[status[field]]
            head = lines.span(int(lines.head[line]), int(lines.head_end[line])).decode()[:120]
            key = lines.span(int(lines.key[field]), int(lines.key_end[field])).decode()[:80]
            payload = lines.span(int(lines.start[line]), int(lines.end[line]))
            sentence = f"{head} {key}: {REASONS[code][1]}"
            refused.append(Refused(int(lines.number[line]), code, sentence, ["at_field", head, key], payload))
        return refused


def _steps_of(point: Point) -> tuple[Fraction, Fraction]:
    """steps = raw × factor + shift."""
    step = quantity(point.key.quantity).resolution
    return point.scale / step, point.offset / step


def _broken(problem: LineProblem) -> Refused:
    sentence = f"column {problem.column}: {problem.fault.en}"
    return Refused(problem.number, "line", sentence, ["fault", problem.column, problem.fault.name], problem.payload)


def _in_order(*kinds: Iterable[Refused]) -> list[Refused]:
    return sorted((one for kind in kinds for one in kind), key=lambda one: one.number)


def warm_up() -> None:
    """Compile the fast path, or load what was compiled, before the first sender waits for it."""
    sender = LineSender(Gateway("", "", "line"), Directory())
    sender._table.put(b"m", {b"f": -IGNORED})
    lines = columns(b"m f=1\nwrong\n")
    sender.take(lines, sender._table.resolve(lines), 0)


def letters(gateway: str, precision: str, arrival_s: int, refused: Sequence[Refused]) -> list[DeadLetter]:
    """The lines as sent, those of one reason together, in letters of at most 256 KiB: each letter is a body that can be sent again.

    The protocol of a letter names the precision of its timestamps: `line/ms`.
    """
    found = []
    for code in dict.fromkeys(one.code for one in refused):
        pack: list[Refused] = []
        size = 0
        for one in [*(one for one in refused if one.code == code), None]:
            if pack and (one is None or size + len(one.payload) + 1 > PAYLOAD_LIMIT):
                detail = said("lines", len(pack), precision, pack[0].number, pack[0].particulars)
                payload = b"\n".join(line.payload for line in pack)
                found.append(DeadLetter(gateway, f"line/{precision}", arrival_s, code, detail, payload))
                pack, size = [], 0
            if one is not None:
                pack.append(one)
                size += len(one.payload) + 1
    return found
