"""The directory as plain values in a file: how it comes to a worker that knows no database."""

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from nuan.telemetry.intake.directory import Directory, Gateway, Placed, ProfilePoint

FILE = "directory.json"


def profile_points(points: Mapping[str, Mapping[str, Any]]) -> dict[str, ProfilePoint]:
    """The rows of a checked profile."""
    return {
        name: ProfilePoint(
            row["quantity"], str(row.get("position", "")), Fraction(str(row.get("scale", 1))),
            Fraction(str(row.get("offset", 0))), str(row.get("below", "")),
        )
        for name, row in points.items()
    }  # fmt: skip


def directory_of(document: Mapping[str, Any]) -> Directory:
    """`edition`, `gateways` (fields of `Gateway` in order), `digests`, `profiles`, `devices` (code, place, profile, position)."""
    profiles = {code: profile_points(points) for code, points in document["profiles"].items()}
    return Directory(
        document["edition"],
        {row[0]: Gateway(*row) for row in document["gateways"]},
        document["digests"],
        {
            gateway: {code: Placed(place, profiles[profile], position) for code, place, profile, position in rows}
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
