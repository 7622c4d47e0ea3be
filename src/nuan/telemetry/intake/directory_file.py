"""The directory as plain values in a file: how it comes to a worker that knows no database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuan.telemetry.intake.directory import NOTHING, ONE, Directory, Gateway, Placed, ProfilePoint
from nuan.telemetry.protocols.modbus import RegisterMap
from nuan.telemetry.protocols.profile import DeviceProfile, load_profile

FILE = "directory.json"


@dataclass(frozen=True, slots=True)
class Table:
    """What a profile's text says, once for all its devices."""

    points: Mapping[str, ProfilePoint]
    ignore: tuple[str, ...] = ()
    registers: RegisterMap | None = None


def table_of(profile: DeviceProfile) -> Table:
    """A register map has scaled its values already and names their unit."""
    points = {}
    for row in profile.points:
        scale, offset = (ONE, NOTHING) if profile.registers else row.in_own_unit()
        points[row.name] = ProfilePoint(row.quantity, row.position, scale, offset, row.below)
    return Table(points, profile.ignore, profile.registers)


def read_table(code: str, text: str) -> Table:
    """A profile that does not read any more (it was checked when it was defined) has no points: its values wait as dead letters."""
    profile, _ = load_profile(text, code)
    return Table({}) if profile is None else table_of(profile)


def directory_of(document: Mapping[str, Any]) -> Directory:
    """`edition`, `gateways` (fields of `Gateway` in order), `digests`, `profiles` (code → YAML), `devices` (code, place, profile,
    position)."""
    tables = {code: read_table(code, text) for code, text in document["profiles"].items()}
    return Directory(
        document["edition"],
        {row[0]: Gateway(*row) for row in document["gateways"]},
        document["digests"],
        {
            gateway: {
                code: Placed(place, tables[profile].points, position, tables[profile].ignore, tables[profile].registers)
                for code, place, profile, position in rows
            }
            for gateway, rows in document["devices"].items()
        },
    )


def read_directory(folder: Path) -> Directory:
    """Of an intake's folder; empty before the first was laid down."""
    try:
        text = (folder / FILE).read_text("utf-8")
    except FileNotFoundError:
        return Directory()
    return directory_of(json.loads(text))
