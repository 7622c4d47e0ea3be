"""Readings from the embedded store as lines for a chart. Untrusted readings are left out, so they appear as gaps."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.utils.safestring import SafeString

from nuan.web.charts import Line, curve
from nuan.web.wording import say

HOURS_SHOWN: Final[Mapping[str, int]] = {"48h": 2, "week": 7, "season": 200}
MOST_POINTS: Final = 900


def _thinned(points: list[tuple[int, float]], step_s: int) -> tuple[list[tuple[int, float]], int]:
    """At most `MOST_POINTS`: the lowest of each stretch stays, because the lowest is what matters here."""
    stride = -(-len(points) // MOST_POINTS)
    if stride <= 1:
        return points, step_s
    buckets: dict[int, tuple[int, float]] = {}
    for time, value in points:
        key = time // (step_s * stride)
        if key not in buckets or value < buckets[key][1]:
            buckets[key] = (time, value)
    return list(buckets.values()), step_s * stride * 2


def line(place: str, quantity: str, position: str, name: str, start: int, end: int) -> Line:
    """One series of the store between two moments; empty where the store does not know it."""
    from nuan.telemetry.quality import trusted
    from nuan.telemetry.series import SeriesKey
    from nuan.telemetry.store import Store

    store = Store(settings.READINGS_ROOT)
    batch = store.read(store.series_id(SeriesKey(place, quantity, position)), start, end)
    good = trusted(batch.flags)
    points = [(int(t), int(v) / 100) for t, v in zip(batch.time_s[good], batch.value[good], strict=True)]
    thin, step_s = _thinned(points, 3600)
    return Line(name, thin, step_s)


def home_curve(code: str, start: int, end: int) -> SafeString | None:
    if not settings.READINGS_ROOT.is_dir():
        return None
    return curve([line(code, "room_temp", "room", say("室温"), start, end)], start, end, say("室温曲线"))


def station_curve(code: str, start: int, end: int) -> SafeString | None:
    if not settings.READINGS_ROOT.is_dir():
        return None
    lines = [
        line(code, "supply_temp", "supply", say("供水温度"), start, end),
        line(code, "return_temp", "return", say("回水温度"), start, end),
        line(code, "outdoor_temp", "outdoor", say("室外温度"), start, end),
    ]
    return curve(lines, start, end, say("供水、回水和室外温度"))
