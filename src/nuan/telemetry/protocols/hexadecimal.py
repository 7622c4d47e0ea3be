"""Frames in a message: raw bytes, or their hexadecimal digits as many gateways print them (`68 1F 1F 68 …`)."""

import re

_DIGITS = re.compile(rb"^\s*(?:0[xX])?[0-9A-Fa-f]{2}(?:[\s,:-]*(?:0[xX])?[0-9A-Fa-f]{2})+[\s,]*$")


def frame_bytes(payload: bytes) -> bytes:
    """The bytes meant.

    >>> frame_bytes(b"FE 68 11 16"), frame_bytes(bytes.fromhex("fe681116"))
    (b'\\xfeh\\x11\\x16', b'\\xfeh\\x11\\x16')
    """
    if not payload or payload[0] > 0x7F or payload[0] in (0x68, 0x10) or not _DIGITS.match(payload):
        return payload
    digits = re.sub(rb"0[xX]|[^0-9A-Fa-f]", b"", payload)
    return bytes.fromhex(digits.decode("ascii"))
