"""The store's own figures: readings a second through a lane, taking over and folding, bytes a reading with delays, and what letting go saves.

python -m bench.store [--quick]
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench.room_hours import room_hours

from nuan.telemetry.readings import GAP, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Lane, Store
from nuan.telemetry.store.policy import default_policy
from nuan.telemetry.store.retention import retain

RESULTS = Path(__file__).parent / "results" / "store.json"
START = 1_767_196_800
HOUR, DAY = 3600, 86_400


def through_a_lane(root: Path, batch: int, rounds: int, keys: int) -> dict[str, float]:
    """Batches of random series with a sync each, as `nuan intake` does it; then the store takes all over and folds."""
    rng = np.random.default_rng(1)
    with Lane(root, "w1") as lane:
        begun = time.perf_counter()
        lane.register(SeriesKey(f"B{number:07d}-1-0101", "room_temp") for number in range(keys))
        registered = time.perf_counter() - begun
        batches = [
            ReadingBatch(
                rng.integers(0, keys, batch).astype(np.uint32), START + 60 * number + rng.integers(0, 60, batch),
                rng.integers(1500, 2500, batch).astype(np.int32), np.zeros(batch, np.uint8),
            )
            for number in range(rounds)
        ]  # fmt: skip
        put = sync = 0.0
        for number, one in enumerate(batches):
            begun = time.perf_counter()
            lane.put(one, START + 60 * number + 75)
            middle = time.perf_counter()
            lane.sync()
            put, sync = put + middle - begun, sync + time.perf_counter() - middle
        size = lane.size_bytes()
    with Store(root, write=True) as store:
        begun = time.perf_counter()
        store.absorb(fold_from=1 << 60)
        taken = time.perf_counter() - begun
    count = batch * rounds
    return {
        "batch": batch, "put_us": round(put / rounds * 1e6, 1), "sync_us": round(sync / rounds * 1e6, 1),
        "readings_per_s": round(count / (put + sync)), "lane_bytes_per_reading": round(size / count, 2),
        "names_per_s": round(keys / registered), "taken_over_per_s": round(count / taken),
    }  # fmt: skip


def bytes_with_delay(root: Path, homes: int, days: int, jitter_s: int) -> float:
    """Hourly rooms through a lane, each hour in at once or spread over `jitter_s` seconds, folded daily."""
    values, _ = room_hours(0, homes)
    rng = np.random.default_rng(2)
    with Store(root, write=True, buckets=2) as store, Lane(root, "w1") as lane:
        ids = lane.register(SeriesKey(f"B{number:05d}-1-0101", "room_temp") for number in range(homes))
        for hour in range(days * 24):
            there = np.flatnonzero(values[:, hour] != GAP)
            parts = rng.integers(0, max(jitter_s, 1), len(there)) if jitter_s else np.zeros(len(there), np.int64)
            for late in np.unique(parts).tolist():
                which = there[parts == late]
                times = np.full(len(which), START + HOUR * hour)
                lane.put(
                    ReadingBatch.of(ids[which], times, values[which, hour].astype(np.int32)),
                    START + HOUR * hour + 40 + late,
                )
            if hour % 24 == 23:
                lane.sync()
                store.absorb(fold_from=0)
        segments = sum(segment.bytes for segment in store.manifest.segments)
        return round(segments / store.stats().readings, 3)


def let_go(root: Path, stations: int, step_s: int) -> dict[str, Any]:
    """A month of fast flow and temperature points, rolled up by the default policy."""
    rng = np.random.default_rng(3)
    n = 31 * DAY // step_s
    times = START + step_s * np.arange(n, dtype=np.int64)
    daily = np.sin(np.arange(n) * step_s / DAY * 2 * np.pi)
    with Store(root, write=True, buckets=1) as store:
        for station in range(stations):
            for name, level, noise in (("supply_temp", 4500, 3), ("flow", 120_000, 150)):
                wander = np.cumsum(rng.normal(0, 1, n)) * noise / 10
                values = np.round((level + 0.03 * level * daily + wander + rng.normal(0, noise, n)) / 10) * 10
                series = store.series_id(SeriesKey(f"H01-S{station:03d}", name, "secondary"))
                store.append(ReadingBatch.of(series, times, values.astype(np.int32)))
        store.compact()
        raw = sum(segment.bytes for segment in store.manifest.segments)
        begun = time.perf_counter()
        report = retain(store, default_policy(), START + 90 * DAY)
        took = time.perf_counter() - begun
        steps: dict[str, int] = {}
        for file in store.manifest.steps:
            steps[f"{file.step_s}s"] = steps.get(f"{file.step_s}s", 0) + file.bytes
    return {
        "step_s": step_s, "readings": report.readings, "raw_bytes": raw, "raw_bytes_per_reading": round(raw / report.readings, 3),
        "steps_bytes": steps, "readings_per_s": round(report.readings / took),
    }  # fmt: skip


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    quick = asked.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        results: dict[str, Any] = {
            "lanes": [
                through_a_lane(root / f"lane{batch}", batch, 100 if quick else 300, 100_000 if quick else 1_000_000)
                for batch in (1000, 10_000)
            ],
            "bytes_per_reading": {
                "constant delay": bytes_with_delay(root / "constant", 1000, 10 if quick else 60, 0),
                "delay spread over 30 s": bytes_with_delay(root / "spread", 1000, 10 if quick else 30, 30),
            },
            "let_go": let_go(root / "go", 2 if quick else 10, 10),
            "load_average_1min": round(os.getloadavg()[0], 1),
            "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
        }
    print(json.dumps(results, indent=2))
    if not quick:
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
