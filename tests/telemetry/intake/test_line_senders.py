"""Lines to readings, against the readable parser and fractions: every value exact, every line at fault named once."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from serving import NOW, STATION, small_directory

from nuan.telemetry.intake.directory import Directory, Gateway, Placed, ProfilePoint
from nuan.telemetry.intake.line_senders import LineSender, Refused, Taken, letters
from nuan.telemetry.intake.placing import INT32
from nuan.telemetry.protocols.details import detail_words
from nuan.telemetry.protocols.line_protocol.columns import columns
from nuan.telemetry.protocols.line_protocol.parser import Line, parse
from nuan.telemetry.protocols.line_protocol.writer import write
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store.lanes import PAYLOAD_LIMIT
from nuan.terms.quantities import quantity


class Numbers:
    """Of series, as a lane gives them."""

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []

    async def register(self, keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        self.keys += [key for key in dict.fromkeys(keys) if key not in self.keys]
        return np.array([self.keys.index(key) for key in keys], np.uint32)


def taken(sender: LineSender, body: bytes, numbers: Numbers, precision: str = "s") -> Taken:
    async def take() -> Taken:
        lines = columns(body, precision)
        return sender.take(lines, await sender.resolve(lines, numbers.register), NOW)

    return asyncio.run(take())


def rounded(value: Fraction) -> int:
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


decimals = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-30_000_000, max_value=30_000_000).map(str),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: f"{number}i"),
    st.integers(0, 2**64 - 1).map(lambda number: f"{number}u"),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?[0-9]{1,40}\.[0-9]{1,40}(e-?[0-9]{1,2})?", fullmatch=True),
)
scales = st.one_of(
    st.sampled_from([Fraction(1), Fraction(1, 10), Fraction(1000), Fraction(5, 18), Fraction(1, 3), Fraction(-2, 7)]),
    st.fractions(-(10**6), 10**6, max_denominator=10**6),
    st.fractions(-(10**15), 10**15, max_denominator=10**15),
)


@settings(max_examples=500, deadline=None)
@given(decimals, scales, st.one_of(st.just(Fraction(0)), st.fractions(-500, 500, max_denominator=10**4)))
@example("1e+41", Fraction(0), Fraction(1, 2))
@example("0." + "0" * 5_000 + "1", Fraction(10**15), Fraction(0))
@example("1" * 300, Fraction(1, 10**12), Fraction(0))
@example("17.995", Fraction(1), Fraction(0))
@example("-17.995", Fraction(1), Fraction(0))
@example("21474836.47", Fraction(1), Fraction(0))
@example("21474836.475", Fraction(1), Fraction(0))
@example("1e-300", Fraction(1), Fraction(1, 2))
def test_a_value_is_reckoned_exactly(text: str, scale: Fraction, offset: Fraction) -> None:
    point = ProfilePoint("supply_temp", "supply", scale, offset)
    gateway = Gateway("G", "C", "line")
    sender = LineSender(gateway, Directory(1, {"G": gateway}, {}, {"G": {"1": Placed("H01-S01", {"t": point})}}))
    got = taken(sender, f"m,device=1 t={text} {NOW}".encode(), Numbers())
    steps = rounded((Fraction(Decimal(text.rstrip("iu"))) * scale + offset) / quantity("supply_temp").resolution)
    if abs(steps) <= INT32:
        assert (got.batch.value.tolist(), got.refused) == ([steps], [])
    else:
        assert [one.code for one in got.refused] == ["value_range"]


fields = st.sampled_from(["supply_temp", "return_temp", "flow", "power", "heat.power", "colour", "uptime", "temp_f"])
devices = st.sampled_from(["88001234", "5001", "nobody", None])
sent_lines = st.lists(
    st.builds(
        lambda device, named, time: Line(
            "heat", {} if device is None else {"device": device, "site": "H 01"}, tuple(named.items()), time
        ),
        devices,
        st.dictionaries(fields, st.one_of(st.integers(-999, 999), st.floats(-99, 99).map(lambda v: round(v, 3)), st.booleans(), st.just("on")), min_size=1),
        st.sampled_from([None, NOW * 10**9, (NOW - 7) * 10**9, (NOW + 100_000) * 10**9, 0]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(sent_lines, min_size=1, max_size=3))
def test_bodies_become_what_the_readable_parser_says(bodies: list[list[Line]]) -> None:
    """Body after body through one sender: the second finds what the first taught it."""
    directory = small_directory()
    gateway = directory.gateway("G1")
    assert gateway is not None
    sender, numbers = LineSender(gateway, directory), Numbers()
    for lines in bodies:
        body = write(lines, "s")
        got = taken(sender, body, numbers)
        wanted, at_fault = expected(parse(body, "s").lines)
        readings = zip(got.batch.series.tolist(), got.batch.time_s.tolist(), got.batch.value.tolist(), strict=True)
        assert [(numbers.keys[series], time_s, value) for series, time_s, value in readings] == wanted
        assert [(one.number, one.code) for one in got.refused] == at_fault


def expected(lines: list[Line]) -> tuple[list[tuple[SeriesKey, int, int]], list[tuple[int, str]]]:
    """In plain words what the module says: point by full name, then by field; the first fault of a line is its reason."""
    readings, faults = [], []
    for line in lines:
        codes: list[str] = []
        placed = small_directory().device("G1", line.tags.get("device", ""))
        time_s = NOW if line.time_ns is None else line.time_ns // 10**9
        for name, value in line.fields:
            if "device" not in line.tags:
                codes.append("no_device")
            elif placed is None:
                codes.append("unknown_device")
            elif (point := placed.point(f"{line.measurement}.{name}") or placed.point(name)) is None:
                codes += [] if placed.ignores(name) else ["unknown_point"]
            elif not NOW - 400 * 86_400 <= time_s <= NOW + 86_400:
                codes.append("clock_ahead" if time_s > NOW else "clock_behind")
            elif isinstance(value, bool | str):
                codes.append("not_a_number")
            else:
                raw = Fraction(value) if isinstance(value, int) else Fraction(repr(value))
                steps = rounded((raw * point.scale + point.offset) / quantity(point.key.quantity).resolution)
                readings.append((point.key, time_s, steps))
        faults += [(line.number, codes[0])] if codes else []
    return readings, faults


def test_letters_hold_the_lines_of_one_reason_and_fit() -> None:
    """A letter is a body that can be sent again; three hundred thousand bytes of bad lines are two."""
    refused = [Refused(number, "line", "what", ["fault", 3, "NUMBER"], b"x" * 99) for number in range(3_000)]
    refused += [Refused(7, "no_device", "which", ["at_field", "m", "f"], b"m f=1")]
    refused += [Refused(8, "line", "what", ["fault", 3, "NUMBER"], b"y" * 300_000)]
    made = letters("G1", "ms", NOW, refused)
    assert [(letter.reason, len(letter.payload)) for letter in made] == [
        ("line", 2621 * 100 - 1), ("line", 379 * 100 - 1), ("line", 300_000), ("no_device", 5),
    ]  # fmt: skip
    assert all(len(letter.payload) <= PAYLOAD_LIMIT for letter in made[:2])
    assert {letter.protocol for letter in made} == {"line/ms"}
    assert b"\n".join(letter.payload for letter in made[:2]).count(b"\n") == 2_999
    assert detail_words(made[0].detail) == (
        "2621 行，时间精度 ms；第 0 行：第 3 列：数字写法不对",
        "2621 line(s), precision ms; line 0: column 3: a number is not well formed",
    )


def test_what_was_forgotten_is_learnt_again() -> None:
    """A sender with more distinct tags than it may keep starts anew, and its readings stay right."""
    directory = small_directory()
    gateway = directory.gateway("G1")
    assert gateway is not None
    sender, numbers = LineSender(gateway, directory), Numbers()
    sender._most_heads = 3
    for round_number in range(4):
        body = "\n".join(
            f"m,device=88001234,run={round_number}{number} supply_temp={number} {NOW - number}" for number in range(5)
        )
        got = taken(sender, body.encode(), numbers)
        assert got.batch.value.tolist() == [0, 100, 200, 300, 400]
        assert got.refused == []
    assert len(sender._table) <= 5
    assert numbers.keys == [SeriesKey("H01-S01", STATION["supply_temp"].quantity, "supply")]
