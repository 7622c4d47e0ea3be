"""Wireless telegrams: both frame formats, with and without CRCs; layers; what is encrypted says so."""

from decimal import Decimal

import pytest

from nuan.telemetry.protocols import wmbus
from nuan.telemetry.protocols.mbus.layout import walk
from nuan.telemetry.protocols.wmbus.compact import template_of
from nuan.telemetry.protocols.wmbus.link import crc16, with_crcs_a, with_crcs_b

SENDER = "2D2C 78563412 01 04"
RECORDS = "0C 06 45 23 01 00 0A 5A 34 06"


def telegram(rest: str, control: str = "44", sender: str = SENDER) -> bytes:
    body = bytes.fromhex(control + sender + rest)
    return bytes((len(body),)) + body


SHORT = telegram("7A 2A 04 0000" + RECORDS)
LONG = telegram("7A 00 00 0000 2F2F" + RECORDS + "2F" * 150)


@pytest.mark.parametrize("plain", [SHORT, LONG], ids=["short", "over 128 bytes"])
@pytest.mark.parametrize("wrap", [bytes, with_crcs_a, with_crcs_b], ids=["without CRCs", "format A", "format B"])
def test_one_telegram_three_ways(plain: bytes, wrap: object) -> None:
    parsed = wmbus.parse(wrap(plain))  # type: ignore[operator]
    assert [(p.device, p.name, p.value) for p in parsed.points] == [
        ("12345678", "energy", 12_345_000),
        ("12345678", "supply_temp", Decimal("63.4")),
    ]
    assert parsed.problems == []


def test_hexadecimal_text_and_the_bytes_of_synchronisation() -> None:
    assert wmbus.parse(SHORT.hex().encode()).points == wmbus.parse(SHORT).points
    assert wmbus.parse(b"\x54\xcd" + with_crcs_a(SHORT)).points == wmbus.parse(SHORT).points
    assert {point.status for point in wmbus.parse(SHORT).points} == {("low_battery",)}


def test_the_long_header_names_the_meter_behind_a_radio() -> None:
    parsed = wmbus.parse(telegram("72 11223399 2D2C 01 04 00 00 0000" + RECORDS), identities=True)
    assert {point.device for point in parsed.points} == {"99332211"}
    assert parsed.notes[0].facts["manufacturer"] == "KAM"


def extended(payload: str, session: str = "00000000") -> str:
    return "8D 20 01" + session + crc16(bytes.fromhex(payload))[::-1].hex() + payload


# what, telegram, points
LAYERS = [
    ("no header", telegram("78" + RECORDS), 2),
    ("extended layer I", telegram("8C 20 01 7A 00 00 0000" + RECORDS), 2),
    ("extended layer II", telegram(extended("78" + RECORDS)), 2),
    ("mode 5 already opened", telegram("7A 00 00 2005 2F2F" + RECORDS), 2),
    ("mode 5 with nothing hidden", telegram("7A 00 00 0005" + RECORDS), 2),
]


@pytest.mark.parametrize(("data", "points"), [row[1:] for row in LAYERS], ids=[row[0] for row in LAYERS])
def test_layers(data: bytes, points: int) -> None:
    parsed = wmbus.parse(data)
    assert (len(parsed.points), parsed.problems) == (points, [])


