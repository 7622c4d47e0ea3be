"""Durable intake end to end: an HTTP body of line protocol → parsed → journal synced → acknowledged, against two databases.

python -m bench.intake [--quick]

Batches of 10 000 and of 1 000 lines, three readings a line; the systems take turns. In a turn a sender sends some batches one behind the
other, each when the one before is answered, as senders with a backlog do; with four senders each has a connection of its own. Turns of one
batch stand beside it: a batch after a pause, in which the others had the caches. InfluxDB gets the same bodies. PostgreSQL gets rows that are already
resolved to numbers (COPY, INSERT … ON CONFLICT, COMMIT): text and keys cost it nothing here. A reading is one value of one series at one
time. At the end each system has every reading exactly once, or the benchmark fails.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from bench.intake_peers import DEVICES, FIELDS, Batch, Door, Peer, influx, nuan, postgres

RESULTS = Path(__file__).parent / "results" / "intake.json"
SENDERS = 4
CASES = (
    (10_000, 1, 5, 12),
    (1_000, 1, 25, 12),
    (10_000, SENDERS, 5, 4),
    (1_000, SENDERS, 25, 4),
    (10_000, 1, 1, 20),
    (1_000, 1, 1, 60),
)
"""Lines of a batch, senders at once, batches of a sender in a turn, turns."""
GOALS = {10_000: 10, 1_000: 5}
"""Lines of a batch → times as fast as either peer."""


class Clock:
    """Batches of new moments: no two of a device fall on one."""

    def __init__(self) -> None:
        self.next_s = int(time.time()) - 80_000
        self.readings = 0

    def batches(self, lines: int, count: int) -> list[Batch]:
        made = [Batch(lines, self.next_s + number, self.next_s + number) for number in range(count)]
        self.next_s += count
        self.readings += sum(len(batch) for batch in made)
        return made


def turn_s(peer: Peer, batches: list[Batch], senders: int, threads: ThreadPoolExecutor) -> float:
    """Seconds until every sender has the last of its answers."""
    work = [(door, batches[number::senders]) for number, door in enumerate(peer.doors[:senders])]
    for door, mine in work:
        for batch in mine:
            door.prepare(batch)
    begin = time.perf_counter()
    if len(work) == 1:
        _send(*work[0])
    else:
        for done in [threads.submit(_send, *one) for one in work]:
            done.result()
    return time.perf_counter() - begin


def _send(door: Door, batches: list[Batch]) -> None:
    for batch in batches:
        door.write(batch)


def run(quick: bool = False) -> dict[str, object]:
    """Readings a second of each system by batch size and senders, from the median time of a round."""
    clock, found = Clock(), {}
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(SENDERS) as threads:
        with ExitStack() as stack:
            folder = Path(place)
            peers = [stack.enter_context(kind(folder / kind.__name__, SENDERS)) for kind in (nuan, influx, postgres)]
            for _ in range(3):  # every series once, every page of code
                batches = clock.batches(DEVICES, SENDERS)
                for peer in peers:
                    turn_s(peer, batches, SENDERS, threads)
            for lines, senders, each, turns in CASES:
                took: dict[str, list[float]] = {peer.name: [] for peer in peers}
                cpu = {peer.name: -peer.cpu_s() for peer in peers}
                for _ in range(3 if quick else turns):
                    batches = clock.batches(lines, senders * each)
                    for peer in peers:
                        took[peer.name].append(turn_s(peer, batches, senders, threads))
                cpu = {peer.name: cpu[peer.name] + peer.cpu_s() for peer in peers}
                case = (
                    f"batch_{lines}_lines"
                    + (f"_{senders}_senders" if senders > 1 else "")
                    + ("" if each > 1 else "_after_a_pause")
                )
                found[case] = summary(took, cpu, senders * lines * len(FIELDS), each, GOALS[lines])
            kept = {peer.name: peer.count() for peer in peers[1:]}
        kept["nuan"] = peers[0].count()
    assert set(kept.values()) == {clock.readings}, (kept, clock.readings)
    version = subprocess.run(["influxd", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return {
        **found,
        "readings_sent_and_found_in_each": clock.readings,
        "series": DEVICES * len(FIELDS),
        "influxdb": version,
        "load_average": round(os.getloadavg()[0], 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}",
    }


def summary(
    took: dict[str, list[float]], cpu: dict[str, float], readings: int, each: int, goal: int
) -> dict[str, object]:
    """By the median turn, and by the fastest tenth of the turns: on a machine with other work the latter are those that had a core.
    `readings` of all senders with one batch each, `each` batches a sender and turn."""
    return {
        **rates(took, readings * each, 50),
        "by_fastest_tenth": rates(took, readings * each, 10),
        "goal_ratio": goal,
        "nuan_ms_a_batch": round(float(np.median(took["nuan"])) / each * 1_000, 2),
        "server_cpu_s_per_m_readings": {
            name: round(cpu[name] * 1e6 / (readings * each) / len(times), 3) for name, times in took.items()
        },
        "turns": len(took["nuan"]),
    }


def rates(took: dict[str, list[float]], readings: int, percent: int) -> dict[str, float]:
    found = {name: readings / float(np.percentile(times, percent)) for name, times in took.items()}
    ours = found["nuan"]
    return {f"{name}_m_readings_per_s": round(rate / 1e6, 3) for name, rate in found.items()} | {
        f"ratio_to_{name}": round(ours / rate, 1) for name, rate in found.items() if name != "nuan"
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds of each case, nothing kept")
    quick = parser.parse_args().quick
    result = run(quick)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
