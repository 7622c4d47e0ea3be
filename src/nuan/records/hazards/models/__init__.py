"""Hazards with their history and photos; patrol routes with their points, rounds and check-ins."""

from nuan.records.hazards.models.hazards import Hazard, HazardChange, Kind, Level, Photo, Source
from nuan.records.hazards.models.patrols import CheckIn, PatrolPoint, PatrolRoute, PatrolWalk, PointKind

__all__ = [
    "CheckIn", "Hazard", "HazardChange", "Kind", "Level", "PatrolPoint", "PatrolRoute", "PatrolWalk", "Photo", "PointKind", "Source",
]  # fmt: skip
