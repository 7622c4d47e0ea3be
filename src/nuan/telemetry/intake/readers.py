"""Protocol name → the function that reads its messages. A parser that fails is a finding with its bytes, never a stop."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from types import MappingProxyType

from nuan.telemetry.intake.directory import Gateway
from nuan.telemetry.intake.routes import Route
from nuan.telemetry.protocols import mbus, mqtt_json, thingsboard
from nuan.telemetry.protocols.parsed import Parsed

Reader = Callable[[Route, str, bytes, tzinfo, Gateway], Parsed]


def _json(route: Route, topic: str, payload: bytes, zone: tzinfo, gateway: Gateway) -> Parsed:
    return mqtt_json.parse(f"nuan/{route.gateway}/{route.device}", payload, zone=zone)


def _thingsboard(route: Route, topic: str, payload: bytes, zone: tzinfo, gateway: Gateway) -> Parsed:
    if route.device and topic.endswith(("/telemetry", "/attributes")):
        # the gateway about itself: what it says is a reading only where it is registered as a device of its own
        return mqtt_json.parse(f"nuan/{route.gateway}/{route.device}", payload, zone=zone)
    return thingsboard.parse(topic, payload, thingsboard.Limits(readings_per_s=gateway.max_readings_per_s), zone)


READERS: Mapping[str, Reader] = MappingProxyType({
    "json": _json,
    "thingsboard": _thingsboard,
    "mbus": lambda route, topic, payload, zone, gateway: mbus.parse(payload, zone),
})  # fmt: skip


def read(route: Route, topic: str, payload: bytes, zone: tzinfo, gateway: Gateway) -> Parsed:
    reader = READERS.get(route.protocol)
    if reader is None:
        return Parsed.refused("wrong_topic", route.protocol, payload)
    try:
        return reader(route, topic, payload, zone, gateway)
    except Exception as error:  # a parser's own fault: its bytes wait among the dead letters until it is mended
        return Parsed.refused("parser", f"{type(error).__name__}: {error}"[:200], payload)
