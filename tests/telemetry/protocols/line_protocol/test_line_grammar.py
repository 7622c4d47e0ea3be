"""The grammar of the line protocol, row by row: what is a line, what it says, and what is none and where. Both parsers, each row."""

import math

import pytest

from nuan.telemetry.protocols.line_protocol.columns import columns
from nuan.telemetry.protocols.line_protocol.grammar import Fault, Kind, PrecisionError
from nuan.telemetry.protocols.line_protocol.parser import Unsigned, parse

S = 1_000_000_000
INFINITE = 2**1024 - 2**970
"""Halfway from the largest float to the next that there is none of."""

# id, line, measurement, tags, fields, time in ns
GOOD = [
    ("one float", b"heat t=55.3", "heat", {}, [("t", 55.3)], None),
    ("tags and time", b"heat,device=88,site=H01 t=1 1700000000000000000", "heat", {"device": "88", "site": "H01"}, [("t", 1.0)], 1_700_000_000 * S),
    ("order of tags is free", b"m,z=1,a=2 f=1", "m", {"z": "1", "a": "2"}, [("f", 1.0)], None),
    ("integers", b"m a=0i,b=-0i,c=9223372036854775807i,d=-9223372036854775808i", "m", {}, [("a", 0), ("b", 0), ("c", 2**63 - 1), ("d", -(2**63))], None),
    ("leading zeros", b"m a=007i,b=-0007i,c=0001.50,d=0018446744073709551615u", "m", {}, [("a", 7), ("b", -7), ("c", 1.5), ("d", 2**64 - 1)], None),
    ("unsigned", b"m a=0u,b=18446744073709551615u", "m", {}, [("a", 0), ("b", 2**64 - 1)], None),
    ("floats", b"m a=1.,b=.5,c=-.5,d=1e3,e=1E+3,f=1.5e-3,g=-0.0,h=12", "m", {}, [("a", 1.0), ("b", 0.5), ("c", -0.5), ("d", 1000.0), ("e", 1000.0), ("f", 0.0015), ("g", -0.0), ("h", 12.0)], None),
    ("the largest float", b"m a=1.7976931348623157e308,b=-1.7976931348623157e+308", "m", {}, [("a", 1.7976931348623157e308), ("b", -1.7976931348623157e308)], None),
    ("just below infinity", b"m a=%d" % (INFINITE - 1), "m", {}, [("a", 1.7976931348623157e308)], None),
    ("too small is zero", b"m a=1e-400", "m", {}, [("a", 0.0)], None),
    ("zero of any exponent", b"m a=0e999999999,b=0.000e-999999999", "m", {}, [("a", 0.0), ("b", 0.0)], None),
    ("booleans", b"m a=t,b=T,c=true,d=True,e=TRUE,f=f,g=F,h=false,i=False,j=FALSE", "m", {}, [(c, True) for c in "abcde"] + [(c, False) for c in "fghij"], None),
    ("strings", b'm a="",b="hi there",c="1,2 = 3",d="' + "温度".encode() + b'"', "m", {}, [("a", ""), ("b", "hi there"), ("c", "1,2 = 3"), ("d", "温度")], None),
    ("quotes and backslashes in strings", rb'm a="say \"hi\"",b="c:\\temp",c="\\\"",d="one\two"', "m", {}, [("a", 'say "hi"'), ("b", "c:\\temp"), ("c", '\\"'), ("d", "one\two")], None),
    ("other backslashes in strings stay", rb'm a="\a\,\ ",b="\n\r"', "m", {}, [("a", "\\a\\,\\ "), ("b", "\n\r")], None),
    ("a line break in a string", b'm a="one\ntwo",b=1i 5', "m", {}, [("a", "one\ntwo"), ("b", 1)], 5),
    ("control characters in a string", b'm a="\x00\x01\t\x7f\r"', "m", {}, [("a", "\x00\x01\t\x7f\r")], None),
    ("escapes in names", rb"he\ at\,er,de\,v\=i\ ce=8\ 8\,\= t\,e\ m\=p=1", "he at,er", {"de,v=i ce": "8 8,="}, [("t,e m=p", 1.0)], None),
    ("equals signs in a measurement", rb"a=b\=c t=1", "a=b\\=c", {}, [("t", 1.0)], None),
    ("backslashes that escape nothing", rb"m\x,k\x=v\\x f\x=1", "m\\x", {"k\\x": "v\\\\x"}, [("f\\x", 1.0)], None),
    ("a backslash before an escape", rb"m,k=v\\, f=1", "m", {"k": "v\\,"}, [("f", 1.0)], None),
    ("quotes in names are letters", b'"m","k"="v" "f"=1', '"m"', {'"k"': '"v"'}, [('"f"', 1.0)], None),
    ("names in Chinese", "供热,站=一号 温度=55.3 7".encode(), "供热", {"站": "一号"}, [("温度", 55.3)], 7),
    ("a hash is a letter but at the start", b"m#,#k=# #f=1", "m#", {"#k": "#"}, [("#f", 1.0)], None),
    ("spaces around", b"   m   f=1   5   ", "m", {}, [("f", 1.0)], 5),
    ("negative time", b"m f=1 -1", "m", {}, [("f", 1.0)], -1),
    ("the edges of time", b"m f=1 9223372036854775807", "m", {}, [("f", 1.0)], 2**63 - 1),
    ("the other edge", b"m f=1 -9223372036854775808", "m", {}, [("f", 1.0)], -(2**63)),
    ("a field twice, the later counts", b"m f=1,f=2", "m", {}, [("f", 1.0), ("f", 2.0)], None),
    ("names that databases reserve", b"_m,time=1,_field=x,_measurement=y time=1i", "_m", {"time": "1", "_field": "x", "_measurement": "y"}, [("time", 1)], None),
    ("carriage return and line feed", b"m f=1 5\r\n", "m", {}, [("f", 1.0)], 5),
    ("a carriage return at the end", b"m f=1\r", "m", {}, [("f", 1.0)], None),
    ("many tags", b"m" + b"".join(b",k%d=v" % i for i in range(300)) + b" f=1", "m", {f"k{i}": "v" for i in range(300)}, [("f", 1.0)], None),
]  # fmt: skip

