"""A wireless telegram → Parsed: link address, extended link layer, transport header, and the records of EN 13757-3."""

from datetime import tzinfo

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.hexadecimal import frame_bytes
from nuan.telemetry.protocols.mbus.application import layout_of, read_block
from nuan.telemetry.protocols.mbus.header import NO_HEADER, SHORT_HEADER, Identity, encrypted, hidden, identity
from nuan.telemetry.protocols.parsed import DeviceNote, Parsed, Problem
from nuan.telemetry.protocols.wmbus.compact import full_block, remember
from nuan.telemetry.protocols.wmbus.link import crc16, telegram
from nuan.terms.places import CHINA

LONG_HEADER = 0x72
EXTENDED = {0x8C: 2, 0x8D: 8, 0x8E: 10, 0x8F: 16}
"""CI of the extended link layer → bytes before the next CI. 8DH and 8FH end with a session number and a CRC."""
FRAGMENTATION = 0x90
COMPACT, COMPACT_SHORT = 0x79, 0x7B
FORMAT = (0x69, 0x6A, 0x6B)
"""Frames that only tell a format; full frames tell it as well."""
HEADS = {LONG_HEADER: 12, SHORT_HEADER: 4, NO_HEADER: 0, COMPACT: 0, COMPACT_SHORT: 4}
"""CI of application data → bytes of their header."""


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
            return Parsed.refused("cut", said("no_data"), raw)
        ci, rest = rest[0], rest[1:]
        if ci in EXTENDED:
            size = EXTENDED[ci]
            if len(rest) <= size:
                return Parsed.refused("cut", said("layer_short", f"{ci:02X}", size), raw)
            if ci in (0x8D, 0x8F) and (why := _session(rest[size - 6 : size], rest[size:], raw)):
                return Parsed(problems=[why])
            rest = rest[size:]
        elif ci == FRAGMENTATION:
            rest = rest[1 + rest[0] :] if rest else rest
        elif ci in HEADS:
            break
        else:
            return Parsed.refused("unknown_frame", said("format_frame" if ci in FORMAT else "ci", f"{ci:02X}"), raw)
    else:
        return Parsed.refused("unknown_frame", said("layers"), raw)
    head = HEADS[ci]
    if len(rest) < head:
        return Parsed.refused("cut", said("head_of", len(rest), head), raw)
    if ci == LONG_HEADER:
        sender, kind = identity(rest[:4], rest[4:6], rest[6], rest[7]), rest[4:8]
    if sender is None:
        return Parsed.refused("address", "", raw)
    block = rest[head:]
    if head:
        status = rest[head - 3]
        if mode := hidden(rest[head - 2 : head], block):
            return Parsed(problems=[encrypted(mode, raw)])
    if ci in (COMPACT, COMPACT_SHORT):
        full = full_block(block, raw)
        if isinstance(full, Problem):
            return Parsed(problems=[full])
        block = full
    parsed = Parsed()
    read_block(sender.number, kind, block, status, zone, raw, parsed)
    if not parsed.problems:
        remember(block, layout_of(kind, block))
    if identities:
        parsed.notes.append(DeviceNote(sender.number, "identity", sender.facts()))
    return parsed


def _session(layer: bytes, payload: bytes, raw: bytes) -> Problem | None:
    """Session number 4 bytes, its top three bits the encryption; then a CRC over all that follows, low byte first. The CRC is encrypted as well:
    where it is right, somebody has opened the telegram already."""
    if crc16(payload) in (layer[4:6], layer[5:3:-1]):
        return None
    method = layer[3] >> 5
    return encrypted(said("layer_mode", method), raw) if method else Problem("checksum", said("layer_crc"), None, raw)
