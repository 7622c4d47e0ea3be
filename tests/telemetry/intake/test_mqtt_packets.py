"""Packets as the standard writes them, in any pieces; rubbish ends the connection with a sentence, never with another exception."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from nuan.telemetry.intake.mqtt import packets
from nuan.telemetry.intake.mqtt.packets import Control, MqttError, Publish, Splitter

LARGEST = 1 << 20


def wire(topic: str, payload: bytes, packet_id: int = 0, retained: bool = False, properties: bytes = b"\x00") -> bytes:
    """A PUBLISH by the book, made without the code under test."""
    body = len(topic.encode()).to_bytes(2, "big") + topic.encode()
    body += packet_id.to_bytes(2, "big") if packet_id else b""
    body += properties + payload
    length, rest = bytearray(), len(body)
    while True:
        rest, low = divmod(rest, 128)
        length.append(low | (128 if rest else 0))
        if not rest:
            break
    return bytes([0x30 | (2 if packet_id else 0) | (1 if retained else 0)]) + bytes(length) + body


messages = st.builds(
    Publish, st.text(min_size=1, max_size=20), st.binary(max_size=300), st.integers(0, 65_535), st.booleans()
)  # fmt: skip


@settings(max_examples=60)
@given(sent=st.lists(messages, max_size=12), cuts=st.lists(st.integers(0, 4_000), max_size=6))
def test_messages_in_any_pieces(sent: list[Publish], cuts: list[int]) -> None:
    data = b"".join(wire(*message) for message in sent) + b"\xd0\x00"
    splitter, found, controls = Splitter(LARGEST), [], []
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    for start, end in pairwise(edges):
        publishes, others = splitter.feed(data[start:end])
        found += publishes
        controls += others
    assert found == sent
    assert controls == [Control(packets.PINGRESP, b"")]
    assert splitter.rest == b""


@settings(max_examples=400)
@given(data=st.binary(max_size=200))
def test_rubbish_is_refused_with_a_sentence(data: bytes) -> None:
    splitter = Splitter(LARGEST)
    try:
        _, controls = splitter.feed(data)
        for control in controls:
            if control.kind == packets.CONNACK:
                packets.read_connack(control.body)
            elif control.kind == packets.SUBACK:
                packets.reason_codes(control.body)
    except (MqttError, IndexError):
        return
    assert len(splitter.rest) <= len(data)


def test_properties_of_a_message_are_passed_over() -> None:
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = 60
    properties.UserProperty = ("unit", "°C" * 80)
    publishes, _ = Splitter(LARGEST).feed(wire("nuan/G1/D1", b"{}", 7, False, properties.pack()))
    assert publishes == [Publish("nuan/G1/D1", b"{}", 7, False)]


@pytest.mark.parametrize(
    "data",
    [
        wire("t", b"x")[:1] + b"\x03\x00\x09t",
        b"\x34\x05\x00\x01t\x00\x01",
        b"\x30\xff\xff\xff\xff\x01",
        b"\x30\x80\x80\x80\x01",
    ],
    ids=["topic beyond the end", "QoS 2", "endless length", "too large"],
)
def test_what_the_protocol_does_not_allow(data: bytes) -> None:
    with pytest.raises(MqttError):
        Splitter(1 << 16).feed(data + bytes(10))


def test_a_connack_with_every_property() -> None:
    properties = Properties(PacketTypes.CONNACK)
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = 20
    properties.MaximumQoS = 1
    properties.RetainAvailable = 1
    properties.MaximumPacketSize = 300_000
    properties.AssignedClientIdentifier = "c"
    properties.TopicAliasMaximum = 10
    properties.ReasonString = "ok"
    properties.UserProperty = ("a", "b")
    properties.WildcardSubscriptionAvailable = 1
    properties.SubscriptionIdentifierAvailable = 1
    properties.SharedSubscriptionAvailable = 0
    properties.ServerKeepAlive = 30
    properties.ResponseInformation = "r"
    properties.ServerReference = "s"
    properties.AuthenticationMethod = "m"
    found = packets.read_connack(b"\x01\x00" + properties.pack())
    assert (found.session_present, found.code, found.shared_subscriptions) == (True, 0, False)


def test_acknowledgements_are_one_write() -> None:
    assert packets.pubacks([1, 258]).hex() == "4002000140020102"
