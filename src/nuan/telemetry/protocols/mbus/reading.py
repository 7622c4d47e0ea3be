"""A message of wired M-Bus frames → Parsed."""

from datetime import tzinfo

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.hexadecimal import frame_bytes
from nuan.telemetry.protocols.mbus.application import read_block
from nuan.telemetry.protocols.mbus.fixed import read_fixed
from nuan.telemetry.protocols.mbus.header import LONG_HEADER, NO_HEADER, SHORT_HEADER, encrypted, hidden, identity
from nuan.telemetry.protocols.mbus.layout import walk
from nuan.telemetry.protocols.mbus.link import FROM_MASTER, Frame, frames
from nuan.telemetry.protocols.parsed import DeviceNote, Parsed, Problem
from nuan.terms.places import CHINA

ERROR_REPORT, ALARM_REPORT, FIXED_DATA, HIGH_FIRST = 0x70, 0x71, 0x73, 0x76
SILENT = frozenset(range(0x50, 0x60)) | frozenset((0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF))
"""CI of commands to a meter, which some gateways pass on together with the answers."""


def parse(payload: bytes, zone: tzinfo = CHINA, identities: bool = False) -> Parsed:
    """All frames of a message: raw bytes, or hexadecimal digits. `zone`: where the meters' clocks stand.

    `identities` adds a note with maker, version and medium to each frame. A meter without an address of its own in the
    frame (CI 78h, 7Ah) goes by its bus address: `address-5`.
    """
    data = frame_bytes(payload)
    parsed = Parsed()
    for each in frames(data):
        if isinstance(each, Problem):
            parsed.problems.append(each)
        elif each.ci is not None and not each.control & FROM_MASTER:
            _answer(each, each.ci, zone, identities, parsed)
    return parsed


def _answer(frame: Frame, ci: int, zone: tzinfo, identities: bool, parsed: Parsed) -> None:
    body = frame.body
    if ci in LONG_HEADER:
        _with_identity(frame, zone, identities, parsed)
    elif ci == SHORT_HEADER:
        if len(body) < 4:
            parsed.problems.append(Problem("cut", said("head_of", len(body), 4), frame.start, frame.raw))
        elif mode := hidden(body[2:4], body[4:]):
            parsed.problems.append(encrypted(mode, frame.raw))
        else:
            read_block(f"address-{frame.address}", b"", body[4:], body[1], zone, frame.raw, parsed)
    elif ci == NO_HEADER:
        read_block(f"address-{frame.address}", b"", body, 0, zone, frame.raw, parsed)
    elif ci == FIXED_DATA:
        parsed.add(read_fixed(body, frame.raw))
    elif ci in (ERROR_REPORT, ALARM_REPORT):
        detail = said("address", frame.address, body[:4].hex(" ") or "—")
        parsed.problems.append(Problem("device_error", detail, frame.start, frame.raw))
    elif ci not in SILENT:
        parsed.problems.append(Problem("unknown_frame", said("ci", f"{ci:02X}"), frame.start, frame.raw))


def low_first(body: bytes) -> bytes:
    """A body of mode 2 (CI 76h: of every field of several bytes the high byte first) as mode 1 has it. Single bytes, and DIF and VIF, stay."""
    head = body[3::-1] + body[5:3:-1] + body[6:10] + body[11:9:-1]
    block = bytearray(body[12:])
    for slot in walk(bytes(block)).slots:
        block[slot.start : slot.stop] = block[slot.start : slot.stop][::-1]
    return head + bytes(block)


def _with_identity(frame: Frame, zone: tzinfo, identities: bool, parsed: Parsed) -> None:
    """The long header: number 4, maker 2, version, medium, access number, status, signature 2. Encrypted blocks of mode 2
    do not exist: encryption came when it was given up."""
    body = frame.body
    if len(body) < 12:
        parsed.problems.append(Problem("cut", said("head_of", len(body), 12), frame.start, frame.raw))
        return
    if frame.ci == HIGH_FIRST:
        body = low_first(body)
    device = body[3::-1].hex()
    if not device.isdecimal():
        parsed.problems.append(Problem("address", device.upper(), frame.start, frame.raw))
    elif (body[11] & 0x1F) and (mode := hidden(body[10:12], body[12:])):
        parsed.problems.append(encrypted(mode, frame.raw))
    else:
        read_block(device, body[4:8], body[12:], body[9], zone, frame.raw, parsed)
        if identities and (who := identity(body[:4], body[4:6], body[6], body[7])):
            parsed.notes.append(DeviceNote(device, "identity", who.facts()))
