"""Whose device is what: which gateway a secret belongs to, and which series a named point of a device is.

A value made from the records by `operations.intake_directory` and handed to the workers, which know no database. A gateway
reaches the devices that are registered under it and nothing else; what the directory does not name has no series.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from fractions import Fraction

from nuan.telemetry.protocols.modbus import RegisterMap
from nuan.telemetry.series import SeriesKey

ONE, NOTHING = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A sender with credentials of its own. `device_tag` names the tag that carries the device in line protocol; `number` counts the
    gateways of a broker in the order in which they were opened, and never changes."""

    code: str
    company: str
    protocol: str
    timezone: str = "Asia/Shanghai"
    max_readings_per_s: int = 5_000
    max_series: int = 100_000
    device_tag: str = "device"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """A named point of a device: value in the quantity's unit = raw × scale + offset."""

    key: SeriesKey
    scale: Fraction = ONE
    offset: Fraction = NOTHING


@dataclass(frozen=True, slots=True)
class ProfilePoint:
    """A row of a device profile. An empty `position` is the device's own; `below` names a place under it (loop L1 of a station)."""

    quantity: str
    position: str = ""
    scale: Fraction = ONE
    offset: Fraction = NOTHING
    below: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A registered device: where it measures, and the table of its points (shared by all devices of its kind).

    `ignore`: patterns of names that are no problem; `registers`: what a Modbus device's registers mean.
    """

    place: str
    points: Mapping[str, ProfilePoint]
    position: str = "room"
    ignore: tuple[str, ...] = ()
    registers: RegisterMap | None = None

    def ignores(self, name: str) -> bool:
        """Whether such a device sends the name and nobody keeps it."""
        return any(fnmatchcase(name, pattern) for pattern in self.ignore)

    def point(self, name: str) -> Point | None:
        row = self.points.get(name)
        if row is None:
            return None
        place = f"{self.place}-{row.below}" if row.below else self.place
        return Point(SeriesKey(place, row.quantity, row.position or self.position), row.scale, row.offset)


def digest_of(secret: str) -> str:
    """What is kept of a secret. One round of SHA-256 is enough: secrets are 256 random bits, nobody can guess through them."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Directory:
    """All gateways, their secrets' digests and their devices, at one version of the records.

    `digests` maps each digest that opens to its gateway's code: a gateway has two for the hours after a rotation.

    >>> rooms = {"t": ProfilePoint("room_temp", scale=Fraction(1, 10))}
    >>> directory = Directory(1, {"G1": Gateway("G1", "C01", "mqtt_json")}, {digest_of("s"): "G1"},
    ...                       {"G1": {"0001": Placed("B0042-1-0301", rooms, "living")}})
    >>> str(directory.point("G1", "0001", "t").key), directory.point("G2", "0001", "t")
    ('B0042-1-0301|room_temp|living', None)
    """

    version: int = 0
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, Mapping[str, Placed]] = field(default_factory=dict)

    def authenticate(self, user: str, secret: str) -> Gateway | None:
        """The gateway whose secret this is. `user` is its code, or empty where a protocol has only a token.

        A digest is looked up, never a secret: how long the look-up takes says nothing about a secret that hashes elsewhere.
        """
        owner = self.digests.get(digest_of(secret))
        if owner is None or (user and not hmac.compare_digest(user.encode(), owner.encode())):
            return None
        return self.gateways.get(owner)

    def gateway(self, code: str) -> Gateway | None:
        return self.gateways.get(code)

    def device(self, gateway: str, device: str) -> Placed | None:
        return self.devices.get(gateway, _NO_DEVICES).get(device)

    def point(self, gateway: str, device: str, name: str) -> Point | None:
        """None where this gateway has no such device, or the device no such point: callers that tell the two apart ask `device`.

        Makes a new value at each call; who asks often keeps the answer until `version` changes.
        """
        placed = self.devices.get(gateway, _NO_DEVICES).get(device)
        return None if placed is None else placed.point(name)

    def series(self, gateway: str) -> Iterator[SeriesKey]:
        """Every series that the gateway may write."""
        for placed in self.devices.get(gateway, _NO_DEVICES).values():
            for name in placed.points:
                point = placed.point(name)
                assert point is not None
                yield point.key


_NO_DEVICES: Mapping[str, Placed] = {}
