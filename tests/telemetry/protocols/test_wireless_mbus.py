"""Wireless telegrams: both frame formats, with and without CRCs; layers; what is encrypted says so."""

from decimal import Decimal

import pytest

from nuan.telemetry.protocols import wmbus
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
    ("a compact frame", telegram("79" + RECORDS), "unknown_frame"),
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
