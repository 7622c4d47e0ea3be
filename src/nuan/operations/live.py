"""The newest values of all points into PostgreSQL, where pages and alarms read them: one COPY and one upsert, however many.

Whoever pushes may push late, twice or out of order: a row only changes for a newer reading. Machine state, so no act and no audit row.
"""

from datetime import datetime
from weakref import WeakKeyDictionary

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from nuan.operations.demo_clock import demo_now
from nuan.operations.live_places import place_points
from nuan.telemetry.live import NEVER, LiveChanges
from nuan.telemetry.series import SeriesTable

_COLUMNS = (
    ("point", ">i8"), ("any_time", ">i8"), ("any_arrival", ">i8"), ("any_value", ">i4"), ("any_flags", ">i2"), ("time", ">i8"),
    ("arrival", ">i8"), ("value", ">i4"), ("flags", ">i2"), ("before_time", ">i8"), ("before_value", ">i4"),
)  # fmt: skip
_TYPES = {">i8": "int8", ">i4": "int4", ">i2": "int2"}
_ARRIVING = "CREATE TEMP TABLE IF NOT EXISTS live_arriving ({}) ON COMMIT DELETE ROWS".format(
    ", ".join(f"{name} {_TYPES[dtype]} NOT NULL" for name, dtype in _COLUMNS)
)
_NEWER_ANY = """
    (CASE WHEN excluded.any_flags & 128 > 0 THEN excluded.any_arrival_s ELSE excluded.any_time_s END, excluded.any_arrival_s, excluded.any_value)
    > (CASE WHEN live.any_flags & 128 > 0 THEN live.any_arrival_s ELSE live.any_time_s END, live.any_arrival_s, live.any_value)
"""
_NEWER = f"""
    (coalesce(excluded.time_s, {NEVER}), coalesce(excluded.arrival_s, {NEVER}), coalesce(excluded.value, 0), coalesce(excluded.before_time_s, {NEVER}))
    > (coalesce(live.time_s, {NEVER}), coalesce(live.arrival_s, {NEVER}), coalesce(live.value, 0), coalesce(live.before_time_s, {NEVER}))
"""
_ANY = ("any_time_s", "any_arrival_s", "any_value", "any_flags")
_TRUSTED = ("time_s", "arrival_s", "value", "flags", "before_time_s", "before_value")
_UPSERT = f"""
INSERT INTO monitoring_livevalue AS live (point_id, {", ".join(_ANY + _TRUSTED)})
SELECT point, any_time, any_arrival, any_value, any_flags, nullif(time, {NEVER}), nullif(arrival, {NEVER}),
       CASE WHEN time > {NEVER} THEN value END, flags, nullif(before_time, {NEVER}), CASE WHEN before_time > {NEVER} THEN before_value END
FROM live_arriving
ON CONFLICT (point_id) DO UPDATE SET
    {", ".join(f"{name} = CASE WHEN {_NEWER_ANY} THEN excluded.{name} ELSE live.{name} END" for name in _ANY)},
    {", ".join(f"{name} = CASE WHEN {_NEWER} THEN excluded.{name} ELSE live.{name} END" for name in _TRUSTED)}
WHERE {_NEWER_ANY} OR {_NEWER}
"""
_NEW_POINTS = """
INSERT INTO monitoring_livepoint (place, quantity, position, level, company_code, banner_code, source_code, station_code, building_code, gateway_code)
SELECT place, quantity, position, '', '', '', '', '', '', '' FROM unnest(%s::text[], %s::text[], %s::text[]) AS new (place, quantity, position)
ON CONFLICT DO NOTHING
"""
_IDS = """
SELECT given.n, p.id FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS given (place, quantity, position, n)
JOIN monitoring_livepoint p ON p.place = given.place AND p.quantity = given.quantity AND p.position = given.position
"""
_known: WeakKeyDictionary[SeriesTable, NDArray[np.int64]] = WeakKeyDictionary()


def push_live(changes: LiveChanges, names: SeriesTable) -> int:
    """Write what has changed in a live table; how many points changed in the records. `names` are the series that its ids stand for.

    Call it at most once a second with `table.changed_since(tick)`, and keep the tick only when it has returned.
    """
    if len(changes) == 0:
        return 0
    with transaction.atomic():
        points = _points(changes.series, names)
        with connection.cursor() as cursor:
            cursor.execute(_ARRIVING)
            with cursor.copy("COPY live_arriving FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(_binary(changes, points))
            cursor.execute(_UPSERT)
            return int(cursor.rowcount)


def live_now(now: datetime) -> datetime:
    """The moment that “now” means on pages of live values: a demo city that no device feeds lives in the last hour of its season."""
    return demo_now() or now


def _points(series: NDArray[np.uint32], names: SeriesTable) -> NDArray[np.int64]:
    """Ids of the points; those that are new are entered and placed in the supply tree."""
    known = _known.get(names, np.zeros(0, np.int64))
    if len(known) < len(names):
        known = np.concatenate([known, np.zeros(len(names) - len(known), np.int64)])
    missing = series[known[series] == 0]
    if len(missing):
        keys = [names.key(each) for each in missing.tolist()]
        places, quantities, positions = [k.place for k in keys], [k.quantity for k in keys], [k.position for k in keys]
        with connection.cursor() as cursor:
            cursor.execute(_NEW_POINTS, [places, quantities, positions])
            if cursor.rowcount:
                place_points()
            cursor.execute(_IDS, [places, quantities, positions])
            for number, point in cursor.fetchall():
                known[missing[number - 1]] = point
    _known[names] = known
    return known[series]


def _binary(changes: LiveChanges, points: NDArray[np.int64]) -> bytes:
    """PostgreSQL's binary COPY: a header, then for each row the number of fields and each field with its length, big-endian."""
    fields = [("count", ">i2")]
    for name, dtype in _COLUMNS:
        fields += [(f"{name}_length", ">i4"), (name, dtype)]
    rows = np.zeros(len(points), np.dtype(fields))
    rows["count"] = len(_COLUMNS)
    values = (
        points, changes.any_time_s, changes.any_arrival_s, changes.any_value, changes.any_flags, changes.time_s, changes.arrival_s,
        changes.value, changes.flags, changes.before_time_s, changes.before_value,
    )  # fmt: skip
    for (name, dtype), column in zip(_COLUMNS, values, strict=True):
        rows[name] = column
        rows[f"{name}_length"] = int(dtype[-1])
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"
