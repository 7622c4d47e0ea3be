"""The demo city's storms and its last day as if its devices had sent them live: values with their age, and the alarms of what was planted.

Through the same doors as real readings: live table, push, tick. The storms of the season are acknowledged, so that they are history; what
the last day brings is open. No device runs; pages say that “now” is the demo's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import duckdb
import polars as pl

from nuan.buildings.sample_city import Planted
from nuan.operations.alarm_acts import acknowledge_alarms
from nuan.operations.alarm_tick import alarm_tick
from nuan.operations.live import push_live
from nuan.operations.quality_days import compute_quality
from nuan.records.monitoring.models import Alarm
from nuan.telemetry.live import LiveTable
from nuan.telemetry.store import Store
from nuan.terms.places import CHINA, HOUR_S

LAST_HOURS: Final = 12
LARGE: Final = 60_000
"""Series from which on a large demo city plays its last few hours only, and no storms."""
FEW_HOURS: Final = 4
BEFORE_H, AFTER_H, STORM_STEP_H, SHORT_H = 2, 24, 4, 10
QUALITY_DAYS: Final = 30
_ON_THE_WAY_S: Final = 20
SEEN = "示例城市：已派人抢修"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the season that is played, tick by tick; `storm`: its alarms are acknowledged."""

    start_s: int
    end_s: int
    step_s: int
    storm: bool


def play(store: Store, truth: Sequence[Planted], as_of: datetime, *, actor: str, progress: Progress) -> dict[str, int]:
    """Live values, alarms and quality up to `as_of`; what there is then. Again changes nothing that is newer."""
    end_s = int(as_of.timestamp())
    stretches = _stretches(truth, end_s, large=len(store.series) >= LARGE)
    table, sent, points, opened = LiveTable(len(store.series)), 0, 0, 0
    ticks = [(stretch, at) for stretch in stretches for at in range(stretch.start_s, stretch.end_s, stretch.step_s)]
    loaded: tuple[Stretch | None, pl.DataFrame] = (None, pl.DataFrame())
    for done, (stretch, at) in enumerate(ticks):
        progress("live", done, len(ticks))
        if loaded[0] is not stretch:
            loaded = (stretch, _readings(store, stretch.start_s, stretch.end_s))
        part = loaded[1].filter((pl.col("time_s") >= at) & (pl.col("time_s") < at + stretch.step_s))
        time_s = part["time_s"].to_numpy()
        table.update(
            part["series"].to_numpy(), time_s, part["value"].to_numpy(), part["flags"].to_numpy(), time_s + _ON_THE_WAY_S
        )  # fmt: skip
        changes = table.changed_since(sent)
        push_live(changes, store.series)
        sent = changes.tick
        moment = datetime.fromtimestamp(min(at + stretch.step_s, end_s), CHINA)
        report = alarm_tick(moment)
        points, opened = report.points, report.open
        if stretch.storm:
            _acknowledge(moment, actor)
    _acknowledge(as_of, actor, before=as_of - timedelta(hours=LAST_HOURS))
    progress("live", len(ticks), len(ticks))
    first = (as_of - timedelta(days=QUALITY_DAYS)).astimezone(CHINA).date()
    days = compute_quality(store, first, as_of.astimezone(CHINA).date(), as_of)
    return {"points": points, "alarms": min(opened, Alarm.objects.filter(closed_at=None).count()), "quality_days": days}


def _stretches(truth: Sequence[Planted], end_s: int, *, large: bool) -> list[Stretch]:
    """The great outages, in the order of time and without overlap, then the last day."""
    last = end_s - (FEW_HOURS if large else LAST_HOURS) * HOUR_S
    found: list[Stretch] = []
    great = {"source_failure", "outage"}
    storms = [
        event
        for event in truth
        if not large
        and event.kind in great
        and event.level in {"source", "substation"}
        and event.end_s - event.start_s >= SHORT_H * HOUR_S
    ]
    for event in sorted(storms, key=lambda e: e.start_s):
        after = found[-1].end_s if found else 0
        step = STORM_STEP_H * HOUR_S
        start, end = (max(event.start_s - BEFORE_H * HOUR_S, after), min(event.end_s + AFTER_H * HOUR_S, last))
        if start + step <= end:
            start -= start % HOUR_S
            found.append(Stretch(start, end - (end - start) % step, step, True))
    return [*found, Stretch(last, end_s, HOUR_S, False)]


def _acknowledge(now: datetime, actor: str, before: datetime | None = None) -> None:
    unseen = Alarm.objects.filter(closed_at=None, acknowledged=False, parent=None)
    chosen = (unseen.filter(raised_at__lt=before) if before else unseen).values_list("pk", flat=True)
    acknowledge_alarms(list(chosen), actor=actor, now=now, comment=SEEN)


def _readings(store: Store, start: int, end: int) -> pl.DataFrame:
    """What the store holds of the hours, in the order of time."""
    columns = {"series": pl.UInt32, "time_s": pl.Int64, "value": pl.Int32, "flags": pl.UInt8}
    parts = [
        duckdb.sql(
            f"SELECT series, time_s, value, flags FROM {store.duckdb_source(key)} WHERE value IS NOT NULL AND time_s >= {start} AND time_s < {end}"
        )
        .pl()
        .cast(columns)  # type: ignore[arg-type]
        for key in sorted({segment.quantity for segment in store.manifest.segments})
    ]
    return pl.concat(parts).sort("time_s") if parts else pl.DataFrame(schema=columns)
