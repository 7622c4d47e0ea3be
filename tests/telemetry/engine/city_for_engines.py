"""A small city for the engines: homes of one to three rooms, silent rooms, gaps, flags, a cold January, a threshold that changes, stations."""

from pathlib import Path

import numpy as np

from nuan.telemetry.readings import GAP, Flag, ReadingBatch
from nuan.telemetry.rollups.season import Demand, Span
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

HOUR, DAY = 3600, 86_400
START = 1_767_196_800
"""2026-01-01 00:00 in China."""
DAYS = 20
SPAN = Span.of(START + 5 * HOUR, START + 18 * DAY + 2 * HOUR)
DEMAND = Demand(
    np.where(np.arange(SPAN.days) < 9, 1800, 2000).astype(np.int16), np.full(SPAN.days, 2600, np.int16), 75, 5
)


def build(root: Path, buckets: int = 2) -> None:
    rng = np.random.default_rng(7)
    rooms = [
        SeriesKey(f"B{home:04d}-1-0101", "room_temp", room)
        for home in range(40)
        for room in ("living", "bedroom", "kitchen")[: 1 + home % 3]
    ]
    level = rng.integers(1700, 2500, (len(rooms), 1)) - 400 * (rng.random((len(rooms), 1)) < 0.1)
    values = (level + np.cumsum(rng.integers(-30, 31, (len(rooms), 24 * DAYS)), axis=1)).astype(np.int16)
    values[rng.random(values.shape) < 0.04] = GAP
    values[5, :] = GAP
    values[7, 100:200] = -1234
    flags = np.where(rng.random(values.shape) < 0.02, np.uint8(Flag.JUMP), np.uint8(Flag.LATE)).astype(np.uint8)
    with Store(root, write=True, buckets=buckets) as store:
        store.load_dense("room_temp", rooms, START, HOUR, values, flags)
        quarters = START + 900 * np.arange(300)
        store.append(ReadingBatch.of(0, quarters, rng.integers(1500, 2500, 300).astype(np.int32), revision=1))
        for station in range(4):
            for name in ("outdoor_temp", "supply_temp", "return_temp", "flow", "heat_power"):
                for position in ("a", "b")[: 1 + station % 2]:
                    times = START + 700 * np.arange(400)
                    some = rng.integers(-900, 6000, 400).astype(np.int32) * (30 if name == "flow" else 1)
                    marks = np.where(rng.random(400) < 0.1, np.uint8(Flag.OUT_OF_RANGE), np.uint8(0)).astype(np.uint8)
                    series = store.series_id(SeriesKey(f"H01-S{station:02d}", name, position))
                    store.append(ReadingBatch.of(series, times, some, marks))
        store.compact()
