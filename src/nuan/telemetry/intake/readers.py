"""Protocol name → the function that reads its messages. A parser that fails is a finding with its bytes, never a stop."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from types import MappingProxyType

from nuan.telemetry.intake.directory import Directory, Gateway
from nuan.telemetry.intake.routes import Route
from nuan.telemetry.protocols import cjt188, mbus, modbus, mqtt_json, thingsboard, wmbus
from nuan.telemetry.protocols.parsed import Parsed


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What is known of a message before it is read."""

    route: Route
    topic: str
    zone: tzinfo
    gateway: Gateway
    directory: Directory


Reader = Callable[[Letterhead, bytes], Parsed]


class _Registers(Mapping[str, modbus.RegisterMap]):
    """The register map of each Modbus device behind a gateway."""

    def __init__(self, head: Letterhead) -> None:
        self._devices = head.directory.devices.get(head.gateway.code, {})

    def __getitem__(self, device: str) -> modbus.RegisterMap:
        placed = self._devices.get(device)
        if placed is None or placed.registers is None:
            raise KeyError(device)
        return placed.registers

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices)

    def __len__(self) -> int:
        return len(self._devices)


def _json(head: Letterhead, payload: bytes) -> Parsed:
    return mqtt_json.parse(f"nuan/{head.route.gateway}/{head.route.device}", payload, zone=head.zone)


def _thingsboard(head: Letterhead, payload: bytes) -> Parsed:
    if head.route.device and head.topic.endswith(("/telemetry", "/attributes")):
        # the gateway about itself: what it says is a reading only where it is registered as a device of its own
        return _json(head, payload)
    limits = thingsboard.Limits(readings_per_s=head.gateway.max_readings_per_s)
    return thingsboard.parse(head.topic, payload, limits, head.zone)


READERS: Mapping[str, Reader] = MappingProxyType({
    "json": _json,
    "thingsboard": _thingsboard,
    "mbus": lambda head, payload: mbus.parse(payload, head.zone),
    "wmbus": lambda head, payload: wmbus.parse(payload, head.zone),
    "cjt188": lambda head, payload: cjt188.parse(payload, head.zone),
    "modbus": lambda head, payload: modbus.parse(payload, _Registers(head), head.route.device, head.zone),
})  # fmt: skip


def read(head: Letterhead, payload: bytes) -> Parsed:
    reader = READERS.get(head.route.protocol)
    if reader is None:
        return Parsed.refused("wrong_topic", head.route.protocol, payload)
    try:
        return reader(head, payload)
    except Exception as error:  # a parser's own fault: its bytes wait among the dead letters until it is mended
        return Parsed.refused("parser", f"{type(error).__name__}: {error}"[:200], payload)
