"""The soak: 30 minutes of the fleet at 5 000 readings a second, a worker killed (-9) every minute, the broker restarted twice, the network
cut for two minutes, the disk full once; then the sender's ledger is laid beside the store.

    python -m bench.soak --seconds 300        a shorter one with the same blows, shrunk
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "operations"))
from soak_rig import Rig, Schedule, torment
from test_soak import FAULTS

RESULTS = Path(__file__).parent / "results" / "soak.json"
RATE = 5_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1_800)
    parser.add_argument("--quick", action="store_true", help="75 seconds, nothing kept")
    options = parser.parse_known_args()[0]
    seconds = 75.0 if options.quick else options.seconds
    rig = Rig(homes=2_000)
    try:
        rig.up()
        summary = torment(rig, Schedule.of(seconds), RATE, FAULTS)
        rig.down()
        report, deaths = rig.check(), rig.deaths()
    finally:
        rig.down()
        rig.remove()
    result = {
        "seconds": seconds, "readings_per_s": RATE, "acknowledged": summary["acknowledged"], "stored": report["stored"],
        "missing": report["missing"], "series": report["series"], "series_that_differ": report["series_that_differ"], "ok": report["ok"],
        "sent_again": summary["sent_again"], "dropped_by_full_outboxes": summary["dropped"], "refused": summary["refused"], "nobody_listened": summary["nobody_listened"],
        "left": summary["left"], "workers_killed": deaths.count(-9), "workers_left_by_full_disk": len(deaths) - deaths.count(-9),
        "story": rig.log, "load": [round(each, 2) for each in os.getloadavg()], "cores": os.cpu_count(),
    }  # fmt: skip
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not options.quick:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0 if report["ok"] and not summary["left"] else 1


if __name__ == "__main__":
    sys.exit(main())
