"""One file and its mapping → readings of named points in fixed point, and findings. Nothing is written here."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.files.collecting import Collector
from nuan.telemetry.files.mapping import Mapping
from nuan.telemetry.files.pieces import pieces
from nuan.telemetry.files.problems import problem
from nuan.telemetry.quality import flag, flag_series
from nuan.telemetry.readings import Flag
from nuan.telemetry.series import SeriesKey
from nuan.terms.findings import Finding
from nuan.terms.quantities import QUANTITIES, UNITS, quantity

Progress = Callable[[int, int], None]
"""Called with bytes read and bytes in all."""
History = Callable[[SeriesKey, int, int], tuple[NDArray[np.int64], NDArray[np.int32]]]
"""Times and values already known of a series in a span of epoch seconds; empty where it is new."""
MOST_READINGS = 16_000_000
"""What the store takes in one durable piece, with room to spare."""
LEADING_SHARE = 3
"""History is asked for when a value stands for a third of the stuck window from the file's start: few healthy sensors do."""
FEWEST_FOR_A_GUESS = 3


@dataclass(frozen=True)
class FileReadings:
    """`series` indexes `keys`; rows are sorted by series and time. With a finding of severity error nothing may be used."""

    keys: list[SeriesKey]
    series: NDArray[np.uint32]
    time_s: NDArray[np.int64]
    value: NDArray[np.int32]
    flags: NDArray[np.uint8]
    rows: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def read_file(
    path: Path,
    mapping: Mapping,
    *,
    places: Container[str] | None = None,
    arrival_s: int | None = None,
    history: History | None = None,
    progress: Progress | None = None,
) -> FileReadings:
    """All readings of a file, flagged. Reads on after a fault, to tell all.

    `places`: the registered codes (None: not checked). `history`: asked for what came before the file where a value stands still from
    its beginning on, so that a sensor that died in yesterday's file is stuck in today's.
    """
    kind = mapping.of(path)
    if kind is None:
        return _nothing([problem("no_mapping", path.name)])
    file = Collector(path, kind, places)
    checked = False
    for piece in pieces(path, kind, file.findings):
        if not checked and not file.check_headers(piece.frame.columns):
            break
        checked = True
        file.take(piece.frame, piece.rows)
        if progress is not None:
            progress(piece.read, piece.size)
        if file.readings > MOST_READINGS:
            file.findings.add("too_many", count=file.readings)
            break
    if not file.rows and not file.findings.refused:
        file.findings.add("empty_file")
    return _finish(file, arrival_s, history)


def _nothing(findings: list[Finding]) -> FileReadings:
    none = np.zeros(0, np.int64)
    return FileReadings([], none.astype(np.uint32), none, none.astype(np.int32), none.astype(np.uint8), 0, findings)


_SAYS = {
    Flag.OUT_OF_RANGE: "out_of_range",
    Flag.STUCK: "stuck",
    Flag.JUMP: "jump",
    Flag.FUTURE: "future",
    Flag.MISSING: "missing_mark",
}


def _finish(file: Collector, arrival_s: int | None, history: History | None) -> FileReadings:
    """Flag by quantity, tell what was flagged, and give the readings sorted by series and time."""
    if not file.parts:
        return _nothing(file.findings.found)
    columns: list[tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]] = []
    keys = list(file.keys)
    for what in sorted({part[0] for part in file.parts}):
        mine = [part for part in file.parts if part[0] == what]
        series, times, values, rows = (np.concatenate([part[n] for part in mine]) for n in (1, 2, 3, 4))
        order = np.lexsort((rows, times, series))
        series, times, values, rows = series[order], times[order], values[order], rows[order]
        same = (series[1:] == series[:-1]) & (times[1:] == times[:-1])
        differs = np.flatnonzero(same & (values[1:] != values[:-1]))
        keep = np.ones(len(series), bool)
        keep[1:] = ~(same & (values[1:] == values[:-1]))
        for n in differs[:5]:
            header = file.headers[int(series[n])]
            more = max(len(differs) - 4, 1) if n == differs[:5][-1] else 1
            file.findings.add(
                "double", row=int(rows[n + 1]), field=header, value=_shown(what, int(values[n + 1])), count=more
            )
        series, times, values, rows = series[keep], times[keep], values[keep], rows[keep]
        step_s = _step(series, times)
        flags = flag_series(series, times, values, what, step_s, arrival_s)
        if history is not None and quantity(what).stuck_hours is not None:
            _stuck_since_before(keys, what, step_s, series, times, values, flags, history)
        flags[file.marks[series] & (values == 0)] |= np.uint8(Flag.MISSING)
        _wrong_units(file, what, series, values, rows)
        _tell(file, what, series, values, flags, rows)
        columns.append((series, times, values, flags))
    series, times, values, flags = (np.concatenate([column[n] for column in columns]) for n in range(4))
    order = np.lexsort((times, series))
    return FileReadings(
        keys, series[order], times[order], values[order], flags[order], file.rows, file.findings.found
    )  # fmt: skip