# id, line, column of the fault, fault
BAD = [
    ("a measurement alone", b"m", 2, Fault.TAG_KEY),
    ("no fields", b"m,a=b", 6, Fault.TAG_KEY),
    ("no fields but a space", b"m,a=b ", 7, Fault.FIELD_KEY),
    ("no measurement", b",a=b f=1", 1, Fault.MEASUREMENT),
    ("a control character first", b"\tm f=1", 1, Fault.MEASUREMENT),
    ("a carriage return first", b"\rm f=1", 1, Fault.MEASUREMENT),
    ("NUL in the measurement", b"m\x00m f=1", 2, Fault.TAG_KEY),
    ("a comma and no tag", b"m, f=1", 3, Fault.TAG_KEY),
    ("a comma at the end", b"m,", 3, Fault.TAG_KEY),
    ("two commas", b"m,,a=b f=1", 3, Fault.TAG_KEY),
    ("a comma after the tags", b"m,a=b, f=1", 7, Fault.TAG_KEY),
    ("a tag without a key", b"m,=b f=1", 3, Fault.TAG_KEY),
    ("a tag without an equals sign", b"m,a f=1", 4, Fault.TAG_EQUALS),
    ("a tag without a value", b"m,a= f=1", 5, Fault.TAG_VALUE),
    ("a tag without a value before another", b"m,a=,b=c f=1", 5, Fault.TAG_VALUE),
    ("two equals signs", b"m,a==b f=1", 5, Fault.TAG_VALUE),
    ("an equals sign in a tag value", b"m,a=b=c f=1", 6, Fault.TAG_KEY),
    ("a tab in a tag value", b"m,a=b\tc f=1", 6, Fault.TAG_KEY),
    ("DEL in a tag key", b"m,a\x7fb=c f=1", 4, Fault.TAG_EQUALS),
    ("the same tag twice", b"m,a=1,b=2,a=3 f=1", 11, Fault.TAG_TWICE),
    ("the same tag twice among many", b"m" + b"".join(b",k%03d=v" % i for i in range(100)) + b",k007=v f=1", 703, Fault.TAG_TWICE),
    ("the same escaped tag twice", rb"m,a\ b=1,a\ b=2 f=1", 10, Fault.TAG_TWICE),
    ("a head too long", b"m,a=" + b"x" * 65_535 + b" f=1", 1, Fault.HEAD_LONG),
    ("an escaped space ends nothing", rb"m,a=b\ f=1", 9, Fault.TAG_KEY),
    ("a field without a key", b"m =1", 3, Fault.FIELD_KEY),
    ("a second field without a key", b"m a=1,=2", 7, Fault.FIELD_KEY),
    ("a comma at the end of the fields", b"m a=1,", 7, Fault.FIELD_KEY),
    ("a space after a comma", b"m a=1, b=2", 7, Fault.FIELD_KEY),
    ("a field without an equals sign", b"m a", 4, Fault.FIELD_EQUALS),
    ("a time and no field", b"m 1700000000", 13, Fault.FIELD_EQUALS),
    ("a field without a value", b"m a=", 5, Fault.VALUE),
    ("a field without a value before another", b"m a=,b=1", 5, Fault.VALUE),
    ("a space for a value", b"m a= 1", 5, Fault.VALUE),
    ("a word", b"m a=on", 5, Fault.VALUE),
    ("a boolean in odd letters", b"m a=tRUE", 5, Fault.VALUE),
    ("a longer boolean", b"m a=trueish", 5, Fault.VALUE),
    ("NaN", b"m a=NaN", 5, Fault.VALUE),
    ("infinity", b"m a=inf", 5, Fault.VALUE),
    ("minus infinity", b"m a=-inf", 5, Fault.NUMBER),
    ("minus nothing", b"m a=-", 5, Fault.NUMBER),
    ("a lone point", b"m a=.", 5, Fault.NUMBER),
    ("two points", b"m a=1.2.3", 5, Fault.NUMBER),
    ("an exponent without digits", b"m a=1e", 5, Fault.NUMBER),
    ("an exponent without mantissa", b"m a=.e5", 5, Fault.NUMBER),
    ("a broken exponent", b"m a=1e5.5", 5, Fault.NUMBER),
    ("a plus sign", b"m a=+1", 5, Fault.VALUE),
    ("hexadecimal", b"m a=0x1p4", 5, Fault.NUMBER),
    ("underscores", b"m a=1_000", 5, Fault.NUMBER),
    ("a decimal comma", b"m a=1,5", 8, Fault.FIELD_EQUALS),
    ("two minus signs", b"m a=--1", 5, Fault.NUMBER),
    ("an integer with a point", b"m a=1.0i", 5, Fault.NUMBER),
    ("an integer with an exponent", b"m a=1e3i", 5, Fault.NUMBER),
    ("i alone", b"m a=i", 5, Fault.VALUE),
    ("minus i", b"m a=-i", 5, Fault.NUMBER),
    ("two marks", b"m a=1ii", 5, Fault.NUMBER),
    ("a capital mark", b"m a=1I", 5, Fault.NUMBER),
    ("QuestDB's own timestamp field", b"m a=1700000000t", 5, Fault.NUMBER),
    ("a negative unsigned", b"m a=-1u", 5, Fault.NUMBER),
    ("one above int64", b"m a=9223372036854775808i", 5, Fault.RANGE),
    ("one below int64", b"m a=-9223372036854775809i", 5, Fault.RANGE),
    ("one above uint64", b"m a=18446744073709551616u", 5, Fault.RANGE),
    ("far above int64", b"m a=99999999999999999999999999999999999999999999999999i", 5, Fault.RANGE),
    ("above float", b"m a=1e309", 5, Fault.RANGE),
    ("halfway to infinity", b"m a=%d" % INFINITE, 5, Fault.RANGE),
    ("a string without an end", b'm a="open', 5, Fault.QUOTE),
    ("a string that escapes its end", rb'm a="open\"', 5, Fault.QUOTE),
    ("something after a string", b'm a="x"y', 8, Fault.AFTER_STRING),
    ("two strings", b'm a="x""y"', 8, Fault.AFTER_STRING),
    ("an equals sign after a string", b'm a="x"=1', 8, Fault.AFTER_STRING),
    ("single quotes", b"m a='x'", 5, Fault.VALUE),
    ("a time that is no number", b"m a=1 now", 7, Fault.TIME),
    ("a time with a point", b"m a=1 1700000000.5", 7, Fault.TIME),
    ("a time with a mark", b"m a=1 1700000000i", 7, Fault.TIME),
    ("a time with a plus sign", b"m a=1 +5", 7, Fault.TIME),
    ("a lone minus for a time", b"m a=1 -", 7, Fault.TIME),
    ("a minus within a time", b"m a=1 1-1", 7, Fault.TIME),
    ("a tab before the time", b"m a=1\t5", 5, Fault.NUMBER),
    ("two times", b"m a=1 5 6", 9, Fault.TIME),
    ("a date", b"m a=1 2026-01-01T00:00:00Z", 7, Fault.TIME),
    ("a time above int64", b"m a=1 9223372036854775808", 7, Fault.TIME_RANGE),
    ("a time below int64", b"m a=1 -9223372036854775809", 7, Fault.TIME_RANGE),
    ("a carriage return in the line", b"m a=1\rb=2", 6, Fault.TIME),
    ("a carriage return between fields and time", b"m a=1 \r5", 7, Fault.TIME),
    ("a control character in a comment", b"# a\x01b", 4, Fault.COMMENT),
    ("a carriage return in a comment", b"# a\rb", 4, Fault.COMMENT),
    ("bytes that are no UTF-8", b"m a=1,b\xff=2", 8, Fault.NOT_UTF8),
    ("no UTF-8 in a string", b'm a="\xc3("', 6, Fault.NOT_UTF8),
    ("a surrogate", b'm a="\xed\xa0\x80"', 6, Fault.NOT_UTF8),
    ("a longer form than needed", b'm a="\xc0\xaf"', 6, Fault.NOT_UTF8),
    ("beyond Unicode", b'm a="\xf4\x90\x80\x80"', 6, Fault.NOT_UTF8),
    ("a byte order mark is a letter", b"\xef\xbb m=1", 1, Fault.NOT_UTF8),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "measurement", "tags", "fields", "time_ns"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD]
)
def test_what_is_a_line(line: bytes, measurement: str, tags: dict, fields: list, time_ns: int | None) -> None:
    parsed = parse(line)
    assert parsed.problems == []
    (read,) = parsed.lines
    assert (read.measurement, read.tags, read.time_ns) == (measurement, tags, time_ns)
    assert list(read.fields) == fields
    assert [isinstance(value, (bool, str)) for _, value in read.fields] == [
        isinstance(v, (bool, str)) for _, v in fields
    ]
    fast = columns(line)
    assert (len(fast), len(fast.problems), len(fast.kind)) == (1, 0, len(fields))


