"""这根管坏了 within a second: one company with 1 000 stations and 100 000 homes, its pages asked for pipe after pipe.

    python -m bench.network_pages [--quick]

A broken pipe is asked for in full: segments, valves, a new steady state, homes, buildings and special sites, the drawing, the page as HTML.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

import numpy as np
import polars as pl
from bench.board import AS_OF, SEASON, _stop_server
from bench.network_cases import Case, nuan_network, street_case

from nuan.network.graph import Network

LIMIT_MS = 1_000
RESULTS = Path(__file__).parent / "results" / "network_pages.json"
LOOPS = 40
_CITY = f"""
INSERT INTO registry_banner (code, name, pack) VALUES ('999901', '旗甲', 'demo-city');
INSERT INTO registry_company (code, name, uscc, service_phone) VALUES ('C01', '公司', '', '');
INSERT INTO registry_heatsource (code, name, company_id, banner_id, fuel) VALUES ('plant', '热源', 'C01', '999901', 'coal');
INSERT INTO registry_substation (code, name, source_id, company_id, banner_id)
    SELECT 'c' || n, '站' || n, 'plant', 'C01', '999901' FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_loop (code, name, substation_id) SELECT 'c' || n || '-L1', '低区', 'c' || n FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_building (code, name, estate, loop_id, banner_id, built_year)
    SELECT 'B' || n, n || '号楼', '小区', 'c' || n % $stations || '-L1', '999901', 1990 + n % 30 FROM generate_series(0, $stations * 3 - 1) n;
INSERT INTO registry_home (code, building_id, substation_id, company_id, banner_id, entrance, floor, door, home_class)
    SELECT 'B' || h % ($stations * 3) || '-1-' || h / ($stations * 3), 'B' || h % ($stations * 3), 'c' || h % ($stations * 3) % $stations, 'C01',
           '999901', '1', 1, h / ($stations * 3), 'residential'
    FROM generate_series(0, $homes - 1) h;
INSERT INTO supervision_run (season, as_of, started_at, finished_at, state, rules_fingerprint, manifest_hash, registry_hash, store_offset,
                             homes, packs, summary)
    VALUES ('{SEASON}', '{AS_OF}', now(), now(), 'done', 'f', 'm', 'r', 0, $homes, '{{}}', '{{}}');
INSERT INTO supervision_homeseason (home_id, season, days, days_met, days_breached, days_undecidable, hours_below, longest_below_h,
        min_c100, mean_c100, first_day, last_day, last_temp_c100, last_time_s, threshold_c100, run_id)
    SELECT id, '{SEASON}', decode(repeat('55', 46), 'hex'), 97, 0, 0, 0, 0, 1900, 2000, 1, 1, 2000, 1768860000, 1800, r.run
    FROM registry_home, (SELECT max(id) AS run FROM supervision_run) r;
INSERT INTO emergency_vehicle (code, banner_id, power_kw, available_from, station) VALUES ('车1', '999901', 2800, '2025-10-01', '基地');
INSERT INTO twin_protectedsite (code, name, kind, building_id, heat_kw, own_heat)
    SELECT 'T' || n, '学校' || n, 'school', 'B' || n * 40, 120, false FROM generate_series(0, $stations / 40) n;
