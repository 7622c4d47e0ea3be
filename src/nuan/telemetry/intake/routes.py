"""An MQTT topic → whose message it is and which protocol reads it.

    nuan/<gateway>/<device>              JSON
    nuan/<gateway>/<device>/<protocol>   mbus, wmbus, cjt188, modbus, json
    gw/<gateway>/v1/gateway/…            ThingsBoard's gateway form, behind a listener that mounts the gateway at gw/<gateway>/
    gw/<gateway>/v1/devices/me/…         the gateway itself: the mount point says who it is

The gateway's name in a topic is true because the broker let only its owner publish there (`nuan gateway broker-config`).
"""

from dataclasses import dataclass
from typing import Final

FRAMES: Final = ("mbus", "wmbus", "cjt188", "modbus", "json")
SHARED: Final = tuple(f"$share/nuan/{each}" for each in ("nuan/+/+", "nuan/+/+/+", "gw/+/v1/#"))
"""What every worker asks for where the broker spreads messages over them."""
MOUNT: Final = "gw"


@dataclass(frozen=True, slots=True)
class Route:
    """`protocol` is json, a frame's name, or thingsboard; `device` is empty where the payload names it."""

    gateway: str
    device: str
    protocol: str

    @property
    def text(self) -> str:
        """What a dead letter keeps of it: protocol, and the device where the topic named it."""
        return f"{self.protocol}/{self.device}" if self.device else self.protocol


def route(topic: str) -> Route | None:
    """None where no protocol is at home.

    >>> route("nuan/G1/00012345/mbus")
    Route(gateway='G1', device='00012345', protocol='mbus')
    """
    parts = topic.split("/")
    if parts[0] == "nuan" and len(parts) == 3 and parts[1] and parts[2]:
        return Route(parts[1], parts[2], "json")
    if parts[0] == "nuan" and len(parts) == 4 and parts[1] and parts[2] and parts[3] in FRAMES:
        return Route(parts[1], parts[2], parts[3])
    if parts[0] == MOUNT and len(parts) >= 5 and parts[1] and parts[2] == "v1":
        own = parts[3:5] == ["devices", "me"]
        return Route(parts[1], parts[1] if own else "", "thingsboard")
    return None


def filters(gateway: str, protocol: str) -> tuple[str, ...]:
    """What the one worker asks for to which this gateway belongs."""
    if protocol == "thingsboard":
        return (f"{MOUNT}/{gateway}/v1/#",)
    return (f"nuan/{gateway}/+", f"nuan/{gateway}/+/+") if protocol == "mqtt" else ()
