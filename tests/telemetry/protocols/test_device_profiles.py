"""A device is a table of points: the shipped tables, and what is wrong with one that is not."""

from fractions import Fraction
from pathlib import Path

import pytest

from nuan.telemetry.files import read_file
from nuan.telemetry.protocols.profile import PROTOCOLS, load_profile, shipped
from nuan.terms.quantities import QUANTITIES


def test_the_shipped_profiles_are_whole() -> None:
    profiles = shipped()
    assert {"heat_meter_mbus", "heat_meter_cjt188", "room_sensor_json", "substation_rtu_modbus"} <= set(profiles)
    for profile in profiles.values():
        series = [(point.quantity, point.position, point.below) for point in profile.points]
        assert len(series) == len(set(series)), profile.code
        assert profile.protocol in PROTOCOLS
        assert all(row["quantity"] in QUANTITIES for row in profile.rows().values())


def test_units_of_a_profile_become_scale_and_offset() -> None:
    profile, found = load_profile(
        "protocol: mqtt_json\npoints: {t: {quantity: room_temp, unit: °F}, p: {quantity: pressure, scale: 0.001, unit: MPa}}",
        "x",
    )
    assert found == []
    assert profile is not None
    assert profile.points[0].in_own_unit() == (Fraction(5, 9), Fraction(-160, 9))
    assert profile.rows() == {
        "t": {"quantity": "room_temp", "scale": "5/9", "offset": "-160/9"},
        "p": {"quantity": "pressure", "scale": "1/100"},
    }


# what, yaml, fields that are wrong
WRONG = [
    ("no YAML", "a: [", [None]),
    ("no points", "protocol: mbus", [None]),
    ("unknown protocol", "protocol: telex\npoints: {a: {quantity: flow}}", ["protocol"]),
    ("unknown key", "protocol: mbus\ncolour: red\npoints: {a: {quantity: flow, size: 1}}", ["colour", "points.a.size"]),
    ("unknown quantity", "protocol: mbus\npoints: {a: {quantity: love}}", ["points.a.quantity"]),
    ("another unit", "protocol: mbus\npoints: {a: {quantity: flow, unit: bar}}", ["points.a.unit"]),
    ("no scale", "protocol: mbus\npoints: {a: {quantity: flow, scale: x}, b: {quantity: flow, scale: 0}}", ["points.a.scale", "points.b.scale"]),
    ("no register", "protocol: modbus\npoints: {a: {quantity: flow}}", ["a.register"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_everything_wrong_is_told_at_once(text: str, fields: list[str | None]) -> None:
    profile, found = load_profile(text, "x")
    assert profile is None
    assert [finding.field for finding in found] == fields


def test_a_profile_serves_as_the_mapping_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text(
        "time,energy,supply_temp,on_time\n2026-01-10 08:00,1000,65.1,1\n2026-01-10 09:00,1010,65.0,2\n", "utf-8"
    )
    mapping = shipped()["heat_meter_cjt188"].file_mapping("H01-S01", ["time", "energy", "supply_temp", "on_time"])
    read = read_file(path, mapping, places=frozenset({"H01-S01"}), arrival_s=1_800_000_000)
    assert {str(key) for key in read.keys} == {"H01-S01|heat_energy|room", "H01-S01|supply_temp|room"}
    assert read.value.tolist() == [1000, 1010, 6510, 6500]
