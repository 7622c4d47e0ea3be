"""Pieces of a file → columns of readings in fixed point, point by point, with all that is wrong on the way."""

from collections.abc import Container
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.telemetry.files.mapping import FileMapping, LongColumns, Point
from nuan.telemetry.files.problems import Findings
from nuan.telemetry.files.times import epochs
from nuan.telemetry.series import SeriesKey
from nuan.terms.quantities import QUANTITIES, UNITS, quantity

INT32 = np.iinfo(np.int32)
HALF_STEP_SLACK = 1e-6
"""Decimal halves are not exact as floats; so much of a step is forgiven, so that 17.995 °C is 18.00 as in `terms.to_fixed`."""


class Collector:
    """Takes the pieces of one file; `parts` are (quantity, series, time, value, row) arrays, one of each piece and point."""

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

    def times(self, frame: pl.DataFrame, row_numbers: NDArray[np.int64]) -> pl.Series:
        names = self.mapping.time.columns
        cells = frame[names[0]]
        if len(names) > 1:
            cells = frame.select(pl.concat_str([pl.col(name).cast(pl.String) for name in names], separator=" "))[
                names[0]
            ]
        label = "+".join(names)

        def report(code: str, mask: pl.Series) -> None:
            self.report(code, mask, cells, label, row_numbers)

        return epochs(cells, self.mapping.time, report)

    def report(self, code: str, mask: pl.Series, cells: pl.Series, label: str, row_numbers: NDArray[np.int64]) -> None:
        rows = mask.fill_null(False).arg_true()
        for n in rows.head(5).to_list():
            value = cells[n]
            self.findings.add(
                code, row=int(row_numbers[n]), field=label, value=None if value is None else str(value)[:40]
            )
        if len(rows) > 5:
            self.findings.add(code, field=label, count=len(rows) - 5)

    def numbers(self, cells: pl.Series, label: str, row_numbers: NDArray[np.int64]) -> pl.Series:
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
                self.report("not_a_number", odd, cells, label, row_numbers)
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

    def take(self, frame: pl.DataFrame, row_numbers: NDArray[np.int64]) -> None:
        self.rows += frame.height
        blank = frame.select(pl.all_horizontal(pl.all().is_null() | (pl.all().cast(pl.String) == "")))
        filled = ~blank.to_series()
        if not filled.all():
            row_numbers = row_numbers[filled.to_numpy()]
            frame = frame.filter(filled)
        if frame.is_empty():
            return
        times = self.times(frame, row_numbers)
        known = times.is_not_null().to_numpy()
        time_s = times.fill_null(0).cast(pl.Int64).to_numpy()
        if self.mapping.long is None:
            for header, point in self.mapping.columns.items():
                number = self.numbers(frame[header], header, row_numbers)
                have = known & number.is_not_null().to_numpy()
                steps = number.fill_null(0.0).to_numpy()[have]
                series = np.full(len(steps), self.key(point, point.place, header), np.uint32)
                self.add(point.quantity, series, time_s[have], in_steps(steps, point), row_numbers[have], header)
        else:
            self.take_long(self.mapping.long, frame, known, time_s, row_numbers)

    def take_long(
        self, long: LongColumns, frame: pl.DataFrame, known: NDArray[np.bool_],
        time_s: NDArray[np.int64], row_numbers: NDArray[np.int64],
    ) -> None:  # fmt: skip
        number = self.numbers(frame[long.value], long.value, row_numbers)
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
            steps = in_steps(group["_number"].to_numpy(), exact)
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


def in_steps(cells: NDArray[np.float64], point: Point) -> NDArray[np.float64]:
    slope, shift = _line(point.quantity, point.unit, point.scale)
    return cells * slope + shift
