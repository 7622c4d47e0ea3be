"""Trends of live points: what the store holds, the live value behind it, the limits of the alarms, and what is not believed as crosses."""

from datetime import datetime
from typing import Final

import numpy as np
from django.utils.safestring import SafeString

from nuan.operations.alarm_settings import definition_for
from nuan.operations.stored_readings import readings_of, series_of
from nuan.records.monitoring.models import LivePoint, LiveValue
from nuan.telemetry.alarms.definitions import Definition, Kind, shipped
from nuan.telemetry.readings import Flag
from nuan.terms.quantities import QUANTITIES
from nuan.web.charts import Line, curve
from nuan.web.live_words import amount, flag_words, quantity_name
from nuan.web.wording import say

HOURS: Final = 48
MOST_MARKS: Final = 200
MOST_POINTS: Final = 900
# what is drawn in one picture: the same unit, the first one's limits and gaps
TOGETHER: Final = (
    ("supply_temp", "return_temp", "setpoint_temp", "outdoor_temp"),
    ("primary_supply_temp", "primary_return_temp"),
    ("flow",),
    ("make_up_flow",),
    ("pressure",),
    ("heat_power",),
    ("room_temp",),
)


def limits_of(level: str, quantity: str, company: str, place: str) -> list[Definition]:
    """Definitions that compare values of a quantity with limits at a place."""
    codes = [d.code for d in shipped().values() if (d.level, d.quantity) == (level, quantity)]
    found = [definition_for(code, company, place) for code in codes]
    return [d for d in found if d.enabled and d.kind in {Kind.HIGH, Kind.LOW}]


def trends(
    place: str, level: str, company: str, points: list[tuple[LivePoint, LiveValue]], now: datetime
) -> list[tuple[str, SafeString]]:
    """One picture for each group of quantities that the place has, with its title; 48 hours up to now."""
    end, pictures = int(now.timestamp()), []
    for group in TOGETHER:
        lines: list[Line] = []
        marks: list[tuple[int, float, str]] = []
        for quantity in group:
            for series_id, key in series_of(place, quantity)[:2]:
                live = next((v for p, v in points if (p.quantity, p.position) == (quantity, key.position)), None)
                line, doubted = _line(series_id, quantity, end, live)
                lines.append(line)
                marks += doubted
        if not lines:
            continue
        limits = [
            (_number(group[0], d.limit_on), f"{'＜' if d.kind == Kind.LOW else '＞'} {amount(group[0], d.limit_on)}")
            for d in limits_of(level, group[0], company, place)
        ]
        title = say("、").join(line.name for line in lines) + f" ({QUANTITIES[group[0]].unit})"
        pictures.append((title, curve(lines, end - HOURS * 3600, end, title, limits=limits, marks=marks[:MOST_MARKS])))
    return pictures


def _number(quantity: str, fixed: int) -> float:
    return fixed * float(QUANTITIES[quantity].resolution)


def _line(series_id: int, quantity: str, end: int, live: LiveValue | None) -> tuple[Line, list[tuple[int, float, str]]]:
    batch = readings_of(series_id, end - HOURS * 3600, end + 1)
    good = batch.trusted
    points = list(
        zip(
            batch.time_s[good].tolist(),
            (batch.value[good] * float(QUANTITIES[quantity].resolution)).tolist(),
            strict=True,
        )
    )
    if (
        live is not None
        and live.time_s is not None
        and live.value is not None
        and (not points or points[-1][0] < live.time_s <= end)
    ):
        points.append((live.time_s, _number(quantity, live.value)))
    step_s = max(int(np.median(np.diff([time for time, _ in points]))) if len(points) > 2 else 3600, 60)
    stride = -(-len(points) // MOST_POINTS)
    if stride > 1:
        points, step_s = points[::stride], step_s * stride
    doubted = ~good & (batch.flags & np.uint8(Flag.MISSING) == 0)
    marks = [
        (time, _number(quantity, value), f"{amount(quantity, value)} {flag_words(flags)}")
        for time, value, flags in zip(
            batch.time_s[doubted].tolist(), batch.value[doubted].tolist(), batch.flags[doubted].tolist(), strict=True
        )
    ]
    return Line(quantity_name(quantity), points, step_s), marks
