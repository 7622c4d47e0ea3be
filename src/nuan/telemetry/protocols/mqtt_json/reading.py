"""A walk over the JSON document. What is a number becomes a point, what is text about the device becomes a note."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.parsed import PAYLOAD_LIMIT, DeviceNote, Parsed, PointValue, Problem
from nuan.telemetry.protocols.topics import TopicTemplate
from nuan.telemetry.protocols.values import ValueTextError, json_decimal, moment, number
from nuan.terms.places import CHINA

DEEPEST = 6
DEFAULT_TOPIC = TopicTemplate.parse("nuan/{gateway}/{device}")
MOST_POINTS = 100_000
"""Of one message."""


@dataclass(frozen=True, slots=True)
class JsonShape:
    """How this gateway's senders name things; the defaults know the usual words. Names are compared in lower case."""

    topic: TopicTemplate = DEFAULT_TOPIC
    time_keys: tuple[str, ...] = ("ts", "time", "timestamp", "datetime", "date_time", "time_s", "采集时间")
    device_keys: tuple[str, ...] = ("device", "device_id", "deviceid", "devicename", "sn", "serial", "deveui", "设备")
    value_groups: tuple[str, ...] = (
        "values",
        "data",
        "readings",
        "params",
        "telemetry",
        "properties",
        "points",
        "fields",
        "devices",
    )
    name_keys: tuple[str, ...] = ("name", "point", "key", "metric", "tag")
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Around:
    """What the levels above said."""

    device: str | None
    point: str | None
    time_s: int | None
    prefix: str = ""
    depth: int = 0


def parse(topic: str, payload: bytes, shape: JsonShape | None = None, zone: tzinfo = CHINA) -> Parsed:
    """`zone` counts for times in the payload that carry none.

    >>> parse("nuan/G1/D7", b'{"temp": 20.5, "ts": 1768003200}').points
    [PointValue(device='D7', name='temp', time_s=1768003200, value=Decimal('20.5'), unit=None, status=())]
    """
    shape = shape or JsonShape()
    named = shape.topic.match(topic)
    if named is None:
        return Parsed.refused("wrong_topic", topic, payload)
    document = read_json(payload)
    if isinstance(document, Problem):
        return Parsed(problems=[document])
    walk = _Walk(shape, zone, payload)
    walk.visit(document, _Around(named.get("device"), named.get("point"), None))
    return walk.parsed


