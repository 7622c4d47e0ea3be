"""Compact frames (EN 13757-3, CI 79h and 7Bh): the values of a full frame without its DIF and VIF, which were sent before.

    signature of the format 2 · CRC of the full frame 2 · values …        both low byte first, both as `link.crc16`

The signature is the CRC over all DIF and VIF of the full frame. Full frames that pass by are remembered by it; the CRC of the whole, put together
again, says that the format is the right one. A compact frame whose format nobody has shown yet is a problem with its bytes.
"""

from collections.abc import Mapping
from types import MappingProxyType

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.mbus.layout import Layout, walk
from nuan.telemetry.protocols.parsed import Problem
from nuan.telemetry.protocols.wmbus.link import crc16

Template = tuple[tuple[bytes, int], ...]
"""(DIF and VIF, length of the value) of each record."""
KEPT = 4_096
AHEAD = 4
"""Bytes before the values."""
_VARIABLE, _NO_RECORD = 0x0D, (0x0F, 0x1F, 0x2F, 0x7F)


def template_of(block: bytes, layout: Layout) -> Template | None:
    """Of a full frame's records; None where a compact frame cannot stand for them: variable lengths, a maker's own tail, faults, fillers."""
    if layout.faults:
        return None
    mask = layout.mask.to_bytes(len(block), "little")
    records: list[tuple[bytes, int]] = []
    at = 0
    for slot in sorted(layout.slots, key=lambda slot: slot.start):
        head = block[at : slot.start]
        if not head or set(mask[at : slot.start]) != {0xFF} or head[0] in _NO_RECORD or head[0] & 0x0F == _VARIABLE:
            return None
        records.append((head, slot.stop - slot.start))
        at = slot.stop
    return tuple(records) if records and at == len(block) else None


def signature(template: Template) -> bytes:
    """As it stands in a compact frame."""
    return crc16(b"".join(head for head, _ in template))[::-1]


def _shipped() -> dict[bytes, list[Template]]:
    found: dict[bytes, list[Template]] = {}
    for text in SHIPPED.values():
        heads, values = text.split("/")
        template = tuple(zip((bytes.fromhex(head) for head in heads.split()), map(int, values.split()), strict=True))
        found.setdefault(signature(template), []).append(template)
    return found


SHIPPED: Mapping[str, str] = MappingProxyType({
    # water meters that send seven compact frames to a full one: info, volume, volume at the turn of the month, two temperatures
    "Kamstrup Multical 21": "02FF20 0413 4413 615B 6167/2 4 4 1 1",
    "Kamstrup Multical 21, lowest of the month": "02FF20 0413 4413 615B 5167/2 4 4 1 1",
    "Kamstrup flowIQ, without temperatures": "02FF20 0413 4413/2 4 4",
})  # fmt: skip
"""Formats of meters in wide use: DIF and VIF of each record, then the lengths of their values."""
_templates = _shipped()
_seen: dict[tuple[int, int, int], None] = {}


def remember(block: bytes, layout: Layout | None = None) -> None:
    """The format of a full frame that was read without a fault."""
    layout = layout or walk(block)
    key = len(block), layout.mask, layout.pattern
    if key in _seen:
        return
    if len(_seen) >= KEPT:
        _seen.clear()
        _templates.clear()
        _templates.update(_shipped())
    _seen[key] = None
    template = template_of(block, layout)
    if template is not None:
        known = _templates.setdefault(signature(template), [])
        if template not in known:
            known.append(template)


def full_block(body: bytes, raw: bytes) -> bytes | Problem:
    """The records of the full frame for which a compact one stands."""
    if len(body) <= AHEAD:
        return Problem("cut", said("bytes", len(body)), None, raw)
    sign, check, values = body[:2], body[2:AHEAD][::-1], body[AHEAD:]
    known = _templates.get(sign, [])
    fitting = [template for template in known if sum(size for _, size in template) == len(values)]
    for template in fitting:
        block, at = b"", 0
        for head, size in template:
            block += head + values[at : at + size]
            at += size
        if crc16(block) == check:
            return block
    if fitting:
        return Problem("checksum", said("format_crc"), None, raw)
    if known:
        return Problem("length", said("format_length"), None, raw)
    return Problem("unknown_frame", said("format_unknown", sign[::-1].hex().upper()), None, raw)
