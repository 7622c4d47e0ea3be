"""The last samples of those points whose rate of change somebody watches: kept in the records, so that any process may go on."""

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from nuan.operations.alarm_watching import Watching
from nuan.telemetry.alarms.conditions import Values
from nuan.telemetry.alarms.definitions import Kind
from nuan.telemetry.alarms.points import KINDS
from nuan.telemetry.alarms.trend import EVERY_S, MOST, per_hour, window_s
from nuan.telemetry.live import NEVER

_READ = "SELECT point_id, time_s, value FROM monitoring_trendsample WHERE point_id = ANY(%s) ORDER BY point_id, time_s"
_FORGET = """
DELETE FROM monitoring_trendsample s USING unnest(%s::bigint[], %s::bigint[]) AS gone (point_id, time_s)
WHERE s.point_id = gone.point_id AND s.time_s = gone.time_s
"""
_KEEP = """
INSERT INTO monitoring_trendsample (point_id, time_s, value) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::int[])
ON CONFLICT DO NOTHING
"""


def with_trends(seen: Watching, values: Values) -> Values:
    """`values` with how fast those change that are watched for it. A new sample is kept when it is far enough behind the last one."""
    of = np.unique(seen.watches.point[seen.watches.kind == KINDS.index(Kind.RATE)]).astype(np.int64)
    of = of[(seen.points.ids[of] >= 0)]
    if not len(of):
        return values
    ids = seen.points.ids[of]
    order = np.argsort(ids)
    of, ids = of[order], ids[order]
    with connection.cursor() as cursor:
        cursor.execute(_READ, [ids.tolist()])
        held = np.array(cursor.fetchall(), np.int64).reshape(-1, 3)
        row, time_s, value = np.searchsorted(ids, held[:, 0]), held[:, 1], held[:, 2]
        newest_s, newest = values.time_s[of], values.value[of]
        span = np.array([window_s(seen.points.names[point][1]) for point in of.tolist()], np.int64)
        last = np.full(len(of), NEVER, np.int64)
        np.maximum.at(last, row, time_s)
        fresh = (newest_s > NEVER) & ((last == NEVER) | (newest_s - last >= EVERY_S))
        old = time_s < newest_s[row] - span[row]
        behind = np.bincount(row, minlength=len(of))
        place = np.arange(len(row)) - np.searchsorted(row, row)
        old |= place < (behind + fresh)[row] - MOST
        if old.any():
            cursor.execute(_FORGET, [held[old, 0].tolist(), time_s[old].tolist()])
        if fresh.any():
            cursor.execute(_KEEP, [ids[fresh].tolist(), newest_s[fresh].tolist(), newest[fresh].tolist()])
    return values.changing(_joined(len(of), row[~old], time_s[~old], value[~old], newest_s, newest), of)


def _joined(
    rows: int, row: NDArray[np.int64], time_s: NDArray[np.int64], value: NDArray[np.int64], newest_s: NDArray[np.int64],
    newest: NDArray[np.int64],
) -> NDArray[np.int64]:  # fmt: skip
    """The kept samples, and the newest value of each point where it is younger than they."""
    last = np.full(rows, NEVER, np.int64)
    np.maximum.at(last, row, time_s)
    younger = np.flatnonzero(newest_s > last)
    every = [np.concatenate(pair) for pair in ((row, younger), (time_s, newest_s[younger]), (value, newest[younger]))]
    order = np.argsort(every[0], kind="stable")
    return per_hour(*(each[order] for each in every), rows)
