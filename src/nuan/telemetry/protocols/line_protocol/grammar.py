"""The words of the line protocol: precisions, kinds of values, and what can be wrong with a line.

Grammar: InfluxData's published EBNF (line-protocol v2) and its reference of the line protocol; where they leave a choice, see
docs/intake-http.md, “Contested lines”. The readable parser and the fast one share this page and nothing else.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

NS_PER_UNIT: Mapping[str, int] = MappingProxyType({
    "ns": 1, "n": 1, "nanosecond": 1,
    "us": 1_000, "u": 1_000, "µs": 1_000, "microsecond": 1_000,
    "ms": 1_000_000, "millisecond": 1_000_000,
    "s": 1_000_000_000, "second": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
})  # fmt: skip
"""Every name that a client of InfluxDB 1, 2 or 3 gives a precision → nanoseconds."""

LARGEST_TIME_NS = 2**63 - 1
LONGEST_HEAD = 65_535
"""Bytes of measurement and tags of a line: InfluxDB's own limit of a series key."""
PAD = bytes(8)
"""The fast path loads eight bytes at a time, so eight zero bytes follow what it reads."""


AUTO = "auto"
"""InfluxDB 3's precision of a request that names none: each timestamp is of the unit in which it lies near our time."""
AUTO_BELOW = ((5_000_000_000, 1_000_000_000), (5_000_000_000_000, 1_000_000), (5_000_000_000_000_000, 1_000))
"""A timestamp of less than the first number (its sign put aside) is of the unit of that many nanoseconds; what is more is nanoseconds."""


class PrecisionError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(f"no precision “{name}”; known: ns, us, ms, s, m, h")


def unit_ns(precision: str) -> int:
    """
    >>> unit_ns("ms")
    1000000

    0 for `AUTO`.
    """
    if precision == AUTO:
        return 0
    try:
        return NS_PER_UNIT[precision]
    except KeyError:
        raise PrecisionError(precision) from None


class Kind(IntEnum):
    """Of a field's value. `LONG`: a float of more than 18 digits, or an unsigned above int64, which the fast path leaves as its text."""

    FLOAT = 1
    INTEGER = 2
    UNSIGNED = 3
    BOOLEAN = 4
    STRING = 5
    LONG = 6


class Fault(IntEnum):
    """What is wrong with a line. Faults of the structure end the reading of the line; faults of one element do not, so that a
    line break inside a quoted string stays inside."""

    COMMENT = 1
    MEASUREMENT = 2
    TAG_KEY = 3
    TAG_EQUALS = 4
    TAG_VALUE = 5
    TAG_TWICE = 6
    HEAD_LONG = 7
    FIELD_KEY = 8
    FIELD_EQUALS = 9
    VALUE = 10
    NUMBER = 11
    RANGE = 12
    QUOTE = 13
    AFTER_STRING = 14
    TIME = 15
    TIME_RANGE = 16
    NOT_UTF8 = 17

    @property
    def en(self) -> str:
        return _WORDS[self][1]

    @property
    def zh(self) -> str:
        return _WORDS[self][0]


_WORDS = {
    Fault.COMMENT: ("注释里有控制字符", "a control character stands in a comment"),
    Fault.MEASUREMENT: ("没有测量名", "no measurement name"),
    Fault.TAG_KEY: ("没有标签名，或没有字段", "a tag key or a field is missing"),
    Fault.TAG_EQUALS: ("标签名后没有等号", "no '=' after a tag key"),
    Fault.TAG_VALUE: ("标签没有值", "a tag has no value"),
    Fault.TAG_TWICE: ("标签名重复", "a tag key stands twice"),
    Fault.HEAD_LONG: ("测量名和标签超过 65535 字节", "measurement and tags are longer than 65535 bytes"),
    Fault.FIELD_KEY: ("没有字段名", "a field key is missing"),
    Fault.FIELD_EQUALS: ("字段名后没有等号", "no '=' after a field key"),
    Fault.VALUE: ("字段值不是数、布尔值或带引号的文本", "a field value is no number, boolean or quoted string"),
    Fault.NUMBER: ("数字写法不对", "a number is not well formed"),
    Fault.RANGE: ("数值超出范围", "a number is out of range"),
    Fault.QUOTE: ("文本没有结束引号", "a quoted string does not end"),
    Fault.AFTER_STRING: ("结束引号后有多余字符", "something follows a closing quote"),
    Fault.TIME: ("时间戳写法不对", "the timestamp is not well formed"),
    Fault.TIME_RANGE: ("时间戳超出范围", "the timestamp is out of range"),
    Fault.NOT_UTF8: ("不是 UTF-8", "not UTF-8"),
}
