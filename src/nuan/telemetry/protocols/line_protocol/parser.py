"""The readable parser: one line after the other, one element after the other. Slow, and the oracle of the fast path."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from nuan.telemetry.protocols.line_protocol.grammar import AUTO_BELOW, LARGEST_TIME_NS, LONGEST_HEAD, Fault, unit_ns

Value = float | int | bool | str


class Unsigned(int):
    """A value that was written with `u`, so that writing it again gives the same."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `fields` in the order sent; a field that stands twice stands twice here, and the later one counts.

    `time_ns`: UTC nanoseconds since 1970; None when the line gives no time.
    """

    measurement: str
    tags: dict[str, str]
    fields: tuple[tuple[str, Value], ...]
    time_ns: int | None = None
    number: int = 1


class LineProblem(NamedTuple):
    """A line that is none: its number and column (both from 1, the column in bytes), what is wrong, and its bytes."""

    number: int
    column: int
    fault: Fault
    payload: bytes

    def __str__(self) -> str:
        return f"line {self.number}, column {self.column}: {self.fault.en}"


@dataclass(frozen=True, slots=True)
class ParsedLines:
    lines: list[Line]
    problems: list[LineProblem]


_MEASUREMENT = re.compile(rb"(?:\\[, ]|[^\x00-\x1f\x7f, ])*")
_KEY = re.compile(rb"(?:\\[,= ]|[^\x00-\x1f\x7f,= ])*")
_STRING = re.compile(rb'"(?:\\["\\nrt]|[^"])*+"')
_BARE = re.compile(rb"[^, \r\n]*")
_COMMENT = re.compile(rb"#[^\x00-\x08\x0a-\x1f\x7f]*")
_STAMP = re.compile(rb"-?[0-9]+")
_FLOAT = re.compile(rb"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {b"t": True, b"T": True, b"true": True, b"True": True, b"TRUE": True,
             b"f": False, b"F": False, b"false": False, b"False": False, b"FALSE": False}  # fmt: skip
_IN_STRING = {b"\\n": b"\n", b"\\r": b"\r", b"\\t": b"\t"}


class _Broken(Exception):
    """The structure of a line ends here."""

    def __init__(self, fault: Fault, at: int) -> None:
        self.fault, self.at = fault, at


def parse(data: bytes, precision: str = "ns") -> ParsedLines:
    """All lines that are whole and true, and a problem for each that is not. Never raises, whatever the bytes are.

    >>> parse(b"heat,device=88001234 supply_temp=55.3,flow=12i 1700000000", "s").lines[0].fields
    (('supply_temp', 55.3), ('flow', 12))
    >>> str(parse(b"heat,device= supply_temp=55.3").problems[0])
    'line 1, column 13: a tag has no value'
    """
    return _Reader(data, unit_ns(precision)).read()


class _Reader:
    def __init__(self, data: bytes, unit: int) -> None:
        self.data, self.unit, self.at = data, unit, 0
        self.fault: tuple[Fault, int] | None = None
        """The first fault of an element of this line, and where."""

    def read(self) -> ParsedLines:
        lines: list[Line] = []
        problems: list[LineProblem] = []
        number, start = 1, 0
        while start < len(self.data):
            self.at, self.fault = start, None
            line = None
            try:
                line = self._line(number)
            except _Broken as broken:
                self.fault = self.fault or (broken.fault, broken.at)
                self.at = self._break_after(broken.at)
            if self.fault is not None:
                fault, at = self.fault
                number_there = number + self.data.count(b"\n", start, at)
                column = at - self.data.rfind(b"\n", 0, at)
                payload = self.data[start : self.at].rstrip(b"\r\n")
                problems.append(LineProblem(number_there, column, fault, payload))
            elif line is not None:
                lines.append(line)
            number += self.data.count(b"\n", start, self.at)
            start = self.at
        return ParsedLines(lines, problems)

    def _line(self, number: int) -> Line | None:
        """The line at `self.at`; behind it `self.at` stands on the next one. None for a blank line or a comment."""
        start = self.at
        self._spaces()
        if self._here() == b"#":
            self._take(_COMMENT)
            if not self._end():
                raise _Broken(Fault.COMMENT, self.at)
            return None
        if self._end():
            return None
        head = self.at
        measurement = self._take(_MEASUREMENT)
        if not measurement:
            raise _Broken(Fault.MEASUREMENT, self.at)
        tags, twice = self._tags()
        if self.at - head > LONGEST_HEAD:
            self._note(Fault.HEAD_LONG, head)
        elif twice is not None:
            self._note(Fault.TAG_TWICE, twice)
        self._spaces()
        fields = self._fields()
        time_ns = self._time()
        try:
            self.data[start : self.at].decode()
        except UnicodeDecodeError as error:
            self._note(Fault.NOT_UTF8, start + error.start)
        if self.fault is not None:
            return None
        named = {name_of(key): name_of(value) for key, value in tags.items()}
        return Line(
            re.sub(rb"\\([, ])", rb"\1", measurement).decode(),
            named,
            tuple((name_of(key), value) for key, value in fields),
            time_ns,
            number,
        )

    def _tags(self) -> tuple[dict[bytes, bytes], int | None]:
        """The tags, and where the first key stands that was there before."""
        tags: dict[bytes, bytes] = {}
        twice: int | None = None
        while self._here() == b",":
            self.at += 1
            key_at = self.at
            key = self._take(_KEY)
            if not key:
                raise _Broken(Fault.TAG_KEY, self.at)
            if self._here() != b"=":
                raise _Broken(Fault.TAG_EQUALS, self.at)
            self.at += 1
            value = self._take(_KEY)
            if not value:
                raise _Broken(Fault.TAG_VALUE, self.at)
            if key in tags and twice is None:
                twice = key_at
            tags[key] = value
        if self._here() != b" ":
            raise _Broken(Fault.TAG_KEY, self.at)
        return tags, twice

    def _fields(self) -> list[tuple[bytes, Value]]:
        fields: list[tuple[bytes, Value]] = []
        while True:
            key = self._take(_KEY)
            if not key:
                raise _Broken(Fault.FIELD_KEY, self.at)
            if self._here() != b"=":
                raise _Broken(Fault.FIELD_EQUALS, self.at)
            self.at += 1
            value = self._string() if self._here() == b'"' else self._bare()
            if value is not None:
                fields.append((key, value))
            if self._here() != b",":
                return fields
            self.at += 1

    def _string(self) -> str:
        start = self.at
        if (found := _STRING.match(self.data, start)) is None:
            raise _Broken(Fault.QUOTE, start)
        self.at = found.end()
        if self._here() not in (b",", b" ", b"\r", b"\n", b""):
            raise _Broken(Fault.AFTER_STRING, self.at)
        text = re.sub(rb'\\["\\nrt]', lambda m: _IN_STRING.get(m[0], m[0][1:]), found[0][1:-1])
        return text.decode(errors="replace")

    def _bare(self) -> Value | None:
        start = self.at
        token = self._take(_BARE)
        if token in _BOOLEANS:
            return _BOOLEANS[token]
        if token[:1] not in (*(b"%d" % digit for digit in range(10)), b"-", b"."):
            self._note(Fault.VALUE, start)
        elif re.fullmatch(rb"-?[0-9]+i", token):
            if -(2**63) <= (whole := _integer(token[:-1])) < 2**63:
                return whole
            self._note(Fault.RANGE, start)
        elif re.fullmatch(rb"[0-9]+u", token):
            if (natural := _integer(token[:-1])) < 2**64:
                return Unsigned(natural)
            self._note(Fault.RANGE, start)
        elif _FLOAT.fullmatch(token) is None:
            self._note(Fault.NUMBER, start)
        elif abs(number := float(token)) == float("inf"):
            self._note(Fault.RANGE, start)
        else:
            return number
        return None

    def _time(self) -> int | None:
        """The timestamp, if there is one, and the end of the line."""
        self._spaces()
        if self._end():
            return None
        start = self.at
        token = self._take(_STAMP)
        if not token or self._here() not in (b" ", b"\r", b"\n", b""):
            raise _Broken(Fault.TIME, start)
        self._spaces()
        if not self._end():
            raise _Broken(Fault.TIME, self.at)
        stamp = _integer(token)
        unit = self.unit or next((unit for below, unit in AUTO_BELOW if abs(stamp) < below), 1)
        time_ns = stamp * unit
        if not -LARGEST_TIME_NS - 1 <= time_ns <= LARGEST_TIME_NS:
            self._note(Fault.TIME_RANGE, start)
        return time_ns

    def _note(self, fault: Fault, at: int) -> None:
        self.fault = self.fault or (fault, at)

    def _here(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def _take(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self.data, self.at)
        if found is None:
            return b""
        self.at = found.end()
        return found[0]

    def _spaces(self) -> None:
        while self._here() == b" ":
            self.at += 1

    def _end(self) -> bool:
        """Step over LF, CR LF, a CR at the end of the data, or nothing at the end of the data."""
        for ending in (b"\n", b"\r\n"):
            if self.data.startswith(ending, self.at):
                self.at += len(ending)
                return True
        if self.at >= len(self.data) - (self._here() == b"\r"):
            self.at = len(self.data)
            return True
        return False

    def _break_after(self, at: int) -> int:
        found = self.data.find(b"\n", at)
        return len(self.data) if found < 0 else found + 1


def _integer(token: bytes) -> int:
    """Of any length: what has more than 40 digits is out of every range, and `int` refuses more than 4 300."""
    whole = int(token.lstrip(b"-").lstrip(b"0")[:40] or b"0")
    return -whole if token.startswith(b"-") else whole


def name_of(key: bytes) -> str:
    r"""A field key, tag key or tag value without its escapes.

    >>> name_of(rb"supply\ temp")
    'supply temp'
    """
    return re.sub(rb"\\([,= ])", rb"\1", key).decode()


def head_of(head: bytes) -> tuple[str, dict[str, str]]:
    """Measurement and tags of a line that was found good.

    >>> head_of(b"heat,device=88001234,site=H01")
    ('heat', {'device': '88001234', 'site': 'H01'})
    """
    (line,) = parse(head + b" x=0").lines
    return line.measurement, line.tags
