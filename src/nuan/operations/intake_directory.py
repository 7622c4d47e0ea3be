"""The directory for the workers: built from the records, laid down as a file that they read without any database.

So a worker starts, and goes on, while PostgreSQL is away. The file holds digests of tokens and is for the owner's eyes only.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from nuan.records.devices.models import Device, DeviceProfile, DirectoryEdition, Gateway
from nuan.telemetry.intake.directory_file import FILE


def edition() -> int:
    """Counts up with every change of gateways, profiles and devices; 0 before the first."""
    return DirectoryEdition.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def directory_document(now: datetime) -> dict[str, Any]:
    """All that workers need to know, as plain values."""
    current = edition()
    open_gateways = list(Gateway.objects.filter(closed_at=None))
    digests = {row.digest: row.code for row in open_gateways}
    for row in open_gateways:
        if row.previous_digest and row.previous_until is not None and row.previous_until > now:
            digests[row.previous_digest] = row.code
    of_brokers = Gateway.objects.exclude(protocol=Gateway.Protocol.LINE).order_by("opened_at", "code")
    number = {code: n for n, code in enumerate(of_brokers.values_list("code", flat=True))}
    devices: dict[str, list[list[str]]] = {}
    rows = Device.objects.filter(removed_on=None, gateway__closed_at=None)
    for row in rows.values_list("gateway_id", "code", "place", "profile_id", "position").iterator(chunk_size=50_000):
        devices.setdefault(row[0], []).append(list(row[1:]))
    return {
        "edition": current,
        "gateways": [
            [
                g.code,
                g.company_id,
                g.protocol,
                g.timezone,
                g.max_readings_per_s,
                g.max_series,
                g.device_tag,
                number.get(g.code, 0),
            ]
            for g in open_gateways
        ],
        "digests": digests,
        "profiles": dict(DeviceProfile.objects.values_list("code", "text")),
        "devices": devices,
    }


def write_directory(folder: Path, document: Mapping[str, Any]) -> Path:
    """Lay the file down in one step, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    path, new = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    return path


class DirectoryKeeper:
    """Keeps the file at the records' edition; a token whose day after a rotation is over stops opening as well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._laid: tuple[int, int] | None = None

    def keep(self, now: datetime) -> int:
        """The edition that the file has."""
        old_tokens = Gateway.objects.filter(closed_at=None, previous_until__gt=now).count()
        wanted = edition(), old_tokens
        if wanted != self._laid or not (self.folder / FILE).is_file():
            write_directory(self.folder, directory_document(now))
            self._laid = wanted
        return wanted[0]
