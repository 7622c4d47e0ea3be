"""From what the person asked for to a run that is ready to start."""

from collections.abc import Iterable
from pathlib import Path

from nuan.buildings.sample_city import make_city
from nuan.operations.simulation.credentials import Credentials
from nuan.operations.simulation.fleet import fleet_of
from nuan.operations.simulation.http_sender import HttpDoor
from nuan.operations.simulation.mqtt_sender import Door
from nuan.operations.simulation.packing import Packing
from nuan.operations.simulation.planning import AtRate, AtSpeed, Plan
from nuan.operations.simulation.running import Run
from nuan.operations.simulation.values import Measuring
from nuan.telemetry.simulation.faults import Faults


def prepare(
    credentials: Path,
    *,
    mqtt: str,
    http: str,
    speed: float | None,
    rate: float | None,
    start_s: int,
    seconds: float | None,
    drain_s: float,
    faults: Iterable[str],
    ledger: Path,
) -> Run:
    """Raises CredentialsError, HttpDoorError, PaceError, FaultTextError: sentences for the person who asked."""
    known = Credentials.read(credentials)
    wanted = Faults.parse(faults, known.seed)
    door = HttpDoor.parse(http) if http else None
    city = make_city(known.homes, known.seed, known.season)
    fleet = fleet_of(city)
    plan: Plan = AtRate(fleet, start_s, rate) if rate is not None else AtSpeed(fleet, start_s, speed or 1.0)
    return Run(
        fleet, plan, Measuring(city, fleet, wanted, start_s), Packing(fleet, wanted), known.tokens, known.ports, ledger, _broker(mqtt), door, seconds,
        drain_s, facts={"faults": [f"{kind}={fault.share:.4%}:{fault.seconds}" for kind, fault in wanted.of.items()]},
    )  # fmt: skip


def _broker(text: str) -> Door | None:
    if not text:
        return None
    host, _, port = text.removeprefix("mqtt://").rpartition(":")
    return Door(host or port, int(port) if host and port.isdigit() else 1883)
