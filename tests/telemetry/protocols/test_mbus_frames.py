"""M-Bus frames: found in a stream, their records read, each kind of data with its edges. Frames are written here byte by byte."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nuan.telemetry.protocols import mbus
from nuan.telemetry.protocols.mbus.dates import epoch, type_f
from nuan.telemetry.protocols.mbus.header import STATUS_OF, maker_bytes
from nuan.telemetry.protocols.mbus.link import Frame, frames, long_frame
from nuan.telemetry.protocols.parsed import Parsed
from nuan.terms.places import CHINA

# the worked example of the M-Bus documentation (chapter 6): a water meter of PAD
WATER = "68 1F 1F 68 08 02 72 78 56 34 12 24 40 01 07 55 00 00 00 03 13 15 31 00 DA 02 3B 13 01 8B 60 04 37 18 02 18 16"
HEAD = bytes.fromhex("78563412") + maker_bytes("KAM") + bytes.fromhex("0104 2A 00 0000")


def read(records: str, head: bytes = HEAD, ci: int = 0x72) -> Parsed:
    return mbus.parse(long_frame(0x08, 5, ci, head + bytes.fromhex(records)))


def values(parsed: Parsed) -> dict[str, object]:
    return {point.name: point.value for point in parsed.points}


def codes(parsed: Parsed) -> list[str]:
    return [problem.code for problem in parsed.problems]


def test_the_example_of_the_documentation() -> None:
    parsed = mbus.parse(bytes.fromhex(WATER), identities=True)
    assert [(point.name, point.value, point.unit) for point in parsed.points] == [
        ("volume", 12_565, "L"),
        ("flow.max.s5", 113, "L/h"),
        ("energy.t2.u1", 218_370, "Wh"),
    ]
    assert {point.device for point in parsed.points} == {"12345678"}
    assert dict(parsed.notes[0].facts) == {"manufacturer": "PAD", "version": "1", "medium": "water"}


def test_hexadecimal_text_is_the_same_frame() -> None:
    assert mbus.parse(WATER.encode()).points == mbus.parse(bytes.fromhex(WATER)).points


# records, name, value, unit
NUMBERS = [
    ("03 13 15 31 00", "volume", 12_565, "L"),
    ("01 13 FF", "volume", -1, "L"),
    ("02 5B FE FF", "supply_temp", -2, "°C"),
    ("04 06 00 00 01 00", "energy", 65_536_000, "Wh"),
    ("06 13 FF FF FF FF FF FF", "volume", -1, "L"),
    ("07 03 00 00 00 00 01 00 00 00", "energy", 4_294_967_296, "Wh"),
    ("01 13 80", "volume", None, "L"),
    ("04 13 00 00 00 80", "volume", None, "L"),
    ("0A 5A 34 06", "supply_temp", Decimal("63.4"), "°C"),
    ("0A 5A 05 F0", "supply_temp", Decimal("-0.5"), "°C"),
    ("0A 5A FF FF", "supply_temp", None, "°C"),
    ("0A 5A 3A 06", "supply_temp", None, "°C"),
    ("09 5B 21", "supply_temp", 21, "°C"),
    ("0B 3B 34 12 00", "flow", 1_234, "L/h"),
    ("0C 06 45 23 01 00", "energy", 12_345_000, "Wh"),
    ("0E 06 12 90 78 56 34 12", "energy", 123_456_789_012_000, "Wh"),
    ("05 2B 00 00 48 41", "power", Decimal("12.5"), "W"),
    ("05 2E CD CC A0 41", "power", Decimal("2.010E+4"), "W"),
    ("05 2B 00 00 C0 7F", "power", None, "W"),
    ("0D 13 C3 56 34 12", "volume", 123_456, "L"),
    ("0D 13 D2 34 12", "volume", -1_234, "L"),
    ("0D 13 E2 34 12", "volume", 0x1234, "L"),
    ("0C 0E 01 00 00 00", "energy", 1_000_000, "J"),
    ("0C FB 09 01 00 00 00", "energy", 1_000, "MJ"),
    ("0C FB 01 01 00 00 00", "energy", 1_000, "kWh"),
    ("0C FB 0E 01 00 00 00", "energy", 10_000, "kcal"),
    ("0C FB 11 01 00 00 00", "volume", 1_000, "m³"),
    ("02 FB 1A 23 00", "humidity", Decimal("3.5"), "%"),
    ("0A 18 01 00", "mass", Decimal("0.001"), "kg"),
    ("0A 40 01 00", "flow", Decimal("0.0001"), "L/min"),
    ("0A 48 01 00", "flow", Decimal("0.000001"), "L/s"),
    ("0A 53 01 00", "mass_flow", 1, "kg/h"),
    ("0A 69 16 00", "pressure", Decimal("0.16"), "bar"),
    ("0A 62 13 02", "temp_difference", Decimal("21.3"), "ΔK"),
    ("0A 66 05 F1", "external_temp", Decimal("-10.5"), "°C"),
    ("0A 22 67 45", "on_time", 4_567, "h"),
    ("02 FD 17 01 80", "error_flags", 0x8001, None),
    ("0C 86 74 45 23 01 00", "energy", 123_450, "Wh"),
    ("0C 93 7D 01 00 00 00", "volume", 1_000, "L"),
    ("0A DB 7A 01 00", "supply_temp", Decimal("1.1"), "°C"),
    ("0C 7C 03 6D 33 61 01 00 00 00", "text_a3m", 1, "a3m"),
    ("0C FC 03 6D 33 61 74 01 00 00 00", "text_a3m", Decimal("0.01"), "a3m"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "name", "value", "unit"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_a_number_is_read_exactly(records: str, name: str, value: object, unit: str | None) -> None:
    parsed = read(records)
    assert [(point.name, point.value, point.unit) for point in parsed.points] == [(name, value, unit)]
    assert parsed.problems == []


# records, name
NAMES = [
    ("4C 06 01 00 00 00", "energy.s1"),
    ("8C 01 06 01 00 00 00", "energy.s2"),
    ("CC 01 06 01 00 00 00", "energy.s3"),
    ("CC 81 01 06 01 00 00 00", "energy.s35"),
    ("8C 10 06 01 00 00 00", "energy.t1"),
    ("8C 40 06 01 00 00 00", "energy.u1"),
    ("8C C0 40 06 01 00 00 00", "energy.u3"),
    ("1A 2E 01 00", "power.max"),
    ("2A 5A 01 00", "supply_temp.min"),
    ("3A 5A 01 00", "supply_temp.error"),
    ("0C 93 3B 01 00 00 00", "volume.forward"),
    ("0C 93 3C 01 00 00 00", "volume.backward"),
    ("0C 6F 01 00 00 00", "vif_6f"),
    ("0C FF 01 01 00 00 00", "manufacturer_specific"),
]


@pytest.mark.parametrize(("records", "name"), NAMES, ids=[name for _, name in NAMES])
def test_another_thing_has_another_name(records: str, name: str) -> None:
    """So that no profile takes last year's heat for today's, or a maximum for the present value."""
    assert [point.name for point in read(records).points] == [name]


def test_fillers_and_specific_data_are_passed_over() -> None:
    parsed = read("2F 2F 0A 5A 34 06 2F 0A 5E 21 04 0F 01 02 03 FF")
    assert values(parsed) == {"supply_temp": Decimal("63.4"), "return_temp": Decimal("42.1")}
    assert parsed.problems == []
    assert values(read("0A 5A 34 06 1F")) == {"supply_temp": Decimal("63.4")}


def test_a_record_error_takes_the_value_and_says_so() -> None:
    (point,) = read("0A DA 15 34 06").points
    assert (point.name, point.value, point.status) == ("supply_temp", None, ("any_error",))
    (point,) = read("0A DA 16 34 06").points
    assert point.status == ("overflow",)


def test_the_status_byte_goes_with_every_value() -> None:
    head = HEAD[:9] + b"\x14" + HEAD[10:]
    assert [point.status for point in read("0A 5A 34 06", head).points] == [("low_battery", "temporary_error")]
    assert STATUS_OF[0] == ()
    assert STATUS_OF[0x01] == ("busy",)
    assert STATUS_OF[0x82] == ("any_error", "specific_3")


def test_each_storage_has_its_own_time() -> None:
    now = type_f(datetime(2026, 1, 10, 8, 30, tzinfo=UTC)).hex()
    parsed = read(f"0C 06 01 00 00 00 04 6D {now} 4C 06 01 00 00 00 42 6C 5F 3C 8C 01 06 01 00 00 00")
    times = {point.name: point.time_s for point in parsed.points}
    assert times == {
        "energy": int(datetime(2026, 1, 10, 8, 30, tzinfo=CHINA).timestamp()),
        "energy.s1": int(datetime(2027, 1, 1, tzinfo=CHINA).timestamp()),
        "energy.s2": None,
    }


DATES = [
    ("type F", "1E 28 4A 31", datetime(2026, 1, 10, 8, 30, tzinfo=UTC)),
    ("type F, 1999", "1E 08 6A C1", datetime(1999, 1, 10, 8, 30, tzinfo=UTC)),
    ("type F, invalid", "9E 28 4A 31", None),
    ("type F, month 13", "1E 28 4A 3D", None),
    ("type F, every day", "1E 28 40 31", None),
    ("type G: the end of the day", "4A 31", datetime(2026, 1, 11, tzinfo=UTC)),
    ("type G, empty", "FF FF", None),
    ("type I", "0F 1E 08 4A 31 00", datetime(2026, 1, 10, 8, 30, 15, tzinfo=UTC)),
    ("type I, invalid", "0F 9E 08 4A 31 00", None),
    ("type J: no date", "0F 1E 08", None),
]


@pytest.mark.parametrize(("data", "moment"), [row[1:] for row in DATES], ids=[row[0] for row in DATES])
def test_dates(data: str, moment: datetime | None) -> None:
    assert epoch(bytes.fromhex(data), UTC) == (None if moment is None else int(moment.timestamp()))


def test_texts_and_numbers_of_plates_are_notes() -> None:
    parsed = read("0C 78 78 56 34 12 0D FD 0C 03 31 2E 56")
    assert parsed.points == []
    assert dict(parsed.notes[0].facts) == {"fabrication_no": "12345678", "model": "V.1"}


def test_short_and_missing_headers() -> None:
    parsed = mbus.parse(long_frame(0x08, 5, 0x7A, bytes.fromhex("2A 04 00 00 0A 5A 34 06")))
    assert [(p.device, p.value, p.status) for p in parsed.points] == [("address-5", Decimal("63.4"), ("low_battery",))]
    parsed = mbus.parse(long_frame(0x08, 5, 0x78, bytes.fromhex("0A 5A 34 06")))
    assert [(p.device, p.value) for p in parsed.points] == [("address-5", Decimal("63.4"))]


def test_fixed_data() -> None:
    """The M-Bus documentation's example of CI 73: 1 L and, historic, 135 L."""
    frame = bytes.fromhex("68 13 13 68 08 05 73 78 56 34 12 0A 00 E9 7E 01 00 00 00 35 01 00 00 3C 16")
    parsed = mbus.parse(frame)
    assert [(p.device, p.name, p.value, p.unit) for p in parsed.points] == [
        ("12345678", "volume", 1, "L"),
        ("12345678", "volume.s1", 135, "L"),
    ]


