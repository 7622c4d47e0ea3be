"""An M-Bus encoder written apart from the decoder: a list of records → a frame. Used by the comparison, the fuzz and the bench."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """`field`: the data field of DIF. `vib`: VIF and VIFEs."""

    vib: bytes
    field: int
    data: bytes
    storage: int = 0
    function: int = 0
    tariff: int = 0
    subunit: int = 0

    def encode(self) -> bytes:
        chain, storage, tariff, subunit = [], self.storage >> 1, self.tariff, self.subunit
        while storage or tariff or subunit:
            chain.append((storage & 15) | (tariff & 3) << 4 | (subunit & 1) << 6)
            storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
        head = [self.field | self.function << 4 | (self.storage & 1) << 6, *chain]
        head = [byte | 0x80 for byte in head[:-1]] + head[-1:]
        return bytes(head) + self.vib + self.data


def bcd(number: int, size: int) -> bytes:
    digits = f"{abs(number):0{2 * size}d}"
    return bytes.fromhex(("F" + digits[1:]) if number < 0 else digits)[::-1]


def header(
    number: int, maker: str = "KAM", version: int = 1, medium: int = 4, access: int = 0, status: int = 0
) -> bytes:
    code = 0
    for letter in maker:
        code = code * 32 + ord(letter) - 64
    return bcd(number, 4) + code.to_bytes(2, "little") + bytes((version, medium, access, status, 0, 0))


def frame(head: bytes, records: list[Field], ci: int = 0x72, address: int = 1) -> bytes:
    inner = bytes((0x08, address, ci)) + head + b"".join(record.encode() for record in records)
    return bytes((0x68, len(inner), len(inner), 0x68)) + inner + bytes((sum(inner) % 256, 0x16))


def heat_meter(number: int, count: int) -> bytes:
    """A usual reply: energy, volume, flow, power, three temperatures, clock, last month's energy and date, hours, error flags."""
    return frame(header(number, access=count % 256), [
        Field(b"\x06", 12, bcd(12_345 + count, 4)),
        Field(b"\x13", 12, bcd(5_432_100 + 7 * count, 4)),
        Field(b"\x3b", 11, bcd(1_234 + count % 50, 3)),
        Field(b"\x2d", 11, bcd(432 + count % 30, 3)),
        Field(b"\x5a", 10, bcd(634 + count % 9, 2)),
        Field(b"\x5e", 10, bcd(421 - count % 7, 2)),
        Field(b"\x62", 10, bcd(213, 2)),
        Field(b"\x6d", 4, bytes((count % 60, 0x20 | 8, 0x4A, 0x31))),
        Field(b"\x06", 12, bcd(11_111, 4), storage=1),
        Field(b"\x6c", 2, b"\x5f\x3c", storage=1),
        Field(b"\x22", 12, bcd(4_567 + count, 4)),
        Field(b"\xfd\x17", 2, b"\x00\x00"),
    ])  # fmt: skip
