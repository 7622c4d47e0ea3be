"""Modbus registers as a gateway writes them down → points of a register map."""

import struct
from decimal import Decimal
from fractions import Fraction

import pytest

from nuan.telemetry.protocols import modbus
from nuan.telemetry.protocols.modbus import RegisterMap, RegisterPoint, load_map
from nuan.telemetry.protocols.profile import shipped

AT_S = 1_768_003_200
FLOAT = struct.unpack(">HH", struct.pack(">f", 12.5))
DOUBLE = struct.unpack(">HHHH", struct.pack(">d", -0.25))

# type, order of words, order of bytes, words on the wire, value
TYPES = [
    ("uint16", "big", "big", (0xFFFF,), 65_535),
    ("int16", "big", "big", (0xFFFF,), -1),
    ("int16", "big", "little", (0x0100,), 1),
    ("uint32", "big", "big", (1, 2), 65_538),
    ("uint32", "little", "big", (2, 1), 65_538),
    ("uint32", "big", "little", (0x0100, 0x0200), 65_538),
    ("int32", "big", "big", (0xFFFF, 0xFFFE), -2),
    ("int64", "big", "big", (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD), -3),
    ("float32", "big", "big", FLOAT, Decimal("12.5")),
    ("float32", "little", "big", FLOAT[::-1], Decimal("12.5")),
    ("float32", "big", "big", (0x7FC0, 0), None),
    ("float64", "big", "big", DOUBLE, -0.25),
    ("bcd16", "big", "big", (0x1234,), 1_234),
    ("bcd16", "big", "big", (0x12A4,), None),
    ("bcd32", "big", "big", (0x0012, 0x3456), 123_456),
]


@pytest.mark.parametrize(("kind", "words", "order", "wire", "value"), TYPES)
def test_types(kind: str, words: str, order: str, wire: tuple[int, ...], value: object) -> None:
    point = RegisterPoint("x", 100, kind, words, order)
    assert point.value({100 + n: word for n, word in enumerate(wire)}) == value


def test_scale_offset_bit_and_the_number_that_means_none() -> None:
    assert RegisterPoint("t", 1, "int16", scale=Fraction(1, 10), offset=Fraction(-40)).value({1: 651}) == Fraction(
        "25.1"
    )
    assert RegisterPoint("t", 1, "int16", missing=-32_768).value({1: 0x8000}) is None
    assert RegisterPoint("pump", 1, "bit", bit=3).value({1: 0b1000}) == 1


MAP = RegisterMap(
    (
        RegisterPoint("t", 40001, "int16", scale=Fraction(1, 10), unit="°C"),
        RegisterPoint("q", 40002, "uint32", unit="kWh"),
    )
)
# what, payload
DOCUMENTS = [
    ("a row of values", b'{"device": "S1", "ts": 1768003200, "start": 40001, "values": [651, 0, 7]}'),
    ("named registers", b'{"device": "S1", "ts": 1768003200000, "registers": {"40001": 651, "40002": 0, "40003": "0x0007"}}'),
    ("a list of reads", b'[{"sn": "S1", "time": "2026-01-10 08:00:00", "start": "40001", "values": [651, 0, 7]}]'),
    ("a table", b"device,time,register,value\nS1,2026-01-10 08:00,40001,651\nS1,2026-01-10 08:00,40002,0\nS1,2026-01-10 08:00,40003,7\n"),
]  # fmt: skip


@pytest.mark.parametrize("payload", [row[1] for row in DOCUMENTS], ids=[row[0] for row in DOCUMENTS])
def test_documents(payload: bytes) -> None:
    parsed = modbus.parse(payload, MAP)
    assert [tuple(point) for point in parsed.points] == [
        ("S1", "t", AT_S, Fraction("65.1"), "°C", ()),
        ("S1", "q", AT_S, 7, "kWh", ()),
    ]
    assert parsed.problems == []


def test_without_a_map_every_register_is_a_point() -> None:
    parsed = modbus.parse(b'{"start": 40001, "values": [651, -1]}', device="S1")
    assert [(point.device, point.name, point.value) for point in parsed.points] == [
        ("S1", "r40001", 651),
        ("S1", "r40002", 65_535),
    ]


def test_a_map_of_each_device() -> None:
    parsed = modbus.parse(
        b'[{"device": "S1", "start": 40001, "values": [651]}, {"device": "S2", "start": 1, "values": [2]}]', {"S1": MAP}
    )
    assert [(point.device, point.name) for point in parsed.points] == [("S1", "t"), ("S2", "r1")]


BAD = [
    ("half of a pair", b'{"device": "S1", "start": 40002, "values": [1]}', "register"),
    ("a register that is none", b'{"device": "S1", "registers": {"x": 1}}', "register"),
    ("a value too large", b'{"device": "S1", "registers": {"1": 70000}}', "register"),
    ("nobody", b'{"start": 40001, "values": [651]}', "no_device"),
    ("no registers", b'{"device": "S1"}', "wrong_shape"),
    ("no object", b"[1]", "wrong_shape"),
    ("no JSON", b"{", "not_json"),
    ("a time that is none", b'{"device": "S1", "ts": "x", "start": 1, "values": []}', "not_a_time"),
    ("another table", b"a,b\n1,2\n", "wrong_shape"),
    ("nothing", b"", "empty"),
    ("not text", b"\xff\xff", "not_text"),
]


@pytest.mark.parametrize(("payload", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_read_is_a_problem(payload: bytes, code: str) -> None:
    parsed = modbus.parse(payload, MAP)
    assert [problem.code for problem in parsed.problems] == [code]
    assert parsed.points == []


def test_a_wrong_map_says_all_that_is_wrong() -> None:
    _, found = load_map(
        {
            "a": {"register": -1, "type": "int7"},
            "b": {"register": 1, "bit": 16},
            "c": {"register": 1, "scale": 0, "colour": 1},
        },
        "here",
    )
    assert [finding.field for finding in found] == ["a.register", "a.type", "b.bit", "c.colour", "c.scale"]


def test_the_shipped_controller() -> None:
    registers = shipped()["substation_rtu_modbus"].registers
    parsed = modbus.parse(b'{"device": "H01-S01", "start": 40001, "values": [1012, 554, 32768, 380]}', registers)
    assert [(point.name, point.value) for point in parsed.points] == [
        ("primary_supply", Fraction("101.2")), ("primary_return", Fraction("55.4")), ("supply", None), ("return", 38),
    ]  # fmt: skip