# what, records or frame, codes of the problems
BAD = [
    ("nothing", b"", ["empty"]),
    ("noise", b"noise", ["no_frame"]),
    ("cut", bytes.fromhex(WATER)[:-4], ["cut"]),
    ("two lengths", bytes.fromhex(WATER.replace("1F 1F", "1F 1E")), ["length"]),
    ("checksum", bytes.fromhex(WATER.replace("18 16", "19 16")), ["checksum"]),
    ("no end byte", bytes.fromhex(WATER.replace("18 16", "18 17")), ["end_byte"]),
    ("not decimal", long_frame(8, 1, 0x72, b"\xaa" + HEAD[1:]), ["address"]),
    ("no room for the header", long_frame(8, 1, 0x72, HEAD[:7]), ["cut"]),
    ("an unknown CI", long_frame(8, 1, 0x99, HEAD), ["unknown_frame"]),
    ("fixed data, high byte first", long_frame(8, 1, 0x77, HEAD + bytes(4)), ["unknown_frame"]),
    (
        "high byte first, a record is cut",
        long_frame(8, 1, 0x76, HEAD[3::-1] + HEAD[5:3:-1] + HEAD[6:] + bytes.fromhex("0C 06 01")),
        ["record"],
    ),
    ("the meter answers with an error", long_frame(8, 1, 0x70, b"\x08"), ["device_error"]),
    ("encrypted", long_frame(8, 1, 0x72, HEAD[:10] + b"\x20\x05" + bytes(32)), ["encrypted"]),
    ("a record is cut", long_frame(8, 1, 0x72, HEAD + bytes.fromhex("0A 5A 34 06 0C 06 01")), ["record"]),
    ("DIFE without end", long_frame(8, 1, 0x72, HEAD + b"\x8c" * 12), ["record"]),
    ("VIFE without end", long_frame(8, 1, 0x72, HEAD + b"\x0c" + b"\xfb" * 12), ["record"]),
    ("reserved function", long_frame(8, 1, 0x72, HEAD + b"\x3f\x01"), ["record"]),
    ("fixed data of a wrong length", long_frame(8, 1, 0x73, HEAD), ["length"]),
]


