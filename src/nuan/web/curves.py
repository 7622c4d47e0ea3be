"""Readings from the embedded store as lines for a chart. Untrusted readings are left out, so they appear as gaps."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from django.utils.safestring import SafeString

from nuan.operations.stored_readings import readings_of, series_of
from nuan.records.supervision.models import HomeSeason
from nuan.web.charts import WIDE, Line, curve
from nuan.web.wording import say, spoken

DAYS_SHOWN: Final[Mapping[str, int]] = {"48h": 2, "week": 7}
MOST_POINTS: Final = 900
HOUR: Final = 3600


def days_of(span: str, season: HomeSeason | None) -> int:
    """How many days a span shows; the season is as long as the days that were judged."""
    if span == "season" and season is not None:
        return max(season.days_met + season.days_breached + season.days_undecidable, 2)
    return DAYS_SHOWN.get(span, 2)


def _thinned(points: list[tuple[int, float]], step_s: int) -> tuple[list[tuple[int, float]], int]:
    """At most about `MOST_POINTS`: the lowest of each stretch stays, because the lowest is what matters here."""
    stride = -(-len(points) // MOST_POINTS)
    if stride <= 1:
        return points, step_s
    lowest: dict[int, tuple[int, float]] = {}
    for time, value in points:
        key = time // (step_s * stride)
        if key not in lowest or value < lowest[key][1]:
            lowest[key] = (time, value)
    return list(lowest.values()), step_s * stride * 2


def line(series_id: int, name: str, start: int, end: int) -> Line:
    """One series of the store in `[start, end)`, in °C."""
    batch = readings_of(series_id, start, end)
    times, values = batch.time_s[batch.trusted], batch.value[batch.trusted]
    step_s = int(np.median(np.diff(times))) if len(times) > 2 else HOUR
    points = [(int(t), int(v) / 100) for t, v in zip(times, values, strict=True)]
    thin, step_s = _thinned(points, max(step_s, 60))
    return Line(name, thin, step_s)


def home_curve(
    code: str, start: int, end: int, limit: tuple[float, str] | None, width: int = WIDE
) -> SafeString | None:
    """Every room of a home against the limit; None where the store knows nothing of it."""
    keys = series_of(code, "room_temp")
    if not keys:
        return None
    names = [say("室温") if len(keys) == 1 else spoken(key.position) for _, key in keys[:3]]
    lines = [line(number, name, start, end) for (number, _), name in zip(keys, names, strict=False)]
    return curve(lines, start, end, say("室温曲线"), limit, width)


def station_curve(code: str, start: int, end: int) -> SafeString | None:
    """Supply, return and outdoor; the outdoor series is the station's own, else the one that stands for the city."""
    named = [("supply_temp", say("供水温度")), ("return_temp", say("回水温度"))]
    chosen = [(number, name) for quantity, name in named for number, _ in series_of(code, quantity)[:1]]
    outdoor = series_of(code, "outdoor_temp") or series_of(None, "outdoor_temp")
    chosen += [(number, say("室外温度")) for number, _ in outdoor[:1]]
    if not chosen:
        return None
    return curve([line(number, name, start, end) for number, name in chosen], start, end, say("供水、回水和室外温度"))
