"""A wireless telegram → Parsed: link address, extended link layer, transport header, and the records of EN 13757-3."""

from datetime import tzinfo

from nuan.telemetry.protocols.hexadecimal import frame_bytes
from nuan.telemetry.protocols.mbus.application import read_block
from nuan.telemetry.protocols.mbus.header import NO_HEADER, SHORT_HEADER, Identity, encrypted, hidden, identity
from nuan.telemetry.protocols.parsed import DeviceNote, Parsed, Problem
from nuan.telemetry.protocols.wmbus.link import crc16, telegram
from nuan.terms.places import CHINA

LONG_HEADER = 0x72
EXTENDED = {0x8C: 2, 0x8D: 8, 0x8E: 10, 0x8F: 16}
"""CI of the extended link layer → bytes before the next CI. 8DH and 8FH end with a session number and a CRC."""
FRAGMENTATION = 0x90
COMPACT = (0x69, 0x6A, 0x6B, 0x79)


def parse(payload: bytes, zone: tzinfo = CHINA, identities: bool = False) -> Parsed:
    """One telegram a message: raw bytes, or hexadecimal digits. The device is the eight digits of the meter's own address."""
    data = frame_bytes(payload)
    plain = telegram(data)
    if isinstance(plain, Problem):
        return Parsed(problems=[plain])
    if plain[1] & 0x40 == 0 and plain[1] not in (0x08, 0x18, 0x28, 0x38):
        return Parsed.refused("control", f"{plain[1]:02X}", data)
    sender = identity(plain[4:8], plain[2:4], plain[8], plain[9])
    return _transport(sender, plain[2:4] + plain[8:10], plain[10:], zone, identities, data)


def _transport(sender: Identity | None, kind: bytes, rest: bytes, zone: tzinfo, identities: bool, raw: bytes) -> Parsed:
    """`rest` begins with a CI. Each turn takes a layer off; a telegram has at most a handful."""
    status = 0
    for _ in range(4):
        if not rest:
            return Parsed.refused("cut", "no application data", raw)
        ci, rest = rest[0], rest[1:]
        if ci in EXTENDED:
            size = EXTENDED[ci]
            if len(rest) <= size:
                return Parsed.refused("cut", f"the layer {ci:02X} has {size} bytes", raw)
            if ci in (0x8D, 0x8F) and (why := _session(rest[size - 6 : size], rest[size:], raw)):
                return Parsed(problems=[why])
            rest = rest[size:]
        elif ci == FRAGMENTATION:
            rest = rest[1 + rest[0] :] if rest else rest
        elif ci in (LONG_HEADER, SHORT_HEADER, NO_HEADER):
            break
        else:
            detail = "compact frame: its format is not in it" if ci in COMPACT else f"CI {ci:02X}"
            return Parsed.refused("unknown_frame", detail, raw)
    else:
        return Parsed.refused("unknown_frame", "too many layers", raw)
    head = {LONG_HEADER: 12, SHORT_HEADER: 4, NO_HEADER: 0}[ci]
    if len(rest) < head:
        return Parsed.refused("cut", f"the header has {head} bytes", raw)
    if ci == LONG_HEADER:
        sender, kind = identity(rest[:4], rest[4:6], rest[6], rest[7]), rest[4:8]
    if sender is None:
        return Parsed.refused("address", "the number is not decimal", raw)
    block = rest[head:]
    if head:
        status = rest[head - 3]
        if mode := hidden(rest[head - 2 : head], block):
            return Parsed(problems=[encrypted(mode, raw)])
    parsed = Parsed()
    read_block(sender.number, kind, block, status, zone, raw, parsed)
    if identities:
        parsed.notes.append(DeviceNote(sender.number, "identity", sender.facts()))
    return parsed


def _session(layer: bytes, payload: bytes, raw: bytes) -> Problem | None:
    """Session number 4 bytes, its top three bits the encryption; then a CRC over all that follows, low byte first."""
    method = layer[3] >> 5
    if method:
        return encrypted(f"extended link layer, method {method}", raw)
    if crc16(payload) not in (layer[4:6], layer[5:3:-1]):
        return Problem("checksum", "CRC of the extended link layer", None, raw)
    return None
