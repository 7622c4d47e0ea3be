"""Every home of the sample city of `nuan demo`: billed, paid through its channels, adjusted, cancelled, refunded, charged for being late; then
the three pages of money of each of its homes are opened as its resident and laid beside lines, bills and ledger.

    python -m bench.every_home                       the 12 000 homes of `nuan demo`; writes results/every_home.json
    python -m bench.every_home --home FOLDER         a sample city that is there already (it is changed)
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.board import _stop_server

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
RESULTS = Path(__file__).parent / "results" / "every_home.json"
SEASON, TODAY = "2025-2026", date(2026, 4, 15)
SAY_EVERY = 200


def records(folder: Path) -> None:
    os.environ["NUAN_HOME"] = str(folder)
    os.environ.pop("DATABASE_URL", None)
    from nuan.cli.main import setup_records

    setup_records()


def part(folder: Path, number: int, of: int, most: int | None) -> dict[str, Any]:
    """Every `of`-th home, in a process of its own."""
    records(folder)
    from every_home import Looked, look_at
    from nuan.records.registry.models import Home

    def progress(looked: Looked) -> None:
        if looked.homes % SAY_EVERY == 0:
            print(f"  {number}: {looked.homes} homes, {looked.pages} pages, {len(looked.differs)} differ", flush=True)

    homes = Home.objects.order_by("id")[:most]
    looked = look_at([home for index, home in enumerate(homes) if index % of == number], progress)
    return vars(looked) | {"cpu_seconds": time.process_time()}


def run(folder: Path, homes: int, most: int | None, workers: int) -> dict[str, Any]:
    records(folder)
    from django.db import connection

    from every_home import stir
    from nuan.operations.demo import build_demo_city, read_demo_facts
    from nuan.operations.ledger_check import check

    started = time.perf_counter()
    if read_demo_facts() is None:
        build_demo_city(homes, actor="bench")
    built = time.perf_counter()
    done = stir(SEASON, TODAY)
    print(f"  built {built - started:.0f} s, then {done} in {time.perf_counter() - built:.0f} s", flush=True)
    wall = time.perf_counter()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        parts = [
            each.result() for each in [pool.submit(part, folder, number, workers, most) for number in range(workers)]
        ]
    found: dict[str, Any] = {
        name: round(sum(each[name] for each in parts), 1) for name in parts[0] if name != "differs"
    }
    differs = [said for each in parts for said in each["differs"]]
    found |= {
        "differs": len(differs),
        "examples": differs[:20],
        "stirred": done,
        "seconds": round(time.perf_counter() - wall, 1),
        "workers": workers,
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "ledger_check": [each.code for each in check(now=datetime.now(UTC))],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    connection.close()
    _stop_server(folder / "pg")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="400 homes, nothing kept")
    parser.add_argument("--homes", type=int, default=None)
    parser.add_argument("--home", type=Path, default=None, help="NUAN_HOME of a sample city")
    parser.add_argument("--most", type=int, default=None, help="look at so many homes only")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_known_args()[0]
    homes = options.homes or (400 if options.quick else 12_000)
    with tempfile.TemporaryDirectory(prefix="nuan-bench-", ignore_cleanup_errors=True) as folder:
        found = run(options.home or Path(folder), homes, options.most, options.workers)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if found["homes"] >= 12_000:
        RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 1 if found["differs"] or found["ledger_check"] else 0


if __name__ == "__main__":
    sys.exit(main())