@pytest.mark.parametrize(("line", "column", "fault"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_none_and_where(line: bytes, column: int, fault: Fault) -> None:
    for problems in (parse(line).problems, columns(line).line_problems()):
        (problem,) = problems
        assert (problem.number, problem.column, problem.fault) == (1, column, fault)
        assert problem.payload == line.rstrip(b"\r\n")
    assert parse(line).lines == []
    assert len(columns(line)) == 0


@pytest.mark.parametrize(
    "blank", [b"", b"\n", b"\r\n\r\n", b"  \n \r", b"# a comment, \t=\xff", b"   # indented\n#\n", b"\r"]
)
def test_blank_lines_and_comments_say_nothing(blank: bytes) -> None:
    assert parse(blank).lines == parse(blank).problems == []
    assert len(columns(blank)) == len(columns(blank).problems) == 0


def test_good_lines_stand_beside_bad_ones_and_know_their_number() -> None:
    body = b'm f=1 1\nbad\n\n# comment\nm s="two\nlines" 2\r\nm,a= f=1\nm f=3 3\nm s="open\nm f=4 4'
    parsed, fast = parse(body), columns(body)
    assert [(line.number, line.time_ns) for line in parsed.lines] == [(1, 1), (5, 2), (8, 3), (10, 4)]
    assert fast.number.tolist() == [1, 5, 8, 10]
    assert [str(problem) for problem in parsed.problems] == [
        "line 2, column 4: a tag key or a field is missing",
        "line 7, column 5: a tag has no value",
        "line 9, column 5: a quoted string does not end",
    ]
    assert parsed.problems == fast.line_problems()


def test_what_stands_in_a_string_is_never_a_line_even_if_its_line_is_bad_elsewhere() -> None:
    """A fault of one element does not end the reading: else a sender's text could write another device's readings."""
    body = b'm,a=1,a=2 s="\nm f=1 1\n"\nm f=1e999,s="\nm f=2 2\n"\nm f=3 3'
    assert [line.time_ns for line in parse(body).lines] == [3]
    assert columns(body).time_ns.tolist() == [3]


@pytest.mark.parametrize(
    ("precision", "ns"),
    [
        ("ns", 7),
        ("n", 7),
        ("us", 7_000),
        ("u", 7_000),
        ("ms", 7_000_000),
        ("s", 7 * S),
        ("m", 420 * S),
        ("h", 25_200 * S),
    ],
)
def test_precisions(precision: str, ns: int) -> None:
    assert parse(b"m f=1 7", precision).lines[0].time_ns == ns
    assert columns(b"m f=1 7", precision).time_ns.tolist() == [ns]


def test_a_time_that_leaves_int64_in_its_precision_is_out_of_range() -> None:
    for stamp, good in ((b"9223372036", True), (b"9223372037", False), (b"-9223372036", True), (b"-9223372037", False)):
        assert (not parse(b"m f=1 " + stamp, "s").problems) == good
        assert (len(columns(b"m f=1 " + stamp, "s").problems) == 0) == good


def test_the_unit_of_a_timestamp_is_seen_by_its_size_where_the_sender_leaves_it_open() -> None:
    body = b"m f=1 1700000000\nm f=1 1700000000000\nm f=1 1700000000000000\nm f=1 1700000000000000000\nm f=1 -5\nm f=1"
    wanted = [1_700_000_000 * S] * 4 + [-5 * S, None]
    assert [line.time_ns for line in parse(body, "auto").lines] == wanted
    assert columns(body, "auto").time_ns.tolist()[:5] == wanted[:5]


def test_an_unknown_precision_is_said() -> None:
    with pytest.raises(PrecisionError, match="no precision “weeks”"):
        columns(b"", "weeks")


def test_kinds_of_the_fast_path() -> None:
    fast = columns(b'm a=1.25e2,b=-7i,c=7u,d=t,e="x",f=18446744073709551615u,g=1234567890123456789.5,h=1e30,i=-1.50')
    kinds = [Kind(kind) for kind in fast.kind.tolist()]
    assert kinds == [
        Kind.FLOAT, Kind.INTEGER, Kind.UNSIGNED, Kind.BOOLEAN, Kind.STRING, Kind.LONG, Kind.LONG, Kind.LONG, Kind.FLOAT,
    ]  # fmt: skip
    assert fast.mantissa.tolist()[:4] == [125, -7, 7, 1]
    assert (fast.mantissa[8], fast.power[8]) == (-150, -2)
    assert fast.span(int(fast.text[4]), int(fast.text_end[4])) == b"x"


def test_an_unsigned_is_known_as_one() -> None:
    assert isinstance(parse(b"m a=1u").lines[0].fields[0][1], Unsigned)
    assert not math.isnan(parse(b"m a=0e5").lines[0].fields[0][1])
