"""ThingsBoard's MQTT gateway form, as the client tb-mqtt-client of thingsboard-gateway speaks it.

After each connection (MQTT 5) the client publishes `{"method": "getSessionLimits", …}` on `v1/devices/me/rpc/request/N` and sends no
telemetry until `v1/devices/me/rpc/response/N` answers; both are ordinary topics of the broker. A broker does not tell who published:
where several companies share one, a mount point a gateway (`tb/<gateway>/`) keeps them apart, and the topics here may have any prefix.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.mqtt_json.reading import read_json
from nuan.telemetry.protocols.parsed import PAYLOAD_LIMIT, DeviceNote, Parsed, PointValue, Problem, Reply
from nuan.telemetry.protocols.values import ValueTextError, moment, number
from nuan.terms.places import CHINA

SUBSCRIPTIONS = ("v1/gateway/+", "v1/devices/me/telemetry", "v1/devices/me/attributes", "v1/devices/me/rpc/request/+")
"""What an intake asks the broker for, behind the mount point if there is one."""
POLITE = ("rpc", "claim", "attributes/request", "attributes/response")
"""Understood, of no use here, and no reason for a problem."""
_REQUEST = "v1/devices/me/rpc/request/"
_ANSWER = "v1/devices/me/rpc/response/"
_ANONYMOUS = said("anonymous")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway may send; it slows down by itself. `readings_per_s` 0: no limit."""

    payload_bytes: int = 262_144
    inflight_messages: int = 100
    readings_per_s: int = 0

    def answer(self) -> bytes:
        """The JSON of `getSessionLimits`. “0:0” is the client's word for no limit; an empty one would leave its own defaults in force."""
        each = f"{self.readings_per_s}:1" if self.readings_per_s else "0:0"
        rates = {"messages": "0:0", "telemetryMessages": "0:0", "telemetryDataPoints": each}
        return json.dumps({
            "maxPayloadSize": self.payload_bytes,
            "maxInflightMessages": self.inflight_messages,
            "rateLimits": rates,
            "gatewayRateLimits": rates,
        }).encode()  # fmt: skip


def parse(topic: str, payload: bytes, limits: Limits | None = None, zone: tzinfo = CHINA) -> Parsed:
    """One message of the gateway."""
    prefix, kind = _split(topic)
    if kind is None:
        return Parsed.refused("wrong_topic", topic, payload)
    if kind.startswith(_REQUEST):
        return _request(prefix, kind.removeprefix(_REQUEST), payload, limits or Limits())
    if kind.startswith(_ANSWER):
        return Parsed()  # our own answer: a broker that is asked for everything gives that back as well
    if kind.startswith("v1/devices/me/"):
        # a gateway reports about itself here (its own statistics): no reading of ours, but silence would hide a device without a name
        return Parsed.refused("no_device", _ANONYMOUS, payload)
    word = kind.removeprefix("v1/gateway/")
    if word in POLITE or word.startswith("rpc/"):
        return Parsed()
    document = read_json(payload)
    if isinstance(document, Problem):
        return Parsed(problems=[document])
    if not isinstance(document, dict):
        return Parsed.refused("wrong_shape", said("object", word), payload)
    if word in ("connect", "disconnect"):
        return _connection(word, document, payload)
    if word == "attributes":
        return _attributes(document, payload)
    return _telemetry(document, payload, zone)


def _split(topic: str) -> tuple[str, str | None]:
    """(mount point with its slash, the topic behind it); None when it is none of ThingsBoard's."""
    for word in ("v1/gateway/", "v1/devices/me/"):
        at = topic.find(word)
        if at == 0 or (at > 0 and topic[at - 1] == "/"):
            kind = topic[at:]
            known = kind.removeprefix("v1/gateway/") in ("connect", "disconnect", "attributes", "telemetry", *POLITE)
            known |= kind.startswith(("v1/gateway/rpc/", _REQUEST, _ANSWER))
            known |= kind in ("v1/devices/me/telemetry", "v1/devices/me/attributes")
            return topic[:at], kind if known else None
    return "", None


def _request(prefix: str, number_text: str, payload: bytes, limits: Limits) -> Parsed:
    document = read_json(payload)
    if not number_text.isascii() or not number_text.isdigit() or len(number_text) > 18:
        return Parsed.refused("wrong_topic", said("request", number_text[:40]), payload)
    if not isinstance(document, dict) or not isinstance(document.get("method"), str):
        return Parsed.refused("wrong_shape", said("method"), payload)
    known = document["method"] == "getSessionLimits"
    answer = limits.answer() if known else json.dumps({"error": "no such method"}).encode()
    return Parsed(replies=[Reply(f"{prefix}v1/devices/me/rpc/response/{number_text}", answer)])


def _connection(kind: str, document: Mapping[str, Any], payload: bytes) -> Parsed:
    device = document.get("device")
    if not isinstance(device, str) or not device.strip():
        return Parsed.refused("no_device", kind, payload)
    facts = {
        key: str(value)[:200]
        for key, value in document.items()
        if key != "device" and not isinstance(value, dict | list)
    }
    return Parsed(notes=[DeviceNote(device.strip(), kind, facts)])


def _attributes(document: Mapping[str, Any], payload: bytes) -> Parsed:
    parsed = Parsed()
    for device, facts in document.items():
        if isinstance(facts, dict):
            texts = {
                key: (value if isinstance(value, str) else json.dumps(value, default=str))[:200]
                for key, value in facts.items()
            }
            parsed.notes.append(DeviceNote(device, "attributes", texts))
        else:
            parsed.add(Parsed.refused("wrong_shape", said("object", device[:60]), payload))
    return parsed


def _telemetry(document: Mapping[str, Any], payload: bytes, zone: tzinfo) -> Parsed:
    """`{"Device A": [{"ts": ms, "values": {…}}, {…flat…}], "Device B": {…one…}}`."""
    parsed = Parsed()
    problems = []
    for device, entries in document.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, dict) or not device.strip():
                problems.append(("no_device" if not device.strip() else "wrong_shape", said("entry", device[:60])))
                continue
            values = entry.get("values")
            flat = not isinstance(values, dict)
            time_s = moment(entry.get("ts"), zone)
            if time_s is None and entry.get("ts") is not None:
                problems.append(("not_a_time", f"{device[:60]}: {entry['ts']}"[:160]))
                continue
            fields = {key: value for key, value in entry.items() if key != "ts"} if flat else values
            assert isinstance(fields, dict)
            problems += _fields(device.strip(), fields, time_s, parsed)
    parsed.problems = [Problem(code, detail, None, payload[:PAYLOAD_LIMIT]) for code, detail in problems[:100]]
    return parsed


def _fields(device: str, fields: Mapping[str, Any], time_s: int | None, parsed: Parsed) -> list[tuple[str, str]]:
    problems = []
    texts: dict[str, str] = {}
    for name, value in fields.items():
        try:
            amount, unit = number(value)
        except ValueTextError as error:
            if isinstance(value, str):
                texts[name] = value[:200]
            else:
                problems.append(("not_a_number", f"{device[:60]} {name[:60]}: {error}"))
            continue
        parsed.points.append(PointValue(device, name, time_s, amount, unit))
    if texts:
        parsed.notes.append(DeviceNote(device, "attributes", texts))
    return problems
