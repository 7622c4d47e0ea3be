"""The door for ThingsBoard gateways changes topics and nothing else, whatever the pieces in which the bytes come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.intake.mqtt import packets
from nuan.telemetry.intake.mqtt.mounting import Rewriter, downward, upward, user_of
from nuan.telemetry.intake.mqtt.packets import MqttError, Splitter, varint

PREFIX = b"gw/TB-1/"


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + varint(len(body)) + body


def connect(level: int, flags: int, rest: bytes, properties: bytes = b"") -> bytes:
    return (
        text("MQTT")
        + bytes([level, flags, 0, 60])
        + (varint(len(properties)) + properties if level == 5 else b"")
        + rest
    )


CONNECTS = [
    ("3.1.1", connect(4, 0xC2, text("id") + text("TB-1") + text("secret")), ("TB-1", 4)),
    ("5", connect(5, 0xC2, text("id") + text("TB-1") + text("secret"), b"\x11\x00\x00\x00\x10"), ("TB-1", 5)),
    (
        "5 with a will",
        connect(5, 0xC6, text("id") + b"\x00" + text("w") + text("bye") + text("TB-1") + text("s")),
        ("TB-1", 5),
    ),
    (
        "3.1.1 with a will",
        connect(4, 0xC6, text("id") + text("w") + text("bye") + text("TB-1") + text("s")),
        ("TB-1", 4),
    ),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in CONNECTS], ids=[row[0] for row in CONNECTS])
def test_who_comes(body: bytes, expected: tuple[str, int]) -> None:
    assert user_of(body) == expected


@pytest.mark.parametrize("user", ["", "a/b", "#", "+"])
def test_a_name_that_would_leave_its_branch_is_refused(user: str) -> None:
    with pytest.raises(MqttError):
        user_of(connect(5, 0x82, text("id") + text(user)))
    with pytest.raises(MqttError):
        user_of(connect(5, 0x02, text("id")))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["v1/gateway/telemetry", "v1/x", "日"]), st.binary(max_size=400)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.integers(1, 50), max_size=60),
)
def test_what_goes_up_comes_down_the_same(messages: list[tuple[str, bytes]], cuts: list[int]) -> None:
    """Both directions after another give the bytes back; in between every topic is mounted."""
    stream = (
        b"".join(packet(0x32, text(topic) + b"\x00\x07" + b"\x00" + payload) for topic, payload in messages)
        + packets.PING
    )
    up, down = Rewriter(upward(PREFIX, 5)), Rewriter(downward(PREFIX))
    mounted, at = b"", 0
    for cut in [*cuts, len(stream)]:
        mounted += up.feed(stream[at : at + cut])
        at += cut
    publishes, _ = Splitter(1 << 20).feed(mounted)
    assert [(each.topic, each.payload) for each in publishes] == [
        ("gw/TB-1/" + topic, payload) for topic, payload in messages
    ]
    assert down.feed(mounted) == stream


@pytest.mark.parametrize(("level", "properties"), [(4, b""), (5, b"\x00")])
def test_subscriptions_are_mounted(level: int, properties: bytes) -> None:
    rewriter = Rewriter(upward(PREFIX, level))
    asked = packet(0x82, b"\x00\x01" + properties + text("v1/gateway/rpc") + b"\x01" + text("v1/#") + b"\x00")
    assert rewriter.feed(asked) == packet(
        0x82, b"\x00\x01" + properties + text("gw/TB-1/v1/gateway/rpc") + b"\x01" + text("gw/TB-1/v1/#") + b"\x00"
    )
    assert rewriter.feed(packet(0xA2, b"\x00\x02" + properties + text("v1/#"))) == packet(
        0xA2, b"\x00\x02" + properties + text("gw/TB-1/v1/#")
    )


def test_other_packets_and_other_peoples_topics_pass_unchanged() -> None:
    for data in (packets.PING, packets.pubacks([1, 2]), packets.goodbye(4)):
        assert Rewriter(upward(PREFIX, 5)).feed(data) == data
    foreign = packet(0x30, text("gw/TB-2/v1/x") + b"\x00")
    assert Rewriter(downward(PREFIX)).feed(foreign) == foreign
    alias = packet(0x32, b"\x00\x00\x00\x07\x03\x23\x00\x01hello")
    assert Rewriter(upward(PREFIX, 5)).feed(alias) == alias
    with pytest.raises(MqttError):
        Rewriter(upward(PREFIX, 5)).feed(bytes([0x30]) + varint(2 << 20))
