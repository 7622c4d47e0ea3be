"""Meter frames a second on one core: M-Bus and CJ/T 188 heat meters, beside pyMeterBus on the same M-Bus frames.

A frame is a usual reply of a heat meter: M-Bus 82 bytes with twelve records (ten numbers, the clock, a due date), CJ/T 188 62 bytes with
eight values. Each of 5 000 meters sends its own number and its own values, so nothing but the layout can be kept from frame to frame.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import meterbus

from nuan.telemetry.protocols import cjt188, mbus

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "telemetry" / "protocols"))
from mbus_writing import heat_meter

RESULTS = Path(__file__).parent / "results" / "frames.json"
METERS, ROUNDS = 5_000, 5
PEER_METERS = 200
WANTED = 50_000


def cjt188_reply(number: int) -> bytes:
    return cjt188.heat_reply(
        f"1111{number:010d}", heat_100=1_234_500 + number, settled_100=1_200_000, power_100=4_320 + number % 900, flow_10000=12_340 + number % 99,
        volume_100=543_210 + number, supply_c100=6_340 + number % 90, return_c100=4_210 - number % 70, hours=4_567,
        local=datetime(2026, 1, 10, 8, number % 60, tzinfo=UTC),
    )  # fmt: skip


def rate(read: Callable[[bytes], object], frames: list[bytes], rounds: int = ROUNDS) -> list[float]:
    """Frames a second of the processor (not of the clock on the wall: other programs may run) in each round, after one that nobody counts."""
    rates = []
    for _ in range(rounds + 1):
        start = time.process_time()
        for frame in frames:
            read(frame)
        rates.append(len(frames) / (time.process_time() - start))
    return rates[1:]


def peer(frame: bytes) -> object:
    """All values of a frame, as a user of pyMeterBus gets them."""
    return [record.interpreted for record in meterbus.load(frame).records]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="500 meters, nothing kept")
    quick = parser.parse_known_args()[0].quick
    meters = METERS // 10 if quick else METERS
    wired = [heat_meter(10_000_000 + n, n) for n in range(meters)]
    chinese = [cjt188_reply(n) for n in range(meters)]
    ours, theirs = rate(mbus.parse, wired), rate(peer, wired[:PEER_METERS])
    cjt = rate(cjt188.parse, chinese)
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": [round(each, 2) for each in os.getloadavg()]},
        "frame": {"mbus_bytes": len(wired[0]), "mbus_numbers": len(mbus.parse(wired[0]).points), "cjt188_bytes": len(chinese[0]), "cjt188_numbers": 8},
        "mbus_frames_per_s": round(max(ours)),
        "mbus_frames_per_s_rounds": [round(each) for each in ours],
        "cjt188_frames_per_s": round(max(cjt)),
        "cjt188_frames_per_s_rounds": [round(each) for each in cjt],
        "pymeterbus_frames_per_s": round(max(theirs)),
        "mbus_times_pymeterbus": round(max(ours) / max(theirs), 1),
        "wanted_frames_per_s": WANTED,
    }  # fmt: skip
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0 if min(max(ours), max(cjt)) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
