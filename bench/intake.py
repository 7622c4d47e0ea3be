"""Durable intake end to end: an HTTP body of line protocol → parsed → journal synced → acknowledged, against two databases.

python -m bench.intake [--quick]

Batches of 10 000 and of 1 000 lines, three readings a line; the systems take turns batch by batch, each over one connection that waits
for its answer before it sends again. InfluxDB gets the same bodies. PostgreSQL gets rows that are already resolved to numbers (COPY,
INSERT … ON CONFLICT, COMMIT): text and keys cost it nothing here. A reading is one value of one series at one time.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from bench.intake_peers import DEVICES, Batch, Postgres, influx, nuan, postgres

from nuan.telemetry.store.store import Store

RESULTS = Path(__file__).parent / "results" / "intake.json"
SIZES = {10_000: (30, 10), 1_000: (150, 5)}
"""Lines of a batch → (rounds, goal: times as fast as either peer)."""


def run(quick: bool = False) -> dict[str, object]:
    """Readings a second of each system by batch size, from the median time of a batch."""
    start = int(time.time()) - 80_000
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        peers = [stack.enter_context(kind(folder / kind.__name__)) for kind in (nuan, influx, postgres)]
        sent = 0
        for warm in range(3):  # every series once, every page of code
            sent += len(batch := Batch(DEVICES, start - 10 + warm, warm))
            for peer in peers:
                if isinstance(peer, Postgres):
                    peer.prepare(batch)
                peer.write(batch)
        found: dict[str, object] = {}
        for lines, (rounds, goal) in SIZES.items():
            took: dict[str, list[float]] = {peer.name: [] for peer in peers}
            for number in range(3 if quick else rounds):
                batch = Batch(lines, start, number + lines)
                start += 1
                sent += len(batch)
                for peer in peers:
                    if isinstance(peer, Postgres):
                        peer.prepare(batch)
                    begin = time.perf_counter()
                    peer.write(batch)
                    took[peer.name].append(time.perf_counter() - begin)
            found[f"batch_{lines}_lines"] = summary(took, lines * 3, goal)
        kept = {"influxdb": influx_count(peers[1]), "postgresql": peers[2].count()}
        version = subprocess.run(["influxd", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
        stack.close()
        with Store(folder / "nuan" / "store", write=True) as store:
            kept["nuan"] = store.absorb().readings
    assert set(kept.values()) == {sent}, (kept, sent)
    load = os.getloadavg()[0]
    return {
        **found,
        "readings_sent_and_found_in_each": sent,
        "series": DEVICES * 3,
        "influxdb": version,
        "load_average": round(load, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}",
    }


def summary(took: dict[str, list[float]], readings: int, goal: int) -> dict[str, object]:
    rates = {name: readings / float(np.median(times)) for name, times in took.items()}
    ours = rates.pop("nuan")
    return {
        "nuan_m_readings_per_s": round(ours / 1e6, 3),
        **{f"{name}_m_readings_per_s": round(rate / 1e6, 3) for name, rate in rates.items()},
        **{f"ratio_to_{name}": round(ours / rate, 1) for name, rate in rates.items()},
        "goal_ratio": goal,
        "nuan_ms": {"median": ms(took["nuan"], 50), "p99": ms(took["nuan"], 99)},
        "batches": len(took["nuan"]),
    }


def ms(times: list[float], percent: int) -> float:
    return round(float(np.percentile(times, percent)) * 1_000, 2)


def influx_count(peer: object) -> int:
    answer = peer.ask("GET", "/query?db=bench&q=SELECT%20count(*)%20FROM%20heat")  # type: ignore[attr-defined]
    return sum(json.loads(answer)["results"][0]["series"][0]["values"][0][1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three batches of each size, nothing kept")
    quick = parser.parse_args().quick
    result = run(quick)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