FLIPPED = bytearray(with_crcs_a(SHORT))
FLIPPED[20] ^= 1
BAD = [
    ("nothing", b"", "empty"),
    ("cut", SHORT[:-3], "cut"),
    ("a block is damaged", bytes(FLIPPED), "checksum"),
    ("a length that fits nothing", SHORT + b"\x00", "length"),
    ("mode 5", telegram("7A 00 00 2005" + "AB" * 32), "encrypted"),
    ("mode 7", telegram("7A 00 00 2007" + "AB" * 32), "encrypted"),
    ("extended layer encrypted", telegram("8D 20 01 00000020 0000" + "AB" * 20), "encrypted"),
    ("extended layer damaged", telegram("8D 20 01 00000000 0000 78" + RECORDS), "checksum"),
    ("a compact frame of a format not seen yet", telegram("79" + "1234 5678" + "01020304"), "unknown_frame"),
    ("a compact frame without values", telegram("79 EDA8 6AB6"), "cut"),
    ("a compact frame with too few values", telegram("79 EDA8 6AB6 7100 0819"), "length"),
    (
        "a compact frame whose values are not those of the CRC",
        telegram("79 EDA8 6AB6 7100 08190000 09190000 7F 13"),
        "checksum",
    ),
    ("a frame that only tells a format", telegram("69 0B EDA8 02FF20"), "unknown_frame"),
    ("a maker's own", telegram("A2" + RECORDS), "unknown_frame"),
    ("a command to a meter", telegram("7A 00 00 0000" + RECORDS, control="03"), "control"),
    ("a number that is none", telegram("78" + RECORDS, sender="2D2C AABBCCDD 01 04"), "address"),
    ("a record is cut", telegram("78 0C 06 01 02"), "record"),
]


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_read_is_a_problem(data: bytes, code: str) -> None:
    parsed = wmbus.parse(data)
    assert [problem.code for problem in parsed.problems] == [code]
    assert parsed.points == []


# two telegrams of a Multical 21 as published with wmbusmeters' driver (decrypted by the receiver): the full frame and a compact one
FULL = "2A442D2C998734761B168D2091D37CAC21576C78 02FF207100 041308190000 441308190000 615B7F 616713"
COMPACT = "23442D2C998734761B168D2087D19EAD217F1779 EDA8 6AB6 7100 08190000 08190000 7F 13"


def meant(text: str) -> list[tuple[str, str, object]]:
    parsed = wmbus.parse(bytes.fromhex(text))
    assert parsed.problems == []
    return [(point.device, point.name, point.value) for point in parsed.points]


def test_published_telegrams_full_and_compact() -> None:
    """6.408 m³, the same at the turn of the month, 127 and 19 °C."""
    found = meant(FULL)
    assert [(name, value) for _, name, value in found] == [
        ("manufacturer_specific", 0x71), ("volume", 6_408), ("volume.s1", 6_408), ("supply_temp.min.s1", 127), ("external_temp.min.s1", 19),
    ]  # fmt: skip
    assert {device for device, _, _ in found} == {"76348799"}
    assert meant(COMPACT) == found


def test_a_format_is_learnt_from_a_full_frame() -> None:
    records = "0C 06 45 23 01 00 0A 5A 34 06 0A 5E 21 04"
    heads, values = bytes.fromhex("0C06 0A5A 0A5E"), "45 23 01 00 34 06 21 04"
    compact = telegram("79" + crc16(heads)[::-1].hex() + crc16(bytes.fromhex(records))[::-1].hex() + values)
    assert [problem.code for problem in wmbus.parse(compact).problems] == ["unknown_frame"]
    full = wmbus.parse(telegram("7A 00 00 0000" + records))
    found = wmbus.parse(compact)
    assert found.problems == []
    assert [(p.name, p.value) for p in found.points] == [(p.name, p.value) for p in full.points]
    short = telegram("7B 2A 04 0000" + crc16(heads)[::-1].hex() + crc16(bytes.fromhex(records))[::-1].hex() + values)
    assert {point.status for point in wmbus.parse(short).points} == {("low_battery",)}


@pytest.mark.parametrize(
    "records", ["0D 13 C3 56 34 12", "2F 2F 0A 5A 34 06", "0A 5A 34 06 0F 01 02", "0A 5A 34 06 0C 06 01", ""],
    ids=["a variable length", "fillers", "a maker's own tail", "a fault", "nothing"],
)  # fmt: skip
def test_formats_for_which_no_compact_frame_can_stand(records: str) -> None:
    block = bytes.fromhex(records)
    assert template_of(block, walk(block)) is None


def test_a_session_that_somebody_opened_is_read() -> None:
    """The CRC of the extended link layer is encrypted with the rest: where it is right, the bytes are plain, whatever the session says."""
    assert len(wmbus.parse(telegram(extended("78" + RECORDS, "00000020"))).points) == 2