def read_json(payload: bytes) -> Any:
    """The document with exact decimals, or the Problem that it is none."""
    if not payload.strip():
        return Problem("empty", "", None, b"")
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem("not_text", said("utf8", error.start), error.start, payload[:PAYLOAD_LIMIT])
    try:
        return json.loads(text, parse_float=json_decimal, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        return Problem("not_json", said("json", error.pos, error.msg), error.pos, payload[:PAYLOAD_LIMIT])
    except (ValueError, RecursionError) as error:
        return Problem("not_json", type(error).__name__, None, payload[:PAYLOAD_LIMIT])


class _Walk:
    def __init__(self, shape: JsonShape, zone: tzinfo, payload: bytes) -> None:
        self.shape = shape
        self.zone = zone
        self.payload = payload
        self.parsed = Parsed()

    def problem(self, code: str, detail: str) -> None:
        if len(self.parsed.problems) < 100:
            self.parsed.problems.append(Problem(code, detail[:300], None, self.payload[:PAYLOAD_LIMIT]))

    def visit(self, node: Any, around: _Around) -> None:
        if around.depth > DEEPEST:
            self.problem("wrong_shape", said("deep", DEEPEST))
        elif isinstance(node, dict):
            self.group(node, around)
        elif isinstance(node, list):
            for each in node:
                self.visit(each, _deeper(around))
        elif around.point is not None:
            self.point(around, around.point, node)
        else:
            self.problem("wrong_shape", said("bare", type(node).__name__))

    def group(self, node: Mapping[str, Any], around: _Around) -> None:
        lower = {key.lower(): key for key in node}
        device = self.device(node, lower, around)
        time_s, time_key, readable = self.time(node, lower, around)
        if not readable:
            return
        around = _Around(device, around.point, time_s, around.prefix, around.depth)
        name_key = next(
            (lower[word] for word in self.shape.name_keys if isinstance(node.get(lower.get(word, "")), str)), None
        )
        if "value" in lower and (name_key is not None or around.point is not None):
            self.long_row(node, lower, str(node[name_key]) if name_key else str(around.point), around)
            return
        skipped = {time_key, *(lower[key] for key in self.shape.device_keys if key in lower)}
        notes: dict[str, str] = {}
        for key, value in node.items():
            if key in skipped or key in self.shape.ignore:
                continue
            if isinstance(value, dict | list):
                self.nested(key, value, around)
            else:
                self.scalar(key, value, around, notes)
        if notes and device is not None:
            self.parsed.notes.append(DeviceNote(device, "attributes", notes))

    def device(self, node: Mapping[str, Any], lower: Mapping[str, str], around: _Around) -> str | None:
        for word in self.shape.device_keys:
            value = node.get(lower.get(word, ""))
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()
        return around.device

    def time(
        self, node: Mapping[str, Any], lower: Mapping[str, str], around: _Around
    ) -> tuple[int | None, str | None, bool]:
        """(time, its key, may the values be used): a time that cannot be read makes its values unusable, because arrival would be a lie."""
        for word in self.shape.time_keys:
            key = lower.get(word)
            if key is None or isinstance(node[key], dict | list):
                continue
            if node[key] is None:
                return around.time_s, key, True
            time_s = moment(node[key], self.zone)
            if time_s is None:
                self.problem("not_a_time", f"{key}: {node[key]}"[:100])
                return None, key, False
            return time_s, key, True
        return around.time_s, None, True

    def nested(self, key: str, value: Any, around: _Around) -> None:
        inner = _deeper(around)
        if key.lower() in self.shape.value_groups:
            self.visit(value, inner)
        elif isinstance(value, dict) and "value" in value and not isinstance(value["value"], dict | list):
            time_s, _, readable = self.time(value, {name.lower(): name for name in value}, around)
            if readable:
                self.point(_Around(around.device, None, time_s), around.prefix + key, value["value"], value.get("unit"))
        elif isinstance(value, dict):
            self.visit(value, _Around(inner.device, None, inner.time_s, f"{around.prefix}{key}.", inner.depth))
        else:
            self.problem("wrong_shape", said("is_a_list", key))

    def long_row(self, node: Mapping[str, Any], lower: Mapping[str, str], name: str, around: _Around) -> None:
        unit = node.get(lower.get("unit", ""))
        self.point(around, around.prefix + name, node[lower["value"]], unit)

    def scalar(self, key: str, value: Any, around: _Around, notes: dict[str, str]) -> None:
        if isinstance(value, str):
            try:
                number(value)
            except ValueTextError:
                notes[around.prefix + key] = value[:200]
                return
        self.point(around, around.prefix + key, value)

    def point(self, around: _Around, name: str, value: Any, unit: Any = None) -> None:
        if around.device is None:
            self.problem("no_device", said("whose", name))
            return
        if len(self.parsed.points) >= MOST_POINTS:
            self.problem("too_long", said("values", MOST_POINTS))
            return
        try:
            amount, own_unit = number(value)
        except ValueTextError as error:
            self.problem("not_a_number", f"{name}: {error}")
            return
        named_unit = unit if isinstance(unit, str) and unit else own_unit
        if isinstance(amount, Decimal) and amount == amount.to_integral_value():
            amount = int(amount)
        self.parsed.points.append(PointValue(around.device, name, around.time_s, amount, named_unit))


def _deeper(around: _Around) -> _Around:
    return _Around(around.device, around.point, around.time_s, around.prefix, around.depth + 1)
