"""The head of an application block: who speaks (identification, manufacturer, version, medium) and how it feels (status byte)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.parsed import Problem

MEDIA: Mapping[int, str] = MappingProxyType({
    0x00: "other", 0x01: "oil", 0x02: "electricity", 0x03: "gas", 0x04: "heat (return)", 0x05: "steam", 0x06: "warm water", 0x07: "water",
    0x08: "heat cost allocator", 0x09: "compressed air", 0x0A: "cooling (return)", 0x0B: "cooling (supply)", 0x0C: "heat (supply)",
    0x0D: "heat and cooling", 0x0E: "bus", 0x0F: "unknown", 0x14: "calorific value", 0x15: "hot water", 0x16: "cold water",
    0x17: "hot and cold water", 0x18: "pressure", 0x19: "converter", 0x1A: "smoke detector", 0x1B: "room sensor", 0x1C: "gas detector",
    0x20: "breaker", 0x21: "valve", 0x28: "waste water", 0x31: "communication controller", 0x36: "radio converter",
})  # fmt: skip
_STATUS_BITS = (
    (0x04, "low_battery"), (0x08, "permanent_error"), (0x10, "temporary_error"), (0x20, "specific_1"), (0x40, "specific_2"),
    (0x80, "specific_3"),
)  # fmt: skip
STATUS_OF = tuple(
    (("", "busy", "any_error", "abnormal")[byte & 3],) * bool(byte & 3)
    + tuple(word for bit, word in _STATUS_BITS if byte & bit)
    for byte in range(256)
)
"""Status byte of EN 13757-3 → codes."""
LONG_HEADER = frozenset((0x72, 0x76))
SHORT_HEADER = 0x7A
NO_HEADER = 0x78


@dataclass(frozen=True, slots=True)
class Identity:
    """`number`: the eight digits on the plate. Two makers may use the same digits; a gateway's list of devices keeps them apart."""

    number: str
    manufacturer: str
    version: int
    medium: int

    def facts(self) -> Mapping[str, str]:
        medium = MEDIA.get(self.medium, f"{self.medium:02X}")
        return MappingProxyType({"manufacturer": self.manufacturer, "version": str(self.version), "medium": medium})


@lru_cache(maxsize=65_536)
def identity(number: bytes, maker: bytes, version: int, medium: int) -> Identity | None:
    """From the bytes as they come, low byte first; None when the number is not decimal.

    >>> identity(bytes.fromhex("78563412"), bytes.fromhex("2d2c"), 1, 4)
    Identity(number='12345678', manufacturer='KAM', version=1, medium=4)
    """
    digits = number[::-1].hex().upper()
    return Identity(digits, letters(maker), version, medium) if digits.isdecimal() else None


def letters(maker: bytes) -> str:
    """Three letters in 15 bits, A = 1 (EN 62056-21)."""
    code = int.from_bytes(maker, "little") & 0x7FFF
    return "".join(chr(64 + (code >> shift & 31)) for shift in (10, 5, 0))


def maker_bytes(text: str) -> bytes:
    """
    >>> maker_bytes("KAM").hex()
    '2d2c'
    """
    first, second, third = (ord(letter) - 64 for letter in text)
    return (first << 10 | second << 5 | third).to_bytes(2, "little")


def hidden(configuration: bytes, block: bytes) -> str | None:
    """The mode when the block is encrypted. Modes 5, 7 … count encrypted parts; a gateway that has decrypted leaves 2F 2F in front."""
    mode = configuration[1] & 0x1F
    if mode == 0 or block[:2] == b"\x2f\x2f":
        return None
    if mode in (4, 5, 7, 10) and not configuration[0] & 0xF0:
        return None
    return said("mode", mode)


def encrypted(mode: str, raw: bytes) -> Problem:
    """`mode`: as `hidden` says it."""
    return Problem("encrypted", mode, None, raw)
