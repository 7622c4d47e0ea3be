"""The simulated fleet into the records: profiles, gateways, devices. Again changes nothing but the tokens that nobody has any more."""

from datetime import datetime
from pathlib import Path

import polars as pl

from nuan.buildings.sample_city import make_city
from nuan.operations.broker_config import listener_ports
from nuan.operations.device_profiles import define_profiles
from nuan.operations.devices import DevicesReport, register_devices
from nuan.operations.gateways import register_gateway, rotate_gateway
from nuan.operations.simulation.credentials import Credentials, CredentialsError
from nuan.operations.simulation.fleet import DEVICE_KINDS, PROFILES, PROTOCOL_OF, Fleet, fleet_of
from nuan.records.devices.models import Gateway
from nuan.records.registry.models import Home


class NoSampleCityError(ValueError):
    def __init__(self) -> None:
        super().__init__("登记册里没有示例城市：请先运行 nuan demo")


def register_fleet(
    path: Path,
    *,
    homes: int,
    seed: int,
    season: int,
    now: datetime,
    actor: str,
    mount_port: int = 18830,
    most_readings_per_s: int = 50_000,
) -> tuple[Fleet, DevicesReport]:
    """The sample city of these numbers must be in the registry. Tokens go to `path`; gateways that it names already keep theirs.

    `mount_port`: as given to `nuan gateway broker-config`.
    """
    fleet = fleet_of(make_city(homes, seed, season))
    places = {device.place for device in fleet.devices if device.kind == "room"}
    if Home.objects.filter(code__in=list(places)[:500]).count() < min(500, len(places)):
        raise NoSampleCityError
    define_profiles(PROFILES, actor=actor)
    try:
        known = Credentials.read(path).tokens
    except CredentialsError:
        known = {}
    tokens = {}
    for gateway, company in fleet.companies.items():
        if Gateway.objects.filter(pk=gateway).exists():
            tokens[gateway] = known.get(gateway) or rotate_gateway(gateway, now=now, actor=actor, at_once=True).token
            continue
        new = register_gateway(
            code=gateway, company=company, protocol=PROTOCOL_OF[fleet.forms[gateway]], now=now, actor=actor,
            name=f"模拟网关 {gateway.removeprefix('SIM-')}", max_readings_per_s=most_readings_per_s, max_series=1_000_000,
        )  # fmt: skip
        tokens[gateway] = new.token
    ports = {gateway: port for gateway, port in listener_ports(mount_port).items() if gateway in tokens}
    Credentials(homes, seed, season, tokens, ports).write(path)
    return fleet, register_devices(device_table(fleet), actor=actor, source="nuan simulate register")


def device_table(fleet: Fleet) -> pl.DataFrame:
    """As a file of a device import would have it."""
    return pl.DataFrame({
        "gateway": [device.gateway for device in fleet.devices],
        "code": [device.code for device in fleet.devices],
        "profile": [device.profile for device in fleet.devices],
        "kind": [DEVICE_KINDS[device.kind] for device in fleet.devices],
        "place": [device.place for device in fleet.devices],
        "position": [device.position for device in fleet.devices],
        "maker": ["模拟" for _ in fleet.devices],
    })  # fmt: skip
