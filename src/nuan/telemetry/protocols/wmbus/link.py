"""EN 13757-4 frame formats: the CRCs are checked and taken out, what is left is L C M M A… CI data.

A:  L C M M A A A A A A crc · 16 bytes crc · … · rest crc        L counts neither itself nor the CRCs
B:  L C M M A A A A A A … crc · … crc                            L counts the CRCs; the first CRC stands at byte 126 or at the end
sticks deliver the telegram without CRCs, L counting what follows it
"""

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.parsed import Problem

POLYNOMIAL = 0x3D65
SYNC = (b"\x54\xcd", b"\x54\x3d")
FIRST_BLOCK, BLOCK, LONG_BLOCK = 10, 16, 126


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ POLYNOMIAL) & 0xFFFF if crc & 0x8000 else crc << 1
        table.append(crc)
    return tuple(table)


_TABLE = _table()


def crc16(data: bytes) -> bytes:
    """EN 13757-4: polynomial 3D65H, start 0, complemented, high byte first.

    >>> crc16(b"123456789").hex()
    'c2b7'
    """
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _TABLE[crc >> 8 ^ byte]
    return (crc ^ 0xFFFF).to_bytes(2, "big")


def telegram(data: bytes) -> bytes | Problem:
    """The telegram without CRCs, its L byte counting what follows."""
    if data[:2] in SYNC and len(data) > 12:
        data = data[2:]
    if len(data) < FIRST_BLOCK + 1:
        return Problem("cut" if data else "empty", said("bytes", len(data)), None, data)
    length = data[0] + 1
    if length < FIRST_BLOCK + 1:
        return Problem("length", f"{data[0]:02X}", 0, data)
    if len(data) == length:
        plain = _format_b(data)
        return plain if plain is not None else data
    blocks = 1 + -(-(length - FIRST_BLOCK) // BLOCK)
    if len(data) == length + 2 * blocks:
        return _format_a(data, length)
    return Problem("cut" if len(data) < length else "length", said("bytes_not", len(data), length), 0, data)


def _format_a(data: bytes, length: int) -> bytes | Problem:
    plain = b""
    at, left, size = 0, length, FIRST_BLOCK
    while left:
        size = min(size, left)
        block = data[at : at + size]
        if crc16(block) != data[at + size : at + size + 2]:
            return Problem("checksum", said("block_crc", at), at, data)
        plain += block
        at, left, size = at + size + 2, left - size, BLOCK
    return plain


def _format_b(data: bytes) -> bytes | None:
    """None when its CRCs do not hold: then it is a telegram without any."""
    first, rest = data[: LONG_BLOCK + 2], data[LONG_BLOCK + 2 :]
    if crc16(first[:-2]) != first[-2:] or (rest and (len(rest) < 3 or crc16(rest[:-2]) != rest[-2:])):
        return None
    plain = first[:-2] + rest[:-2]
    return bytes((len(plain) - 1,)) + plain[1:]


def with_crcs_a(plain: bytes) -> bytes:
    """Format A of a telegram, for simulators and tests."""
    framed = plain[:FIRST_BLOCK] + crc16(plain[:FIRST_BLOCK])
    for at in range(FIRST_BLOCK, len(plain), BLOCK):
        framed += plain[at : at + BLOCK] + crc16(plain[at : at + BLOCK])
    return framed


def with_crcs_b(plain: bytes) -> bytes:
    """Format B of a telegram, for simulators and tests."""
    pieces = [plain[:LONG_BLOCK], plain[LONG_BLOCK:]] if len(plain) > LONG_BLOCK else [plain]
    length = len(plain) - 1 + 2 * len(pieces)
    pieces[0] = bytes((length,)) + pieces[0][1:]
    return b"".join(piece + crc16(piece) for piece in pieces)
