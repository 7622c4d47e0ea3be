"""One file and its mapping → readings of named points in fixed point, and findings. Nothing is written here."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.telemetry.files.mapping import FileMapping, LongColumns, Mapping, Point
from nuan.telemetry.files.pieces import pieces
from nuan.telemetry.files.problems import Findings, problem
from nuan.telemetry.files.times import epochs
from nuan.telemetry.quality import flag_series
from nuan.telemetry.readings import Flag
from nuan.telemetry.series import SeriesKey
from nuan.terms.findings import Finding
from nuan.terms.quantities import QUANTITIES, UNITS, quantity

Progress = Callable[[int, int], None]
"""Called with bytes read and bytes in all."""
INT32 = np.iinfo(np.int32)
MOST_READINGS = 16_000_000
"""What the store takes in one durable piece, with room to spare."""
FEWEST_FOR_A_GUESS = 3
HALF_STEP_SLACK = 1e-6
"""Decimal halves are not exact as floats; so much of a step is forgiven, so that 17.995 °C is 18.00 as in `terms.to_fixed`."""


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


class _File:
    """The state of reading one file."""

    def __init__(self, path: Path, mapping: FileMapping, places: Container[str] | None) -> None:
        self.path, self.mapping, self.places = path, mapping, places
        self.findings = Findings(path.name)
        self.keys: dict[SeriesKey, int] = {}
        self.parts: list[tuple[str, NDArray[np.uint32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]] = []
        self._zero_marks: list[bool] = []
        self._header_of: list[int] = []
        self.headers: list[str] = []
        self.unknown: set[str] = set()
        self.rows = 0

    def key(self, point: Point, place: str, header: str) -> int:
        key = SeriesKey(
            place if _nameable(place) else "?", point.quantity, point.position or _usual_position(point.quantity)
        )
        if key not in self.keys:
            self.keys[key] = len(self.keys)
            self._zero_marks.append(point.zero_is_missing)
            if header not in self.headers:
                self.headers.append(header)
            self._header_of.append(self.headers.index(header))
            nobody = not _nameable(place) or (self.places is not None and place not in self.places)
            if nobody and place not in self.unknown:
                self.unknown.add(place)
                self.findings.add("unknown_place", field=header, value=place)
        return self.keys[key]

    @property
    def readings(self) -> int:
        return sum(len(part[1]) for part in self.parts)

    @property
    def marks(self) -> NDArray[np.bool_]:
        """By series: whether a zero means none."""
        return np.array(self._zero_marks, dtype=bool)

    @property
    def header_of(self) -> NDArray[np.int64]:
        """By series: the number of its header."""
        return np.array(self._header_of, dtype=np.int64)

    def check_headers(self, headers: list[str]) -> bool:
        mapping = self.mapping
        long = mapping.long
        wanted = [*mapping.time.columns, *mapping.columns]
        if long is not None:
            wanted += [name for name in (long.place, long.value, long.quantity, long.position, long.unit) if name]
        absent = [name for name in wanted if name not in headers]
        for name in absent:
            self.findings.add("missing_column", field=name, hint_zh=f"文件中有：{'、'.join(headers[:12])}。")
        for name in headers:
            if name not in wanted and not mapping.ignores(name):
                self.findings.add("unknown_column", field=name)
        return not absent

    def times(self, frame: pl.DataFrame, first_row: int) -> pl.Series:
        names = self.mapping.time.columns
        cells = frame[names[0]]
        if len(names) > 1:
            cells = frame.select(pl.concat_str([pl.col(name).cast(pl.String) for name in names], separator=" "))[
                names[0]
            ]
        label = "+".join(names)

        def report(code: str, mask: pl.Series) -> None:
            self.report(code, mask, cells, label, first_row)

        return epochs(cells, self.mapping.time, report)

    def report(self, code: str, mask: pl.Series, cells: pl.Series, label: str, first_row: int) -> None:
        rows = mask.fill_null(False).arg_true()
        for n in rows.head(5).to_list():
            value = cells[n]
            self.findings.add(code, row=first_row + n, field=label, value=None if value is None else str(value)[:40])
        if len(rows) > 5:
            self.findings.add(code, field=label, count=len(rows) - 5)

    def numbers(self, cells: pl.Series, label: str, first_row: int) -> pl.Series:
        """Float64; null where the cell says that there is none."""
        if cells.dtype.is_numeric():
            return cells.cast(pl.Float64).replace(float("nan"), None)
        if cells.dtype == pl.Null:
            return cells.cast(pl.Float64)
        text = cells.cast(pl.String)
        if self.mapping.decimal == ",":
            text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        number = text.cast(pl.Float64, strict=False)
        odd = number.is_null() & text.is_not_null()
        if odd.any():
            text = text.str.strip_chars()
            number = pl.select(pl.coalesce(pl.lit(number), pl.lit(text.cast(pl.Float64, strict=False)))).to_series()
            odd = number.is_null() & ~text.str.to_lowercase().is_in(list(self.mapping.missing)) & text.is_not_null()
            if odd.any():
                self.report("not_a_number", odd, cells, label, first_row)
        finite = number.is_finite()
        return pl.select(pl.when(pl.lit(finite)).then(pl.lit(number))).to_series()

    def add(
        self, what: str, series: NDArray[np.uint32], times: NDArray[np.int64], steps: NDArray[np.float64],
        rows: NDArray[np.int64], label: str,
    ) -> None:  # fmt: skip
        """Keep readings of one quantity; `steps` are still unrounded."""
        rounded = np.trunc(steps + np.copysign(0.5 + HALF_STEP_SLACK, steps))
        fits = np.abs(rounded) <= INT32.max
        if not fits.all():
            worst = np.flatnonzero(~fits)
            self.findings.add("too_large", row=int(rows[worst[0]]), field=label, count=len(worst))
        self.parts.append((what, series[fits], times[fits], rounded[fits].astype(np.int32), rows[fits]))

    def take(self, frame: pl.DataFrame, first_row: int) -> None:
        self.rows += frame.height
        blank = frame.select(pl.all_horizontal(pl.all().is_null() | (pl.all().cast(pl.String) == "")))
        filled = ~blank.to_series()
        row_numbers = np.arange(first_row, first_row + frame.height, dtype=np.int64)
        if not filled.all():
            row_numbers = row_numbers[filled.to_numpy()]
            frame = frame.filter(filled)
        if frame.is_empty():
            return
        times = self.times(frame, first_row)
        known = times.is_not_null().to_numpy()
        time_s = times.fill_null(0).cast(pl.Int64).to_numpy()
        if self.mapping.long is None:
            for header, point in self.mapping.columns.items():
                number = self.numbers(frame[header], header, first_row)
                have = known & number.is_not_null().to_numpy()
                steps = number.fill_null(0.0).to_numpy()[have]
                series = np.full(len(steps), self.key(point, point.place, header), np.uint32)
                self.add(point.quantity, series, time_s[have], _in_steps(steps, point), row_numbers[have], header)
        else:
            self.take_long(self.mapping.long, frame, first_row, known, time_s, row_numbers)

    def take_long(
        self, long: LongColumns, frame: pl.DataFrame, first_row: int, known: NDArray[np.bool_],
        time_s: NDArray[np.int64], row_numbers: NDArray[np.int64],
    ) -> None:  # fmt: skip
        number = self.numbers(frame[long.value], long.value, first_row)
        have = pl.Series(known) & number.is_not_null()
        names = [name for name in (long.quantity, long.position, long.unit) if name]
        cells = frame.select(
            pl.col(name).cast(pl.String).str.strip_chars() for name in {long.place: 0, **dict.fromkeys(names, 0)}
        )
        cells = cells.with_columns(pl.Series("_number", number), pl.Series("_row", np.arange(frame.height)))
        cells = cells.filter(have)
        for words, group in cells.group_by(names, maintain_order=True) if names else [((), cells)]:
            said = dict(zip(names, words, strict=True))
            word = str(said[long.quantity] or "") if long.quantity else next(iter(long.quantities))
            at = group["_row"].to_numpy()
            if not len(at):
                continue
            row = int(row_numbers[at[0]])
            point = long.quantities.get(word)
            if point is None:
                self.findings.add("unknown_quantity", row=row, field=long.quantity, value=word, count=len(at))
                continue
            position = str(said[long.position] or "") if long.position else point.position
            unit = str(said[long.unit]) if long.unit and said[long.unit] else point.unit
            if unit is not None and UNITS.get(unit, ("",))[0] != quantity(point.quantity).unit:
                self.findings.add("unknown_unit", row=row, field=long.unit, value=unit, count=len(at))
                continue
            exact = Point(point.place, point.quantity, position, unit, point.scale, point.zero_is_missing)
            places = group[long.place].fill_null("")
            distinct = places.unique(maintain_order=True).to_list()
            ids = pl.Series([self.key(exact, place, long.place) for place in distinct], dtype=pl.UInt32)
            series = places.replace_strict(distinct, ids, return_dtype=pl.UInt32).to_numpy()
            steps = _in_steps(group["_number"].to_numpy(), exact)
            self.add(exact.quantity, series, time_s[at], steps, row_numbers[at], long.value)


@lru_cache(maxsize=256)
def _line(what: str, unit: str | None, scale: float) -> tuple[float, float]:
    """steps = cell × first + second."""
    q = QUANTITIES[what]
    _, offset, factor = UNITS[unit or q.unit]
    return float(factor / q.resolution) * scale, float(offset * factor / q.resolution)


def _nameable(place: str) -> bool:
    return bool(place) and not any(sign in place for sign in "|\n\t")


def _usual_position(what: str) -> str:
    """Where a point is when the mapping does not say: in the room, at the supply or return pipe, else on the site."""
    for part in ("room", "supply", "return"):
        if part in what:
            return part
    return "site"


def _in_steps(cells: NDArray[np.float64], point: Point) -> NDArray[np.float64]:
    slope, shift = _line(point.quantity, point.unit, point.scale)
    return cells * slope + shift


def read_file(
    path: Path,
    mapping: Mapping,
    *,
    places: Container[str] | None = None,
    arrival_s: int | None = None,
    progress: Progress | None = None,
) -> FileReadings:
    """All readings of a file, flagged. `places`: the registered codes (None: not checked). Reads on after a fault, to tell all."""
    kind = mapping.of(path)
    if kind is None:
        return _nothing([problem("no_mapping", path.name)])
    file = _File(path, kind, places)
    checked = False
    for piece in pieces(path, kind, file.findings):
        if not checked and not file.check_headers(piece.frame.columns):
            break
        checked = True
        file.take(piece.frame, piece.first_row)
        if progress is not None:
            progress(piece.read, piece.size)
        if file.readings > MOST_READINGS:
            file.findings.add("too_many", count=file.readings)
            break
    if not file.rows and not file.findings.refused:
        file.findings.add("empty_file")
    return _finish(file, arrival_s)


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


def _finish(file: _File, arrival_s: int | None) -> FileReadings:
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
        flags = flag_series(series, times, values, what, _step(series, times), arrival_s)
        flags[file.marks[series] & (values == 0)] |= np.uint8(Flag.MISSING)
        _wrong_units(file, what, series, values, rows)
        _tell(file, what, series, values, flags, rows)
        columns.append((series, times, values, flags))
    series, times, values, flags = (np.concatenate([column[n] for column in columns]) for n in range(4))
    order = np.lexsort((times, series))
    return FileReadings(
        keys, series[order], times[order], values[order], flags[order], file.rows, file.findings.found
    )  # fmt: skip


def _step(series: NDArray[np.uint32], times: NDArray[np.int64]) -> int:
    """The usual distance of readings: the median within series."""
    gaps = np.diff(times)[series[1:] == series[:-1]]
    gaps = gaps[gaps > 0]
    return int(np.median(gaps)) if len(gaps) else 3600


def _shown(what: str, value: int) -> str:
    q = QUANTITIES[what]
    return f"{float(value * q.resolution):g} {q.unit}"


def _tell(
    file: _File, what: str, series: NDArray[np.uint32], values: NDArray[np.int32], flags: NDArray[np.uint8],
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
    file: _File, what: str, series: NDArray[np.uint32], values: NDArray[np.int32], rows: NDArray[np.int64]
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