def _stuck_since_before(
    keys: list[SeriesKey], what: str, step_s: int, series: NDArray[np.uint32], times: NDArray[np.int64],
    values: NDArray[np.int32], flags: NDArray[np.uint8], history: History,
) -> None:  # fmt: skip
    """Mark as stuck what stands still from the start of the file and stood still before it. Readings sorted by series and time."""
    window_s = (quantity(what).stuck_hours or 0) * 3600
    edges = (
        np.flatnonzero(np.concatenate(([True], series[1:] != series[:-1], [True]))) if len(series) else np.zeros(1, int)
    )
    for start, end in pairwise(edges.tolist()):
        other = np.flatnonzero(values[start:end] != values[start])
        stop = int(start + other[0]) if len(other) else int(end)
        if flags[start] & Flag.STUCK or times[stop - 1] - times[start] < window_s // LEADING_SHARE:
            continue
        before_t, before_v = history(keys[int(series[start])], int(times[start]) - 2 * window_s, int(times[start]))
        if len(before_t) and before_v[-1] == values[start]:
            joined = flag(
                np.concatenate((before_t, times[start:end])),
                np.concatenate((before_v, values[start:end])),
                what,
                step_s,
            )
            flags[start:end] |= joined[len(before_t) :] & np.uint8(Flag.STUCK)


def _step(series: NDArray[np.uint32], times: NDArray[np.int64]) -> int:
    """The usual distance of readings: the median within series."""
    gaps = np.diff(times)[series[1:] == series[:-1]]
    gaps = gaps[gaps > 0]
    return int(np.median(gaps)) if len(gaps) else 3600


def _shown(what: str, value: int) -> str:
    q = QUANTITIES[what]
    return f"{float(value * q.resolution):g} {q.unit}"


def _tell(
    file: Collector, what: str, series: NDArray[np.uint32], values: NDArray[np.int32], flags: NDArray[np.uint8],
    rows: NDArray[np.int64],
) -> None:  # fmt: skip
    """One finding for each kind of flag and column: the first row and how many."""
    for bit, code in _SAYS.items():
        hit = np.flatnonzero(flags & np.uint8(bit))
        headers, first, counts = np.unique(file.header_of[series[hit]], return_index=True, return_counts=True)
        for header, at, count in zip(headers, hit[first], counts, strict=True):
            file.findings.add(
                code,
                row=int(rows[at]),
                field=file.headers[header],
                value=_shown(what, int(values[at])),
                count=int(count),
            )


def _wrong_units(
    file: Collector, what: str, series: NDArray[np.uint32], values: NDArray[np.int32], rows: NDArray[np.int64]
) -> None:
    """Most values of a column outside the range, and inside it in another unit: then the unit is wrong, not the sensor."""
    q = QUANTITIES[what]
    low, high = int(q.low / q.resolution), int(q.high / q.resolution)
    headers = file.header_of[series]
    for header in np.unique(headers):
        live = np.flatnonzero((headers == header) & (values != 0))
        outside = live[(values[live] < low) | (values[live] > high)]
        if len(live) < FEWEST_FOR_A_GUESS or len(outside) * 2 <= len(live):
            continue
        middle = float(np.median(values[live]))
        guesses = [
            unit
            for unit, (kind, offset, factor) in UNITS.items()
            if kind == q.unit
            and not (factor == 1 and offset == 0)
            and low <= (middle + float(offset / q.resolution)) * float(factor) <= high
        ]
        if guesses:
            at = outside[0]
            file.findings.add(
                "wrong_unit", row=int(rows[at]), field=file.headers[header], value=_shown(what, int(values[at])),
                count=len(outside), hint_zh=f"看起来像 {'、'.join(guesses[:3])}。",
            )  # fmt: skip
