"""JSON over MQTT: the shapes that sensors send, and what is no reading."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from nuan.telemetry.protocols import mqtt_json
from nuan.telemetry.protocols.mqtt_json import JsonShape
from nuan.telemetry.protocols.parsed import PointValue
from nuan.telemetry.protocols.topics import TopicTemplate, TopicTemplateError
from nuan.telemetry.protocols.values import moment

TOPIC = "nuan/G07/0001"
AT_S = 1_768_003_200


def point(
    name: str, value: object, time_s: int | None = AT_S, unit: str | None = None, device: str = "0001"
) -> PointValue:
    return PointValue(device, name, time_s, value, unit)  # type: ignore[arg-type]


# what, payload, points
SHAPES = [
    ("flat, seconds", '{"temp": 20.5, "ts": 1768003200}', [point("temp", Decimal("20.5"))]),
    ("flat, milliseconds", '{"temp": 20, "ts": 1768003200999}', [point("temp", 20)]),
    ("no time", '{"temp": 20}', [point("temp", 20, None)]),
    ("null time", '{"temp": 20, "ts": null}', [point("temp", 20, None)]),
    ("values in a group", '{"ts": 1768003200, "values": {"temp": 20, "hum": 41}}', [point("temp", 20), point("hum", 41)]),
    ("an array", '[{"ts": 1768003200, "t": 1}, {"ts": 1768003260, "t": 2}]', [point("t", 1), point("t", 2, AT_S + 60)]),
    ("ISO time with zone", '{"time": "2026-01-10T08:00:00+08:00", "t": 1}', [point("t", 1)]),
    ("ISO time in UTC", '{"time": "2026-01-10T00:00:00.000Z", "t": 1}', [point("t", 1)]),
    ("local time", '{"time": "2026-01-10 08:00:00", "t": 1}', [point("t", 1)]),
    ("local time in Chinese", '{"采集时间": "2026年1月10日 08时00分", "t": 1}', [point("t", 1)]),
    ("time without marks", '{"time": "20260110080000", "t": 1}', [point("t", 1)]),
    ("a number as text", '{"t": "20.50", "ts": "1768003200"}', [point("t", Decimal("20.50"))]),
    ("a number with its unit", '{"t": "0.35 MPa", "ts": 1768003200}', [point("t", Decimal("0.35"), unit="MPa")]),
    ("no value", '{"t": null, "u": "", "v": "--", "w": NaN, "ts": 1768003200}', [point(name, None) for name in "tuvw"]),
    ("true and false", '{"pump": true, "alarm": false, "ts": 1768003200}', [point("pump", 1), point("alarm", 0)]),
    ("a point an object", '{"t": {"value": 20, "unit": "°C", "ts": 1768003200}}', [point("t", 20, unit="°C")]),
    ("long rows", '[{"name": "t", "value": 20, "ts": 1768003200, "unit": "K"}]', [point("t", 20, unit="K")]),
    ("nested groups", '{"ts": 1768003200, "secondary": {"supply": 45, "return": 38}}', [point("secondary.supply", 45), point("secondary.return", 38)]),
    ("several devices", '{"ts": 1768003200, "devices": [{"sn": "A", "t": 1}, {"sn": "B", "t": 2}]}', [point("t", 1, device="A"), point("t", 2, device="B")]),
    ("text about the device", '{"fw": "v1.2b", "t": 1, "ts": 1768003200}', [point("t", 1)]),
    ("exact decimals", '{"t": 20.10, "ts": 1768003200}', [point("t", Decimal("20.10"))]),
    ("a byte order mark", '\ufeff{"t": 1, "ts": 1768003200}', [point("t", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "points"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_a_shape_is_understood(payload: str, points: list[PointValue]) -> None:
    parsed = mqtt_json.parse(TOPIC, payload.encode())
    assert parsed.points == points
    assert parsed.problems == []


# what, topic, payload, code
BAD = [
    ("nothing", TOPIC, b"", "empty"),
    ("blanks", TOPIC, b"  \n", "empty"),
    ("not UTF-8", TOPIC, b"\xff\xfe{", "not_text"),
    ("half a document", TOPIC, b'{"t": 1', "not_json"),
    ("nested without end", TOPIC, b"[" * 100_000, "not_json"),
    ("a number without end", TOPIC, b"9" * 5_000, "not_json"),
    ("a bare number", TOPIC, b"20.5", "wrong_shape"),
    ("nested too deep", TOPIC, b'{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":1}}}}}}}}', "wrong_shape"),
    ("a list of numbers", TOPIC, b'{"t": [1, 2]}', "wrong_shape"),
    ("a time that is none", TOPIC, b'{"ts": "yesterday", "t": 1}', "not_a_time"),
    ("the time zero", TOPIC, b'{"ts": 0, "t": 1}', "not_a_time"),
    ("an astronomical number", TOPIC, b'{"t": 1e999999999}', "not_a_number"),
    ("a row that is no number", TOPIC, b'[{"name": "t", "value": "warm"}]', "not_a_number"),
    ("another topic", "other/G07/0001", b"{}", "wrong_topic"),
    ("a topic too long", TOPIC + "/x", b"{}", "wrong_topic"),
]


@pytest.mark.parametrize(("topic", "payload", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_no_reading_is_a_problem(topic: str, payload: bytes, code: str) -> None:
    parsed = mqtt_json.parse(topic, payload)
    assert [problem.code for problem in parsed.problems] == [code]
    assert parsed.points == []
    assert parsed.problems[0].payload == payload[: 256 << 10] or not payload.strip()


def test_a_time_that_cannot_be_read_does_not_become_the_arrival() -> None:
    parsed = mqtt_json.parse(TOPIC, b'[{"ts": "x", "t": 1}, {"ts": 1768003200, "t": 2}]')
    assert parsed.points == [point("t", 2)]
    assert [problem.code for problem in parsed.problems] == ["not_a_time"]


def test_another_template_and_a_point_in_the_topic() -> None:
    shape = JsonShape(topic=TopicTemplate.parse("heat/{device}/+/{point}"), ignore=("seq",))
    parsed = mqtt_json.parse("heat/0001/up/temp", b"20.5", shape)
    assert parsed.points == [point("temp", Decimal("20.5"), None)]
    assert mqtt_json.parse("heat/0001/up/x", b'{"seq": 1, "t": 2}', shape).points == [point("t", 2, None)]
    nobody = JsonShape(topic=TopicTemplate.parse("heat/#"))
    assert [each.code for each in mqtt_json.parse("heat/a/b", b'{"t": 1}', nobody).problems] == ["no_device"]


@pytest.mark.parametrize("text", ["", "a/{room}", "a/{device}/{device}", "a/#/b", "a/x{device}", "a/b+"])
def test_a_wrong_template_is_refused(text: str) -> None:
    with pytest.raises(TopicTemplateError):
        TopicTemplate.parse(text)


def test_what_a_template_subscribes_to() -> None:
    template = TopicTemplate.parse("nuan/{gateway}/{device}")
    assert (template.subscription, template.of_gateway("G07")) == ("nuan/+/+", "nuan/G07/+")
    assert template.match("nuan/G07/") is None


def test_times() -> None:
    east = timezone(timedelta(hours=8))
    assert moment("2026-01-10 00:00:00", east) == int(datetime(2026, 1, 9, 16, tzinfo=UTC).timestamp())
    assert moment("2026-01-10T00:00:00-02:30", UTC) == int(datetime(2026, 1, 10, 2, 30, tzinfo=UTC).timestamp())
    assert moment(1_768_003_200_000_000, UTC) == moment(1_768_003_200_000_000_000, UTC) == AT_S
    for none in (
        "",
        "2026-13-01",
        "2026-01-10T25:00",
        -1,
        0,
        1e30,
        float("nan"),
        Decimal("Infinity"),
        True,
        [],
        "1" * 30,
    ):
        assert moment(none, UTC) is None