@pytest.mark.parametrize(("frame", "expected"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_read_is_a_problem_with_its_bytes(frame: bytes, expected: list[str]) -> None:
    parsed = mbus.parse(frame)
    assert codes(parsed) == expected
    assert all(problem.payload in frame for problem in parsed.problems)


def test_good_records_before_a_bad_one_count() -> None:
    parsed = read("0A 5A 34 06 0C 06 01")
    assert values(parsed) == {"supply_temp": Decimal("63.4")}


def test_frames_are_found_behind_junk_and_preambles() -> None:
    good = bytes.fromhex(WATER)
    parsed = mbus.parse(b"\xfe\xfe\xe5\x10\x5b\x01\x5c\x16" + good + b"\x00\xff")
    assert len(parsed.points) == 3
    assert parsed.problems == []
    parsed = mbus.parse(b"noise" + good + good[:20] + good)
    assert len(parsed.points) == 6
    assert codes(parsed)[0] == "junk"
    assert len(codes(parsed)) == 2


def test_requests_of_the_master_carry_no_reading() -> None:
    parsed = mbus.parse(long_frame(0x73, 1, 0x51, b"\x01\x7a\x05"))
    assert parsed == Parsed()
    (frame,) = (each for each in frames(bytes.fromhex("10 5B 01 5C 16")) if isinstance(each, Frame))
    assert (frame.control, frame.address, frame.ci) == (0x5B, 1, None)


def test_a_layout_kept_from_one_frame_is_not_put_on_another() -> None:
    """Same maker, same length, other records: the heads differ, so they are walked anew."""
    first, second = "0A 5A 34 06 0A 5E 21 04", "0A 5E 21 04 0A 5A 34 06"
    for _ in range(2):
        assert values(read(first)) == {"supply_temp": Decimal("63.4"), "return_temp": Decimal("42.1")}
        assert list(values(read(second))) == ["return_temp", "supply_temp"]


# the records of the documentation's water meter, and one of each kind of data, low byte first and high byte first
BOTH_WAYS = [
    ("03 13 15 31 00 DA 02 3B 13 01 8B 60 04 37 18 02", "03 13 00 31 15 DA 02 3B 01 13 8B 60 04 02 18 37"),
    ("0C 06 45 23 01 00 0A 5A 34 06 01 13 FF", "0C 06 00 01 23 45 0A 5A 06 34 01 13 FF"),
    ("05 2B 00 00 48 41 0E 06 12 90 78 56 34 12", "05 2B 41 48 00 00 0E 06 12 34 56 78 90 12"),
    ("04 6D 1E 28 4A 31 42 6C 5F 3C 0C 06 01 00 00 00", "04 6D 31 4A 28 1E 42 6C 3C 5F 0C 06 00 00 00 01"),
    ("0D FD 0C 03 31 2E 56 0D 13 C3 56 34 12 0A 5A 34 06", "0D FD 0C 03 56 2E 31 0D 13 C3 12 34 56 0A 5A 06 34"),
    ("2F 2F 0A 5A 34 06 0F 01 02 03 FF", "2F 2F 0A 5A 06 34 0F 01 02 03 FF"),
]


@pytest.mark.parametrize(("low", "high"), BOTH_WAYS)
def test_high_byte_first_says_the_same(low: str, high: str) -> None:
    """CI 76h (mode 2 of the M-Bus documentation, chapter 6.2): bit 2 of CI turns all fields of several bytes round, of head and data alike."""
    turned = HEAD[3::-1] + HEAD[5:3:-1] + HEAD[6:10] + HEAD[11:9:-1]
    wanted = mbus.parse(long_frame(0x08, 5, 0x72, HEAD + bytes.fromhex(low)), identities=True)
    found = mbus.parse(long_frame(0x08, 5, 0x76, turned + bytes.fromhex(high)), identities=True)
    assert found == wanted
    assert wanted.points
    assert wanted.problems == []
