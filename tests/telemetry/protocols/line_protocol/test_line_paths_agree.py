"""The fast parser against the readable one, on whatever hypothesis can think of: same lines, same numbers, same problems, no exception."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nuan.telemetry.protocols.line_protocol.columns import Columns, columns
from nuan.telemetry.protocols.line_protocol.grammar import Kind
from nuan.telemetry.protocols.line_protocol.parser import Line, Unsigned, name_of, parse
from nuan.telemetry.protocols.line_protocol.writer import UnwritableError, write

PIECES = [
    b"m", b"heat", b"device=88", b"a=b", b"k", b"=", b",", b" ", b"\\", b'"', b"\n", b"\r\n", b"\r", b"#", b"1", b"-", b".", b"0", b"9",
    b"e", b"E", b"+", b"i", b"u", b"t", b"true", b"FALSE", b"1.5", b"42i", b"7u", b"9223372036854775807", b"18446744073709551616u",
    b"1e308", b"1.8e308", b"1e-400", b"1700000000", b"\x00", b"\t", b"\x7f", b"\xff", b"\xed\xa0\x80", "温度".encode(), b'"two\nlines"',
    b' f="x" ', b" f=1", b",t=1 f=2 3\n", b"\\,", b"\\=", b"\\ ", b'\\"', b"_", b"nan", b"inf", b"m,a=1,a=2 f=1\n",
]  # fmt: skip
shards = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: not text.endswith("\\") and not text.startswith("#")
)
values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**64 - 1).map(Unsigned),
    st.booleans(),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
)
lines = st.builds(
    Line,
    names,
    st.dictionaries(names, names, max_size=6),
    st.lists(st.tuples(names, values), min_size=1, max_size=6).map(tuple),
    st.none() | st.integers(-(2**63), 2**63 - 1),
)


def number(fast: Columns, field: int) -> object:
    """What the columns say that the value is, exactly; texts stay texts."""
    kind = Kind(int(fast.kind[field]))
    text = fast.span(int(fast.text[field]), int(fast.text_end[field]))
    if kind is Kind.STRING:
        return text
    if kind is Kind.LONG:
        return Decimal(text.rstrip(b"u").decode())
    return (
        bool(fast.mantissa[field])
        if kind is Kind.BOOLEAN
        else Decimal(int(fast.mantissa[field])).scaleb(int(fast.power[field]))
    )


def hold(body: bytes, precision: str = "ns") -> None:
    """Both read the same out of it."""
    slow, fast = parse(body, precision), columns(body, precision)
    assert slow.problems == fast.line_problems()
    assert [line.number for line in slow.lines] == fast.number.tolist()
    assert np.array_equal(np.diff(fast.first_field), [len(line.fields) for line in slow.lines])
    for row, line in enumerate(slow.lines):
        assert line.time_ns == (int(fast.time_ns[row]) if fast.timed[row] else None)
        for field, (key, value) in enumerate(line.fields, int(fast.first_field[row])):
            assert fast.line[field] == row
            assert name_of(fast.span(int(fast.key[field]), int(fast.key_end[field]))) == key
            said = number(fast, field)
            if isinstance(value, str):
                assert isinstance(said, bytes)
            elif isinstance(value, float) and isinstance(said, Decimal):
                assert float(said) == value
            else:
                assert said == value
        head = fast.span(int(fast.head[row]), int(fast.head_end[row]))
        again = parse(head + b" f=1").lines[0]
        assert (again.measurement, again.tags) == (line.measurement, line.tags)


@settings(max_examples=600, deadline=None)
@given(shards, st.sampled_from(["ns", "s", "h", "auto"]))
@example(b'm s="\\', "ns")
@example(b"m f=1 \r", "ns")
@example(b"m,a=\\", "ns")
def test_shards_of_the_grammar(body: bytes, precision: str) -> None:
    hold(body, precision)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    hold(body)


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, max_size=4), st.data())
def test_good_lines_with_one_byte_changed(sent: list[Line], data: st.DataObject) -> None:
    body = bytearray(write(sent))
    if body:
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    hold(bytes(body))


@settings(max_examples=300, deadline=None)
@given(st.from_regex(rb"-?[0-9.eE+\-iu]{1,30}", fullmatch=True))
def test_numbers_and_what_looks_like_one(token: bytes) -> None:
    hold(b"m f=" + token)


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, max_size=4))
def test_what_is_written_is_read_back(sent: list[Line]) -> None:
    got = parse(write(sent))
    assert got.problems == []
    assert [line.number for line in got.lines] == sorted({line.number for line in got.lines})
    for line, back in zip(sent, got.lines, strict=True):
        assert (back.measurement, back.tags, back.time_ns) == (line.measurement, line.tags, line.time_ns)
        assert [(key, value, type(value)) for key, value in back.fields] == [(k, v, type(v)) for k, v in line.fields]
    hold(write(sent))


@pytest.mark.parametrize(
    "line",
    [
        Line("m", {}, ()),
        Line("", {}, (("f", 1),)),
        Line("#m", {}, (("f", 1),)),
        Line("m", {"a": ""}, (("f", 1),)),
        Line("m", {"a": "b\\"}, (("f", 1),)),
        Line("m", {"a\n": "b"}, (("f", 1),)),
        Line("m", {}, (("f", float("nan")),)),
        Line("m", {}, (("f", float("inf")),)),
        Line("m", {}, (("f", 2**63),)),
        Line("m", {}, (("f", Unsigned(2**64)),)),
    ],
)
def test_what_the_grammar_has_no_words_for_is_not_written(line: Line) -> None:
    with pytest.raises(UnwritableError):
        write([line])


def test_a_difference_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "columns", lambda body, precision="ns": columns_of_another(body))
    with pytest.raises(AssertionError):
        hold(b"m f=1 5")


def columns_of_another(body: bytes, real: object = columns) -> Columns:
    assert callable(real)
    return real(body.replace(b"5", b"6"))
