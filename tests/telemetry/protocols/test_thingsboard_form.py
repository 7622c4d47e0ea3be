"""ThingsBoard's gateway form: messages as tb-mqtt-client sends them, and the answer that it waits for."""

import json
from decimal import Decimal

import pytest
from tb_device_mqtt import RPC_REQUEST_TOPIC, RPC_RESPONSE_TOPIC
from tb_gateway_mqtt import GATEWAY_ATTRIBUTES_TOPIC, GATEWAY_MAIN_TOPIC, GATEWAY_TELEMETRY_TOPIC, TBGatewayMqttClient

from nuan.telemetry.protocols import thingsboard
from nuan.telemetry.protocols.parsed import Parsed, PointValue

AT_S = 1_768_003_200


def parse(topic: str, document: object) -> Parsed:
    return thingsboard.parse(topic, json.dumps(document).encode())


def test_the_topics_are_those_of_the_client() -> None:
    assert (GATEWAY_TELEMETRY_TOPIC, GATEWAY_ATTRIBUTES_TOPIC, GATEWAY_MAIN_TOPIC) == (
        "v1/gateway/telemetry", "v1/gateway/attributes", "v1/gateway/",
    )  # fmt: skip
    assert (RPC_REQUEST_TOPIC, RPC_RESPONSE_TOPIC) == ("v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/")


def test_telemetry_and_its_variants() -> None:
    parsed = parse("v1/gateway/telemetry", {
        "Device A": [{"ts": 1768003200000, "values": {"t": 20.5, "mode": "auto"}}, {"t": 21}],
        "Device B": {"ts": 1768003200000, "values": {"t": "22"}},
        "Device C": [{"ts": 1768003200, "t": None}],
    })  # fmt: skip
    assert parsed.points == [
        PointValue("Device A", "t", AT_S, Decimal("20.5")),
        PointValue("Device A", "t", None, 21),
        PointValue("Device B", "t", AT_S, 22),
        PointValue("Device C", "t", AT_S, None),
    ]
    assert [(note.device, dict(note.facts)) for note in parsed.notes] == [("Device A", {"mode": "auto"})]
    assert parsed.problems == []


def test_devices_come_and_go_and_describe_themselves() -> None:
    (note,) = parse("v1/gateway/connect", {"device": "A", "type": "heat_meter"}).notes
    assert (note.device, note.kind, dict(note.facts)) == ("A", "connect", {"type": "heat_meter"})
    (note,) = parse("v1/gateway/disconnect", {"device": "A"}).notes
    assert (note.device, note.kind) == ("A", "disconnect")
    (note,) = parse("v1/gateway/attributes", {"A": {"serial": "123", "n": 1}}).notes
    assert (note.kind, dict(note.facts)) == ("attributes", {"serial": "123", "n": "1"})


def test_the_first_request_is_answered_with_limits() -> None:
    request = {"method": "getSessionLimits", "params": {"timeout": 5000}}
    (reply,) = thingsboard.parse(
        "v1/devices/me/rpc/request/1", json.dumps(request).encode(), thingsboard.Limits(readings_per_s=5_000)
    ).replies
    assert reply.topic == "v1/devices/me/rpc/response/1"
    assert json.loads(reply.payload)["gatewayRateLimits"]["telemetryDataPoints"] == "5000:1"
    (behind_a_mount,) = parse("gw/G07/v1/devices/me/rpc/request/3", request).replies
    assert behind_a_mount.topic == "gw/G07/v1/devices/me/rpc/response/3"


def test_the_client_takes_the_answer() -> None:
    """The client's own code reads our answer: it then knows its limits and starts to send."""
    client = TBGatewayMqttClient("127.0.0.1", 1)
    try:
        (reply,) = parse("v1/devices/me/rpc/request/1", {"method": "getSessionLimits", "params": {}}).replies
        assert not client.rate_limits_received
        client.service_configuration_callback(None, json.loads(reply.payload))
        assert client.rate_limits_received
        assert client.max_payload_size == 262_144 * 80 // 100
    finally:
        client.stop()


@pytest.mark.parametrize("word", ["rpc", "claim", "attributes/request", "rpc/response"])
def test_what_is_of_no_use_is_passed_over(word: str) -> None:
    assert parse(f"v1/gateway/{word}", {"device": "A"}) == Parsed()


# what, topic, payload, code
BAD = [
    ("a device without a name", "v1/devices/me/telemetry", b'{"t": 1}', "no_device"),
    ("another topic", "v2/gateway/telemetry", b"{}", "wrong_topic"),
    ("an unknown word", "v1/gateway/dance", b"{}", "wrong_topic"),
    ("a request without number", "v1/devices/me/rpc/request/x", b'{"method": "getSessionLimits"}', "wrong_topic"),
    ("a request without method", "v1/devices/me/rpc/request/1", b"[]", "wrong_shape"),
    ("a list", "v1/gateway/telemetry", b"[1]", "wrong_shape"),
    ("an entry that is no object", "v1/gateway/telemetry", b'{"A": [1]}', "wrong_shape"),
    ("a time that is none", "v1/gateway/telemetry", b'{"A": [{"ts": "soon", "values": {"t": 1}}]}', "not_a_time"),
    ("an empty name", "v1/gateway/telemetry", b'{" ": [{"t": 1}]}', "no_device"),
    ("nobody connects", "v1/gateway/connect", b"{}", "no_device"),
    ("attributes that are none", "v1/gateway/attributes", b'{"A": 1}', "wrong_shape"),
    ("no JSON", "v1/gateway/telemetry", b"{", "not_json"),
]


@pytest.mark.parametrize(("topic", "payload", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_read_is_a_problem(topic: str, payload: bytes, code: str) -> None:
    parsed = thingsboard.parse(topic, payload)
    assert [problem.code for problem in parsed.problems] == [code]
    assert parsed.points == []


def test_an_unknown_request_is_answered_with_an_error() -> None:
    (reply,) = parse("v1/devices/me/rpc/request/9", {"method": "dance"}).replies
    assert "error" in json.loads(reply.payload)
