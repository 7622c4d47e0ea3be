"""The sample city as a fleet of devices: who measures what, behind which gateway, in which language.

    every home with a sensor    a room sensor: half behind HTTP gateways (line protocol), a quarter ThingsBoard, a quarter plain JSON
    every building              a heat meter at its inlet: even ones M-Bus, odd ones CJ/T 188
    every substation            its controller, behind an HTTP gateway

The same number of homes and the same seed give the same fleet, so registering and playing need not know each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nuan.buildings.sample_city import City
from nuan.buildings.sample_city.stations import POINTS as STATION_POINTS
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.simulation.messages import METER_POINTS, METER_QUANTITIES

Form = Literal["line", "thingsboard", "json", "mbus", "cjt188"]
Kind = Literal["room", "station", "meter"]
PROFILES = {
    "sim_room": """
name: 模拟室温采集器
name_en: simulated room sensor
protocol: mqtt_json
kind: room_sensor
points: {temp: {quantity: room_temp}, hum: {quantity: room_humidity}, co2: {quantity: room_co2}}
""",
    "sim_station": """
name: 模拟换热站控制器
name_en: simulated substation controller
protocol: line_protocol
kind: station_rtu
points:
  outdoor_temp: {quantity: outdoor_temp}
  supply_temp: {quantity: supply_temp}
  return_temp: {quantity: return_temp}
  flow: {quantity: flow}
  heat_power: {quantity: heat_power}
""",
    "sim_meter": """
name: 模拟热量表
name_en: simulated heat meter
protocol: mbus
kind: heat_meter
points:
  energy: {quantity: heat_energy}
  volume: {quantity: water_volume}
  flow: {quantity: flow}
  power: {quantity: heat_power}
  supply_temp: {quantity: supply_temp}
  return_temp: {quantity: return_temp}
ignore: [on_time, "*.s*"]
""",
}
"""code → the YAML of a device profile."""
ROOM_POINTS = (("temp", "room_temp"), ("hum", "room_humidity"), ("co2", "room_co2"))
DEVICE_KINDS = {"room": "room_sensor", "station": "station_rtu", "meter": "heat_meter"}
PROTOCOL_OF: dict[Form, str] = {
    "line": "line",
    "thingsboard": "thingsboard",
    "json": "mqtt",
    "mbus": "mqtt",
    "cjt188": "mqtt",
}
_ROOM_FORMS: tuple[Form, ...] = ("line", "thingsboard", "line", "json")


@dataclass(frozen=True, slots=True)
class SimDevice:
    """`row`: of the home, building or station in the city's plan. `series`: numbers in the ledger, one for each of `points`."""

    number: int
    code: str
    gateway: str
    form: Form
    kind: Kind
    profile: str
    place: str
    position: str
    row: int
    points: tuple[tuple[str, str], ...]
    series: tuple[int, ...]


@dataclass(frozen=True)
class Fleet:
    devices: list[SimDevice]
    series: list[str]
    companies: dict[str, str]
    """gateway → company."""

    @property
    def forms(self) -> dict[str, Form]:
        """gateway → the language of all its devices."""
        return {device.gateway: device.form for device in self.devices}


def fleet_of(city: City) -> Fleet:
    plan = city.plan
    names = city.tables()["companies"]["code"].to_list()
    company_of_station = np.array(names, object)[plan.source_company[_station_source(city)]]
    builder = _Builder()
    home_station = plan.home_station
    for home in _homes(city):
        company = company_of_station[home_station[home]]
        form = _ROOM_FORMS[home % 4]
        device = f"R{home:07d}"
        builder.add(device, company, form, "room", "sim_room", plan.home_codes[home], "living", home, ROOM_POINTS)
    first_homes = _first_homes(city)
    for building, code in enumerate(plan.building_codes):
        company = company_of_station[home_station[first_homes[building]]]
        form = "cjt188" if building % 2 else "mbus"
        number = f"{10_000_000 + building:08d}" if form == "mbus" else f"1100{building:010d}"
        points = tuple(zip(METER_POINTS, METER_QUANTITIES, strict=True))
        builder.add(number, company, form, "meter", "sim_meter", code, "meter", building, points)
    for station, code in enumerate(plan.station_codes):
        points = tuple((name, name) for name in STATION_POINTS)
        builder.add(
            f"S{station:05d}",
            company_of_station[station],
            "line",
            "station",
            "sim_station",
            code,
            "room",
            station,
            points,
        )
    return Fleet(builder.devices, builder.series, builder.companies)


class _Builder:
    def __init__(self) -> None:
        self.devices: list[SimDevice] = []
        self.series: list[str] = []
        self.companies: dict[str, str] = {}

    def add(
        self, code: str, company: str, form: Form, kind: Kind, profile: str, place: str, position: str, row: int,
        points: tuple[tuple[str, str], ...],
    ) -> None:  # fmt: skip
        gateway = f"SIM-{company}-{form.upper()}"
        self.companies[gateway] = company
        first = len(self.series)
        self.series += [str(SeriesKey(place, key, position)) for _, key in points]
        numbers = tuple(range(first, len(self.series)))
        number = len(self.devices)
        self.devices.append(
            SimDevice(number, code, gateway, form, kind, profile, place, position, row, points, numbers)
        )


def _homes(city: City) -> Iterator[int]:
    """Homes with a sensor, as the store's readings of the city have them."""
    rows = np.concatenate([city.homes_in(bucket) for bucket in city.buckets])
    yield from sorted(rows.tolist())


def _first_homes(city: City) -> list[int]:
    seen = np.unique(city.plan.home_building, return_index=True)[1]
    return [int(home) for home in seen]


def _station_source(city: City) -> list[int]:
    """Row of the heat source of each station: the station's code begins with the source's."""
    rows = {code: row for row, code in enumerate(city.plan.source_codes)}
    return [rows[code.rsplit("-", 1)[0]] for code in city.plan.station_codes]
