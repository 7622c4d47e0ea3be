"""CJ/T 188 frames: a reader against frames written here digit by digit, apart from the encoder of the simulator."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nuan.telemetry.protocols import cjt188
from nuan.telemetry.protocols.cjt188.reading import negative, status_words
from nuan.telemetry.protocols.parsed import Parsed
from nuan.terms.places import CHINA

CLOCK = "00 30 08 10 01 26 20"
AT_S = int(datetime(2026, 1, 10, 8, 30, tzinfo=CHINA).timestamp())
HEAT = (
    "1F 90 01  00 00 12 00 05  45 23 01 00 05  50 01 00 00 17  34 12 00 00 35  78 56 34 00 2C  40 65 00  08 40 00  67 45 00 "
    f"{CLOCK} 00 00"
)


def framed(data: str, kind: int = 0x20, control: int = 0x81, address: str = "78 56 34 12 00 11 11") -> bytes:
    """The frame as the standard draws it: checksum over everything from 68."""
    body = bytes.fromhex(data)
    inner = bytes((0x68, kind)) + bytes.fromhex(address) + bytes((control, len(body))) + body
    return b"\xfe\xfe\xfe" + inner + bytes((sum(inner) % 256, 0x16))


def values(parsed: Parsed) -> dict[str, object]:
    return {point.name: point.value for point in parsed.points}


def codes(parsed: Parsed) -> list[str]:
    return [problem.code for problem in parsed.problems]


def test_a_heat_meters_answer() -> None:
    parsed = cjt188.parse(framed(HEAT))
    assert parsed.problems == []
    assert {point.device for point in parsed.points} == {"11110012345678"}
    assert [(point.name, point.value, point.unit, point.time_s) for point in parsed.points] == [
        ("energy.s1", 1_200_000, "Wh", None),
        ("energy", 123_450, "Wh", AT_S),
        ("power", 1_500, "W", AT_S),
        ("flow", Decimal("123.4"), "L/h", AT_S),
        ("volume", 3_456_780, "L", AT_S),
        ("supply_temp", Decimal("65.40"), "°C", AT_S),
        ("return_temp", Decimal("40.08"), "°C", AT_S),
        ("on_time", 4_567, "h", AT_S),
    ]


def test_the_identifier_turned_round_says_the_same() -> None:
    assert cjt188.parse(framed("90 1F" + HEAT[5:])).points == cjt188.parse(framed(HEAT)).points


def test_hexadecimal_text_is_the_same_frame() -> None:
    assert cjt188.parse(framed(HEAT).hex(" ").encode()).points == cjt188.parse(framed(HEAT)).points


# unit code, value and unit of 1234.50 in it
UNITS = [
    (0x01, Decimal("1234.50"), "J"), (0x02, Decimal("1234.50"), "Wh"), (0x05, 1_234_500, "Wh"), (0x08, 1_234_500_000, "Wh"),
    (0x0A, 123_450_000_000, "Wh"), (0x0B, Decimal("1234.50"), "kJ"), (0x0E, 1_234_500, "kJ"), (0x11, 1_234_500_000, "kJ"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "value", "unit"), UNITS, ids=[f"{row[0]:02X}" for row in UNITS])
def test_units_of_heat(code: int, value: object, unit: str) -> None:
    parsed = cjt188.parse(framed(HEAT.replace("45 23 01 00 05", f"50 34 12 00 {code:02X}")))
    (point,) = (each for each in parsed.points if each.name == "energy")
    assert (point.value, point.unit) == (value, unit)


def test_water_meters() -> None:
    for kind in (0x10, 0x11, 0x12, 0x13, 0x30):
        parsed = cjt188.parse(framed(f"1F 90 00  78 56 34 00 2C  00 56 34 00 2C {CLOCK} 04 00", kind))
        assert values(parsed) == {"volume": 3_456_780, "volume.s1": 3_456_000}
        assert {point.status for point in parsed.points} == {("low_battery",)}


def test_cooling_is_not_heat() -> None:
    assert {"cooling_energy", "cooling_power"} <= set(values(cjt188.parse(framed(HEAT, 0x21))))
    assert "energy" not in values(cjt188.parse(framed(HEAT, 0x21)))


def test_settlements_of_past_months() -> None:
    parsed = cjt188.parse(framed("20 D1 00 45 23 01 00 05"))
    assert values(parsed) == {"energy.s1": 123_450}
    assert values(cjt188.parse(framed("2B D1 00 45 23 01 00 05"))) == {"energy.s12": 123_450}


# digits of the supply temperature on the wire, value
TEMPERATURES = [
    ("40 65 00", Decimal("65.40")),
    ("50 02 80", Decimal("-2.50")),
    ("50 02 F0", Decimal("-2.50")),
    ("FF FF FF", None),
    ("EE EE EE", None),
    ("00 00 00", Decimal("0.00")),
]


@pytest.mark.parametrize(("digits", "value"), TEMPERATURES, ids=[row[0] for row in TEMPERATURES])
def test_temperatures_with_sign_or_without_value(digits: str, value: Decimal | None) -> None:
    parsed = cjt188.parse(framed(HEAT.replace("40 65 00", digits)))
    (point,) = (each for each in parsed.points if each.name == "supply_temp")
    assert point.value == value
    assert ("sensor_fault" in point.status) == (value is None)


def test_a_flow_that_runs_backwards() -> None:
    parsed = cjt188.parse(framed(HEAT.replace("34 12 00 00 35", "34 12 00 80 35")))
    assert values(parsed)["flow"] == Decimal("-123.4")
    assert negative("00012345") is None


@pytest.mark.parametrize(
    "clock", ["00 00 00 00 00 00 00", "FF FF FF FF FF FF FF", "00 30 08 32 01 26 20", "00 61 08 10 01 26 20"]
)
def test_an_invalid_clock_is_no_time(clock: str) -> None:
    parsed = cjt188.parse(framed(HEAT.replace(CLOCK, clock)))
    assert {point.time_s for point in parsed.points} == {None}
    assert len(parsed.points) == 8


def test_status_words() -> None:
    assert status_words(0, 0) == ()
    assert status_words(0x03, 0) == ("valve_fault",)
    assert status_words(0x25, 1) == ("valve_closed", "low_battery", "specific_1", "abnormal")


BAD = [
    ("nothing", b"", ["empty"]),
    ("noise", b"noise", ["no_frame"]),
    ("cut", framed(HEAT)[:-3], ["cut"]),
    ("checksum", framed(HEAT)[:-2] + b"\x00\x16", ["checksum"]),
    ("no end byte", framed(HEAT)[:-1] + b"\x17", ["end_byte"]),
    ("too short for a heat meter", framed(HEAT[:40]), ["length"]),
    ("too short for a water meter", framed("1F 90 00 01", 0x10), ["length"]),
    ("a unit that is none", framed(HEAT.replace("45 23 01 00 05", "45 23 01 00 3F")), ["unit"]),
    ("litres of heat", framed(HEAT.replace("45 23 01 00 05", "45 23 01 00 2C")), ["unit"]),
    ("an unknown identifier", framed("55 55 00"), ["unknown_frame"]),
    ("no identifier", framed(""), ["unknown_frame"]),
    ("the meter answers with an error", framed("00 01 00", control=0xC1), ["device_error"]),
    ("an unknown control code", framed("00", control=0x99), ["control"]),
]


@pytest.mark.parametrize(("frame", "expected"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_read_is_a_problem_with_its_bytes(frame: bytes, expected: list[str]) -> None:
    parsed = cjt188.parse(frame)
    assert codes(parsed) == expected
    assert all(problem.payload in frame for problem in parsed.problems)


def test_one_wrong_unit_does_not_take_the_other_values() -> None:
    parsed = cjt188.parse(framed(HEAT.replace("45 23 01 00 05", "45 23 01 00 3F")))
    assert "energy" not in values(parsed)
    assert values(parsed)["supply_temp"] == Decimal("65.40")


def test_several_frames_with_a_broken_one_between() -> None:
    parsed = cjt188.parse(framed(HEAT) + framed(HEAT)[:30] + framed(HEAT))
    assert len(parsed.points) == 16
    assert codes(parsed) == ["checksum"]


def test_requests_are_built_as_the_standard_draws_them_and_carry_no_reading() -> None:
    request = cjt188.read_data("11110012345678", serial=1)
    assert request.hex(" ") == "fe fe fe 68 20 78 56 34 12 00 11 11 01 03 1f 90 01 72 16"
    assert cjt188.read_address().hex(" ") == "fe fe fe 68 20 aa aa aa aa aa aa aa 03 03 0a 81 00 bf 16"
    assert cjt188.parse(request) == Parsed()
    (note,) = cjt188.parse(framed("0A 81 00", control=0x83)).notes
    assert (note.device, note.facts["medium"]) == ("11110012345678", "heat")


def test_the_simulators_answer_is_this_answer() -> None:
    answer = cjt188.heat_reply(
        "11110012345678", heat_100=12_345, settled_100=120_000, power_100=150, flow_10000=1_234, volume_100=345_678,
        supply_c100=6_540, return_c100=4_008, hours=4_567, local=datetime(2026, 1, 10, 8, 30, tzinfo=UTC), serial=1,
    )  # fmt: skip
    assert answer == framed(HEAT)
    water = cjt188.water_reply(
        "11110012345678", volume_100=345_678, settled_100=345_600, local=datetime(2026, 1, 10, 8, 30, tzinfo=UTC)
    )
    assert water == framed(f"1F 90 00  78 56 34 00 2C  00 56 34 00 2C {CLOCK} 00 00", 0x10)
