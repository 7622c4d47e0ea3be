"""A station's outage is one alarm, not four hundred: what hangs on a failed place is folded under the alarm of that place.

The source wins over the station; of several alarms of one place the earliest is the root, so a root stays one while it lasts. A gateway that
is silent explains missing data, and nothing but them: pumps that were seen to stand stay an alarm of their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.alarms.definitions import GATEWAY, Kind
from nuan.telemetry.alarms.points import KINDS, NOWHERE, Points, Watches
from nuan.terms.places import Level

_COLUMN = {Level.SOURCE: "source", Level.SUBSTATION: "station", GATEWAY: "gateway"}


@dataclass(frozen=True)
class Roots:
    """For each source, station and gateway the watch whose alarm is the root of an outage there, or `NOWHERE`."""

    source: NDArray[np.int64]
    station: NDArray[np.int64]
    gateway: NDArray[np.int64]


def roots(watches: Watches, points: Points, failed: NDArray[np.int64], raised_s: NDArray[np.int64]) -> Roots:
    """`failed`: watches with an outage, `raised_s` when each was raised. The earliest of a place is its root, the lower row of two."""
    found = {
        "source": np.full(len(points.sources), NOWHERE, np.int64),
        "station": np.full(len(points.stations), NOWHERE, np.int64),
        "gateway": np.full(len(points.gateways), NOWHERE, np.int64),
    }
    for i in np.lexsort((failed, raised_s)).tolist():
        row = int(failed[i])
        point = int(watches.point[row])
        level = watches.definitions[watches.definition[row]].level
        if level not in _COLUMN:
            continue
        name = _COLUMN[level]
        number = int(getattr(points, name)[point])
        if number != NOWHERE and found[name][number] == NOWHERE:
            found[name][number] = row
    return Roots(**found)


def parents(watches: Watches, points: Points, root: Roots, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The watch under whose alarm each of `rows` is folded; `NOWHERE`: it stands for itself. Nothing hangs on what is folded itself."""
    top = _tops(watches, points, root)
    point = watches.point[rows]
    by_source = _looked_up(root.source, points.source[point])
    by_station = _looked_up(top, points.station[point])
    by_gateway = np.where(_about_data(watches, rows), _looked_up(root.gateway, points.gateway[point]), NOWHERE)
    found = np.where(by_source != NOWHERE, by_source, np.where(by_station != NOWHERE, by_station, by_gateway))
    return np.where(found == rows, NOWHERE, found)


def _tops(watches: Watches, points: Points, root: Roots) -> NDArray[np.int64]:
    """For each station what its parts are folded under: its own root, or the gateway's where only the station's data are missing."""
    top = root.station.copy()
    known = np.flatnonzero(top != NOWHERE)
    rows = top[known]
    gateway = _looked_up(root.gateway, points.gateway[watches.point[rows]])
    top[known] = np.where(_about_data(watches, rows) & (gateway != NOWHERE), gateway, rows)
    return top


def _looked_up(column: NDArray[np.int64], numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.append(column, NOWHERE)[numbers]  # NOWHERE is −1: the last


def _about_data(watches: Watches, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    about_data = np.array([KINDS.index(kind) for kind in (Kind.STALE, Kind.STUCK, Kind.SILENT)], np.int8)
    return np.asarray(np.isin(watches.kind[rows], about_data), np.bool_)


def under_doubt(
    watches: Watches, points: Points, doubtful: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of `rows` hang on a place whose outage is pending: they wait until it is known whether the place has failed.

    Two outages that are pending on one place do not wait for each other.
    """
    if not len(doubtful) or not len(rows):
        return np.zeros(len(rows), np.bool_)
    over = parents(watches, points, roots(watches, points, doubtful, np.zeros(len(doubtful), np.int64)), rows)
    held = over != NOWHERE
    for i in np.flatnonzero(held & np.isin(rows, doubtful)).tolist():
        mine, above = (points.names[watches.point[row]][0] for row in (rows[i], over[i]))
        held[i] = mine != above
    return np.asarray(held, np.bool_)
