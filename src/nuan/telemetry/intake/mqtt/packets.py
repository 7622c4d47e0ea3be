"""MQTT 5 packets on the wire, as far as a subscriber needs them. Numbers of sections: OASIS MQTT 5.0, 2019-03-07.

Reading is made for bulk: one pass over a buffer gives all whole PUBLISH packets in it, about a microsecond each.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP, DISCONNECT = 2, 3, 4, 9, 11, 13, 14
PING = b"\xc0\x00"
BYE = b"\xe0\x00"


class MqttError(Exception):
    """The broker said something that the protocol does not allow, or refused us. The connection ends, nothing is acknowledged."""


class Publish(NamedTuple):
    """A message. `packet_id` is 0 for QoS 0; `retained`: it lay at the broker from before."""

    topic: str
    payload: bytes
    packet_id: int
    retained: bool


class Control(NamedTuple):
    """Any packet but PUBLISH: its type and what follows the fixed header."""

    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Connack:
    """3.2: `code` 0 is welcome; `session_present`: the broker kept what was not acknowledged last time."""

    session_present: bool
    code: int
    shared_subscriptions: bool = True


def varint(number: int) -> bytes:
    """1.5.5: seven bits a byte, low ones first.

    >>> varint(321).hex()
    'c102'
    """
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int] | None:
    """The number and the place after it; None where the data end first.

    >>> read_varint(bytes.fromhex("c102"), 0)
    (321, 2)
    """
    number = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        byte = data[at + place]
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number, at + place + 1
    raise MqttError("a length of more than four bytes")


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + varint(len(body)) + body


def connect(
    client_id: str, user: str, password: str, *, keep_alive_s: int, session_expiry_s: int, receive_maximum: int,
    largest_packet: int,
) -> bytes:  # fmt: skip
    """3.1: never a clean start, so that what was not acknowledged comes again."""
    flags = (0x80 if user else 0) | (0x40 if password else 0)
    properties = struct.pack(">BIBHBI", 0x11, session_expiry_s, 0x21, receive_maximum, 0x27, largest_packet)
    body = _text("MQTT") + bytes([5, flags]) + keep_alive_s.to_bytes(2, "big") + varint(len(properties)) + properties
    body += _text(client_id) + (_text(user) if user else b"") + (_text(password) if password else b"")
    return _packet(0x10, body)


def subscribe(packet_id: int, filters: Sequence[str], qos: int = 1) -> bytes:
    """3.8."""
    body = packet_id.to_bytes(2, "big") + b"\x00" + b"".join(_text(each) + bytes([qos]) for each in filters)
    return _packet(0x82, body)


def unsubscribe(packet_id: int, filters: Sequence[str]) -> bytes:
    """3.10."""
    return _packet(0xA2, packet_id.to_bytes(2, "big") + b"\x00" + b"".join(map(_text, filters)))


def publish(topic: str, payload: bytes) -> bytes:
    """3.3, QoS 0: answers that a gateway asks for again when they do not come."""
    return _packet(0x30, _text(topic) + b"\x00" + payload)


def pubacks(packet_ids: Sequence[int]) -> bytes:
    """3.4, many at once: success needs no reason code."""
    return b"".join([b"\x40\x02" + number.to_bytes(2, "big") for number in packet_ids])


def goodbye(code: int = 0) -> bytes:
    """3.14."""
    return BYE if code == 0 else bytes([0xE0, 1, code])


def read_connack(body: bytes) -> Connack:
    """3.2; of the properties only what decides whether we can work here."""
    if len(body) < 3:
        raise MqttError("a CONNACK cut short")
    shared = True
    length = read_varint(body, 2)
    if length is not None:
        at, end = length[1], length[1] + length[0]
        while at < end:
            key, at = body[at], at + 1
            if key == 0x2A:
                shared = body[at] != 0
            at += _PROPERTY_LENGTH.get(key) or _text_length(key, body, at)
    return Connack(bool(body[0] & 1), body[1], shared)


def _text_length(key: int, body: bytes, at: int) -> int:
    """Bytes of a property that carries its own length; 0x26 is a pair of texts."""
    length = 2 + int.from_bytes(body[at : at + 2], "big")
    if key == 0x26:
        length += 2 + int.from_bytes(body[at + length : at + length + 2], "big")
    return length


_PROPERTY_LENGTH = {0x11: 4, 0x21: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x22: 2, 0x28: 1, 0x29: 1, 0x2A: 1, 0x13: 2}


def reason_codes(body: bytes) -> tuple[int, bytes]:
    """Packet id and reason codes of a SUBACK or UNSUBACK (3.9, 3.11)."""
    length = read_varint(body, 2)
    if length is None:
        raise MqttError("a SUBACK cut short")
    return int.from_bytes(body[:2], "big"), body[length[1] + length[0] :]


class Splitter:
    """Bytes as they come → whole packets. What is not whole yet waits for the next bytes."""

    def __init__(self, largest_packet: int) -> None:
        self.largest = largest_packet
        self.rest = b""

    def feed(self, data: bytes) -> tuple[list[Publish], list[Control]]:
        if self.rest:
            data = self.rest + data
        publishes: list[Publish] = []
        controls: list[Control] = []
        at, size = 0, len(data)
        while at + 2 <= size:
            first, length = data[at], data[at + 1]
            body = at + 2
            if length > 127:
                found = read_varint(data, at + 1)
                if found is None:
                    break
                length, body = found
            if length > self.largest:
                raise MqttError(f"a packet of {length} bytes, more than the {self.largest} that were agreed")
            end = body + length
            if end > size:
                break
            if first >> 4 == PUBLISH:
                publishes.append(_publish(data, first, body, end))
            else:
                controls.append(Control(first >> 4, data[body:end]))
            at = end
        self.rest = data[at:]
        return publishes, controls


def _publish(data: bytes, first: int, at: int, end: int) -> Publish:
    qos = first & 6
    start = at + 2
    at = start + (data[at] << 8 | data[at + 1]) if start <= end else end + 1
    packet_id = 0
    name_end = at
    if qos:
        if qos != 2:
            raise MqttError("a message of QoS 2, which nobody asked for")
        at += 2
    if at >= end:
        raise MqttError("a PUBLISH cut short")
    if qos:
        packet_id = data[at - 2] << 8 | data[at - 1]
    properties = data[at]
    if properties > 127:
        found = read_varint(data, at)
        if found is None:
            raise MqttError("a PUBLISH cut short")
        properties, at = found
    else:
        at += 1
    at += properties
    if at > end:
        raise MqttError("a PUBLISH cut short")
    return Publish(data[start:name_end].decode("utf-8", "replace"), data[at:end], packet_id, bool(first & 1))
