"""What the devices measure: the sample city's own rooms and stations, hour by hour, with counters that run. In steps of each quantity."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nuan.buildings.sample_city import City
from nuan.buildings.sample_city.sensors import GAP as ROOM_GAP
from nuan.buildings.sample_city.stations import GAP as STATION_GAP
from nuan.buildings.sample_city.stations import POINTS as STATION_POINTS
from nuan.operations.simulation.fleet import Fleet, SimDevice
from nuan.telemetry.simulation.faults import Faults
from nuan.telemetry.simulation.messages import METER_POINTS, Report
from nuan.terms.places import HOUR_S

MINUTE_S = 60
COUNTERS = ("energy", "volume")


class Measuring:
    """`start_s`: when the play begins; counters are counted from there."""

    def __init__(self, city: City, fleet: Fleet, faults: Faults, start_s: int) -> None:
        self.city, self.fleet, self.faults, self.start_s = city, fleet, faults, start_s
        self.rooms = _rooms(city)
        self.stations = city.station_hours()
        self.station_of_building = _station_of_building(city)
        self._ill = {
            kind: [faults.ill(kind, d.number) for d in fleet.devices]
            for kind in ("clock", "stuck", "swapped", "units", "reset")
        }
        self._first: dict[int, dict[str, tuple[str, int]]] = {}

    def report(self, device: SimDevice, now_s: int) -> Report | None:
        """None: the sensor is silent in this hour, as in the city."""
        hour = (now_s - self.city.season.interval.start) // HOUR_S % self.city.hours
        values = self._values(device, hour, now_s)
        if values is None:
            return None
        named = {name: (key, values[name]) for name, key in device.points if name in values}
        if self._ill["stuck"][device.number]:
            named = self._first.setdefault(device.number, named)
        time_s = now_s + (self.faults.seconds("clock") if self._ill["clock"][device.number] else 0)
        return Report(device.code, time_s, named)

    def _values(self, device: SimDevice, hour: int, now_s: int) -> Mapping[str, int] | None:
        wobble = (now_s * 2_654_435_761 + device.number * 40_503) % 7 - 3
        if device.kind == "room":
            room = int(self.rooms[device.row, hour])
            if room == ROOM_GAP:
                return None
            return {
                "temp": room + wobble,
                "hum": 380 + 4 * wobble + device.number % 50,
                "co2": 620 + 9 * wobble + device.number % 90,
            }
        if device.kind == "station":
            values = {name: int(self.stations[name][device.row, hour]) for name in STATION_POINTS}
            return {name: steps for name, steps in values.items() if steps != STATION_GAP}
        return self._meter(device, hour, now_s, wobble)

    def _meter(self, device: SimDevice, hour: int, now_s: int, wobble: int) -> Mapping[str, int] | None:
        """A building's meter: temperatures of its station to 0.1 °C, its own flow, and counters that follow the power."""
        station = self.station_of_building[device.row]
        supply, back = (int(self.stations[name][station, hour]) for name in ("supply_temp", "return_temp"))
        if STATION_GAP in (supply, back):
            return None
        supply, back = (round(value / 10) * 10 for value in (supply + 10 * wobble, back))
        if self._ill["swapped"][device.number]:
            supply, back = back, supply
        flow = 4_000 + device.number % 3_000 + 5 * wobble
        power = max(0, flow * (supply - back) * 1163 // 10_000_000) * 10
        since = now_s - self.start_s
        begun = 20_000 + 7 * device.number
        if self._ill["reset"][device.number] and since >= self.faults.seconds("reset"):
            since, begun = since - self.faults.seconds("reset"), 0
        energy = begun + since * (40 + device.number % 40) // HOUR_S
        if self._ill["units"][device.number]:
            energy //= 1000
        volume = 100 * begun + since * 450 // HOUR_S
        counted = (energy, volume, flow, power, supply, back)
        return dict(zip(METER_POINTS, counted, strict=True))


def _rooms(city: City) -> NDArray[np.int16]:
    """int16[homes, hours]; homes without a sensor are silent."""
    rooms = np.full((city.homes, city.hours), ROOM_GAP, np.int16)
    for bucket in city.buckets:
        homes = city.homes_in(bucket)
        if len(homes):
            rooms[homes] = city.room_hours(bucket).value
    return rooms


def _station_of_building(city: City) -> list[int]:
    plan = city.plan
    first = np.unique(plan.home_building, return_index=True)[1]
    return [int(station) for station in plan.home_station[first]]