ANALYZE;
"""


def valved(case: Case) -> Network:
    """The benchmark's streets with coordinates, and with a valve where each street and service begins, on both sides."""
    network = nuan_network(case)
    side = int(np.ceil(np.sqrt(max(len(case.at) / 3, 4))))
    spot = np.zeros((case.nodes, 2))
    crossing = np.arange(side * side)
    spot[: side * side] = np.stack([crossing % side, crossing // side], axis=1)
    spot[side * side] = spot[(side // 2) * side + side // 2] + 0.4
    dice = np.random.default_rng(3)
    beside = dict(zip(case.b.tolist(), case.a.tolist(), strict=True))
    for node in case.at.tolist():
        spot[node] = spot[beside[node]] + dice.uniform(-0.4, 0.4, 2)
    place = {
        f"{letter}{i}": (110.0 + 0.0012 * x, 39.8 + 0.0009 * y)
        for letter in "sr"
        for i, (x, y) in enumerate(spot.tolist())
    }
    pipes, valves, nodes = [], [], network.nodes.to_dicts()
    height = {row["node"]: row["elevation_m"] for row in nodes}
    for row in network.pipes.iter_rows(named=True):
        supply = row["pipe"].startswith("S")
        near, end = ("from_node", "to_node") if supply else ("to_node", "from_node")
        inner = f"v{row['pipe']}"
        (x, y), (u, v) = place[row[near]], place[row[end]]
        place[inner] = (x + (u - x) * 0.08, y + (v - y) * 0.08)
        nodes.append({**nodes[0], "node": inner, "elevation_m": height[row[near]]})
        ends = (row[near], inner) if supply else (inner, row[near])
        valves.append(
            {
                "valve": f"V{row['pipe']}",
                "from_node": ends[0],
                "to_node": ends[1],
                "inner_diameter_m": row["inner_diameter_m"],
            }
        )
        twin = ("R" if supply else "S") + row["pipe"][1:]
        pipes.append({**row, near: inner, "side": "supply" if supply else "return", "twin": twin})
    drawn = pl.DataFrame(nodes).with_columns(
        side=pl.col("node").str.contains("^v?[sS]").replace_strict({True: "supply", False: "return"}),
        longitude=pl.col("node").replace_strict({key: at[0] for key, at in place.items()}),
        latitude=pl.col("node").replace_strict({key: at[1] for key, at in place.items()}),
    )
    network = (
        network.with_table("nodes", drawn)
        .with_table("pipes", pl.DataFrame(pipes))
        .with_table("valves", pl.DataFrame(valves))
    )
    stations = network.substations.with_columns(
        place=pl.col("substation"), kv_m3_per_h=pl.col("heat_kw") / 40 / 1.163 * 2.5, min_dp_bar=pl.lit(0.3)
    )
    return network.with_table("substations", stations)


def build(stations: int, homes: int) -> dict[str, float]:
    """Records and network; the seconds that importing and the first computing took."""
    from django.db import connection, transaction

    from nuan.network.graph.checks import findings
    from nuan.operations.network_import import keep_network
    from nuan.operations.network_tick import network_tick
    from nuan.records.accounts.models import User

    now = datetime.now(UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(Template(_CITY).substitute(stations=stations, homes=homes))
        User.objects.create(username="chen", display_name="陈调度", role="dispatch", company_id="C01")
    network = valved(street_case(stations, LOOPS * stations // 1000, seed=7))
    begun = time.perf_counter()
    found = findings(network)
    done = keep_network(network, found, source="bench", company="C01", actor="bench", now=now).required()
    imported = time.perf_counter()
    run = network_tick(now)[0]
    assert run.settled, run.why
    assert done.version is not None
    assert done.version.placed == stations
    return {
        "import_s": round(imported - begun, 2),
        "tick_s": round(time.perf_counter() - imported, 2),
        "pipes": network.pipes.height,
    }


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Median and worst milliseconds of the pages, by the clock and of this process (the load of others aside); of a broken pipe over pipes spread through the network, each asked for once."""
    from django.test import Client

    from nuan.operations.network_twin import twin_of
    from nuan.records.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="chen"), backend="django.contrib.auth.backends.ModelBackend")
    twin = twin_of("C01", datetime.now(UTC))
    assert twin is not None
    pipes = twin.network.pipes["pipe"].to_list()
    step = max(1, len(pipes) // (rounds * 4))
    asked = [f"/network/C01/broken/?{urlencode({'pipe': pipe})}" for pipe in pipes[::step]]
    pages = {
        "broken pipe": asked, "map": ["/network/C01/"] * rounds, "stations": ["/network/C01/list/"] * rounds,
        "pressure profile": ["/network/C01/profile/"] * rounds,
    }  # fmt: skip
    found = {}
    for name, addresses in pages.items():
        begun = time.perf_counter()
        first = client.get(addresses[0])
        first_ms = (time.perf_counter() - begun) * 1000
        assert first.status_code == 200, first.status_code
        spent, cpu = [], []
        for address in addresses:
            begun, cpu_begun = time.perf_counter(), time.process_time()
            answer = client.get(address)
            spent.append((time.perf_counter() - begun) * 1000)
            cpu.append((time.process_time() - cpu_begun) * 1000)
            assert answer.status_code == 200, address
        found[name] = {
            "asked": len(spent), "first_ms": round(first_ms, 1), "median_ms": round(statistics.median(spent), 1),
            "p95_ms": round(float(np.percentile(spent, 95)), 1), "worst_ms": round(max(spent), 1), "cpu_median_ms": round(statistics.median(cpu), 1), "cpu_worst_ms": round(max(cpu), 1), "kilobytes": round(len(first.content) / 1000),
        }  # fmt: skip
    return found


def run(quick: bool) -> dict[str, Any]:
    stations, homes = (200, 20_000) if quick else (1_000, 100_000)
    with tempfile.TemporaryDirectory(prefix="nuan-bench-") as folder:
        os.environ["NUAN_HOME"] = folder
        os.environ.pop("DATABASE_URL", None)
        from nuan.cli.main import setup_records

        setup_records()
        built = build(stations, homes)
        found = measure(5 if quick else 20)
        from django.db import connection

        connection.close()
        _stop_server(Path(folder) / "pg")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {
        "stations": stations,
        "homes": homes,
        "limit_ms": LIMIT_MS,
        "built": built,
        "pages": found,
        "load": round(os.getloadavg()[0], 1),
        "machine": machine,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 stations, 20 000 homes")
    chosen, _ = parser.parse_known_args()
    report = run(chosen.quick)
    print(json.dumps(report, ensure_ascii=False, indent=1))
    if not chosen.quick:
        RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    good = report["pages"]["broken pipe"]["worst_ms"] <= LIMIT_MS
    print(
        f"a broken pipe on one page: worst {report['pages']['broken pipe']['worst_ms']} ms, limit {LIMIT_MS} ms: {'met' if good else 'missed'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
