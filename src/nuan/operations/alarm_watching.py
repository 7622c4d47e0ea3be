"""Points, definitions and values as the alarm engine wants them, read in a moment: names are kept from tick to tick, values are copied."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from nuan.records.monitoring.models import AlarmDefinition
from nuan.telemetry.alarms.conditions import Values, longest_ages, with_wholes
from nuan.telemetry.alarms.definitions import Definition, in_force
from nuan.telemetry.alarms.points import NOWHERE, Points, Watches, watch, with_whole_places
from nuan.telemetry.live import NEVER

_VALUES = f"""
COPY (SELECT point_id, any_time_s, any_arrival_s, any_flags, coalesce(time_s, {NEVER}), coalesce(value, 0)
      FROM monitoring_livevalue ORDER BY point_id) TO STDOUT (FORMAT BINARY)
"""
_FIELDS = (
    ("id", ">i8"), ("any_time", ">i8"), ("any_arrival", ">i8"), ("any_flags", ">i2"), ("time", ">i8"), ("value", ">i4"),
)  # fmt: skip
_ROW = np.dtype(
    [("count", ">i2")] + [pair for name, dtype in _FIELDS for pair in ((f"{name}_length", ">i4"), (name, dtype))]
)
_HEADER, _TRAILER = 19, 2
_NAMES = """
SELECT p.id, p.place, p.quantity, p.position, p.level, p.company_code, p.banner_code, p.source_code, p.station_code, p.gateway_code
FROM monitoring_livepoint p JOIN monitoring_livevalue v ON v.point_id = p.id ORDER BY p.id
"""
_FINGERPRINT = """
SELECT count(*), coalesce(max(id), 0), coalesce(sum(hashtext(level || '|' || company_code || '|' || source_code || '|' || station_code || '|' || gateway_code)), 0)
FROM monitoring_livepoint
"""


@dataclass(frozen=True)
class Watching:
    """What the engine looks at. `at`: level (of whole places only), place, quantity and position → number of the point."""

    points: Points
    watches: Watches
    longest_age_s: NDArray[np.int64]
    banner: list[str]
    at: dict[tuple[str, str, str, str], int]

    def banner_of(self, point: int) -> str:
        """A whole place lies where its first point lies."""
        if point < len(self.banner):
            return self.banner[point]
        for column in (self.points.station, self.points.source, self.points.gateway):
            if column[point] != NOWHERE:
                return self.banner[int(np.flatnonzero(column == column[point])[0])]
        return ""


def definition_changes() -> tuple[Definition, ...]:
    """What somebody has set, as definitions; the shipped table is not in it."""
    rows = AlarmDefinition.objects.order_by("id").values_list("values", "company_code", "place")
    return tuple(Definition.from_dict(values | {"company": company, "place": place}) for values, company, place in rows)


def watching() -> Watching:
    """Made anew only when points, their places or definitions have changed."""
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT)
        count, newest, places = cursor.fetchone()
    return _watching(connection.settings_dict["NAME"], count, newest, places, definition_changes())


@lru_cache(maxsize=1)
def _watching(database: str, count: int, newest: int, places: int, changes: tuple[Definition, ...]) -> Watching:
    with connection.cursor() as cursor:
        cursor.execute(_NAMES)
        rows = cursor.fetchall()
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(10)]
    ids, place, quantity, position, level, company, banner, source, station, gateway = columns
    names = list(zip(place, quantity, position, strict=True))
    points = with_whole_places(np.array(ids, np.int64), names, level, company, source, station, gateway)
    at = {(points.level[i] if i >= len(ids) else "", *name): i for i, name in enumerate(points.names)}
    return Watching(points, watch(points, in_force(changes)), longest_ages(points), banner, at)


def values_now(points: Points) -> Values:
    """The newest values of all points, whole places included, in the order of `points`."""
    with connection.cursor() as cursor, cursor.copy(_VALUES) as copy:
        data = b"".join(bytes(part) for part in copy)
    rows = np.frombuffer(data[_HEADER:-_TRAILER], _ROW)
    real = points.ids[points.ids >= 0]
    at = np.searchsorted(rows["id"].astype(np.int64), real)
    found = rows[at]

    def column(name: str, dtype: type = np.int64) -> NDArray[np.generic]:
        return found[name].astype(dtype)

    values = Values(
        column("any_time"), column("any_arrival"), column("any_flags", np.int16), column("time"), column("value"),
        np.full(len(found), NEVER, np.int64),
    )  # fmt: skip
    return with_wholes(values, points)
