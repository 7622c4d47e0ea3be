"""What workers saw of each gateway → the records: last seen, clock, counts. Machine state, added up over workers and their restarts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection

from nuan.records.devices.models import Gateway

COUNTS = ("readings", "untrusted", "late", "letters")
_UPSERT = """
INSERT INTO devices_gatewaypulse AS p (gateway_id, last_seen_s, newest_s, clock_offset_s, clock_spread_s, readings, untrusted, late, letters)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (gateway_id) DO UPDATE SET
    last_seen_s = greatest(p.last_seen_s, excluded.last_seen_s), newest_s = greatest(p.newest_s, excluded.newest_s),
    clock_offset_s = coalesce(excluded.clock_offset_s, p.clock_offset_s), clock_spread_s = coalesce(excluded.clock_spread_s, p.clock_spread_s),
    readings = p.readings + excluded.readings, untrusted = p.untrusted + excluded.untrusted, late = p.late + excluded.late,
    letters = p.letters + excluded.letters
"""


def worker_reports(folder: Path) -> dict[str, dict[str, Any]]:
    """Lane → what its worker last wrote."""
    found = {}
    for path in sorted(folder.glob("w*.json")):
        try:
            found[path.stem] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
    return found


class Pulses:
    """Remembers how far each worker's counts were written, so that only what came since is added."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], dict[str, int]] = {}

    def write(self, reports: Mapping[str, Mapping[str, Any]]) -> int:
        """How many gateways were heard since the last time."""
        known = set(Gateway.objects.values_list("code", flat=True))
        new: dict[str, dict[str, Any]] = {}
        seen: dict[tuple[str, str], dict[str, int]] = {}
        for report in reports.values():
            for code, page in report["gateways"].items():
                key = report["run"], code
                before = self._written.get(key, dict.fromkeys((*COUNTS, "messages"), 0))
                seen[key] = {name: page[name] for name in (*COUNTS, "messages")}
                if code in known and seen[key] != before:
                    _merge(new.setdefault(code, {}), page, before)
        rows = [
            [code, row["last_seen_s"], row["newest_s"] or None, *row["clock"], *(row[name] for name in COUNTS)]
            for code, row in sorted(new.items())
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_UPSERT, rows)
        self._written = seen
        return len(rows)


def _merge(row: dict[str, Any], page: Mapping[str, Any], before: Mapping[str, int]) -> None:
    """Two workers heard the same gateway: counts add up, of the clock the tighter estimate stands."""
    for name in COUNTS:
        row[name] = row.get(name, 0) + page[name] - before[name]
    for name in ("last_seen_s", "newest_s"):
        row[name] = max(row.get(name, 0), page[name])
    clock = page["clock"] or [None, None]
    held = row.setdefault("clock", clock)
    if clock[1] is not None and (held[1] is None or clock[1] < held[1]):
        row["clock"] = clock
