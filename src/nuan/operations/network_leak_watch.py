"""The leak detector fed with the newest readings: its memory lies in NUAN_HOME, its events become alarms, its ranking stands on the map.

`leak_tick` takes one row of what the company's points measure now. The detector (`nuan.network.leaks.stream.Watch`) looks back at nothing
else; its memory is kept as a file of this machine's own making beside the states, and begins anew when network or points change.
"""

import json
import math
import os
import pickle
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from nuan.network.leaks.alarm import DUCT_HEAT_LOSS, DUCT_WET, LEAK, LEAK_END, LEAK_UPDATE, Alarm
from nuan.network.leaks.points import Point
from nuan.network.leaks.stream import Watch
from nuan.operations.network_alarms import LEAK_CODES
from nuan.operations.network_readings import PRIMARY, RETURN, SUPPLY, Measured, measured_now
from nuan.operations.network_twin import Twin, twin_of
from nuan.operations.network_watch import Warned, WatchReport, watch_network
from nuan.records.monitoring.models import LivePoint

BURST_T_PER_H = 10.0
"""From this size on it is told as a burst."""
_UNITS = {
    "make_up_flow": "m3/h",
    "pressure": "bar",
    "primary_supply_temp": "C",
    "primary_return_temp": "C",
    "flow": "m3/h",
}
_NAMES = {"primary_supply_temp": ("temperature", "supply"), "primary_return_temp": ("temperature", "return")}
SHOWN = 5


@dataclass
class Kept:
    """What goes from tick to tick: the detector, what it was made for, and the leaks that it has not ended."""

    made_for: str
    watch: Watch
    series: list[tuple[str, str, str]]
    going: dict[int, Alarm] = field(default_factory=dict)
    place: dict[int, str] = field(default_factory=dict)
    """The pipe under which an event was first told: its alarm stays there, however the ranking moves."""


def points_of(twin: Twin) -> tuple[list[tuple[str, str, str]], list[Point]]:
    """The series of the company that the detector understands, and what they are to it."""
    stations = {code: name for name, (_, code) in twin.places.items()}
    plants = set(twin.network.sources["source"])
    known = LivePoint.objects.filter(company_code=twin.company, quantity__in=_UNITS)
    series, points = [], []
    for place, quantity, position in known.order_by("place", "quantity", "position").values_list(
        "place", "quantity", "position"
    ):
        kind, asset = ("source", place) if place in plants else ("substation", stations.get(place, ""))
        meaning = _meaning(quantity, position, kind)
        if asset and meaning is not None:
            series.append((place, quantity, position))
            points.append(
                Point(f"{place}|{quantity}|{position}", meaning[0], _UNITS[quantity], kind, asset, meaning[1])
            )
    return series, points


def _meaning(quantity: str, position: str, kind: str) -> tuple[str, str] | None:
    if quantity == "make_up_flow":
        return ("make_up_flow", "make_up") if kind == "source" else None
    if quantity in _NAMES:
        return _NAMES[quantity]
    if quantity == "pressure":
        return ("pressure", position) if position in {SUPPLY, RETURN} else None
    return ("flow", "supply") if position in {PRIMARY, SUPPLY} else None


def leak_tick(company: str, now: datetime) -> WatchReport | None:
    """None where there is no network, or nobody measures make-up water: then a leak cannot be seen, and nothing is said."""
    twin = twin_of(company, now)
    if twin is None:
        return None
    series, points = points_of(twin)
    if not any(point.quantity == "make_up_flow" for point in points):
        return None
    kept = _recalled(twin, series, points)
    found = step(kept, int(now.timestamp()), values_of(series, points, measured_now(company, now)))
    _remember(twin.company, kept)
    return watch_network(company, found, now, codes=LEAK_CODES)


def values_of(series: list[tuple[str, str, str]], points: list[Point], seen: Measured) -> np.ndarray:
    """One row in the detector's units; NaN where nothing fresh came."""
    row = np.full(len(series), math.nan)
    for i, key in enumerate(series):
        if key in seen.values:
            row[i] = points[i].canonical(np.array([seen.values[key][0]]))[0]
    return row


def step(kept: Kept, time_s: int, values: np.ndarray) -> list[Warned]:
    """What is going on after this row: one warning for each leak and each wet duct that has not ended."""
    for alarm in kept.watch.push(float(time_s), values):
        if alarm.kind == LEAK_END:
            kept.going.pop(alarm.event, None)
            kept.place.pop(alarm.event, None)
        elif alarm.kind in {LEAK, LEAK_UPDATE, DUCT_WET, DUCT_HEAT_LOSS}:
            kept.going[alarm.event] = alarm
            kept.place.setdefault(alarm.event, alarm.pipes[0][0] if alarm.pipes else "")
    return [_warned(kept, alarm) for alarm in kept.going.values()]


def _warned(kept: Kept, alarm: Alarm) -> Warned:
    pipe = kept.place[alarm.event]
    level, place = ("pipe", pipe) if pipe else ("network", "network")
    words = "、".join(f"{name} {share:.0%}" for name, share in alarm.pipes[:3])
    if alarm.kind in {DUCT_WET, DUCT_HEAT_LOSS}:
        return Warned("network_soaked", level, place, note=words)
    burst = alarm.size_t_h >= BURST_T_PER_H
    note = f"约 {alarm.size_t_h:.1f} t/h，把握 {alarm.confidence:.0%}" + (f"，可能在 {words}" if words else "")
    return Warned("network_burst" if burst else "network_leak", level, place, value=alarm.size_t_h, note=note)


def _folder() -> Path:
    return Path(settings.NUAN_HOME) / "network" / "leaks"


def _recalled(twin: Twin, series: list[tuple[str, str, str]], points: list[Point]) -> Kept:
    """The memory, or a new one; a file that cannot be read any more (another edition of the detector) is a new one too."""
    made_for = json.dumps([twin.version.digest, series])
    try:
        kept = pickle.loads((_folder() / f"{twin.company}.memory").read_bytes())
        if isinstance(kept, Kept) and kept.made_for == made_for:
            return kept
    except (FileNotFoundError, pickle.UnpicklingError, AttributeError, ImportError, EOFError):
        pass
    return Kept(made_for, Watch(twin.network, points), series)


def _remember(company: str, kept: Kept) -> None:
    _folder().mkdir(parents=True, exist_ok=True)
    documents = (
        ("memory", pickle.dumps(kept)),
        ("json", json.dumps([_shown(a) for a in kept.going.values()]).encode()),
    )
    for suffix, content in documents:
        draft = _folder() / f"{company}.{suffix}.{os.getpid()}.new"
        draft.write_bytes(content)
        draft.replace(_folder() / f"{company}.{suffix}")


def _shown(alarm: Alarm) -> dict[str, Any]:
    number = None if math.isnan(alarm.size_t_h) else round(alarm.size_t_h, 1)
    return {
        "kind": alarm.kind, "time_s": alarm.time_s, "since_s": None if math.isnan(alarm.since_s) else alarm.since_s, "size_t_h": number,
        "confidence": round(alarm.confidence, 2), "side": alarm.side, "pipes": [[pipe, round(share, 3)] for pipe, share in alarm.pipes[:SHOWN]],
    }  # fmt: skip


def leaks_going(company: str) -> list[dict[str, Any]]:
    """What the detector holds for true now, for the pages; empty where nothing was ever said."""
    try:
        rows = json.loads((_folder() / f"{company}.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [
        row
        | {
            "at": datetime.fromtimestamp(row["time_s"], UTC),
            "since": datetime.fromtimestamp(row["since_s"] or row["time_s"], UTC),
        }
        for row in rows
    ]
