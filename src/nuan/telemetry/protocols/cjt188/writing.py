"""CJ/T 188 frames to send: requests to a meter, and the answers that a simulated meter gives."""

from datetime import datetime

from nuan.telemetry.protocols.cjt188.link import frame

ANY_ADDRESS = "AA" * 7


def read_data(address: str, serial: int = 0, kind: int = 0x20) -> bytes:
    """Ask a meter for its present values (901FH)."""
    return b"\xfe\xfe\xfe" + frame(kind, address, 0x01, bytes((0x1F, 0x90, serial)))


def read_address(serial: int = 0, kind: int = 0x20) -> bytes:
    """Ask the only meter of a line who it is (810AH)."""
    return b"\xfe\xfe\xfe" + frame(kind, ANY_ADDRESS, 0x03, bytes((0x0A, 0x81, serial)))


def bcd(count: int, size: int) -> bytes:
    """Low byte first; a negative number has the top bit set."""
    digits = f"{abs(count):0{2 * size}d}"
    if len(digits) > 2 * size:
        digits = digits[-2 * size :]
    data = bytearray(bytes.fromhex(digits)[::-1])
    if count < 0:
        data[-1] |= 0x80
    return bytes(data)


def clock(local: datetime) -> bytes:
    return bytes.fromhex(local.strftime("%Y%m%d%H%M%S"))[::-1]


def heat_reply(
    address: str,
    *,
    heat_100: int,
    settled_100: int,
    power_100: int,
    flow_10000: int,
    volume_100: int,
    supply_c100: int,
    return_c100: int,
    hours: int,
    local: datetime,
    heat_unit: int = 0x05,
    status: bytes = b"\x00\x00",
    serial: int = 0,
    kind: int = 0x20,
) -> bytes:
    """A heat meter's answer: heat in hundredths of `heat_unit` (05H kWh), power kW, flow m³/h, volume m³."""
    data = bytes((0x1F, 0x90, serial))
    data += bcd(settled_100, 4) + bytes((heat_unit,)) + bcd(heat_100, 4) + bytes((heat_unit,))
    data += bcd(power_100, 4) + b"\x17" + bcd(flow_10000, 4) + b"\x35" + bcd(volume_100, 4) + b"\x2c"
    data += bcd(supply_c100, 3) + bcd(return_c100, 3) + bcd(hours, 3) + clock(local) + status
    return b"\xfe\xfe\xfe" + frame(kind, address, 0x81, data)


def water_reply(
    address: str,
    *,
    volume_100: int,
    settled_100: int,
    local: datetime,
    status: bytes = b"\x00\x00",
    serial: int = 0,
    kind: int = 0x10,
) -> bytes:
    data = (
        bytes((0x1F, 0x90, serial))
        + bcd(volume_100, 4)
        + b"\x2c"
        + bcd(settled_100, 4)
        + b"\x2c"
        + clock(local)
        + status
    )
    return b"\xfe\xfe\xfe" + frame(kind, address, 0x81, data)
